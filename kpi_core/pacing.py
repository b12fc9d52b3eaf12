"""Back-calculation through time: what is needed from which month on, and with what chance.

    volume      KGI(α) is a straight line in the multiplier α of an entry from month m on, so
                α = (target − past)/(base − past), past: what entered before m brings, base: α = 1
    rates       the same relative lift of several rates, by root finding
    profile     min ‖A·x − W‖² + μ‖r·Δx‖² with x ≥ 0: month by month, smooth, never oscillating
    chance      a plan that adds up exactly succeeds half the time: the number of deals needed is
                raised to the mean for which luck (a Poisson count) reaches it with the chance asked for

More of the KGI is better. Months before the start are as the plan has them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.optimize import brentq, nnls

from kpi_core.calendar import Setting, setting
from kpi_core.document import MONTHS_A_YEAR
from kpi_core.errors import KpiError
from kpi_core.luck import planned_target
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.timeline import Timeline, run, with_ksfs
from kpi_core.tree import elasticities, slopes

Obstacle = Literal["already", "too_late", "natural", "plausible"]

SMOOTHING = 0.01
_FIRM = 1e3
_SAME = 1e-9


@dataclass(frozen=True, kw_only=True)
class Multiplier:
    """What the levers must be multiplied by from month `start` on.

    `past` is what the year's KGI would be without them from then on (None: it has no value then), `base` what it
    is as planned. `factor` is
    None where nothing does it: `too_late` (nothing that starts then arrives in time), `natural` (a rate would
    pass 100 %). `already`: the target is reached as it is; then the factor is what would still do. `plausible`:
    a lever would leave its own range. `plain` is what a division says that knows no months, target/base: 1.157
    where 1.253 is needed; None where the KGI does not simply go with the lever.
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


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A lever month by month from `start` on: `needed` amounts, `planned` ones, the KGI they give, by month.

    `idle` months no longer change the year: what stands there only keeps the curve smooth.
    """

    lever: str
    start: int
    needed: Array
    planned: Array
    kgi: Array
    wanted: Array
    idle: tuple[int, ...]
    target: float


def entry_lever(plan: Plan) -> str:
    """Return the lever by which volume comes in: the funnel's first stage, else the first count, else the first."""
    levers = plan.tree_by_month.levers(plan.kgi.metric)
    if not levers:
        raise KpiError("no_lever", "The KGI depends on no lever. Give it a formula first.")
    counts = [lever for lever in levers if plan.metrics[lever].is_flow]
    return next((stage for stage in plan.stages if stage in levers), (counts or list(levers))[0])


def rate_levers(plan: Plan) -> tuple[str, ...]:
    """Return the rates among the levers of the KGI of which more is better."""
    worth = slopes(plan.tree, plan.kgi.metric)
    levers = plan.tree_by_month.levers(plan.kgi.metric)
    return tuple(lever for lever in levers if plan.metrics[lever].is_share and worth[lever] > 0)


def volume(
    plan: Plan,
    levers: Sequence[str] | None = None,
    *,
    start: int = 1,
    confidence: float | None = None,
    ksfs: Collection[str] = (),
    before: Plan | None = None,
) -> Multiplier:
    """Return by what the levers (the entry lever if none are named) must be multiplied from month `start` on.

    Closed form where the KGI is a straight line in the factor, which one entry of a funnel always gives;
    else the first factor that does it, searched up to 10^6.

    Raises
    ------
    KpiError
        `bad_month`: not 1–12; `no_lever`; `unknown_metric`; `bad_chance`; as `timeline.run`.
    """
    named = (entry_lever(plan),) if levers is None else tuple(levers)
    given = with_ksfs(setting(plan, before=before), ksfs)
    return _Search(given, named, _month(start), planned_target(plan, confidence)).multiplier()


def equal_lift(
    plan: Plan,
    levers: Sequence[str] | None = None,
    *,
    start: int = 1,
    confidence: float | None = None,
    ksfs: Collection[str] = (),
    before: Plan | None = None,
) -> Multiplier:
    """Return the one factor for all these rates (all rates of the KGI if none are named) from month `start` on.

    Raises
    ------
    KpiError
        As `volume`.
    """
    return volume(plan, levers or rate_levers(plan), start=start, confidence=confidence, ksfs=ksfs, before=before)


def with_volume(plan: Plan, found: Multiplier, ksfs: Collection[str] = (), *, before: Plan | None = None) -> Timeline:
    """Return the plan through the months with the multiplier at work; as planned where none is needed or does it."""
    factors = _from(found.start, 1.0 if found.factor is None or found.limit == "already" else found.factor)
    return run(plan, ksfs, before=before, times=dict.fromkeys(found.levers, factors))


def underway(plan: Plan, found: Multiplier, ksfs: Collection[str] = (), *, before: Plan | None = None) -> Array | None:
    """Return the KGI by month of the year that what entered before the start brings; None where it has no value."""
    if found.past is None:
        return None
    return run(plan, ksfs, before=before, times=dict.fromkeys(found.levers, _from(found.start, 0.0))).year(
        plan.kgi.metric
    )


def profile(
    plan: Plan,
    lever: str | None = None,
    *,
    start: int = 1,
    confidence: float | None = None,
    ksfs: Collection[str] = (),
    before: Plan | None = None,
    wanted: Sequence[float] | None = None,
) -> Profile:
    """Return what must come in month by month from `start` on if it is to be even, whatever the season.

    `wanted` is a KGI by month of one's own instead; what comes in then follows it as smoothly as it can.
    The year's target holds exactly (to 1e-6) where anything that starts then arrives in time.

    Raises
    ------
    KpiError
        `too_late`: nothing that enters from then on arrives in this year; as `volume`.
    """
    named = entry_lever(plan) if lever is None else lever
    search = _Search(
        with_ksfs(setting(plan, before=before), ksfs), (named,), _month(start), planned_target(plan, confidence)
    )
    return search.profile(wanted)


def smooth(response: Array, wanted: Array, *, unit: float, total: float | None = None) -> Array:
    """Return x ≥ 0 with response·x near `wanted` and no jumps: min ‖A·x − W‖² + μ‖unit·Δx‖², μ = 0.01.

    `unit` is what one of x brings in all; with `total` the sum of A·x is held to it.
    """
    steps = unit * math.sqrt(SMOOTHING) * np.diff(np.eye(response.shape[1]), axis=0)
    rows, sides = [response, steps], [wanted, np.zeros(len(steps))]
    if total is not None:
        rows.append(_FIRM * response.sum(axis=0, keepdims=True))
        sides.append(np.array([_FIRM * total]))
    scale = unit or 1.0
    return np.asarray(nnls(np.concatenate(rows) / scale, np.concatenate(sides) / scale)[0])


def _month(start: int) -> int:
    if not 1 <= start <= MONTHS_A_YEAR:
        raise KpiError("bad_month", "A year has months 1 to 12, not {month}.", month=start)
    return start


def _from(start: int, factor: float) -> Array:
    return np.where(np.arange(1, MONTHS_A_YEAR + 1) >= start, factor, 1.0)


def _evened(past: Array, influence: Array, target: float) -> Array:
    """Return the KGI by month that sums to the target when the same comes in every month."""
    return np.asarray(past + influence * (target - float(past.sum())) / float(influence.sum()))


@dataclass(frozen=True)
class _Search:
    """The levers moved together from a month on, and the KGI that gives."""

    given: Setting
    levers: tuple[str, ...]
    start: int
    target: float

    @property
    def plan(self) -> Plan:
        return self.given.axis.plan

    def totals(self, factors: Array) -> Array:
        """Return the KGI of the year for each factor."""
        here = self.given.axis.numbers >= self.start
        times = np.where(here, factors[:, None], 1.0)
        moved = {lever: self._known(lever) * times for lever in self.levers}
        return np.broadcast_to(self.given.with_values(moved).total(), len(factors))

    def _known(self, lever: str) -> Array:
        if lever not in self.given.values:
            raise KpiError("not_a_lever", "{lever} is not an input that the KGI depends on.", lever=lever)
        return self.given.values[lever]

    def multiplier(self) -> Multiplier:
        past, base = self._without(), float(self.totals(np.array([1.0]))[0])
        half = float(self.totals(np.array([0.5]))[0]) if past is None else past
        reached = base >= self.target * (1 - _SAME)
        limit: Obstacle | None = "already" if reached else None
        factor: float | None = None
        if abs(base - half) <= _SAME * max(abs(base), abs(half), 1.0):
            limit = limit or "too_late"
        else:
            factor = self._factor(past, base)
            if factor is None:
                limit = limit or "natural"
            elif limit is None and not self._plausible(factor):
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

    def _plain(self, base: float) -> float | None:
        tree, kgi = self.given.tree, self.plan.kgi.metric
        if len(self.levers) != 1 or base <= 0 or tree.now(kgi) <= 0:
            return None
        goes_with = elasticities(tree, kgi)[self.levers[0]]
        return self.target / base if math.isclose(goes_with, 1.0, rel_tol=1e-6) else None

    def _without(self) -> float | None:
        """Return the KGI without the levers; None where it has none (a churn of 0)."""
        try:
            return float(self.totals(np.array([0.0]))[0])
        except KpiError as error:
            if error.code not in ("division_by_zero", "not_finite"):
                raise
            return None

    def _factor(self, past: float | None, base: float) -> float | None:
        most = self._most
        if past is not None and self._is_line(past, base, min(2.0, most)):
            found = (self.target - past) / (base - past)
            return found if 0 <= found <= most * (1 + _SAME) else None
        least = 0.0 if past is not None else 0.01
        tried = np.unique(np.concatenate([np.linspace(least, min(most, 4.0), 65), np.geomspace(1.0, most, 65)]))
        above = np.flatnonzero(self.totals(tried) >= self.target)
        if not len(above):
            return None
        if above[0] == 0:
            return least
        low, high = tried[above[0] - 1], tried[above[0]]
        return float(brentq(lambda x: float(self.totals(np.array([x]))[0]) - self.target, low, high, xtol=1e-13))

    def _is_line(self, past: float, base: float, probe: float) -> bool:
        line = past + probe * (base - past)
        return abs(float(self.totals(np.array([probe]))[0]) - line) <= _SAME * max(abs(line), abs(past))

    @cached_property
    def _most(self) -> float:
        """Return the largest factor that keeps every rate possible."""
        tops = [float(np.max(self._known(lever))) for lever in self.levers if self.plan.metrics[lever].is_share]
        return min([1e6, *(1 / top for top in tops if top > 0)])

    def _plausible(self, factor: float) -> bool:
        entries = ((self.plan.metrics[lever], self.plan.tree.now(lever)) for lever in self.levers)
        return all(entry.high is None or now * factor <= entry.high * (1 + _SAME) for entry, now in entries)

    def profile(self, asked: Sequence[float] | None) -> Profile:
        axis, lever = self.given.axis, self.levers[0]
        first = axis.past + self.start - 1
        parts = self.plan.kgi.months if self.plan.metrics[lever].is_flow else 1
        pace = np.broadcast_to(self._known(lever), axis.count)
        trials = np.tile(np.where(np.arange(axis.count) >= first, 0.0, pace), (axis.count - first + 1, 1))
        trials[1:, first:] = np.eye(axis.count - first) * max(float(pace[first:].max()), 1e-9)
        found = self.given.with_values({lever: trials}).kgi()[:, axis.year] / MONTHS_A_YEAR
        past, response = found[0], (found[1:] - found[0]).T / trials[1, first]
        if not response.any():
            raise KpiError(
                "too_late",
                "Nothing that enters from this month on arrives in this fiscal year. Start earlier, or move a lever "
                "that is still alive.",
            )
        wanted = _evened(past, response.sum(axis=1), self.target) if asked is None else np.asarray(asked, np.float64)
        unit = float(response.sum(axis=0).max())
        needed = smooth(response, wanted - past, unit=unit, total=float((wanted - past).sum()))
        amounts = np.array(pace[axis.year]) / parts
        planned = amounts.copy()
        amounts[self.start - 1 :] = needed / parts
        dead = np.flatnonzero(np.abs(response).sum(axis=0) <= _SAME * unit) + self.start
        return Profile(
            lever=lever,
            start=self.start,
            needed=amounts,
            planned=planned,
            kgi=past + response @ needed,
            wanted=wanted,
            idle=tuple(int(month) for month in dead),
            target=self.target,
        )
