"""Reverse-mode slopes against central differences, on trees nobody chose."""

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from kpi_core.errors import KpiError
from kpi_core.tree import Tree, evaluate, slopes

LEAVES = st.sampled_from(["a", "b", "c", "d"])
SMOOTH = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda op, left, right: f"({left} {op} {right})" if op in "+-*/" else op.format(left, right),
        st.sampled_from(["+", "-", "*", "/", "sum({}, {}, 3)", "({0} * {1}) ^ 2", "-({0} + 2 * {1})"]),
        inner,
        inner,
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(SMOOTH, SMOOTH, st.lists(st.floats(0.5, 3), min_size=4, max_size=4))
def test_slopes_agree_with_central_differences(first, second, numbers):
    values = dict(zip("abcd", numbers, strict=True))
    try:
        tree = Tree.of(kgi="part * other + part", part=first, other=second, **values)
        found = slopes(tree, "kgi")
        wide = [{name: value * (1 + by) for name, value in values.items()} for by in (-1e-3, 1e-3)]
        spread = [float(evaluate(tree, {name: far[name]})["kgi"]) for far in wide for name in values]
    except KpiError:  # a division by zero that the example happened to hold
        reject()
    size = max(1.0, *(abs(float(number)) for number in tree.baseline.values()), *map(abs, spread))
    # Near a pole a difference quotient says little; the slope is what is tested here, not the example.
    assume(size < 1e4)

    for name, value in values.items():
        estimates = []
        for step in (2e-4 * value, 1e-4 * value):
            higher, lower = (float(evaluate(tree, {name: value + by})["kgi"]) for by in (step, -step))
            estimates.append((higher - lower) / (2 * step))
        # Richardson: the two steps' errors are as 4 to 1, so this combination cancels them.
        central = (4 * estimates[1] - estimates[0]) / 3
        assert float(found[name]) == pytest.approx(central, rel=1e-6, abs=1e-6 * size)


def test_slopes_of_samples_are_the_slopes_of_each_sample():
    tree = Tree.of(kgi="a * b / (a + b)", a=2, b=3)
    samples = np.linspace(1, 5, 7)

    together = slopes(tree, "kgi", {"a": samples})["b"]

    assert together == pytest.approx([float(slopes(tree, "kgi", {"a": a})["b"]) for a in samples], rel=1e-15)


def test_the_slope_of_a_computed_metric_is_one_more_of_it_from_nowhere():
    """One more meeting is worth rate × price = 0.2 × 8."""
    tree = Tree.of(kgi="wins * 8", wins="meetings * rate", meetings="leads * 0.1", leads=5400, rate=0.2)

    assert float(slopes(tree, "kgi")["meetings"]) == pytest.approx(1.6, rel=1e-15)
