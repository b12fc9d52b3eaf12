"""The best set of KSFs, proven: every set that keeps the limits is evaluated through the tree.

    KGI(S) = tree( now · Π (1 + effective lift) ),   subject to hours, budget, at most k per team

Sets that break a limit are dropped before anything is evaluated, so the answer can never
break one. What is left is evaluated as arrays: twelve KSFs at two per team are 1,331 sets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from math import comb, prod

import numpy as np
import numpy.typing as npt

from kpi_core.document import Ksf
from kpi_core.errors import KpiError
from kpi_core.focus.effects import Effects
from kpi_core.plan import Plan
from kpi_core.readings import Array

MAX_SETS = 2_000_000
_CHUNK = 50_000
_SAME = 1e-12


@dataclass(frozen=True, kw_only=True)
class FocusLimits:
    """What a choice may use; a team or a budget that is not named has no limit.

    `exactly` asks for just that many KSFs of every team that has any, instead of at most.
    """

    budget: float | None = None
    hours: Mapping[str, float] = field(default_factory=dict)
    max_ksfs: Mapping[str, int] = field(default_factory=dict)
    exactly: int | None = None

    @classmethod
    def of(cls, plan: Plan, *, exactly: int | None = None) -> FocusLimits:
        """Return the limits the plan states."""
        return cls(
            budget=plan.limits.budget,
            hours={team: part.hours for team, part in plan.teams.items() if part.hours is not None},
            max_ksfs={team: part.max_ksfs for team, part in plan.teams.items() if part.max_ksfs is not None},
            exactly=exactly,
        )

    @property
    def resources(self) -> dict[str, float]:
        """Return every limit that is used up by amounts: `budget` and `hours.<team>`."""
        hours = {f"hours.{team}": limit for team, limit in self.hours.items()}
        return hours if self.budget is None else {"budget": self.budget, **hours}


@dataclass(frozen=True)
class Sets:
    """All sets within the limits and the KGI of each, in a fixed order: fewer KSFs first, then the plan's order."""

    effects: Effects
    chosen: npt.NDArray[np.bool_]
    considered: int

    @cached_property
    def kgi(self) -> Array:
        """Return the KGI of every set."""
        parts = [
            self.effects.kgi(self.chosen[start : start + _CHUNK].astype(np.float64))
            for start in range(0, len(self.chosen), _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def names(self, row: int) -> tuple[str, ...]:
        """Return the KSFs of a set."""
        return tuple(ksf for ksf, inside in zip(self.effects.ksfs, self.chosen[row], strict=True) if inside)

    def best(self, among: npt.NDArray[np.bool_] | None = None) -> int | None:
        """Return the row of the best set, the first of equals; None if there is none."""
        rows = np.arange(len(self.chosen)) if among is None else np.flatnonzero(among)
        if not len(rows):
            return None
        found = self.kgi[rows]
        return int(rows[np.argmax(found >= found.max() * (1 - _SAME))])

    def with_ksf(self, ksf: str) -> npt.NDArray[np.bool_]:
        """Return which sets hold a KSF."""
        inside: npt.NDArray[np.bool_] = self.chosen[:, self.effects.ksfs.index(ksf)]
        return inside


def feasible(
    effects: Effects, limits: FocusLimits, *, lock: Collection[str] = (), rule_out: Collection[str] = ()
) -> Sets:
    """Return every set that holds `lock`, leaves out `rule_out` and keeps the limits.

    Raises
    ------
    KpiError
        `unknown_ksf`; `too_many_sets`: more than can be looked at one by one.
    """
    for ksf in (*lock, *rule_out):
        if ksf not in effects.plan.ksfs:
            raise KpiError("unknown_ksf", "There is no KSF called {ksf}.", ksf=ksf)
    teams = _teams(effects.plan.ksfs, rule_out)
    sizes = {team: _sizes(limits, team, len(ksfs)) for team, ksfs in teams.items()}
    count = prod(sum(comb(len(ksfs), size) for size in sizes[team]) for team, ksfs in teams.items())
    if count > MAX_SETS:
        raise KpiError(
            "too_many_sets",
            "{count} sets of KSFs would have to be compared; {limit} can be. Rule some out, or allow fewer per team.",
            count=f"{count:,}",
            limit=f"{MAX_SETS:,}",
        )
    bundles = [_bundles(effects, ksfs, sizes[team], lock) for team, ksfs in teams.items()]
    chosen = _combined(effects, bundles, limits)
    order = np.lexsort((*(~chosen.T[::-1]), chosen.sum(axis=1)))
    return Sets(effects, chosen[order], count)


def usage(ksfs: Mapping[str, Ksf], resource: str) -> Array:
    """Return how much of a resource (`budget`, `hours.<team>`) each KSF uses."""
    if resource == "budget":
        return np.array([ksf.cost for ksf in ksfs.values()])
    team = resource.partition(".")[2]
    return np.array([ksf.hours.get(team, 0.0) for ksf in ksfs.values()])


def _teams(ksfs: Mapping[str, Ksf], rule_out: Collection[str]) -> dict[str, list[str]]:
    teams: dict[str, list[str]] = {}
    for ksf, entry in ksfs.items():
        if ksf not in rule_out:
            teams.setdefault(entry.team, []).append(ksf)
    return teams


def _sizes(limits: FocusLimits, team: str, count: int) -> Sequence[int]:
    if limits.exactly is not None:
        return [min(limits.exactly, count)]
    return range(min(limits.max_ksfs.get(team, count), count) + 1)


def _bundles(
    effects: Effects, ksfs: Sequence[str], sizes: Iterable[int], lock: Collection[str]
) -> npt.NDArray[np.bool_]:
    """Return every choice a team has, one row each, as columns over all KSFs."""
    must = {ksf for ksf in lock if ksf in ksfs}
    found = [set_ for size in sizes for set_ in combinations(ksfs, size) if must <= set(set_)]
    rows = np.zeros((len(found), len(effects.ksfs)), dtype=np.bool_)
    for row, set_ in enumerate(found):
        rows[row, [effects.ksfs.index(ksf) for ksf in set_]] = True
    return rows


def _combined(effects: Effects, bundles: Sequence[npt.NDArray[np.bool_]], limits: FocusLimits) -> npt.NDArray[np.bool_]:
    """Join the teams' choices one team at a time, dropping what already breaks a limit."""
    needs = [(usage(effects.plan.ksfs, resource), limit) for resource, limit in limits.resources.items()]
    joined = np.zeros((1, len(effects.ksfs)), dtype=np.bool_)
    for rows in bundles:
        joined = (joined[:, None, :] | rows[None, :, :]).reshape(-1, len(effects.ksfs))
        for amounts, limit in needs:
            joined = joined[joined @ amounts <= limit * (1 + _SAME) + _SAME]
    return joined
