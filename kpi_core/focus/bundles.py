"""What each team can take on: every bundle of its KSFs, what it uses, what it multiplies.

Teams are independent but for the links between their KSFs. A bundle whose effect depends on whether another team's
KSF is chosen stands here once for every answer, with a claim of that answer; a set of bundles is one only if all its
claims are true.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from kpi_core.focus.effects import Effects
from kpi_core.focus.search import SAME, FocusLimits, Mask, Picks, exclusions, too_many, usage
from kpi_core.readings import Array

Claims = npt.NDArray[np.int8]

MOST_BUNDLES = 400_000
_CHUNK = 16_384
_LOWEST = 1e-12  # what loses all of a metric counts as losing all but this much of it


@dataclass(frozen=True, eq=False)
class Bundles:
    """A team's bundles, one per row: which of its KSFs, what it claims of others, what it uses, what it multiplies.

    `own` and `others` are places of KSFs in the plan. A claim is 1 (chosen), 0 (not) or -1 (does not matter).
    `logs` are the logs of its multipliers, by metric, for the year by metric and month.
    """

    own: Sequence[int]
    others: Sequence[int]
    chosen: Mask
    claims: Claims
    uses: Array
    logs: Array

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.chosen)

    def only(self, rows: npt.NDArray[np.intp]) -> Bundles:
        """Return some of them."""
        return Bundles(self.own, self.others, self.chosen[rows], self.claims[rows], self.uses[rows], self.logs[rows])


def chosen_by(parts: Sequence[Bundles], picks: Picks, ksfs: int) -> tuple[Mask, npt.NDArray[np.bool_]]:
    """Return the KSFs of each choice of one bundle per team, and whether all the bundles claim is true of it."""
    chosen = np.zeros((len(picks), ksfs), dtype=np.bool_)
    for part, rows in zip(parts, picks.T, strict=True):
        chosen[:, part.own] = part.chosen[rows]
    true = np.ones(len(picks), dtype=np.bool_)
    for part, rows in zip(parts, picks.T, strict=True):
        claims = part.claims[rows]
        true &= ((claims < 0) | (claims == chosen[:, part.others])).all(axis=1)
    return chosen, true


@dataclass(frozen=True, eq=False)
class Bundling:
    """Makes the bundles of every team."""

    effects: Effects
    limits: FocusLimits
    lock: Collection[str]
    rule_out: Collection[str]

    @cached_property
    def teams(self) -> Mapping[str, Sequence[int]]:
        """Return the places of each team's KSFs that may be chosen."""
        teams: dict[str, list[int]] = {}
        for at, (ksf, entry) in enumerate(self.effects.plan.ksfs.items()):
            if ksf not in self.rule_out:
                teams.setdefault(entry.team, []).append(at)
        return teams

    @cached_property
    def considered(self) -> int:
        """Return how many sets there are, whatever they use."""
        whole = 1
        for team, ksfs in self.teams.items():
            whole *= sum(comb(len(ksfs), size) for size in self._sizes(team))
        return whole

    def all(self) -> list[Bundles]:
        """Return the bundles of every team.

        Raises
        ------
        KpiError
            `too_many_sets`: a team alone has too many.
        """
        return [self._of(team, own) for team, own in self.teams.items()]

    def again(self, parts: Sequence[Bundles]) -> list[Bundles]:
        """Return bundles made for another ledger with what they multiply by this one."""
        return [replace(part, logs=self._all_logs(part.chosen, part.claims, part.own, part.others)) for part in parts]

    @cached_property
    def resources(self) -> dict[str, float]:
        """Return how much there is of each resource that has an end."""
        return {resource: limit for resource, limit in self.limits.resources.items() if limit < np.inf}

    @cached_property
    def _needs(self) -> Array:
        ksfs = self.effects.plan.ksfs
        columns = [usage(ksfs, resource) for resource in self.resources]
        return np.array(columns).T.reshape(len(ksfs), len(columns))

    @cached_property
    def _excluded(self) -> list[list[int]]:
        return exclusions(self.effects.plan.ksfs)

    @cached_property
    def _asks(self) -> list[set[int]]:
        """Return for each KSF which others change what it does or brings along when it is chosen."""
        plan, places = self.effects.plan, {ksf: at for at, ksf in enumerate(self.effects.ksfs)}
        asks = [{places[other] for other in self.effects.builds_on(ksf)} for ksf in places]
        built_on = [set(ask) for ask in asks]
        for link in plan.assumptions.synergies:
            if set(link.pair) <= set(places):
                one, other = (places[ksf] for ksf in link.pair)
                asks[one].add(other)
                asks[other].add(one)
        for spill in plan.assumptions.spillovers:
            if {spill.source, spill.target} <= set(places):
                target = places[spill.target]
                asks[places[spill.source]] |= {target, *built_on[target]}
        return [ask | set(excluded) for ask, excluded in zip(asks, self._excluded, strict=True)]

    def _sizes(self, team: str) -> range:
        count = len(self.teams[team])
        return range(self.limits.least(count), self.limits.most(team, count) + 1)

    def _of(self, team: str, own: Sequence[int]) -> Bundles:
        if sum(comb(len(own), size) for size in self._sizes(team)) > MOST_BUNDLES:
            raise too_many(self.considered, MOST_BUNDLES)
        chosen = self._within_limits(_combinations(len(own), self._sizes(team)), own)
        others = sorted({other for at in own for other in self._asks[at]} - set(own))
        chosen, claims = self._claimed(chosen, own, others)
        logs = self._all_logs(chosen, claims, own, others)
        return Bundles(own, others, chosen, claims, chosen @ self._needs[own], logs)

    def _within_limits(self, chosen: Mask, own: Sequence[int]) -> Mask:
        """Leave out what breaks a limit by itself, excludes itself, or lacks what must be in."""
        room = np.array([limit * (1 + SAME) + SAME for limit in self.resources.values()])
        fits = (chosen @ self._needs[own] <= room).all(axis=1)
        for at, ksf in enumerate(own):
            if self.effects.ksfs[ksf] in self.lock:
                fits &= chosen[:, at]
            for other in set(self._excluded[ksf]) & set(own):
                fits &= ~(chosen[:, at] & chosen[:, list(own).index(other)])
        return chosen[fits]

    def _claimed(self, chosen: Mask, own: Sequence[int], others: Sequence[int]) -> tuple[Mask, Claims]:
        """Return each bundle once for every answer to what it asks of others' KSFs."""
        claims = np.full((len(chosen), len(others)), -1, dtype=np.int8)
        for column, other in enumerate(others):
            asking = [at for at, ksf in enumerate(own) if other in self._asks[ksf]]
            matters = chosen[:, asking].any(axis=1)
            forbidden = chosen[:, [at for at in asking if other in self._excluded[own[at]]]].any(axis=1)
            said = []
            for answer in self._answers(other):
                rows = matters & ~forbidden if answer else matters
                with_answer = claims[rows].copy()
                with_answer[:, column] = answer
                said.append((chosen[rows], with_answer))
            chosen = np.concatenate([chosen[~matters], *(rows for rows, _ in said)])
            claims = np.concatenate([claims[~matters], *(rows for _, rows in said)])
            if len(chosen) > MOST_BUNDLES:
                raise too_many(self.considered, MOST_BUNDLES)
        return chosen, claims

    def _answers(self, other: int) -> tuple[int, ...]:
        ksf = self.effects.ksfs[other]
        if ksf in self.lock:
            return (1,)
        return (0,) if ksf in self.rule_out else (0, 1)

    def _all_logs(self, chosen: Mask, claims: Claims, own: Sequence[int], others: Sequence[int]) -> Array:
        return np.concatenate([self._logs(chosen[part], claims[part], own, others) for part in _parts(len(chosen))])

    def _logs(self, chosen: Mask, claims: Claims, own: Sequence[int], others: Sequence[int]) -> Array:
        rows = np.zeros((len(chosen), len(self.effects.ksfs)), dtype=np.bool_)
        rows[:, own] = chosen
        rows[:, others] = claims == 1
        factors = self.effects.multipliers(rows, only=[self.effects.ksfs[at] for at in own])
        return np.asarray(np.log(np.maximum(factors, _LOWEST)).reshape(len(rows), math.prod(factors.shape[1:])))


def _combinations(count: int, sizes: range) -> Mask:
    """Return every choice of so many out of `count`, one per row."""
    found = [np.zeros((0, count), dtype=np.bool_)]
    for size in sizes:
        picked = np.array(list(combinations(range(count), size)), dtype=np.intp).reshape(comb(count, size), size)
        rows = np.zeros((len(picked), count), dtype=np.bool_)
        rows[np.arange(len(picked))[:, None], picked] = True
        found.append(rows)
    return np.concatenate(found)


def _parts(count: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, max(count, 1), _CHUNK))
