"""Repair mode: a stored plan that cannot be read, shown as what is wrong with it and the ways to have it back.

Nothing is changed before somebody chooses: the stored text stays a version of the plan whatever is done here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import streamlit as st

from kpi_core import plan_names, plan_text
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.plan_repair import Change, Repair, repair
from workbench import header, plan_problems, session
from workbench.keeping import Keeping
from workbench.rows import versions as rows
from workbench.store import Kept, Version, new_key
from workbench.words import _, md

OFFERED = 5  # older versions that can be restored
LOOKED_AT = 100


@dataclass(frozen=True)
class Stored:
    """What is stored and cannot be read: the reason, the data as far as it can be told, and what would remain of it."""

    problem: KpiError
    data: object
    repaired: Repair | None

    @classmethod
    def of(cls, kept: Kept) -> Stored | None:
        """Return what is wrong with a revision; None if nothing is."""
        if kept.problem is None:
            return None
        try:
            data = plan_text.read(kept.text)
        except KpiError as error:
            return cls(error, None, None)
        try:
            return cls(kept.problem, data, repair(data))
        except KpiError:
            return cls(kept.problem, data, None)


def show(keeping: Keeping, kept: Kept) -> None:
    """Show, instead of a page, what is wrong with the stored plan and what can be done."""
    stored = Stored.of(kept)
    if stored is None:
        session.attempt(session.reopen)
        st.rerun()
    header.language()
    st.title(_("This plan cannot be read"), anchor=False)
    st.markdown(_("It is stored as it was, and nothing of it is lost. What is in the way:"))
    st.markdown("\n".join(f"- {md(reason)}" for reason in plan_problems.sentences(stored.problem, stored.data)))
    if keeping.role == "view":
        st.info(_("Whoever may edit this plan can repair it. Tell them what you see here."))
    else:
        _repair_offer(stored)
        _older_versions(keeping, kept)
    st.subheader(_("Take it along"), anchor=False)
    with st.container(horizontal=True):
        name = f"plan-{kept.number}.json"
        label = _("Save the stored text as a file")
        st.download_button(label, data=kept.text, file_name=name, mime="application/json", key="raw", on_click="ignore")
        st.button(_("Work on another plan"), key="leave_unreadable", on_click=_leave)
    if error := session.refused():
        st.error(md("\n".join(plan_problems.sentences(error))))


def _repair_offer(stored: Stored) -> None:
    """Say what a repair would leave out, and offer it."""
    st.subheader(_("Repair it"), anchor=False)
    if stored.repaired is None:
        st.markdown(_("Nothing that could be left out makes it a plan again. Restore a version, or mend the file."))
        return
    st.markdown(_("This is left out; the rest stays as it is:"))
    st.markdown("\n".join(f"- {md(sentence)}" for sentence in change_sentences(stored)))
    plan = stored.repaired.plan
    st.button(_("Repair it like this"), key="repair_now", type="primary", on_click=_save, args=(plan, "repair"))


def change_sentences(stored: Stored) -> list[str]:
    """Return each change of a repair as a sentence. Plain text."""
    changes = () if stored.repaired is None else stored.repaired.changes
    places = [stored.problem.about(path=".".join(change.path)) for change in changes]
    names = plan_names.mentioned(stored.data, places) if isinstance(stored.data, Mapping) else {}
    return [_change_sentence(change, names) for change in changes]


def _change_sentence(change: Change, names: plan_problems.Names) -> str:
    place = plan_problems.place(".".join(change.path), names)
    before = "" if change.before is None or isinstance(change.before, dict | list) else str(change.before)[:60]
    if change.after is None:
        whole, value = _("{place} is left out."), _("{place}: “{before}” is left out.")
        return (value if before else whole).format(place=place, before=before)
    after = change.after.get("value", "") if isinstance(change.after, dict) else change.after
    alone, instead = _("{place}: {after}."), _("{place}: {after} instead of “{before}”.")
    return (instead if before else alone).format(place=place, after=after, before=before)


def _older_versions(keeping: Keeping, kept: Kept) -> None:
    """Offer the newest versions before this one that can be read."""
    st.subheader(_("Or restore an older version"), anchor=False)
    versions = [*islice(_readable(keeping, kept), OFFERED)]
    if not versions:
        st.markdown(_("There is no older version that can be read."))
    for version, plan in versions:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(md(rows.named(version)), width="content")
            st.button(_("Restore"), key=f"restore_{version.number}", on_click=_save, args=(plan, "restore"))


def _readable(keeping: Keeping, kept: Kept) -> Iterator[tuple[Version, Plan]]:
    if keeping.store is None or keeping.actor is None or keeping.plan_id is None:
        return
    try:
        for version in keeping.store.history(keeping.actor, keeping.plan_id, limit=LOOKED_AT, before=kept.number):
            older = keeping.store.read(keeping.actor, keeping.plan_id, version.number)
            if not version.is_aside and older.problem is None:
                yield version, older.plan
    except KpiError as error:
        st.warning(md("\n".join(plan_problems.sentences(error))))


def _save(plan: Plan, kind: str) -> None:
    """Store a plan on top of the version that cannot be read, and open it."""

    def save() -> None:
        keeping = session.keeping()
        if keeping.store is None or keeping.actor is None or keeping.plan_id is None or keeping.unreadable is None:
            return
        number, author = keeping.unreadable.number, keeping.author
        keeping.store.save(keeping.actor, keeping.plan_id, number, plan, key=new_key(), author=author, kind=kind)
        session.reopen()

    if session.attempt(save):
        session.tell(_("The plan can be read again. What was stored before is still among its versions."))


def _leave() -> None:
    session.attempt(session.leave)
