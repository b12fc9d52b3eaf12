"""Between which numbers a metric lies while inputs lie between others: a formula read with intervals.

    [a, b] + [c, d] = [a + c, b + d]        [a, b] · [c, d] = [min, max] of ac, ad, bc, bd

Nothing that a formula can give lies outside; of an input it reads twice the bounds are wider than need be, the less
the closer its ends are. An interval of one number gives that number. What nothing is known of, and what has no value
(a division by zero), lies between minus infinity and infinity; what cannot be (a rate above 100 %) is an empty
interval, its low above its high.

Source: Moore, Kearfott, Cloud, Introduction to Interval Analysis (2009).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np
import numpy.typing as npt

from kpi_core.formula import Expression
from kpi_core.lags import Months
from kpi_core.readings import Array
from kpi_core.tree import Tree

Interval = tuple[Array, Array]
Mask = npt.NDArray[np.bool_]
Rule = Callable[..., Interval]

_SHARE_HAIR = 1e-12  # as `tree.evaluate` lets a share be above 1


def exactly(number: Array | float) -> Interval:
    """Return the interval of one number."""
    at = np.asarray(number, dtype=np.float64)
    return at, at


def evaluate_between(
    tree: Tree, of: str, given: Mapping[str, Interval], months: Months | None = None, *, any_rate: bool = False
) -> Interval:
    """Return between which values a metric lies, in the broadcast shape of what is given; months are the last axis.

    `given` holds an interval for every input it depends on. With `any_rate`, rates may be any number.

    >>> low, high = evaluate_between(Tree.of(y="min(a, 3) * a", a=1), "y", {"a": (np.array([1.0]), np.array([4.0]))})
    >>> low.tolist(), high.tolist()
    ([1.0], [12.0])
    """
    held: dict[str, Interval] = {}
    with np.errstate(all="ignore"):
        for metric in tree.carriers(of):
            entry = tree.metrics[metric]
            now = between(tree.expressions[metric], held) if metric in tree.expressions else given[metric]
            if months is not None and metric in tree.expressions and months.changes(metric, entry.lag):
                ends = [months.out(metric, entry.lag, end) for end in now]
                now = _sound(np.fmin(*ends), np.fmax(*ends))
            held[metric] = _possible(now) if entry.is_share and not any_rate else now
        empty = reduce(
            np.logical_or,
            (np.any(low > high, axis=-1, keepdims=True) for low, high in _rows(tree, held)),
            np.zeros(1, dtype=np.bool_),
        )
        low, high = held[of]
        return np.where(empty, np.inf, low), np.where(empty, -np.inf, high)


def between(expression: Expression, held: Mapping[str, Interval]) -> Interval:
    """Return the interval of an expression, from those of what it reads."""
    stack: list[Interval] = []
    for step in expression.steps:
        if step.op == "name":
            stack.append(held[step.name])
        elif step.op == "number":
            stack.append(exactly(step.number))
        else:
            args = stack[len(stack) - step.arity :]
            del stack[len(stack) - step.arity :]
            stack.append(_sound(*RULES[step.op](*args)))
    return stack[0]


def _rows(tree: Tree, held: Mapping[str, Interval]) -> list[Interval]:
    """Return the intervals that may be empty."""
    shares = [held[metric] for metric in held if tree.metrics[metric].is_share]
    return [(np.atleast_1d(low), np.atleast_1d(high)) for low, high in shares]


def _possible(of: Interval) -> Interval:
    """Return the part of an interval that a share can be; empty if there is none."""
    low, high = of
    never = (low > 1 + _SHARE_HAIR) | (high < 0)
    return np.where(never, np.inf, np.maximum(low, 0.0)), np.where(never, -np.inf, np.minimum(high, 1 + _SHARE_HAIR))


def _sound(low: Array, high: Array) -> Interval:
    """Return an interval of which nothing is said where arithmetic gave no number."""
    return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def _corners(operation: Callable[[Array, Array], Array], one: Interval, other: Interval) -> Interval:
    ends = [operation(a, b) for a in one for b in other]
    return reduce(np.minimum, ends), reduce(np.maximum, ends)


def _times(a: Array, b: Array) -> Array:
    return np.where((a == 0) | (b == 0), 0.0, a * b)


def _divided(one: Interval, other: Interval) -> Interval:
    """Return the corners' fractions where 0 is not between; from 0 on one side they reach to infinity."""
    low, high = other
    fine = (low > 0) | (high < 0)
    plain = _corners(np.divide, one, other)
    above, below = (low == 0) & (high > 0), (high == 0) & (low < 0)
    zero = np.zeros_like(low)
    inverse = (
        np.where(above, 1 / np.where(above, high, 1.0), np.where(below, -np.inf, zero)),
        np.where(above, np.inf, np.where(below, 1 / np.where(below, low, 1.0), zero)),
    )
    edged = _corners(_times, one, inverse)
    return (
        np.where(fine, plain[0], np.where(above | below, edged[0], -np.inf)),
        np.where(fine, plain[1], np.where(above | below, edged[1], np.inf)),
    )


def _power(base: Interval, exponent: Interval) -> Interval:
    """Return the corners' powers where they are the extremes: of what is above 0, or to one whole exponent."""
    low, high = _corners(np.power, base, exponent)
    (least, most), (first, last) = base, exponent
    whole = (first == last) & (first == np.round(first)) & (first >= 0)
    across = whole & (first % 2 == 0) & (first > 0) & (least < 0) & (most > 0)
    fine = (least > 0) | ((least >= 0) & (first >= 0)) | whole | ((least == most) & (first == last))
    return np.where(fine, np.where(across, 0.0, low), -np.inf), np.where(fine, high, np.inf)


def _either(condition: Interval, then: Interval, otherwise: Interval) -> Interval:
    low, high = condition
    yes, no = (low > 0) | (high < 0), (low == 0) & (high == 0)
    return (
        np.where(yes, then[0], np.where(no, otherwise[0], np.minimum(then[0], otherwise[0]))),
        np.where(yes, then[1], np.where(no, otherwise[1], np.maximum(then[1], otherwise[1]))),
    )


def _compare(surely: Callable[[Interval, Interval], Mask], never: Callable[[Interval, Interval], Mask]) -> Rule:
    return lambda one, other: (
        np.where(surely(one, other), 1.0, 0.0),
        np.where(never(one, other), 0.0, 1.0),
    )


def _same(one: Interval, other: Interval) -> Mask:
    return np.asarray((one[0] == one[1]) & (other[0] == other[1]) & (one[0] == other[0]))


def _apart(one: Interval, other: Interval) -> Mask:
    return np.asarray((one[1] < other[0]) | (other[1] < one[0]))


RULES: dict[str, Rule] = {
    "+": lambda one, other: (one[0] + other[0], one[1] + other[1]),
    "-": lambda one, other: (one[0] - other[1], one[1] - other[0]),
    "*": lambda one, other: _corners(_times, one, other),
    "/": _divided,
    "^": _power,
    "neg": lambda one: (-one[1], -one[0]),
    "sum": lambda *args: (reduce(np.add, [low for low, _ in args]), reduce(np.add, [high for _, high in args])),
    "min": lambda *args: (reduce(np.minimum, [a for a, _ in args]), reduce(np.minimum, [b for _, b in args])),
    "max": lambda *args: (reduce(np.maximum, [a for a, _ in args]), reduce(np.maximum, [b for _, b in args])),
    "if": _either,
    "<": _compare(lambda a, b: a[1] < b[0], lambda a, b: a[0] >= b[1]),
    ">": _compare(lambda a, b: a[0] > b[1], lambda a, b: a[1] <= b[0]),
    "<=": _compare(lambda a, b: a[1] <= b[0], lambda a, b: a[0] > b[1]),
    ">=": _compare(lambda a, b: a[0] >= b[1], lambda a, b: a[1] < b[0]),
    "=": _compare(_same, _apart),
    "<>": _compare(_apart, _same),
}
