"""Sliders for levers: each in its own range, unit and step; moving one changes the plan."""

from __future__ import annotations

import streamlit as st

from kpi_core.plan import Plan
from workbench import fields, words
from workbench.words import _, md


def by_team(plan: Plan) -> None:
    """Draw a slider for every lever of the KGI, grouped by the team that answers for it."""
    with st.container(gap="xxsmall", key="levers"):
        _by_team(plan)


def _by_team(plan: Plan) -> None:
    levers = plan.tree.levers(plan.kgi.metric)
    for team, part in plan.teams.items():
        mine = [lever for lever in levers if plan.metrics[lever].team == team]
        if mine:
            st.caption(f"**{md(words.name(part))}**")
        for lever in mine:
            _slider(plan, lever)
    others = [lever for lever in levers if plan.metrics[lever].team not in plan.teams]
    if others:
        st.caption(f"**{_('No team')}**")
    for lever in others:
        _slider(plan, lever)


def _slider(plan: Plan, lever: str) -> None:
    entry = plan.metrics[lever]
    scale = words.scale(entry)
    low, high = (scale.shown(end) for end in entry.span)
    label, key = md(words.name(entry)), f"lever_{lever}"
    if low >= high:
        st.caption(_("{name} stays at {value}.").format(name=label, value=md(words.value(plan.tree.now(lever), entry))))
        return
    st.slider(
        label,
        min_value=low,
        max_value=high,
        step=scale.step,
        format=scale.format,
        key=fields.follow(key, scale.shown(plan.tree.now(lever))),
        on_change=fields.store,
        args=(key, lambda shown: {f"metrics.{lever}.value": scale.plain(shown)}),
    )
    fields.reason(key, words.name(entry))
