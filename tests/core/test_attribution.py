"""The split of a change against hand arithmetic, and against sums over many small steps written for these tests."""

import random
from dataclasses import dataclass

import numpy as np
import pytest

from kpi_core.attribution import explain_change
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.tree import Tree, evaluate, slopes

# By hand


@pytest.mark.parametrize(
    ("formula", "before", "after", "shares"),
    [
        ("min(a, 12)", {"a": 10}, {"a": 20}, {"a": 2}),
        ("max(a, 12)", {"a": 10}, {"a": 20}, {"a": 8}),
        ("if(a > 15, 2 * a, a)", {"a": 10}, {"a": 20}, {"a": 30}),
        ("if(a > 10, 2 * a, a)", {"a": 10}, {"a": 20}, {"a": 30}),  # the jump is the first thing
        ("if(a >= 20, 2 * a, a)", {"a": 10}, {"a": 20}, {"a": 30}),  # and the last
        ("if(a = 20, 100, a)", {"a": 10}, {"a": 20}, {"a": 90}),
        ("if(a - 10, 100, 7)", {"a": 10}, {"a": 20}, {"a": 93}),
        ("if(0 < a < 15, a, b)", {"a": -2, "b": 7}, {"a": 18, "b": 7}, {"a": 0}),
        # at 15 the fee jumps by 15 × 2.5; before 10·∫(2 + t), behind 20·∫(2 + t)
        ("if(a > 15, 2 * a, a) * b", {"a": 10, "b": 2}, {"a": 20, "b": 3}, {"a": 11.25 + 37.5 + 27.5, "b": 23.75}),
        # a runs up by 10 and b away by 2: of the 8 by which the gap closes a has 10 and b −2
        ("if(a > b, 100, 0)", {"a": 10, "b": 12}, {"a": 20, "b": 14}, {"a": 125, "b": -25}),
        # together at the same moment: neither comes first
        ("10 * (a > 15) * (b > 15)", {"a": 10, "b": 10}, {"a": 20, "b": 20}, {"a": 5, "b": 5}),
        (
            "9 * (a > 15) * (b > 7.5) * (c > 30)",
            {"a": 10, "b": 5, "c": 20},
            {"a": 20, "b": 10, "c": 40},
            {"a": 3, "b": 3, "c": 3},
        ),
        ("100 * (a > 15) + (b > 15)", {"a": 10, "b": 10}, {"a": 20, "b": 20}, {"a": 100, "b": 1}),
        # what flips the outer condition is a, through the inner one
        ("if(if(a > 15, 1, 0) + b > 1.5, 100, 7)", {"a": 10, "b": 0.9}, {"a": 20, "b": 1}, {"a": 93, "b": 0}),
        # a tie on all of the way: both hold it up
        ("min(a, b)", {"a": 10, "b": 10}, {"a": 20, "b": 20}, {"a": 5, "b": 5}),
        ("min(a, b)", {"a": 10, "b": 20}, {"a": 20, "b": 10}, {"a": 5, "b": -5}),
        # b/b is 1 wherever it is anything at all
        ("a * b / b", {"a": 2, "b": -4}, {"a": 3, "b": 5}, {"a": 1, "b": 0}),
        # ∫ (t/4·4)^.5 by parts: √(4t) · (1 + t), a has 2∫√… : 8/3 and 4/3
        ("a ^ 0.5 * b", {"a": 0, "b": 1}, {"a": 4, "b": 2}, {"a": 8 / 3, "b": 4 / 3}),
        ("(a - 5) ^ 0.5 * b", {"a": 5, "b": 1}, {"a": 9, "b": 2}, {"a": 8 / 3, "b": 4 / 3}),
        (
            "if(count = 0, 0, total / count * x)",
            {"count": 0, "total": 5, "x": 2},
            {"count": 0, "total": 5, "x": 3},
            {"x": 0},
        ),
    ],
)
def test_corners_and_jumps_by_hand(formula, before, after, shares):
    tree = Tree.of(kgi=formula, **before)

    found = explain_change(tree, "kgi", {}, after)

    moved = {name for name in before if before[name] != after[name]}
    assert found == pytest.approx({name: shares.get(name, 0) for name in moved}, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(
    ("formula", "before", "after"),
    [
        ("1 / (a - 15)", {"a": 10}, {"a": 20}),
        ("b / (a - 15.1)", {"a": 10, "b": 1}, {"a": 20, "b": 3}),
        ("1 / (a - 15.123) ^ 2 + b", {"a": 10, "b": 1}, {"a": 20, "b": 2}),  # up on both sides: no sign tells it
        ("max(3, 1 / (a - 15.1))", {"a": 10}, {"a": 20}),
        ("if(count = 0, 0, total / count)", {"count": 0, "total": 5}, {"count": 3, "total": 5}),
        ("if(a > 15, 1 / (a - 15), a)", {"a": 10}, {"a": 20}),
        ("a * 0.1 * 10 > a", {"a": 2}, {"a": 8.1}),  # true and untrue by rounding alone, from one number to the next
    ],
)
def test_a_way_through_infinity_is_refused(formula, before, after):
    with pytest.raises(KpiError) as caught:
        explain_change(Tree.of(kgi=formula, **before), "kgi", {}, after)

    assert (caught.value.code, caught.value.facts["metric"]) == ("no_split", "kgi")


def test_before_or_after_without_a_value_is_an_error_of_the_tree():
    with pytest.raises(KpiError) as caught:
        explain_change(Tree.of(kgi="b / a", a=1, b=2), "kgi", {}, {"a": 0})

    assert caught.value.code == "division_by_zero"


def test_a_rate_that_only_passes_a_hundred_percent_on_the_way_is_split_all_the_same():
    """0.5 · 1.8 and 1.8 · 0.5 are 90 %; half-way it is 132 %. Each brings as much as the other takes."""
    data = {
        "schema": 1,
        "name": "t",
        "fiscal_year": {"starts": "2026-04"},
        "kgi": {"metric": "kgi", "target": 1},
        "teams": {"t": {"name": "t"}},
        "metrics": {
            "kgi": {"name": "kgi", "kind": "rate", "unit": "%", "formula": "a * b"},
            "a": {"name": "a", "kind": "count", "value": 0.5},
            "b": {"name": "b", "kind": "count", "value": 1.8},
        },
    }

    shares = explain_change(Plan.from_data(data).tree, "kgi", {}, {"a": 1.8, "b": 0.5})

    assert shares == pytest.approx({"a": 1.3 * 1.15, "b": -1.3 * 1.15})


def test_a_branch_that_is_not_taken_has_no_say_in_a_slope():
    """total/count is infinite there, and 0 × ∞ is no number."""
    tree = Tree.of(kgi="if(count = 0, 0, total / count * x)", count=0, total=5, x=2)

    assert {name: float(slope) for name, slope in slopes(tree, "kgi").items()} == {
        "kgi": 1,
        "count": 0,
        "total": 0,
        "x": 0,
    }


# Random trees: sums over many small steps


@dataclass
class Part:
    """A random formula that is spelt for the app and worked out here by other means."""

    op: str
    parts: tuple["Part", ...] = ()
    text: str = ""

    def spelt(self) -> str:
        if not self.parts:
            return self.text
        parts = [part.spelt() for part in self.parts]
        if self.op == "if":
            return f"if({parts[0]} > {parts[1]}, {parts[2]}, {parts[3]})"
        return f"{self.op}({parts[0]}, {parts[1]})" if self.op in ("min", "max") else f"({f' {self.op} '.join(parts)})"

    def at(self, x: dict[str, np.ndarray], gaps: dict[int, np.ndarray], held: dict[int, np.ndarray] | None = None):
        """Return the value; note what decides each condition and each divisor, or hold the conditions as given."""
        if not self.parts:
            return x[self.text] if self.text in x else float(self.text)
        first, second, *branches = [part.at(x, gaps, held) for part in self.parts]
        if self.op == "if":
            gaps[id(self)] = first - second + np.zeros(len(x["a"]))
            return np.where(gaps[id(self)] > 0 if held is None else held[id(self)], *branches)
        if self.op == "/":
            gaps[-id(self)] = second + np.zeros(len(x["a"]))
        known = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "min": np.minimum, "max": np.maximum}
        return known[self.op](first, second)


def random_part(seed: random.Random, depth: int = 0) -> Part:
    if depth == 3 or (depth and seed.random() < 0.3):
        leaf = seed.choice("abc") if seed.random() < 0.8 else f"{seed.uniform(1, 20):.2f}"
        return Part("leaf", text=leaf)
    op = seed.choice(["+", "+", "-", "*", "*", "/", "min", "max", "if"])
    return Part(op, tuple(random_part(seed, depth + 1) for _ in range(4 if op == "if" else 2)))


STEPS = 40_000


def small_steps(part: Part, before: dict[str, float], after: dict[str, float]):
    """Return each lever's share as a sum over small steps (None where it is not that simple), the KGI on the way,
    and whether it divides by 0 there.

    Between two points each lever moves alone, from the first and back from the second, conditions held still.
    Where a condition switches, what is left of the step's change goes to the levers as they move what decides it.
    """
    at = np.linspace(0, 1, STEPS + 1)
    x = {name: np.where(at == 1, after[name], before[name] + (after[name] - before[name]) * at) for name in before}
    gaps: dict[int, np.ndarray] = {}
    kgi = part.at(x, gaps) + np.zeros(STEPS + 1)
    start = {name: values[:-1] for name, values in x.items()}
    end = {name: values[1:] for name, values in x.items()}
    holds = {place: gap > 0 for place, gap in gaps.items() if place > 0}
    meets_zero = any(gap.min() <= 0 <= gap.max() for place, gap in gaps.items() if place < 0)
    flips = {place: hold[1:] != hold[:-1] for place, hold in holds.items()}
    flipped = sum(flips.values(), np.zeros(STEPS, dtype=int))
    if flipped.max(initial=0) > 1:
        return None, kgi, meets_zero
    moved: dict[str, np.ndarray] = {}
    gap_moved: dict[str, dict[int, np.ndarray]] = {}
    for name in before:
        there, gap_there = start | {name: end[name]}, {}
        back = end | {name: start[name]}
        first = {place: hold[:-1] for place, hold in holds.items()}
        forward = part.at(there, gap_there, first) - kgi[:-1]
        backward = kgi[1:] - part.at(back, {}, {place: hold[1:] for place, hold in holds.items()})
        moved[name] = (forward + backward) / 2 + np.zeros(STEPS)
        gap_moved[name] = gap_there
    for place, flip in flips.items():
        for k in np.flatnonzero(flip):
            speeds = {name: gap_moved[name][place][k] - gaps[place][k] for name in before}
            gap_step = gaps[place][k + 1] - gaps[place][k]
            if not abs(sum(speeds.values()) - gap_step) < 1e-3 * abs(gap_step) > 1e-6 * sum(map(abs, speeds.values())):
                return None, kgi, meets_zero  # what decides it has a corner just there
            jump = kgi[k + 1] - kgi[k] - sum(moves[k] for moves in moved.values())
            for name in before:
                moved[name][k] += jump * speeds[name] / sum(speeds.values())
    return {name: float(moves.sum()) for name, moves in moved.items()}, kgi, meets_zero


@pytest.mark.parametrize("count", [150, pytest.param(3_000, marks=pytest.mark.long)])
def test_the_shares_of_random_trees_are_those_of_many_small_steps_and_sum_to_the_change(count):
    seed = random.Random(20261130)
    compared = refused = switching = 0

    for _ in range(count):
        part = random_part(seed)
        before, after = ({name: round(seed.uniform(0.5, 20), 1) for name in "abc"} for _ in range(2))
        tree = Tree.of(kgi=part.spelt(), **before)
        with np.errstate(all="ignore"):
            steps, kgi, meets_zero = small_steps(part, before, after)
            reach = float(np.max(np.abs(kgi - kgi[0])))
        try:
            shares = explain_change(tree, "kgi", {}, after)
        except KpiError:
            refused += 1
            assert meets_zero, part.spelt()
            continue
        change = float(evaluate(tree, after)["kgi"]) - tree.now("kgi")
        assert sum(shares.values()) == pytest.approx(change, rel=1e-9, abs=1e-9 * reach), part.spelt()
        if steps is not None and np.isfinite(kgi).all():
            compared += 1
            switching += any(op in part.spelt() for op in ("if", "min", "max"))
            expected = {name: steps[name] for name in shares}
            size = reach + sum(map(abs, shares.values()))
            assert shares == pytest.approx(expected, abs=2e-4 * size + 1e-9), part.spelt()

    assert compared > 0.7 * count
    assert switching > 0.3 * count
    assert refused < 0.15 * count


def test_names_and_direction_do_not_matter():
    """The same levers under other names have the same shares; on the way back each gives back what it brought."""
    seed = random.Random(7)

    for _ in range(100):
        part = random_part(seed)
        before, after = ({name: round(seed.uniform(0.5, 20), 1) for name in "abc"} for _ in range(2))
        turned = str.maketrans("abc", "cab")
        formula = part.spelt()
        plain = formula.replace("max", "MX").replace("if", "IF").replace("min", "MN").translate(turned)
        renamed = plain.replace("MX", "max").replace("IF", "if").replace("MN", "min")
        try:
            there = explain_change(Tree.of(kgi=formula, **before), "kgi", {}, after)
            back = explain_change(Tree.of(kgi=formula, **after), "kgi", {}, before)
            other = explain_change(
                Tree.of(kgi=renamed, **{name.translate(turned): x for name, x in before.items()}),
                "kgi",
                {},
                {name.translate(turned): x for name, x in after.items()},
            )
        except KpiError as error:
            assert error.code in ("no_split", "division_by_zero")
            continue
        size = 1e-9 * (1 + sum(map(abs, there.values())))
        assert back == pytest.approx({name: -share for name, share in there.items()}, abs=size), formula
        assert other == pytest.approx({name.translate(turned): x for name, x in there.items()}, abs=size), formula
