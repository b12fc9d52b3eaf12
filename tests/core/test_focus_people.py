"""What a set means for people: each KSF's part of the gain, and what a team of beginners can carry."""

from itertools import permutations

import numpy as np
import pytest

from kpi_core.focus import Effects, choose
from kpi_core.focus import contributions as parts
from kpi_core.focus.contributions import contributions
from kpi_core.focus.overload import overloads, usual
from workbench import samples

SAMPLE = samples.sample_plan()
TEAMS = ("marketing", "inside_sales", "field_sales")
AMPLE = SAMPLE.replace(
    {f"teams.{team}.hours": None for team in TEAMS}
    | {f"teams.{team}.max_ksfs": None for team in TEAMS}
    | {f"teams.{team}.skill": 4 for team in TEAMS}
    | {"limits.budget": None}
)


@pytest.mark.parametrize("objective", ["average", "year", "run_rate"])
@pytest.mark.parametrize("plan", [SAMPLE, AMPLE], ids=["six", "twelve"])
def test_the_parts_sum_to_the_gain(plan, objective):
    found = choose(plan, objective=objective)

    split = contributions(found)

    assert tuple(split) == found.chosen
    assert sum(split.values()) == pytest.approx(found.gain, rel=1e-9)


def test_each_part_is_the_mean_over_all_orders_of_coming_in():
    """Brute force: 4! orders of four KSFs, one at a time."""
    found = choose(SAMPLE, rule_out=("M1", "M2", "M3", "M4"))
    effects = Effects(SAMPLE, "average")
    orders = list(permutations(found.chosen))
    added = dict.fromkeys(found.chosen, 0.0)

    for order in orders:
        rows = np.array([[float(ksf in order[:count]) for ksf in effects.ksfs] for count in range(len(order) + 1)])
        for ksf, more in zip(order, np.diff(effects.kgi(rows)), strict=True):
            added[ksf] += float(more) / len(orders)

    assert contributions(found) == pytest.approx(added, rel=1e-9)


def test_with_many_ksfs_the_split_stays_close_to_the_exact_one(monkeypatch):
    found = choose(SAMPLE)
    exact = contributions(found)

    monkeypatch.setattr(parts, "_ALL_ORDERS", 2)
    near = contributions(found)

    assert near == pytest.approx(exact, rel=0.02)
    assert sum(near.values()) == pytest.approx(found.gain, rel=1e-9)


def test_nothing_chosen_contributes_nothing():
    assert contributions(choose(SAMPLE.replace({f"teams.{team}.max_ksfs": 0 for team in TEAMS}))) == {}


def test_beginners_usually_take_two_and_specialists_four():
    """Domain S0.30: skill 2 → 2, 3 → 3, 4 and above → 4."""
    numbers = [usual(SAMPLE.replace({"teams.marketing.skill": skill}), "marketing") for skill in (1, 2, 3, 4, 5)]

    assert numbers == [2, 2, 3, 4, 4]


def test_a_team_of_beginners_is_overloaded_by_a_fourth_ksf_or_by_leave_to_take_it():
    four = SAMPLE.replace(
        {"teams.marketing.max_ksfs": None, "teams.marketing.hours": None, "limits.budget": None}
        | {"limits.lock": ["M1", "M2", "M3", "M4"]}
    )
    allowed = SAMPLE.replace({"teams.marketing.max_ksfs": 4})

    (taken,), (may,) = overloads(choose(four)), overloads(choose(allowed))

    assert (taken.team, taken.count, taken.chosen) == ("marketing", 4, True)
    assert (may.team, may.count, may.chosen) == ("marketing", 4, False)
    assert overloads(choose(SAMPLE)) == ()
    assert overloads(choose(four.replace({"teams.marketing.skill": 3}))) == ()
