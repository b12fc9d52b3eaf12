"""Distributions as quantile functions: which value a share u of all outcomes stays below.

A quantile turns uniform points of any kind (`draws.points`) into values; the same points, the same values.
Beta and counts are read from tables that are cut off where u is under 1e-12 or over 1 − 1e-12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from scipy.special import betainc, betainccinv, betaincinv, betaln, expit, ndtr, ndtri, pdtr
from scipy.stats import nbinom, poisson

from kpi_core.readings import Array

_TAIL = 1e-12
_TABLE_SPREAD, _TABLE_LENGTH = 1_000.0, 200_000
# A count whose squared skewness is below this is taken from its first four cumulants: no chance is off by 1e-4.
_EVEN = 0.01
# A negative binomial this close to a Poisson is computed as one: its own formulas lose their digits there.
_POISSON_LIKE = 1 + 1e-6
_LOG_LARGEST = 700.0  # exp of more is no number
# 257 knots: within 3e-9 of the exact beta quantile for any x and n.
_BETA_Z = np.linspace(-7.04, 7.04, 257)


class Distribution(Protocol):
    """What a lever may turn out to be."""

    def quantile(self, u: Array) -> Array:
        """Return the value that a share u of all outcomes stays below, in u's shape."""

    def moments(self) -> tuple[float, float]:
        """Return mean and variance."""


@dataclass(frozen=True)
class Triangular:
    """Most likely at `base`, impossible outside [low, high]."""

    low: float
    base: float
    high: float

    def quantile(self, u: Array) -> Array:
        """Return low + w·√(u·(base − low)/w) left of base, high − w·√((1 − u)·(high − base)/w) right; w = high − low.

        Never outside [low, high], however narrow: shares of the width, not products of two widths that underflow.
        """
        width = self.high - self.low
        if width == 0:
            return np.full_like(u, self.base)
        left, right = (self.base - self.low) / width, (self.high - self.base) / width
        # Both sides everywhere, each in its own memory: a second root costs less than the arrays it would save.
        below, above = np.asarray(u * left), np.asarray(1 - u)
        above *= right
        np.sqrt(below, out=below)
        np.sqrt(above, out=above)
        below *= width
        above *= width
        below += self.low
        np.subtract(self.high, above, out=above)
        return np.clip(np.where(u < left, below, above), self.low, self.high)

    def moments(self) -> tuple[float, float]:
        """Return (low + base + high)/3 and the sum of the squared differences/36."""
        a, b, c = self.low, self.base, self.high
        return (a + b + c) / 3, ((b - a) ** 2 + (c - b) ** 2 + (c - a) ** 2) / 36


@dataclass(frozen=True)
class SplitNormal:
    """Two half normals that meet at the median `base`, `left` and `right` their standard deviations."""

    base: float
    left: float
    right: float

    def quantile(self, u: Array) -> Array:
        """Return base + left·z below the median, base + right·z above; z the normal's quantile."""
        z = ndtri(u)
        return np.asarray(self.base + np.where(z < 0, self.left, self.right) * z)

    def moments(self) -> tuple[float, float]:
        """Return base + (right − left)/√(2π) and (left² + right²)/2 − (mean − base)²."""
        shift = (self.right - self.left) / math.sqrt(2 * math.pi)
        return self.base + shift, (self.left**2 + self.right**2) / 2 - shift**2


@dataclass(frozen=True)
class Lognormal:
    """Its logarithm is normal: `log_median` and `spread` are that normal's mean and standard deviation."""

    log_median: float
    spread: float

    def quantile(self, u: Array) -> Array:
        """Return exp(log median + spread·z), above 0 and finite however wide it is spread."""
        logs = self.log_median + self.spread * ndtri(u)
        return np.asarray(np.exp(np.clip(logs, -_LOG_LARGEST, _LOG_LARGEST)))

    def moments(self) -> tuple[float, float]:
        """Return m = exp(log median + spread²/2) and m²·(exp(spread²) − 1)."""
        mean = math.exp(self.log_median + self.spread**2 / 2)
        return mean, mean**2 * math.expm1(self.spread**2)


@dataclass(frozen=True)
class Beta:
    """A rate: a − ½ successes and b − ½ failures were seen."""

    a: float
    b: float

    def quantile(self, u: Array) -> Array:
        """Return the rate, from a table: within 3e-9 of `scipy.special.betaincinv`, hundreds of times faster."""
        log_odds, slopes = _beta_table(self.a, self.b)
        step = _BETA_Z[1] - _BETA_Z[0]
        place = (np.clip(ndtri(u), _BETA_Z[0], _BETA_Z[-1]) - _BETA_Z[0]) / step
        knot = np.minimum(place.astype(np.intp), _BETA_Z.size - 2)
        t = place - knot
        start, end, out, back = log_odds[knot], log_odds[knot + 1], step * slopes[knot], step * slopes[knot + 1]
        rise = end - start
        curve = start + t * (out + t * (3 * rise - 2 * out - back + t * (out + back - 2 * rise)))
        return np.asarray(expit(curve))

    def moments(self) -> tuple[float, float]:
        """Return a/(a + b) and ab/((a + b)²(a + b + 1))."""
        total = self.a + self.b
        return self.a / total, self.a / total * (self.b / total) / (total + 1)


@dataclass(frozen=True)
class Count:
    """A whole number with this mean and `scatter` (φ) times as much variance: Poisson for 1, else negative binomial."""

    mean: float
    scatter: float = 1.0

    def quantile(self, u: Array) -> Array:
        """Return the smallest count that at least a share u of all outcomes does not exceed."""
        first, reached = _count_table(self.mean, self.scatter)
        if reached.size:
            # The table's last count stands for all above it.
            return (first + np.searchsorted(reached[:-1], u)).astype(np.float64)
        return count_quantile(self.mean, u, self.scatter)

    def moments(self) -> tuple[float, float]:
        """Return the mean and φ·mean."""
        return self.mean, self.scatter * self.mean


def count_at_most(count: Array, mean: Array | float, scatter: float = 1.0) -> Array:
    """Return the chance of at most so many, in their common shape: 0 below 0.

    Poisson, or negative binomial with `scatter` times its variance: I_{1/φ}(μ/(φ − 1), count + 1).
    """
    if scatter < _POISSON_LIKE:
        found = pdtr(np.maximum(count, 0.0), mean)
    else:
        found = betainc(mean / (scatter - 1), np.maximum(count, 0.0) + 1, 1 / scatter)
    return np.where(count < 0, 0.0, found)


def count_quantile(mean: Array | float, u: Array, scatter: float = 1.0) -> Array:
    """Return the smallest count that at least a share u of all outcomes does not exceed, in their common shape.

    Exact for what is skewed: the count of the Cornish–Fisher expansion is looked up in the distribution itself, and
    put right. What is nearly even (means of 100 Poisson counts and more) is that expansion, to the fourth cumulant.

    >>> count_quantile(0.1, np.array([0.9, 0.91])).tolist()
    [0.0, 1.0]
    """
    # Of mean 0 there is one count; of a share of 1 the quantile is infinite.
    center, share = np.broadcast_arrays(np.maximum(mean, 1e-300), np.clip(u, 1e-300, 1 - 2.0**-53))
    found = _from_cumulants(center, share, scatter)
    skewed = (2 * scatter - 1) ** 2 > _EVEN * scatter * center
    if skewed.any():
        found[skewed] = _put_right(found[skewed], center[skewed], share[skewed], scatter)
    return np.where(np.broadcast_to(mean, found.shape) > 0, found, 0.0)


def _from_cumulants(mean: Array, u: Array, scatter: float) -> Array:
    """Return the count by the Cornish–Fisher expansion to the fourth cumulant."""
    z, spread = ndtri(u), np.sqrt(scatter * mean)
    skew = (2 * scatter - 1) / spread
    tails = (6 * scatter * (scatter - 1) + 1) / spread**2
    bent = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * tails / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
    return np.asarray(np.maximum(np.ceil(mean + spread * bent - 0.5), 0.0))


def _put_right(start: Array, mean: Array, u: Array, scatter: float) -> Array:
    """Return the exact quantile: steps that double until it is enclosed, then halving."""
    high = np.ceil(np.minimum(start, mean + 40 * np.sqrt(scatter * mean)))
    low, step, short = high - 1, 1.0, np.arange(len(high))
    while (short := short[count_at_most(high[short], mean[short], scatter) < u[short]]).size:
        low[short], high[short], step = high[short], high[short] + step, 2 * step
    step, over = 1.0, np.arange(len(low))
    while (over := over[count_at_most(low[over], mean[over], scatter) >= u[over]]).size:
        high[over], low[over], step = low[over], np.maximum(low[over] - step, -1.0), 2 * step
    apart = np.arange(len(low))
    while (apart := apart[high[apart] - low[apart] > np.maximum(1.0, np.spacing(high[apart]))]).size:
        middle = np.floor((low[apart] + high[apart]) / 2)
        enough = count_at_most(middle, mean[apart], scatter) >= u[apart]
        high[apart] = np.where(enough, middle, high[apart])
        low[apart] = np.where(enough, low[apart], middle)
    return np.asarray(high)


@lru_cache(maxsize=256)
def _beta_table(a: float, b: float) -> tuple[Array, Array]:
    """Return log-odds of the rate at the knots and their slopes by z: smooth in both tails, so few knots do."""
    tail, left = ndtr(-np.abs(_BETA_Z)), _BETA_Z < 0
    # Both ends from their own side: 1 − rate would lose all digits of a rest of 1e-17.
    log_rate = np.log(np.where(left, betaincinv(a, b, tail), betainccinv(a, b, tail)))
    log_rest = np.log(np.where(left, betainccinv(b, a, tail), betaincinv(b, a, tail)))
    log_normal = -(_BETA_Z**2) / 2 - math.log(2 * math.pi) / 2
    return log_rate - log_rest, np.exp(log_normal - a * log_rate - b * log_rest + betaln(a, b))


@lru_cache(maxsize=64)
def _count_table(mean: float, scatter: float) -> tuple[float, Array]:
    """Return the first count with a chance worth naming and the chance of at most it, and so on; or an empty table."""
    if mean == 0:
        return 0.0, np.ones(1)
    if mean * scatter > _TABLE_SPREAD**2:
        return 0.0, np.empty(0)
    poisson_like = scatter < _POISSON_LIKE
    size, share = math.inf if poisson_like else mean / (scatter - 1), 1 / scatter
    ends = [_TAIL, 1 - _TAIL]
    first, last = poisson.ppf(ends, mean) if poisson_like else nbinom.ppf(ends, size, share)
    if not last - first < _TABLE_LENGTH:
        return 0.0, np.empty(0)
    counts = np.arange(first, last + 1)
    return float(first), count_at_most(counts, mean, scatter)
