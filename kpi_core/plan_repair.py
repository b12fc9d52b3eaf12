"""Repairing the data of a plan that cannot be read: leave out as little as makes it valid, and say what.

Each problem of the plan names the path of a field. What stands there is left out; if that is not enough, the part
around it, up to the whole entry. A metric whose formula or value cannot be read becomes an input of 0, so that what
is computed from it keeps its formula.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from kpi_core.errors import KpiError
from kpi_core.plan import Plan

MAX_ROUNDS = 200
_NEEDED = ("schema", "name", "fiscal_year", "kgi", "metrics")
_BESIDE_A_VALUE = ("formula", "by_month", "lag", "low", "high", "shape", "tried")

Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing a repair does: what stood at `path` (`before`, plain data) is left out, or is `after` now."""

    path: Path
    before: Any
    after: Any = None


@dataclass(frozen=True)
class Repair:
    """A plan made of data that was none, and every change that took."""

    plan: Plan
    changes: tuple[Change, ...]


def repair(data: Any) -> Repair:
    """Return the plan that remains of the data when what cannot be read is left out.

    Raises
    ------
    KpiError
        `not_repairable`: nothing that is left out makes it a plan (it has no name, year or KGI); as
        `Plan.from_data` where the data is no plan of this app at all.

    >>> data = {"schema": 1, "name": "shop", "fiscal_year": {"starts": "2026-04"}, "kgi": {"metric": "a", "target": 5},
    ...     "metrics": {"a": {"name": "Sales", "kind": "kgi", "value": 3, "low": 4}}}
    >>> [change.path for change in repair(data).changes]
    [('metrics', 'a', 'low')]
    """
    work, changes = deepcopy(data), list[Change]()
    tries = Counter[tuple[str, str]]()
    for _round in range(MAX_ROUNDS):
        try:
            return Repair(Plan.from_data(work), tuple(changes))
        except KpiError as error:
            problems = error.facts.get("problems")
            if not isinstance(problems, tuple):
                raise
            before = len(changes)
            for problem in reversed(problems):  # of a list the last place first: the others stay where they are
                changes += _mended(work, problem, tries)
            if len(changes) == before:
                raise _not_repairable() from error
    raise _not_repairable()


def _not_repairable() -> KpiError:
    return KpiError("not_repairable", "This plan cannot be repaired by leaving something out.")


def _mended(work: dict[str, Any], problem: KpiError, tries: Counter[tuple[str, str]]) -> Iterator[Change]:
    """Change the data for one problem, a little more each time the same one comes up again."""
    place = str(problem.facts.get("path", ""))
    path = _path(work, place)
    attempt = tries[problem.code, place]
    tries[problem.code, place] += 1
    if path[0] == "metrics" and len(path) > 1:
        yield from _mended_metric(work, path, problem, attempt)
    else:
        yield from _left_out(work, _named(work, path, problem) if attempt == 0 else path[: len(path) - attempt])


def _path(work: Mapping[str, Any], place: str) -> Path:
    """Return the steps of a dotted place; the id of an entry that is none may hold dots itself."""
    section, _dot, rest = place.partition(".")
    entries = work.get(section)
    if section in ("metrics", "ksfs", "teams") and isinstance(entries, Mapping):
        for name in sorted(map(str, entries), key=len, reverse=True):
            if rest == name or rest.startswith(f"{name}."):
                return (section, name, *[step for step in rest[len(name) + 1 :].split(".") if step])
    return tuple(place.split("."))


def _named(work: Mapping[str, Any], path: Path, problem: KpiError) -> Path:
    """Return the path of the one name in a list or mapping that a problem is about, else the path itself."""
    name, target = problem.facts.get("name"), _at(work, path)
    if isinstance(target, list) and name in target:
        return (*path, str(target.index(name)))
    if isinstance(target, Mapping) and name in target:
        return (*path, str(name))
    return path


def _mended_metric(work: dict[str, Any], path: Path, problem: KpiError, attempt: int) -> Iterator[Change]:
    """Change one metric: first the field itself, then its range, at last it is an input of 0."""
    entry, code = path[:2], problem.code
    metric = _at(work, entry)
    if code == "bad_id":  # an id that no formula can name
        yield from _left_out(work, entry)
    elif not isinstance(metric, dict):
        yield from _put(work, entry, {"name": path[1], "kind": "count", "value": 0})
    elif code == "name_taken":
        yield from _put(work, (*entry, "name"), f"{path[1]} ({attempt + 2})")
    elif attempt == 0 and len(path) > 2 and path[2] not in ("formula", "value", "name", "kind"):
        yield from _left_out(work, _named(work, path, problem))
    elif attempt == 0 and code in ("range_order", "rate_out_of_range", "value_and_formula"):
        fields = ("value", "low", "high") if code == "value_and_formula" else ("low", "high")
        for field in fields:
            yield from _dropped(work, (*entry, field))
    elif attempt <= 1:
        yield from _as_input_of_0(work, entry)
    else:
        yield from _put(work, entry, {"name": path[1], "kind": "count", "value": 0})


def _as_input_of_0(work: dict[str, Any], entry: Path) -> Iterator[Change]:
    metric = _at(work, entry)
    for field in _BESIDE_A_VALUE:
        yield from _dropped(work, (*entry, field))
    yield from _put(work, (*entry, "value"), 0)
    for field, usual in (("name", entry[1]), ("kind", "count")):
        if not isinstance(metric.get(field), str | dict):
            yield from _put(work, (*entry, field), usual)


def _left_out(work: dict[str, Any], path: Path) -> Iterator[Change]:
    """Leave out what stands at a path, or the nearest thing around it that is there; never what a plan needs."""
    while path and _at(work, path) is None:
        path = path[:-1]
    if not path or (path[0] in _NEEDED and len(path) < 2):
        return
    yield from _dropped(work, path)


def _dropped(work: dict[str, Any], path: Path) -> Iterator[Change]:
    """Leave out what stands at a path, if anything does."""
    parent, before = _at(work, path[:-1]), _at(work, path)
    if before is not None:
        del parent[int(path[-1]) if isinstance(parent, list) else path[-1]]
        yield Change(path=path, before=before)


def _put(work: dict[str, Any], path: Path, value: Any) -> Iterator[Change]:
    before, around = _at(work, path), _at(work, path[:-1])
    if isinstance(around, dict) and before != value:
        around[path[-1]] = value
        yield Change(path=path, before=before, after=value)


def _at(data: Any, path: Path) -> Any:
    """Return what stands at a path, None if nothing does."""
    for step in path:
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data
