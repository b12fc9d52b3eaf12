"""What carries the KGI?"""

import streamlit as st

from workbench import editor, moves, page, sentences, session
from workbench.words import _

plan = session.plan()
selected = session.recall("metric")
selected = selected if selected in plan.metrics else None

page.question(_("What carries the KGI?"))
page.answer(sentences.gap(plan))
st.caption(
    _(
        "Each card: what it is today → what it would have to be if this number alone changed."
        " Drag a lever and everything follows; choose a card to read and edit it."
    )
)

page.illustrative(plan)
moves.offer()
board, side = st.columns([2.7, 1]) if selected else (st.container(), None)
with board:
    moves.board(plan, "board", selected=selected)
    editor.adder(plan)
if side is not None:
    with side:
        editor.form(plan, selected)
        st.button(_("Close"), key="close_editor", on_click=session.remember, args=("metric", None))
