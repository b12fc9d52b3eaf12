"""Beginning another plan: from a template, the sample or a file; the plan that was open stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from kpi_core.plan import Plan
from workbench import files, pictures, session, words
from workbench.words import _

_IN_PLACE = "open_in_place"


def what_it_does() -> str:
    """Say, before anything is opened, what becomes of the plan on the screen."""
    if session.keeping().store is None:
        return _("It takes the place of the plan on the screen; Undo brings that one back.")
    return _("It opens as a new plan of your own. The plan on the screen stays as it is, with its links.")


def begin(first: Callable[..., Plan], *of: Any, key: str = "") -> None:
    """Begin with the plan that `first` gives, and say where the one before is; else keep the reason as `attempt`."""
    has_begun = session.keeping().plan_id is not None
    if session.attempt(lambda: session.start_with(first(*of)), key=key):
        session.tell(_begun(has_begun=has_begun))


def opened() -> None:
    """Say which plan is on the screen now."""
    session.tell(_("Opened: {name}").format(name=words.name(session.plan())))


def field(label: str, key: str, *, may_replace: bool = False) -> None:
    """Show a field for a plan file, which then is a plan of its own; or the open one's contents, if that is ticked."""
    keeping = session.keeping()
    if may_replace and keeping.plan_id is not None and keeping.role != "view":
        st.checkbox(
            _("Put the file in place of the open plan, under the same links (Undo takes that back)"), key=_IN_PLACE
        )
    files.field(label, key, lambda: _read(key))


@pictures.uninterrupted()
def _read(key: str) -> None:
    picked = session.typed(key)
    if picked is None:
        return
    if not session.typed(_IN_PLACE):
        begin(files.read, picked.getvalue(), key="open_file")
    elif session.alter(lambda: session.open_plan(files.read(picked.getvalue())), key="open_file"):
        session.follow(_IN_PLACE, value=False)
        session.tell(_("The file is in place of the plan before; Undo takes that back."))


def _begun(*, has_begun: bool) -> str:
    """Return what to say of a new plan, and how one gets back to the one before."""
    now, name = session.keeping(), words.name(session.plan())
    if now.store is None:
        return _("Opened: {name}. Undo brings the plan before back.").format(name=name)
    if now.plan_id is None:
        return _("Opened as a new plan: {name}. It is not saved yet; Undo shows the plan before.").format(name=name)
    if has_begun:
        return _("Opened as a new plan: {name}. The one before is under “My plans”.").format(name=name)
    return _("Opened as a new plan: {name}.").format(name=name)
