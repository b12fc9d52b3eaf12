"""Multidimensional knapsack problems in OR-Library's `mknap` format, through the search that chooses KSFs.

    python -m kpi_core.focus.mknap < mknap1.txt

A file holds numbers alone: how many problems there are, and for each: items, constraints, the best value known
(0 if none is), the items' profits, what each constraint takes of each item, and the constraints' limits. A file of
one problem may begin with its items right away.

Source: J. E. Beasley, OR-Library (1990).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kpi_core.errors import KpiError
from kpi_core.focus.knapsack import Knapsack, Picks, near, relaxed, taken_over
from kpi_core.readings import Array

_STEPS = 20_000_000
_TOGETHER = 6  # items that make one group: 2^6 options
_WHOLE = 1e-6


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
    if not found:
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
    picks, bound = _best(bundled, hair=0.5 / scale if whole else _WHOLE / scale)
    items = np.concatenate([group[choice[at] > 0] for group, choice, at in zip(groups, choices, picks, strict=True)])
    value = float(problem.profits[items].sum())
    proven = bound * scale < value + (1 - _WHOLE if whole else _WHOLE)
    return Solved(value, tuple(sorted(items.tolist())), value if proven else bound * scale)


def _best(problem: Knapsack, hair: float) -> tuple[Picks, float]:
    """Return the best choice and what no choice exceeds; whatever is not better by `hair` may be left out."""
    seen = relaxed(problem)
    span = sum(float(values.max()) for values in problem.values)
    best, gap = np.zeros(len(problem.values), dtype=np.intp), 1e-3 * span
    while True:
        found = near(problem, seen, gap, _STEPS)
        if found is None:
            break
        if len(found):
            best = max([best, found[int(problem.value(found).argmax())]], key=lambda one: problem.value(one[None])[0])
        known = float(problem.value(best[None])[0])
        if seen.bound - known - hair <= gap:
            return best, known
        gap = min(2 * gap, seen.bound - known)
    taken = taken_over(problem, 1)
    return (taken.picks[0] if len(taken.picks) else best), taken.bound


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


def report(text: str) -> Iterable[str]:
    """Yield a line for each problem of a file."""
    for at, problem in enumerate(read(text), 1):
        found = solve(problem)
        proof = "proven" if found.bound == found.value else f"at most {found.bound:.10g}"
        known = f", best known {problem.known:.10g}" if problem.known else ""
        yield f"problem {at}: {found.value:.10g} ({proof}{known}), items {' '.join(str(i + 1) for i in found.items)}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in report(sys.stdin.read()))
