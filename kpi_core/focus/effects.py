"""The effect ledger: from the lift a team states to the lift that can be counted on.

    effective = stated · execution · skill · headroom · flow · prerequisites · dilution · (1 + synergy) · ramp

    stated         (low + most likely + high) / 3
    execution      many initiatives do not stick
    skill          exp(−slope · levels missing)
    headroom       experienced teams have harvested the basics already
    flow           what the KSF needs a month, as far as it is there
    prerequisites  a factor for each KSF it builds on that is not chosen
    dilution       1 / (1 + d · KSFs beyond what the team can run at once)
    synergy        a bonus for each chosen partner
    ramp           the share of the effect that falls within the horizon, or within this fiscal year

Everything multiplies. The constants are `plan.assumptions`: illustrative until a team sets its own.
A chosen KSF may bring along a share of one that is not chosen (spill-over).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from kpi_core.calendar import Setting, setting
from kpi_core.document import Ksf
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.tree import Tree, evaluate

Objective = Literal["average", "year", "run_rate"]
# Sets of KSFs, one per row: 1 or true where a KSF is in.
Chosen = npt.NDArray[np.float64 | np.bool_]

STEPS = ("execution", "skill", "headroom", "flow", "prerequisites", "dilution", "synergy", "ramp")


@dataclass(frozen=True)
class Entry:
    """What one KSF does to one metric: the stated lift, the factor of every step, the effective lift.

    `spills_from` names the chosen KSF that brings this along, if the KSF itself is not chosen.
    """

    ksf: str
    metric: str
    stated: float
    factors: Mapping[str, float]
    spills_from: str | None = None
    share: float = 1.0

    @property
    def effective(self) -> float:
        """Return the relative lift that counts: 0.0105 is +1.05 %."""
        return self.stated * math.prod(self.factors.values()) * self.share

    def running(self) -> list[tuple[str, float]]:
        """Return the lift after each step, for a waterfall from stated to effective."""
        value, found = self.stated, [("stated", self.stated)]
        for step, factor in self.factors.items():
            value *= factor
            found.append((step, value))
        return found if self.share == 1.0 else [*found, ("spill_over", value * self.share)]


@dataclass(frozen=True, eq=False)
class Altered:
    """Another ledger than the plan's: what each KSF's lift is multiplied by, its ramp, and a missing prerequisite."""

    times: Array
    ramps: Array
    prerequisite: float


@dataclass(frozen=True)
class Effects:
    """The factors of every KSF of a plan, for sets of KSFs given as rows of a 0/1 matrix.

    `average` and `run_rate` count the tree's own totals; `year` runs every set through the months, and what is
    multiplied has a last axis of months there. `before` is the plan the past is taken from, `altered` what is
    otherwise than the plan says.
    """

    plan: Plan
    objective: Objective
    before: Plan | None = None
    altered: Altered | None = None

    @cached_property
    def ksfs(self) -> tuple[str, ...]:
        """Return the KSFs in the plan's order: the columns of every matrix here."""
        return tuple(self.plan.ksfs)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Return the metrics that any KSF moves."""
        return tuple(dict.fromkeys(metric for ksf in self.plan.ksfs.values() for metric in ksf.moves))

    @cached_property
    def own(self) -> dict[str, dict[str, float]]:
        """Return, for each KSF, the factors that do not depend on what else is chosen."""
        return {ksf: self._own(ksf, entry) for ksf, entry in self.plan.ksfs.items()}

    def _own(self, ksf: str, entry: Ksf) -> dict[str, float]:
        assume, skill = self.plan.assumptions, self.plan.teams[entry.team].skill
        eta = assume.headroom_basic if entry.layer == "basic" else assume.headroom_advanced
        return {
            "execution": assume.execution,
            "skill": math.exp(assume.skill_slope * min(0, skill - entry.skill)),
            "headroom": max(assume.headroom_floor, 1 - eta * max(0, skill - assume.headroom_skill)),
            "flow": self._flow(entry, skill),
            "ramp": float(np.mean([self.ramp(ksf, metric) for metric in entry.moves] or [1.0])),
        }

    def _flow(self, entry: Ksf, skill: int) -> float:
        if skill >= self.plan.assumptions.prerequisite_skill:
            return 1.0
        months = self.plan.kgi.months
        shares = (self.plan.tree.now(metric) / months / needed for metric, needed in entry.needs.items() if needed > 0)
        return math.prod(min(1.0, max(0.0, share)) for share in shares)

    @cached_property
    def ramps(self) -> Array:
        """Return the months in which each KSF starts and is full: one row each."""
        if self.altered is not None:
            return self.altered.ramps
        return np.array([ksf.ramp for ksf in self.plan.ksfs.values()]).reshape(-1, 2)

    def reached(self, months: Array) -> Array:
        """Return which part of each KSF's effect is there in each month: 0 until its start, then rising to 1.

        One row per KSF, one column per month. Month 1 is the first of the year; before it nothing has begun.
        """
        rising = np.clip((months - self.ramps[:, :1]) / (self.ramps[:, 1:] - self.ramps[:, :1]), 0, 1)
        return np.asarray(np.where(months < 1, 0.0, rising))

    @cached_property
    def _over_time(self) -> Array:
        """Return `reached` over the months that count: the horizon's, or the fiscal year's and those before it."""
        by_month = self.objective == "year"
        return self.reached(
            self.setting.axis.numbers if by_month else np.arange(1.0, self.plan.assumptions.horizon_months + 1)
        )

    def ramp(self, ksf: str, metric: str) -> float:
        """Return which share of the KSF's full effect on a metric counts.

        Over a horizon the mean of the ramp; in a fiscal year each month weighs what it decides of the year's KGI.
        """
        if self.objective == "run_rate":
            return 1.0
        reached = self._over_time[self.ksfs.index(ksf)]
        if self.objective == "average":
            return float(reached.mean())
        share = self.decided.get(metric)
        return 0.0 if share is None else float(reached @ share)

    @cached_property
    def setting(self) -> Setting:
        """Return the months as they are without any KSF."""
        return setting(self.plan, before=self.before)

    @cached_property
    def decided(self) -> Mapping[str, Array]:
        """Return which share of the year's KGI each month decides, by metric; months before the year included."""
        return self.setting.decided(self.metrics)

    def decided_by(self, metric: str) -> Array:
        """Return the same for one metric, 0 in every month if it decides nothing."""
        return self.decided.get(metric, np.zeros(self.setting.axis.count))

    @cached_property
    def baseline(self) -> float:
        """Return the KGI without any KSF."""
        return float(self.setting.total()) if self.objective == "year" else self.plan.tree.now(self.plan.kgi.metric)

    @cached_property
    def lifts(self) -> Array:
        """Return stated · own factors, one row per KSF, one column per metric; by month the ramp comes on top."""
        table = np.zeros((len(self.ksfs), len(self.metrics)))
        for row, ksf in enumerate(self.ksfs):
            factors = [self.own[ksf][step] for step in self.own[ksf] if step != "ramp" or self.objective != "year"]
            for metric, lift in self.plan.ksfs[ksf].moves.items():
                table[row, self.metrics.index(metric)] = sum(lift) / 3 * math.prod(factors)
        return table if self.altered is None else table * self.altered.times[:, None]

    def prerequisites(self, chosen: Chosen, ksf: str) -> Array:
        """Return, for each set, the factor for what the KSF builds on and is not in the set."""
        missing = sum((1 - chosen[:, self.ksfs.index(other)] for other in self.builds_on(ksf)), np.zeros(len(chosen)))
        factor = self.plan.assumptions.prerequisite if self.altered is None else self.altered.prerequisite
        return np.asarray(factor**missing, dtype=np.float64)

    def dilution(self, chosen: Chosen, team: str) -> Array:
        """Return, for each set, how thinly a team is spread."""
        assume = self.plan.assumptions
        mine = [column for column, other in enumerate(self.ksfs) if self.plan.ksfs[other].team == team]
        too_many = np.maximum(0, chosen[:, mine].sum(axis=1) - assume.free_ksfs[self.plan.teams[team].skill - 1])
        return np.asarray(1 / (1 + assume.dilution * too_many), dtype=np.float64)

    def synergy(self, chosen: Chosen, ksf: str) -> Array:
        """Return, for each set, 1 plus the bonuses of the partners in it."""
        bonus = np.ones(len(chosen))
        for link in self.plan.assumptions.synergies:
            if ksf in link.pair and (partner := link.pair[link.pair[0] == ksf]) in self.plan.ksfs:
                bonus = bonus + link.bonus * chosen[:, self.ksfs.index(partner)]
        return bonus

    def multipliers(self, chosen: Chosen, *, only: Collection[str] | None = None) -> Array:
        """Return by how much each metric is multiplied, one row per set, before any cap; never below 0.

        `only` counts just what these KSFs do (and bring along): the product over all of them is the whole.
        """
        if self.objective == "year":
            return self.multipliers_by_month(chosen, self._over_time, only=only)
        return self.multipliers_by_month(chosen, np.ones((len(self.ksfs), 1)), only=only)[..., 0]

    def multipliers_by_month(self, chosen: Chosen, reached: Array, *, only: Collection[str] | None = None) -> Array:
        """Return the same with a last axis of months; `reached` is which part of each KSF's effect is there by month.

        A spill-over reaches as far as the KSF it is a part of.
        """
        factors = np.ones((len(chosen), len(self.metrics), reached.shape[1]))
        counted = set(self.ksfs if only is None else only)
        spread = {team: self.dilution(chosen, team) for team in {self.plan.ksfs[ksf].team for ksf in counted}}
        for row in np.flatnonzero(chosen.any(axis=0)):
            ksf = self.ksfs[row]
            if ksf not in counted:
                continue
            together = self.prerequisites(chosen, ksf) * spread[self.plan.ksfs[ksf].team] * self.synergy(chosen, ksf)
            moved = np.flatnonzero(self.lifts[row])
            lifts = self.lifts[row, moved, None] * reached[row]
            factors[:, moved] *= _factor((chosen[:, row] * together)[:, None, None] * lifts)
        for source, target, share in self._spillovers():
            if self.ksfs[source] not in counted:
                continue
            brought = share * chosen[:, source] * (1 - chosen[:, target])
            own = self.prerequisites(chosen, self.ksfs[target])
            factors *= _factor((brought * own)[:, None, None] * (self.lifts[target, :, None] * reached[target]))
        return factors

    @cached_property
    def links(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs of KSFs of which one changes what the other does, or excludes it, whatever their teams."""
        named = [
            *(link.pair for link in self.plan.assumptions.synergies),
            *((link.source, link.target) for link in self.plan.assumptions.spillovers),
            *((ksf, other) for ksf in self.ksfs for other in (*self.builds_on(ksf), *self.plan.ksfs[ksf].excludes)),
        ]
        return tuple(pair for pair in named if set(pair) <= set(self.ksfs))

    @cached_property
    def idle(self) -> frozenset[str]:
        """Return the KSFs that do nothing for the KGI in the time that counts, nor change what others do for it."""
        return self._of_no_use([ksf for ksf in self.ksfs if self._counts(ksf)])

    @cached_property
    def inert(self) -> frozenset[str]:
        """Return the KSFs that do nothing for the KGI whenever they start, whatever the ledger's constants are."""
        return self._of_no_use([ksf for ksf in self.ksfs if self.acts(ksf)])

    def _of_no_use(self, acting: Collection[str]) -> frozenset[str]:
        assume = self.plan.assumptions
        helping = {other for ksf in acting for other in self.builds_on(ksf)}
        helping |= {ksf for link in assume.synergies if set(link.pair) & set(acting) for ksf in link.pair}
        helping |= {link.source for link in assume.spillovers if link.target in acting}
        return frozenset(set(self.ksfs) - helping - set(acting))

    def acts(self, ksf: str) -> bool:
        """Return whether a KSF is stated to move anything the KGI depends on."""
        return any(any(lift) for metric, lift in self.plan.ksfs[ksf].moves.items() if metric in self.carrying.metrics)

    def _counts(self, ksf: str) -> bool:
        """Return whether anything of a KSF's effect reaches the KGI within the time that counts."""
        row = self.ksfs.index(ksf)
        moved = [metric for at, metric in enumerate(self.metrics) if self.lifts[row, at]]
        if self.objective != "year":
            return any(metric in self.carrying.metrics for metric in moved)
        last = self.setting.axis.count
        waits = [self._wait[metric] for metric in moved if metric in self._wait]
        return any(bool(self._over_time[row, : max(0, last - wait)].any()) for wait in waits)

    @cached_property
    def _wait(self) -> dict[str, int]:
        """Return how many months a change of each metric takes at the least until the KGI changes."""
        tree = self.carrying_by_month
        found = {self.plan.kgi.metric: 0}
        for metric in reversed(tree.order):
            lag = tree.metrics[metric].lag
            first = next((month for month, share in enumerate(lag) if share), 0)
            for part in tree.parts(metric):
                found[part] = min(found.get(part, self.setting.axis.count), found[metric] + first)
        return found

    def builds_on(self, ksf: str) -> tuple[str, ...]:
        """Return the KSFs without which this one does less; a skilled team needs none."""
        entry = self.plan.ksfs[ksf]
        skilled = self.plan.teams[entry.team].skill >= self.plan.assumptions.prerequisite_skill
        return () if skilled else tuple(entry.depends_on)

    def _spillovers(self) -> list[tuple[int, int, float]]:
        return [
            (self.ksfs.index(link.source), self.ksfs.index(link.target), link.share)
            for link in self.plan.assumptions.spillovers
            if link.source in self.plan.ksfs and link.target in self.plan.ksfs
        ]

    def kgi(self, chosen: Chosen) -> Array:
        """Return the KGI of each set through the plan's tree, for rows of chosen KSFs."""
        return self.kgi_at(self.multipliers(chosen))

    def kgi_at(self, factors: Array, *, capped: bool = True) -> Array:
        """Return the KGI for rows of metric multipliers, for the months of a year its total.

        A KSF may move a computed metric too: its formula is evaluated first, then multiplied. Not `capped`,
        rates may rise above what they can be: for bounds.
        """
        kgi = self.moved(factors, capped=capped)
        return np.broadcast_to(self.setting.axis.total(kgi) if self.objective == "year" else kgi, (len(factors),))

    def moved(
        self, factors: Array, levels: Mapping[str, Array] = MappingProxyType({}), *, capped: bool = True
    ) -> Array:
        """Return the KGI with these multipliers and, of some levers, other values; for a `year` its paces by month."""
        by_month = self.objective == "year"
        tree, months = (self.carrying_by_month, self.setting.months) if by_month else (self.carrying, None)
        tree = tree if capped else _without_rates(tree)
        given = {**(self.setting.values if by_month else {}), **levels}
        column = {metric: factors[:, at] for at, metric in enumerate(self.metrics)}
        values = {metric: pace for metric, pace in given.items() if metric in tree.metrics}
        for metric in tree.order:
            if metric in column:
                computed = metric in tree.expressions
                now = evaluate(tree, values, only=[metric], months=months)[metric] if computed else None
                now = values.get(metric, tree.baseline[metric]) if now is None else now
                values[metric] = self.capped(metric, now, column[metric]) if capped else now * column[metric]
        return evaluate(tree, values, only=[self.plan.kgi.metric], months=months)[self.plan.kgi.metric]

    @cached_property
    def carrying(self) -> Tree:
        """Only what the KGI depends on: nothing else has to be evaluated, or can go wrong."""
        return _carrying(self.plan.tree, self.plan.kgi.metric)

    @cached_property
    def carrying_by_month(self) -> Tree:
        """Return the same as it runs through the months."""
        return _carrying(self.plan.tree_by_month, self.plan.kgi.metric)

    def capped(self, metric: str, now: Array, factor: Array) -> Array:
        """Return the lifted value: rates stop at the assumed cap; one that is above it already stays where it is."""
        moved = now * factor
        if not self.plan.metrics[metric].is_share:
            return np.asarray(moved)
        return np.minimum(moved, np.maximum(now, self.plan.assumptions.rate_cap))


def _carrying(tree: Tree, kgi: str) -> Tree:
    return Tree({metric: tree.metrics[metric] for metric in tree.carriers(kgi)})


def _without_rates(tree: Tree) -> Tree:
    """Return the same tree with rates that may be any number."""
    return Tree({metric: entry.model_copy(update={"kind": "result"}) for metric, entry in tree.metrics.items()})


def _factor(lift: Array) -> Array:
    """Return 1 + lift, at least 0: nothing can lose more than all of it."""
    return np.maximum(0.0, 1.0 + lift)


def ledger(
    plan: Plan, chosen: Collection[str], *, objective: Objective = "average", before: Plan | None = None
) -> tuple[Entry, ...]:
    """Return every effect of a set of KSFs, step by step, spill-overs last.

    >>> from kpi_core.document import Ksf
    >>> Entry("F1", "rate", 0.02, {"execution": 0.6, "ramp": 0.875}).effective
    0.0105
    """
    effects = Effects(plan, objective, before)
    row = np.array([[1.0 if ksf in chosen else 0.0 for ksf in effects.ksfs]])
    entries = [entry for ksf in effects.ksfs if ksf in chosen for entry in _entries(effects, row, ksf)]
    for link in plan.assumptions.spillovers:
        if link.source in chosen and link.target in plan.ksfs and link.target not in chosen:
            entries += _entries(effects, row, link.target, source=link.source, share=link.share)
    return tuple(entries)


def _entries(effects: Effects, row: Array, ksf: str, *, source: str | None = None, share: float = 1.0) -> list[Entry]:
    own = effects.own[ksf]
    alone = source is not None  # a spill-over takes the other KSF as it would be by itself
    together = {
        "prerequisites": float(effects.prerequisites(row, ksf)[0]),
        "dilution": 1.0 if alone else float(effects.dilution(row, effects.plan.ksfs[ksf].team)[0]),
        "synergy": 1.0 if alone else float(effects.synergy(row, ksf)[0]),
    }
    entry = effects.plan.ksfs[ksf]
    return [
        Entry(ksf, metric, sum(lift) / 3, _in_order(own | together, effects.ramp(ksf, metric)), source, share)
        for metric, lift in entry.moves.items()
    ]


def _in_order(factors: Mapping[str, float], ramp: float) -> dict[str, float]:
    return {step: ramp if step == "ramp" else factors[step] for step in STEPS}
