"""Split the change of a KGI exactly over the inputs that were changed.

    share of x = (x₁ − x₀) · ∫₀¹ ∂KGI/∂x along the straight way from before to after

(Aumann–Shapley): the shares sum to the whole change and do not depend on any order. Corners, jumps and
poles on the way are `straight_way`'s work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.straight_way import StraightWay
from kpi_core.tree import Tree, evaluate


@dataclass(frozen=True, kw_only=True)
class PlanChange:
    """What lies between the KGI of an earlier state of a plan and of a later one, in the KGI's unit.

    `before` is None where the earlier state does not have that KGI. `levers` are the inputs whose values differ
    and `moved` what they brought together; `shares` splits it, unless `refused` says why that cannot be.
    `other` is what changed formulas brought: before + other + moved = after.
    """

    before: float | None
    after: float
    levers: tuple[str, ...] = ()
    moved: float = 0.0
    shares: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    other: float = 0.0
    refused: KpiError | None = None


def explain_change(tree: Tree, of: str, before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return how much of the change of `of` each changed input brought, in the unit of `of`.

    `before` and `after` hold inputs; those in neither stay as planned. The shares sum to `of` after − `of` before
    to about 1e-12 of how far `of` goes on the way. Inputs that did not change are left out. Where a condition
    switches, the jump goes to the inputs by how fast each moved the condition; inputs that move a tied `min` or
    `max` together share it equally. A rate may leave 0–100 % on the way, as long as it does not in the end.

    Raises
    ------
    KpiError
        As `tree.evaluate`, if there is no value before or after; `no_split`: on the way there is none.

    >>> tree = Tree.of(wins="meetings * rate", meetings=540, rate=0.2)
    >>> {metric: round(share, 9) for metric, share in explain_change(tree, "wins", {}, {"rate": 0.25}).items()}
    {'rate': 27.0}
    >>> tree = Tree.of(fee="if(deals > 15, 2 * deals, deals)", deals=10)
    >>> {metric: round(share, 9) for metric, share in explain_change(tree, "fee", {}, {"deals": 20}).items()}
    {'deals': 30.0}
    """
    ends = {
        metric: (before.get(metric, tree.now(metric)), after.get(metric, tree.now(metric)))
        for metric in {**before, **after}
    }
    for at in (0, 1):
        evaluate(tree, {metric: values[at] for metric, values in ends.items()})
    if all(start == end for start, end in ends.values()):
        return {}
    return StraightWay(tree, of, ends).shares()


def explain_plans(before: Plan, after: Plan) -> PlanChange:
    """Return what lies between the KGI of two states of a plan, split over the levers that differ.

    The levers move under the formulas of `after`; what these formulas change by themselves is `other`.
    Where they have no value for the levers of `before`, all of it counts as moved by the levers and is not split.
    """
    kgi, tree = after.kgi.metric, after.tree
    end = tree.now(kgi)
    if kgi not in before.metrics:
        return PlanChange(before=None, after=end)
    start = before.tree.now(kgi)
    was = {
        lever: before.tree.now(lever)
        for lever in tree.levers(kgi)
        if lever in before.tree.inputs and before.tree.now(lever) != tree.now(lever)
    }
    change = PlanChange(before=start, after=end, levers=tuple(was), moved=end - start)
    try:
        middle = float(evaluate(tree, was)[kgi])
        if abs(middle - start) > 1e-12 * abs(start):
            change = replace(change, moved=end - middle, other=middle - start)
        return replace(change, shares=MappingProxyType(explain_change(tree, kgi, was, {})))
    except KpiError as error:
        return replace(change, refused=error)
