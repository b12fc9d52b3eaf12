"""Levers that tend to be high together: the plan's rank correlations, shown, added and taken away."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kpi_core.errors import KpiError
from kpi_core.forecast import uncertain
from kpi_core.plan import Plan
from kpi_core.plan_text import plain
from workbench import fields, session, words
from workbench.words import _, md

_STEPS = (0.8, 0.5, 0.3, -0.3, -0.5, -0.8)


def form(plan: Plan) -> None:
    """Show which levers go together, and offer two more."""
    levers = uncertain(plan)
    if len(levers) < 2:
        return
    with st.expander(_("Levers that go together"), icon=":material/link:", key="together"):
        for at, link in enumerate(plan.assumptions.correlations):
            one, other = (words.name(plan.metrics[metric]) for metric in link.pair)
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    _("{one} and {other}: {rank}").format(one=md(one), other=md(other), rank=f"{link.rank:+.2f}")
                )
                st.button(_("Remove"), key=f"apart_{at}", on_click=_take_away, args=(link.pair,), type="tertiary")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            one = _lever(_("This lever"), "together_one", plan, levers)
            _lever(_("goes with"), "together_other", plan, [lever for lever in levers if lever != one])
            st.selectbox(
                _("how closely (rank correlation)"),
                options=_STEPS,
                format_func=lambda step: f"{step:+.1f}",
                key="together_rank",
            )
            st.button(_("Add"), key="together_add", on_click=_add)
        fields.reason("together_add", _("Levers that go together"))
        st.caption(_("Levers linked by way of a third are linked by the product. The parts above take no links in."))


def _lever(label: str, key: str, plan: Plan, levers: Any) -> str:
    if session.typed(key) not in levers:
        session.follow(key, levers[0])
    chosen: str = st.selectbox(
        label, options=levers, format_func=lambda lever: words.name(plan.metrics[lever]), key=key, width=260
    )
    return chosen


def _links(plan: Plan) -> list[dict[str, Any]]:
    return [plain(link) for link in plan.assumptions.correlations]


def _add() -> None:
    """Link the levers that are chosen, and what both are linked to by the product where the pair could not hold."""
    one, other = str(session.typed("together_one")), str(session.typed("together_other"))
    rank = float(session.typed("together_rank"))

    def add(plan: Plan) -> Plan:
        kept = [link for link in _links(plan) if set(link["pair"]) != {one, other}]
        alone = [*kept, {"pair": [one, other], "rank": rank}]
        try:
            return plan.replace({"assumptions.correlations": alone})
        except KpiError:
            implied = _implied(kept, one, other, rank) + _implied(kept, other, one, rank)
            return plan.replace({"assumptions.correlations": [*alone, *implied]})

    session.rework(add, key="together_add")


def _implied(kept: list[dict[str, Any]], one: str, other: str, rank: float) -> list[dict[str, Any]]:
    known = {frozenset(link["pair"]): link["rank"] for link in kept}
    through = {next(iter(pair - {one})): found for pair, found in known.items() if one in pair}
    return [
        {"pair": [third, other], "rank": round(found * rank, 2)}
        for third, found in through.items()
        if frozenset((third, other)) not in known
    ]


def _take_away(pair: tuple[str, str]) -> None:
    """Take a link away, of those that are there by now."""
    session.rework(
        lambda plan: plan.replace(
            {"assumptions.correlations": [link for link in _links(plan) if set(link["pair"]) != set(pair)]}
        )
    )
