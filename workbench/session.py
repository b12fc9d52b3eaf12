"""The current plan and who is looking at it: the only reader and writer of `st.session_state`.

Pages ask for `plan()` and say what should change; what is refused comes back as a notice,
the plan on screen stays as it was. Values of widgets are copied from the plan before they are
drawn, so that undo, a file or another tab moves every slider too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import streamlit as st

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import opening, samples, words
from workbench.desk import Desk, Desks
from workbench.keeping import Keeping
from workbench.serving import BROWSER_COOKIE
from workbench.store import revisions

LANGUAGES = {"ja": "日本語", "en": "English"}

# What `serving` makes; anything else in the cookie names nobody's desk.
_OURS = re.compile(r"[A-Za-z0-9_-]{43}")
_NOTICE = "session_notice"
_DESK = "session_desk"
_REFUSED = "session_refused"
_WAS = "session_was_"
_LATELY = 10.0  # seconds after which what changes under a widget is not what others did
_A_MOMENT = 1.5  # seconds that a browser has to draw at the least
_VALUES = 200


@dataclass(frozen=True)
class _Shown:
    """What a widget showed before the plan moved on, since the browser is known to have drawn anything newer."""

    values: tuple[Any, ...] = ()
    now: Any = None
    when: float = 0.0
    sent_again: bool = False

    def drawn(self, sent: Any) -> bool:
        """Return whether a browser that sends this has drawn what the widget shows now."""
        return bool(sent == self.now) and not self.sent_again and time.monotonic() - self.when > _A_MOMENT


_NOTHING_SHOWN = _Shown()


@cache
def _desks() -> Desks:
    return Desks()


def desk() -> Desk:
    """Return this browser's desk; without a cookie (a test, a blocked cookie) the session's own."""
    own: Desk | None = st.session_state.get(_DESK)
    if own is None:
        browser = _browser()
        own = Desk.holding(samples.sample_plan()) if browser is None else opening.latest(_desks(), browser)
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
    if (browser := _browser()) is not None:
        _work_at(opening.at(_desks(), browser, plan_id, language()))


def start_with(first: Plan) -> None:
    """Work on a new plan of one's own from now on.

    Raises
    ------
    KpiError
        What the database refuses.
    """
    browser, name = _browser(), keeping().author
    _work_at(Desk.holding(first) if browser is None else opening.new(_desks(), browser, first, language(), name))


def save_copy() -> None:
    """Keep what is on the screen as a plan of one's own, and work on that.

    Raises
    ------
    KpiError
        `not_allowed`; what the database refuses.
    """
    browser, now = _browser(), keeping()
    if browser is not None and now.plan_id is not None:
        _work_at(opening.copy(_desks(), browser, now, language()))


def leave() -> None:
    """Leave this plan for another of one's own, else for the sample."""
    browser, now = _browser(), keeping()
    if browser is not None:
        _desks().drop(browser, now.plan_id or "")
        _work_at(opening.latest(_desks(), browser, without=now.plan_id))


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


def follow(key: str, value: Any) -> str:
    """Let the widget `key` show `value`, but never over an entry that was refused; return the key."""
    state, was = st.session_state, f"{_WAS}{key}"
    if refused(key) is None and state.get(key) != value:
        if key in state and time.monotonic() - desk().followed < _LATELY:
            earlier = state.get(was, _NOTHING_SHOWN).values
            state[was] = _Shown((*earlier, state[key])[-_VALUES:], value, time.monotonic())
        state[key] = value
    elif was in state:
        _caught_up(key, state[was])
    return key


def caught_up() -> None:
    """Note of which widgets the browser has drawn what others changed: from then on an older value is an entry."""
    for was in [name for name in st.session_state if str(name).startswith(_WAS)]:
        _caught_up(str(was).removeprefix(_WAS), st.session_state[was])


def _caught_up(key: str, shown: _Shown) -> None:
    if shown.drawn(st.session_state.get(key)):
        del st.session_state[f"{_WAS}{key}"]
    elif shown.sent_again:
        st.session_state[f"{_WAS}{key}"] = replace(shown, sent_again=False)


def overtaken(key: str) -> bool:
    """Return whether a widget only says what it had shown before the plan moved on under it.

    Until a browser has drawn a new value it still sends an old one with whatever else a person does: taken for
    an entry, that would take back what somebody else has just changed. A slow browser may be several values behind.
    """
    shown = st.session_state.get(f"{_WAS}{key}", _NOTHING_SHOWN)
    found = st.session_state.get(key) in shown.values
    if found:
        st.session_state[f"{_WAS}{key}"] = replace(shown, sent_again=True)
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
