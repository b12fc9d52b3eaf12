"""What one more is worth, the frontier, and how a choice holds up. Figures of the reference: domain §3.5."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from kpi_core.errors import KpiError
from kpi_core.focus import FocusLimits, choose, first_review
from kpi_core.focus.prices import frontier, prices
from kpi_core.focus.robustness import robustness, steps
from kpi_core.plan import Plan

ROOT = Path(__file__).parents[2]
SAMPLE = Plan.from_text((ROOT / "sample_data/sample_plan.yaml").read_text(encoding="utf-8"))
TIGHT = SAMPLE.replace({"limits.budget": 9_000_000})


@pytest.mark.parametrize("objective", ["average", "year"])
def test_every_price_is_what_choosing_again_brings(objective):
    """Budget ¥9M leaves M1 out (T-K4); ¥500k, a day, a place or a level more, each chosen again by itself."""
    found = choose(TIGHT, objective=objective)

    for price in prices(found):
        kind, _, team = price.resource.partition(".")
        limits, plan = FocusLimits.of(TIGHT), TIGHT
        if kind == "budget":
            limits = replace(limits, budget=limits.budget + price.step)
        elif kind == "hours":
            limits = replace(limits, hours={**limits.hours, team: limits.hours[team] + 8})
        elif kind == "ksfs":
            limits = replace(limits, max_ksfs={**limits.max_ksfs, team: limits.max_ksfs[team] + 1})
        else:
            plan = TIGHT.replace({f"teams.{team}.skill": 3})
        again = choose(plan, limits, objective=objective)
        assert price.gain == pytest.approx(again.kgi - found.kgi, abs=1e-3)
        assert price.chosen == again.chosen


def test_the_dearest_comes_first():
    gains = [price.gain for price in prices(choose(TIGHT))]

    assert gains == sorted(gains, reverse=True)


def test_what_is_not_limited_has_no_price():
    free = SAMPLE.replace({"limits.budget": None, "teams.marketing.hours": None, "teams.marketing.skill": 5})

    named = {price.resource for price in prices(choose(free))}

    assert "budget" not in named
    assert "hours.marketing" not in named
    assert "skill.marketing" not in named


def test_the_frontier_is_the_best_choice_at_every_budget():
    """Chosen again just at, and a yen before, each step."""
    found = choose(SAMPLE)

    steps_ = frontier(found, "budget")

    assert steps_[0].amount == 0
    assert steps_[-1].kgi == pytest.approx(found.kgi)
    assert steps_[-1].amount == 14_700_000
    for before, step in pairwise(steps_):
        at = choose(SAMPLE.replace({"limits.budget": step.amount}))
        short = choose(SAMPLE.replace({"limits.budget": step.amount - 1}))
        assert (at.kgi, short.kgi) == (pytest.approx(step.kgi), pytest.approx(before.kgi))


def test_knees_are_the_corners_of_the_upper_hull():
    """By brute force: a point is a knee if no mixture of two others at its amount brings more."""
    points = [(step.amount, step.kgi) for step in frontier(choose(SAMPLE), "budget")]
    knees = [step.knee for step in frontier(choose(SAMPLE), "budget")]

    for at, (x, y) in enumerate(points):
        mixed = [
            ya + (yb - ya) * (x - xa) / (xb - xa) for xa, ya in points[:at] for xb, yb in points[at + 1 :] if xb > xa
        ]
        assert knees[at] == (not mixed or y > max(mixed) + 1e-6)


def test_hours_have_a_frontier_too_and_what_is_no_resource_has_none():
    found = choose(SAMPLE)

    hours = frontier(found, "hours.marketing")

    assert hours[-1].kgi >= found.kgi
    assert [step.kgi for step in hours] == sorted(step.kgi for step in hours)
    with pytest.raises(KpiError) as refused:
        frontier(found, "coffee")
    assert refused.value.code == "no_such_limit"


@pytest.mark.parametrize(
    ("error", "same", "marketing"), [(0.2, 0.997, 0.997), (0.3, 0.967, 0.969), (0.5, 0.741, 0.801)]
)
def test_the_six_hold_up_as_the_reference_says(error, same, marketing):
    """§3.5: exact set 99.7/96.7/74.1 % of N = 1,500; within four of its standard errors and ours."""
    found = choose(SAMPLE, exactly=2)

    seen = robustness(found, futures=2**9, error=error)

    slack = 4 * np.sqrt(same * (1 - same) * (1 / 1_500 + 1 / 2**9)) + 0.01
    assert seen.same == pytest.approx(same, abs=slack)
    pair = min(seen.share["M1"], seen.share["M2"])
    assert pair >= marketing - slack


def test_regret_is_small_where_effects_err_by_thirty_percent():
    """§3.5: mean regret .01 % of the KGI, nothing at the 95 % point."""
    seen = robustness(choose(SAMPLE), futures=2**9, error=0.3)

    assert seen.mean_regret / 864e6 < 5e-4
    assert seen.regret == 0
    assert seen.toss_ups(("F1", "F3", "I1", "I2", "M1", "M2")) == ()


def test_without_error_or_play_today_is_best_in_every_future():
    """All constants at their defaults' middle only shift every set alike: nothing to learn, nothing to regret."""
    seen = robustness(choose(SAMPLE), futures=2**6, error=1e-9)

    assert seen.share["F1"] == 1
    assert max(seen.learning.values()) <= 1e-3 * 864e6


def test_what_is_known_grows_and_the_last_is_the_whole():
    found = choose(SAMPLE)

    seen = list(steps(found, futures=2**6, each=16))

    assert [one.futures for one in seen] == [16, 32, 48, 64]
    assert seen[-1].share == robustness(found, futures=2**6).share


def test_a_lock_stays_in_every_future():
    found = choose(SAMPLE, lock=["F2"])

    assert robustness(found, futures=2**4).share["F2"] == 1


def test_the_first_review_of_a_single_move_is_full_month_plus_median_lag():
    """M3 moves アポ率 alone, full in month 8; appointments come .6 in the same month: 8 + 0."""
    assert first_review(SAMPLE, "M3") == 8
    slow = SAMPLE.replace({"metrics.appointments.lag": [0.2, 0.2, 0.6]})
    assert first_review(slow, "M3") == 10


def test_a_ksf_that_is_none_cannot_be_reviewed():
    with pytest.raises(KpiError) as refused:
        first_review(SAMPLE, "Z9")

    assert refused.value.code == "unknown_ksf"
