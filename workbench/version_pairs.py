"""Two versions side by side: what changed one way and the other, and what the KGI comes to in each."""

from __future__ import annotations

import streamlit as st

from kpi_core.errors import KpiError
from workbench import page, words
from workbench.rows import versions as rows
from workbench.versions import Shelf
from workbench.words import _, md


def show(shelf: Shelf) -> None:
    """Let two versions be chosen, and compare them; read only once somebody wants to."""
    place = st.expander(
        _("Compare any two versions"), key="compare", on_change="rerun", icon=":material/compare_arrows:"
    )
    if place.open:
        with place:
            _chosen(shelf)


def _chosen(shelf: Shelf) -> None:
    names = {str(version.number): rows.named(version) for version in shelf.all()}
    numbers = list(names)
    left, right = st.columns(2)
    one = left.selectbox(
        _("The first version"),
        numbers,
        index=min(1, len(numbers) - 1),
        format_func=names.__getitem__,
        key=f"compare_one_{shelf.plan_id}",
    )
    other = right.selectbox(
        _("The second version"), numbers, format_func=names.__getitem__, key=f"compare_other_{shelf.plan_id}"
    )
    if one is None or other is None or one == other:
        st.caption(_("Choose two different versions."))
        return
    try:
        _pair(shelf, int(one), int(other))
    except KpiError as error:
        st.caption(md(words.error(error)))


def _pair(shelf: Shelf, one: int, other: int) -> None:
    before, after = shelf.plan(one), shelf.plan(other)
    page.answer_small(md(rows.moved(before, after)))
    names = _("Version {number}").format(number=one), _("Version {number}").format(number=other)
    page.table(rows.goals(before, after, names), key="compared", stacks=True)
    for place, start, end in zip(st.columns(2), (one, other), (other, one), strict=True):
        with place:
            st.markdown(f"**{_('From version {one} to {other}').format(one=start, other=end)}**")
            st.markdown(rows.listed(shelf.between(start, end).sentences) or _("No change"))
