"""The best sets within the limits, whichever way is quicker: all of them looked at, or branch and bound.

Few sets are looked at one by one, whatever the tree. Many are searched: `proof` if the KGI is a sum of products of
what the KSFs multiply, `year` if that holds through the months, else `anytree`. All prove their answer, and order equal
sets alike: fewer KSFs, then the plan's order (of thousands of equal sets a search may not have seen the first).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from kpi_core.errors import KpiError
from kpi_core.focus.anytree import AnyTree
from kpi_core.focus.bundles import Bundles, Bundling
from kpi_core.focus.channels import channels
from kpi_core.focus.effects import Effects
from kpi_core.focus.hunting import NEVER, Hunt, Watch
from kpi_core.focus.proof import Searching
from kpi_core.focus.search import MAX_SETS, FocusLimits, Mask, Sets, check_known, feasible, in_order, too_many
from kpi_core.focus.year import Yearly, is_convex

# Up to so many sets, looking at all of them is quicker than searching.
FEW = 50_000


@dataclass(frozen=True)
class Alternative:
    """A set of KSFs, and its KGI."""

    chosen: tuple[str, ...]
    kgi: float


@dataclass(frozen=True)
class Best:
    """The best sets, best first; no other exceeds `bound`. `considered` sets are possible, `evaluated` were looked at.

    The bound is that of the first unless the search was stopped.
    """

    sets: tuple[Alternative, ...]
    bound: float
    considered: int
    evaluated: int


class Choosing(Protocol):
    """A way to find the best sets."""

    @property
    def effects(self) -> Effects:
        """Return what the sets do."""
        ...

    def best(self, count: int = 1, *, having: str | None = None) -> Best:
        """Return the best sets, of those with one KSF if it is named."""
        ...

    def by(self, effects: Effects) -> Choosing:
        """Return the way to the best of the same sets by another ledger."""
        ...


def choosing(
    effects: Effects,
    limits: FocusLimits,
    *,
    lock: Collection[str] = (),
    rule_out: Collection[str] = (),
    idle: Collection[str] | None = None,
    watch: Watch | None = None,
) -> Choosing:
    """Return the quicker way to the best sets that hold `lock`, leave out `rule_out` and keep the limits.

    What is `idle` (else what does nothing by this ledger) is left out unless it must be in. `watch` is told the best
    KGI so far and the bound, and stops a search by returning False.

    Raises
    ------
    KpiError
        `unknown_ksf`; `too_many_sets`: more than can be looked at, and nothing to search by; from `best` also
        `nothing_found`: the search was stopped, or ended at its limit, before it found any set.
    """
    check_known(effects.plan, (*lock, *rule_out))
    idle = effects.idle if idle is None else idle
    idle = frozenset(idle) - set(lock) if limits.exactly is None else frozenset()
    bundling = Bundling(effects, limits, frozenset(lock), frozenset({*rule_out, *idle}))
    if bundling.considered > max(FEW, 1) and (hunt := _hunt(effects)) is not None:
        try:
            return Searched(effects, bundling, hunt, bundling.all(), watch or (lambda _best, _bound: True))
        except KpiError:  # one team has too many bundles to begin with; few of them may keep the limits
            pass
    return Listed(feasible(effects, limits, lock=lock, rule_out=rule_out, idle=idle))


def _hunt(effects: Effects) -> Callable[..., Hunt] | None:
    """Return the way to search that fits the KGI; a KGI that is 0 whatever is chosen has none."""
    if not effects.metrics:
        return None
    if effects.objective == "year" and effects.baseline > 0 and is_convex(effects):
        return partial(Yearly, effects=effects)
    if (products := channels(effects)) is not None:
        return partial(Searching, channels=products) if products.weights.any() else None
    return partial(AnyTree, effects=effects)


@dataclass(frozen=True)
class Listed:
    """All sets, looked at one by one."""

    sets: Sets

    @property
    def effects(self) -> Effects:
        """Return what the sets do."""
        return self.sets.effects

    def best(self, count: int = 1, *, having: str | None = None) -> Best:
        """Return the best sets, of those with one KSF if it is named."""
        among = np.ones(len(self.sets), dtype=np.bool_) if having is None else self.sets.with_ksf(having)
        found: list[Alternative] = []
        while len(found) < count and (row := self.sets.best(among)) is not None:
            among[row] = False
            found.append(Alternative(self.sets.names(row), float(self.sets.kgi[row])))
        bound = found[0].kgi if found else -np.inf
        return Best(tuple(found), bound, self.sets.considered, len(self.sets))

    def by(self, effects: Effects) -> Listed:
        """Return the same sets by another ledger."""
        blocks = (replace(block, factors=effects.multipliers(block.chosen)) for block in self.sets.blocks)
        return Listed(replace(self.sets, effects=effects, blocks=tuple(blocks)))


@dataclass(frozen=True)
class Searched:
    """Branch and bound over one bundle per team."""

    effects: Effects
    bundling: Bundling
    hunt: Callable[..., Hunt]
    parts: Sequence[Bundles]
    watch: Watch

    def by(self, effects: Effects) -> Choosing:
        """Return the search of the same bundles by another ledger."""
        bundling = replace(self.bundling, effects=effects)
        hunt = _hunt(effects)
        if hunt is None:
            return choosing(effects, bundling.limits, lock=bundling.lock, rule_out=bundling.rule_out)
        return Searched(effects, bundling, hunt, bundling.again(self.parts), self.watch)

    def best(self, count: int = 1, *, having: str | None = None) -> Best:
        """Return the best sets, of those with one KSF if it is named."""
        parts = self.parts if having is None else self._with(self.effects.ksfs.index(having))
        room = np.array(list(self.bundling.resources.values()))
        found = self.hunt(parts, room, len(self.effects.ksfs), count, watch=self.watch).run()
        kgi = self.effects.kgi(found.chosen.astype(np.float64)) if len(found.chosen) else found.kgi
        order = in_order(kgi, found.chosen, abs(self.effects.baseline), count)
        sets = tuple(Alternative(self._names(found.chosen[row]), float(kgi[row])) for row in order)
        if not sets and found.bound > NEVER:
            raise KpiError(
                "nothing_found",
                "The search ended before it found a set that keeps the limits. Let it go on, or give more room.",
            )
        bound = max(found.bound, sets[0].kgi) if sets else -np.inf
        if bound == np.inf:  # a fraction whose lower part may be 0: nothing can be said of the sets not looked at
            raise too_many(self.bundling.considered, MAX_SETS)
        return Best(sets, _closed(bound, sets), self.bundling.considered, found.evaluated)

    def _with(self, ksf: int) -> Sequence[Bundles]:
        """Return the bundles that can be part of a set with a KSF."""
        if not any(ksf in part.own for part in self.parts):
            return [part.only(np.zeros(0, dtype=np.intp)) for part in self.parts]
        found = []
        for part in self.parts:
            keep: Mask = np.ones(len(part), dtype=np.bool_)
            if ksf in part.own:
                keep &= part.chosen[:, list(part.own).index(ksf)]
            if ksf in part.others:
                keep &= part.claims[:, list(part.others).index(ksf)] != 0
            found.append(part.only(np.flatnonzero(keep)))
        return found

    def _names(self, chosen: Mask) -> tuple[str, ...]:
        return tuple(ksf for ksf, here in zip(self.effects.ksfs, chosen, strict=True) if here)


def _closed(bound: float, sets: Sequence[Alternative]) -> float:
    """Return the bound, or the best KGI if no more than rounding lies between them."""
    if sets and bound <= sets[0].kgi + 1e-9 * abs(sets[0].kgi):
        return sets[0].kgi
    return bound
