"""The parts every page is made of: its question, its answer, a picture, the numbers behind it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import NoReturn

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import refusals, sentences, tables, theme
from workbench.charts.picture import Picture
from workbench.words import _, md

_TO_SEND = 0.02  # s: some fifty elements

# Less air around the page than Streamlit's own, so that question, answer and picture
# are on a projector's first screen; figures of equal width everywhere.
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
[class*="st-key-hidden_"] { display: none; }
[data-testid^="stBaseButton-primary"] { color: light-dark(#fff, #12171e); }
[data-testid^="stBaseButton-primary"]:hover:not(:disabled) { background-color: light-dark(#005a8e, #7dbde6); }
:has(> .st-key-removal) { position: sticky; bottom: 0.75rem; z-index: 5; } /* the question is on the screen at once */
.st-key-removal { background: light-dark(#fff, #12171e); }
.st-key-levers .stSlider { margin-bottom: 0.1rem; }
.stMultiSelect [data-tag] { height: auto; min-height: 1.75rem; }
.stMultiSelect [data-tag] > span { white-space: normal; overflow-wrap: anywhere; padding: 0.15rem 0; }
.stMultiSelect [role="group"]:has(> [data-testid="stMultiSelectTagsContainer"]) { max-height: 16rem; }
@media (max-width: 640px) {
  .st-key-limits_and_set > .stHorizontalBlock, .st-key-limits_and_set > div > .stHorizontalBlock {
    flex-direction: column-reverse;
  }
  [data-testid="stTable"] { overflow-x: auto; }
  .stMainBlockContainer { padding: 3.75rem 1rem 3rem; }
  .st-key-answer p { font-size: 1.1rem; }
  .stButtonGroup [role="radiogroup"] { flex-wrap: wrap; row-gap: 0.25rem; } /* else the last is off the screen */
}
@media print { .stSidebar, .stHeader, .st-key-header { display: none; } }
</style>
"""


def style() -> None:
    """Set the page's rhythm."""
    # What a list says when nothing fits is Streamlit's, and English only; ours is laid over it.
    nothing = '[role="listbox"][data-empty] [role="option"] > span'
    ours = f"{nothing} {{ font-size: 0; }} {nothing}::after {{ content: {tables.quoted(_('Nothing fits'))}; }}"
    st.html(f"{_STYLE}<style>{ours} {nothing}::after {{ font-size: 0.875rem; }} {_how_to_enter()}</style>")


def _how_to_enter() -> str:
    """Return the style that says in the person's language how what is typed in a field is entered."""
    says = {"stTextInput": _("Enter: apply"), "stNumberInput": _("Enter: apply")}
    says["stTextArea"] = _("Ctrl+Enter (⌘+Enter): apply")
    first = '[data-testid="InputInstructions"] > span:first-child'
    return " ".join(
        f".{field} {first} {{ font-size: 0; }}"
        f" .{field} {first}::after {{ content: {tables.quoted(text)}; font-size: 0.75rem; }}"
        for field, text in says.items()
    )


class End(Exception):  # noqa: N818 - no error
    """The page has said all there is to say for now."""


def end() -> NoReturn:
    """End the page here, but with what every page ends with; `st.stop` would leave that out."""
    raise End


@contextmanager
def part() -> Iterator[None]:
    """Show, instead of the part of the page drawn inside, why it has no value for this plan; the page goes on below."""
    try:
        yield
    except KpiError as error:
        no_value(error)


def no_value(error: KpiError) -> None:
    """Say what cannot be worked out for this plan, and what to do about it."""
    reasons = [f"- {md(reason)}" for reason in refusals.reasons(error)]
    st.info("\n".join([_("This cannot be worked out for this plan:"), "", *reasons]), icon=":material/info:")


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
    """Show a picture and, below it, the sentence that reads it aloud, as plain text.

    The picture's own label never changes: with another one the browser makes the picture anew, not only its data.
    """
    looks = theme.on_pictures(st.context.theme.type)
    alt = _("A picture: the sentence below it says what it shows.")
    st.vega_lite_chart(drawn.data, {**drawn.spec, "config": looks}, width="stretch", alt=alt)
    st.caption(md(reading))


def show_now() -> None:
    """Let the browser have what is drawn so far: sending it takes the interpreter from a page that goes on at once."""
    time.sleep(_TO_SEND)


def sections(*titles: str) -> list[DeltaGenerator]:
    """Show headings at once, each with a place below it: what takes long fills its place later, and moves no other."""
    places = [st.container() for _title in titles]
    for place, title in zip(places, titles, strict=True):
        place.header(title, anchor=False)
    return places


def table(rows: Sequence[Mapping[str, str]], *, key: str, stacks: bool = False) -> None:
    """Show rows for reading: numbers right-aligned, no index, nothing in a cell is markup.

    On a phone a table that `stacks` is a list of cards, one a row; another keeps its columns and scrolls.
    """
    if not rows:
        return
    with st.container(key=key):
        st.html(f"<style>{tables.css(rows, key=key, stacks=stacks)}</style>")
        shown = [{md(name): md(cell) for name, cell in row.items()} for row in rows]
        st.table(pd.DataFrame(shown), hide_index=True, border="horizontal")


def numbers(rows: Sequence[Mapping[str, str]], line: str, *, key: str, stacks: bool = False) -> None:
    """Offer the numbers behind a picture and the line of Python that gives them."""
    with st.expander(_("The numbers, and where they come from")):
        table(rows, key=key, stacks=stacks)
        st.code(line, language="python")


def code(*lines: str) -> None:
    """Show the lines of Python that reproduce the page's numbers."""
    with st.expander(_("The same in Python")):
        st.code(_OPENED + "\n".join(lines), language="python")
