"""How it stands with the plan on the screen: saved or not, whose it is, what others did meanwhile.

A pulse looks every few seconds, so that a page that lies open shows what others changed, and closes
when its link has ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench import files, plan_files, session, words
from workbench.changes_side_by_side import Row
from workbench.changes_three_ways import Side
from workbench.keeping import Keeping, Status
from workbench.merging import in_words
from workbench.words import _, md

EVERY_SECONDS = 3

_DRAWN = "standing_drawn"
_ICONS: dict[Status, str] = {
    "local": ":material/computer:",
    "fresh": ":material/computer:",
    "saved": ":material/cloud_done:",
    "saving": ":material/cloud_upload:",
    "waiting": ":material/cloud_off:",
    "clash": ":material/call_split:",
    "trying": ":material/visibility:",
    "closed": ":material/link_off:",
}


def look() -> Keeping:
    """Return the kept side of the desk as it is now, to be drawn."""
    session.come_back()
    keeping = session.keeping()
    keeping.wait()
    keeping.look()
    session.remember(_DRAWN, _seen(keeping))
    return keeping


@st.fragment(run_every=EVERY_SECONDS)
def pulse() -> None:
    """Say how it stands with the plan, and draw the page anew when something else is to be seen on it."""
    session.come_back()
    keeping = session.keeping()
    keeping.look()
    if session.recall(_DRAWN) != _seen(keeping):
        st.rerun()
    st.caption(f"{_ICONS[keeping.status]} {md(_said(keeping))}")


def _seen(keeping: Keeping) -> tuple[object, ...]:
    """Return what the page shows of it: the rest is drawn by the pulse itself."""
    big = keeping.status if keeping.status in ("clash", "closed", "trying") else ""
    return (
        keeping.desk.plan.digest,
        keeping.desk.baseline.digest,
        big,
        keeping.role,
        bool(keeping.trouble),
        bool(keeping.anew),
    )


def _said(keeping: Keeping) -> str:
    if keeping.role == "view" and keeping.status == "saved":
        return _("View only")
    return {
        "local": _("Not kept here"),
        "fresh": _("Nothing changed yet"),
        "saved": _("Saved"),
        "saving": _("Saving…"),
        "waiting": _("Not saved yet"),
        "clash": _("Two versions"),
        "trying": _("Trying out"),
        "closed": _("Closed"),
    }[keeping.status]


def notes(keeping: Keeping) -> None:
    """Say above the page what a person has to know: nothing is saved for now, only trying out, two versions."""
    if keeping.clash is not None:
        _choice(keeping)
        return
    if keeping.status == "trying":
        _trying(keeping)
    if keeping.anew is not None:
        st.warning(md(words.error(keeping.anew)), icon=":material/cloud_sync:")
    if keeping.trouble is not None:
        st.warning(md(words.error(keeping.trouble)), icon=":material/cloud_off:")


def closed(keeping: Keeping) -> None:
    """Show, instead of the page, that the link has ended; what was typed and not saved can still be taken along."""
    st.title(_("This link opens nothing any more"), anchor=False)
    st.markdown(_("It was revoked or has run out, or the plan was deleted. Ask whoever sent it for another."))
    with st.container(horizontal=True):
        st.button(_("Work on a plan of my own"), key="leave_closed", type="primary", on_click=_leave)
        if keeping.queue or keeping.tried:
            told, data = _("Take what I typed along"), plan_files.contents(keeping.desk)
            st.download_button(told, data=data, file_name=files.name(session.plan()))


def _trying(keeping: Keeping) -> None:
    may_keep = keeping.role != "view"
    with st.container(border=True, key="trying"):
        st.markdown(
            _("You may change this plan now. What you changed here before is not saved in it yet.")
            if may_keep
            else _("Your link only lets you look. What you change here is yours alone; it is not saved in the plan.")
        )
        with st.container(horizontal=True):
            if may_keep:
                st.button(_("Save it in the plan"), key="keep_tried", type="primary", on_click=keeping.keep_tried)
            else:
                st.button(_("Save as my own plan"), key="save_copy", type="primary", on_click=_copy)
            st.button(_("Back to the plan"), key="let_go", on_click=keeping.let_go)


def _copy() -> None:
    session.attempt(session.save_copy)


def _leave() -> None:
    session.attempt(session.leave)


def _choice(keeping: Keeping) -> None:
    """Let the person choose, field by field, between both sides of a change that could not be merged."""
    clash = keeping.clash
    if clash is None:
        return
    with st.container(border=True, key="clash"):
        st.subheader(_("Somebody changed the same at the same time"), anchor=False)
        st.markdown(_("Both versions are kept. Choose what the plan says from now on; all else is merged already."))
        for place, one in enumerate(clash.merged.clashes):
            rows = in_words(one, clash.merged)
            for row in rows:
                st.markdown(f"**{md(row.what)}** — {_('before: {then}').format(then=md(row.then))}")
            st.radio(
                _("What counts"),
                options=["ours", "theirs"],
                format_func={"ours": _("Mine"), "theirs": _("Theirs")}.__getitem__,
                captions=[_side(rows, [row.mine for row in rows]), _side(rows, [row.theirs for row in rows])],
                horizontal=True,
                key=f"clash_{clash.mine}_{place}",
                label_visibility="collapsed",
            )
        keys = [f"clash_{clash.mine}_{place}" for place in range(len(clash.merged.clashes))]
        st.button(_("Use this"), key="decide", type="primary", on_click=_decide, args=(keys,))


def _side(rows: Sequence[Row], said: Sequence[str]) -> str:
    """Return what one side makes of it: the value, or each field with its value where there are several."""
    if len(rows) == 1:
        return md(said[0])
    return " · ".join(f"{md(row.what)}: {md(one)}" for row, one in zip(rows, said, strict=True))


def _decide(keys: Sequence[str]) -> None:
    keeping = session.keeping()
    if keeping.clash is None:
        return
    merged = keeping.clash.merged
    picks: dict[str, Side] = {
        one.path: "theirs" if session.typed(key) == "theirs" else "ours"
        for one, key in zip(merged.clashes, keys, strict=False)
    }
    session.alter(lambda: keeping.decide(merged.resolved(picks)))
