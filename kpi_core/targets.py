"""How likely a target is, judged by what has happened: the chance that stands beside every number that is needed.

    a rate     at least ⌈needed·N⌉ of N trials, after x of n (`chance.achievability`); at most, where less is better
    a count    at least so many in a year, after past months (`chance.count_achievability`)

Where the plan holds no history of a metric, its present numbers are taken for last year's; `assumed` says so.
A chance is of that one target alone. Several at once are not the product of theirs: they are not all required.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from kpi_core import chance
from kpi_core.chance import Verdict
from kpi_core.document import MONTHS_A_YEAR
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.timeline import Timeline, run
from kpi_core.tree import slopes

_FEWEST_MONTHS = 2
_DECIDED = 5  # a controllability of 5: the team sets it


@dataclass(frozen=True, kw_only=True)
class TargetChance:
    """The chance that a metric reaches `needed` if all stays as it was; `assumed`: no history, judged by the plan."""

    metric: str
    needed: float
    probability: float
    assumed: bool

    @property
    def verdict(self) -> Verdict:
        """Return what a target with this chance is called."""
        return chance.verdict(self.probability)


def target_chances(plan: Plan, needed: Mapping[str, float], *, before: Plan | None = None) -> dict[str, TargetChance]:
    """Return the chance of each target that history can judge, by metric; prices and sums of kept customers it cannot.

    `before` is the plan as it was: its numbers stand for last year's where there is no history.
    """
    judge = _Judge(plan, before or plan)
    found = {metric: judge.chance(metric, value) for metric, value in needed.items()}
    return {metric: one for metric, one in found.items() if one is not None}


@dataclass(frozen=True)
class _Judge:
    """A plan and the one it was: what its targets are judged by."""

    plan: Plan
    past: Plan

    @cached_property
    def worth(self) -> Mapping[str, Array]:
        return slopes(self.past.tree, self.past.kgi.metric)

    @cached_property
    def months(self) -> Timeline:
        return run(self.past)

    def chance(self, metric: str, needed: float) -> TargetChance | None:
        if metric not in self.past.metrics:
            return None
        entry = self.plan.metrics[metric]
        try:
            if entry.is_share:
                found = self._rate(metric, needed)
            elif entry.kind == "count" and (entry.history or happens(self.plan, metric)):
                found = self._count(metric, needed)
            else:
                return None
        except KpiError as error:
            # History that is none, or more than can be counted: no chance is better than a wrong one.
            if error.code not in ("no_history", "no_trials", "not_a_count", "more_than_tried"):
                raise
            return None
        known = bool(entry.tried) if entry.is_share else len(entry.history) >= _FEWEST_MONTHS
        return (
            None if found is None else TargetChance(metric=metric, needed=needed, probability=found, assumed=not known)
        )

    def _rate(self, metric: str, needed: float) -> float | None:
        tried = self.plan.metrics[metric].tried
        trials = tried[1] if tried else tries(self.past, metric)
        if trials is None or not 0 <= needed <= 1:
            return None
        count, planned = round(trials), round(tries(self.plan, metric) or trials)
        successes = round(tried[0] if tried else self.past.tree.now(metric) * count)
        less_is_better = bool(self.worth[metric] < 0)
        wanted = needed * planned
        k = math.floor(wanted + 1e-9) + 1 if less_is_better else math.ceil(wanted - 1e-9)
        if k > planned:
            return 1.0 if less_is_better else 0.0
        weight = self.plan.assumptions.history_weight
        judged = chance.achievability(successes, count, k, planned, weight=weight).probability
        return 1 - judged if less_is_better else judged

    def _count(self, metric: str, needed: float) -> float:
        a_year = needed * MONTHS_A_YEAR / self.plan.kgi.months
        known = self.plan.metrics[metric].history
        months = known[-MONTHS_A_YEAR:] if len(known) >= _FEWEST_MONTHS else self._assumed(metric)
        return chance.count_achievability(months, a_year).probability

    def _assumed(self, metric: str) -> tuple[float, ...]:
        """Return last year's months as the plan that was runs them; none of a metric that no month depends on."""
        return tuple(self.months.year(metric).tolist()) if metric in self.months.values else ()


def tries(plan: Plan, rate: str) -> float | None:
    """Return how many trials a year a rate has: what it is multiplied onto, earlier rates of the formula applied.

    None where no count is made of it by multiplying alone.
    """
    tree = plan.tree
    both = (*tree.expressions.items(), *plan.tree_by_month.expressions.items())
    for whole, expression in both:
        parts = expression.names
        if rate not in parts or plan.metrics[whole].kind not in ("count", "activity"):
            continue
        counts = [part for part in parts if plan.metrics[part].kind in ("count", "activity")]
        if len(counts) == 1 and all(step.op in ("name", "*") for step in expression.steps):
            earlier = [part for part in parts[: parts.index(rate)] if plan.metrics[part].is_share]
            many = tree.now(counts[0]) * math.prod(tree.now(part) for part in earlier)
            return many * MONTHS_A_YEAR / plan.kgi.months
    return None


def happens(plan: Plan, metric: str) -> bool:
    """Return whether chance has a part in a count: it comes in at the funnel's top, or rates make it.

    What a team decides (how many accounts to go for, heads, events) and what it keeps is judged by no history of luck.
    """
    steps = plan.tree.expressions[metric].steps if metric in plan.tree.expressions else ()
    if steps:
        return all(step.op in ("name", "number", "*") for step in steps)
    return metric == next(iter(plan.stages), None) and plan.metrics[metric].controllability < _DECIDED
