"""What one more would bring, and how the choice holds up: prices, the frontier, and the futures one may try."""

from __future__ import annotations

import streamlit as st

from kpi_core.focus import Focus
from kpi_core.focus.robustness import DRAWS, Robustness, steps
from workbench import jobs, page, searching, sentences_focus, session
from workbench.rows import one_more as rows
from workbench.words import _

_TRIED = "futures_tried"


def show(found: Focus) -> None:
    """Show what one more of each limit is worth, and the KGI for every amount of one of them."""
    known = searching.prices(found)
    if jobs.stopped("prices"):
        page.aside(sentences_focus.priced(found, known))
    else:
        page.answer_small(sentences_focus.dearest(found, known))
    page.table(rows.prices(found, known), key="prices")
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


def hold(found: Focus) -> None:
    """Offer to try the choice in many futures; what was known when one stopped stays."""
    if not found.chosen:
        st.caption(_("Nothing is chosen within these limits, so there is nothing to try."))
        return
    name = f"{found.plan.digest}{found.objective}"
    seen: Robustness | None = session.recall(_TRIED, {}).get(name)
    label = _("Try it in {count} futures").format(count=f"{DRAWS:,}")
    if st.button(label, key="try_futures", icon=":material/shuffle:"):
        seen = _try(found, name)
    if seen is None:
        st.caption(_("Every effect may be a third better or worse than stated, every start a month sooner or later."))
        return
    page.answer_small(sentences_focus.robust(found, seen))
    page.table(rows.robust(found, seen), key="robust")


def _try(found: Focus, name: str) -> Robustness | None:
    """Go through the futures with a bar; stopping keeps what is known so far."""
    seen, bar = None, st.progress(0.0)
    stop = st.empty()
    stop.button(_("Stop"), key="stop_futures")
    for seen in steps(found):
        session.remember(_TRIED, {name: seen})
        bar.progress(seen.futures / DRAWS, text=_("{count} futures tried").format(count=f"{seen.futures:,}"))
    bar.empty()
    stop.empty()
    return seen
