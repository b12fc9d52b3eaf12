"""The best set of KSFs, proven: every set that keeps the limits is evaluated through the tree.

    KGI(S) = tree( now · Π (1 + effective lift) ),   subject to hours, budget, at most k per team

Sets that break a limit are never formed, so the answer can never break one. Teams whose KSFs do
not act on one another multiply independently: each such block of teams has one table of
multipliers, and a set of KSFs is one row of every table. KSFs that move nothing of this KGI and
help no other KSF are set aside first, unless they must be in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from math import comb, prod

import numpy as np
import numpy.typing as npt

from kpi_core.document import Ksf
from kpi_core.errors import KpiError
from kpi_core.focus.effects import Effects
from kpi_core.plan import Plan
from kpi_core.readings import Array

MAX_SETS = 2_000_000
_MAX_CELLS = 100_000_000
_CHUNK = 16_384
SAME = 1e-12

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Picks = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class FocusLimits:
    """What a choice may use; a team or a budget that is not named has no limit.

    `exactly` asks for just that many KSFs of every team that has any (all it has, if fewer).
    It does not lift `max_ksfs`.
    """

    budget: float | None = None
    hours: Mapping[str, float] = field(default_factory=dict)
    quarters: Mapping[str, Sequence[float]] = field(default_factory=dict)
    max_ksfs: Mapping[str, int] = field(default_factory=dict)
    exactly: int | None = None

    @classmethod
    def of(cls, plan: Plan, *, exactly: int | None = None) -> FocusLimits:
        """Return the limits the plan states."""
        return cls(
            budget=plan.limits.budget,
            hours={team: part.hours for team, part in plan.teams.items() if part.hours is not None},
            quarters={team: part.quarters for team, part in plan.teams.items() if part.quarters is not None},
            max_ksfs={team: part.max_ksfs for team, part in plan.teams.items() if part.max_ksfs is not None},
            exactly=exactly,
        )

    @property
    def resources(self) -> dict[str, float]:
        """Return every limit that is used up by amounts: `budget`, `hours.<team>`, `q1.<team>` to `q4.<team>`."""
        hours = {f"hours.{team}": limit for team, limit in self.hours.items()}
        for team, quarters in self.quarters.items():
            hours |= {f"q{at}.{team}": limit for at, limit in enumerate(quarters, 1)}
        return hours if self.budget is None else {"budget": self.budget, **hours}

    def most(self, team: str, count: int) -> int:
        """Return how many of a team's `count` KSFs may be in."""
        return min(count, self.max_ksfs.get(team, count), count if self.exactly is None else self.exactly)

    def least(self, count: int) -> int:
        """Return how many of a team's `count` KSFs have to be in."""
        return 0 if self.exactly is None else min(count, self.exactly)


@dataclass(frozen=True)
class Block:
    """Every choice the teams of a block have: rows of KSFs, what each row uses, what it multiplies."""

    chosen: Mask
    used: Array
    factors: Array


@dataclass(frozen=True)
class Sets:
    """All sets within the limits and the KGI of each: one row of every block."""

    effects: Effects
    blocks: tuple[Block, ...]
    rows: tuple[Rows, ...]
    considered: int

    def __len__(self) -> int:
        """Return how many sets keep the limits."""
        return len(self.rows[0])

    @cached_property
    def kgi(self) -> Array:
        """Return the KGI of every set."""
        found = np.empty(len(self))
        for start in range(0, len(self), _CHUNK):
            here = slice(start, start + _CHUNK)
            parts = (block.factors[rows[here]] for block, rows in zip(self.blocks, self.rows, strict=True))
            found[here] = self.effects.kgi_at(reduce(np.multiply, parts))
        return found

    def used(self, resource: int) -> Array:
        """Return how much every set uses of a limited resource, by its place in `FocusLimits.resources`."""
        parts = [block.used[rows, resource] for block, rows in zip(self.blocks, self.rows, strict=True)]
        return np.asarray(reduce(np.add, parts))

    def chosen(self, among: Rows) -> Mask:
        """Return the KSFs of some of the sets, one row each."""
        found = np.zeros((len(among), len(self.effects.ksfs)), dtype=np.bool_)
        for block, rows in zip(self.blocks, self.rows, strict=True):
            found |= block.chosen[rows[among]]
        return found

    def names(self, row: int) -> tuple[str, ...]:
        """Return the KSFs of a set."""
        inside = self.chosen(np.array([row]))[0]
        return tuple(ksf for ksf, here in zip(self.effects.ksfs, inside, strict=True) if here)

    def best(self, among: Mask | None = None) -> int | None:
        """Return the best set; of equals the one with fewer KSFs, then the first in the plan's order."""
        rows = np.arange(len(self)) if among is None else np.flatnonzero(among)
        if not len(rows):
            return None
        found = self.kgi[rows]
        rows = rows[found >= _as_good(found.max(), abs(self.effects.baseline))]
        return int(rows[_first(self.chosen(rows))])

    def with_ksf(self, ksf: str) -> Mask:
        """Return which sets hold a KSF."""
        column = self.effects.ksfs.index(ksf)
        found: Mask = np.zeros(len(self), dtype=np.bool_)
        for block, rows in zip(self.blocks, self.rows, strict=True):
            if block.chosen[:, column].any():
                found = block.chosen[rows, column]
        return found


def feasible(
    effects: Effects,
    limits: FocusLimits,
    *,
    lock: Collection[str] = (),
    rule_out: Collection[str] = (),
    idle: Collection[str] = (),
) -> Sets:
    """Return every set that holds `lock`, leaves out `rule_out` and what is `idle`, and keeps the limits.

    Raises
    ------
    KpiError
        `unknown_ksf`; `too_many_sets`: more than can be looked at one by one.
    """
    check_known(effects.plan, (*lock, *rule_out))
    teams = _teams(effects.plan.ksfs, {*rule_out, *idle})
    considered = prod(
        sum(comb(len(ksfs), size) for size in range(limits.least(len(ksfs)), limits.most(team, len(ksfs)) + 1))
        for team, ksfs in teams.items()
    )
    grown = _Growing(effects, limits, frozenset(lock), considered)
    blocks = tuple(grown.block(each) for each in _blocks(teams, effects.links))
    return Sets(effects, blocks, grown.joined(blocks), considered)


def check_known(plan: Plan, ksfs: Iterable[str]) -> None:
    """Refuse what is no KSF of the plan."""
    for ksf in ksfs:
        if ksf not in plan.ksfs:
            raise KpiError("unknown_ksf", "There is no KSF called {ksf}.", ksf=ksf)


def in_order(kgi: Array, chosen: Mask, scale: float, count: int) -> list[int]:
    """Return the best sets, best first; of equal ones first those with fewer KSFs, then those of the plan's order."""
    left, found = np.argsort(-kgi, kind="stable"), list[int]()
    while len(left) and len(found) < count:
        equal = np.flatnonzero(kgi[left] >= _as_good(kgi[left].max(), scale))
        first = equal[_first(chosen[left[equal]])]
        found.append(int(left[first]))
        left = np.delete(left, first)
    return found


def _as_good(top: float, scale: float) -> float:
    return float(top - SAME * max(abs(top), scale))


def _first(chosen: Mask) -> int:
    """Return which of equal sets comes first: fewer KSFs, then the plan's order."""
    sizes = chosen.sum(axis=1)
    rows = np.flatnonzero(sizes == sizes.min())
    for column in range(chosen.shape[1]):
        inside = chosen[rows, column]
        if len(rows) > 1 and inside.any():
            rows = rows[inside]
    return int(rows[0])


def usage(ksfs: Mapping[str, Ksf], resource: str) -> Array:
    """Return how much of a resource (`budget`, `hours.<team>`, `q1.<team>`, `ksfs.<team>`) each KSF uses."""
    kind, _, team = resource.partition(".")
    if kind == "budget":
        return np.array([ksf.cost for ksf in ksfs.values()])
    if kind == "ksfs":
        return np.array([float(ksf.team == team) for ksf in ksfs.values()])
    hours = np.array([ksf.hours.get(team, 0.0) for ksf in ksfs.values()])
    return hours if kind == "hours" else hours * [_falls_in(int(kind[1:]), *ksf.ramp) for ksf in ksfs.values()]


def _falls_in(quarter: int, start: float, full: float) -> float:
    """Return which share of a KSF's hours falls in a quarter: they are spread evenly from its start to its full month.

    What would be done before the year is done in its first quarter, what comes after it in none.
    """
    first, last = 3 * quarter - 2, 3 * quarter + 1
    begin, end = max(start, 1.0), max(full, start, 1.0)
    if end <= begin:
        return float(first <= begin < last)
    return max(0.0, min(end, last) - max(begin, first)) / (end - begin)


def exclusions(ksfs: Mapping[str, Ksf]) -> list[list[int]]:
    """Return for each KSF the places of those it cannot be chosen with, whichever of the two says so."""
    places = {ksf: at for at, ksf in enumerate(ksfs)}
    found: list[set[int]] = [set() for _ in ksfs]
    for ksf, entry in ksfs.items():
        for other in entry.excludes:
            if other != ksf and other in places:
                found[places[ksf]].add(places[other])
                found[places[other]].add(places[ksf])
    return [sorted(each) for each in found]


def too_many(count: int, limit: int) -> KpiError:
    """Return the error for more sets than can be compared."""
    digits = len(str(count))
    return KpiError(
        "too_many_sets",
        "{count} sets of KSFs would have to be compared; {limit} can be. Rule some out, or allow fewer per team.",
        count=f"{count:,}" if digits < 16 else f"10^{digits - 1}",
        limit=f"{limit:,}",
    )


def used_by(plan: Plan, limits: FocusLimits, chosen: Collection[str]) -> dict[str, float]:
    """Return what a set uses: money, the hours of every team that works on any KSF, and how many of whose KSFs."""
    row = np.array([ksf in chosen for ksf in plan.ksfs])
    busy = {team for ksf in plan.ksfs.values() for team in ksf.hours}
    owners = {ksf.team for ksf in plan.ksfs.values()}
    hours = [f"hours.{team}" for team in plan.teams if team in busy]
    counts = [f"ksfs.{team}" for team in plan.teams if team in owners]
    resources = dict.fromkeys(["budget", *limits.resources, *hours, *counts])
    return {resource: float(row @ usage(plan.ksfs, resource)) for resource in resources}


def _teams(ksfs: Mapping[str, Ksf], without: Collection[str]) -> dict[str, list[str]]:
    teams: dict[str, list[str]] = {}
    for ksf, entry in ksfs.items():
        if ksf not in without:
            teams.setdefault(entry.team, []).append(ksf)
    return teams


def _blocks(teams: Mapping[str, list[str]], links: Iterable[tuple[str, str]]) -> list[dict[str, list[str]]]:
    """Put teams whose KSFs act on one another into one block, also by way of a KSF that is set aside.

    A chosen KSF may bring along one that is ruled out, as far as what that builds on is chosen.
    """
    team_of = {ksf: f"team.{team}" for team, ksfs in teams.items() for ksf in ksfs}
    block_of = {f"team.{team}": {team: ksfs} for team, ksfs in teams.items()}
    for link in links:
        mine, its = (block_of.setdefault(team_of.get(ksf, ksf), {}) for ksf in link)
        if mine is not its:
            members = [member for member, block in block_of.items() if block is its]
            mine.update(its)
            block_of.update(dict.fromkeys(members, mine))
    return [block for block in {id(block): block for block in block_of.values()}.values() if block] or [{}]


@dataclass(frozen=True)
class _Growing:
    """Grows sets one KSF at a time and drops a set the moment it breaks a limit: adding never mends it."""

    effects: Effects
    limits: FocusLimits
    lock: frozenset[str]
    considered: int

    @cached_property
    def needs(self) -> Array:
        """What each KSF uses of each limited resource."""
        ksfs = self.effects.plan.ksfs
        columns = [usage(ksfs, resource) for resource in self.limits.resources]
        return np.array(columns).T.reshape(len(ksfs), len(columns))

    @cached_property
    def excluded(self) -> list[list[int]]:
        """Which KSFs each one cannot be chosen with."""
        return exclusions(self.effects.plan.ksfs)

    @cached_property
    def room(self) -> Array:
        """How much there is of each, with a hair's breadth for sums of decimals."""
        return np.array([limit * (1 + SAME) + SAME for limit in self.limits.resources.values()])

    def block(self, teams: Mapping[str, Sequence[str]]) -> Block:
        """Return every choice of some teams that keeps the limits by itself."""
        chosen = np.zeros((1, len(self.effects.ksfs)), dtype=np.bool_)
        used = np.zeros((1, self.needs.shape[1]))
        for team, ksfs in teams.items():
            chosen, used = self._with_team(chosen, used, team, ksfs)
        parts = [chosen[start : start + _CHUNK].astype(np.float64) for start in range(0, len(chosen), _CHUNK)]
        factors = [self.effects.multipliers(part) for part in parts or [np.zeros((0, chosen.shape[1]))]]
        return Block(chosen, used, np.concatenate(factors))

    def _with_team(self, chosen: Mask, used: Array, team: str, ksfs: Sequence[str]) -> tuple[Mask, Array]:
        most, least = self.limits.most(team, len(ksfs)), self.limits.least(len(ksfs))
        counts = np.zeros(len(chosen), dtype=np.intp)
        for left, ksf in zip(range(len(ksfs) - 1, -1, -1), ksfs, strict=True):
            column = self.effects.ksfs.index(ksf)
            more = used + self.needs[column]
            fits = (counts < most) & (more <= self.room).all(axis=1)
            fits = np.flatnonzero(fits & ~chosen[:, self.excluded[column]].any(axis=1))
            stays = np.flatnonzero(counts >= least - left) if ksf not in self.lock else np.zeros(0, dtype=np.intp)
            self._bearable(len(stays) + len(fits), width=len(self.effects.ksfs))
            added = chosen[fits]
            added[:, column] = True
            chosen = np.concatenate((chosen[stays], added))
            used = np.concatenate((used[stays], more[fits]))
            counts = np.concatenate((counts[stays], counts[fits] + 1))
        return chosen, used

    def joined(self, blocks: Sequence[Block]) -> tuple[Rows, ...]:
        """Return which rows of the blocks go together within the limits."""
        rows: list[Rows] = [np.arange(len(blocks[0].chosen))]
        used = blocks[0].used
        for block in blocks[1:]:
            left, right = self._pairs(used, block.used)
            rows = [*(row[left] for row in rows), right]
            used = used[left] + block.used[right]
        return tuple(rows)

    def _pairs(self, used: Array, more: Array) -> tuple[Rows, Rows]:
        step = max(1, MAX_SETS // max(1, len(more)))
        lefts, rights, count = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=np.intp)], 0
        for start in range(0, len(used), step):
            fits = np.ones((len(used[start : start + step]), len(more)), dtype=np.bool_)
            for at, room in enumerate(self.room):
                fits &= used[start : start + step, at, None] + more[None, :, at] <= room
            left, right = np.nonzero(fits)
            lefts.append(left + start)
            rights.append(right)
            count += len(left)
            self._bearable(count)
        return np.concatenate(lefts), np.concatenate(rights)

    def _bearable(self, count: int, width: int = 1) -> None:
        if count > MAX_SETS or count * width > _MAX_CELLS:
            raise too_many(self.considered, MAX_SETS)
