"""Which factor reaches the target, whatever the formula: against a fine grid, and by hand."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kpi_core.crossing import is_line
from kpi_core.errors import KpiError
from kpi_core.formula import parse
from kpi_core.intervals import RULES, between
from kpi_core.pacing import equal_lift, profile, underway, volume, with_volume
from kpi_core.plan import Plan
from kpi_core.readings import VALUE, tape
from kpi_core.readings import value as value_of
from kpi_core.timeline import run

NAMES = ("a", "b", "c")


def plan_of(formulas, inputs, target, **more):
    """Return a plan of a year whose KGI is the last formula; inputs are numbers, or rates below 1 by their dict."""
    metrics = {}
    for name, value in inputs.items():
        entry = value if isinstance(value, dict) else {"value": float(value)}
        metrics[name] = {"name": {"en": name}, "kind": "money", **entry}
    for name, formula in formulas.items():
        entry = formula if isinstance(formula, dict) else {"formula": formula}
        metrics[name] = {"name": {"en": name}, "kind": "kgi" if name == "kgi" else "money", **entry}
    return Plan.from_data(
        {
            "schema": 1,
            "name": {"en": "small"},
            "fiscal_year": {"starts": "2026-04"},
            "kgi": {"metric": "kgi", "target": float(target)},
            "teams": {},
            "metrics": metrics,
            **more,
        }
    )


RATE = {"kind": "rate", "unit": "%", "value": 0.5}


def test_a_room_that_binds_is_said_and_no_factor():
    """min(v · 50 %, 120) never is 150, though a line through its first points says 3.0."""
    plan = plan_of({"kgi": "min(v * r, room)"}, {"v": 100, "r": RATE, "room": 120}, 150)

    found = volume(plan, ["v"])

    assert (found.factor, found.limit, found.reachable) == (None, "unreachable", False)
    assert with_volume(plan, found).kgi == pytest.approx(50)


def test_below_the_room_the_factor_is_the_lines():
    plan = plan_of({"kgi": "min(v * r, room)"}, {"v": 100, "r": RATE, "room": 120}, 110)

    assert volume(plan, ["v"]).factor == pytest.approx(2.2, rel=1e-12)
    assert volume(plan, ["v"]).limit is None
    assert volume(plan, ["v"]).plain is None  # a division is right by luck only


def test_of_what_is_better_the_less_there_is_the_factor_is_below_1():
    """New customers/churn: 100/.1 = 1,000; 2,000 with half the churn."""
    plan = plan_of({"kgi": "n / churn"}, {"n": 100, "churn": {**RATE, "value": 0.1}}, 2_000)

    found = volume(plan, ["churn"])

    assert found.factor == pytest.approx(0.5, rel=1e-9)
    assert (found.past, found.limit) == (None, None)
    assert with_volume(plan, found).kgi == pytest.approx(2_000, rel=1e-9)


def test_a_factor_below_the_levers_range_is_found_and_doubted():
    plan = plan_of({"kgi": "n / churn"}, {"n": 100, "churn": {**RATE, "value": 0.1, "low": 0.08}}, 2_000)

    assert volume(plan, ["churn"]).limit == "plausible"


@pytest.mark.parametrize(
    ("formula", "target", "factor", "limit"),
    [
        ("100 - a", 95, 0.5, None),
        ("if(a > 14, 20, 5)", 20, 1.4, None),
        ("max(a, 12)", 11, None, "already"),
        ("max(a, 12)", 24, 2.4, None),
        ("1 / (20 - a)", 1, 1.9, None),
        ("1 / (a - 20)", 1, None, "unreachable"),
        ("1 / (a - 20) + a - 10", 25, None, "unreachable"),
        ("1 / (a - 5) + 1", 2, 0.6, None),
        ("a * (30 - a)", 225.001, None, "unreachable"),
        ("(a - 5) * (a - 12)", 7, 1.2807764064044151, None),
        ("(a - 5) * (a - 12)", 27, 0.3, None),
        ("a * 0", 1, None, "unreachable"),
        ("a - a + 1", 2, None, "unreachable"),
        ("a + 1", 0.5, None, "already"),
        ("a + 1", 1.5, 0.05, "already"),
        ("100 - a", 80, 2.0, "already"),
        ("min(a, 8)", 4, 0.4, "already"),
        ("a ^ 0.5 * 10", 100, 10.0, None),
    ],
)
def test_the_factor_of_a_is_the_one_by_hand(formula, target, factor, limit):
    """For a = 10. (a − 5)(a − 12) = 7 at (17 ± √77)/2, = 27 at (17 ± √157)/2; a pole ends the search."""
    hand = {"(a - 5) * (a - 12)": {7: (17 + math.sqrt(77)) / 20, 27: (17 + math.sqrt(157)) / 20}}
    factor = hand.get(formula, {}).get(target, factor)
    found = volume(plan_of({"kgi": formula}, {"a": 10}, target), ["a"])

    assert found.limit == limit
    assert found.factor == (None if factor is None else pytest.approx(factor, rel=1e-7, abs=1e-9))


def test_a_target_that_is_just_touched_is_reached():
    """a(30 − a) is 225 at 15, and nowhere else."""
    plan = plan_of({"kgi": "a * (30 - a)"}, {"a": 10}, 225)

    assert volume(plan, ["a"]).factor == pytest.approx(1.5, abs=1e-4)
    assert with_volume(plan, volume(plan, ["a"])).kgi == pytest.approx(225, rel=1.01e-9)


def test_a_rate_that_would_pass_100_percent_is_told_from_a_room_that_binds():
    rates = {"v": 100, "r": RATE, "room": 40}

    beyond = volume(plan_of({"kgi": "v * r"}, rates, 150), ["r"])
    bound = volume(plan_of({"kgi": "min(v * r, room)"}, rates, 150), ["r"])
    computed = volume(
        plan_of({"s": {"formula": "v / 200", "kind": "rate", "unit": "%"}, "kgi": "s * 100"}, {"v": 100}, 150), ["v"]
    )

    assert (beyond.limit, beyond.factor) == ("natural", None)
    assert (bound.limit, bound.factor) == ("unreachable", None)
    assert (computed.limit, computed.factor) == ("natural", None)


def test_of_nothing_there_is_no_multiple():
    assert volume(plan_of({"kgi": "a * 3"}, {"a": 0}, 10), ["a"]).limit == "zero"


def test_too_late_is_what_arrives_after_the_year_and_nothing_else():
    """A floor that hides a lever is no lead time; a step of two months is, from February on."""
    floor = plan_of({"kgi": "max(a, 12)"}, {"a": 1}, 13)
    slow = plan_of({"kgi": {"formula": "a * 2", "lag": [0.0, 0.0, 1.0]}}, {"a": 12}, 30)

    assert volume(floor, ["a"], start=12).limit is None
    assert volume(floor, ["a"], start=12).factor == pytest.approx(24, rel=1e-9)  # (11 · 12 + 24)/12 = 13
    assert volume(slow, ["a"], start=10).limit is None
    assert volume(slow, ["a"], start=11).limit == "too_late"


def test_even_months_are_refused_where_the_kgi_is_no_line():
    plan = plan_of({"kgi": "min(v * r, room)"}, {"v": 100, "r": RATE, "room": 120}, 110)

    with pytest.raises(KpiError) as refused:
        profile(plan, "v")

    assert (refused.value.code, refused.value.facts["lever"]) == ("not_a_line", "v")


def test_a_plain_division_is_only_said_of_what_is_proportional():
    assert volume(plan_of({"kgi": "a * b"}, {"a": 3, "b": 2}, 12), ["a"]).plain == pytest.approx(2)
    assert volume(plan_of({"kgi": "a * b + 1"}, {"a": 3, "b": 2}, 12), ["a"]).plain is None
    assert volume(plan_of({"kgi": "max(a, b)"}, {"a": 3, "b": 2}, 12), ["a"]).plain is None


@st.composite
def formulas(draw, depth=3):
    """Return any formula of a, b and c: sums, products, fractions, min, max and if."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from([*NAMES, *NAMES, "2", "5", "0.5"]))
    left, right = draw(formulas(depth=depth - 1)), draw(formulas(depth=depth - 1))
    kind = draw(st.sampled_from("+-*/+-*/mMi"))
    if kind in "+-*/":
        return f"({left} {kind} {right})"
    if kind == "i":
        sign, first = draw(st.sampled_from(["<", ">", "<=", ">="])), draw(formulas(depth=0))
        return f"if({first} {sign} {left}, {right}, {draw(formulas(depth=0))})"
    return f"{'min' if kind == 'm' else 'max'}({left}, {right})"


GRID = np.unique(np.concatenate([np.linspace(0, 4, 1_601), np.geomspace(1e-3, 1e3, 1_201)]))


def on_grid(formula, inputs, start):
    """Return the KGI of a year for each factor of a in the grid from month `start` on, NaN where it has none."""
    with np.errstate(all="ignore"):
        at = {name: np.full(len(GRID), value) for name, value in inputs.items()} | {"a": inputs["a"] * GRID}
        moved = np.broadcast_to(value_of(parse(formula), at), GRID.shape)
        still = value_of(parse(formula), {name: np.float64(value) for name, value in inputs.items()})
        return (moved * (13 - start) + still * (start - 1)) / 12


def before_poles(formula, inputs):
    """Return which factors of the grid are reached from 1 without passing a place where something is divided by 0."""
    at = {name: np.full(len(GRID), value) for name, value in inputs.items()} | {"a": inputs["a"] * GRID}
    with np.errstate(all="ignore"):
        steps = tape(parse(formula), at)
    divisors = [np.broadcast_to(args[1], GRID.shape) for step, args, _ in steps if step.op == "/"]
    poles = np.zeros(len(GRID) - 1, dtype=bool)  # between each two neighbours
    for by in divisors:
        poles |= ~(np.sign(by[1:]) * np.sign(by[:-1]) > 0)
    start = int(np.searchsorted(GRID, 1.0))
    passed = np.concatenate([np.cumsum(poles[:start][::-1])[::-1], [0], np.cumsum(poles[start:])])
    return passed == 0


SMALL = st.integers(-8, 30).map(lambda number: number / 4)


@given(formulas(), st.fixed_dictionaries(dict.fromkeys(NAMES, SMALL)), st.sampled_from([1, 7, 12]), st.data())
def test_no_factor_of_a_fine_grid_is_nearer(formula, inputs, start, data):
    """What is returned reaches the target, and no point of the grid is nearer; what is refused, none reaches."""
    known = on_grid(formula, inputs, start)
    fine = known[np.isfinite(known) & (known > 0)]
    assume("a" in formula.replace("max", ""))
    target = data.draw(st.sampled_from(fine.tolist() or [1.0]) | st.floats(0.1, 100)) + data.draw(
        st.sampled_from([0, 0.01])
    )
    agrees_with_the_grid(formula, inputs, start, target, known)


@pytest.mark.parametrize("target", [36.97, 0.5])
def test_no_factor_is_looked_for_beyond_a_pole(target):
    """Met while exploring: a/(a − 2) reaches any number just beyond a = 2, where it has come through infinity."""
    inputs = {"a": 0.25, "b": 0.0, "c": 0.0}

    agrees_with_the_grid("a / (a - 2)", inputs, 1, target, on_grid("a / (a - 2)", inputs, 1))
    assert volume(plan_of({"kgi": "a / (a - 2)"}, inputs, target), ["a"]).limit == "unreachable"


def agrees_with_the_grid(formula, inputs, start, target, known):
    """Hold what `volume` says of a against the grid."""
    size = 1e-9 * target
    try:
        plan = plan_of({"kgi": formula}, inputs, target)
    except KpiError:  # no value as it is
        return
    found = volume(plan, ["a"], start=start)

    # The grid may meet a single point (a = b): what it knows must hold beside it as well.
    reaches = (known >= target + 2 * size + 1e-12) & np.isfinite(known)
    nearby = reaches & (np.roll(reaches, 1) | np.roll(reaches, -1)) & before_poles(formula, inputs)
    with np.errstate(divide="ignore"):
        far = np.abs(np.log(GRID))
    if found.limit == "already":
        assert found.base >= target - size
    elif found.factor is None:
        assert not nearby.any()
    else:
        brought = run(plan, times={"a": np.where(np.arange(1, 13) >= start, found.factor, 1.0)}).kgi
        assert brought >= target - size - 1e-12
        assert found.base < target
        assert not (nearby & (far < abs(math.log(found.factor)) * (1 - 1e-6) - 1e-6 if found.factor else nearby)).any()


@given(formulas(), st.fixed_dictionaries({name: st.tuples(SMALL, SMALL).map(sorted) for name in NAMES}))
@example("(a / b)", {"a": [1.0, 1.0], "b": [0.0, 2.0], "c": [0.0, 0.0]})
def test_an_interval_holds_every_value_between(formula, spans):
    shares = np.linspace(0, 1, 9)
    at = [spans[name][0] + (spans[name][1] - spans[name][0]) * shares for name in NAMES]
    mixed = dict(zip(NAMES, np.meshgrid(*at), strict=True))
    with np.errstate(all="ignore"):
        true = np.broadcast_to(value_of(parse(formula), mixed), (9, 9, 9))
        held = {name: (np.float64(low), np.float64(high)) for name, (low, high) in spans.items()}
        low, high = between(parse(formula), held)
    fine = true[np.isfinite(true)]

    assert (low <= fine + 1e-9 * (1 + np.abs(fine))).all()
    assert (fine <= high + 1e-9 * (1 + np.abs(fine))).all()


def test_every_operator_has_its_interval():
    assert set(RULES) == set(VALUE)


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        ("a * b + c", True), ("(a + b) / c", True), ("-a * 3 - b", True), ("sum(a, b, 4)", True), ("b * c", True),
        ("a * a", False), ("c / a", False), ("min(a, b)", False), ("max(b, c) * a", True), ("if(a > 1, a, b)", False),
        ("a ^ 1", False), ("if(b > 1, a, a)", False), ("a - a", True),
    ],
)  # fmt: skip
def test_what_is_a_line_is_told_by_its_formula(formula, line):
    assert is_line(plan_of({"kgi": formula}, {"a": 1, "b": 2, "c": 3}, 1).tree, ["a"], "kgi") is line


@given(st.lists(st.floats(0.05, 0.95), min_size=2, max_size=4), st.floats(1.01, 1.5), st.integers(1, 10))
def test_one_lift_of_several_rates_reaches_the_goal_to_its_last_digits(rates, times, start):
    """With a step that takes two months: no line in the factor."""
    inputs = {"v": 1200, **{f"r{at}": {**RATE, "value": rate} for at, rate in enumerate(rates)}}
    steps = {"s": {"formula": "v * r0", "lag": [0.25, 0.25, 0.5]}, "kgi": " * ".join(["s", *list(inputs)[2:]])}
    now = 1200 * math.prod(rates)
    plan = plan_of(steps, inputs, now * times)

    found = equal_lift(plan, start=start)

    if found.factor is None:
        assert found.limit == "natural"
        most = run(plan, times={f"r{at}": _from(start, 1 / max(rates)) for at in range(len(rates))}).kgi
        assert most < now * times
    else:
        assert with_volume(plan, found).kgi == pytest.approx(now * times, rel=1e-9)
        less = run(plan, times={f"r{at}": _from(start, found.factor * 0.999) for at in range(len(rates))}).kgi
        assert less < now * times


def _from(start, factor):
    return np.where(np.arange(1, 13) >= start, factor, 1.0)


def test_even_months_of_what_is_better_the_less_there_is_reach_the_goal():
    plan = plan_of({"kgi": "100 - cost"}, {"cost": {"value": 240.0, "kind": "money", "unit": "円"}}, 40)

    found = profile(plan, "cost")

    assert found.kgi.sum() == pytest.approx(40, rel=1e-6)
    assert found.needed == pytest.approx(np.full(12, 5.0), rel=1e-6)
    assert run(plan, times={"cost": found.needed / found.planned}).kgi == pytest.approx(40, rel=1e-6)


def test_what_a_cost_leaves_is_not_under_way():
    plan = plan_of({"kgi": "100 - cost"}, {"cost": 30}, 80)

    assert underway(plan, volume(plan, ["cost"])) is None
