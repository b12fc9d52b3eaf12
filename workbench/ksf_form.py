"""One KSF as a form: what it moves, what it takes, when it works, and which others it builds on or rules out."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import fields, formats, limits, session, words
from workbench.words import _, md

_LAST_MONTH = 60


def show(plan: Plan, ksf: str) -> None:
    """Show one KSF, each field editable: what it moves, what it takes, when it works."""
    entry, path = plan.ksfs[ksf], f"ksfs.{ksf}"
    language = words.language()
    fields.text(_("Name"), f"{path}.name.{language}", getattr(entry.name, language) or "")
    if entry.illustrative:
        st.caption(_("Illustrative numbers. Put in your own low, most likely and high."))
    for metric in entry.moves:
        st.caption(_("Lifts {metric} by (low, most likely, high, relative)").format(metric=md(_metric(plan, metric))))
        columns, below = st.columns(3), st.container()
        for at, (column, label) in enumerate(zip(columns, (_("Low"), _("Most likely"), _("High")), strict=True)):
            with column:
                _lift(label, plan, ksf, metric, at, below=below)
    _lifts_also(plan, ksf)
    cost, skill, start, full = st.columns(4)
    below = st.container()
    with cost:
        fields.number(_("Cost (yen)"), f"{path}.cost", entry.cost, unit="円", empty=None, below=below)
    with skill:
        fields.whole(_("Skill needed"), f"{path}.skill", entry.skill, low=1, high=5)
    for column, label, at in ((start, _("Starts in month"), 0), (full, _("Full in month"), 1)):
        with column:
            _ramp(label, plan, ksf, at, below=below)
    hours_columns, below = st.columns(4), st.container()
    for column, team in zip(hours_columns, [team for team in plan.teams if team != "company"], strict=False):
        with column:
            hours = entry.hours.get(team)
            fields.number(
                _("Hours of {team}").format(team=md(words.name(plan.teams[team]))),
                f"{path}.hours.{team}",
                hours,
                unit="時間",
                empty=_("None"),
                below=below,
            )

    depends_on, excludes = st.columns(2)
    with depends_on:
        limits.some(_("Builds on"), f"{path}.depends_on", entry.depends_on, plan, without=[ksf])
    with excludes:
        limits.some(_("Cannot be chosen with"), f"{path}.excludes", entry.excludes, plan, without=[ksf])


def _month(text: str) -> float:
    month = formats.parse(text, "か月")
    if not 0 <= month <= _LAST_MONTH:
        said = text.strip()[:40]
        raise KpiError("no_month", "“{text}” is no month of a plan. Write 0 to {last}.", text=said, last=_LAST_MONTH)
    return month


def _metric(plan: Plan, metric: str) -> str:
    return words.name(plan.metrics[metric])


def _lift(label: str, plan: Plan, ksf: str, metric: str, at: int, *, below: DeltaGenerator) -> None:
    lift = plan.ksfs[ksf].moves[metric]
    key, shown = f"ksfs.{ksf}.moves.{metric}.{at}", f"{formats.plain_number(lift[at] * 100)}%"

    def changed(text: str) -> dict[str, Any]:
        now = list(session.plan().ksfs[ksf].moves[metric])
        now[at] = formats.parse(text, "%")
        return {f"ksfs.{ksf}.moves.{metric}": now, f"ksfs.{ksf}.illustrative": None}

    fields.typed(label, key, shown, changed, below=below)


def _lifts_also(plan: Plan, ksf: str) -> None:
    """Offer one more metric that the KSF lifts; it does nothing until its three numbers are typed."""
    if not plan.ksfs[ksf].moves:
        st.warning(_("It lifts nothing yet. Choose a metric, then type by how much."))
    free = [metric for metric in plan.metrics if metric not in plan.ksfs[ksf].moves]
    key = f"lifts_also_{ksf}"
    if session.typed(key) not in free:
        session.follow(key, None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.selectbox(
            _("Metric it also lifts"),
            options=free,
            format_func=lambda option: _metric(plan, option),
            placeholder=_("None"),
            index=None,
            key=key,
            width=320,
        )
        st.button(
            _("Add"),
            key=f"{key}_add",
            disabled=metric is None,
            on_click=_lift_also,
            args=(ksf, key),
        )


def _lift_also(ksf: str, key: str) -> None:
    if (metric := session.typed(key)) is not None:
        session.change({f"ksfs.{ksf}.moves.{metric}": [0.0, 0.0, 0.0]})


def _ramp(label: str, plan: Plan, ksf: str, at: int, *, below: DeltaGenerator) -> None:
    key, shown = f"ksfs.{ksf}.ramp.{at}", formats.plain_number(plan.ksfs[ksf].ramp[at])

    def changed(text: str) -> dict[str, Any]:
        now = list(session.plan().ksfs[ksf].ramp)
        now[at] = _month(text)
        return {f"ksfs.{ksf}.ramp": now}

    fields.typed(label, key, shown, changed, below=below)
