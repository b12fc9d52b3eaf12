"""Where a KGI first reaches its target as a factor moves away from 1, whatever its formula; and whether it is a line.

    line       nothing but sums, and products and fractions in which the factor comes up once, above the bar
    else       factors are halved as long as their interval (`intervals`) may reach the target: what is ruled out is
               proven, what is returned reaches the target when it is put in

A kink (`min`) and a jump (`if`) are places like any other. Beyond a pole (÷ 0) nothing is looked for: on the way there
the KGI has no value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

import numpy as np

from kpi_core.readings import Array
from kpi_core.tree import Tree

LARGEST = 1e6
_PIECES, _SPLIT, _MOST = 48, 16, 1_024
_CLOSE, _CLOSEST = 1e-7, 1e-12
_SMALLEST = 1e-9
_ROUNDS, _CUTS = 5, 64  # from 1e-7 to the last digit

# The value at each factor (NaN: none), and what it never exceeds between two factors.
Value = Callable[[Array], Array]
Bound = Callable[[Array, Array], Array]

_SUMS = frozenset({"+", "-", "neg", "sum"})


def is_line(tree: Tree, levers: Collection[str], of: str) -> bool:
    """Return whether a metric is a straight line in a factor of these levers, by its formulas alone.

    >>> is_line(Tree.of(kgi="leads * rate + 3", leads=5, rate=0.5), ["leads"], "kgi")
    True
    >>> is_line(Tree.of(kgi="min(leads, 9)", leads=5), ["leads"], "kgi")
    False
    """
    degrees: dict[str, float] = {}
    for metric in tree.carriers(of):
        if metric not in tree.expressions:
            degrees[metric] = float(metric in levers)
            continue
        stack: list[float] = []
        for step in tree.expressions[metric].steps:
            args = stack[len(stack) - step.arity :]
            del stack[len(stack) - step.arity :]
            stack.append(degrees[step.name] if step.op == "name" else _degree(step.op, args))
        degrees[metric] = stack[0]
    return degrees[of] <= 1


def _degree(op: str, args: list[float]) -> float:
    """Return how often the factor comes up in a product; infinity for what is no polynomial in it."""
    if not any(args):
        return 0.0
    if op in _SUMS:
        return max(args)
    if op == "*":
        return sum(args)
    return args[0] if op == "/" and not args[1] else math.inf


def nearest(value: Value, bound: Bound, goal: float, *, end: float) -> float | None:
    """Return the factor nearest to 1, above or below, at which `value` is at least `goal`; None if none does it.

    From 0 to `end`. Nearest by ratio: half as much and twice as much are as far.
    """
    ends = (end, 0.0) if end > 1 else (0.0,)
    ways = [way[1] for way in (first(value, bound, goal, end=to) for to in ends) if way is not None]
    return min(ways, key=lambda far: abs(math.log(far)) if far else math.inf, default=None)


def first(value: Value, bound: Bound, goal: float, *, end: float) -> tuple[float, float] | None:
    """Return the first factor from 1 towards `end` at which `value` is at least `goal`, after one close before it.

    None if none does it. A factor of 1 is not looked at.
    """
    edges = _edges(end)
    near, far, best = edges[:-1], edges[1:], None
    while len(near):
        most = bound(np.minimum(near, far), np.maximum(near, far))
        width = np.abs(far - near) / np.maximum(np.maximum(far, near), _SMALLEST)
        poles = np.flatnonzero((most == np.inf) & (width <= _CLOSEST))
        if len(poles):
            near, far, most, width = (part[: poles[0]] for part in (near, far, most, width))
            best = None
        may = np.flatnonzero(most >= goal)[:_MOST]
        near, far, width = near[may], far[may], width[may]
        reached = np.flatnonzero(value(far) >= goal)
        if len(reached):
            at = int(reached[0])
            best = float(near[at]), float(far[at])
            near, far, width = near[: at + 1], far[: at + 1], width[: at + 1]
            if at == 0 and width[0] <= _CLOSE and np.isfinite(most[may[0]]):
                break
        wide = width > _CLOSEST
        near, far = _split(near[wide], far[wide])
    return None if best is None else _closed(value, goal, *best)


def _edges(end: float) -> Array:
    """Return factors from 1 to `end`, evenly spread by ratio; towards 0 evenly by size at first."""
    if end > 1:
        return np.geomspace(1.0, end, _PIECES + 1)
    return np.concatenate([np.linspace(1.0, 0.05, _PIECES // 2), np.geomspace(0.04, _SMALLEST, _PIECES // 2), [0.0]])


def _split(near: Array, far: Array) -> tuple[Array, Array]:
    """Return each piece cut into `_SPLIT`, in the same order."""
    cuts = near[:, None] + (far - near)[:, None] * np.arange(_SPLIT + 1) / _SPLIT
    return cuts[:, :-1].ravel(), cuts[:, 1:].ravel()


def _closed(value: Value, goal: float, near: float, far: float) -> tuple[float, float]:
    """Return the ends of a small piece of which the far one reaches the goal, moved as close together as it goes."""
    for _ in range(_ROUNDS):
        cuts = np.append(near + (far - near) * np.arange(1, _CUTS) / _CUTS, far)
        at = int(np.argmax(value(cuts) >= goal))
        near, far = (near if at == 0 else float(cuts[at - 1])), float(cuts[at])
    return near, far
