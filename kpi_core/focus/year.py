"""The best sets for a fiscal year, among too many to run through the months one by one.

    F(z) = the year's KGI      z = Σ over the teams' bundles of the log of what they multiply, by metric and month
    F(z) ≤ Σ_b λ_b · F(c + (z_b − c_b) / λ_b)               Σ λ_b = 1, c = Σ c_b

A KGI of sums and products alone is convex in z, and so lies below the mean on the right (Jensen): one number per
bundle, as a multiple-choice knapsack wants it. At c both are equal, whether c keeps the limits or not, and the closer
bundles are to one another the less lies between them: what cannot be listed is parted by a KSF. Caps are left out
of the bound.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count

import numpy as np

from kpi_core.focus.effects import Effects
from kpi_core.focus.hunting import HAIR, NEVER, ThroughTree, at_places
from kpi_core.focus.knapsack import Knapsack, near, relaxed, taken_over
from kpi_core.focus.search import Picks
from kpi_core.readings import Array

_STEPS = 1_000_000
_PARTS = 60  # searched at most; then the bound tells what is left
_FEW = 256
_LEAST_WEIGHT = 0.02
_CONVEX = frozenset({"number", "name", "+", "*", "sum"})


def is_convex(effects: Effects) -> bool:
    """Return whether the KGI of the year is made of sums and products alone, of nothing below 0."""
    tree, setting = effects.carrying_by_month, effects.setting
    steps = [step for formula in tree.expressions.values() for step in formula.steps]
    numbers = [np.asarray(step.number) for step in steps if step.op == "number"]
    given = [np.asarray(pace) for metric, pace in setting.values.items() if metric in tree.metrics]
    known = [np.asarray(part) for pair in setting.months.adjust.values() for part in pair]
    known += [opening.entered for opening in setting.months.openings.values()]
    return all(step.op in _CONVEX for step in steps) and all((part >= 0).all() for part in (*numbers, *given, *known))


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of the search: the bundles that may still be part of a good set, and the bundles at its centre c."""

    kept: Sequence[Picks]
    centre: Picks


@dataclass(eq=False)
class Yearly(ThroughTree):
    """The search for a fiscal year; bundles' logs are by metric and month of the axis, one row each."""

    def search(self) -> float:
        """Find a good set by what each month decides, then rule out the rest, the most promising part first."""
        first = Knapsack([part.logs @ self._decided for part in self.parts], self.uses, self.limits)
        seen = relaxed(first)
        self.reach(first, seen)
        if not len(self.best):
            taken = taken_over(first, self.wanted, alive=self.alive)
            self.look_at(taken.picks)
            if not len(self.best):
                return NEVER if taken.bound == NEVER else np.inf
        kept = [np.arange(len(part)) for part in self.parts]
        serial, heap = count(1), [(-np.inf, 0, _Part(kept, self.picks[0]))]
        while heap and -heap[0][0] > self.last * (1 - HAIR):
            bound, at, part = heapq.heappop(heap)
            self.ceiling = -bound
            if at and (at > _PARTS or not self.alive()):
                return self.ceiling
            for half_bound, half in self._halves(part):
                heapq.heappush(heap, (-min(half_bound, -bound), next(serial), half))
        return NEVER

    def _halves(self, part: _Part) -> Iterator[tuple[float, _Part]]:
        """Yield what is left of a part: nothing if all of it is known, else two halves with their bound."""
        problem = Knapsack(
            self._bounds(part), [uses[kept] for uses, kept in zip(self.uses, part.kept, strict=True)], self.limits
        )
        seen = relaxed(problem)
        bound = seen.bound * self.known
        if bound <= self.last * (1 - HAIR):
            return
        gap = (bound - self.last) / self.known + HAIR
        found = near(problem, seen, gap, _STEPS)
        if found is not None:
            self._look_down(part, problem, found)
            return
        self.reach(problem, seen, part.kept)
        kept = [rows[behind <= gap] for rows, behind in zip(part.kept, seen.behind, strict=True)]
        top = [int(rows[behind.argmin()]) for rows, behind in zip(part.kept, seen.behind, strict=True)]
        for half in self._split(kept):
            centre = [at if at in rows else int(rows[0]) for at, rows in zip(top, half, strict=True)]
            yield bound, _Part(half, np.array(centre))

    def _look_down(self, part: _Part, problem: Knapsack, found: Picks) -> None:
        """Evaluate choices, those with the highest bound first, until no other can be among the wanted."""
        bounds = problem.value(found) * self.known
        order = np.argsort(-bounds, kind="stable")
        for start in range(0, len(order), _FEW):
            here = order[start : start + _FEW]
            if bounds[here[0]] < self.last * (1 - HAIR):
                return
            self.look_at(at_places(part.kept, found[here]))

    def _split(self, kept: Sequence[Picks]) -> Iterator[list[Picks]]:
        """Yield the bundles of a part without and with one KSF: that which parts most of what they bring."""
        doubt = []
        for at, (part, rows) in enumerate(zip(self.parts, kept, strict=True)):
            inside, brings = part.chosen[rows], part.logs[rows]
            for column in np.flatnonzero(inside.any(axis=0) & ~inside.all(axis=0)):
                having = inside[:, column]
                apart = brings[having].mean(axis=0) - brings[~having].mean(axis=0)
                doubt.append((float(np.abs(apart) @ self._decided) * min(having.mean(), 1 - having.mean()), at, column))
        if not doubt:
            return
        _, at, column = max(doubt)
        having = self.parts[at].chosen[kept[at], column]
        for half in (kept[at][having], kept[at][~having]):
            yield [half if other == at else rows for other, rows in enumerate(kept)]

    @cached_property
    def _decided(self) -> Array:
        return np.concatenate([self.effects.decided_by(metric) for metric in self.effects.metrics])

    def _bounds(self, part: _Part) -> list[Array]:
        """Return λ_b · F(c + (z_b − c_b) / λ_b) of every bundle of a part, as a share of the best KGI known."""
        centres = [one.logs[at] for one, at in zip(self.parts, part.centre, strict=True)]
        brought = np.array([max(0.0, float(self._decided @ logs)) for logs in centres])
        weights = np.maximum(brought / max(brought.sum(), HAIR), _LEAST_WEIGHT)
        weights /= weights.sum()
        whole = np.asarray(sum(centres))
        return [
            weight * self.kgi(whole + (one.logs[kept] - own) / weight, capped=False) / self.known
            for one, kept, own, weight in zip(self.parts, part.kept, centres, weights.tolist(), strict=True)
        ]
