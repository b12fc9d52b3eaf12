"""The months a plan runs through, and what is given about them before anything is computed.

Inside, every number runs at the pace of the KGI's period (a year's plan: visitors a year), so that the formulas are
the ones of the tree; a month of a flow is a twelfth of its pace, the year is the mean of its months' paces.
The axis begins early enough for everything that can still arrive in the year. Months before the year are as in
`before` (the plan itself if none is given), or as its metrics' `history` says; they stay so whatever is open. An
opening stock replaces what still comes of them in the year, out of the steps that wait for it, and nothing else:

    E[month j of the year] = Σₐ stock(a)·r·k(a + j)/Σᵢ₌ₐ₊₁ k(i)        j ≥ 1, a: months open when the year begins

Month 1 is the first of the fiscal year, month 0 the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from kpi_core import lags
from kpi_core.document import MONTHS_A_YEAR, Metric
from kpi_core.errors import KpiError
from kpi_core.lags import Months, Opening
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.readings import slopes as slopes_of
from kpi_core.readings import value as value_of
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
        """Return the same with as many more months behind the year as anything can take, each like the last.

        There, what one more unit is worth is that of any unit, not of those that opening stocks say have entered.
        """
        more = self.axis.past

        def longer(pace: Array | float) -> Array | float:
            return np.pad(pace, (0, more), mode="edge") if np.ndim(pace) == 1 else pace

        values = {lever: np.asarray(longer(pace))[()] for lever, pace in self.values.items()}
        adjust = {metric: (longer(times), longer(plus)) for metric, (times, plus) in self.months.adjust.items()}
        openings = {step: replace(opening, ratios={}) for step, opening in self.months.openings.items()}
        return Setting(self.axis, self.tree, values, Months(self.months.count + more, adjust, openings))

    def kgi(self) -> Array:
        """Return the KGI's pace by month."""
        found = evaluate(self.tree, self.values, only=[self.axis.plan.kgi.metric], months=self.months)
        return np.asarray(found[self.axis.plan.kgi.metric])

    def total(self) -> Array:
        """Return the KGI of the year (a monthly plan: its mean month)."""
        return self.axis.total(self.kgi())

    def brought(self, metrics: Iterable[str]) -> dict[str, Array]:
        """Return what each month brings of the year's KGI by way of a metric: value times worth, past included.

        Of what is open in a stage though the months say that nothing entered it, all is the stage's month's.
        """
        kgi, tree = self.axis.plan.kgi.metric, self.tree
        carriers = tree.carriers(kgi)
        paces = evaluate(tree, self.values, only=carriers, months=self.months)
        worth = slopes(tree, kgi, self.values, months=self.months, weights=self.axis.weights)
        found = {metric: paces[metric] * worth[metric] for metric in metrics if metric in carriers}
        for stage, bringing in self._from_nowhere(paces, worth):
            for metric in found.keys() & set(tree.carriers(stage)):
                found[metric] = found[metric] + bringing
        return found

    def _from_nowhere(self, paces: Mapping[str, Array], worth: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
        """Yield what stocks bring of months in which nothing entered their stage by the plan, by stage."""
        for step, opening in self.months.openings.items():
            waits = self.months.back(step, self.tree.metrics[step].lag, worth[step])[1]
            known = opening.known(paces, self.months.count)
            each = slopes_of(self.tree.expressions[step], known, np.asarray(waits))
            for stage in opening.stages:
                yield stage, np.where(paces[stage] == 0, known[stage] * each[stage], 0.0)

    def decided(self, metrics: Iterable[str]) -> dict[str, Array]:
        """Return which share of the year's KGI each month decides by way of a metric, past months included."""
        found = self.brought(metrics)
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
    for metric, past in _known_past(axis, plan).items():
        if metric in values:
            values[metric] = np.where(np.isnan(past), values[metric], past)
        else:
            adjust[metric] = (np.where(np.isnan(past), 1.0, 0.0), np.nan_to_num(past))
    months = Months(axis.count, MappingProxyType(adjust))
    months = replace(months, openings=MappingProxyType(_openings(axis, before or plan, values, months)))
    for lever, factors in (times or {}).items():
        values[lever] = np.asarray(values[lever] * _in_year(axis, factors))
    return Setting(axis, tree, MappingProxyType(values), months)


def _pace(axis: Axis, plan: Plan, before: Plan, lever: str) -> Array:
    """Return an input's pace: a number while nothing changes it over the months."""
    entry, now = plan.metrics[lever], plan.tree.now(lever)
    was = before.tree.now(lever) if lever in before.tree.inputs else now
    pace = np.float64(now) if was == now else np.where(axis.numbers < 1, was, now)
    return np.asarray(pace * axis.season(entry)) if entry.season else np.asarray(pace)[()]


def _known_past(axis: Axis, plan: Plan) -> dict[str, Array]:
    """Return the paces of months that are over and known by their dated history, NaN elsewhere."""
    found: dict[str, Array] = {}
    for metric, entry in plan.metrics.items():
        amounts = list(entry.history if entry.is_flow else ())
        if amounts := amounts[-axis.past :] if axis.past else []:
            past = np.full(axis.count, np.nan)
            past[axis.past - len(amounts) : axis.past] = np.asarray(amounts) * plan.kgi.months
            found[metric] = past
    return found


def _openings(axis: Axis, before: Plan, values: Mapping[str, Array], months: Months) -> dict[str, Opening]:
    """Return what waits for each step when the year begins, of steps for which an opening stock does."""
    plan, tree = axis.plan, axis.plan.tree_by_month
    waiting = {stage: _waiting(axis, before, stage) for stage in plan.opening.stock}
    steps = dict.fromkeys(step for found in waiting.values() for step in found)
    parts = dict.fromkeys(part for step in steps for part in tree.parts(step))
    known = evaluate(tree, values, only=list(parts), months=months) if steps else {}
    past = {part: np.broadcast_to(pace, axis.count)[: axis.past] for part, pace in known.items()}
    openings = dict[str, Opening]()
    for step in steps:
        stages = {
            stage: np.where(np.isnan(found[step]), past[stage], found[step])
            for stage, found in waiting.items()
            if step in found
        }
        ratios = {stage: _ratio(amounts, past[stage]) for stage, amounts in stages.items()}
        with np.errstate(all="ignore"):
            entered = value_of(tree.expressions[step], {**past, **stages})
        openings[step] = Opening(np.broadcast_to(entered, axis.past), stages, ratios)
    return openings


def _waiting(axis: Axis, before: Plan, stage: str) -> dict[str, Array]:
    """Return, by step that waits for a stage, the paces at which its open stock must have entered it.

    The stock is what the quickest step has not moved on that lets it be open for so long. For that step and quicker
    ones nothing older is there; of what slower ones still wait for, only the months of the stock are known. NaN: not.
    """
    plan, tree, stock = axis.plan, axis.plan.tree_by_month, axis.plan.opening.stock[stage]
    steps = [step for step in tree.carriers(plan.kgi.metric) if stage in tree.parts(step) and _takes_time(tree, step)]
    if not steps:
        raise KpiError(
            "stock_not_waiting",
            "{metric} cannot be open: nothing that is computed from it takes time. Give the next step a lead time.",
            metric=stage,
        )
    steps.sort(key=lambda step: len(tree.metrics[step].lag))
    shares = {step: _open_share(before, plan, stage, step) for step in steps}
    oldest = max((age for age, count in enumerate(stock) if count), default=-1)
    step = next((step for step in steps if lags.oldest_open(shares[step]) >= oldest), steps[-1])
    entered = lags.entered_before(stock, shares[step])[: min(lags.oldest_open(shares[step]) + 1, axis.past)]
    found = dict[str, Array]()
    for other in steps:
        slower = len(tree.metrics[other].lag) > len(tree.metrics[step].lag)
        paces = np.full(axis.past, np.nan if slower else 0.0)
        paces[axis.past - len(entered) :] = entered[::-1] * plan.kgi.months
        found[other] = paces
    return found


def _ratio(amounts: Array, planned: Array) -> Array:
    """Return by how much more must have entered than the months say; 1 where they say that nothing has."""
    return np.where(planned == 0, 1.0, amounts / np.where(planned == 0, 1.0, planned))


def _open_share(before: Plan, plan: Plan, stage: str, step: str) -> Array:
    """Return which share of what entered a stage is open by age, waiting for a step."""
    then = before if {stage, step} <= before.metrics.keys() else plan
    now = then.tree.now(stage)
    rate = min(1.0, max(0.0, then.tree.now(step) / now)) if now else 0.0
    return lags.still_open(plan.tree_by_month.metrics[step].lag, rate, plan.opening.lost.get(stage, ()))


def _takes_time(tree: Tree, metric: str) -> bool:
    return len(tree.metrics[metric].lag) > 1


def _in_year(axis: Axis, factors: Array) -> Array:
    """Return twelve months' factors on the whole axis, 1 before the year."""
    whole = np.ones((*np.shape(factors)[:-1], axis.count))
    whole[..., axis.year] = factors
    return whole
