"""Saving against what others saved meanwhile: append, or merge, or keep both; overwrite never.

    base ──── theirs (newest)          `merge(base, ours, theirs)` takes from each side what that side changed
        └──── ours

An `Edit` is what a person did: from the revision `base`, which they had on screen, to `plan`. Undoing
revision n is the edit from n to the one before it, so that it takes back what n changed and no more.

Merging takes milliseconds to seconds, and a write stands in everybody's way. So an attempt only
compares numbers and appends; if the plan has moved on, the merge happens outside, and the next
attempt offers its result. Only after some such rounds the merge is done inside, where nobody can overtake.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench.merging import Merged, merge
from workbench.store import revisions
from workbench.store.revisions import Draft, Kept

ROUNDS = 2


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What a person did to revision `base`. `key` names the attempt: however often it is sent, it is kept once."""

    plan_id: str
    base: int
    plan: Plan
    key: str
    author: str = ""
    note: str = ""
    kind: str = "change"
    mine: int | None = None  # the revision that holds `plan` already: a clash needs nothing set aside


@dataclass(frozen=True)
class Clashing:
    """Both are kept: what the person made is revision `mine`, the newest `theirs`; the person chooses."""

    mine: int
    theirs: int
    merged: Merged  # what could be joined, the clashes, and `resolved(picks)` for the rest


@dataclass(frozen=True)
class Offer:
    """What to append if revision `onto` still is the newest; or, of two sides that clash, their merge."""

    onto: int
    made: Draft | Merged


@dataclass(frozen=True)
class Moved:
    """The plan has moved on: what to merge the edit with."""

    base: Kept
    theirs: Kept


def as_made(edit: Edit) -> Offer:
    """Return the edit itself, for the case that nobody saved meanwhile."""
    return Offer(edit.base, Draft.of(edit.plan))


def merged(edit: Edit, moved: Moved) -> Offer:
    """Return the edit merged with what others did."""
    found = merge(moved.base.plan, edit.plan, moved.theirs.plan)
    return Offer(moved.theirs.number, found if found.clashes else Draft.of(found.plan))


def attempt(connection: Connection, edit: Edit, offer: Offer, at: datetime) -> Kept | Clashing | Moved:
    """Append what is offered, in a transaction in which nobody else writes this plan; or say that it moved on."""
    if (first := revisions.by_key(connection, edit.plan_id, edit.key)) is not None:
        return _first_answer(connection, edit, first)
    theirs = revisions.newest(connection, edit.plan_id)
    if moved_on(offer, theirs):
        return _moved(connection, edit, theirs)
    about = {"plan_id": edit.plan_id, "author": edit.author, "note": edit.note, "kind": edit.kind, "at": at}
    if isinstance(offer.made, Merged):
        return _set_aside(connection, edit, Clashing(edit.mine or 0, offer.onto, offer.made), about)
    if offer.made.text == theirs.text:
        return theirs  # nothing is left to change; a revision that changes nothing would only be noise
    about |= {"parent": offer.onto, "base": edit.base}
    return revisions.append(connection, about, offer.made, key=edit.key)


def moved_on(offer: Offer, newest: Kept) -> bool:
    """Return whether somebody has saved since the offer was made."""
    return offer.onto != newest.number


def insist(connection: Connection, edit: Edit, at: datetime) -> Kept | Clashing:
    """Merge and append in one transaction."""
    found = attempt(connection, edit, as_made(edit), at)
    if isinstance(found, Moved):
        found = attempt(connection, edit, merged(edit, found), at)
    if isinstance(found, Moved):
        raise AssertionError("nobody can save a plan that is locked")
    return found


def reversal(connection: Connection, plan_id: str, number: int, *, key: str, author: str = "") -> Edit:
    """Return the edit that takes back what one revision changed.

    Raises
    ------
    KpiError
        `nothing_to_undo`: it is the first, or lies aside; `unknown_revision`.
    """
    done = revisions.revision(connection, plan_id, number).version
    if done.parent is None or done.is_aside:
        raise KpiError("nothing_to_undo", "Version {number} changed nothing that could be undone.", number=number)
    before = revisions.revision(connection, plan_id, done.parent)
    kind = "redo" if done.kind == "undo" else "undo"
    return Edit(plan_id=plan_id, base=number, plan=before.plan, key=key, author=author, kind=kind, mine=before.number)


def _set_aside(connection: Connection, edit: Edit, clashing: Clashing, about: dict[str, object]) -> Clashing:
    if edit.mine is not None:
        return clashing
    row = {**about, "parent": edit.base, "base": edit.base, "clashes_with": clashing.theirs}
    return replace(clashing, mine=revisions.append(connection, row, Draft.of(edit.plan), key=edit.key).number)


def _first_answer(connection: Connection, edit: Edit, first: Kept) -> Kept | Clashing:
    version = first.version
    if version.clashes_with is None or version.base is None:
        return first
    base, theirs = (revisions.revision(connection, edit.plan_id, at) for at in (version.base, version.clashes_with))
    return Clashing(version.number, theirs.number, merge(base.plan, first.plan, theirs.plan))


def _moved(connection: Connection, edit: Edit, theirs: Kept) -> Moved:
    base = revisions.revision(connection, edit.plan_id, edit.base)
    if base.version.is_aside:
        raise revisions.unknown(edit.base)
    return Moved(base, theirs)
