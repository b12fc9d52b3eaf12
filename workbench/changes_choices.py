"""Which changes of two sides people have to choose between, as few and as small as hold.

A group is a set of fields taken from one side together. Whatever is not in a group is merged, and with every
group taken from either side the plan is valid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench.changes_fields import Branch, Path, is_entry, pattern, plan_of
from workbench.changes_three_ways import Side, Sides, together, went_along

Group = tuple[Path, ...]

_NUMBER = ("value", "low", "high", "formula")
_GOAL = ("metric", "target", "period")


@dataclass(frozen=True)
class Trials:
    """Both sides put together with groups taken from one or the other; each way is tried once."""

    sides: Sides
    made: dict[frozenset[tuple[Group, Side]], Plan | KpiError] = field(default_factory=dict)

    def plan(self, picks: Mapping[Group, Side]) -> Plan:
        """Return the plan with each group taken from one side.

        Raises
        ------
        KpiError
            `plan_invalid`.
        """
        way = frozenset(picks.items())
        if way not in self.made:
            fields, _clashes = together(self.sides, {path: side for group, side in picks.items() for path in group})
            try:
                self.made[way] = plan_of(fields)
            except KpiError as error:
                self.made[way] = error
        found = self.made[way]
        if isinstance(found, KpiError):
            raise found
        return found

    def holds(self, picks: Mapping[Group, Side]) -> bool:
        """Return whether the plan with each group taken from one side is valid."""
        try:
            self.plan(picks)
        except KpiError:
            return False
        return True

    def hold(self, groups: Iterable[Group]) -> bool:
        """Return whether all groups may be taken from either side."""
        chosen = [*groups]
        return all(self.holds(dict.fromkeys(chosen, side)) for side in ("theirs", "ours"))


def groups_of(trials: Trials) -> list[Group]:
    """Return what people have to choose between; nothing if both sides' changes hold together."""
    sides = trials.sides
    fields, clashes = together(sides, {})
    differing = sides.differing()
    groups = _joined(
        [*(_whole(path, differing) for path in clashes), *_goal(fields, sides, differing)], sides, differing
    )
    if not trials.hold(groups):
        left = [path for path in differing if not any(path in group for group in groups)]
        extra = _fewest(left, lambda paths: trials.hold([*groups, tuple(paths)]))
        groups = _joined([*groups, *_by_entry(extra)], sides, differing)
    groups = _independent(trials, groups)
    return groups if trials.hold(groups) else [tuple(differing)]


def _whole(path: Path, differing: Iterable[Path]) -> Group:
    """Return a field with those it makes sense with only: of a metric's value and range one side's are taken."""
    if pattern(path)[:2] == ("metrics", "*") and path[2:] and path[2] in _NUMBER:
        return tuple(one for one in differing if one[:2] == path[:2] and one[2] in _NUMBER)
    return (path,)


def _goal(merged: Branch, sides: Sides, differing: Iterable[Path]) -> Iterator[Group]:
    """Yield the KGI's fields if the target of one side would be put beside the metric or the period of the other."""

    def said(fields: Branch) -> list[object]:
        return [fields["kgi"][name] for name in _GOAL]

    if said(merged) not in (said(sides.ours), said(sides.theirs)):
        yield tuple(path for path in differing if path[0] == "kgi" and path[1] in _GOAL)


def _joined(groups: Iterable[Group], sides: Sides, differing: Sequence[Path]) -> list[Group]:
    """Return the groups, each with what went along with an entry it holds, those that share a field made one."""
    found: list[set[Path]] = []
    for group in groups:
        along = (path for path in differing for side in (sides.ours, sides.theirs) if went_along(path, side, group))
        wide = {*group, *along}
        apart = [other for other in found if not other & wide]
        found = [*apart, wide.union(*(other for other in found if other & wide))]
    order = {path: place for place, path in enumerate(differing)}
    return sorted((_in_order(group, order) for group in found), key=lambda group: order.get(group[0], -1))


def _in_order(group: Iterable[Path], order: Mapping[Path, int]) -> Group:
    """Return the paths in the order of the plan, entries first: they name the choice."""
    return tuple(sorted(group, key=lambda path: (not is_entry(path), order.get(path, -1))))


def _fewest(paths: list[Path], hold: Callable[[list[Path]], bool]) -> list[Path]:
    """Return as few of the paths as still hold; halves are left out first, then smaller parts."""
    step = len(paths)
    while step := step // 2:
        place = 0
        while place < len(paths):
            fewer = paths[:place] + paths[place + step :]
            if hold(fewer):
                paths = fewer
            else:
                place += step
    return paths


def _by_entry(paths: Iterable[Path]) -> list[Group]:
    found: dict[Path, list[Path]] = {}
    for path in paths:
        found.setdefault(path[:2], []).append(path)
    return [tuple(group) for group in found.values()]


def _independent(trials: Trials, groups: list[Group]) -> list[Group]:
    """Return the groups with those made one that do not hold when only one of them is taken from the other side."""

    def free(*chosen: Group) -> bool:
        ways: tuple[tuple[Side, Side], ...] = (("ours", "theirs"), ("theirs", "ours"))
        return all(trials.holds({one: way[one not in chosen] for one in groups}) for way in ways)

    if len(groups) < 2:
        return groups
    bound = [group for group in groups if not free(group)]
    made = [group for group in groups if group not in bound]
    while bound:
        pair = next(((one, other) for one, other in combinations(bound, 2) if free(one, other)), tuple(bound))
        bound = [group for group in bound if group not in pair]
        made.append(tuple(sorted((path for group in pair for path in group), key=lambda path: not is_entry(path))))
    places = {path: place for place, group in enumerate(groups) for path in group}
    return sorted(made, key=lambda group: places[group[0]])
