"""Show in the person's language that the server is away, and keep what is being typed until it is back.

Streamlit says it in English, and what stands in the header was true when the server was last there. The styles here
replace both for as long as the page is not connected. `connection.js` remembers the text of a field that was not
entered yet, in this tab's memory and session storage, and puts it into the same field of the same plan again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import streamlit as st

from workbench import tables
from workbench.words import _

_FOLDER = Path(__file__).parent
_mount = st.components.v2.component(
    "gyakusan_connection",
    css=(_FOLDER / "connection.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "connection.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
_KEY = "connection_line"
_AWAY = '.stApp:not([data-test-connection-state="CONNECTED"])'
_STYLE = f"""<style>
.st-key-connection {{ position: absolute; }}
{_AWAY} [data-testid="stStatusWidget"], body:has({_AWAY}) .stDialog {{ display: none; }}
{_AWAY} .st-key-standing p {{ font-size: 0; }}
{_AWAY} .st-key-standing p > * {{ display: none; }}
{_AWAY} .st-key-standing p::after {{
  content: STATUS; font-size: 0.875rem; font-weight: 600; color: light-dark(#a84300, #ff9d5c);
}}
</style>"""


def watch(plan_id: str | None) -> None:
    """Watch the connection on this page; what is typed belongs to the plan of this id, and goes into no other."""
    st.html(_STYLE.replace("STATUS", tables.quoted(_("Not saved: no connection"))))
    with st.container(key="connection"):
        asked = getattr(st.session_state.get(_KEY), "asked", None)
        _mount(
            key=_KEY,
            data={"plan": _mark(plan_id), "words": _words(), "drawn": asked},
            on_asked_change=lambda: None,
        )


def _mark(plan_id: str | None) -> str:
    """Return what tells one plan from another in the browser, without giving its id away."""
    return hashlib.sha256(f"connection {plan_id or ''}".encode()).hexdigest()[:16]


def _words() -> dict[str, str]:
    return {
        "lost": _("The connection to the server is lost."),
        "not_saved": _("Nothing is saved at the moment. This page goes on by itself once the server answers."),
        "kept": _("What you were typing in “{field}” is not lost: it will be put into the field again."),
        "again": _(
            "Connected again. Your text is in “{field}” again, but not in the plan yet: press {keys} to apply it."
        ),
        "changed": _("Connected again. Meanwhile “{field}” was changed to “{now}”. You had typed “{text}”."),
        "put_in": _("Put my text into the field"),
        "missing": _(
            "Connected again. You had typed “{text}” in “{field}”, which is not on this page now."
            " Go back to that field and your text is put in."
        ),
        "close": _("Close"),
    }
