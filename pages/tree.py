"""What carries the KGI?"""

import streamlit as st

from workbench import editor, page, sentences, session
from workbench.rows import tree as rows
from workbench.tree_board import tree_board
from workbench.words import _

plan = session.plan()
selected = session.recall("metric")
selected = selected if selected in plan.metrics else None

page.question(_("What carries the KGI?"))
page.answer(sentences.gap(plan))
st.caption(
    _(
        "Each card: what it is today → what it would have to be if this number alone changed."
        " Choose a card to read and edit it."
    )
)

board, side = st.columns([2.7, 1]) if selected else (st.container(), None)
with board:
    tree_board(
        rows.cards(plan),
        {metric: plan.tree.parts(metric) for metric in plan.metrics},
        root=plan.kgi.metric,
        selected=selected,
        words=rows.board_words(),
        key="board",
        on_select=lambda metric: session.remember("metric", metric),
    )
    editor.adder(plan)
if side is not None:
    with side:
        editor.form(plan, selected)
        st.button(_("Close"), key="close_editor", on_click=session.remember, args=("metric", None))
