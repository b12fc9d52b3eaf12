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
            fields.number(_("Hours"), f"teams.{team}.hours", part.hours, unit="時間", empty=_("no limit"), below=below)
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
        with below:
            if part.max_ksfs is None:
                _offer_usual(plan, team)
            _quarters(plan, team)
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


def _quarters(plan: Plan, team: str) -> None:
    """Let people say how many hours there are in each quarter, where one of them is tighter than the others."""
    part, path = plan.teams[team], f"teams.{team}.quarters"
    with st.popover(_("Hours by quarter"), icon=":material/date_range:", type="tertiary", key=f"open_{path}"):
        if part.quarters is None:
            st.caption(_("A KSF's hours fall evenly in the months from its start to the month it is full."))
            if part.hours is None:
                st.caption(_("Set the team's hours first: they are then spread over the quarters."))
            label = _("Set hours for each quarter")
            off = part.hours is None
            st.button(label, key=f"set_{path}", on_click=_spread_evenly, args=(team,), disabled=off)
            return
        below = st.container()
        for at, column in enumerate(st.columns(4)):
            with column:
                _quarter(plan, team, at, below=below)
        st.button(_("No limit by quarter"), key=f"drop_{path}", on_click=session.change, args=({path: None},))


def _spread_evenly(team: str) -> None:
    """Give each quarter a fourth of the hours the team has when the button is pressed."""
    hours = session.plan().teams[team].hours
    session.change({f"teams.{team}.quarters": [(hours or 0.0) / 4] * 4})


def _quarter(plan: Plan, team: str, at: int, *, below: DeltaGenerator) -> None:
    path = f"teams.{team}.quarters"

    def changed(text: str) -> dict[str, Any]:
        now = list(session.plan().teams[team].quarters or [0.0] * 4)
        now[at] = formats.parse(text, "時間")
        return {path: now}

    shown = formats.grouped((plan.teams[team].quarters or [0.0] * 4)[at])
    fields.typed(_("Quarter {number}").format(number=at + 1), f"{path}.{at}", shown, changed, below=below)


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
    some(_("Must be in"), "limits.lock", plan.limits.lock, plan, without=plan.limits.rule_out)
    some(_("Ruled out"), "limits.rule_out", plan.limits.rule_out, plan, without=plan.limits.lock)


def some(label: str, path: str, now: Sequence[str], plan: Plan, *, without: Collection[str]) -> None:
    """Show a list of KSFs that one adds to and takes from.

    What a multiselect holds are the words shown: in another language it is another field.
    """
    key = f"{path}.{words.language()}"
    st.multiselect(
        label,
        options=[ksf for ksf in plan.ksfs if ksf not in without],
        format_func=lambda ksf: f"{ksf} {words.name(plan.ksfs[ksf])}",
        placeholder=_("None"),
        select_all=False,  # it says so in English whatever is spoken, and all KSFs is no choice anyway
        wrap=True,
        key=fields.follow(key, list(now)),
        on_change=fields.store,
        args=(key, lambda chosen: {path: list(chosen)}),
    )
    fields.reason(key, label)
