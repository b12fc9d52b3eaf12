"""The list of versions: one line each, opened for all that changed, for putting it back and for naming it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import fields, local_times, pictures, session, words
from workbench.keeping import Keeping
from workbench.merging import merge
from workbench.rows import versions as rows
from workbench.store import Version
from workbench.versions import A_PAGE, Shelf
from workbench.words import _, md


def show(shelf: Shelf, found: Sequence[Version], keeping: Keeping) -> None:
    """List versions by day; what changed comes in line by line, the newest first."""
    for day, versions in groupby(found[:A_PAGE], key=lambda version: local_times.day(version.at)):
        st.caption(day)
        with st.container(gap="xsmall"):
            for version in versions:
                _one(shelf, version, keeping)
    with st.container(horizontal=True):
        if not shelf.is_first_page():
            st.button(_("Newest versions"), key="versions_newest", on_click=shelf.turn, args=(None,))
        if len(found) > A_PAGE:
            older = found[A_PAGE - 1].number
            st.button(
                _("Older versions"),
                key="versions_older",
                icon=":material/history:",
                on_click=shelf.turn,
                args=(older,),
            )


def _one(shelf: Shelf, version: Version, keeping: Keeping) -> None:
    told = shelf.told(version)
    key = f"version_{shelf.plan_id}_{version.number}"
    named = bool(session.recall(f"named_{key}"))  # with another label it is another element, which would begin closed
    place = st.expander(rows.label(version, told.headline), named, key=key, on_change="rerun")
    if place.open:
        with place:
            if how := rows.how(version):
                st.caption(how)
            if version.note:
                st.markdown(md(version.note))
            st.markdown(rows.listed(told.sentences) or _("Nothing came before it."))
            _ways(shelf, version, keeping)


def _ways(shelf: Shelf, version: Version, keeping: Keeping) -> None:
    """Offer what can be done with a version."""
    if version.is_aside:
        _take_over(shelf, version, keeping)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if keeping.role != "view":
            st.text_input(
                _("Name of this version"),
                key=session.follow(f"label_{version.number}", version.label),
                max_chars=120,
                placeholder=_("As agreed on Friday"),
                on_change=_label,
                args=(shelf, version.number),
                width=320,
            )
            fields.reason(f"label_{version.number}", _("Name of this version"))
        if version.number != keeping.number and not version.is_aside:
            st.button(
                _("Go back to this version") if keeping.role != "view" else _("Try this version on my screen"),
                key=f"restore_{version.number}",
                icon=":material/settings_backup_restore:",
                on_click=_restore,
                args=(shelf, version.number),
            )


def _take_over(shelf: Shelf, version: Version, keeping: Keeping) -> None:
    """Offer what lies beside the plan, choice by choice."""
    try:
        merged = merge(*_sides(shelf, version), session.plan())
    except KpiError as error:
        st.caption(md(words.error(error)))
        return
    choices = rows.choices(merged)
    if not choices and merged.plan == session.plan():
        st.caption(_("All of it is in the plan by now."))
    elif keeping.role == "view":
        st.markdown(rows.listed(choices))
    else:
        for at, said in enumerate(choices):
            st.checkbox(md(said), key=f"aside_{version.number}_{at}", value=True)
        label = _("Take over what is ticked") if choices else _("Take it over")
        st.button(label, key=f"take_{version.number}", on_click=_take, args=(shelf, version))


def _sides(shelf: Shelf, version: Version) -> tuple[Plan, Plan]:
    """Return what lies beside the plan, and what it was made of, the older one first."""
    return shelf.plan(version.base or version.number), shelf.plan(version.number)


@pictures.uninterrupted()
def _take(shelf: Shelf, version: Version) -> None:
    sides: list[Plan] = []

    def taken(plan: Plan) -> Plan:
        merged = merge(sides[0], sides[1], plan)
        ticked = {clash.path: session.typed(f"aside_{version.number}_{at}") for at, clash in enumerate(merged.clashes)}
        return merged.resolved({path: "ours" if tick else "theirs" for path, tick in ticked.items()})

    if session.attempt(lambda: sides.extend(_sides(shelf, version))) and session.rework(taken):
        session.tell(_("Taken over. Undo takes it out again."))


def _restore(shelf: Shelf, number: int) -> None:
    if session.attempt(lambda: session.desk().put(shelf.plan(number), kind="restore")):
        session.tell(_("Version {number} is on the screen again, as a new version.").format(number=number))


@pictures.uninterrupted()
def _label(shelf: Shelf, number: int) -> None:
    if pictures.overtaken(f"label_{number}"):
        return
    said = str(session.typed(f"label_{number}") or "")
    session.remember(f"named_version_{shelf.plan_id}_{number}", True)
    session.attempt(lambda: shelf.store.label(shelf.actor, shelf.plan_id, number, said), key=f"label_{number}")
