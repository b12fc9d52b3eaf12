"""The current plan and who is looking at it: with `pictures` and `visit`, the only reader and writer of the session.

Pages ask for `plan()` and say what should change; what is refused comes back as a notice,
the plan on screen stays as it was. Values of widgets are copied from the plan before they are
drawn, so that undo, a file or another tab moves every slider too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import streamlit as st

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import browsers, opening, persons, pictures, samples, unseen, visit, words
from workbench.aside import Aside
from workbench.desk import Desk, Desks
from workbench.keeping import Keeping
from workbench.store import revisions

LANGUAGES = {"ja": "日本語", "en": "English"}

_NOTICE = "session_notice"
_DESK = "session_desk"
_PERSON = "session_person"
_CAME = "session_came"
_REFUSED = "session_refused"
_DRAFTS = "session_drafts"
_KEPT = "kept_"
_WRITTEN = "agreed_"
_BROWSER = "session_browser"
_LOOKING = "session_looking"
_FOUND = "session_found"

_signed_out: dict[str, float] = {}  # when, by browser


@cache
def _desks() -> Desks:
    return Desks()


def desk() -> Desk:
    """Return this visitor's desk; without a cookie (a test, a blocked cookie) the session's own."""
    _leave_to_another_browser()
    if _has_signed_out():
        _empty(**{_PERSON: None})
    own: Desk | None = visit.mine().get(_DESK)
    if own is None:
        visitor = _visitor()
        own = Desk.holding(samples.sample_plan()) if visitor is None else opening.latest(_desks(), visitor)
        visit.mine()[_DESK] = own
    return own


def keeping() -> Keeping:
    """Return the kept side of the desk; where nothing is kept, one that says so."""
    own = desk()
    if not isinstance(own.keeper, Keeping):
        return Keeping(own)
    return own.keeper


def _browser() -> str | None:
    return browsers.named(st.context.cookies)


def _leave_to_another_browser() -> None:
    """Leave nothing of a session to a browser that takes it up with another cookie.

    Whoever knows a session's id can do that in Streamlit, and the id stands in the addresses of uploads.
    """
    now = _browser()
    if not st.context.headers:
        return  # nobody is connected just now
    if visit.mine().setdefault(_BROWSER, now) != now:
        _empty(**{_BROWSER: now})


@pictures.uninterrupted()
def _empty(**kept: Any) -> None:
    """Leave nothing of a session but this."""
    st.session_state.clear()
    visit.mine().update(kept)


def person() -> str | None:
    """Return who has signed in; what their browser had come by and made is theirs from then on."""
    _leave_to_another_browser()
    mine = visit.mine()
    if _PERSON not in mine:
        found, browser = persons.signed_in(), _browser()
        if found is not None and browser is not None:
            opening.adopt(browser, found)
        mine[_PERSON], mine[_CAME] = found, time.monotonic()
    who: str | None = mine[_PERSON]
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
    mine = visit.mine()
    if mine.get(_PERSON) is None:
        return False
    return _signed_out.get(_browser() or "", 0.0) > float(mine[_CAME])


def _visitor() -> str | None:
    """Return whose desk this is: of the person who has signed in, else of the browser."""
    return person() or _browser()


@pictures.uninterrupted()
def _work_at(own: Desk) -> None:
    """Sit down at another desk; what was typed beside the last plan stays with it, until one comes back to it."""
    mine, state = visit.mine(), st.session_state
    drafts: dict[str, tuple[dict[str, Any], dict[str, Any]]] = mine.setdefault(_DRAFTS, {})
    drafts[keeping().plan_id or ""] = (
        {key: mine.pop(key) for key in [*mine] if key.startswith(_KEPT)},
        {key: state.pop(key) for key in _written()},
    )
    mine[_DESK] = own
    beside, written = drafts.pop(keeping().plan_id or "", ({}, {}))
    mine.update(beside)
    state.update(written)
    refusals().clear()
    unseen.forget()


def _written() -> list[str]:
    """Return the keys of the fields of an agreement: what was typed there is nowhere else yet."""
    fields = {str(key): value for key, value in st.session_state.items() if str(key).startswith(_WRITTEN)}
    return [key for key, value in fields.items() if not isinstance(value, bool)]  # no button can be given its press


@pictures.uninterrupted()
def come_back() -> None:
    """Go back to the plan one worked at, once the storage answers that did not when the page was opened."""
    own, visitor, mine = desk(), _visitor(), visit.mine()  # who has signed out is noticed at the desk
    if visitor is None or not opening.came_too_soon(own):
        return
    found = mine.pop(_FOUND, own)
    if found is not own:
        _work_at(found)
    else:
        mine.setdefault(_LOOKING, Aside()).do(lambda: mine.update({_FOUND: opening.latest(_desks(), visitor)}))


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
    """Work on a new plan of one's own from now on; the one before stays as it is, among the reader's plans.

    Where nothing is kept there is only one plan: undo leads back to the one before.
    """
    visitor = _visitor()
    if visitor is None:
        open_plan(first)
    else:
        _work_at(opening.new(_desks(), visitor, first, after=keeping(), language=language()))


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


def reopen() -> None:
    """Work on the same plan as it is stored now, as if it was opened for the first time."""
    visitor, now = _visitor(), keeping()
    if visitor is not None and now.plan_id is not None:
        _desks().drop(visitor, now.plan_id)
        switch_to(now.plan_id)


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


@pictures.uninterrupted()
def attempt(action: Callable[[], None], *, key: str = "") -> bool:
    """Do something, and return whether it was done; else keep the reason for the field `key` (or the page)."""
    visit_now = visit.mine()
    desk()
    if visit.mine() is not visit_now:
        refuse(KpiError("signed_out", "You have signed out meanwhile. What you did last was not taken up."))
        return False
    refusals().pop(key, None)
    try:
        action()
    except KpiError as error:
        refusals()[key] = error
        return False
    return True


def alter(action: Callable[[], None], *, key: str = "") -> bool:
    """`attempt` something that alters the plan; nobody else does meanwhile."""

    def work() -> None:
        own = desk()
        with own.lock:
            before = own.plan
            action()
            unseen.done(before, own.plan)

    return attempt(work, key=key)


def change(changes: Mapping[str, Any], *, key: str = "") -> None:
    """Change fields of the plan by their dotted paths: one revision, or none if it is refused; as `alter`."""
    alter(lambda: desk().change(changes), key=key)


def rework(made: Callable[[Plan], Plan], *, key: str = "") -> bool:
    """Put on top what is made of the plan as it is now; as `alter`."""
    return alter(lambda: desk().put(made(plan())), key=key)


def open_plan(opened: Plan) -> None:
    """Put another plan in place of the one on the screen, under the same links; undo leads back."""
    desk().open(opened)
    refusals().clear()


def refuse(error: KpiError) -> None:
    """Have the header say why something was not done."""
    refusals()[""] = error


def refusals() -> dict[str, KpiError]:
    """Return what was refused, by the key of the field it was typed in ("" = not in a field)."""
    found: dict[str, KpiError] = visit.mine().setdefault(_REFUSED, {})
    return found


def refused(key: str = "") -> KpiError | None:
    """Return why the last entry in this field was refused; what was typed still stands there."""
    if key and key not in st.session_state:
        refusals().pop(key, None)
    return refusals().get(key) if key else refusals().pop("", None)


def tell(text: str) -> None:
    """Have the header say something once, on the next run."""
    visit.mine()[_NOTICE] = text


def notice() -> str | None:
    """Return what `tell` was told, once."""
    said = visit.mine().pop(_NOTICE, None)
    return said if isinstance(said, str) else None


def follow(key: str, value: Any) -> str:
    """Let the widget `key` show `value`, but never over an entry that was refused; return the key."""
    return pictures.give(key, value if refused(key) is None else st.session_state[key])


def typed(key: str) -> Any:
    """Return what a widget holds, for its callback."""
    return st.session_state.get(key)


def remember(key: str, value: Any) -> None:
    """Keep a value for this visit: which card is selected, which KSFs are locked."""
    visit.mine()[f"{_KEPT}{key}"] = value


def recall(key: str, otherwise: Any = None) -> Any:
    """Return what `remember` kept."""
    return visit.mine().get(f"{_KEPT}{key}", otherwise)


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
