"""What stands above every page: which plan this is, undo and redo, the file, the language."""

from __future__ import annotations

import re

import streamlit as st

from workbench import refusals, session, words
from workbench.words import _, md


def show() -> None:
    """Draw the header and say what the last change had to say."""
    desk = session.desk()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="header"):
        st.markdown(f"**{md(words.name(desk.plan))}**", width="stretch")
        st.button(
            _("Undo"),
            icon=":material/undo:",
            key="header_undo",
            disabled=not desk.can_undo,
            on_click=desk.undo,
            type="tertiary",
        )
        st.button(
            _("Redo"),
            icon=":material/redo:",
            key="header_redo",
            disabled=not desk.can_redo,
            on_click=desk.redo,
            type="tertiary",
        )
        st.download_button(
            _("Save file"),
            data=desk.plan.to_yaml,
            file_name=file_name(),
            mime="application/yaml",
            icon=":material/download:",
            key="header_save",
            on_click="ignore",
            type="tertiary",
        )
        _language()
    if error := session.refused():
        refusals.refuse(error)
    if error := session.refusals().pop("open_file", None):
        refusals.refuse(error, in_file=True)
    if said := session.notice():
        st.toast(md(said))


def file_name() -> str:
    """Return a file name for the plan that every system accepts."""
    safe = re.sub(r"[^\w-]+", "_", words.name(session.plan()))[:60].strip("_")
    return f"{safe or 'plan'}.yaml"


def _language() -> None:
    st.segmented_control(
        _("Language"),
        options=list(session.LANGUAGES),
        format_func=session.LANGUAGES.__getitem__,
        key=session.follow("header_language", session.language()),
        on_change=_speak,
        label_visibility="collapsed",
    )


def _speak() -> None:
    session.speak(session.typed("header_language") or session.language())
