"""Making a link to the plan on screen, and showing it the one time that it can be shown."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from urllib.parse import urlsplit

import segno
import streamlit as st

from kpi_core.errors import KpiError
from workbench import addresses, fields, local_times, months, network_addresses, sentences, session, startup
from workbench.keeping import Keeping
from workbench.rows import share as rows
from workbench.store import Actor, Link, Role, Store
from workbench.store.rights import ROLES
from workbench.words import _

_NEW = "share_new"
_ORIGIN = "share_origin"


def maker() -> None:
    """Offer to make a link, and show the one that was made."""
    with st.container(border=True):
        allowed, named, until = st.columns([1.6, 1.6, 1], vertical_alignment="bottom")
        allowed.segmented_control(
            _("What it allows"),
            options=ROLES,
            format_func=rows.role,
            default="view",
            required=True,
            key="share_role",
            persist_state="session",
        )
        named.text_input(_("For whom (optional)"), key="share_name", max_chars=120, placeholder=_("Sales team"))
        until.text_input(_("Until (optional)"), key="share_until", max_chars=20, placeholder="2026-06-30")
        st.caption(rows.consequence(session.typed("share_role") or "view"))
        st.button(_("Make a link"), key="share_make", type="primary", icon=":material/add_link:", on_click=_make)
        fields.reason("share_make", _("Until (optional)"))
    _show()


def address(token: str, origin: str) -> str:
    """Return a link's whole address; the token stands where browsers send nothing."""
    return f"{origin}/open#{token}"


def code(address: str) -> bytes:
    """Return an address as the picture of a QR code, sharp at any size."""
    found = io.BytesIO()
    segno.make(address, error="m", micro=False).save(found, kind="png", scale=12, border=4)
    return found.getvalue()


def forget() -> None:
    """Show the link that was made last no more."""
    session.remember(_NEW, None)


def kept(keeping: Keeping) -> tuple[Store, Actor]:
    """Return where plans are kept, and as who.

    Raises
    ------
    KpiError
        `not_kept`: this visit keeps nothing.
    """
    if keeping.store is None or keeping.actor is None:
        raise KpiError("not_kept", "Nothing can be kept: this browser sends no cookie. Save the plan as a file.")
    return keeping.store, keeping.actor


def _show() -> None:
    """Show the link that was just made: later only its name is known."""
    made = session.recall(_NEW)
    if made is None or made[0].plan_id != session.keeping().plan_id:
        return
    link, token = made
    if not _is_as_chosen(link):
        told = _("The link made last ({role}) is hidden while you choose another; choose as before to see it again.")
        st.caption(told.format(role=rows.role(link.role)))
        return
    with st.container(border=True, key="new_link"):
        said, picture = st.columns([1.3, 1], gap="large", vertical_alignment="center")
        with said:
            told = _("Your new link ({role}): copy it now, it is shown only this once.")
            st.markdown(f"**{told.format(role=rows.role(link.role))}**")
            place = st.container()  # the link first, then the choice that it begins with
            whole = address(token, _chosen_origin())
            place.code(whole, language=None, wrap_lines=True)
            st.markdown(rows.consequence(link.role))
            st.button(
                _("Hide the link"),
                key="share_done",
                type="tertiary",
                icon=":material/visibility_off:",
                on_click=forget,
            )
        picture.image(code(whole), width=400, alt=_("QR code of the new link"))


def _is_as_chosen(link: Link) -> bool:
    """Return whether the link allows what is chosen above, for the term that is: else it is taken for another one."""
    return session.typed("share_role") in (link.role, None) and not session.typed("share_until")


def _chosen_origin() -> str:
    """Return the beginning of the link's address; of this computer's own ask which, or say why others have none."""
    own = _origin()
    if not network_addresses.is_own(own):
        return own
    outside = network_addresses.origins(own)
    if not outside:
        _why_only_here()
        return own
    origin: str = st.selectbox(
        _("Address in the link"),
        options=[*outside, own],
        format_func=lambda one: _("{address} (this computer only)").format(address=one) if one == own else one,
        key=_ORIGIN,
        persist_state="session",
    )
    if origin == own:
        st.caption(_("This is the address of this computer itself, so the link opens nowhere else."))
    else:
        st.caption(_("It opens on phones and computers in the same network; a firewall on this one may keep them out."))
    return origin


def _why_only_here() -> None:
    """Say why the link opens on no other device, and what helps."""
    here = _("This is the address of this computer itself, so the link opens nowhere else.")
    if addresses.is_own(startup.listens_on()):
        st.caption(sentences.both(here, _("For phones in the room, stop the server and start it with:")))
        st.code("streamlit run app.py --server.address 0.0.0.0", language=None)
    else:
        st.caption(sentences.both(here, _("Open this page by the address that others use, and make the link there.")))


def _make() -> None:
    session.attempt(_issue, key="share_make")


def _issue() -> None:
    keeping, role = session.keeping(), session.typed("share_role")
    wanted: Role = role if role in ROLES else "view"
    ends = _ends()
    plan_id = keeping.begin()
    store, actor = kept(keeping)
    made = store.issue(actor, plan_id, wanted, name=str(session.typed("share_name") or ""), expires_at=ends)
    session.remember(_NEW, made)
    for key in ("share_name", "share_until"):
        session.follow(key, "")


def _ends() -> datetime | None:
    """Return the moment at which the new link ends; None if nothing was said."""
    day = months.read_day(session.plan(), str(session.typed("share_until") or ""))
    if day is None:
        return None
    if (ends := local_times.end_of(day)) <= datetime.now(UTC):
        raise KpiError("day_is_over", "{day} has passed: the link would open nothing. Write a later day.", day=day)
    return ends


def _origin() -> str:
    found = urlsplit(st.context.url or "")
    return f"{found.scheme}://{found.netloc}" if found.netloc else ""
