"""A linear roof over the logarithm of a sum of products, valid within a box.

    log Σ_k w_k · exp(t_k) ≤ height + slope · x     t_k = y_k + Σ_q e_kq · min(z_q, c_q),   x = (y, z) in the box

Each exp lies below its chord (or, with a weight below 0, above its tangent), `min` between its chord and the same
line raised to its kink, and the logarithm of the linear sum below its tangent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kpi_core.focus.channels import Channels
from kpi_core.readings import Array

_FLAT = 1e-12


@dataclass(frozen=True, eq=False)
class Roof:
    """The roof over a box: y of every product, then z of every metric that may be capped (`capped`)."""

    channels: Channels
    capped: list[int]
    low: Array
    high: Array

    @cached_property
    def hopeless(self) -> bool:
        """Return whether the sum is nowhere above 0."""
        return bool(self._sum(self._anchor) <= 0)

    @cached_property
    def slope(self) -> Array:
        """Return by how much the roof rises along each side of the box."""
        return np.asarray(self._line[1] / self._sum(self._anchor))

    @cached_property
    def height(self) -> float:
        """Return where the roof stands at 0."""
        return float(np.log(self._sum(self._anchor)) - self.slope @ self._anchor)

    @cached_property
    def doubt(self) -> Array:
        """Return about how far the roof may be above the sum by each side of the box: what halving it would mend."""
        width, powers = self.high - self.low, np.abs(self._powers)
        amounts = np.abs(self.channels.weights) * np.exp(self._ends[0] / 2 + self._ends[1] / 2)
        share = amounts / amounts.sum()
        products, capped = np.split(width, [len(share)])
        bent = share @ powers * self._kink + share @ powers**2 * capped**2 / 8
        return np.concatenate((share * products**2 / 8, bent))

    def middle(self, side: int) -> float:
        """Return where to halve a side: at its kink if it has one."""
        at = side - len(self.channels.weights)
        if at >= 0 and self._kink[at] > 0:
            return float(self._caps[at])
        return float(self.low[side] / 2 + self.high[side] / 2)

    @cached_property
    def _powers(self) -> Array:
        return self.channels.exponents[:, self.capped]

    @cached_property
    def _caps(self) -> Array:
        return np.asarray(np.log(self.channels.caps[self.capped]))

    @cached_property
    def _kink(self) -> Array:
        """Return how far min(z, c) may lie above its chord: 0 where the cap is on one side of the box."""
        low, high = self.low[len(self.channels.weights) :], self.high[len(self.channels.weights) :]
        inside = (low < self._caps) & (self._caps < high)
        return np.where(inside, (self._caps - low) * (high - self._caps) / np.maximum(high - low, _FLAT), 0.0)

    @cached_property
    def _exponents(self) -> tuple[Array, Array]:
        """Return t_k ≈ offset + factors · x, on the side that makes the sum larger."""
        products = len(self.channels.weights)
        low, high = self.low[products:], self.high[products:]
        rise = np.where(self._kink > 0, (self._caps - low) / np.maximum(high - low, _FLAT), low < self._caps)
        start = np.where(self._kink > 0, low * (1 - rise), np.where(low < self._caps, 0.0, self._caps))
        above = self.channels.weights[:, None] * self._powers > 0
        offset = (self._powers * (start + above * self._kink)).sum(axis=1)
        return offset, np.hstack((np.eye(products), self._powers * rise))

    @cached_property
    def _ends(self) -> tuple[Array, Array]:
        """Return between which values each t_k lies."""
        offset, factors = self._exponents
        up, down = np.maximum(factors, 0.0), np.minimum(factors, 0.0)
        return offset + up @ self.low + down @ self.high, offset + up @ self.high + down @ self.low

    @cached_property
    def _line(self) -> tuple[float, Array]:
        """Return the linear sum above Σ_k w_k · exp(t_k): a number, and how it rises along each side."""
        offset, factors = self._exponents
        low, high = self._ends
        width, middle = high - low, low / 2 + high / 2
        chord = np.where(width > _FLAT, np.exp(low) * np.expm1(width) / np.maximum(width, _FLAT), np.exp(high))
        below = self.channels.weights < 0
        rise = self.channels.weights * np.where(below, np.exp(middle), chord)
        start = self.channels.weights * np.where(
            below, np.exp(middle) * (1 - middle), np.where(width > _FLAT, np.exp(low), np.exp(high)) - chord * low
        )
        return float(start.sum() + rise @ offset), np.asarray(rise @ factors)

    def _sum(self, at: Array) -> float:
        start, rise = self._line
        return float(start + rise @ at)

    @cached_property
    def _anchor(self) -> Array:
        """Return where the logarithm's tangent touches: the middle, or if the sum is not above 0 there, its highest."""
        middle = self.low / 2 + self.high / 2
        return middle if self._sum(middle) > 0 else np.where(self._line[1] > 0, self.high, self.low)
