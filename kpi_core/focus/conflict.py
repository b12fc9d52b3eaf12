"""Why no set is possible: the smallest group of limits that already conflict, and how much each would have to give.

    minimise use of one resource   subject to   what must be in, what excludes what, so many per team, other limits

A 0/1 program over the KSFs; what they bring plays no part. The group is irreducible, and smallest: one limit that is
too tight by itself is looked for before two that are too tight together, then any that conflict are thinned out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.optimize import LinearConstraint, milp

from kpi_core.focus.search import FocusLimits, exclusions, usage
from kpi_core.plan import Plan
from kpi_core.readings import Array

_TOGETHER = 2
_HAIR = 1e-9


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A limit that is part of the conflict: how much there is, and how much more of it alone would end this conflict.

    `limit` is a resource of `FocusLimits`, or `max_ksfs.<team>`. Limits outside the group may still be in the way.
    """

    limit: str
    has: float
    short: float


@dataclass(frozen=True)
class Wishes:
    """What is asked of a set, whatever it brings; limits that are `free` are not kept."""

    plan: Plan
    limits: FocusLimits
    lock: Collection[str]
    rule_out: Collection[str]
    free: frozenset[str] = frozenset()

    def conflict(self) -> tuple[Clash, ...]:
        """Return the smallest group of limits that conflict with what must be in; () if it is not the limits."""
        rows = [row for row in self._bounds if np.isfinite(self._bounds[row]) and row not in self.free]
        if self._least(None, rows) is not None or self._least(None, []) is None:
            return ()
        group = self._smallest(rows)
        return tuple(Clash(limit=row, has=self._bounds[row], short=self._short(row, group)) for row in group)

    def conflicts(self) -> tuple[tuple[Clash, ...], ...]:
        """Return that group, then the smallest of the other limits, and so on, until what is left can be kept."""
        groups, wishes = [], self
        while group := wishes.conflict():
            groups.append(group)
            wishes = replace(wishes, free=wishes.free | {clash.limit for clash in group})
        return tuple(groups)

    def _smallest(self, rows: Sequence[str]) -> Sequence[str]:
        for size in range(1, _TOGETHER + 1):
            for group in combinations(rows, size):
                if self._least(None, group) is None:
                    return group
        kept = list(rows)
        for row in rows:
            others = [other for other in kept if other != row]
            if self._least(None, others) is None:
                kept = others
        return kept

    def _short(self, row: str, group: Sequence[str]) -> float:
        least = self._least(row, [other for other in group if other != row])
        return max(0.0, (least or 0.0) - self._bounds[row])

    @cached_property
    def _bounds(self) -> dict[str, float]:
        """Return how much there is of each resource, and how many KSFs each team may take on."""
        places = {f"max_ksfs.{team}": float(most) for team, most in self.limits.max_ksfs.items()}
        return {**self.limits.resources, **places}

    @cached_property
    def _ksfs(self) -> list[str]:
        return [ksf for ksf in self.plan.ksfs if ksf not in self.rule_out]

    def _uses(self, row: str) -> Array:
        ksfs = {ksf: self.plan.ksfs[ksf] for ksf in self._ksfs}
        return usage(ksfs, row.replace("max_ksfs.", "ksfs."))

    def _least(self, row: str | None, kept: Collection[str]) -> float | None:
        """Return the least of a resource (of none: 0) that a set takes which keeps these limits; None if none does."""
        count = len(self._ksfs)
        if any(ksf not in self._ksfs for ksf in self.lock):
            return None
        if not count:
            return 0.0
        answer = milp(
            np.zeros(count) if row is None else self._uses(row),
            constraints=list(self._constraints(kept)),
            integrality=np.ones(count),
            bounds=(np.array([float(ksf in self.lock) for ksf in self._ksfs]), np.ones(count)),
        )
        return None if answer.x is None else float(answer.fun)

    def _constraints(self, kept: Collection[str]) -> Iterator[LinearConstraint]:
        for row in kept:
            yield LinearConstraint(self._uses(row)[None, :], ub=self._bounds[row] * (1 + _HAIR))
        for one, others in zip(self.plan.ksfs, exclusions(self.plan.ksfs), strict=True):
            for other in (ksf for at, ksf in enumerate(self.plan.ksfs) if at in others):
                both = [float(ksf in (one, other)) for ksf in self._ksfs]
                yield LinearConstraint(np.array(both)[None, :], ub=1)
        for team in {self.plan.ksfs[ksf].team for ksf in self._ksfs} if self.limits.exactly is not None else ():
            mine = self._uses(f"ksfs.{team}")
            yield LinearConstraint(mine[None, :], lb=self.limits.least(int(mine.sum())), ub=self.limits.exactly)


def conflicts(
    plan: Plan, limits: FocusLimits, lock: Collection[str], rule_out: Collection[str]
) -> tuple[tuple[Clash, ...], ...]:
    """Return all that is in the way: the smallest group of limits that conflict, then those of the others."""
    return Wishes(plan, limits, lock, rule_out).conflicts()


def conflict(plan: Plan, limits: FocusLimits, lock: Collection[str], rule_out: Collection[str]) -> tuple[Clash, ...]:
    """Return the smallest group of limits that cannot be kept together with what must be in, and what each lacks."""
    return Wishes(plan, limits, lock, rule_out).conflict()
