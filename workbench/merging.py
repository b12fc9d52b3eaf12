"""Two people's changes of one plan put together: three-way, field by field, and never one of them lost.

    merged = merge(base, ours, theirs)          base: what both started from
    merged.plan                                 both people's changes, if nothing is in `clashes`
    merged.resolved({"kgi.target": "ours"})     a person's choice for each clash

A field is what people change as one: a lift [low, most likely, high], a lead time, a season, a decision of the log.
Maps go entry by entry, lists of ids member by member, logs and the deals of the pipeline keep what either side
adds. Where both changed the same field, where one took away what the other changed, or where two changes do not
hold together in one plan, there is a `Clash`: either side may be taken, and both are valid.

Metrics keep their ids when they are renamed, so a new name goes with every other change. An id that changes is
an entry that goes and one that comes. Two new metrics that happened to get the same id both stay, ours under the
next free one. Order carries no meaning except in the funnel; else, where both changed it, ours counts.
Both sides are plans of today's schema: an older file is brought up to date before it is merged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.plan_text import plain
from workbench.changes_choices import Group, Trials, groups_of
from workbench.changes_fields import Path, at, data, tree
from workbench.changes_ids import free_id, renamed
from workbench.changes_side_by_side import Row, side_by_side
from workbench.changes_three_ways import Side, Sides, shares_name


@dataclass(frozen=True, kw_only=True)
class Clash:
    """One choice between the two sides: of one field, or of several that only hold together.

    `path` names the choice. With one path `base`, `ours` and `theirs` are plain values, None for what is not
    there (null means nothing else in a plan); with several `paths` they map each of these to its value.
    """

    path: str
    base: Any
    ours: Any
    theirs: Any
    paths: tuple[str, ...]
    places: tuple[Path, ...] = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Merged:
    """Both sides' changes in one plan; where there are `clashes`, `plan` has what theirs says there.

    `ours` is our side as it was merged: a new metric whose id was taken has another one there.
    """

    plan: Plan
    clashes: tuple[Clash, ...]
    base: Plan = field(repr=False)
    ours: Plan = field(repr=False)
    theirs: Plan = field(repr=False)
    _trials: Trials = field(repr=False, compare=False)
    _groups: Mapping[str, Group] = field(repr=False, compare=False)

    def resolved(self, picks: Mapping[str, Side]) -> Plan:
        """Return the plan with a person's choice for each clash, by its `path`.

        Raises
        ------
        KpiError
            `choice_missing`: a clash is still open; `plan_invalid`: these choices do not hold together.
        """
        missing = [path for path in self._groups if path not in picks]
        if missing:
            raise KpiError(
                "choice_missing",
                "Choose one of the two sides everywhere. Still open: {count}.",
                count=len(missing),
                paths=tuple(missing),
            )
        return self._trials.plan({group: picks[path] for path, group in self._groups.items()})


def merge(base: Plan, ours: Plan, theirs: Plan) -> Merged:
    """Return what two sides made of `base` in one plan, and where people have to choose."""
    ours = _with_own_ids(base, ours, theirs)
    start = tree(base)
    sides = Sides(start, tree(ours, start), tree(theirs, start))
    trials = Trials(sides)
    groups = groups_of(trials)
    clashes = {clash.path: (clash, group) for group in groups for clash in [_clash(sides, group)]}
    return Merged(
        plan=trials.plan(dict.fromkeys(groups, "theirs")),
        clashes=tuple(clash for clash, _ in clashes.values()),
        base=base,
        ours=ours,
        theirs=theirs,
        _trials=trials,
        _groups={path: group for path, (_, group) in clashes.items()},
    )


def in_words(clash: Clash, merged: Merged) -> tuple[Row, ...]:
    """Return a choice for a person: each of its fields by name, what it was, what it is here and there. Plain text."""
    return side_by_side(clash.places, base=merged.base, ours=merged.ours, theirs=merged.theirs)


def _with_own_ids(base: Plan, ours: Plan, theirs: Plan) -> Plan:
    """Return our side with another id for each new metric whose id theirs gave to another new one."""
    for metric in [one for one in ours.metrics if one in theirs.metrics and one not in base.metrics]:
        mine, other = (side.metrics[metric].name.model_dump() for side in (ours, theirs))
        if not shares_name(mine, other):
            taken = {*base.metrics, *ours.metrics, *theirs.metrics}
            ours = renamed(ours, metric, free_id(metric, taken), old_decisions=base.decisions)
    return ours


def _clash(sides: Sides, group: Group) -> Clash:
    paths = {".".join(path): path for path in group}

    def values(fields: Any) -> Any:
        said = {spelt: _plain(fields, path) for spelt, path in paths.items()}
        return said if len(said) > 1 else next(iter(said.values()))

    return Clash(
        path=next(iter(paths)),
        base=values(sides.base),
        ours=values(sides.ours),
        theirs=values(sides.theirs),
        paths=tuple(paths),
        places=group,
    )


def _plain(fields: Any, path: Path) -> Any:
    return plain(data(at(fields, path), path))
