"""How sure a plan is, worked out once for its contents: some 150 ms that no other change on the page costs again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from kpi_core import forecast, uncertainty
from kpi_core.forecast import Fan, fan
from kpi_core.plan import Plan
from kpi_core.shares import Shares
from kpi_core.uncertainty import FindingOut


@dataclass(frozen=True)
class Doubt:
    """The chance of the goal this year and in a full one, the fan of outcomes, and where the doubt comes from.

    Numbers only: what is kept for all visitors holds nobody's plan.
    """

    chance: float
    error: float
    low: float
    high: float
    steady: float
    draws: int
    levers: int
    lucky: bool
    months: tuple[str, ...]
    bands: Mapping[float, tuple[float, ...]]
    total: Mapping[str, float]
    first: Mapping[str, float]
    ranks: Mapping[str, float]
    choice: str | None
    gain: float
    worth: Mapping[str, float]

    @property
    def certain(self) -> bool:
        """Return whether nothing in the plan may turn out otherwise."""
        return not self.levers and not self.lucky

    @property
    def finding_out(self) -> FindingOut:
        """Return what is worth finding out first."""
        return FindingOut(choice=self.choice, gain=self.gain, worth=self.worth)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Plan: lambda plan: plan.digest})
def of(plan: Plan, before: Plan) -> Doubt:
    """Return a plan's doubt; what entered before the year is as in `before`.

    Raises
    ------
    KpiError
        As `forecast` and `uncertainty`.
    """
    year, steady = (forecast(plan, objective=how, with_luck=True, before=before) for how in ("year", "average"))
    opened: Fan = fan(plan, before=before)
    parts: Shares = uncertainty.uncertainty_shares(plan)
    found = uncertainty.finding_out(plan)
    return Doubt(
        chance=year.p_goal,
        error=year.error,
        low=year.quantiles[0.1],
        high=year.quantiles[0.9],
        steady=steady.p_goal,
        draws=len(year.draws),
        levers=len(year.levers),
        lucky=year.luck is not None,
        months=opened.months,
        bands={share: tuple(band.tolist()) for share, band in opened.bands.items()},
        total=dict(parts.total),
        first=dict(parts.first),
        ranks=uncertainty.importance(plan),
        choice=found.choice,
        gain=found.gain,
        worth=dict(found.worth),
    )
