"""The log of what was agreed: every decision in one row, the latest in full: who does what by when, what is put off."""

from __future__ import annotations

import streamlit as st

from kpi_core.document import Decision
from kpi_core.plan import Plan
from workbench import page
from workbench.rows import agreed as rows
from workbench.words import _, md

_IN_FULL = 5  # the latest decisions; of those before only the row


def checks() -> dict[str, str]:
    """Return how often people may meet about a set."""
    return {"weekly": _("Every week"), "two_weeks": _("Every two weeks"), "monthly": _("Every month")}


def show(plan: Plan) -> None:
    """Show the log, the newest first; nothing if nothing was agreed yet."""
    if not plan.decisions:
        return
    st.subheader(_("What was agreed so far"), anchor=False)
    page.table(rows.log(plan, checks()), key="decisions", stacks=True)
    newest = list(reversed(plan.decisions))[:_IN_FULL]
    for at, decision in enumerate(newest):
        if decision.commitments or decision.postponed:
            _in_full(plan, decision, at)


def _in_full(plan: Plan, decision: Decision, at: int) -> None:
    told = _("{date}: {ksfs}").format(date=decision.date, ksfs=" ".join(decision.chosen))
    with st.expander(md(told), expanded=at == 0, key=f"decision_{at}"):
        if decision.override:
            st.markdown(md(_("More than a team can carry, because: {reason}").format(reason=decision.override)))
        if decision.commitments:
            page.table(rows.actions(plan, decision), key=f"decision_actions_{at}", stacks=True)
        if decision.postponed:
            page.answer_small(_("Postponed, not dropped"))
            page.table(rows.postponed(plan, decision), key=f"decision_postponed_{at}", stacks=True)
