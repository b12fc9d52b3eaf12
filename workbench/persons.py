"""Who has signed in, where the server is set up for it: OpenID Connect by Streamlit's own `st.login`, off by default.

Streamlit checks the provider's answer and keeps who it was in a signed cookie; nothing of it is stored here. A person
is the provider's name for them (`iss` and `sub`), hashed: an address or a name may change or pass to somebody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import streamlit as st


def configured() -> Mapping[str, Any]:
    """Return what the server's secrets say in `[auth]`; empty where nobody can sign in."""
    found = st.secrets.get("auth") if st.secrets.load_if_toml_exists() else None
    return found if isinstance(found, Mapping) else {}


def providers() -> list[str]:
    """Return the names of those one can sign in with; "" for the one without a name."""
    auth = configured()
    named = [name for name, value in auth.items() if isinstance(value, Mapping) and value.get("client_id")]
    return named or ([""] if auth.get("client_id") else [])


def signed_in() -> str | None:
    """Return what tells this person from all others; None: nobody has signed in."""
    user = st.user if providers() else {}
    issuer, subject = user.get("iss"), user.get("sub")
    if not user.get("is_logged_in") or not (isinstance(issuer, str) and isinstance(subject, str) and subject):
        return None
    known = hashlib.sha256(f"{issuer} {subject}".encode()).hexdigest()
    return f"person:{known}"  # with a colon: no browser's cookie can say the same


def name() -> str:
    """Return what the provider calls the person who has signed in."""
    said = (st.user.get(claim) for claim in ("name", "preferred_username", "email"))
    return next((text.strip() for text in said if isinstance(text, str) and text.strip()), "")[:80]
