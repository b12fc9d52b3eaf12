"""Sensitivity: which lever matters, and what a step of it is worth.

    worth          KGI(x + step) − KGI(x), by evaluating again, not by slopes
    tornado        KGI at each lever's own low and high, the others held still
    two-way        KGI for each pair of values of two metrics
    bottleneck     E·ln(favourable end / value)·controllability/5: how much KGI is realistically here

A metric may be a computed one (one more lead, from nowhere): its formula is then set aside.
Equal answers are named as ties (1e-9 relative); a lever without a range is listed as such, last.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from kpi_core import goal
from kpi_core.document import Metric
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.tree import Tree, elasticities, evaluate

_SAME = 1e-9
_FACTORS = (0.9, 1.0, 1.1, 1.2)


@dataclass(frozen=True, kw_only=True)
class Worth:
    """What `step` more of a metric does to the KGI, and what 1 % of itself does in the same direction.

    `step` is in the metric's unit (0.01 is one point of a rate) and negative where it cannot grow: a rate
    at 100 % is shown by what a point less would cost. `change` and `one_percent` are in the KGI's unit.
    """

    metric: str
    now: float
    step: float
    change: float
    one_percent: float


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The KGI at a lever's low and at its high; an end the plan does not give counts as the present value."""

    metric: str
    low: float | None
    high: float | None
    kgi_low: float
    kgi_high: float
    ties: tuple[str, ...] = ()

    @property
    def has_range(self) -> bool:
        """Return whether the plan gives both ends; without them the bar says less than it seems."""
        return self.low is not None and self.high is not None

    @property
    def size(self) -> float:
        """Return the bar's width, in the KGI's unit."""
        return abs(self.kgi_high - self.kgi_low)


@dataclass(frozen=True, kw_only=True)
class Score:
    """How much KGI is realistically at a lever: `size` ≈ ln(KGI then/KGI now), weighed by controllability/5.

    `room` is ln(favourable end/value), None where the plan gives no such end (the size is then 0).
    """

    metric: str
    elasticity: float
    room: float | None
    size: float
    ties: tuple[str, ...] = ()

    @property
    def has_range(self) -> bool:
        """Return whether the plan says how far this lever could go."""
        return self.room is not None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The KGI for every pair: `kgi[i, j]` at `first_values[i]` and `second_values[j]`; `reached` where it is enough."""

    first: str
    second: str
    first_values: tuple[float, ...]
    second_values: tuple[float, ...]
    kgi: Array
    target: float

    @property
    def reached(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Return which pairs reach the target."""
        return self.kgi >= self.target * (1 - _SAME)


Ranked = TypeVar("Ranked", Bar, Score)


def plus_one(plan: Plan) -> tuple[Worth, ...]:
    """Return what a natural step of each lever is worth, in the order of `tree.levers`; see `natural_step`.

    A point is not equally hard everywhere: show `one_percent` beside it.
    """
    return tuple(worth(plan, lever) for lever in plan.tree.levers(plan.kgi.metric))


def worth(plan: Plan, metric: str, step: float | None = None) -> Worth:
    """Return what `step` more of any metric does to the KGI, everything it does not feed held still.

    Raises
    ------
    KpiError
        As `tree.evaluate`: `unknown_metric`, `rate_out_of_range` for a step of your own that goes too far.
    """
    now = _now(plan.tree, metric)
    step = natural_step(plan.tree.metrics[metric], now) if step is None else step
    percent = math.copysign(now / 100, step)
    kgi = plan.kgi.metric
    change, one_percent = (
        float(evaluate(plan.tree, {metric: now + more})[kgi]) - plan.tree.now(kgi) for more in (step, percent)
    )
    return Worth(metric=metric, now=now, step=step, change=change, one_percent=one_percent)


def natural_step(entry: Metric, value: float) -> float:
    """Return the step a person would think in.

    Rates in %: a point, a tenth below 5 %, a hundredth below 0.5 %; minus a point where 100 % is in the way.
    Counts, activities and times: a round number (1, 2, 5, 10, …) up to 1/400 of the value, at least 1.
    Money and the rest: a round number up to 1/80 of the value.

    >>> from kpi_core.document import Metric
    >>> natural_step(Metric(name="訪問者数", kind="count", value=400_000), 400_000)
    1000.0
    """
    if entry.is_share:
        step = 0.01 if value >= 0.05 or value == 0 else 0.001 if value >= 0.005 else 0.0001
        return step if value + step <= 1 and value * 1.01 <= 1 else -step
    if entry.kind in ("count", "activity", "time"):
        return max(1.0, _round_down(abs(value) / 400))
    return _round_down(abs(value) / 80) or 1.0


def tornado(tree: Tree, of: str) -> tuple[Bar, ...]:
    """Return `of` at each lever's own low and high, others held still; widest first, without a range last.

    The ends are one at a time: all levers at their high at once is another, rarer thing.

    Raises
    ------
    KpiError
        `unknown_metric`; as `tree.evaluate` where an end of a range is impossible.
    """
    _now(tree, of)
    return _ranked([_bar(tree, of, lever) for lever in tree.levers(of)])


def bottleneck(plan: Plan) -> tuple[Score, ...]:
    """Return B = E·ln(favourable end/value)·controllability/5 of each lever, largest first.

    The favourable end is the high, or the low where less is better. E is the elasticity now, so for
    sums B is a first look only; `goal.least_effort` and `tornado` evaluate again.

    Raises
    ------
    KpiError
        `zero_kgi`; as `tree.slopes`.
    """
    effects = elasticities(plan.tree, plan.kgi.metric)
    return _ranked([_score(plan, lever, effects[lever]) for lever in plan.tree.levers(plan.kgi.metric)])


def strongest(ranked: Sequence[Bar] | Sequence[Score]) -> tuple[str, ...]:
    """Return the metric in the first place, with all that tie with it; none if none has a size."""
    if not ranked or ranked[0].size == 0:
        return ()
    return (ranked[0].metric, *ranked[0].ties)


def break_even(plan: Plan) -> tuple[goal.Required, ...]:
    """Return what each lever alone must be: those that can first, then those beyond their range."""
    answers = goal.required_all(plan).values()
    return tuple(sorted(answers, key=lambda answer: (not answer.reachable, answer.value is None)))


def two_way(
    plan: Plan,
    first: str,
    second: str,
    *,
    first_values: Sequence[float] | None = None,
    second_values: Sequence[float] | None = None,
) -> Grid:
    """Return the KGI for every pair of values of two metrics, inputs or computed.

    Without values: 0.9, 1, 1.1 and 1.2 times the present ones, without what no rate can be.

    Raises
    ------
    KpiError
        `depends`: one is computed from the other, or they are the same; as `tree.evaluate`.
    """
    tree = plan.tree
    rows, columns = _values(tree, first, first_values), _values(tree, second, second_values)
    if first in tree.carriers(second) or second in tree.carriers(first):
        raise KpiError(
            "depends",
            "{first} and {second} depend on one another. Choose two that do not.",
            first=first,
            second=second,
        )
    pairs = {first: np.array(rows)[:, None], second: np.array(columns)[None, :]}
    kgi = np.broadcast_to(evaluate(tree, pairs)[plan.kgi.metric], (len(rows), len(columns)))
    return Grid(first=first, second=second, first_values=rows, second_values=columns, kgi=kgi, target=plan.kgi.target)


def _now(tree: Tree, metric: str) -> float:
    if metric not in tree.metrics:
        raise KpiError("unknown_metric", "There is no metric called {metric}.", metric=metric)
    return tree.now(metric)


def _round_down(number: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is not above the number; 0 for 0."""
    if number == 0:
        return 0.0
    power = math.floor(math.log10(number) + _SAME)
    lead = next(lead for lead in (5, 2, 1) if lead * 10.0**power <= number * (1 + _SAME))
    return lead * 10.0**power


def _values(tree: Tree, metric: str, values: Sequence[float] | None) -> tuple[float, ...]:
    now = _now(tree, metric)
    if values is not None:
        return tuple(float(value) for value in values)
    found = (now * factor for factor in _FACTORS)
    return tuple(value for value in found if value <= 1 or not tree.metrics[metric].is_share)


def _bar(tree: Tree, of: str, lever: str) -> Bar:
    entry, now = tree.metrics[lever], tree.now(lever)
    ends = [now if end is None else end for end in (entry.low, entry.high)]
    kgi_low, kgi_high = np.broadcast_to(evaluate(tree, {lever: ends})[of], 2).tolist()
    return Bar(metric=lever, low=entry.low, high=entry.high, kgi_low=kgi_low, kgi_high=kgi_high)


def _score(plan: Plan, lever: str, elasticity: float) -> Score:
    entry, now = plan.tree.metrics[lever], plan.tree.now(lever)
    end = entry.low if elasticity < 0 else entry.high
    # An end at 0 or beyond it is infinitely far in percent: no room that could be compared.
    room = math.log(end / now) if end is not None and now != 0 and end / now > 0 else None
    size = elasticity * (room or 0.0) * entry.controllability / 5
    return Score(metric=lever, elasticity=elasticity, room=room, size=size)


def _ranked(entries: Iterable[Ranked]) -> tuple[Ranked, ...]:
    """Sort by size, those without a range last, and tell each entry which others tie with it."""
    order = sorted(entries, key=lambda entry: (not entry.has_range, -entry.size))
    groups: list[list[Ranked]] = []
    for entry in order:
        tie = groups and groups[-1][-1].has_range == entry.has_range and entry.size
        if tie and math.isclose(groups[-1][-1].size, entry.size, rel_tol=_SAME):
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return tuple(
        replace(entry, ties=tuple(other.metric for other in group if other is not entry))
        for group in groups
        for entry in group
    )
