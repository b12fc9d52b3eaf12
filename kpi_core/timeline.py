"""A plan through the months: what each month brings, what one more unit is worth when, and the last useful month.

    forward     x(t) = Σⱼ k(j)·f(inputs)(t − j)
    backward    worth of one more unit in month t, for the KGI of the whole year
    identity    Σₜ visitors(t)·worth(t) = KGI of the year, past months included

Both run through the tree's own tables (`tree.evaluate`, `tree.slopes`); `calendar` says what is given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from kpi_core import lags
from kpi_core.calendar import Setting, setting
from kpi_core.document import MONTHS_A_YEAR, Metric
from kpi_core.errors import KpiError
from kpi_core.focus.effects import Effects
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.tree import evaluate, slopes

_SAME = 1e-9


@dataclass(frozen=True)
class Deadline:
    """By when a stage still counts: what one more unit is `worth` this year, by the month it enters.

    `complete` is what it is worth if the year did not end, by month as well (KSFs may be raising it), and `full`
    that without any KSF. `ninety`, `fifty`, `any` are the last months (1–12) in which it still has that share of
    its complete worth; None: in no month of this year.
    """

    metric: str
    full: float
    worth: Array
    complete: Array

    @property
    def share(self) -> Array:
        """Return which part of its complete worth a unit still has, by month."""
        known = np.abs(self.complete) > 0
        return np.asarray(np.where(known, self.worth / np.where(known, self.complete, 1.0), 0.0))

    def last(self, share: float) -> int | None:
        """Return the last month in which one more unit has at least this share of its full worth."""
        found = np.flatnonzero(self.share >= max(share - _SAME, _SAME))
        return int(found[-1]) + 1 if len(found) else None

    @property
    def ninety(self) -> int | None:
        """Return the month to commit to."""
        return self.last(0.9)

    @property
    def fifty(self) -> int | None:
        """Return the last call."""
        return self.last(0.5)

    @property
    def any(self) -> int | None:
        """Return the last month in which it counts for this year at all."""
        return self.last(0.0)


@dataclass(frozen=True)
class Load:
    """What a team's work takes by month of the year and what it has, in minutes; `binding` months are over."""

    team: str
    minutes: Array
    room: float

    @property
    def binding(self) -> tuple[int, ...]:
        """Return the months (1–12) in which there is more work than time."""
        return tuple(int(at) + 1 for at in np.flatnonzero(self.minutes > self.room * (1 + _SAME)))


@dataclass(frozen=True, eq=False)
class Timeline:
    """A plan run through the months. Flows are amounts of the month, rates and prices are levels.

    `values` and `worth` are by metric, over `months`, the ones before the year included; `worth` is what one
    more unit in that month adds to the sum of the KGI's twelve months.
    """

    setting: Setting
    ksfs: tuple[str, ...]
    values: Mapping[str, Array]
    worth: Mapping[str, Array]

    @property
    def plan(self) -> Plan:
        """Return the plan."""
        return self.setting.axis.plan

    @property
    def months(self) -> tuple[str, ...]:
        """Return every month on the axis: 2026-04."""
        return self.setting.axis.labels

    @property
    def kgi(self) -> float:
        """Return the KGI of the year (a monthly plan: its mean month)."""
        return self.total(self.plan.kgi.metric)

    def year(self, metric: str) -> Array:
        """Return a metric's twelve months of the fiscal year."""
        return self.values[metric][self.setting.axis.year]

    def total(self, metric: str) -> float:
        """Return the year's number: the sum of a yearly plan's flows, else the mean of the months."""
        months = self.year(metric)
        flows = self.plan.metrics[metric].is_flow and self.plan.kgi.period == "year"
        return float(months.sum() if flows else months.mean())

    def underway(self, metric: str) -> float:
        """Return how many of a count entered before the year and arrive in it: deals won and not yet delivered."""
        past = slice(self.setting.axis.past)
        complete = self._endless[metric][past]
        known = np.abs(complete) > 0
        brought = self.setting.brought([metric])[metric][past] * MONTHS_A_YEAR / self.plan.kgi.months
        return float(np.where(known, brought / np.where(known, complete, 1.0), 0.0).sum())

    def parts(self, metric: str, count: int) -> tuple[float, ...]:
        """Return the year cut into `count` equal parts (4: quarters, 2: halves), flows summed, levels averaged."""
        cut = self.year(metric).reshape(count, -1)
        return tuple((cut.sum(axis=1) if self.plan.metrics[metric].is_flow else cut.mean(axis=1)).tolist())

    def decided(self, lever: str) -> Array:
        """Return which share of the year's KGI each month decides by way of a lever: Σ over all months is 1."""
        return self.setting.decided([lever])[lever]

    def alive(self, lever: str) -> Array:
        """Return what 1 % more of a lever from each month of the year on adds to the year's KGI."""
        gained = 0.01 * (self.values[lever] * self.worth[lever])[self.setting.axis.year]
        return np.asarray(gained[::-1].cumsum()[::-1])

    def reach(self, lever: str) -> Array:
        """Return which share of a lasting change's yearly effect still arrives, by the month it is made in.

        5 % more of a rate from April on brings 62 % of what it would bring if the year went on.
        """
        here = self.setting.axis.year
        lasting = 0.01 * float((self.values[lever] * self._endless[lever][: len(self.months)])[here].sum())
        return np.asarray(self.alive(lever) / lasting) if lasting else np.zeros(MONTHS_A_YEAR)

    @cached_property
    def deadlines(self) -> Mapping[str, Deadline]:
        """Return the deadline of every stage that carries the KGI and comes in month by month, first to last."""
        carriers = set(self.setting.tree.carriers(self.plan.kgi.metric))
        stages = [stage for stage in self.plan.stages if stage in carriers and self.plan.metrics[stage].is_flow]
        return {stage: self.deadline(stage) for stage in stages}

    def deadline(self, metric: str) -> Deadline:
        """Return by when one more unit of a metric still counts, seen from its worth if the year did not end."""
        here = self.setting.axis.year
        return Deadline(metric, float(self._static[metric]), self.worth[metric][here], self._endless[metric][here])

    @cached_property
    def _static(self) -> dict[str, Array]:
        return slopes(self.setting.tree, self.plan.kgi.metric)

    @cached_property
    def _endless(self) -> dict[str, Array]:
        """Return what one more unit is worth by month if the year went on as its last month is."""
        given = self.setting.lasting()
        worth = slopes(given.tree, self.plan.kgi.metric, given.values, months=given.months, weights=1 / MONTHS_A_YEAR)
        flows = self.plan.metrics
        return {
            metric: worth[metric] * (MONTHS_A_YEAR if flows[metric].is_flow else MONTHS_A_YEAR / self.plan.kgi.months)
            for metric in self.values
        }

    @cached_property
    def cash(self) -> Array | None:
        """Return what arrives in each month of the year of a KGI in money; None of another, or without `plan.cash`."""
        if self.plan.cash is None or not self.plan.metrics[self.plan.kgi.metric].unit.startswith("円"):
            return None
        arrives = lags.delayed(self.values[self.plan.kgi.metric], self.plan.cash.lag)
        return np.asarray(self.plan.cash.rate * arrives[self.setting.axis.year])

    @property
    def uncollected(self) -> float:
        """Return what has been earned by the end of the year and is not collected yet, what never will be included."""
        if self.plan.cash is None:
            return 0.0
        earned = self.values[self.plan.kgi.metric][::-1]
        return float((earned * _tail(self.plan.cash.lag, len(earned))).sum())

    @cached_property
    def loads(self) -> tuple[Load, ...]:
        """Return the work of every team that has any, by month."""
        plan, assume = self.plan, self.plan.assumptions
        day = assume.day_minutes * assume.utilisation
        found = []
        for team, part in plan.teams.items():
            taken = [np.asarray(entry.work[team]) * self.year(name) for name, entry in self._worked(team)]
            if taken:
                found.append(Load(team, np.asarray(sum(taken)), part.members * assume.work_days * day))
        return tuple(found)

    def _worked(self, team: str) -> list[tuple[str, Metric]]:
        return [
            (metric, entry)
            for metric, entry in self.plan.metrics.items()
            if team in entry.work and metric in self.values
        ]


def run(
    plan: Plan,
    ksfs: Collection[str] = (),
    *,
    before: Plan | None = None,
    times: Mapping[str, Array] | None = None,
) -> Timeline:
    """Return the plan through the months, with these KSFs at work and `times` on inputs by month of the year.

    Everything the KGI and the plan's stages depend on is in it; what is only watched is not.

    Raises
    ------
    KpiError
        `unknown_ksf`, `stock_too_old`, `stock_not_waiting`; as `tree.evaluate` where a month makes a rate impossible.
    """
    given = with_ksfs(setting(plan, before=before, times=times), ksfs)
    axis, tree = given.axis, given.tree
    needed = tree.carriers(plan.kgi.metric, *plan.stages, *_with_work(plan))
    paces = evaluate(tree, given.values, only=needed, months=given.months)
    worths = slopes(tree, plan.kgi.metric, given.values, months=given.months, weights=axis.weights)
    flows = {metric: plan.metrics[metric].is_flow for metric in needed}
    a_month, whole = MONTHS_A_YEAR / plan.kgi.months, np.zeros(axis.count)
    return Timeline(
        given,
        tuple(ksfs),
        MappingProxyType(
            {metric: (whole + paces[metric]) / (plan.kgi.months if flows[metric] else 1) for metric in needed}
        ),
        MappingProxyType(
            {metric: (whole + worths[metric]) * (MONTHS_A_YEAR if flows[metric] else a_month) for metric in needed}
        ),
    )


def gain(plan: Plan, lever: str, step: float, *, start: int = 1, before: Plan | None = None) -> float:
    """Return what `step` more of an input from month `start` on adds to the KGI of the year.

    Of +1 pt of 商談率, worth ¥11.52M in a full year, ¥7.64M arrive in the year it is made in April.

    Raises
    ------
    KpiError
        `not_a_lever`; as `run`.
    """
    given = setting(plan, before=before)
    if lever not in given.values:
        raise KpiError("not_a_lever", "{lever} is not an input that the KGI depends on.", lever=lever)
    season = given.axis.season(plan.metrics[lever]) if plan.metrics[lever].season else 1.0
    moved = given.values[lever] + np.where(given.axis.numbers >= start, step * season, 0.0)
    return float(given.with_values({lever: moved}).total() - given.total())


def with_ksfs(given: Setting, ksfs: Collection[str]) -> Setting:
    """Return the months with a set of KSFs at work: each lift grows along its ramp, rates stop at their cap."""
    plan, axis = given.axis.plan, given.axis
    if not ksfs:
        return given
    for ksf in ksfs:
        if ksf not in plan.ksfs:
            raise KpiError("unknown_ksf", "There is no KSF called {ksf}.", ksf=ksf)
    effects = Effects(plan, "run_rate")
    row = np.array([[1.0 if ksf in ksfs else 0.0 for ksf in effects.ksfs]])
    factors = effects.multipliers_by_month(row, effects.reached(axis.numbers))[0]
    moved = dict(zip(effects.metrics, factors, strict=True))
    values, adjust = dict(given.values), dict(given.months.adjust)
    for metric in given.tree.order:
        if metric in values and metric in moved:
            values[metric] = effects.capped(metric, values[metric], moved[metric])
        elif metric in moved:
            now = evaluate(given.tree, values, only=[metric], months=replace(given.months, adjust=adjust))[metric]
            lifted = np.where(now == 0, 1.0, effects.capped(metric, now, moved[metric]) / np.where(now == 0, 1.0, now))
            times, plus = adjust.get(metric, (1.0, 0.0))
            adjust[metric] = (times * lifted, plus)
    return Setting(axis, given.tree, MappingProxyType(values), replace(given.months, adjust=MappingProxyType(adjust)))


def _with_work(plan: Plan) -> tuple[str, ...]:
    return tuple(metric for metric, entry in plan.metrics.items() if entry.work)


def _tail(lag: Sequence[float], length: int) -> Array:
    """Return the share that comes later than 0, 1, 2, … months after."""
    left = 1 - np.cumsum(np.asarray(lag, dtype=np.float64))
    return np.asarray(np.maximum(0.0, np.pad(left, (0, max(0, length - len(left))))[:length]))
