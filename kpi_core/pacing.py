"""Back-calculation through time: what is needed from which month on, and with what chance.

    volume      where KGI(α) is a straight line in the multiplier α of an entry from month m on, by its formulas,
                α = (target − past)/(base − past), past: what entered before m brings, base: α = 1;
                else the α nearest to 1 that reaches the target (`crossing`)
    rates       the same relative lift of several rates, in the same way
    profile     min ‖A·x − W‖² + μ‖r·Δx‖² with x ≥ 0: month by month, smooth, never oscillating
    chance      a plan that adds up exactly succeeds half the time: the number of deals needed is
                raised to the mean for which luck (a Poisson count) reaches it with the chance asked for

More of the KGI is better. Months before the start are as the plan has them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from kpi_core.calendar import setting
from kpi_core.document import MONTHS_A_YEAR
from kpi_core.errors import KpiError
from kpi_core.luck import planned_target
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.scaling import Multiplier, Scaled
from kpi_core.timeline import Timeline, run, with_ksfs
from kpi_core.tree import slopes

SMOOTHING = 0.01
_FIRM = 1e3
_SAME = 1e-9


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

    Closed form where the KGI is a straight line in the factor by its formulas, which one entry of a funnel always
    gives; else the factor nearest to 1 (by ratio, above or below) that does it, searched from 0 to 10^6. The KGI at
    the factor reaches the target to 1e-9; None where no factor does, which is proven and not a guess, but for places
    narrower than 1e-12 (an `if` of equal numbers).

    Raises
    ------
    KpiError
        `bad_month`: not 1–12; `no_lever`; `unknown_metric`; `bad_chance`; as `timeline.run`.
    """
    named = (entry_lever(plan),) if levers is None else tuple(levers)
    given = with_ksfs(setting(plan, before=before), ksfs)
    return Scaled(given, named, _month(start), planned_target(plan, confidence)).multiplier()


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
    """Return the KGI by month of the year that what entered before the start brings.

    None where the KGI has no value without the levers, or where it is less with them (a cost): nothing is under way.
    """
    if found.past is None or found.past > found.base:
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
        `too_late`: nothing that enters from then on arrives in this year; `not_a_line`: the KGI does not grow in
        step with the lever; as `volume`.
    """
    named = entry_lever(plan) if lever is None else lever
    search = Scaled(
        with_ksfs(setting(plan, before=before), ksfs), (named,), _month(start), planned_target(plan, confidence)
    )
    return _profile(search, wanted)


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


def _profile(search: Scaled, asked: Sequence[float] | None) -> Profile:
    axis, lever = search.given.axis, search.levers[0]
    if not search.is_line:
        raise KpiError(
            "not_a_line", "The KGI does not grow in step with {lever}: no even months reach it.", lever=lever
        )
    begin = axis.past + search.start - 1
    parts = search.plan.kgi.months if search.plan.metrics[lever].is_flow else 1
    pace = np.broadcast_to(search.pace(lever), axis.count)
    trials = np.tile(np.where(np.arange(axis.count) >= begin, 0.0, pace), (axis.count - begin + 1, 1))
    trials[1:, begin:] = np.eye(axis.count - begin) * max(float(pace[begin:].max()), 1e-9)
    found = search.given.with_values({lever: trials}).kgi()[:, axis.year] / MONTHS_A_YEAR
    past, response = found[0], (found[1:] - found[0]).T / trials[1, begin]
    if not response.any():
        raise KpiError(
            "too_late",
            "Nothing that enters from this month on arrives in this fiscal year. Start earlier, or move a lever "
            "that is still alive.",
        )
    wanted = _evened(past, response.sum(axis=1), search.target) if asked is None else np.asarray(asked, np.float64)
    unit = float(np.abs(response).sum(axis=0).max())
    needed = smooth(response, wanted - past, unit=unit, total=float((wanted - past).sum()))
    amounts = np.array(pace[axis.year]) / parts
    planned = amounts.copy()
    amounts[search.start - 1 :] = needed / parts
    dead = np.flatnonzero(np.abs(response).sum(axis=0) <= _SAME * unit) + search.start
    return Profile(
        lever=lever,
        start=search.start,
        needed=amounts,
        planned=planned,
        kgi=past + response @ needed,
        wanted=wanted,
        idle=tuple(int(month) for month in dead),
        target=search.target,
    )
