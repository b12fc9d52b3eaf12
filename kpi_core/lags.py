"""Lead times: what enters a step in one month leaves it spread over that month and the ones that follow.

    forward     x(t) = Σⱼ k(j)·f(t − j)        what comes out, month by month
    backward    w(t) = Σⱼ k(j)·y(t + j)        what one more unit put in is worth

A lag k is the share of each month among those that come out at all, the month of entry first: Σ k = 1.
Months are the last axis. What does not change over the months (a number, or an axis of length 1) is the same
before and after: it has always been so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from kpi_core.errors import KpiError
from kpi_core.readings import Array

_NOTHING = 1e-12
Adjustments = Mapping[str, tuple[Array | float, Array | float]]


@dataclass(frozen=True, eq=False)
class Opening:
    """What waits for a step when the year begins, by month before the year (the last one last).

    `entered` is what the step's formula gives of it. `stages` is, by stage with an opening stock, how many must have
    entered in each month for that stock to be open now, and `ratios` that over what the months say have entered
    (1 where they say none).
    """

    entered: Array
    stages: Mapping[str, Array]
    ratios: Mapping[str, Array]

    def replaced(self, entered: Array, count: int) -> Array:
        """Return a formula's values over `count` months, those before the year replaced by what waits."""
        whole = np.array(np.broadcast_to(entered, (*np.shape(entered)[:-1], count)))
        whole[..., : len(self.entered)] = self.entered
        return whole

    def known(self, values: Mapping[str, Array], count: int) -> dict[str, Array]:
        """Return the metrics' values with the stages' months before the year replaced by what waits."""
        found = dict(values)
        for stage, amounts in self.stages.items():
            found[stage] = np.array(np.broadcast_to(values[stage], (*np.shape(values[stage])[:-1], count)))
            found[stage][..., : len(amounts)] = amounts
        return found


@dataclass(frozen=True)
class Months:
    """An axis of `count` months for `tree.evaluate` and `tree.slopes`.

    `adjust` is, by computed metric, what its value is multiplied by and what is added to that: a KSF that lifts
    it, months that are over and known. `openings` is, by step, what waits for it when the year begins: only
    that comes out of it in the year of all that entered before. What came out before the year stays.
    """

    count: int
    adjust: Adjustments = field(default_factory=lambda: MappingProxyType({}))
    openings: Mapping[str, Opening] = field(default_factory=lambda: MappingProxyType({}))

    def changes(self, metric: str, lag: Sequence[float]) -> bool:
        """Return whether a metric's values are others than those its formula gives."""
        return bool(lag) or metric in self.adjust

    def out(self, metric: str, lag: Sequence[float], entered: Array, *, into: Array | None = None) -> Array:
        """Return a metric's values from what its formula gives, written to `into` if given."""
        times, plus = self.adjust.get(metric, (None, 0.0))
        if metric in self.openings:
            return np.add(self._opened(metric, lag, entered) * (1.0 if times is None else times), plus, out=into)
        if times is None:
            return delayed(entered, lag, out=into)
        return np.add(delayed(entered, lag) * times, plus, out=into)

    def _opened(self, metric: str, lag: Sequence[float], entered: Array) -> Array:
        opening = self.openings[metric]
        found = delayed(opening.replaced(entered, self.count), lag)
        past = len(opening.entered)
        found[..., :past] = np.broadcast_to(delayed(entered, lag), found.shape)[..., :past]
        return found

    def back(self, metric: str, lag: Sequence[float], worth: Array) -> tuple[Array, Array | None]:
        """Return what the formula's values are worth, from what the metric's are worth, and what those that wait are.

        The second is None of a step for which no opening stock waits.
        """
        worth = worth * (self.adjust[metric][0] if metric in self.adjust else 1.0)
        if metric not in self.openings:
            return foreseen(worth, lag), None
        in_year = np.arange(self.count) >= len(self.openings[metric].entered)
        waits = np.where(in_year, 0.0, foreseen(np.where(in_year, worth, 0.0), lag))
        return np.where(in_year, foreseen(worth, lag), foreseen(np.where(in_year, 0.0, worth), lag)), waits


def delayed(entered: Array, lag: Sequence[float], *, out: Array | None = None) -> Array:
    """Return what comes out in each month, written to `out` if given; before the first month nothing was put in.

    >>> delayed(np.array([60.0, 20.0, 0.0]), [0.5, 0.4, 0.1])
    array([30., 34., 14.])
    """
    if not lag or np.ndim(entered) == 0 or entered.shape[-1] == 1:
        if out is None:
            return entered
        out[...] = entered
        return out
    found = np.multiply(entered, lag[0], out=out)
    for month, share in enumerate(lag[1 : entered.shape[-1]], 1):
        if share:
            found[..., month:] += share * entered[..., :-month]
    return found


def foreseen(worth: Array, lag: Sequence[float]) -> Array:
    """Return what a unit put in is worth in each month, from what a unit that comes out is worth.

    >>> foreseen(np.array([1.0, 1.0, 1.0]), [0.5, 0.4, 0.1])
    array([1. , 0.9, 0.5])
    """
    if not lag:
        return worth
    found = np.multiply(worth, lag[0])
    for month, share in enumerate(lag[1 : worth.shape[-1]], 1):
        if share:
            found[..., :-month] += share * worth[..., month:]
    return found


def still_open(lag: Sequence[float], rate: float = 1.0, lost: Sequence[float] = ()) -> Array:
    """Return which share of those that entered is still open at the end of their month, the next, and so on.

    1 − r·K(a) − (1 − r)·Λ(a), with K and Λ the shares that have left won and lost by age a. Without `lost`,
    lost ones leave on the same clock as won ones.
    """
    length = max(len(lag), len(lost), 1)
    won = np.cumsum(np.pad(np.asarray(lag, dtype=np.float64), (0, length - len(lag))))
    gone = np.cumsum(np.pad(np.asarray(lost, dtype=np.float64), (0, length - len(lost)))) if len(lost) else won
    return np.asarray(np.maximum(0.0, 1 - rate * won - (1 - rate) * gone))


def oldest_open(share_open: Array) -> int:
    """Return the highest age in months at which anything can be open; -1 if nothing ever is."""
    return int(np.max(np.flatnonzero(share_open > _NOTHING), initial=-1))


def entered_before(stock: Sequence[float], share_open: Array) -> Array:
    """Return how many must have entered in each past month, this one first, for `stock` to be open by age now.

    Put through the lag, they come out as E[month j] = Σₐ stock(a)·r·k(a + j)/share_open(a).

    Raises
    ------
    KpiError
        `stock_too_old`, with `age`: something is open for longer than its lead time lets anything be.
    """
    found = np.zeros(len(stock))
    for age, count in enumerate(stock):
        here = float(share_open[age]) if age < len(share_open) else 0.0
        if count and here <= _NOTHING:
            raise KpiError(
                "stock_too_old",
                "{count} are open for {age} months or more, but by the lead time nothing is open that long. "
                "Enter them as younger, or make the lead time longer.",
                count=float(count),
                age=age,
            )
        found[age] = count / here if count else 0.0
    return found
