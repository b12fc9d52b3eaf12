"""Two people's fields put together with those they both started from.

What one side changed is taken, what both changed alike is taken once, and where they differ the path is noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workbench.changes_fields import ENTRIES, Branch, Path, at, changed, is_entry, known, named_in, reordered

Side = Literal["ours", "theirs"]

_STAGES = ("stages",)  # the one list whose order says something: which step of the funnel follows which


@dataclass(frozen=True)
class Sides:
    """The fields both started from, and what each side made of them."""

    base: Branch
    ours: Branch
    theirs: Branch

    def of(self, side: Side) -> Branch:
        """Return one side's fields."""
        return self.ours if side == "ours" else self.theirs

    def differing(self) -> list[Path]:
        """Return what either side changed and the two do not have alike, in an order that knows no sides."""
        paths = {*changed(self.base, self.ours), *changed(self.base, self.theirs)}
        for path in [path for path in paths if is_entry(path) and at(self.base, path) is None]:
            ours, theirs = at(self.ours, path), at(self.theirs, path)
            if ours and theirs and not _apart(path, None, ours, theirs):
                paths = (paths - {path}) | {*changed(ours, theirs, path)}
        entries = {path for path in paths if is_entry(path)}
        kept = [path for path in paths if not any(path[:end] in entries for end in range(1, len(path)))]
        places = {path: place for place, path in enumerate(known(self.base))}
        return sorted(
            (path for path in kept if at(self.ours, path) != at(self.theirs, path)),
            key=lambda path: (places.get(path, len(places)), path),
        )


def together(sides: Sides, picks: Mapping[Path, Side]) -> tuple[Branch, list[Path]]:
    """Return the fields put together, and the paths where that cannot be done.

    A path in `picks` is taken as that side has it; where the sides clash it is taken as theirs.
    """
    clashes: list[Path] = []

    def node(path: Path, base: Any, ours: Any, theirs: Any) -> Any:
        if path in picks:
            return ours if picks[path] == "ours" else theirs
        if isinstance(ours, dict) and isinstance(theirs, dict):
            if not _apart(path, base, ours, theirs):
                return branch(path, base or {}, ours, theirs)
        elif theirs in (ours, base):
            return ours
        elif ours == base:
            return theirs
        elif is_entry(path) and any(_only_lost_names(path, base, fields) for fields in (sides.ours, sides.theirs)):
            return None
        clashes.append(path)
        return theirs

    def branch(path: Path, base: Branch, ours: Branch, theirs: Branch) -> Branch:
        leads, follows = (ours, theirs) if reordered(base, ours) else (theirs, ours)
        keys = [*leads, *(key for key in follows if key not in leads)]
        found = {key: node((*path, key), base.get(key), ours.get(key), theirs.get(key)) for key in keys}
        kept = {key: part for key, part in found.items() if part is not None}
        return {key: kept[key] for key in _order(kept, leads, follows)}

    return branch((), sides.base, sides.ours, sides.theirs), clashes


def _apart(path: Path, base: Any, ours: Branch, theirs: Branch) -> bool:
    """Return whether two branches cannot be told field by field: two new things of one id, two orders of the funnel."""
    if path == _STAGES:
        return reordered(base, ours) and reordered(base, theirs) and reordered(ours, theirs)
    return base is None and path[0] in ENTRIES and is_entry(path) and not shares_name(ours["name"], theirs["name"])


def _only_lost_names(path: Path, base: Branch, side: Branch) -> bool:
    """Return whether all a side changed in an entry is that it names no longer what the side took away as well."""
    entry = at(side, path)
    return isinstance(entry, dict) and all(went_along(one, side) for one in changed(base, entry, path))


def went_along(path: Path, side: Branch, entries: Iterable[Path] | None = None) -> bool:
    """Return whether a side lacks this because it lacks an entry that it names, one of `entries` if given."""
    return at(side, path) is None and any(
        at(side, entry) is None and (entries is None or entry in entries) for entry in named_in(path)
    )


def shares_name(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Return whether two things are called the same in a language."""
    return any(said and other.get(language) == said for language, said in one.items())


def _order(kept: Mapping[str, Any], leads: Iterable[str], follows: Mapping[str, Any]) -> list[str]:
    """Return the keys in the order of `leads`; what only `follows` has stands behind what it stood behind there.

    Where both put something in the same place, that of `leads` comes first.
    """
    order = [key for key in leads if key in kept]
    known, place = set(order), 0
    for key in follows:
        if key in known:
            place = order.index(key) + 1
        elif key in kept:
            while place < len(order) and order[place] not in follows:
                place += 1
            order.insert(place, key)
            place += 1
    return order
