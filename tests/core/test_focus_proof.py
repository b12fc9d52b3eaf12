"""Branch and bound against looking at every set: same best sets, same numbers, a proof or an honest gap."""

from time import sleep

import numpy as np
import pytest

from kpi_core.errors import KpiError
from kpi_core.focus import FocusLimits, boxes, choose, choosing, knapsack
from kpi_core.focus.channels import Channels, channels
from kpi_core.focus.effects import Effects
from kpi_core.focus.roof import Roof
from kpi_core.focus.search import feasible
from tests.bench.focus_plans import plan_of


@pytest.fixture
def searched(monkeypatch):
    """Search however few sets there are."""
    monkeypatch.setattr(choosing, "FEW", 0)


def _with_wishes(random, plan):
    """Add what makes a search harder: caps within reach, exclusions, a quarter, costs, a lock, one ruled out."""
    ksfs = list(plan.ksfs)
    one, other, third, fourth = random.permutation(ksfs)[:4]
    changes = {f"ksfs.{one}.excludes": [other], "limits.rule_out": [third]}
    if random.random() < 0.5:
        changes["limits.lock"] = [fourth]
    if random.random() < 0.5:
        changes["assumptions.rate_cap"] = float(random.uniform(0.01, 0.7))
    if random.random() < 0.5:
        changes["teams.team_1.quarters"] = random.uniform(40, 200, 4).round().tolist()
    if random.random() < 0.3:
        formula = plan.metrics["revenue"].formula
        changes["metrics.revenue.formula"] = f"({formula}) - 2000 * visitors / 100"
    return plan.replace(changes)


@pytest.mark.parametrize("seed", range(60))
def test_searching_finds_what_looking_at_every_set_finds(seed, monkeypatch):
    random = np.random.default_rng(seed)
    plan = _with_wishes(random, plan_of(3, 5, channels=1 + seed % 3, seed=seed, per_team=2))
    try:
        listed = choose(plan, objective="run_rate")
    except KpiError as error:
        listed = error
    monkeypatch.setattr(choosing, "FEW", 0)

    if isinstance(listed, KpiError):
        with pytest.raises(KpiError) as caught:
            choose(plan, objective="run_rate")
        assert caught.value.code == listed.code
        return
    found = choose(plan, objective="run_rate")

    assert channels(Effects(plan, "run_rate")) is not None
    assert (found.chosen, found.proof.gap) == (listed.chosen, 0)
    assert found.kgi == pytest.approx(listed.kgi, rel=1e-12)
    assert [other.kgi for other in found.next_best] == pytest.approx(
        [other.kgi for other in listed.next_best], rel=1e-12
    )
    for ksf, why in listed.left_out.items():
        same = found.left_out[ksf]
        assert (same.code, same.replaces) == (why.code, why.replaces)
        assert same.loses == (None if why.loses is None else pytest.approx(why.loses, rel=1e-9, abs=1))


@pytest.mark.parametrize("seed", range(12))
def test_the_program_takes_over_where_too_much_lies_near_the_bound(seed, monkeypatch):
    plan = _with_wishes(np.random.default_rng(seed), plan_of(3, 6, channels=1, seed=seed, per_team=2))
    plan = plan.replace({"limits.lock": []})
    expected = choose(plan)
    monkeypatch.setattr(choosing, "FEW", 0)
    monkeypatch.setattr(boxes, "_STEPS", 3)
    monkeypatch.setattr(boxes, "_STEPS", 3)

    found = choose(plan)

    assert (found.chosen, found.proof.gap) == (expected.chosen, 0)
    assert [one.kgi for one in found.next_best] == pytest.approx([one.kgi for one in expected.next_best], rel=1e-9)


def test_boxes_are_halved_where_too_much_lies_near_the_bound(searched, monkeypatch):
    plan = plan_of(4, 12, channels=3, seed=2)
    expected = choose(plan)
    monkeypatch.setattr(boxes, "_STEPS", 300)
    monkeypatch.setattr(boxes, "_SMALL", 0.02)
    told = []

    found = choose(plan, watch=lambda best, bound: told.append((best, bound)) is None)

    assert len({bound for _, bound in told}) > 3
    assert all(best <= bound * (1 + 1e-9) for best, bound in told)
    assert (found.chosen, found.kgi, found.proof.gap) == (expected.chosen, expected.kgi, 0)


def test_a_search_that_is_stopped_keeps_the_best_so_far_and_tells_the_gap(searched, monkeypatch):
    plan = plan_of(4, 12, channels=3, seed=2)
    proven = choose(plan)
    monkeypatch.setattr(boxes, "_STEPS", 300)
    monkeypatch.setattr(boxes, "_SMALL", 0.02)

    stopped = choose(plan, watch=lambda _best, bound: bound == np.inf)

    assert 0 < stopped.proof.gap < 0.5
    assert stopped.kgi <= proven.kgi <= stopped.proof.bound
    assert all(left >= -1e-6 for left in stopped.slack.values())


def test_a_takeover_can_be_stopped(monkeypatch):
    """HiGHS goes on by itself until its time limit; nobody waits for it."""
    monkeypatch.setattr(knapsack._Program, "solved", lambda _self: sleep(5))
    problem = knapsack.Knapsack([np.array([0.0, 1.0])] * 2, [np.array([[0.0], [1.0]])] * 2, np.ones(1))
    asked = []

    taken = knapsack.taken_over(problem, 3, alive=lambda: asked.append(1) is not None)

    assert asked == [1]
    assert (len(taken.picks), taken.bound) == (0, np.inf)


def test_eight_teams_with_fifty_ksfs_each_are_proven():
    """10^34 sets: nothing is drawn, nothing is guessed; taking any one KSF away or swapping it is worse."""
    plan = plan_of(8, 50, channels=1, seed=0)

    found = choose(plan)

    assert found.proof.gap == 0
    assert found.proof.considered > 10**34
    assert all(left >= -1e-6 for left in found.slack.values())
    effects = Effects(plan, "average")
    inside = np.array([ksf in found.chosen for ksf in effects.ksfs])
    limits = FocusLimits.of(plan)
    swaps = [
        row
        for out in np.flatnonzero(inside)
        for into in np.flatnonzero(~inside)
        for row in [np.where(np.arange(len(inside)) == out, False, inside | (np.arange(len(inside)) == into))]
        if _keeps(plan, limits, row)
    ]
    assert len(swaps) > 20
    assert effects.kgi(np.array(swaps, dtype=float)).max() <= found.kgi * (1 + 1e-12)


def _keeps(plan, limits, row):
    chosen = [ksf for ksf, here in zip(plan.ksfs, row, strict=True) if here]
    per_team = {team: sum(plan.ksfs[ksf].team == team for ksf in chosen) for team in plan.teams}
    hours = {team: sum(plan.ksfs[ksf].hours.get(team, 0) for ksf in chosen) for team in plan.teams}
    return (
        sum(plan.ksfs[ksf].cost for ksf in chosen) <= limits.budget
        and all(per_team[team] <= most for team, most in limits.max_ksfs.items())
        and all(hours[team] <= most for team, most in limits.hours.items())
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_roof_lies_above_the_sum_everywhere_in_its_box(seed):
    random = np.random.default_rng(seed)
    products, metrics = int(random.integers(1, 5)), int(random.integers(1, 4))
    sums = Channels(
        metrics=tuple("abc"[:metrics]),
        weights=random.uniform(-0.3, 1, products),
        exponents=random.choice([-1.0, 0.0, 1.0, 2.0], (products, metrics)),
        caps=np.exp(random.uniform(0.05, 0.4, metrics)),
    )
    capped = list(range(metrics))
    low = random.uniform(-0.3, 0.1, products + metrics)
    high = low + random.uniform(0, 0.6, products + metrics)
    roof = Roof(sums, capped, low, high)
    x = random.uniform(low, high, (2_000, len(low)))

    inside = x[:, :products] + np.minimum(x[:, products:], np.log(sums.caps)) @ sums.exponents.T
    value = np.exp(inside) @ sums.weights

    if roof.hopeless:
        assert value.max() <= 1e-12
    else:
        over = np.exp(roof.height + x @ roof.slope)
        assert (over - value).min() >= -1e-12 * np.abs(value).max()


@pytest.mark.parametrize("seed", range(20))
def test_nothing_near_the_bound_is_missed(seed):
    random = np.random.default_rng(seed)
    groups = [int(random.integers(2, 7)) for _ in range(4)]
    problem = knapsack.Knapsack(
        [random.uniform(0, 1, count) for count in groups],
        [random.uniform(-0.1, 0.6, (count, 2)) for count in groups],
        np.ones(2),
    )
    seen = knapsack.relaxed(problem)
    gap = float(random.uniform(0.05, 0.8))
    every = np.array(list(np.ndindex(*groups)))
    uses = sum(use[every[:, at]] for at, use in enumerate(problem.uses))
    fits = (uses <= problem.room + 1e-9).all(axis=1)

    near = knapsack.near(problem, seen, gap, 10**6)

    wanted = every[fits & (problem.value(every) >= seen.bound - gap + 1e-9)]
    assert {tuple(row) for row in wanted.tolist()} <= {tuple(row) for row in near.tolist()}
    assert problem.value(every[fits]).max() <= seen.bound + 1e-9
    taken = knapsack.taken_over(problem, 3)
    assert problem.value(taken.picks) == pytest.approx(np.sort(problem.value(every[fits]))[::-1][:3], abs=1e-9)


def test_a_takeover_never_spends_a_yen_too_much(searched, monkeypatch):
    """Costs a yen or two apart: HiGHS alone would let the budget be broken by what it calls nothing."""
    random = np.random.default_rng(0)
    costs = iter((1_000_000.0 + random.integers(0, 3, 60)).tolist())
    plan = plan_of(5, 12, plain=True, per_team=2)
    plan = plan.replace(
        {f"ksfs.{ksf}.cost": next(costs) for ksf in plan.ksfs} | {"limits.budget": 10_000_000.0}
    ).replace({f"teams.{team}.hours": None for team in plan.teams})
    monkeypatch.setattr(boxes, "_STEPS", 3)
    monkeypatch.setattr(boxes, "_EXACT_STEPS", 3)

    found = choose(plan)

    assert found.used["budget"] <= 10_000_000


@pytest.mark.parametrize("objective", ["average", "year", "run_rate"])
def test_a_kgi_of_nothing_is_answered_with_nothing(objective, searched):
    plan = plan_of(2, 4, per_team=2).replace({"metrics.visitors.value": 0.0, "metrics.visitors.low": None})

    assert choose(plan, objective=objective).chosen == ()


def test_one_team_with_many_ksfs_of_which_few_fit_is_listed():
    plan = plan_of(1, 19, per_team=19)
    tight = plan.replace({"limits.budget": sum(sorted(ksf.cost for ksf in plan.ksfs.values())[:4])})

    assert choose(tight).proof.gap == 0


@pytest.mark.parametrize("objective", ["average", "year", "run_rate"])
def test_what_does_nothing_in_the_time_that_counts_is_not_chosen(objective):
    """Nothing is short, nobody is spread too thinly: taking any of the chosen KSFs away costs something."""
    plan = plan_of(5, 10, per_team=10).replace({"assumptions.dilution": 0.0})
    late = [ksf for at, ksf in enumerate(plan.ksfs) if at % 10 > 2]
    plan = plan.replace({f"ksfs.{ksf}.ramp": [13.0, 15.0] for ksf in late})

    found = choose(plan, FocusLimits(), objective=objective)

    assert min(found.brings.values()) > 1e-9 * found.kgi
    assert len(found.chosen) == 50 if objective == "run_rate" else 15 <= len(found.chosen) < 30
    for ksf in [one for one in late if one not in found.chosen][:3]:
        assert (found.left_out[ksf].code, found.left_out[ksf].loses) == ("slow_ramp", pytest.approx(0, abs=1e-3))


@pytest.mark.parametrize(
    "formula",
    [
        "min(wins, 103) * unit_price",
        "if(wins > 103, wins * unit_price, 0.9 * wins * unit_price)",
        "wins * unit_price / (1000000 + 5 * visitors)",
        "max(wins - 60, 0) * unit_price - 2000 * visitors / 100",
    ],
)
def test_any_tree_of_half_a_billion_sets_is_proven(formula):
    """By hand nobody could: no swap of one KSF for another, and none more, is better."""
    plan = plan_of(5, 10, channels=1, seed=0, per_team=2).replace({"metrics.revenue.formula": formula})

    found = choose(plan)

    assert channels(Effects(plan, "average")) is None
    assert (found.proof.gap, found.proof.listed) == (0, False)
    assert found.proof.considered > 10**8
    effects, limits = Effects(plan, "average"), FocusLimits.of(plan)
    inside = np.array([ksf in found.chosen for ksf in effects.ksfs])
    near = [
        row
        for out in [*np.flatnonzero(inside), -1]
        for into in np.flatnonzero(~inside)
        for row in [np.where(np.arange(len(inside)) == out, False, inside | (np.arange(len(inside)) == into))]
        if _keeps(plan, limits, row)
    ]
    assert len(near) > 20
    assert effects.kgi(np.array(near, dtype=float)).max() <= found.kgi * (1 + 1e-12)


def test_a_fraction_through_zero_is_answered_as_looking_at_every_set_answers_it(searched):
    """A set may take the lower part past 0, to either side of infinity: the best is what looking at each finds."""
    plan = plan_of(3, 6, per_team=2).replace({"metrics.revenue.formula": "wins / (visitors / 400000 - 1.02)"})
    effects, sets = Effects(plan, "average"), feasible(Effects(plan, "average"), FocusLimits.of(plan))

    found = choose(plan)

    assert found.kgi == pytest.approx(effects.kgi(sets.chosen(np.arange(len(sets))).astype(float)).max(), rel=1e-12)
    assert found.proof.evaluated <= len(sets)
