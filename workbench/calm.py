"""What a person sees when something broke: calm, an id to quote, and the plan to take away."""

from __future__ import annotations

import streamlit as st

from workbench import files, session
from workbench.words import _


def show(error_id: str) -> None:
    """Show the calm page. Nothing of the error itself is on it; the log has it under `error_id`."""
    st.header(_("Something went wrong on our side"), anchor=False)
    st.markdown(_("Your plan is safe. Save it as a file to be sure, then reload this page."))
    st.download_button(
        _("Save the plan as a file"),
        data=session.plan().to_yaml(),
        file_name=files.name(session.plan()),
        mime="application/yaml",
        type="primary",
        key=f"calm_save_{error_id}",
        on_click="ignore",
    )
    st.caption(_("If it happens again, tell us this number: {id}").format(id=error_id))
