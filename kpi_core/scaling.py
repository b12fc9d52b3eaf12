"""Scales levers together from a month on: the KGI for each factor, the factor that reaches a target, or why none does.

More of the KGI is better. Months before the start are as the plan has them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from kpi_core.calendar import Setting
from kpi_core.crossing import LARGEST, first, is_line, nearest
from kpi_core.document import MONTHS_A_YEAR
from kpi_core.errors import KpiError
from kpi_core.intervals import Interval, evaluate_between, exactly
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.tree import elasticities

Obstacle = Literal["already", "too_late", "zero", "natural", "unreachable", "plausible"]

_SAME = 1e-9


@dataclass(frozen=True, kw_only=True)
class Multiplier:
    """What the levers must be multiplied by from month `start` on.

    A factor below 1 is what a lever needs of which more is worse (churn). `past` is what the year's KGI would be
    without them from then on (None: it has no value then), `base` what it is as planned. `factor` is None where
    nothing does it: `too_late` (nothing that starts then arrives in time), `zero` (the levers are 0, and so is every
    multiple), `natural` (it would take rates above 100 %), `unreachable` (no multiple reaches the target).
    `already`: the target is reached as it is; then the factor is what would still do. `plausible`: a lever would
    leave its own range. `plain` is what a division says that knows no months, target/base: 1.157 where 1.253 is
    needed; None where the KGI is not proportional to the lever.
    """

    levers: tuple[str, ...]
    start: int
    factor: float | None
    past: float | None
    base: float
    target: float
    limit: Obstacle | None
    plain: float | None = None

    @property
    def reachable(self) -> bool:
        """Return whether a factor does it, within what the levers' ranges hold plausible."""
        return self.limit in (None, "already")


@dataclass(frozen=True)
class Scaled:
    """The levers moved together from a month on, and the KGI that gives."""

    given: Setting
    levers: tuple[str, ...]
    start: int
    target: float

    @property
    def plan(self) -> Plan:
        """Return the plan."""
        return self.given.axis.plan

    def totals(self, factors: Array) -> Array:
        """Return the KGI of the year for each factor."""
        here = self.given.axis.numbers >= self.start
        times = np.where(here, factors[:, None], 1.0)
        moved = {lever: self.pace(lever) * times for lever in self.levers}
        return np.broadcast_to(self.given.with_values(moved).total(), len(factors))

    def pace(self, lever: str) -> Array:
        """Return a lever's pace as planned."""
        if lever not in self.given.values:
            raise KpiError("not_a_lever", "{lever} is not an input that the KGI depends on.", lever=lever)
        return self.given.values[lever]

    def multiplier(self) -> Multiplier:
        """Return the factor that reaches the target, or why there is none."""
        past, base = self._without(), float(self.totals(np.array([1.0]))[0])
        limit: Obstacle | None = "already" if base >= self._goal else None
        factor = self._still_enough(past, base) if limit else self._factor(past, base)
        if limit is None and factor is None:
            limit = self._obstacle()
        elif limit is None and factor is not None and not self._plausible(factor):
            limit = "plausible"
        return Multiplier(
            levers=self.levers,
            start=self.start,
            factor=factor,
            past=past,
            base=base,
            target=self.target,
            limit=limit,
            plain=self._plain(base),
        )

    @property
    def _goal(self) -> float:
        return self.target - _SAME * abs(self.target)

    @cached_property
    def is_line(self) -> bool:
        """Return whether the KGI is a straight line in the factor, by its formulas alone."""
        return is_line(self.given.tree, self.levers, self.plan.kgi.metric)

    def _plain(self, base: float) -> float | None:
        tree, kgi = self.plan.tree, self.plan.kgi.metric
        if len(self.levers) != 1 or base <= 0 or tree.now(kgi) <= 0 or not is_line(tree, self.levers, kgi):
            return None
        goes_with = elasticities(tree, kgi)[self.levers[0]]
        return self.target / base if math.isclose(goes_with, 1.0, rel_tol=1e-6) else None

    def _without(self) -> float | None:
        """Return the KGI without the levers; None where it has none (a churn of 0)."""
        try:
            return float(self.totals(np.array([0.0]))[0])
        except KpiError as error:
            if error.code not in ("division_by_zero", "not_finite", "rate_out_of_range"):
                raise
            return None

    def _factor(self, past: float | None, base: float) -> float | None:
        """Return the factor that reaches the target, of a KGI that does not yet; None if none does."""
        if not self.is_line or past is None:
            # What just touches the target may be a rounding error below it.
            ways = (
                nearest(self._exact, self._most_between, goal, end=self._most) for goal in (self.target, self._goal)
            )
            return next((way for way in ways if way is not None), None)
        found = (self.target - past) / (base - past) if base != past else -1.0
        fine = 0 <= found <= self._most * (1 + _SAME) and self._exact(np.array([found]))[0] >= self._goal
        return found if fine else None

    def _still_enough(self, past: float | None, base: float) -> float | None:
        """Return the factor, below 1 if any, up to which a target that is reached stays so; None: whatever it is."""
        if self.is_line and past is not None:
            found = (self.target - past) / (base - past) if base != past else -1.0
            return found if 0 <= found <= self._most * (1 + _SAME) else None
        missed = np.nextafter(-self._goal, np.inf)
        for end in (0.0, self._most):
            fails = first(lambda x: -self._exact(x), self._most_missing, missed, end=end) if end != 1 else None
            if fails is not None:
                return fails[0]
        return None

    def _obstacle(self) -> Obstacle:
        """Return why no factor reaches the target: each reason is checked."""
        if self._too_late():
            return "too_late"
        here = self.given.axis.numbers >= self.start
        if all(not np.any(np.broadcast_to(self.pace(lever), here.shape)[here]) for lever in self.levers):
            return "zero"
        beyond = nearest(
            lambda x: self._between(x, x, any_rate=True)[0],
            lambda low, high: self._between(low, high, any_rate=True)[1],
            self._goal,
            end=LARGEST,
        )
        return "unreachable" if beyond is None else "natural"

    def _too_late(self) -> bool:
        """Return whether nothing that the levers do from the start on arrives before the year is over."""
        tree = self.given.tree
        wait: dict[str, int] = {self.plan.kgi.metric: 0}
        for metric in reversed(tree.carriers(self.plan.kgi.metric)):
            soonest = next((month for month, share in enumerate(tree.metrics[metric].lag) if share), 0)
            for part in tree.parts(metric):
                wait[part] = min(wait.get(part, MONTHS_A_YEAR), wait[metric] + soonest)
        return all(self.start + wait.get(lever, MONTHS_A_YEAR) > MONTHS_A_YEAR for lever in self.levers)

    def _between(self, low: Array, high: Array, *, any_rate: bool = False) -> Interval:
        """Return between which values the KGI of the year lies between two factors, for each pair of them."""
        here = self.given.axis.numbers >= self.start
        given = {lever: exactly(pace) for lever, pace in self.given.values.items()}
        for lever in self.levers:
            ends = [self.pace(lever) * np.where(here, end[:, None], 1.0) for end in (low, high)]
            given[lever] = np.minimum(*ends), np.maximum(*ends)
        found = evaluate_between(self.given.tree, self.plan.kgi.metric, given, self.given.months, any_rate=any_rate)
        total = self.given.axis.total
        return np.broadcast_to(total(found[0]), low.shape), np.broadcast_to(total(found[1]), low.shape)

    def _exact(self, factors: Array) -> Array:
        """Return the KGI for each factor, NaN where it has none."""
        low, high = self._between(factors, factors)
        return np.where((low == high) & np.isfinite(low), low, np.nan)

    def _most_between(self, low: Array, high: Array) -> Array:
        return self._between(low, high)[1]

    def _most_missing(self, low: Array, high: Array) -> Array:
        least, most = self._between(low, high)
        return np.where(least > most, -np.inf, -least)

    @cached_property
    def _most(self) -> float:
        """Return the largest factor that keeps every rate possible."""
        tops = [float(np.max(self.pace(lever))) for lever in self.levers if self.plan.metrics[lever].is_share]
        return min([LARGEST, *(1 / top for top in tops if top > 0)])

    def _plausible(self, factor: float) -> bool:
        for lever in self.levers:
            entry, needed = self.plan.metrics[lever], self.plan.tree.now(lever) * factor
            hair = _SAME * abs(needed)
            if (entry.high is not None and needed > entry.high + hair) or (
                entry.low is not None and needed < entry.low - hair
            ):
                return False
        return True
