"""What two people made of the same fields, side by side, for a person who has to choose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from kpi_core.document import Decision
from kpi_core.plan import Plan
from workbench import changes_spelling as spelt
from workbench.changes import as_one, changes, is_text, said, value_at, within
from workbench.changes_fields import Branch, Path, is_entry, pattern, tree
from workbench.changes_names import field, thing
from workbench.changes_sentences import owner, place, written
from workbench.changes_spelling import Scene
from workbench.words import _


@dataclass(frozen=True, kw_only=True)
class Row:
    """One field of a choice in words: what it is, what it was when both began, and what each side made of it."""

    what: str
    then: str
    mine: str
    theirs: str


@dataclass(frozen=True)
class _Seen:
    """One side: its plan, its fields, and the plan that knows names it lacks."""

    plan: Plan
    fields: Branch
    other: Plan


def side_by_side(places: Iterable[Path], *, base: Plan, ours: Plan, theirs: Plan) -> tuple[Row, ...]:
    """Return the fields of one choice as rows of plain text; people's text in them is not escaped."""
    start = tree(base)
    seen = (
        _Seen(base, start, theirs),
        _Seen(ours, tree(ours, start), base),
        _Seen(theirs, tree(theirs, start), base),
    )
    return tuple(_row(path, seen) for path in dict.fromkeys(as_one(path) for path in places))


def _row(path: Path, seen: tuple[_Seen, _Seen, _Seen]) -> Row:
    values = [value_at(one.fields, path) for one in seen]

    def cells(*, exact: bool = False) -> list[str]:
        cell = partial(_cell, path, values[0], start=seen[0], exact=exact)
        return [cell(value, one) for value, one in zip(values, seen, strict=True)]

    said = cells()
    if any(said[one] == said[two] and values[one] != values[two] for one, two in ((0, 1), (0, 2), (1, 2))):
        said = cells(exact=True)
    holder = next(one for one, value in zip(seen, values, strict=True) if value is not None)
    return Row(what=_what(path, Scene(holder.plan, seen[1].plan, path)), then=said[0], mine=said[1], theirs=said[2])


def _what(path: Path, scene: Scene) -> str:
    if is_entry(path) or pattern(path) == ("metrics", "*", "value"):
        return owner(scene)
    return place(scene, field(path)) if path != ("stages",) else thing(path)


def _cell(path: Path, base: Any, value: Any, one: _Seen, *, start: _Seen, exact: bool) -> str:
    """Return what one side says of a field, in a few words."""
    scene = Scene(one.plan, one.other, path, exact=exact, in_full=True)
    if is_entry(path):
        return _entry(path, base, value, one, start)
    if value is None and base is not None and path[0] == "decisions":
        return _("removed")
    if isinstance(value, Decision):
        return _decision(value, scene)
    if pattern(path) == ("metrics", "*", "value"):
        return spelt.number(value, scene) if value else _("none")
    if path == ("stages",):
        return " → ".join(scene.called(("metrics", step)) for step in value.values())
    if is_text(path):
        return " / ".join(" ".join(text.split()) for text in value.values()) if value else _("none")
    known = field(path)
    if known is None:
        return _("as it was") if value == base else _("changed")
    return written(value, scene, known) or _("changed")


def _entry(path: Path, base: Any, value: Any, one: _Seen, start: _Seen) -> str:
    if value is None:
        return _("not in the plan") if base is None else _("removed")
    if base is None and path[0] == "metrics":
        return spelt.number(value, Scene(one.plan, one.other, path, in_full=True))
    if value == base or base is None:
        return _("in the plan")
    told = within(changes(start.plan, one.plan), [path])
    return "; ".join(said(change, one.plan) for change in told) or _("changed")


def _decision(decision: Decision, scene: Scene) -> str:
    ksfs = " ".join(decision.chosen) or _("none")
    return f"{ksfs}: {decision.note}" if decision.note else f"{ksfs} ({spelt.value(decision.kgi, scene)})"
