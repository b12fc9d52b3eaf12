"""The pictures a browser was given and the last one it has drawn, and so: what it says is an entry, or old news.

Every run of a page begins and ends with a number in a field that nobody sees; they come back with all the browser
sends. `shown` says how an entry is told by them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import streamlit as st
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.scriptrunner import get_script_run_ctx

from workbench import visit
from workbench.shown import Shown

_SHOWN = "pictures_shown"
_PICTURES = "pictures_given"
_PICTURE = "picture"  # the last one the browser has drawn
_DRAWN = "pictures_drawn"  # the last one it is known to have drawn
_RUNS = "pictures_begun"
_RUN = "picture_begun"  # the last one the browser has seen begin
_TURN = "pictures_turn"  # one entry at a time
_SEEN = "pictures_seen"  # the last one it is known to have seen begin


def begin() -> None:
    """Begin a page: from now on values are given that the browser may not have drawn yet."""
    mine = visit.mine()
    mine[_DRAWN] = max(drawn(), _sent(_PICTURE, _PICTURES))
    mine.setdefault(_TURN, threading.RLock())
    mine[_RUNS] = mine.get(_RUNS, 0) + 1
    _number(_RUN, mine[_RUNS])


def end() -> None:
    """End the page with the number of its picture, for the browser to send back once it has drawn it."""
    visit.mine()[_PICTURES] = _next_picture()
    _number(_PICTURE, given())


def _sent(key: str, given: str) -> int:
    """Return the number the browser sends; 0 for one it was never given: it is of a server that has been restarted."""
    number, most = st.session_state.get(key) or 0, visit.mine().get(given, 0)
    return number if number <= most else 0


def given() -> int:
    """Return the number of the last picture that was given whole."""
    return int(visit.mine().get(_PICTURES, 0))


def drawn() -> int:
    """Return the number of the last picture the browser is known to have drawn."""
    return int(visit.mine().get(_DRAWN, 0))


def _number(key: str, value: int) -> None:
    """Give the browser a number that nobody sees and that comes back with all it sends."""
    with st.container(key=f"hidden_{key}"):
        st.session_state[key] = value
        st.number_input(key, step=1, key=key, label_visibility="collapsed")


def give(key: str, wanted: Any) -> str:
    """Let the widget `key` show what is `wanted`; return the key."""
    state, fields = st.session_state, _shown()
    if key not in fields:
        fields[key] = Shown.first(wanted, _next_picture())
    shown = fields[key]
    if key not in state or state[key] != wanted or shown.last != wanted or shown.is_on_its_way(drawn()):
        state[key], fields[key] = wanted, shown.given(wanted, _next_picture())
    return key


def dropped(key: str, wanted: str | float | None) -> str | float | None:
    """Return what stands in a field that a browser had before its server was restarted, if it is not `wanted`.

    A text, a number, a slider's value or the words of a choice. Streamlit knows no field before it is drawn, so it
    calls nobody back for an entry made just then, and drops it. Nothing says whether it was entered or is what the
    plan once said. Ask before `give`.
    """
    context = get_script_run_ctx()
    if context is None or key in _shown() or drawn():
        return None
    sent = context.session_state._state._new_widget_state.states  # noqa: SLF001 - as below
    found = next((state.value for widget, state in [*sent.items()] if widget.endswith(f"-{key}")), None)
    said = _said(found) if isinstance(found, WidgetState) else None
    return None if said == wanted else said


def _said(state: WidgetState) -> str | float | None:
    """Return what a field says in a message of the browser, if it is one value."""
    kind = state.WhichOneof("value")
    if kind in ("string_value", "double_value"):
        one: str | float = getattr(state, kind)
        return one
    return next(iter(state.double_array_value.data), None)


def overtaken(key: str) -> bool:
    """Return whether a widget says nothing but what the browser was given, or said before: then it is no entry.

    Until a browser has drawn a new value it still sends an old one with whatever else a person does: taken for
    an entry, that would take back what somebody else has just changed. A slow browser may be many values behind,
    and a slow server may take up its messages in the wrong order.
    """
    mine, fields, said = visit.mine(), _shown(), st.session_state.get(key)
    if key not in fields:
        return False
    if _is_pulse():
        return True
    known, seen = drawn(), mine.get(_SEEN, 0)
    picture, run = _sent(_PICTURE, _PICTURES) or known, _sent(_RUN, _RUNS) or seen
    if picture < known or run < seen or fields[key].says_nothing(said, picture, run=run):
        return True
    mine[_DRAWN], mine[_SEEN], fields[key] = picture, run, fields[key].entered(said, picture, run=run)
    return False


def _is_pulse() -> bool:
    """Return whether the browser sends by itself, every few seconds: what people enter has been sent when they did.

    Such a message does not end the run it meets, and may be taken up after what was entered meanwhile.
    """
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def _next_picture() -> int:
    return given() + 1


def _shown() -> dict[str, Shown]:
    found: dict[str, Shown] = visit.mine().setdefault(_SHOWN, {})
    return found


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let what a person did be taken up whole.

    A newer message of the browser ends the run of an older one as soon as it looks at the state, in a callback too,
    and says the same again, which is no change any more: the entry would be lost. One at a time: the newer one may
    be in its callback already.
    """
    context = get_script_run_ctx()
    if context is None:
        yield
        return
    state = context.session_state
    may_end = state._yield_callback  # noqa: SLF001 - Streamlit has no other way, and its version is fixed
    object.__setattr__(state, "_yield_callback", lambda: None)
    try:
        with visit.mine().get(_TURN, nullcontext()):
            yield
    finally:
        object.__setattr__(state, "_yield_callback", may_end)
