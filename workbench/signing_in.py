"""Signing in and out, below the list of pages, where the server is set up for it."""

from __future__ import annotations

import streamlit as st

from workbench import persons, session
from workbench.words import _, md


def offer() -> None:
    """Say who has signed in, or offer to; nothing where nobody can."""
    names = persons.providers()
    if not names:
        return
    with st.sidebar.container(gap="xsmall", key="signing_in"):
        if session.person() is None:
            for name in names:
                label = _("Sign in with {name}").format(name=md(name)) if name else _("Sign in")
                st.button(label, icon=":material/login:", key=f"sign_in_{name}", on_click=_sign_in, args=(name,))
            st.caption(_("Then you find your plans in every browser."))
        else:
            st.caption(_("Signed in as {name}").format(name=md(persons.name() or _("a person without a name"))))
            st.button(_("Sign out"), icon=":material/logout:", key="sign_out", on_click=_sign_out)


def _sign_in(name: str) -> None:
    session.keeping().wait()
    st.login(name or None)


def _sign_out() -> None:
    session.keeping().wait()
    if session.attempt(session.forget_browser):
        st.logout()
