"""The best sets among too many to look at one by one, with a proof: best-first branch and bound.

    log KGI ≤ α + m + β·y      m = Σ_k p_k s_k     y_k = s_k − m     s_k: log of what a set multiplies product k by

m and y are sums over the teams' bundles, so the right side is a multiple-choice knapsack (`knapsack`). α and β come
from a box that holds y: there each exp lies below its chord, and the logarithm below its tangent. Within a box whose
bound is no better than the sets known, nothing is left to find; else everything near the bound is listed and
evaluated, or, if that is too much, the box is halved. For one product y is 0 and the first bound is exact.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

import numpy as np

from kpi_core.focus.channels import Channels
from kpi_core.focus.hunting import HAIR, NEVER, Hunt, at_places
from kpi_core.focus.knapsack import Knapsack, near, relaxed, taken_over
from kpi_core.focus.roof import Roof
from kpi_core.focus.search import Picks
from kpi_core.readings import Array

_STEPS = 1_000_000
_EXACT_STEPS = 10_000_000  # where halving is of no use
_BOXES = 2_000  # numbered at most; then the bound tells what is left
_ALL = 700.0  # a gap in logarithms that everything lies within
_SMALL = 0.1  # of the gap: with less than this in doubt, halving boxes would bring little
_TINY = 1e-9  # boxes in which less than this is in doubt are not halved


@dataclass(frozen=True, eq=False)
class _Box:
    """A part of the search: between which values y lies, and the bundles that may still be part of a good set."""

    low: Array
    high: Array
    kept: Sequence[Picks]
    prices: Array


@dataclass(eq=False)
class Searching(Hunt):
    """The search where the KGI is a sum of products of what KSFs multiply."""

    channels: Channels
    untold: float = field(default=NEVER, init=False)

    def value(self, logs: Array) -> Array:
        """Return the KGI of sets."""
        return self.channels.value(logs)

    def search(self) -> float:
        """Find good sets first, then work through the boxes."""
        self._first()
        return self._boxes() - self._raised

    @property
    def threshold(self) -> float:
        """Return the log of what a set must reach to be among the wanted."""
        return float(np.log(self.last + self._raised)) - HAIR if self.last > NEVER else NEVER

    @cached_property
    def _raised(self) -> float:
        """Return by how much the KGI is raised so that it has a logarithm whatever is chosen."""
        if self.channels.weights.min() >= 0:
            return 0.0
        low = sum(part.logs.min(axis=0) for part in self.parts)
        high = np.minimum(sum(part.logs.max(axis=0) for part in self.parts), np.log(self.channels.caps))
        up, down = np.maximum(self.channels.exponents, 0.0), np.minimum(self.channels.exponents, 0.0)
        return 1.001 * float(np.maximum(0.0, -self.channels.weights) @ np.exp(up @ high + down @ low))

    @cached_property
    def _products(self) -> Channels:
        """Return the products of the raised KGI."""
        if not self._raised:
            return self.channels
        constant = np.zeros((1, len(self.channels.metrics)))
        return Channels(
            metrics=self.channels.metrics,
            weights=np.append(self.channels.weights, self._raised),
            exponents=np.concatenate((self.channels.exponents, constant)),
            caps=self.channels.caps,
        )

    @cached_property
    def _capped(self) -> list[int]:
        """Return the metrics that a set may lift to their cap: they count apart from the products."""
        most = sum(part.logs.max(axis=0) for part in self.parts)
        return np.flatnonzero(most > np.log(self.channels.caps)).tolist()

    @cached_property
    def _lifts(self) -> list[Array]:
        """Return for each bundle the log of what it multiplies each product by, without what may be capped."""
        exponents = self._products.exponents.copy()
        exponents[:, self._capped] = 0.0
        return [part.logs @ exponents.T for part in self.parts]

    def _first(self) -> None:
        """Find good sets: the products weighed as they are, then as they are at the best set found."""
        shares = self._shares(np.zeros(len(self.channels.metrics)))
        for _ in range(4):
            weights = shares @ self._products.exponents
            problem = Knapsack([part.logs @ weights for part in self.parts], self.uses, self.limits)
            self.reach(problem, relaxed(problem))
            if not len(self.best):
                return
            before, shares = shares, self._shares(self.logs(self.picks[:1])[0])
            if np.abs(shares - before).max() < 1e-3:
                return

    def _shares(self, logs: Array) -> Array:
        """Return how much each product is of the KGI, for a set with these logs."""
        capped = np.minimum(logs, np.log(self.channels.caps))
        amounts = np.abs(self._products.weights) * np.exp(self._products.exponents @ capped)
        return np.asarray(amounts / amounts.sum())

    @cached_property
    def _split(self) -> tuple[list[Array], list[Array]]:
        """Return m, one number per bundle, and y with the capped metrics behind it, one row per bundle."""
        shares = self._shares(self.logs(self.picks[:1])[0] if len(self.best) else np.zeros(len(self.channels.metrics)))
        level = [lifts @ shares for lifts in self._lifts]
        apart = [
            np.hstack((lifts - mean[:, None], part.logs[:, self._capped]))
            for lifts, mean, part in zip(self._lifts, level, self.parts, strict=True)
        ]
        return level, apart

    def _boxes(self) -> float:
        """Work through the boxes, the most promising first. Return the bound of what is left open or cannot be told."""
        _level, apart = self._split
        free = np.full(apart[0].shape[1], np.inf)
        start = _Box(-free, free, [np.arange(len(part)) for part in self.parts], np.zeros(0))
        serial, heap = count(1), [(-np.inf, 0, start)]
        while heap and -heap[0][0] > self.threshold:
            bound, _, box = heapq.heappop(heap)
            tried = next(serial)
            if box is not start and (
                tried > _BOXES or not self.watch(self.known, max(self.known, _exp(-bound) - self._raised))
            ):
                return max(_exp(-bound), self.untold)
            for half_bound, half in self._halves(box):
                heapq.heappush(heap, (-min(half_bound, -bound), next(serial), half))
        return self.untold

    def _halves(self, box: _Box) -> Iterator[tuple[float, _Box]]:
        """Yield what is left of a box: nothing if all of it is known, else its halves with their bound."""
        level, apart = self._split
        inside = [rows[kept] for rows, kept in zip(apart, box.kept, strict=True)]
        low = np.maximum(box.low, sum(rows.min(axis=0) for rows in inside))
        high = np.minimum(box.high, sum(rows.max(axis=0) for rows in inside))
        if (low > high + HAIR).any():
            return
        roof = Roof(self._products, self._capped, low, high)
        if roof.hopeless:
            return
        cut = np.flatnonzero(np.isfinite(box.low) | np.isfinite(box.high))
        problem = Knapsack(
            [mean[kept] + rows @ roof.slope for mean, rows, kept in zip(level, inside, box.kept, strict=True)],
            [
                np.hstack((use[kept], rows[:, cut], -rows[:, cut]))
                for use, rows, kept in zip(self.uses, inside, box.kept, strict=True)
            ],
            np.concatenate((self.limits, high[cut], -low[cut])),
        )
        prices = np.zeros(len(problem.room))
        prices[: len(box.prices)] = box.prices
        seen = relaxed(problem, prices)
        bound = seen.bound + roof.height
        gap = min(bound - self.threshold, _ALL)
        if gap <= 0:
            return
        kept = [np.flatnonzero(behind <= gap) for behind in seen.behind]
        box = _Box(
            box.low,
            box.high,
            [here[rows] for here, rows in zip(box.kept, kept, strict=True)],
            seen.prices[: len(self.limits)],
        )
        problem, seen = problem.among(kept), seen.among(kept)
        doubt = float(roof.doubt.sum())
        found = near(problem, seen, gap, _STEPS if doubt > _TINY else _EXACT_STEPS)
        if found is not None:
            self.look_at(at_places(box.kept, found))
            return
        if len(self.best) and doubt > _SMALL * gap:
            yield from self._cut(box, roof, bound)
            return
        # The roof is close enough, or no set is known: what is in the way are the many choices below it.
        taken = taken_over(problem, self.wanted)
        self.look_at(at_places(box.kept, taken.picks))
        bound = min(bound, taken.bound + roof.height)
        if bound > self.threshold and doubt > _TINY:
            yield from self._cut(box, roof, bound)
        elif bound > self.threshold:
            self.untold = max(self.untold, _exp(bound))

    def _cut(self, box: _Box, roof: Roof, bound: float) -> Iterator[tuple[float, _Box]]:
        """Yield the two halves of a box, cut where most is in doubt."""
        widest = int(roof.doubt.argmax())
        below, above = box.high.copy(), box.low.copy()
        below[widest] = above[widest] = roof.middle(widest)
        yield bound, _Box(box.low, below, box.kept, box.prices)
        yield bound, _Box(above, box.high, box.kept, box.prices)


def _exp(log: float) -> float:
    return float(np.exp(log)) if log < _ALL else np.inf
