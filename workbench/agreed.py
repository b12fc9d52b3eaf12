"""What was agreed: the button that writes a choice into the plan's log, and the log."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from kpi_core.focus import Focus, first_review
from kpi_core.plan import Plan
from kpi_core.plan_text import plain
from workbench import months, page, session, words
from workbench.words import _


def form(found: Focus) -> None:
    """Offer to write the choice into the log, with a note; show when each KSF is first looked at again."""
    if not found.chosen:
        st.caption(_("Nothing is chosen within these limits, so there is nothing to agree on."))
        return
    plan = found.plan
    page.table(_owners(found), key="owners")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        note = st.text_input(
            _("Why, or what was said (optional)"), key="agreed_note", max_chars=1_000, persist_state="session"
        )
        st.button(_("Agree on this set"), key="agree", type="primary", on_click=_agree, args=(found, note))
    if plan.decisions:
        with st.expander(_("What was agreed before"), key="agreed_log"):
            page.table(_log(plan), key="decisions")


def _owners(found: Focus) -> list[dict[str, str]]:
    plan = found.plan
    return [
        {
            _("KSF"): f"{ksf} {words.name(plan.ksfs[ksf])}",
            _("Team"): words.name(plan.teams[plan.ksfs[ksf].team]),
            _("First looked at again"): _review(plan, [ksf]),
        }
        for ksf in found.chosen
    ]


def _review(plan: Plan, ksfs: Iterable[str]) -> str:
    """Return the day the first of some KSFs can be judged, if they begin this month (outside the year: with it)."""
    begins = months.today(plan) or 1
    return months.end_of(plan, min(first_review(plan, ksf) for ksf in ksfs) + begins - 1)


def _agree(found: Focus, note: str) -> None:
    plan = session.plan()
    decision = {
        "date": months.day(),
        "chosen": list(found.chosen),
        "kgi": found.kgi,
        "review": _review(plan, found.chosen),
        **({"note": note.strip()} if note.strip() else {}),
    }
    session.change({"decisions": [*(plain(one) for one in plan.decisions), decision]})
    session.tell(_("Written into the plan's log."))


def _log(plan: Plan) -> list[dict[str, str]]:
    kgi = plan.metrics[plan.kgi.metric]
    return [
        {
            _("Date"): one.date,
            _("KSFs"): " ".join(one.chosen),
            words.name(kgi): words.value(one.kgi, kgi),
            _("First looked at again"): one.review,
            _("Note"): one.note or "",
        }
        for one in reversed(plan.decisions)
    ]
