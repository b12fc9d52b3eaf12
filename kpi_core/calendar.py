"""The months a plan runs through, and what is given about them before anything is computed.

Inside, every number runs at the pace of the KGI's period (a year's plan: visitors a year), so that the formulas are
the ones of the tree; a month of a flow is a twelfth of its pace, the year is the mean of its months' paces.
The axis begins early enough for everything that can still arrive in the year. Months before the year are as in
`before` (the plan itself if none is given), or as its metrics' `history` and the open stock say.
Month 1 is the first of the fiscal year, month 0 the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from kpi_core import lags
from kpi_core.document import MONTHS_A_YEAR, Metric
from kpi_core.errors import KpiError
from kpi_core.lags import Months
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.tree import Tree, evaluate, slopes


@dataclass(frozen=True)
class Axis:
    """The months a plan is run over: `past` before the year, then its twelve."""

    plan: Plan
    past: int

    @classmethod
    def of(cls, plan: Plan) -> Axis:
        """Return an axis that reaches back as far as anything can take to arrive in the year."""
        tree, reach = plan.tree_by_month, dict[str, int]()
        for metric in tree.order:
            longest = max((reach[part] for part in tree.parts(metric)), default=0)
            reach[metric] = longest + max(0, len(tree.metrics[metric].lag) - 1)
        collecting = len(plan.cash.lag) - 1 if plan.cash else 0
        return cls(plan, max((reach[metric] for metric in tree.order), default=0) + collecting)

    @property
    def count(self) -> int:
        """Return how many months there are."""
        return self.past + MONTHS_A_YEAR

    @property
    def year(self) -> slice:
        """Return where the fiscal year lies."""
        return slice(self.past, self.count)

    @cached_property
    def numbers(self) -> Array:
        """Return the months' numbers: 1 is the first of the year."""
        return np.arange(1 - self.past, MONTHS_A_YEAR + 1, dtype=np.float64)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Return the months as year and month: 2026-04."""
        year, month = (int(part) for part in self.plan.fiscal_year.starts.split("-"))
        first = 12 * year + month - 1 - self.past
        return tuple(f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(first, first + self.count))

    @cached_property
    def weights(self) -> Array:
        """Return how much each month's pace counts for the year: a twelfth, months before it nothing."""
        found = np.zeros(self.count)
        found[self.year] = 1 / MONTHS_A_YEAR
        return found

    def total(self, pace: Array) -> Array:
        """Return the year's number of a metric from its paces over the last axis: their mean."""
        if np.ndim(pace) == 0 or pace.shape[-1] == 1:
            return np.asarray(pace if np.ndim(pace) == 0 else pace[..., 0])
        return np.asarray(pace[..., self.year].mean(axis=-1))

    def season(self, entry: Metric) -> Array:
        """Return how much above or below its mean an input runs in each month."""
        weights = np.asarray(entry.season) * MONTHS_A_YEAR / sum(entry.season)
        return np.asarray(weights[[int(label[-2:]) - 1 for label in self.labels]])

    def from_now_on(self, pace: Array, entry: Metric, levels: Array) -> Array:
        """Return paces with one of `levels` from the year's first month on, (levels, months): season and past kept.

        Months lie outermost in memory, so that what is done to all draws of a month runs along it.
        """
        weights = self.season(entry) if entry.season else np.ones(self.count)
        rows = weights[:, None] * levels[None, :]
        rows[: self.past] = np.broadcast_to(pace, self.count)[: self.past, None]
        return rows.T


@dataclass(frozen=True)
class Setting:
    """Everything that is given about the months before they are run: the inputs' paces and what adjusts the rest."""

    axis: Axis
    tree: Tree
    values: Mapping[str, Array]
    months: Months

    def with_values(self, values: Mapping[str, Array]) -> Setting:
        """Return the same with other paces of some inputs."""
        return Setting(self.axis, self.tree, MappingProxyType({**self.values, **values}), self.months)

    def lasting(self) -> Setting:
        """Return the same with as many more months behind the year as anything can take, each like the last."""
        more = self.axis.past

        def longer(pace: Array | float) -> Array | float:
            return np.pad(pace, (0, more), mode="edge") if np.ndim(pace) == 1 else pace

        values = {lever: np.asarray(longer(pace))[()] for lever, pace in self.values.items()}
        adjust = {metric: (longer(times), longer(plus)) for metric, (times, plus) in self.months.adjust.items()}
        return Setting(self.axis, self.tree, values, Months(self.months.count + more, adjust))

    def kgi(self) -> Array:
        """Return the KGI's pace by month."""
        found = evaluate(self.tree, self.values, only=[self.axis.plan.kgi.metric], months=self.months)
        return np.asarray(found[self.axis.plan.kgi.metric])

    def total(self) -> Array:
        """Return the KGI of the year (a monthly plan: its mean month)."""
        return self.axis.total(self.kgi())

    def decided(self, metrics: Iterable[str]) -> dict[str, Array]:
        """Return which share of the year's KGI each month decides by way of a metric, past months included."""
        kgi, carriers = self.axis.plan.kgi.metric, self.tree.carriers(self.axis.plan.kgi.metric)
        paces = evaluate(self.tree, self.values, only=carriers, months=self.months)
        worth = slopes(self.tree, kgi, self.values, months=self.months, weights=self.axis.weights)
        found = {metric: paces[metric] * worth[metric] for metric in metrics if metric in carriers}
        return {metric: whole / whole.sum() if whole.sum() else whole * 0 for metric, whole in found.items()}


def setting(plan: Plan, *, before: Plan | None = None, times: Mapping[str, Array] | None = None) -> Setting:
    """Return what is given about the months; `times` multiplies inputs, by month of the year.

    Raises
    ------
    KpiError
        `stock_too_old`, `stock_not_waiting`.
    """
    axis, tree = Axis.of(plan), plan.tree_by_month
    values = {lever: _pace(axis, plan, before or plan, lever) for lever in tree.inputs}
    adjust = dict[str, tuple[Array | float, Array | float]]()
    for metric, past in _known_past(axis, before or plan, plan).items():
        if metric in values:
            values[metric] = np.where(np.isnan(past), values[metric], past)
        else:
            adjust[metric] = (np.where(np.isnan(past), 1.0, 0.0), np.nan_to_num(past))
    for lever, factors in (times or {}).items():
        values[lever] = np.asarray(values[lever] * _in_year(axis, factors))
    return Setting(axis, tree, MappingProxyType(values), Months(axis.count, MappingProxyType(adjust)))


def _pace(axis: Axis, plan: Plan, before: Plan, lever: str) -> Array:
    """Return an input's pace: a number while nothing changes it over the months."""
    entry, now = plan.metrics[lever], plan.tree.now(lever)
    was = before.tree.now(lever) if lever in before.tree.inputs else now
    pace = np.float64(now) if was == now else np.where(axis.numbers < 1, was, now)
    return np.asarray(pace * axis.season(entry)) if entry.season else np.asarray(pace)[()]


def _known_past(axis: Axis, before: Plan, plan: Plan) -> dict[str, Array]:
    """Return the paces of months that are over and known, NaN elsewhere: dated history, else the open stock."""
    found: dict[str, Array] = {}
    for metric, entry in plan.metrics.items():
        amounts: Sequence[float] = entry.history if entry.is_flow else ()
        if metric in plan.opening.stock:
            entered = lags.entered_before(plan.opening.stock[metric], _open_share(before, plan, metric))
            amounts = [0.0] * (axis.past - len(entered)) + entered[::-1].tolist()
        if amounts := list(amounts)[-axis.past :] if axis.past else []:
            past = np.full(axis.count, np.nan)
            past[axis.past - len(amounts) : axis.past] = np.asarray(amounts) * plan.kgi.months
            found[metric] = past
    return found


def _open_share(before: Plan, plan: Plan, metric: str) -> Array:
    """Return which share of what entered is open by age, by the slowest step that waits for this metric."""
    tree = plan.tree_by_month
    waiting = [
        other for other in tree.carriers(plan.kgi.metric) if metric in tree.parts(other) and _takes_time(tree, other)
    ]
    if not waiting:
        raise KpiError(
            "stock_not_waiting",
            "{metric} cannot be open: nothing that is computed from it takes time. Give the next step a lead time.",
            metric=metric,
        )
    step = max(waiting, key=lambda other: len(tree.metrics[other].lag))
    now = before.tree.now(metric) if metric in before.metrics else plan.tree.now(metric)
    rate = min(1.0, max(0.0, plan.tree.now(step) / now)) if now else 0.0
    return lags.still_open(tree.metrics[step].lag, rate, plan.opening.lost.get(metric, ()))


def _takes_time(tree: Tree, metric: str) -> bool:
    return len(tree.metrics[metric].lag) > 1


def _in_year(axis: Axis, factors: Array) -> Array:
    """Return twelve months' factors on the whole axis, 1 before the year."""
    whole = np.ones((*np.shape(factors)[:-1], axis.count))
    whole[..., axis.year] = factors
    return whole
