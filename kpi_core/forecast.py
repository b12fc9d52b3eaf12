"""The forecast: every lever somewhere in its own range, all at once, and luck; how often the goal is reached.

    lever     its quantile at a scrambled Sobol point (`ranges`, `draws`), correlated as the plan says
    KGI       through the tree, or through the months of this year
    luck      the deals won are a count: its quantile at one more coordinate, given how many are expected

The same plan, draws and seed give the same digits, and scenarios of one tree share their points.
Ranges are how far a team thinks a lever can go; the forecast takes them for what may happen. It is as good as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from kpi_core import ranges
from kpi_core.calendar import Setting, setting
from kpi_core.distributions import count_quantile
from kpi_core.document import MONTHS_A_YEAR
from kpi_core.draws import correlated, points, spread_of_mean
from kpi_core.errors import KpiError
from kpi_core.focus.effects import Effects, Objective
from kpi_core.luck import Luck, luck
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.tree import evaluate

DRAWS = 2**14
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Forecast:
    """What the KGI may come to: `draws` of it in its unit, and of every uncertain lever (`levers`), in one order.

    `uniforms` are the levers' places in their ranges, 0 to 1; `luck` is the count whose luck is in it, if any.
    """

    plan: Plan
    draws: Array
    levers: Mapping[str, Array]
    uniforms: Mapping[str, Array]
    luck: Luck | None

    @cached_property
    def _reached(self) -> Array:
        return np.asarray(self.draws >= self.plan.kgi.target * (1 - _SAME), dtype=np.float64)

    @property
    def p_goal(self) -> float:
        """Return the share of draws that reach the goal."""
        return float(self._reached.mean())

    @cached_property
    def error(self) -> float:
        """Return the numerical error of `p_goal`: the half width of a 99 % interval, at least what 3 draws are."""
        return max(spread_of_mean(self._reached), 3 / len(self.draws))

    @property
    def mean(self) -> float:
        """Return the mean of the KGI."""
        return float(self.draws.mean())

    @cached_property
    def quantiles(self) -> Mapping[float, float]:
        """Return P10, P50 and P90: what the KGI stays below in 10, 50 and 90 % of all draws."""
        shares = (0.1, 0.5, 0.9)
        return MappingProxyType(dict(zip(shares, _quantiles(self.draws, shares).tolist(), strict=True)))


@dataclass(frozen=True, eq=False)
class Fan:
    """The KGI summed up from the first month of the year on: its quantiles by month, `bands[share][month]`."""

    months: tuple[str, ...]
    bands: Mapping[float, Array]


def forecast(
    plan: Plan,
    ksfs: Collection[str] = (),
    *,
    draws: int = DRAWS,
    seed: int = 0,
    objective: Objective = "average",
    with_luck: bool = False,
    before: Plan | None = None,
) -> Forecast:
    """Return how the KGI spreads when every lever lies somewhere in its range, with these KSFs at work.

    `objective` as in `focus.choose`: the tree's own total, this fiscal year through the months (levers move in it
    from its first month on, what entered before stays), or all KSFs at full effect.

    Raises
    ------
    KpiError
        `bad_draws`, `unknown_ksf`, `correlations_impossible`; as `ranges.quantile` and `tree.evaluate`.
    """
    found = luck(plan) if with_luck else None
    drawn = _Drawn.of(plan, ksfs, draws=draws, seed=seed, objective=objective, before=before, luck=found)
    kgi = drawn.lucky(drawn.kgi())
    return Forecast(plan, kgi, MappingProxyType(drawn.levels), MappingProxyType(drawn.uniforms), found)


def fan(
    plan: Plan,
    ksfs: Collection[str] = (),
    *,
    draws: int = DRAWS,
    seed: int = 0,
    shares: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9),
    before: Plan | None = None,
) -> Fan:
    """Return how the sum of the KGI may grow over the months of this fiscal year, luck included.

    Raises
    ------
    KpiError
        As `forecast`.
    """
    drawn = _Drawn.of(plan, ksfs, draws=draws, seed=seed, objective="year", before=before, luck=luck(plan))
    summed = drawn.lucky(np.cumsum(drawn.months(), axis=-1) / plan.kgi.months)
    bands = np.quantile(np.broadcast_to(summed, (draws, MONTHS_A_YEAR)), shares, axis=0)
    axis = drawn.setting.axis
    return Fan(axis.labels[axis.year], MappingProxyType(dict(zip(shares, bands, strict=True))))


def lucky(expected: Array, u: Array, *, scatter: float = 1.0) -> Array:
    """Return the count that luck makes of what is expected: the quantile of u, whole numbers, in their common shape.

    Poisson, or negative binomial with `scatter` times its variance; exact but for large, even counts
    (`distributions.count_quantile`).

    >>> lucky(np.float64(0.1), np.array([0.9, 0.91])).tolist()
    [0.0, 1.0]
    """
    return count_quantile(np.asarray(expected, dtype=np.float64), u, scatter)


def uncertain(plan: Plan) -> tuple[str, ...]:
    """Return the levers of the KGI that may turn out otherwise, in the tree's order."""
    return tuple(lever for lever in plan.tree.levers(plan.kgi.metric) if ranges.is_uncertain(plan.metrics[lever]))


def _quantiles(samples: Array, shares: Sequence[float]) -> Array:
    """Return what np.quantile does: sorting once is four times as fast as its search for each share."""
    ranked, places = np.sort(samples), np.multiply(shares, len(samples) - 1)
    below = places.astype(np.intp)
    return np.asarray(ranked[below] + (places - below) * (ranked[below + 1] - ranked[below]))


@dataclass(frozen=True)
class _Drawn:
    """The levers' draws and what they do to the KGI; with `luck`, `fortune` is its coordinate."""

    plan: Plan
    ksfs: Collection[str]
    objective: Objective
    before: Plan | None
    levels: dict[str, Array]
    uniforms: dict[str, Array]
    luck: Luck | None
    fortune: Array

    @classmethod
    def of(
        cls,
        plan: Plan,
        ksfs: Collection[str],
        *,
        draws: int,
        seed: int,
        objective: Objective,
        before: Plan | None,
        luck: Luck | None,
    ) -> _Drawn:
        for ksf in ksfs:
            if ksf not in plan.ksfs:
                raise KpiError("unknown_ksf", "There is no KSF called {ksf}.", ksf=ksf)
        levers = uncertain(plan)
        together = points(draws, len(levers) + (luck is not None), seed)
        uniform = correlated(together[:, : len(levers)], levers, plan.assumptions.correlations)
        uniforms = {lever: uniform[:, at] for at, lever in enumerate(levers)}
        levels = {lever: ranges.quantile(plan.metrics[lever], u, name=lever) for lever, u in uniforms.items()}
        fortune = np.zeros(draws) if luck is None else together[:, -1]
        return cls(plan, ksfs, objective, before, levels, uniforms, luck, fortune)

    @cached_property
    def effects(self) -> Effects:
        return Effects(self.plan, self.objective, self.before)

    @cached_property
    def setting(self) -> Setting:
        return setting(self.plan, before=self.before)

    def kgi(self) -> Array:
        """Return the KGI of every draw."""
        found = self.months().mean(axis=-1) if self.objective == "year" else self._through(self.levels)
        return np.broadcast_to(found, self.fortune.shape)

    def months(self) -> Array:
        """Return the KGI's pace in every month of the year, (draws, 12) or (1, 12)."""
        given, metrics = self.setting, self.plan.metrics
        paces = {
            lever: given.axis.from_now_on(given.values[lever], metrics[lever], level)
            for lever, level in self.levels.items()
        }
        found = np.atleast_2d(self._through(paces))
        here = found[:, given.axis.year] if found.shape[-1] > 1 else found
        return np.broadcast_to(here, (len(found), MONTHS_A_YEAR))

    def _through(self, levels: dict[str, Array]) -> Array:
        """Return the KGI at these levels, by month for a year; only KSFs need the whole ledger of effects."""
        if self.ksfs:
            row = np.array([[1.0 if ksf in self.ksfs else 0.0 for ksf in self.effects.ksfs]])
            return self.effects.moved(self.effects.multipliers(row), levels)
        kgi = self.plan.kgi.metric
        if self.objective != "year":
            return evaluate(self.plan.tree, levels, only=[kgi])[kgi]
        return self.setting.with_values(levels).kgi()

    def lucky(self, kgi: Array) -> Array:
        """Return what luck makes of an expected KGI, draw by draw and, if it has them, month by month."""
        if self.luck is None:
            return kgi
        each, fortune = self._each(self.luck.metric), self.fortune
        if kgi.ndim > 1:
            each, fortune = each[:, None], fortune[:, None]
        return each * lucky(kgi / each, fortune, scatter=self.luck.scatter)

    def _each(self, metric: str) -> Array:
        """Return what one of a count brings to the KGI, draw by draw."""
        kgi = self.plan.kgi.metric
        if metric == kgi:
            return np.ones(self.fortune.shape)
        level = self.levels | {metric: np.float64(1.0)}
        return np.broadcast_to(evaluate(self.plan.tree, level, only=[kgi])[kgi], self.fortune.shape)
