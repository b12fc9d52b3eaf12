"""Back-calculation: what one lever alone, or all of them together, must become to reach the goal.

    one lever       KGI(x) = target, every other input as planned
    least effort    minimise Σ uᵢ²/eᵢ with KGI = target and xᵢ = nowᵢ·exp(uᵢ);
                    stationary where uᵢ = λ·eᵢ·∂KGI/∂uᵢ, cut off at each lever's caps
    two goals       a = b·c with two of the three given: the third follows

More of the KGI is better. A lever's `low` and `high` are how far the team thinks it can go (plausible);
a share stays within 0–100 % and nothing that is positive turns negative (natural).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from kpi_core.document import MAX_NUMBER, Metric
from kpi_core.effort_search import EffortSearch
from kpi_core.errors import KpiError
from kpi_core.luck import planned_target
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.tree import Tree, Values, evaluate, slopes

Limit = Literal["plausible", "natural", "no_effect", "already", "frozen"]
Outcome = Literal["reached", "unreachable", "not_found"]
Doubt = Literal["falls", "natural", "conflict"]
Caps = Mapping[str, tuple[float | None, float | None]]
Reading = Callable[[float], float | None]

# What says "this value cannot be" about a trial value, rather than about the plan.
_IMPOSSIBLE = {"rate_out_of_range", "division_by_zero", "not_finite"}
_STEPS = 64
_SAME = 1e-12
_JUMPS = frozenset({"if", "<", ">", "<=", ">=", "=", "<>"})
_CLOSE = 1e-9
_STILL = 1e-13
_TURNS = 400
_HARDLY, _PATIENCE = 1e-3, 40
_HALVINGS = 200  # numbers are 2⁵² apart at most, except towards 0, where nothing is gained by going on


@dataclass(frozen=True, kw_only=True)
class Required:
    """What one lever must be. `kgi` is the KGI at the best the lever can do within its plausible range.

    `limit` says why it cannot be done, or what else is to be said:
    `plausible` (the value lies beyond the lever's own low or high), `natural` (no possible value does it:
    a rate above 100 %, a count below 0; then `value` is None), `no_effect` (the KGI does not depend on it),
    `frozen` (its low and high are the value it has), `already` (the goal is reached as it is).
    """

    lever: str
    now: float
    value: float | None
    reachable: bool
    limit: Limit | None
    kgi: float


@dataclass(frozen=True, kw_only=True)
class Effort(Required):
    """A lever's part of a spread: `log_change` u = ln(value/now); `kgi` is the KGI when all do their part."""

    value: float
    log_change: float
    ease: float
    at_cap: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread(Mapping[str, Effort]):
    """The gap spread over the levers: a mapping from lever to its part, in the order of `tree.levers`.

    `objective` is Σu²/e; `shortfall` is what is missing when the goal is not reached, in the KGI's unit.
    `outcome`: `reached`; `unreachable`, if it is certain that nothing within the caps reaches the goal;
    `not_found`, if no spread was found but there may be one. Then these are the values of the highest KGI found.
    """

    levers: Mapping[str, Effort]
    target: float
    kgi: float
    objective: float
    reachable: bool
    outcome: Outcome = "reached"

    @property
    def shortfall(self) -> float:
        """Return how far the KGI stays below the target, in its own unit; 0 if it is reached."""
        return 0.0 if self.reachable else self.target - self.kgi

    @property
    def remainder(self) -> float:
        """Return what is left of the gap, ln(target/KGI); infinite where the KGI is not above 0."""
        if self.reachable:
            return 0.0
        return math.log(self.target / self.kgi) if self.kgi > 0 else math.inf

    def __getitem__(self, lever: str) -> Effort:
        return self.levers[lever]

    def __iter__(self) -> Iterator[str]:
        return iter(self.levers)

    def __len__(self) -> int:
        return len(self.levers)


@dataclass(frozen=True, kw_only=True)
class Implied:
    """What goals say of a metric without naming it, and which two of them (`because`) say it.

    `warning`: `falls` (they fit only if this shrinks), `natural` (it would leave what is possible),
    `conflict` (it has a goal of its own that says otherwise); None if the goals go together.
    """

    metric: str
    now: float
    value: float
    because: tuple[str, str]
    warning: Doubt | None

    @property
    def factor(self) -> float:
        """Return value/now: 0.9167 is 8.33 % less. Infinite from 0."""
        return self.value / self.now if self.now else math.inf


def required(plan: Plan, lever: str, *, target: float | None = None, confidence: float | None = None) -> Required:
    """Return what `lever` alone must be for the KGI to reach its target, everything else as planned.

    Exact to 1e-9 of the target, for any tree; of several such values the plausible and then the nearest.
    A computed metric may be asked for as well (how many leads?); its formula is then set aside.
    With `confidence`, what the KGI must be expected to be for its target to come with that chance
    (`luck.planned_target`); planning for the target itself is a coin toss.
    Where an `if` makes the KGI jump, the value is the first behind the jump; a division by zero on the
    way ends the search. A dip or hump narrower than 1/64 of the plausible range may be overlooked.

    Raises
    ------
    KpiError
        `unknown_metric`; `target_invalid`: not a finite number; `bad_chance`.
    """
    goal, tree, entry = _goal(plan, target, confidence), plan.tree, _entry(plan.tree, lever)
    now, kgi = tree.now(lever), tree.now(plan.kgi.metric)
    walks = [(points, _along(plan, lever, points)) for points in _ways(plan, lever)]
    reached = kgi >= goal - _SAME * abs(goal)
    found = [] if reached else [_crossing(plan, lever, points, kgis, goal) for points, kgis in walks]
    value = _nearest(entry, now, found)
    best = _best(plan, lever, walks)
    limit: Limit | None = None
    if reached:
        value, limit = now, "already"
    elif all(np.allclose(kgis, kgi, rtol=_SAME, atol=0) for _, kgis in walks):
        value, limit = None, "no_effect"
    elif entry.low == entry.high == now:
        limit = "frozen"
    elif value is None:
        limit = "natural"
    elif not _within(value, entry):
        limit = "plausible"
    else:
        best = max(best, goal)
    return Required(lever=lever, now=now, value=value, reachable=limit in (None, "already"), limit=limit, kgi=best)


def required_all(plan: Plan, *, target: float | None = None, confidence: float | None = None) -> dict[str, Required]:
    """Return `required` for every lever of the KGI, in the order of `tree.levers`."""
    goal = _goal(plan, target, confidence)
    return {lever: required(plan, lever, target=goal) for lever in plan.tree.levers(plan.kgi.metric)}


def least_effort(
    plan: Plan,
    levers: Iterable[str] | None = None,
    *,
    caps: Caps | None = None,
    target: float | None = None,
    confidence: float | None = None,
) -> Spread:
    """Return the smallest common stretch that reaches the target: Σuᵢ²/eᵢ is least, eᵢ = controllability/5.

    On a product chain uᵢ = G·eᵢ/Σe with G = ln(target/KGI). No lever passes its plausible low or high;
    `caps` replaces these by lever, (low, high), None keeping an end and `inf` opening it. Levers not
    listed, and levers at 0, stay as planned (`frozen`). If all are at their caps the goal may stay out of
    reach: `shortfall`. The KGI never ends below today's, and no lever goes further than the others need it to.

    Without corners (`min`, `max`, `if`) it is the least nearby, exactly. With up to twelve levers the whole box is
    looked at as well, by samples: on random trees of two or three levers with corners, jumps and dips the effort was
    within 1 % of a fine grid's least in 99 of 100. With more levers samples are thinner, beyond twelve there are few:
    a narrow way may be missed, and then `outcome` is `not_found` if there was no other.
    `confidence` as in `required`.

    Raises
    ------
    KpiError
        `not_a_lever`: not an input the KGI depends on; `cap_excludes_now`; `target_invalid`; as `tree.slopes`.
    """
    goal, tree = _goal(plan, target, confidence), plan.tree
    known = tree.levers(plan.kgi.metric)
    chosen = known if levers is None else tuple(levers)
    for lever in (*chosen, *(caps or ())):
        if lever not in known:
            raise KpiError("not_a_lever", "{lever} is not an input that the KGI depends on.", lever=lever)
    given = caps or {}
    bounds = np.array([_bounds(plan, lever, given.get(lever, (None, None)), chosen=lever in chosen) for lever in known])
    all_levers = _Levers(plan, known, bounds.reshape(-1, 2), goal)
    already = tree.now(plan.kgi.metric) >= goal - _SAME * abs(goal)
    return all_levers.spread(np.zeros(len(known)) if already else all_levers.chosen())


def implied(tree: Tree, targets: Mapping[str, float]) -> tuple[Implied, ...]:
    """Return what several goals at once say of the metrics between them (R-09).

    Wherever a metric is the product of two others and two of the three are known, the third follows,
    and what follows may imply more. Revenue +10 % with customer value +20 % implies customers ×0.9167.

    Raises
    ------
    KpiError
        `unknown_metric`; `target_invalid`: a target that is not above 0.

    >>> tree = Tree.of(revenue="customers * each", customers=300, each=3)
    >>> [(found.metric, found.value, found.warning) for found in implied(tree, {"revenue": 990, "each": 3.6})]
    [('customers', 275.0, 'falls')]
    """
    for metric, target in targets.items():
        if not 0 < target < math.inf:
            raise KpiError("target_invalid", "The goal for {metric} must be a number above 0.", metric=metric)
        _entry(tree, metric)
    known, found = dict(targets), list[Implied]()
    trios = [trio for metric in reversed(tree.order) if (trio := _product(tree, metric))]
    while open_ := [trio for trio in trios if sum(metric in known for metric in trio) == 2]:
        whole, first, second = open_[0]
        if whole not in known:
            found.append(_implied(tree, whole, known[first] * known[second], (first, second)))
        else:
            missing, given = (second, first) if first in known else (first, second)
            found.append(_implied(tree, missing, known[whole] / known[given], (whole, given)))
        known[found[-1].metric] = found[-1].value
    for whole, first, second in trios:
        if {whole, first, second} <= known.keys():
            product = known[first] * known[second]
            if not math.isclose(known[whole], product, rel_tol=_CLOSE):
                found.append(_implied(tree, whole, product, (first, second), doubt="conflict"))
    return tuple(found)


def _goal(plan: Plan, target: float | None, confidence: float | None) -> float:
    goal = planned_target(plan, confidence) if target is None else target
    if not math.isfinite(goal):
        raise KpiError("target_invalid", "The goal for {metric} must be a number.", metric=plan.kgi.metric)
    return goal


def _entry(tree: Tree, metric: str) -> Metric:
    if metric not in tree.metrics:
        raise KpiError("unknown_metric", "There is no metric called {metric}.", metric=metric)
    return tree.metrics[metric]


def _natural(tree: Tree, metric: str) -> tuple[float, float]:
    """Return the least and the most the metric can be at all."""
    entry = tree.metrics[metric]
    signed = min(tree.now(metric), entry.low or 0.0) < 0
    return (-MAX_NUMBER if signed else 0.0), (1.0 if entry.is_share else MAX_NUMBER)


def _within(value: float, entry: Metric) -> bool:
    slack = _CLOSE * abs(value)
    above_low = entry.low is None or value >= entry.low - slack
    return above_low and (entry.high is None or value <= entry.high + slack)


def _nearest(entry: Metric, now: float, found: Iterable[float | None]) -> float | None:
    values = [value for value in found if value is not None]
    return min(values, key=lambda value: (not _within(value, entry), abs(value - now)), default=None)


def _kgi(plan: Plan, values: Values) -> float | None:
    """Return the KGI, or None where the tree has none."""
    try:
        return float(evaluate(plan.tree, values)[plan.kgi.metric])
    except KpiError as error:
        if error.code in _IMPOSSIBLE:
            return None
        raise


def _ways(plan: Plan, lever: str) -> list[Array]:
    """Return the points to try, from now up and from now down: evenly as far as plausible, then ever faster."""
    now, entry = plan.tree.now(lever), plan.tree.metrics[lever]
    ways = []
    for sign, plausible, bound in zip(
        (1, -1), (entry.high, entry.low), reversed(_natural(plan.tree, lever)), strict=True
    ):
        end = now if plausible is None else plausible
        near, far = abs(end - now), abs(bound - now)
        first = near or min(far, max(abs(now) / _STEPS, 1 / MAX_NUMBER))
        steps = np.union1d(np.linspace(0, near, _STEPS + 1), np.geomspace(first, far, _STEPS) if far else [0.0])
        points = np.where(steps == far, bound, now + sign * steps)
        ways.append(np.where(steps == near, end, points))
    return ways


def _along(plan: Plan, lever: str, points: Array) -> Array:
    """Return the KGI at the points, up to the first where the tree has no value."""
    kgis, bad = np.array([plan.tree.now(plan.kgi.metric)]), len(points) + 1
    count = len(points)
    while bad - len(kgis) > 1:
        try:
            kgis = np.broadcast_to(evaluate(plan.tree, {lever: points[:count]})[plan.kgi.metric], count)
        except KpiError as error:
            if error.code not in _IMPOSSIBLE:
                raise
            bad = count
        count = (len(kgis) + bad) // 2
    return kgis


def _best(plan: Plan, lever: str, walks: Iterable[tuple[Array, Array]]) -> float:
    """Return the most the KGI gets while the lever stays plausible; without a range, what it is now."""
    entry, now = plan.tree.metrics[lever], plan.tree.now(lever)
    low, high = (now if end is None else end for end in (entry.low, entry.high))
    best = plan.tree.now(plan.kgi.metric)
    for points, kgis in walks:
        at = points[: len(kgis)]
        inside = kgis[(at >= low) & (at <= high)]
        top = int(np.argmax(inside))
        best = max(best, float(inside[top]))
        if 0 < top < len(inside) - 1:
            between = (min(points[top - 1], points[top + 1]), max(points[top - 1], points[top + 1]))
            peak = minimize_scalar(lambda x: -_above(_kgi(plan, {lever: x}), 0.0), bounds=between, method="bounded")
            best = max(best, -float(peak.fun))
    return best


def _crossing(plan: Plan, lever: str, points: Array, kgis: Array, goal: float) -> float | None:
    """Return where the KGI first reaches the goal on the way along the points."""

    def kgi_at(x: float) -> float | None:
        return _kgi(plan, {lever: x})

    jumps = any(step.op in _JUMPS for formula in plan.tree.expressions.values() for step in formula.steps)
    reached = np.flatnonzero(kgis >= goal - _SAME * abs(goal))
    if reached.size:
        return _root(kgi_at, float(points[reached[0] - 1]), float(points[reached[0]]), goal, jumps=jumps)
    if len(kgis) < len(points):
        return _root(kgi_at, float(points[len(kgis) - 1]), float(points[len(kgis)]), goal, jumps=jumps)
    return None


def _above(kgi: float | None, goal: float) -> float:
    """Return how far the KGI lies above the goal; impossible is far below."""
    return -MAX_NUMBER if kgi is None else kgi - goal


def _root(kgi_at: Reading, below: float, above: float, goal: float, *, jumps: bool = True) -> float | None:
    """Return where the KGI reaches the goal, `below` being too little; `above` is enough or impossible."""
    if kgi_at(above) is None:
        above = _narrow(lambda x: kgi_at(x) is not None, below, above)[0]
    spare = _above(kgi_at(above), goal)
    if spare <= 0:
        return above if spare >= -_SAME * abs(goal) else None
    short = _above(kgi_at(below), goal)
    straight = below + (above - below) * short / (short - spare)
    if short > -MAX_NUMBER and abs(_above(kgi_at(straight), goal)) <= _SAME * abs(goal):
        return straight  # most levers act in a straight line
    close = {"xtol": 1e-300, "rtol": 1e-15, "maxiter": 1_000, "disp": False}
    root = float(brentq(lambda x: _above(kgi_at(x), goal), below, above, **close))
    if abs(_above(kgi_at(root), goal)) <= _CLOSE * abs(goal):
        return root
    if not jumps:  # what looks like one is the rounding of numbers too large for the others
        return None
    before, behind = _narrow(lambda x: _above(kgi_at(x), goal) < 0, below, above)
    # A jump (`if`) stays between the KGIs on either side; a pole (1/0) does not, and leads nowhere.
    usual = max(abs(_above(kgi_at(x), 0.0)) for x in (below, above)) + abs(goal)
    return behind if abs(_above(kgi_at(before), 0.0)) <= usual * 1_000 else None


def _narrow(holds: Callable[[float], bool], good: float, bad: float) -> tuple[float, float]:
    """Return the last point that holds and the first that does not, as close as numbers can be."""
    for _turn in range(_HALVINGS):
        if (middle := (good + bad) / 2) in (good, bad):
            break
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good, bad


def _bounds(plan: Plan, lever: str, cap: tuple[float | None, float | None], *, chosen: bool) -> tuple[float, float]:
    """Return the least and the most the lever may be in a spread."""
    now, entry = plan.tree.now(lever), plan.tree.metrics[lever]
    if not chosen or now == 0:
        return now, now
    least, most = _natural(plan.tree, lever)
    own = (least if entry.low is None else entry.low, most if entry.high is None else entry.high)
    low, high = (mine if given is None else given for given, mine in zip(cap, own, strict=True))
    if not low <= now <= high:
        raise KpiError("cap_excludes_now", "The caps of {lever} must leave room for its present value.", lever=lever)
    return max(low, least), min(high, most)


@dataclass(frozen=True)
class _Levers:
    """The levers of a spread as arrays, and the search for the least effort over them."""

    plan: Plan
    names: tuple[str, ...]
    bounds: Array
    goal: float

    @cached_property
    def now(self) -> Array:
        return np.array([self.plan.tree.now(lever) for lever in self.names])

    @cached_property
    def ease(self) -> Array:
        return np.array([self.plan.tree.metrics[lever].controllability / 5 for lever in self.names])

    @cached_property
    def room(self) -> Array:
        """Return the least and the most log change of each lever, as two rows."""
        ratios = np.sort(self.bounds.T / np.where(self.now == 0, 1.0, self.now), axis=0)
        return np.where(self.now == 0, 0.0, np.log(np.maximum(ratios, 1 / MAX_NUMBER)))

    def values(self, changes: Array) -> dict[str, float]:
        moved = np.clip(self.now * np.exp(changes), *self.bounds.T)
        for bound in self.bounds.T:
            moved = np.where(np.abs(moved - bound) <= _SAME * np.abs(bound), bound, moved)
        return dict(zip(self.names, np.where(changes == 0, self.now, moved).tolist(), strict=True))

    def pull(self, changes: Array) -> Array:
        """Return e·∂KGI/∂u of each lever."""
        values = self.values(changes)
        worth = slopes(self.plan.tree, self.plan.kgi.metric, values)
        pull: Array = self.ease * np.array([float(worth[lever]) * value for lever, value in values.items()])
        return pull

    def least(self) -> Array:
        """Return the changes u = λ·e·∂KGI/∂u(u): a fixed point, damped, in the end averaged (for corners).

        Beside corners it never comes to rest: then the least of those met, once it hardly gets less.
        """
        changes = np.zeros(len(self.names))
        pull = self.pull(changes)
        least, effort, since = changes, math.inf, 0
        for turn in range(_TURNS):
            before, changes = changes, self.scaled(pull)
            if np.max(np.abs(changes - before), initial=0.0) <= _STILL:
                return changes
            if self.search.bends and (now := float(self.search.effort(changes))) < effort:
                since = turn if now < effort * (1 - _HARDLY) else since
                least, effort = (changes, now) if self.search.reaches(changes) else (least, effort)
            if self.search.bends and turn - since > _PATIENCE and effort < math.inf:
                return least
            steady = 20 if self.search.bends else 100  # turns until it is averaged
            weight = 1.0 if turn < 20 else 0.5 if turn < steady else 1 / (turn - steady + 2)
            pull = (1 - weight) * pull + weight * self.pull(changes)
        return least if effort < math.inf else changes

    @cached_property
    def search(self) -> EffortSearch:
        """Return the search over the whole box."""
        return EffortSearch(self.plan, self.names, self.now, self.ease, self.bounds, self.room, self.goal)

    def chosen(self) -> Array:
        """Return the changes that follow the slopes, or others if these do not reach the goal or take more effort."""
        search, nearby = self.search, self.least()
        reached = search.reaches(nearby)
        if reached and not search.bends and not search.turns:
            return nearby
        if reached and not search.is_small:
            return search.pulled_back(nearby, search.enough)
        if not reached and search.is_highest(nearby):
            return search.pulled_back(nearby, float(search.kgis(nearby[None])[0])) if search.bends else nearby
        best = search.best(nearby)
        return nearby if reached and search.effort(best) > search.effort(nearby) * (1 - 1e-6) else best

    def scaled(self, pull: Array) -> Array:
        """Return λ·pull within the caps, with the least λ that reaches the goal, or as far as it goes."""

        def changes(scale: float) -> Array:
            return np.clip(scale * pull, *self.room)

        def kgi_at(scale: float) -> float | None:
            return _kgi(self.plan, self.values(changes(scale)))

        gain = float(np.sum(pull**2 / self.ease))
        if gain == 0:
            return np.zeros_like(pull)
        below, above = 0.0, (self.goal - self.plan.tree.now(self.plan.kgi.metric)) / gain
        while (kgi := kgi_at(above)) is not None and kgi < self.goal:
            if np.array_equal(changes(above), changes(2 * above)):
                return changes(above)
            below, above = above, 2 * above
        if kgi is None:
            above = _narrow(lambda scale: kgi_at(scale) is not None, below, above)[0]
        scale = _root(kgi_at, below, above, self.goal)
        if scale is None:
            scale = above if _above(kgi_at(above), self.goal) < 0 else below
        return changes(scale)

    def spread(self, changes: Array) -> Spread:
        """Return the changes as lever by lever entries."""
        values, pull = self.values(changes), self.pull(changes)
        kgi = float(evaluate(self.plan.tree, values)[self.plan.kgi.metric])
        reachable = kgi >= self.goal - _CLOSE * abs(self.goal)
        already = reachable and not changes.any()
        at_cap = ((pull > 0) & (changes >= self.room[1] - _SAME)) | ((pull < 0) & (changes <= self.room[0] + _SAME))
        entries = {}
        for at, lever in enumerate(self.names):
            frozen = bool(self.bounds[at, 0] == self.bounds[at, 1])
            idle: Limit | None = "no_effect" if pull[at] == 0 and changes[at] == 0 else None
            limit: Limit | None = "frozen" if frozen else "already" if already else "plausible" if at_cap[at] else idle
            entries[lever] = Effort(
                lever=lever,
                now=float(self.now[at]),
                value=values[lever],
                reachable=reachable,
                limit=limit,
                kgi=kgi,
                log_change=float(changes[at]),
                ease=0.0 if frozen else float(self.ease[at]),
                at_cap=bool(at_cap[at]) and not frozen,
            )
        return Spread(
            levers=MappingProxyType(entries),
            target=self.goal,
            kgi=kgi,
            objective=float(np.sum(changes**2 / self.ease)),
            reachable=reachable,
            outcome="reached" if reachable else "unreachable" if self.search.is_out_of_reach() else "not_found",
        )


def _product(tree: Tree, metric: str) -> tuple[str, str, str] | None:
    """Return (whole, factor, factor) if the metric's formula ties just three metrics: a*b, or a/b read backwards."""
    steps = tree.expressions[metric].steps if metric in tree.expressions else ()
    if len(tree.parts(metric)) != 2 or len(steps) != 3:
        return None
    first, second = tree.parts(metric)
    return {"*": (metric, first, second), "/": (first, metric, second)}.get(steps[2].op)


def _implied(tree: Tree, metric: str, value: float, because: tuple[str, str], doubt: Doubt | None = None) -> Implied:
    now, (least, most) = tree.now(metric), _natural(tree, metric)
    if doubt is None and not least <= value <= most:
        doubt = "natural"
    if doubt is None and value < now * (1 - _CLOSE):
        doubt = "falls"
    return Implied(metric=metric, now=now, value=value, because=because, warning=doubt)
