"""What stands above every page: which plan this is, undo and redo, the file, the language."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from workbench import files, plan_files, refusals, session, standing, words
from workbench.keeping import Keeping
from workbench.words import _, md


def show(keeping: Keeping) -> None:
    """Draw the header and say what the last change had to say."""
    desk = keeping.desk
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="header"):
        st.markdown(f"**{md(words.name(desk.plan))}**", width="stretch")
        with st.container(width="content", key="standing"):
            standing.pulse()
        st.button(
            _("Undo"),
            icon=":material/undo:",
            key="header_undo",
            disabled=not desk.can_undo,
            on_click=_go,
            args=(desk.undo,),
            type="tertiary",
        )
        st.button(
            _("Redo"),
            icon=":material/redo:",
            key="header_redo",
            disabled=not desk.can_redo,
            on_click=_go,
            args=(desk.redo,),
            type="tertiary",
        )
        st.download_button(
            _("Save file"),
            data=plan_files.contents(desk),
            file_name=files.name(desk.plan),
            mime="application/yaml",
            icon=":material/download:",
            key="header_save",
            on_click="ignore",
            type="tertiary",
        )
        language()
    standing.notes(keeping)
    if error := session.refused():
        refusals.refuse(error)
    if error := session.refusals().pop("open_file", None):
        refusals.refuse(error, in_file=True)
    if said := session.notice():
        st.toast(md(said))


def _go(way: Callable[[], None]) -> None:
    session.alter(way)


def language() -> None:
    """Offer the languages."""
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
