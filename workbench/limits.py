"""What the teams can give: skill, hours, at most so many KSFs, and the budget; each change answers at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kpi_core.focus.overload import usual
from kpi_core.plan import Plan
from workbench import fields, formats, session, words
from workbench.words import _, md


def form(plan: Plan) -> None:
    """Show the limits of every team that has KSFs, and the budget they share."""
    for team, part in plan.teams.items():
        if not any(ksf.team == team for ksf in plan.ksfs.values()):
            continue
        st.caption(f"**{md(words.name(part))}**")
        skill, hours, most = st.columns(3)
        below = st.container()
        with skill:
            fields.whole(_("Skill"), f"teams.{team}.skill", part.skill, low=1, high=5, about=_skills())
        with hours:
            fields.number(_("Hours"), f"teams.{team}.hours", part.hours, empty=_("no limit"), below=below)
        with most:
            fields.whole(
                _("At most"),
                f"teams.{team}.max_ksfs",
                part.max_ksfs,
                low=0,
                high=20,
                may_be_empty=True,
                about=_("KSFs this team takes on"),
            )
        if part.max_ksfs is None:
            with below:
                _offer_usual(plan, team)
    fields.number(_("Budget (yen)"), "limits.budget", plan.limits.budget, unit="円", empty=_("no limit"))


def _offer_usual(plan: Plan, team: str) -> None:
    """Say how many KSFs a team of this skill usually takes on, where it has set no number, and offer to take it."""
    count = usual(plan, team)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        said = _("Usual at skill {skill}: {count}.")
        st.caption(said.format(skill=plan.teams[team].skill, count=count), width="content")
        st.button(
            _("Take on {count}").format(count=count),
            key=f"usual_{team}",
            icon=":material/check:",
            type="tertiary",
            on_click=session.change,
            args=({f"teams.{team}.max_ksfs": count},),
        )


def _skills() -> str:
    return _("1 new to it, 2 little experience, 3 able, 4 skilled, 5 specialist")


def objective() -> str:
    """Return how the KSFs' effects are counted: averaged over twelve months, as they arrive this year, or all full."""
    says = {"average": _("Mean"), "year": _("This year"), "run_rate": _("In full")}
    return st.segmented_control(
        _("Count the effect as"),
        help=_("The mean of twelve months, what arrives in this fiscal year, or every effect in full."),
        options=list(says),
        format_func=says.__getitem__,
        default="average",
        required=True,
        key="focus_objective",
        persist_state="session",
    )


def choices(plan: Plan) -> None:
    """Let people say which KSFs must be in and which must not."""
    _some(_("Must be in"), "limits.lock", plan.limits.lock, plan, without=plan.limits.rule_out)
    _some(_("Ruled out"), "limits.rule_out", plan.limits.rule_out, plan, without=plan.limits.lock)


def _some(label: str, path: str, now: Sequence[str], plan: Plan, *, without: Collection[str]) -> None:
    st.multiselect(
        label,
        options=[ksf for ksf in plan.ksfs if ksf not in without],
        format_func=lambda ksf: f"{ksf} {words.name(plan.ksfs[ksf])}",
        placeholder=_("None"),
        key=session.follow(path, list(now)),
        on_change=fields.store,
        args=(path, lambda chosen: {path: list(chosen)}),
    )
    fields.reason(path, label)


def ksf_form(plan: Plan, ksf: str) -> None:
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
                _("Hours: {team}").format(team=words.name(plan.teams[team])),
                f"{path}.hours.{team}",
                hours,
                empty=_("None"),
                below=below,
            )


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


def _ramp(label: str, plan: Plan, ksf: str, at: int, *, below: DeltaGenerator) -> None:
    key, shown = f"ksfs.{ksf}.ramp.{at}", formats.plain_number(plan.ksfs[ksf].ramp[at])

    def changed(text: str) -> dict[str, Any]:
        now = list(session.plan().ksfs[ksf].ramp)
        now[at] = formats.parse(text)
        return {f"ksfs.{ksf}.ramp": now}

    fields.typed(label, key, shown, changed, below=below)
