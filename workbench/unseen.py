"""What changed since the browser last drew the plan: an entry is not put over what its maker has not seen.

A page that lies open is drawn anew some seconds after somebody else, or another tab, has changed the plan, or the
storage has answered and the plan one works at is another. Until then its fields say what was said before. Each picture
is remembered with what it shows, and what this page itself has done since; an entry that was not taken up stands
beside its field until it has been seen there and something else is done.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

from kpi_core.plan import Plan
from workbench import pictures, visit
from workbench.desk import Desk

Reason = Literal["dropped", "unseen"]
Kept = TypeVar("Kept")

_SHOWN, _DONE, _NOTES, _MOMENTS = "unseen_shown", "unseen_done", "unseen_notes", "unseen_moments"
_PICTURES = 20  # so many a browser may be behind
_DEEDS = 50


class _Shown(NamedTuple):
    """What a picture shows; moments are counted, no time is taken."""

    moment: int
    desk: Desk
    plan: Plan


class _Deed(NamedTuple):
    """What this page did to a plan."""

    moment: int
    before: Plan
    after: Plan


class Note(NamedTuple):
    """An entry that was not taken up, and why; the picture that says so first."""

    picture: int
    reason: Reason
    entry: str


def shows(desk: Desk) -> None:
    """Remember what the picture shows that is drawn next."""
    shown: dict[int, _Shown] = _mine(_SHOWN, {})
    with desk.lock:
        shown[pictures.given() + 1] = _Shown(_moment(), desk, desk.plan)
    for old in [*shown][:-_PICTURES]:
        del shown[old]


def done(before: Plan, after: Plan) -> None:
    """Remember that this page has made one plan of another; call it while nobody else can change the plan."""
    if after is before:
        return
    _deeds().append(_Deed(_moment(), before, after))
    notes = _notes()
    for key in [key for key, note in notes.items() if note.picture <= pictures.drawn()]:
        del notes[key]


def changed(desk: Desk, paths: Iterable[str]) -> bool:
    """Return whether one of these fields is something else by now than the browser shows, by another's hand."""
    pictured: dict[int, _Shown] = _mine(_SHOWN, {})
    shown = next((one for number, one in pictured.items() if number >= pictures.drawn()), None)
    if shown is None or shown.plan is desk.plan:
        return False
    if shown.desk is not desk:
        return True
    then, here = shown.plan.to_data(), desk.plan.to_data()
    moved = [path for path in paths if _value(then, path) != _value(here, path)]
    return not all(_is_own(path, _value(here, path), shown.moment) for path in moved)


def tell(key: str, reason: Reason, entry: str) -> None:
    """Have a field say what was entered and not taken up."""
    _notes()[key] = Note(pictures.given() + 1, reason, entry)


def told(key: str) -> Note | None:
    """Return what a field has to say of an entry that was not taken up."""
    return _notes().get(key)


def forget(key: str | None = None) -> None:
    """Say nothing more beside a field, or beside any."""
    if key is None:
        _notes().clear()
    else:
        _notes().pop(key, None)


def _is_own(path: str, value: Any, since: int) -> bool:
    """Return whether this page has put a value there since a moment."""
    for moment, before, after in reversed([*_deeds()]):
        if moment < since:
            return False
        if _value(after.to_data(), path) == value != _value(before.to_data(), path):
            return True
    return False


def _moment() -> int:
    count: itertools.count[int] = _mine(_MOMENTS, itertools.count())
    return next(count)


def _deeds() -> deque[_Deed]:
    return _mine(_DONE, deque(maxlen=_DEEDS))


def _notes() -> dict[str, Note]:
    return _mine(_NOTES, {})


def _mine(key: str, first: Kept) -> Kept:
    found: Kept = visit.mine().setdefault(key, first)
    return found


def _value(data: Any, path: str) -> Any:
    for step in path.split("."):
        data = data.get(step) if isinstance(data, Mapping) else None
    return data
