"""Chance: how likely a number is, judged by what has already happened.

History of x successes in n trials with Jeffreys' prior gives the rate a Beta(x + ½, n − x + ½); the count
among N further trials is then Beta–Binomial, which holds both what we do not know and next year's luck:

    P(at least k of N) = Σ_{j≥k} C(N, j)·B(a + j, b + N − j)/B(a, b)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln

from kpi_core.errors import KpiError

MAX_TRIALS = 10_000_000
_JEFFREYS = 0.5
_BLOCK = 65_536


@dataclass(frozen=True, kw_only=True)
class Achievability:
    """The chance of at least `needed` successes of `of`; `posterior` is (a, b) of the rate's Beta distribution."""

    probability: float
    posterior: tuple[float, float]
    needed: int
    of: int


def achievability(successes: float, trials: float, needed: float, of: float) -> Achievability:
    """Return how likely at least `needed` of `of` trials succeed if all stays as in the history.

    A fraction of a success that is needed counts as a whole one. Take only mature trials (all had their
    time to succeed). Do not trust it when the process has changed since: nothing here knows that.

    Raises
    ------
    KpiError
        `no_history`: no trials; `no_trials`: nothing to succeed in; `not_a_count`: negative, not whole or
        over `MAX_TRIALS`; `more_than_tried`: more successes, or more needed, than trials.

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
    a, b = done + _JEFFREYS, tried - done + _JEFFREYS
    return Achievability(probability=_at_least(k, n, a, b), posterior=(a, b), needed=k, of=n)


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
    total, peak = 0.0, n * a / (a + b)
    for start in range(k, n + 1, _BLOCK):
        j = np.arange(start, min(start + _BLOCK, n + 1))
        logs = betaln(a + j, b + n - j) - betaln(a, b) - betaln(n - j + 1, j + 1) - math.log(n + 1)
        part = float(np.sum(np.exp(logs)))
        total += part
        # With b below 1 the far end rises again, so the sum must run to it.
        if start > peak and b >= 1 and part < 1e-18 * total:
            break
    return min(total, 1.0)
