"""Prices: what one more of anything is worth, and how far the KGI gets with less or more of one resource.

price      KGI(best set with a little more) − KGI(best set): chosen again, not a relaxation's dual
frontier   the best KGI for every amount of one resource, all other limits as they are
knee       a corner of the frontier's upper hull: up to it more pays best, behind it less
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kpi_core.errors import KpiError
from kpi_core.focus.choosing import Alternative, Choosing, Listed, choosing
from kpi_core.focus.effects import Effects
from kpi_core.focus.explain import Focus, choose
from kpi_core.focus.search import SAME, FocusLimits, Sets, usage
from kpi_core.plan import Plan

DAY_HOURS = 8.0
MORE_BUDGET = 500_000.0
BEST_SKILL = 5
_PLACES = 25


@dataclass(frozen=True, kw_only=True)
class Price:
    """What `step` more of a resource adds to the KGI (`gain`, in its unit), and the set that would then be best.

    Resources: `budget`, `hours.<team>` and `q1.<team>` (a person-day), `ksfs.<team>` (a place), `skill.<team>` (one
    level).
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


def prices(found: Focus | Plan) -> tuple[Price, ...]:
    """Return what one more of each limit of a choice (of a plan: the best one) is worth, the dearest first.

    Limits that do not exist have no price; nor has a skill that is the highest already.

    Raises
    ------
    KpiError
        As `choose`, where the wider choice cannot be looked through.
    """
    found = choose(found) if isinstance(found, Plan) else found
    return tuple(sorted(each_price(found), key=lambda price: -price.gain))


def priced(found: Focus) -> tuple[str, ...]:
    """Return the resources that have a price."""
    return tuple(resource for resource, *_rest in _more(found.plan, found.limits))


def each_price(found: Focus, *, go_on: Callable[[], bool] = lambda: True) -> Iterator[Price]:
    """Yield the same one by one, as they are found, as long as `go_on` says so."""
    for more in _more(found.plan, found.limits):
        price = _price(found, *more, go_on=go_on)
        if not go_on():  # what a search that was stopped came to is no price
            return
        yield price


def frontier(found: Focus | Plan, resource: str, *, go_on: Callable[[], bool] = lambda: True) -> tuple[Amount, ...]:
    """Return the best KGI for every amount of `budget`, `hours.<team>` or `q1.<team>`, from nothing to enough.

    Where there are too many sets to look at each, the choice is made anew at evenly spread amounts instead,
    as long as `go_on` says so.

    Raises
    ------
    KpiError
        `no_such_limit`: the resource is none of these, or has no limit; as `choose`.
    """
    found = choose(found) if isinstance(found, Plan) else found
    if resource not in found.limits.resources:
        raise KpiError("no_such_limit", "There is no limit called {resource}.", resource=resource)
    way = _way(found, found.plan, _with_limit(found.limits, resource, np.inf), go_on=go_on)
    if isinstance(way, Listed):
        places = _every_step(way.sets, list(found.limits.resources).index(resource), abs(found.baseline))
    else:
        places = _evenly(found, way, resource, go_on)
    knees = _hull([(amount, best.kgi) for amount, best in places])
    return tuple(
        Amount(amount=amount, kgi=best.kgi, chosen=best.chosen, knee=place in knees)
        for place, (amount, best) in enumerate(places)
    )


def _every_step(sets: Sets, resource: int, baseline: float) -> list[tuple[float, Alternative]]:
    if not len(sets):
        return []
    used = sets.used(resource)
    order = np.lexsort((-sets.kgi, used))
    best = np.maximum.accumulate(sets.kgi[order])
    scale = max(abs(float(best[-1])), baseline)
    steps = np.flatnonzero(np.diff(best, prepend=-np.inf) > SAME * scale).tolist()
    return [(float(used[order[at]]), Alternative(sets.names(int(order[at])), float(best[at]))) for at in steps]


def _evenly(found: Focus, way: Choosing, resource: str, go_on: Callable[[], bool]) -> list[tuple[float, Alternative]]:
    without_limit = way.best().sets
    if not without_limit:
        return []
    uses = dict(zip(found.plan.ksfs, usage(found.plan.ksfs, resource).tolist(), strict=True))
    most = sum(uses[ksf] for ksf in without_limit[0].chosen)
    places: list[tuple[float, Alternative]] = []
    for limit in np.linspace(0, most, _PLACES).tolist():
        if not go_on():
            break
        best = _way(found, found.plan, _with_limit(found.limits, resource, limit), go_on=go_on).best().sets
        last = places[-1][1].kgi if places else -np.inf
        if best and go_on() and best[0].kgi > last + SAME * abs(best[0].kgi):
            places.append((sum(uses[ksf] for ksf in best[0].chosen), best[0]))
    return places


def _more(plan: Plan, limits: FocusLimits) -> Iterable[tuple[str, float, Plan, FocusLimits]]:
    """Yield each resource with a step more of it: the plan and the limits as they would be then."""
    owners = list(dict.fromkeys(ksf.team for ksf in plan.ksfs.values()))
    if limits.budget is not None:
        yield "budget", MORE_BUDGET, plan, replace(limits, budget=limits.budget + MORE_BUDGET)
    for team, hours in limits.hours.items():
        yield f"hours.{team}", DAY_HOURS, plan, replace(limits, hours={**limits.hours, team: hours + DAY_HOURS})
    for resource in limits.resources:
        if resource[0] == "q":
            yield resource, DAY_HOURS, plan, _with_limit(limits, resource, limits.resources[resource] + DAY_HOURS)
    for team, most in limits.max_ksfs.items():
        if team in owners:
            yield f"ksfs.{team}", 1.0, plan, replace(limits, max_ksfs={**limits.max_ksfs, team: most + 1})
    for team in owners:
        if (skill := plan.teams[team].skill) < BEST_SKILL:
            yield f"skill.{team}", 1.0, plan.replace({f"teams.{team}.skill": skill + 1}), limits


def _price(
    found: Focus, resource: str, step: float, plan: Plan, limits: FocusLimits, *, go_on: Callable[[], bool]
) -> Price:
    sets = _way(found, plan, limits, go_on=go_on).best().sets
    chosen = sets[0].chosen if sets else found.chosen
    return Price(
        resource=resource,
        step=step,
        gain=sets[0].kgi - found.kgi if sets else 0.0,
        chosen=chosen,
        comes_in=tuple(ksf for ksf in chosen if ksf not in found.chosen),
        goes_out=tuple(ksf for ksf in found.chosen if ksf not in chosen),
    )


def _way(found: Focus, plan: Plan, limits: FocusLimits, *, go_on: Callable[[], bool]) -> Choosing:
    effects = Effects(plan, found.objective, found.before)
    return choosing(effects, limits, lock=found.lock, rule_out=found.rule_out, watch=lambda _best, _bound: go_on())


def _with_limit(limits: FocusLimits, resource: str, amount: float) -> FocusLimits:
    kind, _, team = resource.partition(".")
    if kind == "budget":
        return replace(limits, budget=amount)
    if kind == "hours":
        return replace(limits, hours={**limits.hours, team: amount})
    quarters = [amount if f"q{at}" == kind else limit for at, limit in enumerate(limits.quarters[team], 1)]
    return replace(limits, quarters={**limits.quarters, team: quarters})


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
