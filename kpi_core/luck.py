"""Luck: deals won are a count, and a plan that adds up exactly succeeds half the time.

    needed     N = ⌈target/each⌉ deals
    mean for   the λ at which a Poisson count reaches N with the chance asked for
    chance of  P(count ≥ N) when λ are expected

Only luck is counted here, not what is not known of the rates: the ranges say how far a team thinks it can go,
and their spread is the forecast's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kpi_core import chance
from kpi_core.errors import KpiError
from kpi_core.plan import Plan

# Counts above this have so little luck in them that planning for it would be pedantry.
MAX_LUCK = 500
_SAME = 1e-9


@dataclass(frozen=True, kw_only=True)
class Luck:
    """The goal as a number of deals: `needed` of them, at `each`; None where the KGI is not such a product.

    `metric` is the count; only its chance is considered here, not what is not known of the rates.
    """

    metric: str
    needed: int
    each: float
    scatter: float

    def mean_for(self, confidence: float) -> float:
        """Return how many must be expected for `needed` to come with this chance."""
        return chance.buffered(self.needed, confidence, scatter=self.scatter)

    def chance_of(self, expected: float) -> float:
        """Return the chance of at least `needed` when so many are expected."""
        return chance.at_least(self.needed, expected, scatter=self.scatter)


def luck(plan: Plan, target: float | None = None) -> Luck | None:
    """Return the goal as a number of deals, if the KGI is a count of deals won by rates, times a level.

    A count that is a product of entries and rates varies like a Poisson count, by `assumptions.scatter` more.
    Sums (customers kept and won) do not, and have no luck here; nor have counts that are above `MAX_LUCK` today.
    """
    goal = plan.kgi.target if target is None else target
    metric = plan.kgi.metric
    each = 1.0
    if plan.metrics[metric].kind != "count":
        parts = plan.tree.parts(metric) if _only_multiplies(plan, metric) else ()
        counts = [part for part in parts if plan.metrics[part].kind == "count"]
        if len(counts) != 1:
            return None
        metric = counts[0]
        each = plan.tree.now(plan.kgi.metric) / plan.tree.now(metric) if plan.tree.now(metric) else 0.0
    now = plan.tree.now(metric)
    grown = metric in plan.tree.expressions and all(
        _only_multiplies(plan, part) for part in plan.tree.carriers(metric) if part in plan.tree.expressions
    )
    if not grown or each <= 0 or not 0 < now <= MAX_LUCK:
        return None
    needed = math.ceil(goal / each - _SAME * goal / each)
    return Luck(metric=metric, needed=needed, each=each, scatter=plan.assumptions.scatter)


def planned_target(plan: Plan, confidence: float | None) -> float:
    """Return what the KGI must be expected to be for its target to be reached with this chance.

    Where no luck is to be counted (`luck`), it is the target. None: the target itself, which is a coin toss.

    Raises
    ------
    KpiError
        `bad_chance`: not between 0 and 1.
    """
    if confidence is None:
        return plan.kgi.target
    if not 0 < confidence < 1:
        raise KpiError("bad_chance", "A chance lies between 0% and 100%.")
    found = luck(plan)
    return plan.kgi.target if found is None else found.mean_for(confidence) * found.each


def _only_multiplies(plan: Plan, metric: str) -> bool:
    steps = plan.tree.expressions[metric].steps if metric in plan.tree.expressions else ()
    return bool(steps) and all(step.op in ("name", "number", "*") for step in steps)
