"""What a plan's doubt is made of: which lever the uncertainty comes from, and which is worth finding out first.

    share        of the KGI's variance that a lever has a part in (total Sobol share)
    finding out  E[max_d E[gain_d | lever]] − max_d E[gain_d], in the KGI's unit

The decision that finding out would serve is where to put people: working on a lever brings it controllability/5 of
the way from wherever it really is to its favourable end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from kpi_core import ranges
from kpi_core.forecast import forecast, uncertain
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.shares import Shares, rank_importance, sobol_shares, value_of_knowing
from kpi_core.tree import elasticities, evaluate

DRAWS = 2**12


@dataclass(frozen=True, kw_only=True)
class FindingOut:
    """The lever to work on as things are known (`choice`), what that brings, and what finding out each is worth.

    All in the KGI's unit. `changes` are the levers whose finding out could change the choice, the most worth first.
    """

    choice: str | None
    gain: float
    worth: Mapping[str, float]

    @property
    def changes(self) -> tuple[str, ...]:
        """Return the levers worth finding out, the most first; under a thousandth of the gain is none."""
        order = sorted(self.worth, key=lambda lever: -self.worth[lever])
        return tuple(lever for lever in order if self.worth[lever] > 1e-3 * self.gain)


def uncertainty_shares(plan: Plan, *, draws: int = DRAWS, seed: int = 0) -> Shares:
    """Return each uncertain lever's first-order and total share of the KGI's variance, levers independent.

    Show the total one: what would be left of the doubt if all but this lever were known.

    Raises
    ------
    KpiError
        As `forecast.forecast`.
    """
    kgi = plan.kgi.metric
    quantiles = {lever: partial(ranges.quantile, plan.metrics[lever], name=lever) for lever in uncertain(plan)}
    return sobol_shares(lambda levels: evaluate(plan.tree, levels, only=[kgi])[kgi], quantiles, count=draws, seed=seed)


def importance(plan: Plan, *, draws: int = DRAWS, seed: int = 0) -> dict[str, float]:
    """Return each lever's rank correlation with the KGI over the forecast's draws, correlated as the plan says."""
    found = forecast(plan, draws=draws, seed=seed)
    return rank_importance(found.levers, found.draws)


def finding_out(plan: Plan, *, draws: int = DRAWS, seed: int = 0) -> FindingOut:
    """Return where people are best put as things are known, and what it is worth to know a lever first.

    Raises
    ------
    KpiError
        As `forecast.forecast`.
    """
    found = forecast(plan, draws=draws, seed=seed)
    if not found.levers:
        return FindingOut(choice=None, gain=0.0, worth=MappingProxyType({}))
    gains = _gains(plan, found.levers, found.draws)
    best = int(np.argmax(gains.mean(axis=1)))
    return FindingOut(
        choice=list(found.levers)[best],
        gain=float(gains[best].mean()),
        worth=MappingProxyType(value_of_knowing(gains, found.uniforms)),
    )


def _gains(plan: Plan, levels: Mapping[str, Array], kgi: Array) -> Array:
    """Return what working on each lever brings, draw by draw: (levers, draws)."""
    effect = elasticities(plan.tree, plan.kgi.metric) if plan.tree.now(plan.kgi.metric) else {}
    found = np.zeros((len(levels), len(kgi)))
    for at, (lever, level) in enumerate(levels.items()):
        entry = plan.metrics[lever]
        low, high = entry.span
        better = low if effect.get(lever, 1.0) < 0 else high
        moved = level + entry.controllability / 5 * (better - level)
        found[at] = evaluate(plan.tree, {**levels, lever: moved}, only=[plan.kgi.metric])[plan.kgi.metric] - kgi
    return found
