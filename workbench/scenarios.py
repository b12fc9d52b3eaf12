"""Buttons that take a what-if further: put back, take a target, keep and compare."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count

import streamlit as st

from kpi_core.goal import Required, Spread
from kpi_core.plan import Plan
from workbench import pictures, session, words
from workbench.rows.whatif import changed
from workbench.words import _

MAX_KEPT = 6

_NAME = "scenario_name"
_LEVER = "take_lever"


def put_back(plan: Plan, before: Plan, moved: Mapping[str, tuple[float, float]]) -> None:
    """Offer to put every lever back to the baseline, or to make today's values the baseline."""
    with st.container(horizontal=True):
        st.button(
            _("Put everything back"),
            key="put_back",
            icon=":material/restart_alt:",
            disabled=not moved,
            on_click=_put_back,
        )
        st.button(_("Use as baseline"), key="new_baseline", disabled=plan == before, on_click=session.take_as_baseline)


def _put_back() -> None:
    """Put back every lever that differs from the baseline when the button is pressed."""
    moved = changed(session.plan(), session.baseline())
    session.change({f"metrics.{lever}.value": was for lever, (was, _now) in moved.items()})


def take_one(plan: Plan, needed: Mapping[str, Required]) -> None:
    """Offer to set one lever to what it alone would have to be."""
    able = [lever for lever, one in needed.items() if one.reachable and one.value is not None and one.value != one.now]
    if not able:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            _("Set one lever to its needed value"),
            options=able,
            format_func=lambda lever: words.name(plan.metrics[lever]),
            key=_LEVER,
            width=340,
        )
        st.button(
            _("Set it"), key="take_one", on_click=_take_one, args=({lever: needed[lever].value for lever in able},)
        )


def _take_one(targets: Mapping[str, float | None]) -> None:
    lever = session.typed(_LEVER)
    if lever in targets:
        session.change({f"metrics.{lever}.value": targets[lever]})


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


def keep() -> None:
    """Offer to keep the plan as it is now under a name, for comparing; an empty field shows the name it then gets."""
    scenarios = session.desk().scenarios
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(_("Name of the scenario"), key=_NAME, max_chars=40, width=340, placeholder=_proposal(scenarios))
        st.button(_("Keep this scenario"), key="keep_scenario", on_click=_keep)
        st.button(
            _("Forget scenarios"),
            key="forget_scenarios",
            disabled=not scenarios,
            on_click=session.drop_scenarios,
            type="tertiary",
        )


@pictures.uninterrupted()
def _keep() -> None:
    """Keep the plan under what the field says when the button is pressed, and empty the field for the next one."""
    scenarios = session.desk().scenarios
    name = " ".join(str(session.typed(_NAME) or "").split())
    session.keep_scenario(_free(name, scenarios) if name else _proposal(scenarios), session.plan(), MAX_KEPT)
    session.follow(_NAME, "")


def _proposal(scenarios: Collection[str]) -> str:
    """Return the first numbered name that no scenario has."""
    numbered = (_("Scenario {number}").format(number=number) for number in count(1))
    return next(name for name in numbered if name not in scenarios)


def _free(name: str, scenarios: Collection[str]) -> str:
    """Return the name, with a number if another column of the comparison has it: none may hide the other."""
    taken = {*scenarios, _("Now"), _("Metric")}
    numbered = (f"{name} ({number})" for number in count(2))
    return name if name not in taken else next(one for one in numbered if one not in taken)
