"""Best-first branch and bound in boxes: what every search by halving boxes shares.

A roof over a box is a sum over the teams' bundles that no set within the box exceeds: a multiple-choice knapsack
(`knapsack`). Within a box whose bound is no better than the sets known, nothing is left to find; else everything
near the bound is listed and evaluated, or, if that is too much, the box is halved.
"""

from __future__ import annotations

import heapq
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np

from kpi_core.focus.hunting import HAIR, NEVER, Hunt, at_places
from kpi_core.focus.knapsack import Knapsack, Relaxed, near, relaxed, taken_over
from kpi_core.focus.search import Picks
from kpi_core.readings import Array

_STEPS = 1_000_000
_EXACT_STEPS = 10_000_000  # where halving is of no use
_BOXES = 2_000  # numbered at most; then the bound tells what is left
_SMALL = 0.1  # of the gap: with less than this in doubt, halving boxes would bring little
_TINY = 1e-9  # boxes in which less than this is in doubt are not halved
ALL = 700.0  # a gap in logarithms that everything lies within


@dataclass(frozen=True, eq=False)
class Box:
    """A part of the search: between which values its sides lie, and the bundles that may still be in a good set."""

    low: Array
    high: Array
    kept: Sequence[Picks]
    prices: Array


@dataclass(frozen=True, eq=False)
class Roofed:
    """A roof: what a set is worth is at most `height` and the sum of its bundles' `values`, and so by each other roof.

    `doubt` is about how far the roof may be too high by each side of the box: what halving it there would mend.
    `middles` is where to halve each side.
    """

    height: float
    values: Sequence[Array]
    doubt: Array
    middles: Array
    others: Sequence[tuple[float, Sequence[Array]]] = ()


@dataclass(eq=False)
class Boxes(Hunt):
    """A search by halving boxes; worth is compared on the `scale` its roofs are on, and told as a KGI."""

    untold: float = field(default=NEVER, init=False)

    @property
    @abstractmethod
    def threshold(self) -> float:
        """Return what a set must reach to be among the wanted, on the scale of the roofs."""

    @abstractmethod
    def told(self, bound: float) -> float:
        """Return a bound on the scale of the roofs as a KGI."""

    @property
    @abstractmethod
    def sides(self) -> Sequence[Array]:
        """Return where each bundle lies along the sides of boxes, one row each."""

    @abstractmethod
    def roofed(self, box: Box) -> Roofed | None:
        """Return the roof over a box whose sides lie no further out than its bundles; None if all is hopeless."""

    def look_further(self, problem: Knapsack, seen: Relaxed, kept: Sequence[Picks]) -> None:
        """Look for better sets under a roof, where the first ones may not be good."""

    def boxes(self) -> float:
        """Work through the boxes, the most promising first. Return the bound of what is left open or cannot be told."""
        free = np.full(self.sides[0].shape[1], np.inf)
        start = Box(-free, free, [np.arange(len(part)) for part in self.parts], np.zeros(0))
        serial, heap = count(1), [(-np.inf, 0, start)]
        while heap and -heap[0][0] > self.threshold:
            bound, _, box = heapq.heappop(heap)
            tried = next(serial)
            self.ceiling = self.told(-bound)
            if box is not start and (tried > _BOXES or not self.alive()):
                return max(self.ceiling, self.untold)
            for half_bound, half in self._halves(box):
                heapq.heappush(heap, (-min(half_bound, -bound), next(serial), half))
        return self.untold

    def _halves(self, box: Box) -> Iterator[tuple[float, Box]]:
        """Yield what is left of a box: nothing if all of it is known, else its halves with their bound."""
        inside = [rows[kept] for rows, kept in zip(self.sides, box.kept, strict=True)]
        low = np.maximum(box.low, sum(rows.min(axis=0) for rows in inside))
        high = np.minimum(box.high, sum(rows.max(axis=0) for rows in inside))
        if (low > high + HAIR).any():
            return
        roof = self.roofed(Box(low, np.maximum(low, high), box.kept, box.prices))
        if roof is None:
            return
        problem = self._problem(box, roof, inside, low, high)
        prices = np.zeros(len(problem.room))
        prices[: len(box.prices)] = box.prices
        yield from self._gone_through(box, roof, problem, relaxed(problem, prices))

    def _problem(self, box: Box, roof: Roofed, inside: Sequence[Array], low: Array, high: Array) -> Knapsack:
        cut = np.flatnonzero(np.isfinite(box.low) | np.isfinite(box.high))
        over = [[own - other for own, other in zip(roof.values, values, strict=True)] for _, values in roof.others]
        uses = [
            np.hstack((use[kept], rows[:, cut], -rows[:, cut], *(each[at][:, None] for each in over)))
            for at, (use, rows, kept) in enumerate(zip(self.uses, inside, box.kept, strict=True))
        ]
        soft = np.array([height - roof.height for height, _ in roof.others])
        return Knapsack(roof.values, uses, np.concatenate((self.limits, high[cut], -low[cut], soft)), len(soft))

    def _gone_through(self, box: Box, roof: Roofed, problem: Knapsack, seen: Relaxed) -> Iterator[tuple[float, Box]]:
        """Look at everything near the bound; if that is too much, look for better sets first, then yield halves."""
        bound, doubt = seen.bound + roof.height, float(roof.doubt.sum())
        looked_for = NEVER
        while self.threshold > looked_for or looked_for == NEVER:
            looked_for = self.threshold
            gap = min(bound - looked_for, ALL)
            if gap <= 0:
                return
            kept = [np.flatnonzero(behind <= gap) for behind in seen.behind]
            left = [here[rows] for here, rows in zip(box.kept, kept, strict=True)]
            box, problem, seen = replace(box, kept=left), problem.among(kept), seen.among(kept)
            found = near(problem, seen, gap, _STEPS if doubt > _TINY else _EXACT_STEPS)
            if found is not None:
                self.look_at(at_places(box.kept, found))
                return
            self.look_further(problem, seen, box.kept)
            if looked_for == NEVER:
                break
        box = replace(box, prices=seen.prices[: len(self.limits)])
        if len(self.best) and doubt > _SMALL * gap:
            yield from _cut(box, roof, bound)
            return
        # The roof is close enough, or no set is known: what is in the way are the many choices below it.
        taken = taken_over(problem, self.wanted, alive=self.alive)
        self.look_at(at_places(box.kept, taken.picks))
        self.improve(problem, box.kept)  # of equal choices HiGHS gives any
        bound = min(bound, taken.bound + roof.height)
        if bound > self.threshold and doubt > _TINY:
            yield from _cut(box, roof, bound)
        elif bound > self.threshold:
            self.untold = max(self.untold, self.told(bound))


def _cut(box: Box, roof: Roofed, bound: float) -> Iterator[tuple[float, Box]]:
    """Yield the two halves of a box, cut where most is in doubt."""
    widest = int(roof.doubt.argmax())
    below, above = box.high.copy(), box.low.copy()
    below[widest] = above[widest] = roof.middles[widest]
    yield bound, Box(box.low, below, box.kept, box.prices)
    yield bound, Box(above, box.high, box.kept, box.prices)
