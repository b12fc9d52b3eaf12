"""The parts every page is made of: its question, its answer, a picture, the numbers behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import reduce

import pandas as pd
import streamlit as st

from kpi_core.plan import Plan
from workbench import sentences, theme
from workbench.charts.picture import Picture
from workbench.words import _, md

# A cell that reads as a number: sign, yen, digits, a unit; a dash or nothing for none.
_NUMERIC = re.compile(r"^([-+−×¥]*[\d.,]+[^\d]{0,24}|–|)$")
_DAY = re.compile(r"^(\d{4}-\d\d-\d\d|–|)$")

# Less air around the page than Streamlit's own, so that question, answer and picture
# are on a projector's first screen; figures of equal width everywhere.
_MANY = 9  # columns: with more, a narrow window scrolls rather than breaks every word
_OPENED = """from pathlib import Path
from kpi_core import focus, goal, pacing, sensitivity, timeline, uncertainty
from kpi_core.plan import Plan

plan = Plan.from_text(Path("plan.yaml").read_text("utf-8"))
"""
_STYLE = """
<style>
.stMainBlockContainer { padding: 3.75rem 2rem 4rem; max-width: 1480px; }
.stMainBlockContainer h1 { padding: 0 0 0.25rem; }
.stMainBlockContainer h2 { padding-top: 1.5rem; }
[data-testid="stStatusWidget"] button { display: none; } /* our own stop keeps what is known; Streamlit's drops it */
.stMain { font-variant-numeric: tabular-nums; }
[data-testid="stCaptionContainer"] { color: inherit; opacity: 0.76; } /* the theme's own grey is too pale to read */
.stSidebar [data-testid="stSidebarUserContent"] { padding-top: 1.5rem; }
.st-key-menu [data-testid="stCaptionContainer"] p { padding-top: 0.75rem; }
.st-key-answer p { font-size: 1.3rem; line-height: 1.55; font-weight: 600; max-width: 62rem; }
.st-key-levers .stSlider { margin-bottom: 0.1rem; }
@media (max-width: 640px) {
  .st-key-limits_and_set > .stHorizontalBlock, .st-key-limits_and_set > div > .stHorizontalBlock {
    flex-direction: column-reverse;
  }
  [data-testid="stTable"] { overflow-x: auto; }
  [data-testid="stTable"] table { min-width: 38rem; }
  [data-testid="stTable"] td:first-child { min-width: 6.5rem; }
  .stMainBlockContainer { padding: 3.75rem 1rem 3rem; }
  .st-key-answer p { font-size: 1.1rem; }
}
@media print { .stSidebar, .stHeader, .st-key-header { display: none; } }
</style>
"""


def style() -> None:
    """Set the page's rhythm."""
    st.html(_STYLE)


def question(text: str, prose: str | None = None) -> None:
    """Show the page's question, and in one line how it is answered."""
    st.title(text, anchor=False)
    if prose:
        st.caption(prose)


def answer(text: str, *, lines: int = 1) -> None:
    """Show the answer: one sentence with numbers in it, already escaped where it quotes people.

    `lines` is the room it keeps, so that a longer sentence moves nothing below it.
    """
    with st.container(key="answer"):
        st.markdown(text)
    if lines > 1:
        st.html(f"<style>.st-key-answer {{ min-height: {2.02 * lines}rem; }}</style>")


def illustrative(plan: Plan) -> None:
    """Say how many of the numbers on the page are examples, as long as any are."""
    levers = plan.tree.levers(plan.kgi.metric)
    count = sum(plan.metrics[lever].illustrative for lever in levers)
    if count:
        said = _("{count} of {all} levers still have illustrative numbers: put in your own last twelve months.")
        st.caption(said.format(count=count, all=len(levers)))


def answer_small(text: str) -> None:
    """Show the answer of a section within a page; nothing if there is none."""
    if text:
        st.markdown(f"**{text}**")


def aside(*said: str) -> None:
    """Show what is to be said beside an answer, in one line; already escaped where it quotes people."""
    if told := reduce(sentences.both, said, ""):
        st.caption(told)


def remarks(*said: str) -> None:
    """Show sentences one below the other, those that say nothing left out; plain text. They take one place."""
    with st.container():
        for one in said:
            if one:
                st.markdown(md(one))


def picture(drawn: Picture, reading: str) -> None:
    """Show a picture and the sentence that reads it aloud, as plain text."""
    ink = theme.INK.get(st.context.theme.type or "light", theme.INK["light"])
    st.vega_lite_chart(drawn.data, {**drawn.spec, "config": {"text": {"color": ink}}}, width="stretch", alt=reading)
    st.caption(md(reading))


def table(rows: Sequence[Mapping[str, str]], *, key: str) -> None:
    """Show rows for reading: numbers right-aligned, no index, nothing in a cell is markup."""
    if not rows:
        return
    columns = list(rows[0])
    numeric = [at for at, name in enumerate(columns, 1) if _is_numeric([row[name] for row in rows])]
    cells = ", ".join(f".st-key-{key} t{kind}:nth-child({at})" for at in numeric for kind in "hd")
    with st.container(key=key):
        # On a phone each column keeps the width of a word; with many columns a desktop scrolls rather than breaks them.
        each = 4.6 if len(columns) > _MANY else 6.6
        wide = f".st-key-{key} [data-testid=stTable] table {{ min-width: {each * len(columns):.0f}rem; }}"
        if len(columns) <= _MANY:
            wide = f"@media (max-width: 640px) {{ {wide} }}"
        aligned = f"{cells} {{ text-align: right !important; white-space: nowrap; }}" if cells else ""
        days = [at for at, name in enumerate(columns, 1) if _is_days([row[name] for row in rows])]
        whole = ", ".join(f".st-key-{key} td:nth-child({at})" for at in days)
        unbroken = f"{whole} {{ white-space: nowrap; }}" if whole else ""
        st.html(f"<style>{aligned} {unbroken} {wide}</style>")
        shown = [{md(name): md(cell) for name, cell in row.items()} for row in rows]
        st.table(pd.DataFrame(shown), hide_index=True, border="horizontal")


def _is_days(cells: Sequence[str]) -> bool:
    return any(cells) and all(_DAY.match(cell) for cell in cells)


def _is_numeric(cells: Sequence[str]) -> bool:
    return any(cells) and all(_NUMERIC.match(cell) for cell in cells)


def numbers(rows: Sequence[Mapping[str, str]], line: str, *, key: str) -> None:
    """Offer the numbers behind a picture and the line of Python that gives them."""
    with st.expander(_("The numbers, and where they come from")):
        table(rows, key=key)
        st.code(line, language="python")


def code(*lines: str) -> None:
    """Show the lines of Python that reproduce the page's numbers."""
    with st.expander(_("The same in Python")):
        st.code(_OPENED + "\n".join(lines), language="python")
