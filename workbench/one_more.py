"""What one more would bring, and how the choice holds up: prices, the frontier, and the futures one may try."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from kpi_core.focus import Focus
from kpi_core.focus.robustness import DRAWS
from workbench import jobs, page, searching, sentences_focus, session, tables
from workbench.rows import one_more as rows
from workbench.words import _

_WANTED = "futures_wanted"
_ROW, _CARD, _ABOVE = 1.85, 5.2, 5.5  # rem: a row of the table, the same as a card, and the answer above
_MOST = 30  # rows kept free: with hundreds of KSFs the way to the agreement would be long and empty


def show(found: Focus) -> None:
    """Show what one more of each limit is worth, and the KGI for every amount of one of them."""
    known = searching.prices(found)
    if jobs.stopped("prices"):
        page.aside(sentences_focus.priced(found, known))
    else:
        page.answer_small(sentences_focus.dearest(found, known))
    page.table(rows.prices(found, known), key="prices", stacks=True)
    if any(price.gain < 0 for price in known):
        st.caption(_("More skill leaves less to gain from basic KSFs: a level more can make this choice bring less."))
    limited = [
        name for name in found.limits.resources if name.partition(".")[0] in ("budget", "hours", "q1", "q2", "q3", "q4")
    ]
    if not limited or not found.chosen:
        return
    resource = st.selectbox(
        _("How far with more or less of"),
        options=limited,
        format_func=lambda one: sentences_focus.resource(found.plan, one),
        key="frontier_resource",
        width=360,
    )
    way = searching.frontier(found, resource)
    page.picture(
        rows.frontier(found, resource, way),
        sentences_focus.frontier(found, resource, way, stopped=jobs.stopped("frontier")),
    )


def offer(found: Focus) -> None:
    """Offer to try the choice in many futures."""
    if not found.chosen:
        st.caption(_("Nothing is chosen within these limits, so there is nothing to try."))
        return
    st.button(
        _("Try it in {count} futures").format(count=f"{DRAWS:,}"),
        key="try_futures",
        icon=":material/shuffle:",
        on_click=_try,
        args=(searching.asked(found),),
    )
    st.caption(_("Every effect may be a third better or worse than stated, every start a month sooner or later."))


def hold(found: Focus) -> None:
    """Show how the choice holds up, if somebody wants to know: what was tried stays, whatever else is done."""
    if session.recall(_WANTED) != searching.asked(found):
        jobs.drop("futures")
        return
    with st.container(key="futures"):
        st.html(f"<style>{_room(len(found.plan.ksfs))}</style>")
        seen = searching.futures(found)
        if seen is not None:
            page.answer_small(sentences_focus.robust(found, seen))
            page.table(rows.robust(found, seen), key="robust", stacks=True)


def _try(asked: Hashable) -> None:
    """Want the futures of what is asked for; those of a stopped try are tried again."""
    if jobs.stopped("futures"):
        jobs.drop("futures")
    session.remember(_WANTED, asked)


def _room(count: int) -> str:
    """Return the rules that keep free, from the first future on, what the answer and a row for each KSF will take."""
    count = min(count, _MOST)
    narrow = f"{tables.PHONE} {{ .st-key-futures {{ min-height: {_CARD * count + _ABOVE:.1f}rem; }} }}"
    return f".st-key-futures {{ min-height: {_ROW * count + _ABOVE:.1f}rem; }} {narrow}"
