"""The best sets among too many to look at one by one, with a proof: best-first branch and bound.

    log KGI ≤ α + m + β·y      m = Σ_k p_k s_k     y_k = s_k − m     s_k: log of what a set multiplies product k by

m and y are sums over the teams' bundles, so the right side is a multiple-choice knapsack (`knapsack`). α and β come
from a box that holds y: there each exp lies below its chord, and the logarithm below its tangent. Within a box whose
bound is no better than the sets known, nothing is left to find; else everything near the bound is listed and
evaluated, or, if that is too much, the box is halved. For one product y is 0 and the first bound is exact.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

import numpy as np

from kpi_core.focus.bundles import Bundles, chosen_by
from kpi_core.focus.channels import Channels
from kpi_core.focus.knapsack import Knapsack, Relaxed, near, relaxed, taken_over
from kpi_core.focus.roof import Roof
from kpi_core.focus.search import SAME, Mask, Picks
from kpi_core.readings import Array

_STEPS = 1_000_000
_FIRST_STEPS = 200_000
_KEPT = 4_096
_HAIR = 1e-11
_NEVER = -np.inf
_ALL = 1e3  # a gap in logarithms that everything lies within
_TINY = 1e-7  # boxes in which less than this is in doubt are not halved

Watch = Callable[[float, float], bool]


@dataclass(frozen=True, eq=False)
class Proven:
    """The best sets found, best first: KSFs (rows of a mask) and KGI; no other set exceeds `bound`."""

    chosen: Mask
    kgi: Array
    bound: float
    evaluated: int


@dataclass(frozen=True, eq=False)
class _Box:
    """A part of the search: between which values y lies, and the bundles that may still be part of a good set."""

    low: Array
    high: Array
    kept: Sequence[Picks]
    prices: Array


@dataclass(eq=False)
class Searching:
    """One search for the `wanted` best sets, of one bundle per team."""

    parts: Sequence[Bundles]
    channels: Channels
    room: Array
    ksfs: int
    wanted: int
    watch: Watch = lambda _best, _bound: True
    evaluated: int = 0
    untold: float = _NEVER
    best: Array = field(default_factory=lambda: np.zeros(0))
    picks: Picks = field(default_factory=lambda: np.zeros((0, 0), dtype=np.intp))

    def __post_init__(self) -> None:
        self.picks = np.zeros((0, len(self.parts)), dtype=np.intp)

    def run(self) -> Proven:
        """Search until proven, or until `watch` says stop; then the bound tells how much better a set may be."""
        bound = _NEVER
        if all(len(part) for part in self.parts):
            self._first()
            bound = self._boxes()
        chosen, _ = chosen_by(self.parts, self.picks, self.ksfs)
        return Proven(chosen, self.best, max(bound, self.best[0] if len(self.best) else _NEVER), self.evaluated)

    @property
    def threshold(self) -> float:
        """Return the log of the KGI that a set must reach to be among the wanted."""
        if len(self.best) < self.wanted or self.best[self.wanted - 1] <= 0:
            return _NEVER
        return float(np.log(self.best[self.wanted - 1])) - _HAIR

    def look_at(self, picks: Picks) -> None:
        """Evaluate choices and keep the best, and those as good as the last of them."""
        _, true = chosen_by(self.parts, picks, self.ksfs)
        picks = picks[true]
        logs = sum((part.logs[rows] for part, rows in zip(self.parts, picks.T, strict=True)), np.zeros((len(picks), 1)))
        kgi = self.channels.value(logs)
        self.evaluated += len(picks)
        both, kgi = np.concatenate((self.picks, picks)), np.concatenate((self.best, kgi))
        _, once = np.unique(both, axis=0, return_index=True)
        order = once[np.argsort(-kgi[once], kind="stable")]
        last = kgi[order[min(self.wanted, len(order)) - 1]] if len(order) else 0.0
        order = order[kgi[order] >= last - SAME * abs(last)][:_KEPT]
        self.picks, self.best = both[order], kgi[order]

    @cached_property
    def _uses(self) -> list[Array]:
        """Return what each bundle uses of the room there is, and of each claim that has to be true."""
        claims = [
            (one, column, self._owner(other))
            for one, part in enumerate(self.parts)
            for column, other in enumerate(part.others)
        ]
        found = [[part.uses / self.room] for part in self.parts]
        for one, column, (owner, at) in (claim for claim in claims if claim[2][0] >= 0):
            for part, rows in zip(self.parts, found, strict=True):
                rows.append(np.zeros((len(part), 2)))
            said = self.parts[one].claims[:, column]
            is_so = self.parts[owner].chosen[:, at]
            found[one][-1][:] = np.column_stack((said == 1, said == 0))
            found[owner][-1][:] += np.column_stack((-1.0 * is_so, is_so))
        return [np.hstack(rows) for rows in found]

    def _owner(self, ksf: int) -> tuple[int, int]:
        """Return whose a KSF is and at which place there; (-1, -1) if nobody may choose it."""
        owners = [(at, list(part.own).index(ksf)) for at, part in enumerate(self.parts) if ksf in part.own]
        return owners[0] if owners else (-1, -1)

    @cached_property
    def _limits(self) -> Array:
        """Return the room of every column of `_uses`: a claim of yes needs a yes, one of no needs no yes."""
        claims = (self._uses[0].shape[1] - len(self.room)) // 2
        return np.concatenate((np.full(len(self.room), 1 + SAME), np.tile([0.0, 1.0], claims)))

    @cached_property
    def _capped(self) -> list[int]:
        """Return the metrics that a set may lift to their cap: they count apart from the products."""
        most = sum(part.logs.max(axis=0) for part in self.parts)
        return np.flatnonzero(most > np.log(self.channels.caps)).tolist()

    @cached_property
    def _products(self) -> list[Array]:
        """Return for each bundle the log of what it multiplies each product by, without what may be capped."""
        exponents = self.channels.exponents.copy()
        exponents[:, self._capped] = 0.0
        return [part.logs @ exponents.T for part in self.parts]

    def _first(self) -> None:
        """Find good sets: the products weighed as they are, then as they are at the best set found."""
        shares = self._shares(np.zeros(len(self.channels.metrics)))
        for _ in range(4):
            weights = shares @ self.channels.exponents
            problem = Knapsack([part.logs @ weights for part in self.parts], self._uses, self._limits)
            self._reach(problem, relaxed(problem))
            if not len(self.best):
                return
            before, shares = shares, self._shares(self._best_logs)
            if np.abs(shares - before).max() < 1e-3:
                return

    def _reach(self, problem: Knapsack, seen: Relaxed) -> None:
        """List what lies near the bound, ever further, until as many sets as wanted are among it."""
        span = sum(float(values.max() - values.min()) for values in problem.values)
        gap, least = 1e-3 * span + _HAIR, 0
        while gap < 4 * (span + float(seen.prices.sum())) + 1:
            found = near(problem, seen, gap, _FIRST_STEPS)
            if found is None:
                return
            self.look_at(found)
            least = len(self.best)
            if least >= self.wanted:
                return
            gap *= 1.6

    @property
    def _best_logs(self) -> Array:
        return np.asarray(sum(part.logs[at] for part, at in zip(self.parts, self.picks[0], strict=True)))

    def _shares(self, logs: Array) -> Array:
        """Return how much each product is of the KGI, for a set with these logs."""
        capped = np.minimum(logs, np.log(self.channels.caps))
        amounts = np.abs(self.channels.weights) * np.exp(self.channels.exponents @ capped)
        return np.asarray(amounts / amounts.sum())

    @cached_property
    def _split(self) -> tuple[list[Array], list[Array]]:
        """Return m, one number per bundle, and y with the capped metrics behind it, one row per bundle."""
        shares = self._shares(self._best_logs if len(self.best) else np.zeros(len(self.channels.metrics)))
        level = [products @ shares for products in self._products]
        apart = [
            np.hstack((products - mean[:, None], part.logs[:, self._capped]))
            for products, mean, part in zip(self._products, level, self.parts, strict=True)
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
            if not self.watch(self.best[0] if len(self.best) else _NEVER, _exp(-bound)):
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
        if (low > high + _HAIR).any():
            return
        roof = Roof(self.channels, self._capped, low, high)
        if roof.hopeless:
            return
        cut = np.flatnonzero(np.isfinite(box.low) | np.isfinite(box.high))
        problem = Knapsack(
            [mean[kept] + rows @ roof.slope for mean, rows, kept in zip(level, inside, box.kept, strict=True)],
            [
                np.hstack((use[kept], rows[:, cut], -rows[:, cut]))
                for use, rows, kept in zip(self._uses, inside, box.kept, strict=True)
            ],
            np.concatenate((self._limits, high[cut], -low[cut])),
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
            seen.prices[: len(self._limits)],
        )
        problem, seen = problem.among(kept), seen.among(kept)
        found = near(problem, seen, gap, _STEPS)
        if found is not None:
            self._look_into(box, found)
        elif roof.doubt.max(initial=0.0) <= _TINY or not len(self.best):
            taken = taken_over(problem, self.wanted)
            self._look_into(box, taken.picks)
            if taken.bound + roof.height > self.threshold and roof.doubt.max(initial=0.0) <= _TINY:
                self.untold = max(self.untold, _exp(taken.bound + roof.height))
            elif len(taken.picks):
                yield from self._cut(box, roof, bound)
        else:
            yield from self._cut(box, roof, bound)

    def _cut(self, box: _Box, roof: Roof, bound: float) -> Iterator[tuple[float, _Box]]:
        """Yield the two halves of a box, cut where most is in doubt."""
        widest = int(roof.doubt.argmax())
        below, above = box.high.copy(), box.low.copy()
        below[widest] = above[widest] = roof.middle(widest)
        yield bound, _Box(box.low, below, box.kept, box.prices)
        yield bound, _Box(above, box.high, box.kept, box.prices)

    def _look_into(self, box: _Box, picks: Picks) -> None:
        self.look_at(np.column_stack([kept[rows] for kept, rows in zip(box.kept, picks.T, strict=True)]))


def _exp(log: float) -> float:
    return float(np.exp(min(log, 700.0)))
