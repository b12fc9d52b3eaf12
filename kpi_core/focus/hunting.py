"""Looking for the best sets of one bundle per team: what every way of searching shares.

A way of searching says what a set is worth (`value`, by the logs of its multipliers) and goes on until no set that
has not been looked at can be among the wanted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from kpi_core.focus.bundles import Bundles, chosen_by
from kpi_core.focus.effects import Effects
from kpi_core.focus.knapsack import Knapsack, Relaxed, near
from kpi_core.focus.search import SAME, Mask, Picks
from kpi_core.readings import Array

NEVER = -np.inf
HAIR = 1e-11
_FIRST_STEPS = 2_000_000
_TRIED = 64
_KEPT = 4_096
_EQUAL = 1e-11  # of the best: what is closer counts as equal where fewer KSFs decide
_PLACES = 12
_PIECE = 16_384
_ROWS = 4_096  # through the tree at once

# Told the best KGI so far and what no set exceeds; False stops the search.
Watch = Callable[[float, float], bool]


@dataclass(frozen=True, eq=False)
class Proven:
    """The best sets found, best first: KSFs (rows of a mask) and KGI; no other set exceeds `bound`."""

    chosen: Mask
    kgi: Array
    bound: float
    evaluated: int


def at_places(kept: Sequence[Picks], picks: Picks) -> Picks:
    """Return choices among the bundles kept as choices among all."""
    return np.column_stack([rows[picked] for rows, picked in zip(kept, picks.T, strict=True)])


@dataclass(eq=False)
class Hunt(ABC):
    """One search for the `wanted` best sets; `room` is how much there is of each resource that bundles use."""

    parts: Sequence[Bundles]
    room: Array
    ksfs: int
    wanted: int
    watch: Watch = field(default=lambda _best, _bound: True, kw_only=True)
    evaluated: int = field(default=0, init=False)
    best: Array = field(default_factory=lambda: np.zeros(0), init=False)
    ceiling: float = field(default=np.inf, init=False)
    picks: Picks = field(init=False)

    def __post_init__(self) -> None:
        self.picks = np.zeros((0, len(self.parts)), dtype=np.intp)

    @abstractmethod
    def value(self, logs: Array) -> Array:
        """Return what sets are worth, by rows of the logs of what they multiply."""

    @abstractmethod
    def search(self) -> float:
        """Look at sets until the best are known. Return what no set exceeds that was not looked at."""

    def run(self) -> Proven:
        """Search until proven, or until `watch` says stop; then the bound tells how much better a set may be."""
        bound = self.search() if all(len(part) for part in self.parts) else NEVER
        chosen, _ = chosen_by(self.parts, self.picks, self.ksfs)
        return Proven(chosen, self.best, max(bound, self.known), self.evaluated)

    def alive(self) -> bool:
        """Tell `watch` how far it is. Return whether to go on."""
        return self.watch(self.known, max(self.known, self.ceiling))

    @property
    def known(self) -> float:
        """Return the best value so far."""
        return float(self.best.max()) if len(self.best) else NEVER

    @property
    def last(self) -> float:
        """Return the value a set must reach to be among the wanted."""
        return float(self.best[: self.wanted].min()) if len(self.best) >= self.wanted else NEVER

    def look_at(self, picks: Picks) -> None:
        """Evaluate choices that keep the limits and keep the best, and those as good as the last of them."""
        for start in range(0, len(picks), _PIECE):
            self._look_at_some(picks[start : start + _PIECE])

    def _look_at_some(self, picks: Picks) -> None:
        _, true = chosen_by(self.parts, picks, self.ksfs)
        used = sum((uses[rows] for uses, rows in zip(self.uses, picks.T, strict=True)), np.zeros((len(picks), 1)))
        picks = picks[true & (used <= self.limits + HAIR).all(axis=1)]
        worth = self.value(self.logs(picks))
        self.evaluated += len(picks)
        both, worth = np.concatenate((self.picks, picks)), np.concatenate((self.best, worth))
        _, once = np.unique(both, axis=0, return_index=True)
        order = once[self._by_worth(both[once], worth[once])]
        last = worth[order[: self.wanted]].min() if len(order) else 0.0
        order = order[worth[order] >= last - SAME * abs(last)][:_KEPT]
        self.picks, self.best = both[order], worth[order]

    def _by_worth(self, picks: Picks, worth: Array) -> Picks:
        """Return the order of choices, best first; of equal ones those with fewer KSFs first."""
        top = float(np.abs(worth).max()) if len(worth) else 0.0
        steps = np.round(worth / (_EQUAL * top)) if top else worth
        sizes = sum((size[rows] for size, rows in zip(self._sizes, picks.T, strict=True)), np.zeros(len(picks)))
        return np.lexsort((sizes, -steps))

    @cached_property
    def _sizes(self) -> list[Array]:
        return [part.chosen.sum(axis=1).astype(np.float64) for part in self.parts]

    def logs(self, picks: Picks) -> Array:
        """Return the logs of what choices multiply, one row each."""
        each = (part.logs[rows] for part, rows in zip(self.parts, picks.T, strict=True))
        return np.asarray(sum(each, np.zeros((len(picks), 1))))

    def reach(self, problem: Knapsack, seen: Relaxed, kept: Sequence[Picks] | None = None) -> None:
        """List what lies near the bound, ever further, until as many sets as wanted are among it.

        `kept` says which bundles the problem speaks of, if not of all.
        """
        span = sum(float(values.max() - values.min()) for values in problem.values)
        gap = 1e-3 * span + HAIR
        while gap < 4 * (span + float(seen.prices.sum())) + 1 and (not len(self.best) or self.alive()):
            found = near(problem, seen, gap, _FIRST_STEPS)
            if found is None:
                break
            before = self.evaluated
            self.look_at(found if kept is None else at_places(kept, found))
            if self.evaluated - before >= self.wanted:
                return
            gap *= 1.3
        self.improve(problem, kept)

    def improve(self, problem: Knapsack, kept: Sequence[Picks] | None) -> None:
        """Put other bundles in the place of one of the best set's as long as that helps, or leaves KSFs out."""
        before: list[int] = []
        while len(self.best) and self.picks[0].tolist() != before and self.alive():
            best = self.picks[0]
            before = best.tolist()
            used = sum(uses[at] for uses, at in zip(self.uses, best, strict=True))
            for team, uses in enumerate(self.uses):
                rows = np.arange(len(uses)) if kept is None else kept[team]
                fits = (uses[rows] + (used - uses[best[team]]) <= self.limits + HAIR).all(axis=1)
                values = np.round(problem.values[team][fits], _PLACES)
                order = np.lexsort((self._sizes[team][rows[fits]], -values))[:_TRIED]
                others = np.repeat(best[None, :], len(order), axis=0)
                others[:, team] = rows[fits][order]
                self.look_at(others)

    @cached_property
    def uses(self) -> list[Array]:
        """Return what each bundle uses of the room there is, and of each claim that has to be true."""
        claims = [
            (one, column, self._owner(other))
            for one, part in enumerate(self.parts)
            for column, other in enumerate(part.others)
        ]
        found = [[part.uses / self._scale] for part in self.parts]
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
    def limits(self) -> Array:
        """Return the room of every column of `uses`: a claim of yes needs a yes, one of no needs no yes."""
        claims = (self.uses[0].shape[1] - len(self.room)) // 2
        return np.concatenate((self.room / self._scale + SAME, np.tile([0.0, 1.0], claims)))

    @cached_property
    def _scale(self) -> Array:
        return np.where(self.room > 0, self.room, 1.0)


@dataclass(eq=False)
class ThroughTree(Hunt):
    """A search that evaluates sets through the plan's tree; logs are by metric, for the year by metric and month."""

    effects: Effects

    def value(self, logs: Array) -> Array:
        """Return the KGI of sets."""
        return self.kgi(logs)

    def kgi(self, logs: Array, *, capped: bool = True) -> Array:
        """Return the KGI by rows of logs; not `capped`, rates may be anything."""
        metrics = len(self.effects.metrics)
        shape = (metrics, -1) if self.effects.objective == "year" else (metrics,)
        found = np.empty(len(logs))
        for start in range(0, len(logs), _ROWS):
            rows = logs[start : start + _ROWS]
            found[start : start + _ROWS] = self.effects.kgi_at(np.exp(rows.reshape(len(rows), *shape)), capped=capped)
        return found
