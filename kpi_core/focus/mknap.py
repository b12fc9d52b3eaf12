"""Multidimensional knapsack problems in OR-Library's `mknap` format, through the search that chooses KSFs.

A file holds numbers alone: how many problems there are, and for each: items, constraints, the best value known
(0 if none is), the items' profits, what each constraint takes of each item, and the constraints' limits. A file of
one problem may begin with its items right away.

Source: J. E. Beasley, OR-Library (1990).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import LinearConstraint, milp

from kpi_core.errors import KpiError
from kpi_core.focus.knapsack import Knapsack, near, relaxed
from kpi_core.focus.search import Picks
from kpi_core.readings import Array

_STEPS = 5_000_000
_TOGETHER = 6  # items that make one group: 2^6 options
_WHOLE = 1e-6
_SECONDS = 600.0


@dataclass(frozen=True, eq=False)
class Problem:
    """Profits (items,), uses (constraints, items), limits (constraints,), and the best value known, 0 if none is."""

    profits: Array
    uses: Array
    limits: Array
    known: float


@dataclass(frozen=True)
class Solved:
    """The best value, the items that bring it, and the value that nothing exceeds: the same, if it is proven."""

    value: float
    items: tuple[int, ...]
    bound: float


def read(text: str) -> list[Problem]:
    """Return the problems of a file.

    Raises
    ------
    KpiError
        `bad_mknap`: something else than numbers, or too few or too many of them.
    """
    try:
        numbers = [float(word) for word in text.split()]
        found = _problems(numbers, counted=True) or _problems(numbers, counted=False)
    except (ValueError, IndexError, OverflowError):
        found = None
    if not found or not all(np.isfinite(number) and number >= 0 for number in numbers):
        raise KpiError("bad_mknap", "This is no file in mknap's format. Give counts, profits, uses and limits.")
    return found


def solve(problem: Problem) -> Solved:
    """Return the best items.

    >>> solve(Problem(np.array([3.0, 2.0, 2.0]), np.array([[3.0, 2.0, 2.0]]), np.array([4.0]), 0.0))
    Solved(value=4.0, items=(1, 2), bound=4.0)
    """
    fits = (problem.uses <= problem.limits[:, None]).all(axis=0)
    useful = np.flatnonzero(fits & (problem.profits > 0))
    if not len(useful):
        return Solved(0.0, (), 0.0)
    scale = float(problem.profits[useful].max())
    groups = [useful[start : start + _TOGETHER] for start in range(0, len(useful), _TOGETHER)]
    choices = [_subsets(len(group)) for group in groups]
    room = np.where(problem.limits > 0, problem.limits, 1.0)
    bundled = Knapsack(
        [choice @ problem.profits[group] / scale for choice, group in zip(choices, groups, strict=True)],
        [choice @ (problem.uses[:, group].T / room) for choice, group in zip(choices, groups, strict=True)],
        problem.limits / room,
    )
    whole = bool((problem.profits == np.round(problem.profits)).all())
    hair = (1 - _WHOLE if whole else _WHOLE) / scale  # what is not better by so much is not better
    picks = _listed(bundled, hair)
    if picks is None:
        return _by_program(problem, useful, hair * scale)
    items = np.concatenate([group[choice[at] > 0] for group, choice, at in zip(groups, choices, picks, strict=True)])
    value = float(problem.profits[items].sum())
    return Solved(value, tuple(sorted(items.tolist())), value)


def _listed(problem: Knapsack, hair: float) -> Picks | None:
    """Return the best choice, proven by listing all that is near the bound; None if that is too much."""
    seen = relaxed(problem)
    best, known = np.zeros(len(problem.values), dtype=np.intp), 0.0
    gap = 1e-3 * sum(float(values.max()) for values in problem.values)
    while (found := near(problem, seen, gap, _STEPS)) is not None:
        worth = problem.value(found)
        if len(found) and worth.max() > known:
            best, known = found[int(worth.argmax())], float(worth.max())
        if seen.bound - known - hair <= gap:
            return best
        gap = min(2 * gap, seen.bound - known)
    return None


def _by_program(problem: Problem, useful: Picks, hair: float) -> Solved:
    """Return the best items by mixed-integer programming."""
    answer = milp(
        -problem.profits[useful],
        constraints=LinearConstraint(problem.uses[:, useful], ub=problem.limits),
        integrality=np.ones(len(useful)),
        bounds=(0, 1),
        options={"mip_rel_gap": 0.0, "time_limit": _SECONDS},
    )
    inside = np.zeros(len(useful), dtype=np.bool_) if answer.x is None else answer.x > 0.5
    items = useful[inside]
    value, bound = float(problem.profits[items].sum()), -float(answer.mip_dual_bound)
    return Solved(value, tuple(sorted(items.tolist())), value if bound < value + hair else bound)


def _subsets(count: int) -> Array:
    """Return every subset of `count` items, none first, as rows of 0 and 1."""
    return np.array([[at >> item & 1 for item in range(count)] for at in range(2**count)], dtype=np.float64)


def _problems(numbers: list[float], *, counted: bool) -> list[Problem] | None:
    """Return the problems, if just these numbers make some; `counted` if the first says how many."""
    places = iter(numbers)
    try:
        how_many = int(next(places)) if counted else 1
        found = [_problem(places) for _ in range(how_many)]
    except StopIteration:
        return None
    return None if list(places) else found


def _problem(places: Iterator[float]) -> Problem:
    items, constraints, known = int(next(places)), int(next(places)), next(places)
    profits = _take(places, items)
    uses = _take(places, items * constraints).reshape(constraints, items)
    return Problem(profits, uses, _take(places, constraints), known)


def _take(places: Iterator[float], count: int) -> Array:
    return np.array([next(places) for _ in range(count)])
