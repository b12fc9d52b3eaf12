"""What a visit keeps beside the values of its widgets: one dict, made once and never replaced.

A newer message of the browser is taken up while the callback of an older one still runs. Streamlit then copies what
is in `st.session_state` and drops what was new there, and with it what the callback has assigned in between. Nothing
of ours is assigned there, therefore: this dict is the same one all along, and what is put into it stays.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

_MINE = "visit"


def mine() -> dict[str, Any]:
    """Return what this visit keeps, to read and to write."""
    found: dict[str, Any] = st.session_state.setdefault(_MINE, {})
    return found
