"""Agreeing on a set: who does what by when, how often people meet about it, and what is put off until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields as fields_of
from typing import Any

import streamlit as st

from kpi_core.errors import KpiError
from kpi_core.focus import Focus, first_review
from kpi_core.focus.overload import overloads
from kpi_core.plan import Plan
from kpi_core.plan_text import plain
from workbench import agreed_actions, agreed_log, comebacks, fields, months, pictures, sentences_set, session, words
from workbench.overrides import Override
from workbench.words import _, md

_WITHOUT_REASONS = "agreed_without_reasons"


def form(found: Focus, priced: Mapping[str, Override] | None) -> None:
    """Offer to write the choice into the log with everything people need to start; below it what was agreed before.

    `priced` gives the reasons; None: they are not known yet, and `catch_up` has them filled in.
    """
    session.remember(_WITHOUT_REASONS, priced is None)
    if not found.chosen:
        st.caption(_("Nothing is chosen within these limits, so there is nothing to agree on."))
    else:
        _commitments(found, priced or {})
        _checks()
        _override(found)
        st.text_input(_("What was said (optional)"), key="agreed_note", max_chars=1_000, persist_state="session")
        st.button(_("Agree on this set"), key="agree", type="primary", on_click=_agree, args=(found,))
        fields.reason("agree", _("Agree on this set"))
        _remarks(found)
    agreed_log.show(found.plan)


def catch_up() -> None:
    """Draw the page again if the reasons came after the form: it has them then."""
    if session.recall(_WITHOUT_REASONS):
        st.rerun()


def _remarks(found: Focus) -> None:
    """Say kindly what is still open; none of it keeps people from agreeing."""
    plan = found.plan
    idle = [ksf for ksf in found.chosen if not agreed_actions.some(ksf)]
    nobodys = [ksf for ksf in found.chosen if not agreed_actions.owner(ksf)]
    past = [ksf for ksf in found.chosen if agreed_actions.is_past(plan, ksf)]
    for told, ksfs in (
        (_("No action yet: {ksfs}."), idle),
        (_("Nobody answers yet for: {ksfs}. With a name it gets going sooner."), nobodys),
        (_("Due on a day that has passed: {ksfs}. Check the dates, or agree as it is."), past),
    ):
        if ksfs:
            st.caption(md(told.format(ksfs=words.joined(ksfs))))
    if found.left_out:
        st.caption(_("The KSFs left out go into the log as postponed, each with its condition for coming back."))


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
        agreed_actions.draft(_("Why it is in"), f"agreed_why_{ksf}", why, long=True, max_chars=300)
    with owner:
        agreed_actions.draft(
            _("Answers for it"), f"agreed_owner_{ksf}", "", max_chars=100, placeholder=_("Person's name")
        )
    agreed_actions.show(plan, ksf)


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


def _review(plan: Plan, ksfs: Iterable[str]) -> str:
    """Return the day the first of some KSFs can be judged, if they begin this month (outside the year: with it)."""
    return months.end_of(plan, min(first_review(plan, ksf) for ksf in ksfs) + months.begins(plan) - 1)


@pictures.uninterrupted()
def _agree(found: Focus) -> None:
    decision: dict[str, Any] = {}
    read = session.attempt(lambda: decision.update(_decision(found)), key="agree")
    if read and session.rework(lambda plan: _logged(plan, decision), key="agree"):
        session.follow("agreed_note", "")
        session.follow("agreed_override", "")
        session.tell(_("Written into the plan's log."))


def _logged(plan: Plan, decision: Mapping[str, Any]) -> Plan:
    """Return the plan with one decision more, unless its last one is this very one: a button may be pressed twice."""
    made = plan.replace({"decisions": [*(plain(one) for one in plan.decisions), decision]})
    return plan if made.decisions[-1] == next(reversed(plan.decisions), None) else made


def _check_is_current(found: Focus) -> None:
    """Refuse a set that was chosen for another plan: a limit typed just before the button was pressed counts."""
    parts = [item.name for item in fields_of(Plan) if item.name != "decisions"]
    if any(getattr(found.plan, part) != getattr(session.plan(), part) for part in parts):
        raise KpiError(
            "set_outdated",
            "The plan has changed since this set was chosen. Look at the set that is best now, then agree.",
        )


def _decision(found: Focus) -> dict[str, Any]:
    _check_is_current(found)
    over, override = overloads(found), agreed_actions.typed("agreed_override")
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
    decision |= {"note": note} if (note := agreed_actions.typed("agreed_note")) else {}
    decision |= {"override": override} if over else {}
    return decision


def _commitment_typed(plan: Plan, ksf: str) -> dict[str, Any]:
    why, owner = agreed_actions.typed(f"agreed_why_{ksf}"), agreed_actions.owner(ksf)
    said = {"actions": agreed_actions.read(plan, ksf)}
    return said | ({"why": why} if why else {}) | ({"owner": owner} if owner else {})
