"""What each chosen KSF contributes: the gain of the set split over its KSFs, so that the parts sum exactly.

contribution   mean over the orders in which the KSFs could come in of what each adds then (Shapley)

Up to ten KSFs every order counts. Of more, as many orders as it takes for each KSF to stand in each
place, forwards and backwards: the parts still sum exactly, only the split is an approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import factorial

import numpy as np

from kpi_core.focus.effects import Effects
from kpi_core.focus.explain import Focus
from kpi_core.readings import Array

_ALL_ORDERS = 10


def contributions(found: Focus) -> dict[str, float]:
    """Return what each chosen KSF adds to the KGI, in its unit, in the order chosen; the sum is `found.gain`.

    Not what would be lost without it (`found.brings`): KSFs that multiply lose more together than one by one.
    """
    if not found.chosen:
        return {}
    effects = Effects(found.plan, found.objective, found.before)
    split = _every_order if len(found.chosen) <= _ALL_ORDERS else _some_orders
    parts = split(effects, found.chosen)
    return dict(zip(found.chosen, parts.tolist(), strict=True))


def _kgi(effects: Effects, chosen: Sequence[str], inside: Array) -> Array:
    """Return the KGI of sets given as rows over the chosen KSFs alone."""
    rows = np.zeros((len(inside), len(effects.ksfs)))
    rows[:, [effects.ksfs.index(ksf) for ksf in chosen]] = inside
    return np.asarray(effects.kgi(rows))


def _every_order(effects: Effects, chosen: Sequence[str]) -> Array:
    """Return Σ over sets without the KSF of |set|! (n − |set| − 1)! / n! · what it adds to the set."""
    count = len(chosen)
    inside = np.array(list(product((0.0, 1.0), repeat=count)))
    kgi, sizes = _kgi(effects, chosen, inside), inside.sum(axis=1).astype(int)
    weights = np.array([factorial(size) * factorial(count - size - 1) / factorial(count) for size in range(count)])
    parts = np.zeros(count)
    for at in range(count):
        without = np.flatnonzero(inside[:, at] == 0)
        parts[at] = weights[sizes[without]] @ (kgi[without + 2 ** (count - 1 - at)] - kgi[without])
    return parts


def _some_orders(effects: Effects, chosen: Sequence[str]) -> Array:
    count = len(chosen)
    forwards = [np.roll(np.arange(count), -start) for start in range(count)]
    orders = [*forwards, *(order[::-1] for order in forwards)]
    parts = np.zeros(count)
    for order in orders:
        inside = np.zeros((count + 1, count))
        for step, at in enumerate(order, 1):
            inside[step:, at] = 1.0
        parts[order] += np.diff(_kgi(effects, chosen, inside)) / len(orders)
    return parts
