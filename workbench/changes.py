"""What changed between two plans, in words: 商談率 75.0% → 78.0%.

    found = changes(before, after)
    said(found[0], after)           one sentence
    headline(found, after)          one line for a list of versions

What people typed stands in the sentences as it is: plain text. Pages that read Markdown escape it with `words.md`.
A change nobody has words for is said by the name of the place it is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kpi_core.plan import Plan
from workbench.changes_fields import (
    ENTRIES,
    Branch,
    Path,
    at,
    branches,
    changed,
    is_entry,
    is_list,
    named_in,
    pattern,
    reordered,
    tree,
)
from workbench.changes_sentences import Told, sentence
from workbench.words import _

Kind = Literal["changed", "added", "removed", "moved"]

# What people look for first in a list of versions comes first.
_ORDER = ("decisions", "kgi", "fiscal_year", "name", "metrics", "ksfs", "limits", "teams")
_NUMBER = ("value", "low", "high", "formula")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change: where, what it was and what it is now (None: nothing); `moved` is another order.

    A metric's value, range and formula are one change, with these four names; a name or text in two languages too.
    """

    path: str
    kind: Kind
    was: Any
    now: Any
    place: Path = field(repr=False)
    before: Plan = field(repr=False, compare=False)


def changes(before: Plan, after: Plan) -> list[Change]:
    """Return what changed, the most telling part of the plan first; nothing if both are the same.

    What follows from another change is not said again: that a KSF which was removed is no longer locked, or that
    a number which was changed is no longer an illustrative one.
    """
    old = tree(before)
    new = tree(after, old)
    paths = list(dict.fromkeys(as_one(path) for path in changed(old, new)))
    found = [_change(before, path, old, new) for path in _telling(paths, old, new)]
    found += [
        Change(path=".".join(path), kind="moved", was=[*was], now=[*now], place=path, before=before)
        for path, was, now in branches(old, new)
        if reordered(was, now)
    ]
    return sorted(found, key=_place)


def said(change: Change, plan: Plan) -> str:
    """Return a change as one sentence of plain text, in the reader's language; `plan` is the one it led to."""
    return sentence(Told(change.place, change.kind, change.was, change.now, before=change.before, after=plan))


def headline(changes: Sequence[Change], plan: Plan) -> str:
    """Return the first change and how many there are more: 商談率 75.0% → 78.0%、ほか2件. Plain text."""
    if not changes:
        return _("No change")
    first = said(changes[0], plan)
    if len(changes) == 1:
        return first
    return _("{change} and {count} more").format(change=first, count=len(changes) - 1)


def within(changes: Iterable[Change], paths: Iterable[Path]) -> list[Change]:
    """Return the changes that are of some fields."""
    wanted = {as_one(path) for path in paths}
    return [change for change in changes if any(change.place[:end] in wanted for end in range(len(change.place) + 1))]


def value_at(fields: Branch, path: Path) -> Any:
    """Return what stands at the path of a change; of a metric's number its value, range and formula."""
    if _is_number(path):
        entry = at(fields, path[:2]) or {}
        return {name: entry[name] for name in _NUMBER if name in entry} or None
    return at(fields, path) or None if is_text(path) else at(fields, path)


def _place(change: Change) -> int:
    section = change.place[0]
    return _ORDER.index(section) if section in _ORDER else len(_ORDER)


def as_one(path: Path) -> Path:
    """Return the path of the change that a field is told in: a metric's value and range are told together."""
    if _is_number(path):
        return (*path[:2], "value")
    return path[:-1] if is_text(path[:-1]) else path


def _is_number(path: Path) -> bool:
    return pattern(path)[:2] == ("metrics", "*") and path[2:] != () and path[2] in _NUMBER


def is_text(path: Path) -> bool:
    """Return whether a text in two languages stands at a path."""
    return path == ("name",) or (pattern(path)[2:] in (("name",), ("actions",)) and path[0] in ENTRIES)


def _change(before: Plan, path: Path, old: Branch, new: Branch) -> Change:
    was, now = value_at(old, path), value_at(new, path)
    kind: Kind = "changed"
    if is_entry(path) or is_list(path[:-1]) or named_in(path):
        kind = "added" if was is None else "removed" if now is None else "changed"
    if hasattr(was, "pair") and hasattr(now, "pair") and now == was.model_copy(update={"pair": was.pair[::-1]}):
        kind = "moved"
    return Change(path=".".join(path), kind=kind, was=was, now=now, place=path, before=before)


def _telling(paths: Sequence[Path], old: Branch, new: Branch) -> Iterator[Path]:
    """Yield the paths that say something the others do not."""
    removed = {path for path in paths if is_entry(path) and at(new, path) is None}
    for path in paths:
        gone = value_at(new, path) is None
        if gone and any(entry in removed for entry in named_in(path)):
            continue
        if gone and path[2:] == ("illustrative",) and any(one[:2] == path[:2] and one != path for one in paths):
            continue
        if gone and _fell_away(path, old, new):
            continue
        yield path


def _fell_away(path: Path, old: Branch, new: Branch) -> bool:
    """Return whether a metric lost this because it became an input, or computed."""
    if pattern(path)[:2] != ("metrics", "*") or path[2:] not in (("by_month",), ("lag",), ("season",), ("shape",)):
        return False
    return ("formula" in at(old, path[:2])) != ("formula" in at(new, path[:2]))
