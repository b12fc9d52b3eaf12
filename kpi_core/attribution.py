"""Why the KGI moved: an exact split of its change over what was changed.

    share of x = (x₁ − x₀) · ∫₀¹ ∂KGI/∂x along the straight way from before to after

(Aumann–Shapley): the shares sum to the whole change and do not depend on any order.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kpi_core.readings import Array
from kpi_core.tree import Tree, slopes

# Gauss–Legendre points: exact for products of up to 64 factors, 1e-12 for the usual ratios.
_AT, _WEIGHT = np.polynomial.legendre.leggauss(32)


def explain_change(tree: Tree, of: str, before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return how much of the change of `of` each changed input brought, in the unit of `of`.

    `before` and `after` hold inputs; those in neither stay as planned. The shares sum to
    `of` after − `of` before. Inputs that did not change are left out.

    Raises
    ------
    KpiError
        As `tree.slopes`, if somewhere on the way the tree has no value.

    >>> tree = Tree.of(wins="meetings * rate", meetings=540, rate=0.2)
    >>> {metric: round(share, 9) for metric, share in explain_change(tree, "wins", {}, {"rate": 0.25}).items()}
    {'rate': 27.0}
    """
    start = {metric: before.get(metric, tree.now(metric)) for metric in {**before, **after}}
    step = {metric: after.get(metric, tree.now(metric)) - start[metric] for metric in start}
    moved = {metric: size for metric, size in step.items() if size}
    if not moved:
        return {}
    points: dict[str, Array] = {metric: start[metric] + step[metric] * (_AT + 1) / 2 for metric in start}
    worth = slopes(tree, of, points)
    return {metric: float(size * np.sum(worth[metric] * _WEIGHT) / 2) for metric, size in moved.items()}
