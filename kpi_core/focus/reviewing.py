"""When a choice can first be judged: once a KSF is at work in full, and what it moves has had time to show.

first review = month the effect is full + median lead time of the step its metric feeds
"""

from __future__ import annotations

import math

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.tree import Tree


def first_review(plan: Plan, ksf: str) -> int:
    """Return the month, 1 the first of the fiscal year, at whose end a KSF can first be judged.

    Raises
    ------
    KpiError
        `unknown_ksf`.
    """
    if ksf not in plan.ksfs:
        raise KpiError("unknown_ksf", "There is no KSF called {ksf}.", ksf=ksf)
    entry, tree = plan.ksfs[ksf], plan.tree_by_month
    waits = [_median_lag(tree, metric) for metric in entry.moves]
    return max(1, math.ceil(entry.ramp[1])) + min(waits, default=0)


def _median_lag(tree: Tree, metric: str) -> int:
    """Return after how many months half of what a metric feeds next has come out; its own lag counts as well."""
    steps = [metric, *(other for other in tree.expressions if metric in tree.parts(other))]
    lags = [tree.metrics[step].lag for step in steps if len(tree.metrics[step].lag) > 1]
    return min((_half(lag) for lag in lags), default=0)


def _half(lag: tuple[float, ...]) -> int:
    reached = 0.0
    for month, share in enumerate(lag):
        reached += share
        if reached >= 0.5 - 1e-9:
            return month
    return len(lag) - 1
