"""Chance: how likely a number is, judged by what has already happened.

History of x successes in n trials with Jeffreys' prior gives the rate a Beta(x + ½, n − x + ½); the count
among N further trials is then Beta–Binomial, which holds both what we do not know and next year's luck:

    rates      P(at least k of N) = Σ_{j≥k} C(N, j)·B(a + j, b + N − j)/B(a, b)
    counts     P(at least k) of a negative binomial with the mean and variance of H further months
    buffers    the mean λ for which a Poisson count reaches k with a chance p: Γ-quantile of p at shape k
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaln, gammainc, gammaincinv, logit, polygamma, psi

from kpi_core.errors import KpiError

MAX_TRIALS = 10_000_000
_JEFFREYS = 0.5
_FIRST_BLOCK, _LAST_BLOCK = 512, 65_536


Verdict = Literal["comfortable", "likely", "stretch", "reckless"]
# From which chance on a target is called what (illustrative; domain §5.1): 無理なく届く, 届きそう, 背伸び, 無謀に近い.
_VERDICTS: tuple[tuple[float, Verdict], ...] = ((0.8, "comfortable"), (0.5, "likely"), (0.2, "stretch"))


def verdict(probability: float) -> Verdict:
    """Return what a target with this chance is called.

    >>> verdict(0.11), verdict(0.8)
    ('reckless', 'comfortable')
    """
    return next((name for least, name in _VERDICTS if probability >= least), "reckless")


@dataclass(frozen=True, kw_only=True)
class Achievability:
    """The chance of at least `needed` successes of `of`; `posterior` is (a, b) of the rate's Beta distribution.

    `ability` is the chance that the true rate is at least needed/of, without next year's luck. `expected` and
    `spread` are mean and standard deviation of the count; `stretch` is how many standard deviations (of the
    rate's log-odds) the needed rate lies above the history, infinite for all or none.
    """

    probability: float
    posterior: tuple[float, float]
    needed: int
    of: int
    ability: float
    expected: float
    spread: float
    stretch: float

    def safe(self, chance: float = 0.8) -> int:
        """Return the largest count that is reached with at least this chance.

        >>> achievability(108, 540, needed=125, of=540).safe()
        97
        """
        low, high = 0, self.of + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _at_least(middle, self.of, *self.posterior) >= chance else (low, middle)
        return low


def achievability(
    successes: float,
    trials: float,
    needed: float,
    of: float,
    *,
    prior: tuple[float, float] = (_JEFFREYS, _JEFFREYS),
    weight: float = 1.0,
) -> Achievability:
    """Return how likely at least `needed` of `of` trials succeed if all stays as in the history.

    A fraction of a success that is needed counts as a whole one. Take only mature trials (all had their
    time to succeed). `weight` says how much a past trial counts for (0.5 where conditions have changed);
    `prior` is (a, b) before any history. Do not trust it when the process has changed since: nothing here
    knows that.

    Raises
    ------
    KpiError
        `no_history`: no trials; `no_trials`: nothing to succeed in; `not_a_count`: negative, not whole or
        over `MAX_TRIALS`; `more_than_tried`: more successes, or more needed, than trials; `bad_weight`.

    >>> achievability(108, 540, needed=125, of=540).posterior
    (108.5, 432.5)
    """
    wanted = math.ceil(needed - 1e-9) if math.isfinite(needed) else needed
    done, tried, k, n = (
        _count(name, number)
        for name, number in (("successes", successes), ("trials", trials), ("needed", wanted), ("of", of))
    )
    if tried == 0:
        raise KpiError("no_history", "There is no history to judge by. Enter past trials first.")
    if n == 0:
        raise KpiError("no_trials", "Nothing is planned that could succeed. Plan at least one.")
    _not_more("successes", done, tried)
    _not_more("needed", k, n)
    if not (0 < weight <= 1 and min(prior) > 0 and max(prior) < math.inf):
        raise KpiError("bad_weight", "A weight of the history lies above 0 and up to 1, a prior above 0.")
    a, b = prior[0] + weight * done, prior[1] + weight * (tried - done)
    spread = math.sqrt(n * a * b * (a + b + n) / ((a + b) ** 2 * (a + b + 1)))
    return Achievability(
        probability=_at_least(k, n, a, b),
        posterior=(a, b),
        needed=k,
        of=n,
        ability=float(1 - betainc(a, b, k / n)),
        expected=n * a / (a + b),
        spread=spread,
        stretch=float((logit(k / n) - (psi(a) - psi(b))) / math.sqrt(polygamma(1, a) + polygamma(1, b))),
    )


@dataclass(frozen=True, kw_only=True)
class CountAchievability:
    """The chance that a count without a denominator reaches `needed`; `expected` and `spread` of the count."""

    probability: float
    needed: int
    expected: float
    spread: float


def count_achievability(
    history: Sequence[float], needed: float, *, months: int = 12, growth: float = 1.0
) -> CountAchievability:
    """Return how likely `months` further months bring at least `needed`, judged by past months of the same season.

    The months' own scatter and what is not known of their mean both count: with mean h̄, variance s² over n
    months and φ = max(1, s²/h̄), the count has μ = months·h̄·growth and Var = φμ + months²·φ·h̄·growth²/n.

    Raises
    ------
    KpiError
        `no_history`: fewer than two months, or nothing in them; `not_a_count`.

    >>> round(count_achievability([380, 360, 420, 421, 340, 419, 440, 441, 360, 400, 419, 400], 5000).probability, 4)
    0.1102
    """
    past = np.asarray(history, dtype=np.float64)
    if past.size < 2 or not np.isfinite(past).all() or past.min() < 0 or past.mean() == 0:
        raise KpiError("no_history", "There is no history to judge by. Enter past trials first.")
    k = _count("needed", math.ceil(needed - 1e-9) if math.isfinite(needed) else needed)
    mean = float(past.mean())
    scatter = max(1.0, float(past.var(ddof=1)) / mean)
    expected = months * mean * growth
    variance = scatter * expected + months**2 * scatter * mean * growth**2 / past.size
    size = expected**2 / (variance - expected)
    return CountAchievability(
        probability=1.0 if k == 0 else float(betainc(k, size, expected / (size + expected))),
        needed=k,
        expected=expected,
        spread=math.sqrt(variance),
    )


def at_least(needed: int, expected: float, *, scatter: float = 1.0) -> float:
    """Return the chance of at least `needed` when `expected` are expected and only luck decides.

    A Poisson count, or a negative binomial one whose variance is `scatter` times its mean.

    Raises
    ------
    KpiError
        `not_a_count`: a negative or unbounded number.

    >>> round(at_least(125, 125.0), 4)
    0.5119
    """
    k = _count("needed", needed)
    if not 0 <= expected <= MAX_TRIALS:
        raise KpiError(
            "not_a_count", "{name} must be a whole number of 0 or more, not {number}.", name="expected", number=expected
        )
    if k == 0 or expected == 0:
        return 1.0 if k == 0 else 0.0
    if scatter <= 1:
        return float(gammainc(k, expected))
    return float(betainc(k, expected / (scatter - 1), 1 - 1 / scatter))


def buffered(needed: int, chance: float, *, scatter: float = 1.0) -> float:
    """Return the mean a plan must have for a count of luck to reach `needed` with this chance.

    Planning for the number itself is a coin toss: 125 planned is 51 % of 125. `scatter` as in `at_least`.

    Raises
    ------
    KpiError
        `not_a_count`; `bad_chance`: not between 0 and 1.

    >>> round(buffered(125, 0.8), 2)
    134.3
    """
    k = _count("needed", needed)
    if not 0 < chance < 1:
        raise KpiError("bad_chance", "A chance lies between 0% and 100%.")
    if k == 0 or scatter <= 1:
        return float(gammaincinv(k, chance)) if k else 0.0
    most = 2.0 * k + 10
    while at_least(k, most, scatter=scatter) < chance:
        most *= 2
    return float(brentq(lambda mean: at_least(k, mean, scatter=scatter) - chance, 0.0, most, xtol=1e-10))


def _count(name: str, number: float) -> int:
    if not 0 <= number <= MAX_TRIALS or abs(number - round(number)) > 1e-6:
        raise KpiError(
            "not_a_count", "{name} must be a whole number of 0 or more, not {number}.", name=name, number=number
        )
    return round(number)


def _not_more(name: str, part: int, whole: int) -> None:
    if part > whole:
        raise KpiError("more_than_tried", "{name}: {part} is more than {whole}.", name=name, part=part, whole=whole)


def _at_least(k: int, n: int, a: float, b: float) -> float:
    """Sum the tail itself, never 1 − the rest: a chance of one in a billion must not round to 0."""
    total, peak, start, length = 0.0, n * a / (a + b), k, _FIRST_BLOCK
    while start <= n:
        j = np.arange(start, min(start + length, n + 1))
        logs = betaln(a + j, b + n - j) - betaln(a, b) - betaln(n - j + 1, j + 1) - math.log(n + 1)
        part = float(np.sum(np.exp(logs)))
        total += part
        # With b below 1 the far end rises again, so the sum must run to it.
        if start > peak and b >= 1 and part < 1e-18 * total:
            break
        start, length = start + length, min(2 * length, _LAST_BLOCK)
    return min(total, 1.0)
