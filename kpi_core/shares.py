"""Shares: where the uncertainty of a number comes from, and what knowing an input would be worth.

    first      S = V[E[y | x]]/V[y]             what fixing x alone would take away
    total      T = 1 − V[E[y | all but x]]/V[y] what x has a part in; Σ S ≤ 1 ≤ Σ T
    knowing    E[max_d E[payoff_d | x]] − max_d E[payoff_d]

All of it is for any function, and for inputs that vary independently of one another, but for `rank_importance`
and `value_of_knowing`, which take the draws as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.stats import rankdata

from kpi_core import draws
from kpi_core.readings import Array

Model = Callable[[Mapping[str, Array]], Array]
Quantile = Callable[[Array], Array]

_DEGREE = 5
_GRID = (2 * np.arange(4_096) + 1) / 4_096 - 1


@dataclass(frozen=True, kw_only=True)
class Shares:
    """By input, the share of the variance in [0, 1]; `mean` and `variance` are of the outcome, in its unit."""

    first: Mapping[str, float]
    total: Mapping[str, float]
    mean: float
    variance: float


def sobol_shares(model: Model, quantiles: Mapping[str, Quantile], *, count: int = 2**12, seed: int = 0) -> Shares:
    """Return each input's first-order and total share of the outcome's variance (Sobol indices).

    With two sets of draws A and B, AB the set A with x from B and BA the set B with x from A (2 + 2 per input
    evaluations of `count` draws):

        S = 2·Σ(f(BA) − f(B))·(f(A) − f(AB)) / Σ[(f(A) − f(B))² + (f(BA) − f(AB))²]
        T = Σ[(f(B) − f(BA))² + (f(A) − f(AB))²] / the same

    (Azzini, Mara & Rosati 2021, Environmental Modelling & Software 144, 105167.) `model` gets one array per input
    and returns one; `quantiles` turn uniform draws into values. An outcome that never changes has all shares 0.
    Do not trust it for inputs that go together.

    Raises
    ------
    KpiError
        As `draws.points`, and as the model.

    >>> found = sobol_shares(lambda x: 3 * x["a"] + x["b"], {"a": lambda u: u, "b": lambda u: u})
    >>> {name: round(share, 3) for name, share in found.first.items()}
    {'a': 0.9, 'b': 0.1}
    """
    uniform = draws.points(count, 2 * len(quantiles), seed)
    # The first half of the dimensions, the better spread ones, belongs to A.
    a = {name: quantile(uniform[:, at]) for at, (name, quantile) in enumerate(quantiles.items())}
    b = {name: quantile(uniform[:, len(a) + at]) for at, (name, quantile) in enumerate(quantiles.items())}
    at_a, at_b = _outcome(model, a, count), _outcome(model, b, count)
    first, total = {}, {}
    for name in quantiles:
        at_ab = _outcome(model, {**a, name: b[name]}, count)
        at_ba = _outcome(model, {**b, name: a[name]}, count)
        first[name], total[name] = _shares(at_a, at_b, at_ab, at_ba)
    both = np.concatenate([at_a, at_b])
    return Shares(
        first=MappingProxyType(first),
        total=MappingProxyType(total),
        mean=float(both.mean()),
        variance=float(both.var()),
    )


def rank_importance(inputs: Mapping[str, Array], outcome: Array) -> dict[str, float]:
    """Return Spearman's rank correlation of each input with the outcome: −1 to 1, 0 if either never changes.

    Says in which direction an input goes with the outcome, also where inputs go together, but nothing of effects
    that rise and fall again.

    >>> rank_importance({"x": np.array([1.0, 2.0, 3.0])}, np.array([9.0, 4.0, 1.0]))
    {'x': -1.0}
    """
    ranks = _centred_ranks(outcome)
    return {name: _correlation(_centred_ranks(values), ranks) for name, values in inputs.items()}


def value_of_knowing(payoffs: Array, uniforms: Mapping[str, Array]) -> dict[str, float]:
    """Return what finding out one input before deciding adds to the best expected payoff: ≥ 0, in its unit.

    `payoffs` is (decisions, draws); `uniforms` are the draws' own u of each input, before its quantile.
    E[payoff | u] is a polynomial of degree 5 in u fitted by least squares, so a payoff that jumps is smoothed. An
    input without influence scores 0 but for noise: on the funnel under 0.2 % of the payoffs' standard deviation
    from 2^12 draws on.
    (Expected value of partial perfect information; regression as in Strong, Oakley & Brennan 2014.)

    >>> u = draws.points(2**10, 1)[:, 0]
    >>> round(value_of_knowing(np.array([u, 1 - u]), {"x": u})["x"], 3)
    0.25
    """
    grid = np.polynomial.legendre.legvander(_GRID, _DEGREE)
    return {name: _knowing(payoffs, u, np.asarray(grid, dtype=np.float64)) for name, u in uniforms.items()}


def _outcome(model: Model, inputs: Mapping[str, Array], count: int) -> Array:
    """Return the model's outcome draw by draw, also of a model that none of the inputs reaches."""
    return np.broadcast_to(model(inputs), (count,))


def _shares(at_a: Array, at_b: Array, at_ab: Array, at_ba: Array) -> tuple[float, float]:
    """Return first and total share; the truth lies in [0, 1], so an estimate cut off there is only closer to it."""
    across = float(np.sum((at_a - at_b) ** 2 + (at_ba - at_ab) ** 2))
    noise = 1e-14 * float(np.max(np.abs(at_a)))
    if across <= at_a.size * noise**2:
        return 0.0, 0.0
    together = 2 * float(np.sum((at_ba - at_b) * (at_a - at_ab)))
    alone = float(np.sum((at_b - at_ba) ** 2 + (at_a - at_ab) ** 2))
    return min(max(together / across, 0.0), 1.0), min(alone / across, 1.0)


def _centred_ranks(values: Array) -> Array:
    ranks = rankdata(values)
    return np.asarray(ranks - ranks.mean())


def _correlation(one: Array, other: Array) -> float:
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size else 0.0


def _knowing(payoffs: Array, u: Array, grid: Array) -> float:
    """Fit, then look at an even grid: the mean of the maxima there is never below the maximum of the means."""
    base = np.polynomial.legendre.legvander(2 * u - 1, _DEGREE)
    fitted = payoffs @ base @ np.linalg.inv(base.T @ base) @ grid.T
    return max(float(fitted.max(axis=0).mean() - fitted.mean(axis=1).max()), 0.0)
