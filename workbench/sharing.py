"""Who may see the plan: its links as they stand, and revoking them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from kpi_core.errors import KpiError
from workbench import new_link, page, session, words
from workbench.keeping import Keeping
from workbench.rows import share as rows
from workbench.store import Link, Listed
from workbench.words import _, md

_REVOKING = "share_revoking"


@dataclass(frozen=True, kw_only=True)
class Around:
    """What is kept around the plan on screen: its links, and the reader's plans; None where they cannot be read."""

    links: list[Link] | None = None
    plans: list[Listed] | None = None
    trouble: KpiError | None = None


def around(keeping: Keeping) -> Around:
    """Read what is kept around the plan."""
    if keeping.store is None or keeping.actor is None:
        return Around()
    links: list[Link] | None = None
    trouble = None
    try:
        plans = keeping.store.plans(keeping.actor)
    except KpiError as error:
        return Around(trouble=error)
    try:
        if keeping.role == "facilitate":
            links = keeping.store.links(keeping.actor, keeping.plan_id) if keeping.plan_id else []
    except KpiError as error:  # deleted or revoked meanwhile: the reader's other plans are still there
        trouble = error
    return Around(links=links, plans=plans, trouble=trouble)


def answer(keeping: Keeping, around: Around) -> str:
    """Say who may see the plan; to who may not know, what they may do; nothing where that is not known."""
    if around.links is not None:
        return rows.answer(around.links, datetime.now(UTC))
    if keeping.store is None:
        return _("Nobody but you, on this screen.")
    return rows.may(keeping.role) if around.trouble is None else _("Just now this cannot be said.")


def trouble(keeping: Keeping, around: Around) -> None:
    """Say calmly why there are no links here now."""
    if keeping.store is None:
        said = _("This browser sends no cookie, so nothing is kept here and nothing can be shared by link.")
        st.info(f"{said} {_('Take the plan along as a file.')}", icon=":material/computer:")
    elif around.trouble is not None:
        said = _("Links and your other plans cannot be shown now.")
        st.info(f"{md(words.error(around.trouble))} {said}", icon=":material/cloud_off:")
        st.button(_("Try again"), key="share_again", icon=":material/refresh:")


def listed(links: list[Link]) -> None:
    """List the links that were given away, each with what it allows and a way to revoke it; nothing if none were."""
    now = datetime.now(UTC)
    live, over = rows.live(links, now), rows.ended(links, now)
    if live or over:
        st.subheader(_("The links of this plan"), anchor=False)
    for link in live:
        _one(link, links)
    if over:
        with st.expander(_("Links that have ended: {count}").format(count=len(over))):
            page.table(rows.ended_rows(over), key="ended_links", stacks=True)


def _one(link: Link, links: list[Link]) -> None:
    with st.container(border=True, key=f"link_{link.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container():
                st.markdown(f"**{md(link.name or _('without a name'))}** · {rows.role(link.role)}")
                st.caption(md(rows.about(link)))
            st.button(
                _("Revoke"),
                key=f"revoke_{link.id}",
                type="tertiary",
                icon=":material/link_off:",
                on_click=session.remember,
                args=(_REVOKING, link.id),
            )
        if session.recall(_REVOKING) == link.id:
            _confirm(link, has_issued=any(other.issued_by == link.id for other in links))


def _confirm(link: Link, *, has_issued: bool) -> None:
    """Ask once more, in place, and say what it means."""
    st.markdown(_("Whoever came by this link is out within seconds. What they changed stays in the plan."))
    if has_issued:
        st.checkbox(_("Revoke also the links made by people who came by this one"), key="revoke_issued", value=True)
    with st.container(horizontal=True):
        st.button(_("Revoke this link now"), key="revoke_now", on_click=_revoke, args=(link.id,))
        st.button(_("Keep it"), key="revoke_not", type="tertiary", on_click=session.remember, args=(_REVOKING, None))


def _revoke(link_id: str) -> None:
    with_issued = bool(session.typed("revoke_issued"))
    session.remember(_REVOKING, None)
    if session.attempt(lambda: _end(link_id, with_issued=with_issued)):
        session.tell(_("The link is revoked."))


def _end(link_id: str, *, with_issued: bool) -> None:
    keeping = session.keeping()
    store, actor = new_link.kept(keeping)
    store.revoke(actor, keeping.plan_id or "", link_id, with_issued=with_issued)
    new_link.forget()
