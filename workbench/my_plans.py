"""The reader's plans, and what is done with a plan as a whole: switch, begin, copy, open, take along, delete."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench import files, local_times, new_link, new_plan, plan_files, samples, session, words
from workbench.keeping import Keeping
from workbench.rows import share as rows
from workbench.store import Listed
from workbench.store.rights import GRACE
from workbench.words import _, md

_DELETING = "share_deleting"
_FILE = "open_as_new"
_MOST = 20  # plans listed at once


def name(keeping: Keeping) -> None:
    """Ask for the name that stands beside what the reader changes."""
    st.text_input(
        _("Your name in the history (optional)"),
        key=session.follow("author_name", keeping.author),
        max_chars=80,
        placeholder=_("Person's name"),
        on_change=_name,
    )
    st.caption(_("It stands beside your changes, for everybody who may see this plan."))


def whose() -> str:
    """Say whose plans are listed."""
    if session.person() is None:
        return _("What this browser has made or has come by.")
    return _("What you have made or have come by, in every browser in which you sign in.")


def listed(plans: Sequence[Listed], keeping: Keeping) -> None:
    """List the reader's plans, each with a way to work on it; deleted ones with a way back."""
    many = session.recall("plans_shown", _MOST)
    for one in plans[:many]:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"plan_{one.plan_id}"):
            with st.container():
                st.markdown(f"**{md(words.text(one.name))}** · {rows.role(one.role)}")
                st.caption(_when(one))
            _way(one, keeping)
    if len(plans) > many:
        st.button(
            _("Show more"),
            key="more_plans",
            type="tertiary",
            on_click=session.remember,
            args=("plans_shown", 10 * many),
        )


def begin(keeping: Keeping) -> None:
    """Offer to begin another plan: a copy of this one, the sample, a file."""
    with st.container(horizontal=True):
        if keeping.plan_id is not None:
            st.button(
                _("Save a copy as a plan of my own"),
                key="copy_plan",
                icon=":material/content_copy:",
                on_click=_copy,
            )
        st.button(
            _("New plan from the sample"),
            key="sample_plan",
            icon=":material/add:",
            on_click=new_plan.begin,
            args=(samples.sample_plan,),
        )
    opener()


def opener() -> None:
    """Offer to open a file as a plan of its own; what cannot be opened is said above."""
    new_plan.field(_("Open a plan file as a new plan (YAML or JSON)"), _FILE, may_replace=True)


def downloads() -> None:
    """Offer the plan as a file, in both forms the app reads."""
    plan = session.plan()
    with st.container(horizontal=True):
        for ending in plan_files.FORMS:
            st.download_button(
                _("Plan as {form}").format(form=ending.upper()),
                data=plan_files.contents(session.desk(), ending),
                file_name=files.name(plan, ending),
                mime=f"application/{ending}",
                icon=":material/download:",
                key=f"download_{ending}",
                on_click="ignore",
            )
    st.caption(_("Both hold the whole plan and can be opened here again. Links and earlier versions are not in it."))


def delete(keeping: Keeping) -> None:
    """Offer to delete the plan, in two steps."""
    if session.recall(_DELETING) != keeping.plan_id:
        st.button(
            _("Delete this plan…"),
            key="delete_plan",
            icon=":material/delete:",
            on_click=session.remember,
            args=(_DELETING, keeping.plan_id),
        )
        return
    said = _("Then no link opens it, for nobody. You can take that back here for {days} days; after that it is gone.")
    with st.container(border=True):
        st.markdown(said.format(days=GRACE.days))
        with st.container(horizontal=True):
            st.button(_("Delete it now"), key="delete_now", on_click=_delete)
            st.button(
                _("Keep the plan"), key="delete_not", type="tertiary", on_click=session.remember, args=(_DELETING, None)
            )


def _when(one: Listed) -> str:
    if one.deleted_at is None:
        return _("changed {time}").format(time=local_times.said(one.changed_at))
    return _("deleted {day}, gone for good on {last}").format(
        day=local_times.day(one.deleted_at), last=local_times.day(one.deleted_at + GRACE)
    )


def _way(one: Listed, keeping: Keeping) -> None:
    if one.deleted_at is not None:
        st.button(_("Take the deletion back"), key=f"restore_{one.plan_id}", on_click=_undelete, args=(one.plan_id,))
    elif one.plan_id == keeping.plan_id:
        st.markdown(f":gray-badge[{_('open now')}]", width="content")
    else:
        st.button(_("Work on it"), key=f"switch_{one.plan_id}", on_click=_switch, args=(one.plan_id,))


def _name() -> None:
    session.attempt(lambda: session.call_me(str(session.typed("author_name") or "")))


def _switch(plan_id: str) -> None:
    if session.attempt(lambda: session.switch_to(plan_id)):
        new_plan.opened()


def _copy() -> None:
    if session.attempt(session.save_copy):
        new_plan.opened()


def _undelete(plan_id: str) -> None:
    def work() -> None:
        store, actor = new_link.kept(session.keeping())
        store.undelete(actor, plan_id)

    if session.attempt(work):
        session.tell(_("The plan is back in your list."))


def _delete() -> None:
    gone = words.name(session.plan())

    def work() -> None:
        keeping = session.keeping()
        store, actor = new_link.kept(keeping)
        store.delete(actor, keeping.begin())
        session.leave()

    session.remember(_DELETING, None)
    if session.attempt(work):
        session.tell(_("Deleted: {name}. You can take that back for {days} days.").format(name=gone, days=GRACE.days))
