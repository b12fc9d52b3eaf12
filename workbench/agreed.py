"""Agreeing on a set: who does what by when, how often people meet about it, and what is put off until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

import streamlit as st

from kpi_core.errors import KpiError
from kpi_core.focus import Focus, first_review
from kpi_core.focus.overload import overloads
from kpi_core.plan import Plan
from kpi_core.plan_text import plain
from workbench import agreed_log, comebacks, fields, months, sentences_set, session, words
from workbench.overrides import Override
from workbench.words import _, md

_MOST = 10  # actions a KSF may have


def form(found: Focus, priced: Mapping[str, Override]) -> None:
    """Offer to write the choice into the log with everything people need to start; below it what was agreed before."""
    if not found.chosen:
        st.caption(_("Nothing is chosen within these limits, so there is nothing to agree on."))
    else:
        _commitments(found, priced)
        _checks()
        _override(found)
        st.text_input(_("What was said (optional)"), key="agreed_note", max_chars=1_000, persist_state="session")
        st.button(_("Agree on this set"), key="agree", type="primary", on_click=_agree, args=(found,))
        fields.reason("agree", _("Agree on this set"))
        if idle := [ksf for ksf in found.chosen if not _has_action(ksf)]:
            st.caption(md(_("No action yet: {ksfs}.").format(ksfs=words.joined(idle))))
        if found.left_out:
            st.caption(_("The KSFs left out go into the log as postponed, each with its condition for coming back."))
    agreed_log.show(found.plan)


def _commitments(found: Focus, priced: Mapping[str, Override]) -> None:
    for at in range(0, len(found.chosen), 2):
        for column, ksf in zip(st.columns(2), found.chosen[at : at + 2], strict=False):
            with column.container(border=True, height="stretch", key=f"commit_{ksf}"):
                _commitment(found.plan, ksf, sentences_set.why_in(found, ksf, priced.get(ksf)))


def _commitment(plan: Plan, ksf: str, why: str) -> None:
    entry = plan.ksfs[ksf]
    team = words.name(plan.teams[entry.team])
    st.markdown(f"**{ksf}** {md(words.name(entry))}")
    st.caption(
        _("{team}. First looked at again {day}.").format(team=md(team), day=md(_review(plan, [ksf]))),
    )
    reason, owner = st.columns([2.2, 1])
    with reason:
        _draft(_("Why it is in"), f"agreed_why_{ksf}", why, long=True, max_chars=300)
    with owner:
        _draft(_("Answers for it"), f"agreed_owner_{ksf}", team, max_chars=100)
    for at in range(_count(ksf)):
        _action(plan, ksf, at)
    if _count(ksf) < _MOST:
        st.button(
            _("One more action"),
            key=f"agreed_more_{ksf}",
            icon=":material/add:",
            type="tertiary",
            on_click=session.remember,
            args=(f"agreed_count_{ksf}", _count(ksf) + 1),
        )


def _action(plan: Plan, ksf: str, at: int) -> None:
    """Show the fields of one action; the first is what the plan says is done, by when its effect starts."""
    entry, key = plan.ksfs[ksf], f"agreed_{ksf}_{at}"
    usual = words.text(entry.actions) if entry.actions is not None and not at else ""
    starts = months.end_of(plan, max(1, ceil(entry.ramp[0])) + _begins(plan) - 1)
    what, who, due = st.columns([2.2, 1, 1])
    below = st.container()
    with what:
        _draft(_("Action"), f"{key}_text", usual, long=True, max_chars=1_000)
    with who:
        _draft(_("Who"), f"{key}_who", "", max_chars=100, placeholder=_("As above"))
    with due:
        label = _("By")
        _draft(label, f"{key}_due", starts, max_chars=40, on_change=_read_due, args=(f"{key}_due",))
        fields.reason(f"{key}_due", label, below)


def _draft(label: str, key: str, usual: str, *, long: bool = False, **looks: Any) -> None:
    """Show a field that says what is usual, also when that changes, until somebody types something else."""
    if session.typed(key) in (None, session.recall(f"usual_{key}")):
        session.follow(key, usual)
    session.remember(f"usual_{key}", usual)
    if long:
        st.text_area(label, key=key, height="content", persist_state="session", **looks)
    else:
        st.text_input(label, key=key, persist_state="session", **looks)


def _read_due(key: str) -> None:
    def read() -> None:
        months.read_day(session.plan(), session.typed(key))

    session.attempt(read, key=key)


def _count(ksf: str) -> int:
    return int(session.recall(f"agreed_count_{ksf}", 1))


def _has_action(ksf: str) -> bool:
    return any(_typed(f"agreed_{ksf}_{at}_text") for at in range(_count(ksf)))


def _checks() -> None:
    st.segmented_control(
        _("How often the teams check in"),
        options=list(agreed_log.checks()),
        format_func=agreed_log.checks().__getitem__,
        default="two_weeks",
        required=True,
        key="agreed_checks",
        persist_state="session",
    )


def _override(found: Focus) -> None:
    """Ask for a reason if a team of little experience is given more than it can carry."""
    over = overloads(found)
    if over:
        label = _("Why {team} takes on more than three (needed to agree)")
        teams = words.joined(words.name(found.plan.teams[one.team]) for one in over)
        st.text_input(label.format(team=teams), key="agreed_override", max_chars=1_000, persist_state="session")


def _begins(plan: Plan) -> int:
    """Return the month in which people begin: this one, outside the year its first."""
    return months.today(plan) or 1


def _review(plan: Plan, ksfs: Iterable[str]) -> str:
    """Return the day the first of some KSFs can be judged, if they begin this month (outside the year: with it)."""
    return months.end_of(plan, min(first_review(plan, ksf) for ksf in ksfs) + _begins(plan) - 1)


def _agree(found: Focus) -> None:
    if session.attempt(lambda: _write(found), key="agree"):
        session.follow("agreed_note", "")
        session.follow("agreed_override", "")
        session.tell(_("Written into the plan's log."))


def _write(found: Focus) -> None:
    over, override = overloads(found), _typed("agreed_override")
    if over and not override:
        raise KpiError(
            "override_reason_missing",
            "{team} would take on more than it can carry. Say why in the field above, or lower “At most”.",
            team=over[0].team,
        )
    plan = session.plan()
    decision: dict[str, Any] = {
        "date": months.day(),
        "chosen": list(found.chosen),
        "kgi": found.kgi,
        "review": _review(plan, found.chosen),
        "checks": session.typed("agreed_checks"),
        "commitments": {ksf: _commitment_typed(plan, ksf) for ksf in found.chosen},
        "postponed": {ksf: plain(condition) for ksf, condition in comebacks.of(found).items()},
    }
    decision |= {"note": note} if (note := _typed("agreed_note")) else {}
    decision |= {"override": override} if over else {}
    session.desk().change({"decisions": [*(plain(one) for one in plan.decisions), decision]})


def _commitment_typed(plan: Plan, ksf: str) -> dict[str, Any]:
    owner, actions = _typed(f"agreed_owner_{ksf}"), []
    for at in range(_count(ksf)):
        key = f"agreed_{ksf}_{at}"
        if text := _typed(f"{key}_text"):
            who, due = _typed(f"{key}_who") or owner, months.read_day(plan, _typed(f"{key}_due"))
            actions.append({"text": text} | ({"owner": who} if who else {}) | ({"due": due} if due else {}))
    why = _typed(f"agreed_why_{ksf}")
    return {"actions": actions} | ({"why": why} if why else {}) | ({"owner": owner} if owner else {})


def _typed(key: str) -> str:
    return str(session.typed(key) or "").strip()
