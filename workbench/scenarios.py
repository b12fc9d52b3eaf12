"""Buttons that take a what-if further: put back, take a target, keep and compare."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from kpi_core.goal import Required, Spread
from kpi_core.plan import Plan
from workbench import session, words
from workbench.words import _

MAX_KEPT = 6


def put_back(plan: Plan, before: Plan, moved: Mapping[str, tuple[float, float]]) -> None:
    """Offer to put every lever back to the baseline, or to make today's values the baseline."""
    with st.container(horizontal=True):
        st.button(
            _("Put everything back"),
            key="put_back",
            icon=":material/restart_alt:",
            disabled=not moved,
            on_click=session.change,
            args=({f"metrics.{lever}.value": was for lever, (was, _now) in moved.items()},),
        )
        st.button(_("Use as baseline"), key="new_baseline", disabled=plan == before, on_click=session.take_as_baseline)


def take_one(plan: Plan, needed: Mapping[str, Required]) -> None:
    """Offer to set one lever to what it alone would have to be."""
    able = [lever for lever, one in needed.items() if one.reachable and one.value is not None and one.value != one.now]
    if not able:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        lever = st.selectbox(
            _("Set one lever to its needed value"),
            options=able,
            format_func=lambda lever: words.name(plan.metrics[lever]),
            key="take_lever",
            width=340,
        )
        st.button(
            _("Set it"),
            key="take_one",
            on_click=session.change,
            args=({f"metrics.{lever}.value": needed[lever].value},),
        )


def choose_levers(plan: Plan) -> list[str]:
    """Let people say which levers may move; all of them at first."""
    levers = [lever for lever in plan.tree.levers(plan.kgi.metric) if _can_move(plan, lever)]
    key = "effort_levers"
    if (kept := session.typed(key)) is None or not set(kept) <= set(levers):
        session.follow(key, levers)
    return st.multiselect(
        _("Levers that may move (the others are held still)"),
        options=levers,
        format_func=lambda lever: words.name(plan.metrics[lever]),
        placeholder=_("None"),
        key=key,
        persist_state="session",
    )


def _can_move(plan: Plan, lever: str) -> bool:
    return plan.metrics[lever].low is None or plan.metrics[lever].low != plan.metrics[lever].high


def take_spread(spread: Spread) -> None:
    """Offer to put the least-effort targets into the plan."""
    targets = {f"metrics.{lever}.value": one.value for lever, one in spread.items() if one.value is not None}
    st.button(
        _("Put these targets into the plan"),
        key="take_spread",
        type="primary",
        disabled=not targets,
        on_click=session.change,
        args=(targets,),
    )


def keep(plan: Plan) -> None:
    """Offer to keep the plan as it is now under a name, for comparing."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(_("Name of the scenario"), key="scenario_name", max_chars=40, width=340)
        count = len(session.desk().scenarios) + 1
        st.button(
            _("Keep this scenario"),
            key="keep_scenario",
            on_click=session.keep_scenario,
            args=(name.strip() or _("Scenario {number}").format(number=count), plan, MAX_KEPT),
        )
        st.button(
            _("Forget scenarios"),
            key="forget_scenarios",
            disabled=count == 1,
            on_click=session.drop_scenarios,
            type="tertiary",
        )
