"""Ranges: what a lever may turn out to be, as its low, value and high or its history say.

triangular         value is the most likely, nothing lies outside low and high
split normal       value is the median, low and high are the 10 % and the 90 % point
lognormal          low and high are the 10 % and the 90 % point; for money and other products of luck
beta               a rate after x of n tries, Jeffreys' prior: Beta(x + ½, n − x + ½)
Poisson            a count with the value as mean; negative binomial: with φ times a Poisson's variance
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from kpi_core.distributions import Beta, Count, Distribution, Lognormal, SplitNormal, Triangular
from kpi_core.document import Metric
from kpi_core.errors import KpiError
from kpi_core.readings import Array

_Z90 = 1.2815515655446004  # the normal's 90 % point


def is_uncertain(metric: Metric) -> bool:
    """Return whether the metric is an input that may turn out otherwise than its value.

    That is one with a low or high apart from its value, or a shape that needs neither (beta, counts).

    >>> is_uncertain(Metric(name="単価", kind="money", value=8e6, low=8e6, high=8e6))
    False
    """
    if metric.formula is not None:
        return False
    if metric.shape in ("beta", "poisson", "negative_binomial"):
        return True
    return any(end is not None and end != metric.value for end in (metric.low, metric.high))


def quantile(metric: Metric, u: npt.ArrayLike, *, name: str = "") -> Array:
    """Return the metric's value for each u, uniform in (0, 1): in the metric's unit and u's shape.

    A share stays in [0, 1]; a split normal, the only one that could, does not go below 0 unless its low does.
    `name` is what an error calls the metric.

    Raises
    ------
    KpiError
        with `metric`: `no_range`, `range_not_positive`, `no_history`: the shape needs what the metric has not.

    >>> quantile(Metric(name="訪問者数", kind="count", value=400, low=300, high=500), [0.125, 0.5])
    array([350., 400.])
    """
    shape = distribution(metric, name=name)
    found = shape.quantile(np.asarray(u, dtype=np.float64))
    if metric.is_share and not isinstance(shape, Triangular):  # a triangle ends within [0, 1] by itself
        return np.clip(found, 0.0, 1.0)
    if metric.shape == "split_normal" and min(_ends(metric, name)) >= 0:
        return np.maximum(found, 0.0)
    return found


def moments(metric: Metric, *, name: str = "") -> tuple[float, float]:
    """Return mean and variance in closed form; a split normal's or a rate's before it is cut off at 0 or 1.

    Raises
    ------
    KpiError
        As `quantile`; `range_too_wide`: the moments of such a lognormal are no numbers.

    >>> moments(Metric(name="訪問者数", kind="count", value=3, low=0, high=6))
    (3.0, 1.5)
    """
    try:
        return distribution(metric, name=name).moments()
    except OverflowError:
        raise KpiError(
            "range_too_wide",
            "{metric} has too wide a range for this shape. Bring its low and high closer together.",
            metric=name,
        ) from None


def distribution(metric: Metric, *, name: str = "") -> Distribution:
    """Return the metric's distribution by its shape, triangular if it names none; an end not given is the value.

    Raises
    ------
    KpiError
        As `quantile`.
    """
    return _SHAPES[metric.shape or "triangular"](metric, name)


def scatter(history: Sequence[float]) -> float:
    """Return φ = max(1, s²/mean) of past months: how many times a Poisson count's variance theirs is.

    Raises
    ------
    KpiError
        `no_history`: fewer than two months, or nothing in them.

    >>> round(scatter([380, 360, 420, 421, 340, 419, 440, 441, 360, 400, 419, 400]), 4)
    2.7373
    """
    past = np.asarray(history, dtype=np.float64)
    if past.size < 2 or past.mean() <= 0:
        raise KpiError("no_history", "There is no history to judge by. Enter past trials first.")
    return max(1.0, float(past.var(ddof=1) / past.mean()))


def _ends(metric: Metric, name: str) -> tuple[float, float, float]:
    """Return low, value, high."""
    base = metric.value
    if base is None or (metric.low is None and metric.high is None):
        raise KpiError("no_range", "{metric} has no range. Give it a low or a high beside its value.", metric=name)
    return base if metric.low is None else metric.low, base, base if metric.high is None else metric.high


def _triangular(metric: Metric, name: str) -> Distribution:
    return Triangular(*_ends(metric, name))


def _split_normal(metric: Metric, name: str) -> Distribution:
    low, base, high = _ends(metric, name)
    return SplitNormal(base, (base - low) / _Z90, (high - base) / _Z90)


def _lognormal(metric: Metric, name: str) -> Distribution:
    low, base, high = _ends(metric, name)
    if low <= 0:
        raise _not_positive(name)
    if metric.low is None or metric.high is None:
        # One end only: the value is the median, and the other end as many times away.
        return Lognormal(math.log(base), (math.log(high) - math.log(low)) / _Z90)
    return Lognormal((math.log(low) + math.log(high)) / 2, (math.log(high) - math.log(low)) / (2 * _Z90))


def _beta(metric: Metric, name: str) -> Distribution:
    if metric.tried is None:
        raise KpiError(
            "no_history", "{metric} has no history. Enter what happened before, or take another shape.", metric=name
        )
    successes, trials = metric.tried
    return Beta(successes + 0.5, trials - successes + 0.5)


def _poisson(metric: Metric, name: str) -> Distribution:
    return Count(_mean(metric, name))


def _negative_binomial(metric: Metric, name: str) -> Distribution:
    try:
        return Count(_mean(metric, name), scatter(metric.history))
    except KpiError as error:
        raise error.about(metric=name) from None


def _mean(metric: Metric, name: str) -> float:
    if metric.value is None:
        raise KpiError("no_range", "{metric} has no range. Give it a low or a high beside its value.", metric=name)
    if metric.value < 0:
        raise _not_positive(name)
    return metric.value


def _not_positive(name: str) -> KpiError:
    return KpiError(
        "range_not_positive", "{metric} cannot be spread like this from 0 or below. Take another shape.", metric=name
    )


_SHAPES: Mapping[str, Callable[[Metric, str], Distribution]] = MappingProxyType(
    {
        "triangular": _triangular,
        "split_normal": _split_normal,
        "lognormal": _lognormal,
        "beta": _beta,
        "poisson": _poisson,
        "negative_binomial": _negative_binomial,
    }
)
