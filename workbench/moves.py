"""What a hand on the board does to the plan: one revision for each lever let go, and nothing overwritten unseen.

A move says what the person saw when taking the lever. If that lever is something else by now (another tab,
a file, an undo), the move is not put over it but offered again; if only other things changed, it goes on top.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import session, words
from workbench.rows import tree as rows
from workbench.tree_board import Hands, Move, Stage, tree_board
from workbench.words import _, md

_OFFERED = "offered_move"


def board(plan: Plan, key: str, *, selected: str | None = None, stages: Sequence[Stage] = ()) -> None:
    """Draw the board `key` of a plan: the tree, or with `stages` the funnel. What a hand does there is stored here."""
    tree_board(
        rows.cards(plan, {} if stages else rows.chances(plan, session.baseline())),
        {metric: plan.tree.parts(metric) for metric in plan.metrics},
        rows.model(plan, session.baseline()),
        root=plan.kgi.metric,
        selected=selected,
        words=rows.board_words(),
        language=words.language(),
        key=key,
        hands=_hands(key),
        stages=stages,
    )


def _hands(key: str) -> Hands:
    return Hands(
        on_select=lambda metric: session.remember("metric", metric),
        on_move=lambda move: _take(key, move),
        dealt_with=session.recall(f"dealt_{key}", 0),
    )


def _take(key: str, move: Move) -> None:
    session.remember(f"dealt_{key}", move.number)
    session.alter(lambda: _make(key, move))


def _make(key: str, move: Move) -> None:
    own_digest, own = session.recall(f"own_{key}", ("", {}))
    plan = session.plan()
    if any(lever not in plan.tree.inputs for lever in move.changes):
        raise KpiError("lever_gone", "The lever you moved is no longer one in this plan.")
    now = {lever: plan.tree.now(lever) for lever in move.changes}
    fresh = {lever: to for lever, to in move.changes.items() if now[lever] != to}
    if any(now[lever] not in (move.was[lever], own.get(lever)) for lever in fresh):
        session.remember(_OFFERED, fresh)
        return
    session.desk().change({f"metrics.{lever}.value": to for lever, to in fresh.items()})
    if plan.digest not in (move.revision, own_digest):
        session.tell(_("The plan had been changed elsewhere meanwhile. Your move was put on top of it."))
    session.remember(f"own_{key}", (session.plan().digest, move.changes))


def offer() -> None:
    """Show a move that was not made because its lever had been changed meanwhile; the person decides.

    It takes one place in any case: the board below it is the same one before, meanwhile and after.
    """
    offered, plan, place = session.recall(_OFFERED), session.plan(), st.container()
    if not offered:
        return
    with place.container(border=True, key="offered"):
        for lever, mine in offered.items():
            if lever in plan.tree.inputs:
                entry = plan.metrics[lever]
                st.markdown(
                    _("While you were moving {name}, it was changed elsewhere to {theirs}. Yours was {mine}.").format(
                        name=md(words.name(entry)),
                        theirs=md(words.value(plan.tree.now(lever), entry)),
                        mine=md(words.value(mine, entry)),
                    )
                )
        with st.container(horizontal=True):
            st.button(_("Use mine"), key="offer_mine", on_click=_use, args=(offered,), type="primary")
            st.button(_("Keep the other"), key="offer_theirs", on_click=session.remember, args=(_OFFERED, None))


def _use(offered: dict[str, float]) -> None:
    session.remember(_OFFERED, None)
    session.change({f"metrics.{lever}.value": mine for lever, mine in offered.items()})
