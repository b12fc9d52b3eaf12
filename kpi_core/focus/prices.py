"""Prices: what one more of anything is worth, and how far the KGI gets with less or more of one resource.

price      KGI(best set with a little more) − KGI(best set): chosen again, not a relaxation's dual
frontier   the best KGI for every amount of one resource, all other limits as they are
knee       a corner of the frontier's upper hull: up to it more pays best, behind it less
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kpi_core.errors import KpiError
from kpi_core.focus.effects import Effects
from kpi_core.focus.explain import Focus
from kpi_core.focus.search import SAME, FocusLimits, Sets, feasible
from kpi_core.plan import Plan

DAY_HOURS = 8.0
MORE_BUDGET = 500_000.0
BEST_SKILL = 5


@dataclass(frozen=True, kw_only=True)
class Price:
    """What `step` more of a resource adds to the KGI (`gain`, in its unit), and the set that would then be best.

    Resources: `budget`, `hours.<team>` (a person-day), `ksfs.<team>` (a place), `skill.<team>` (a level).
    """

    resource: str
    step: float
    gain: float
    chosen: tuple[str, ...]
    comes_in: tuple[str, ...]
    goes_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Amount:
    """The least of a resource with which a KGI is reached, and the set that reaches it; `knee` as in the module."""

    amount: float
    kgi: float
    chosen: tuple[str, ...]
    knee: bool


def prices(found: Focus) -> tuple[Price, ...]:
    """Return what one more of each limit is worth, the dearest first, those worth nothing last.

    Limits that do not exist have no price; nor has a skill that is the highest already.

    Raises
    ------
    KpiError
        As `choose`, where the wider choice cannot be looked through.
    """
    priced = [_price(found, *more) for more in _more(found.plan, found.limits)]
    return tuple(sorted(priced, key=lambda price: -price.gain))


def frontier(found: Focus, resource: str) -> tuple[Amount, ...]:
    """Return the best KGI for every amount of `budget` or `hours.<team>`, from nothing to all that is of use.

    Raises
    ------
    KpiError
        `no_such_limit`: the resource is neither; as `choose`.
    """
    limits = _without_limit(found.limits, resource)
    sets = _sets(found, found.plan, limits)
    if not len(sets):
        return ()
    used = sets.used(list(limits.resources).index(resource))
    order = np.lexsort((-sets.kgi, used))
    best = np.maximum.accumulate(sets.kgi[order])
    scale = max(abs(float(best[-1])), abs(found.baseline))
    steps = np.flatnonzero(np.diff(best, prepend=-np.inf) > SAME * scale)
    places = [(float(used[order[at]]), float(best[at])) for at in steps]
    knees = _hull(places)
    return tuple(
        Amount(amount=amount, kgi=kgi, chosen=sets.names(int(order[at])), knee=place in knees)
        for place, (at, (amount, kgi)) in enumerate(zip(steps.tolist(), places, strict=True))
    )


def _more(plan: Plan, limits: FocusLimits) -> Iterable[tuple[str, float, Plan, FocusLimits]]:
    """Yield each resource with a step more of it: the plan and the limits as they would be then."""
    owners = list(dict.fromkeys(ksf.team for ksf in plan.ksfs.values()))
    if limits.budget is not None:
        yield "budget", MORE_BUDGET, plan, replace(limits, budget=limits.budget + MORE_BUDGET)
    for team, hours in limits.hours.items():
        yield f"hours.{team}", DAY_HOURS, plan, replace(limits, hours={**limits.hours, team: hours + DAY_HOURS})
    for team, most in limits.max_ksfs.items():
        if team in owners:
            yield f"ksfs.{team}", 1.0, plan, replace(limits, max_ksfs={**limits.max_ksfs, team: most + 1})
    for team in owners:
        if (skill := plan.teams[team].skill) < BEST_SKILL:
            yield f"skill.{team}", 1.0, plan.replace({f"teams.{team}.skill": skill + 1}), limits


def _price(found: Focus, resource: str, step: float, plan: Plan, limits: FocusLimits) -> Price:
    sets = _sets(found, plan, limits)
    row = sets.best()
    chosen = found.chosen if row is None else sets.names(row)
    return Price(
        resource=resource,
        step=step,
        gain=0.0 if row is None else float(sets.kgi[row]) - found.kgi,
        chosen=chosen,
        comes_in=tuple(ksf for ksf in chosen if ksf not in found.chosen),
        goes_out=tuple(ksf for ksf in found.chosen if ksf not in chosen),
    )


def _sets(found: Focus, plan: Plan, limits: FocusLimits) -> Sets:
    effects = Effects(plan, found.objective, found.before)
    return feasible(effects, limits, lock=found.lock, rule_out=found.rule_out)


def _without_limit(limits: FocusLimits, resource: str) -> FocusLimits:
    kind, _, team = resource.partition(".")
    if kind == "budget":
        return replace(limits, budget=np.inf)
    if kind == "hours" and team:
        return replace(limits, hours={**limits.hours, team: np.inf})
    raise KpiError("no_such_limit", "There is no limit called {resource}.", resource=resource)


def _hull(points: Sequence[tuple[float, float]]) -> set[int]:
    """Return which points are corners of the upper hull: the way there is steeper than the way on."""
    kept: list[int] = []
    for at, (x, y) in enumerate(points):
        while len(kept) > 1:
            (x0, y0), (x1, y1) = points[kept[-2]], points[kept[-1]]
            if (y1 - y0) * (x - x1) > (y - y1) * (x1 - x0):
                break
            kept.pop()
        kept.append(at)
    return set(kept)
