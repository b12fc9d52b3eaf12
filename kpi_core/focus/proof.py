"""The best sets among too many to look at one by one, where the KGI is a sum of products of what KSFs multiply.

    log KGI ≤ α + m + β·y      m = Σ_k p_k s_k     y_k = s_k − m     s_k: log of what a set multiplies product k by

m and y are sums over the teams' bundles, and so is the right side: a roof as `boxes` wants it. α and β come from a
box that holds y: there each exp lies below its chord, and the logarithm below its tangent (`roof`). For one product
y is 0 and the first bound is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kpi_core.focus.boxes import ALL, Box, Boxes, Roofed
from kpi_core.focus.channels import Channels
from kpi_core.focus.hunting import HAIR, NEVER
from kpi_core.focus.knapsack import Knapsack, relaxed
from kpi_core.focus.roof import Roof
from kpi_core.readings import Array


@dataclass(eq=False)
class Searching(Boxes):
    """The search where the KGI is a sum of products of what KSFs multiply; roofs are on a scale of logarithms."""

    channels: Channels

    def value(self, logs: Array) -> Array:
        """Return the KGI of sets."""
        return self.channels.value(logs)

    def search(self) -> float:
        """Find good sets first, then work through the boxes."""
        self._first()
        return self.boxes()

    @property
    def threshold(self) -> float:
        """Return the log of what a set must reach to be among the wanted."""
        return float(np.log(self.last + self._raised)) - HAIR if self.last > NEVER else NEVER

    def told(self, bound: float) -> float:
        """Return the KGI at such a logarithm."""
        return (float(np.exp(bound)) if bound < ALL else np.inf) - self._raised

    @cached_property
    def _raised(self) -> float:
        """Return by how much the KGI is raised so that it has a logarithm whatever is chosen."""
        if self.channels.weights.min() >= 0:
            return 0.0
        low = sum(part.logs.min(axis=0) for part in self.parts)
        high = np.minimum(sum(part.logs.max(axis=0) for part in self.parts), np.log(self.channels.caps))
        up, down = np.maximum(self.channels.exponents, 0.0), np.minimum(self.channels.exponents, 0.0)
        return 1.001 * float(np.maximum(0.0, -self.channels.weights) @ np.exp(up @ high + down @ low))

    @cached_property
    def _products(self) -> Channels:
        """Return the products of the raised KGI."""
        if not self._raised:
            return self.channels
        constant = np.zeros((1, len(self.channels.metrics)))
        return Channels(
            metrics=self.channels.metrics,
            weights=np.append(self.channels.weights, self._raised),
            exponents=np.concatenate((self.channels.exponents, constant)),
            caps=self.channels.caps,
        )

    @cached_property
    def _capped(self) -> list[int]:
        """Return the metrics that a set may lift to their cap: they count apart from the products."""
        most = sum(part.logs.max(axis=0) for part in self.parts)
        return np.flatnonzero(most > np.log(self.channels.caps)).tolist()

    @cached_property
    def _lifts(self) -> list[Array]:
        """Return for each bundle the log of what it multiplies each product by, without what may be capped."""
        exponents = self._products.exponents.copy()
        exponents[:, self._capped] = 0.0
        return [part.logs @ exponents.T for part in self.parts]

    def _first(self) -> None:
        """Find good sets: the products weighed as they are, then as they are at the best set found."""
        shares = self._shares(np.zeros(len(self.channels.metrics)))
        for _ in range(4):
            weights = shares @ self._products.exponents
            problem = Knapsack([part.logs @ weights for part in self.parts], self.uses, self.limits)
            self.reach(problem, relaxed(problem))
            if not len(self.best):
                return
            before, shares = shares, self._shares(self.logs(self.picks[:1])[0])
            if np.abs(shares - before).max() < 1e-3:
                return

    def _shares(self, logs: Array) -> Array:
        """Return how much each product is of the KGI, for a set with these logs."""
        capped = np.minimum(logs, np.log(self.channels.caps))
        amounts = np.abs(self._products.weights) * np.exp(self._products.exponents @ capped)
        return np.asarray(amounts / amounts.sum())

    @cached_property
    def _split(self) -> tuple[list[Array], list[Array]]:
        """Return m, one number per bundle, and y with the capped metrics behind it, one row per bundle."""
        shares = self._shares(self.logs(self.picks[:1])[0] if len(self.best) else np.zeros(len(self.channels.metrics)))
        level = [lifts @ shares for lifts in self._lifts]
        apart = [
            np.hstack((lifts - mean[:, None], part.logs[:, self._capped]))
            for lifts, mean, part in zip(self._lifts, level, self.parts, strict=True)
        ]
        return level, apart

    @property
    def sides(self) -> list[Array]:
        """Return y, and the capped metrics behind it."""
        return self._split[1]

    def roofed(self, box: Box) -> Roofed | None:
        """Return the linear roof over the sum of products."""
        roof = Roof(self._products, self._capped, box.low, box.high)
        if roof.hopeless:
            return None
        values = [mean[kept] + rows[kept] @ roof.slope for mean, rows, kept in zip(*self._split, box.kept, strict=True)]
        middles = np.array([roof.middle(side) for side in range(len(box.low))])
        return Roofed(roof.height, values, roof.doubt, middles)
