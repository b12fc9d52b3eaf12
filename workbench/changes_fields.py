"""A plan as fields: branches (entries, maps, the members of lists) down to what is changed as a whole.

    tree(plan)["ksfs"]["F3"]["moves"]["visitors"] == (0.01, 0.025, 0.055)

What has an id or stands between two ids is found by these: a synergy is `assumptions.synergies.F1+F3`. The log of
decisions and the deals of the pipeline have none: a later list is laid against an earlier one, and a member is
called by the place it had there (`decisions.0`), a new one by a mark of its own (`decisions.+5e0c…`).
What is empty is not there, as in a plan's file; null says nothing of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from pydantic import BaseModel

from kpi_core.document import Text
from kpi_core.plan import SCHEMA, Plan

Path = tuple[str, ...]
Branch = dict[str, Any]

ENTRIES = ("teams", "metrics", "ksfs")


def _itself(member: str) -> str:
    return member


def _directed(link: Any) -> str:
    return f"{link.source}>{link.target}"


def _undirected(link: Any) -> str:
    return "+".join(sorted(link.pair))


# Lists whose members are told apart by what they say, and those where only the place tells: there, whether
# something that stands where another stood is that other one, changed.
_MEMBERS: dict[Path, Callable[[Any], str]] = {
    ("metrics", "*", "short"): _itself,
    ("ksfs", "*", "depends_on"): _itself,
    ("ksfs", "*", "excludes"): _itself,
    ("limits", "lock"): _itself,
    ("limits", "rule_out"): _itself,
    ("stages",): _itself,
    ("drivers",): _directed,
    ("assumptions", "correlations"): _undirected,
    ("assumptions", "synergies"): _undirected,
    ("assumptions", "spillovers"): _directed,
}
_LOGS: dict[Path, Callable[[Any, Any], bool]] = {
    ("decisions",): lambda one, other: bool(one.date == other.date),
    ("opening", "deals"): lambda _one, _other: True,
}
# Whose ids the keys of a branch are.
_REFERS: dict[Path, str] = {
    ("metrics", "*", "work"): "teams",
    ("ksfs", "*", "hours"): "teams",
    ("ksfs", "*", "moves"): "metrics",
    ("ksfs", "*", "needs"): "metrics",
    ("ksfs", "*", "depends_on"): "ksfs",
    ("ksfs", "*", "excludes"): "ksfs",
    ("limits", "lock"): "ksfs",
    ("limits", "rule_out"): "ksfs",
    ("opening", "stock"): "metrics",
    ("opening", "lost"): "metrics",
    ("stages",): "metrics",
    ("drivers",): "metrics",
    ("assumptions", "correlations"): "metrics",
    ("assumptions", "synergies"): "ksfs",
    ("assumptions", "spillovers"): "ksfs",
}
_WHOLE = (str, float, int, bool)
_TEXT = ("ksfs", "*", "actions")  # a text that may be missing


def pattern(path: Path) -> Path:
    """Return the path with "*" for the id of a team, metric or KSF."""
    return (path[0], "*", *path[2:]) if len(path) > 1 and path[0] in ENTRIES else path


def named_in(path: Path) -> tuple[Path, ...]:
    """Return the entries that the last step of a path names: `limits.lock.F3` names `ksfs.F3`."""
    section = _REFERS.get(pattern(path)[:-1])
    if section is None:
        return ()
    return tuple((section, name) for name in path[-1].partition("#")[0].replace(">", "+").split("+"))


def tree(plan: Plan, base: Branch | None = None) -> Branch:
    """Return the plan's fields; `base` is the tree of the plan its logs are laid against."""
    known = base or {}
    parts = {item.name: _node(getattr(plan, item.name), (item.name,), known.get(item.name)) for item in fields(plan)}
    return {name: part for name, part in parts.items() if part is not None}


def plan_of(fields_of_plan: Branch) -> Plan:
    """Return the plan that has these fields.

    Raises
    ------
    KpiError
        `plan_invalid`.
    """
    return Plan.from_data({"schema": SCHEMA, **{name: data(part, (name,)) for name, part in fields_of_plan.items()}})


def data(node: Any, path: Path) -> Any:
    """Return a node as `Plan.from_data` takes it."""
    if not isinstance(node, dict):
        return node
    if is_list(path):
        return tuple(node.values())
    if pattern(path) == _TEXT and not node:
        return None
    return {key: data(part, (*path, key)) for key, part in node.items()}


def is_list(path: Path) -> bool:
    """Return whether the branch at this path is a list in the plan."""
    return pattern(path) in _MEMBERS or path in _LOGS


def is_entry(path: Path) -> bool:
    """Return whether a thing stands at this path that is there or not: a team, a metric, a KSF, the way to cash."""
    return (len(path) == 2 and path[0] in ENTRIES) or path == ("cash",)


def at(node: Any, path: Iterable[str]) -> Any:
    """Return what stands at a path below a node; None: nothing."""
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def changed(before: Any, after: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of everything that differs: entries that came or went, and of the others each field."""
    if before == after:
        return
    if not isinstance(before, dict) or not isinstance(after, dict):
        yield path
        return
    for key in [*before, *(key for key in after if key not in before)]:
        yield from changed(before.get(key), after.get(key), (*path, key))


def known(node: Any, path: Path = ()) -> Iterator[Path]:
    """Yield every path there is, in the order of the plan."""
    yield path
    if isinstance(node, dict):
        for key, part in node.items():
            yield from known(part, (*path, key))


def reordered(before: Iterable[str], after: Iterable[str]) -> bool:
    """Return whether what both have stands in another order."""
    one, other = dict.fromkeys(before), dict.fromkeys(after)
    return [key for key in one if key in other] != [key for key in other if key in one]


def branches(before: Branch, after: Branch, path: Path = ()) -> Iterator[tuple[Path, Branch, Branch]]:
    """Yield every branch that both have, outermost first."""
    yield path, before, after
    for key, part in before.items():
        if isinstance(part, dict) and isinstance(other := after.get(key), dict):
            yield from branches(part, other, (*path, key))


def _node(value: Any, path: Path, base: Any) -> Any:
    if type(value) in _WHOLE:
        return value
    form = pattern(path)
    if form in _MEMBERS:
        return _told_apart(value, _MEMBERS[form])
    if path in _LOGS:
        return _laid_against(value, base, _LOGS[path])
    if value is None:
        return {} if form == _TEXT else None
    if isinstance(value, Text):
        return {language: said for language in ("ja", "en") if (said := getattr(value, language)) is not None}
    if isinstance(value, BaseModel):
        return _fields(value, path, base)
    if isinstance(value, Mapping):
        known = base if isinstance(base, dict) else {}
        return {key: _node(part, (*path, key), known.get(key)) for key, part in value.items()}
    return value


def _fields(part: BaseModel, path: Path, base: Any) -> Branch:
    """Return a part's fields without those that say nothing; an empty one that usually says something stays."""
    found: Branch = {}
    for name, usual in _usual(type(part)).items():
        value = getattr(part, name)
        node = _node(value, (*path, name), base.get(name) if isinstance(base, dict) else None)
        says_nothing = node is None or value is False or (value == () == usual and not isinstance(node, dict))
        if not says_nothing:
            found[name] = node
    return found


@cache
def _usual(part: type[BaseModel]) -> dict[str, Any]:
    """Return what each field of a part is where nobody says anything."""
    return {
        name: None if field.is_required() else field.get_default(call_default_factory=True)
        for name, field in part.model_fields.items()
    }


def _told_apart(members: Sequence[Any], called: Callable[[Any], str]) -> Branch:
    found: Branch = {}
    for member in members:
        found[_free(called(member), found)] = member
    return found


def _laid_against(members: Sequence[Any], base: Branch | None, same: Callable[[Any, Any], bool]) -> Branch:
    """Return a log's members by the names of those they were; without a base, by their places."""
    if base is None:
        return {str(place): member for place, member in enumerate(members)}
    known, names, were = list(base.values()), list(base), dict[int, str]()
    spelt, respelt = [repr(member) for member in known], [repr(member) for member in members]
    alike = SequenceMatcher(a=spelt, b=respelt, autojunk=False)
    for _what, was, was_end, now, now_end in alike.get_opcodes():
        for one, other in zip(range(was, was_end), range(now, now_end), strict=False):
            if same(known[one], members[other]):
                were[other] = names[one]
    found: Branch = {}
    for place, member in enumerate(members):
        found[were.get(place) or _free(_mark(member), found)] = member
    return found


def _mark(member: Any) -> str:
    return "+" + hashlib.sha256(repr(member).encode()).hexdigest()[:12]


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """Return the name, or for a second member that says the same the name with a number."""
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}#{number}", number + 1
    return free
