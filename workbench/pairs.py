"""Choosing two metrics that can be moved independently, for the two-way picture."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from kpi_core.plan import Plan
from workbench import session, words
from workbench.words import _


def of(plan: Plan) -> dict[str, list[str]]:
    """Return, for each metric below the KGI, those that can be moved independently of it; without any it is left out.

    From the KGI down to what enters.
    """
    carriers = [metric for metric in reversed(plan.tree.carriers(plan.kgi.metric)) if metric != plan.kgi.metric]
    partners = {first: [other for other in carriers if not _linked(plan, first, other)] for first in carriers}
    return {first: others for first, others in partners.items() if others}


def choose(plan: Plan, partners: Mapping[str, list[str]]) -> tuple[str, str]:
    """Return the two metrics people chose, of the pairs of `of`; there must be one."""
    left, right = st.columns(2)
    with left:
        first = _select(_("Down"), "pair_first", list(partners), plan, "close_rate")
    with right:
        second = _select(_("Across"), "pair_second", partners[first], plan, "leads")
    return first, second


def _linked(plan: Plan, first: str, second: str) -> bool:
    return first in plan.tree.carriers(second) or second in plan.tree.carriers(first)


def _select(label: str, key: str, options: list[str], plan: Plan, usual: str) -> str:
    if session.typed(key) not in options:
        session.follow(key, usual if usual in options else options[0])
    chosen: str = st.selectbox(
        label,
        options=options,
        format_func=lambda metric: words.name(plan.metrics[metric]),
        key=key,
        persist_state="session",
    )
    return chosen
