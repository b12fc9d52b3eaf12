"""The current plan and who is looking at it: the only reader and writer of `st.session_state`.

Pages ask for `plan()` and say what should change; what is refused comes back as a notice,
the plan on screen stays as it was. Values of widgets are copied from the plan before they are
drawn, so that undo, a file or another tab moves every slider too.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import opening, persons, samples, words
from workbench.desk import Desk, Desks
from workbench.keeping import Keeping
from workbench.serving import BROWSER_COOKIE
from workbench.shown import Shown
from workbench.store import revisions

LANGUAGES = {"ja": "日本語", "en": "English"}

# What `serving` makes; anything else in the cookie names nobody's desk.
_OURS = re.compile(r"[A-Za-z0-9_-]{43}")
_NOTICE = "session_notice"
_DESK = "session_desk"
_PERSON = "session_person"
_CAME = "session_came"
_TURN = "session_turn"
_REFUSED = "session_refused"
_SHOWN = "session_shown"
_PICTURES = "session_pictures"
_PICTURE = "picture"  # the last one the browser has drawn
_DRAWN = "session_drawn"  # the last one it is known to have drawn
_RUNS = "session_runs"
_RUN = "picture_begun"  # the last one the browser has seen begin
_SEEN = "session_seen"  # the last one it is known to have seen begin

_signed_out: dict[str, float] = {}  # when, by browser


@cache
def _desks() -> Desks:
    return Desks()


def desk() -> Desk:
    """Return this visitor's desk; without a cookie (a test, a blocked cookie) the session's own."""
    if _has_signed_out():
        st.session_state[_PERSON] = None
        st.session_state.pop(_DESK, None)
    own: Desk | None = st.session_state.get(_DESK)
    if own is None:
        visitor = _visitor()
        own = Desk.holding(samples.sample_plan()) if visitor is None else opening.latest(_desks(), visitor)
        st.session_state[_DESK] = own
    return own


def keeping() -> Keeping:
    """Return the kept side of the desk; where nothing is kept, one that says so."""
    own = desk()
    if not isinstance(own.keeper, Keeping):
        return Keeping(own)
    return own.keeper


def _browser() -> str | None:
    cookie = st.context.cookies.get(BROWSER_COOKIE)
    return cookie if isinstance(cookie, str) and _OURS.fullmatch(cookie) else None


def person() -> str | None:
    """Return who has signed in; what their browser had come by and made is theirs from then on."""
    if _PERSON not in st.session_state:
        found, browser = persons.signed_in(), _browser()
        if found is not None and browser is not None:
            opening.adopt(browser, found)
        st.session_state[_PERSON], st.session_state[_CAME] = found, time.monotonic()
    who: str | None = st.session_state[_PERSON]
    return who


def forget_browser() -> None:
    """Let this browser forget everything that is the person's who signs out.

    Raises
    ------
    KpiError
        What the database refuses.
    """
    who, browser = person(), _browser()
    if who is not None and browser is not None:
        opening.forget(browser, who)
        _signed_out[browser] = time.monotonic()


def _has_signed_out() -> bool:
    """Return whether the person has signed out since this visit began, in another tab of the browser."""
    if st.session_state.get(_PERSON) is None:
        return False
    return _signed_out.get(_browser() or "", 0.0) > float(st.session_state[_CAME])


def _visitor() -> str | None:
    """Return whose desk this is: of the person who has signed in, else of the browser."""
    return person() or _browser()


def _work_at(own: Desk) -> None:
    st.session_state[_DESK] = own
    refusals().clear()


def switch_to(plan_id: str) -> None:
    """Work on another kept plan from now on.

    Raises
    ------
    KpiError
        `not_allowed`; what the database refuses.
    """
    if (visitor := _visitor()) is not None:
        _work_at(opening.at(_desks(), visitor, plan_id, language()))


def start_with(first: Plan) -> None:
    """Work on a new plan of one's own from now on.

    Raises
    ------
    KpiError
        What the database refuses.
    """
    visitor, name = _visitor(), keeping().author
    _work_at(Desk.holding(first) if visitor is None else opening.new(_desks(), visitor, first, language(), name))


def save_copy() -> None:
    """Keep what is on the screen as a plan of one's own, and work on that.

    Raises
    ------
    KpiError
        `not_allowed`; what the database refuses.
    """
    visitor, now = _visitor(), keeping()
    if visitor is not None and now.plan_id is not None:
        _work_at(opening.copy(_desks(), visitor, now, language()))


def leave() -> None:
    """Leave this plan for another of one's own, else for the sample."""
    visitor, now = _visitor(), keeping()
    if visitor is not None:
        _desks().drop(visitor, now.plan_id or "")
        _work_at(opening.latest(_desks(), visitor, without=now.plan_id))


def call_me(name: str) -> None:
    """Have this name stand beside what one changes from now on."""
    now = keeping()
    now.author = revisions.words_of("author", name)
    now.keep_desk()


def plan() -> Plan:
    """Return the plan on screen."""
    return desk().plan


def baseline() -> Plan:
    """Return the plan that changes are compared with."""
    return desk().baseline


def language() -> str:
    """Return the language of this browser: the one chosen, else the browser's, else Japanese."""
    chosen = desk().language
    if chosen is None:
        locale = st.context.locale
        chosen = "en" if isinstance(locale, str) and not locale.lower().startswith("ja") else "ja"
    return chosen


words.follow(language)


def speak(chosen: str) -> None:
    """Change the language."""
    desk().language = chosen
    desk().kept_beside()


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
        with state[_TURN] if _TURN in state else nullcontext():
            yield
    finally:
        object.__setattr__(state, "_yield_callback", may_end)


@uninterrupted()
def attempt(action: Callable[[], None], *, key: str = "") -> bool:
    """Do something to the plan; if it is refused, keep the reason for the field `key` (or the page)."""
    refusals().pop(key, None)
    try:
        action()
    except KpiError as error:
        refusals()[key] = error
        return False
    return True


def change(changes: Mapping[str, Any], *, key: str = "") -> None:
    """Change fields of the plan by their dotted paths: one revision, or none if it is refused."""
    attempt(lambda: desk().change(changes), key=key)


def put(changed: Plan) -> None:
    """Put a whole changed plan on top of the history."""
    desk().put(changed)


def open_plan(opened: Plan) -> None:
    """Start on another plan."""
    desk().open(opened)
    refusals().clear()


def refuse(error: KpiError) -> None:
    """Have the header say why something was not done."""
    refusals()[""] = error


def refusals() -> dict[str, KpiError]:
    """Return what was refused, by the key of the field it was typed in ("" = not in a field)."""
    found: dict[str, KpiError] = st.session_state.setdefault(_REFUSED, {})
    return found


def refused(key: str = "") -> KpiError | None:
    """Return why the last entry in this field was refused; what was typed still stands there."""
    if key and key not in st.session_state:
        refusals().pop(key, None)
    return refusals().get(key) if key else refusals().pop("", None)


def tell(text: str) -> None:
    """Have the header say something once, on the next run."""
    st.session_state[_NOTICE] = text


def notice() -> str | None:
    """Return what `tell` was told, once."""
    said = st.session_state.pop(_NOTICE, None)
    return said if isinstance(said, str) else None


def picture_begins() -> None:
    """Begin a page: from now on values are given that the browser may not have drawn yet."""
    state = st.session_state
    state[_DRAWN] = max(state.get(_DRAWN, 0), state.get(_PICTURE) or 0)
    state.setdefault(_TURN, threading.RLock())
    state[_RUNS] = state.get(_RUNS, 0) + 1
    _number(_RUN, state[_RUNS])


def picture_ends() -> None:
    """End the page with the number of its picture, for the browser to send back once it has drawn it."""
    st.session_state[_PICTURES] = _next_picture()
    _number(_PICTURE, st.session_state[_PICTURES])


def _number(key: str, value: int) -> None:
    """Give the browser a number that nobody sees and that comes back with all it sends."""
    with st.container(key=f"hidden_{key}"):
        st.session_state[key] = value
        st.number_input(key, step=1, key=key, label_visibility="collapsed")


def follow(key: str, value: Any) -> str:
    """Let the widget `key` show `value`, but never over an entry that was refused; return the key."""
    state, fields, drawn = st.session_state, _shown(), st.session_state.get(_DRAWN, 0)
    if key not in fields:
        fields[key] = Shown.first(value, _next_picture())
    wanted, shown = state[key] if refused(key) is not None else value, fields[key]
    if key not in state or state[key] != wanted or shown.last != wanted or shown.is_on_its_way(drawn):
        state[key], fields[key] = wanted, shown.given(wanted, _next_picture())
    return key


def overtaken(key: str) -> bool:
    """Return whether a widget says nothing but what the browser was given, or said before: then it is no entry.

    Until a browser has drawn a new value it still sends an old one with whatever else a person does: taken for
    an entry, that would take back what somebody else has just changed. A slow browser may be many values behind,
    and a slow server may take up its messages in the wrong order.
    """
    state, fields = st.session_state, _shown()
    if key not in fields:
        return False
    if _is_pulse():
        return True
    known, seen = state.get(_DRAWN, 0), state.get(_SEEN, 0)
    drawn, run = state.get(_PICTURE) or known, state.get(_RUN) or seen
    if drawn < known or run < seen or fields[key].says_nothing(state.get(key), drawn, run=run):
        return True
    state[_DRAWN], state[_SEEN], fields[key] = drawn, run, fields[key].entered(state.get(key), drawn, run=run)
    return False


def _is_pulse() -> bool:
    """Return whether the browser sends by itself, every few seconds: what people enter has been sent when they did.

    Such a message does not end the run it meets, and may be taken up after what was entered meanwhile.
    """
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def _next_picture() -> int:
    return int(st.session_state.get(_PICTURES, 0)) + 1


def _shown() -> dict[str, Shown]:
    found: dict[str, Shown] = st.session_state.setdefault(_SHOWN, {})
    return found


def typed(key: str) -> Any:
    """Return what a widget holds, for its callback."""
    return st.session_state.get(key)


def remember(key: str, value: Any) -> None:
    """Keep a value for this visit: which card is selected, which KSFs are locked."""
    st.session_state[f"kept_{key}"] = value


def recall(key: str, otherwise: Any = None) -> Any:
    """Return what `remember` kept."""
    return st.session_state.get(f"kept_{key}", otherwise)


def take_as_baseline() -> None:
    """Compare changes with the plan as it is now, from now on."""
    desk().put(plan(), baseline=plan())


def keep_scenario(name: str, kept: Plan, limit: int) -> None:
    """Keep a plan under a name for comparing; the oldest goes when there are too many."""
    scenarios = desk().scenarios
    scenarios[name] = kept
    while len(scenarios) > limit:
        scenarios.pop(next(iter(scenarios)))
    desk().kept_beside()


def drop_scenarios() -> None:
    """Forget the plans kept for comparing."""
    desk().scenarios.clear()
    desk().kept_beside()
