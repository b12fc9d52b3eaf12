"""Choosing two metrics that can be moved independently, for the two-way picture."""

from __future__ import annotations

import streamlit as st

from kpi_core.plan import Plan
from workbench import session, words
from workbench.words import _


def choose(plan: Plan) -> tuple[str, str]:
    """Return the two metrics people chose; the second list holds only what does not depend on the first."""
    carriers = [metric for metric in reversed(plan.tree.carriers(plan.kgi.metric)) if metric != plan.kgi.metric]
    left, right = st.columns(2)
    with left:
        first = _select(_("Down"), "pair_first", carriers, plan, "close_rate")
    apart = [metric for metric in carriers if not _linked(plan, first, metric)]
    with right:
        second = _select(_("Across"), "pair_second", apart or carriers, plan, "leads")
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
