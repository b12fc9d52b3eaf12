"""Removing a metric or a KSF from a plan, together with everything that names it.

    removal = of_metric(plan, "cvr")
    removal.traces      what goes with it, to be said before it is done
    removal.plan        the plan without it: one change, valid, that undo takes back

Metrics whose formulas need the removed one become inputs with their value of today, so that every other number of
the plan stays what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.plan_text import plain


@dataclass(frozen=True, kw_only=True)
class Removal:
    """The removal of one metric or KSF: the `changes` of the plan `before` it, by path, and whom they touch.

    `traces` are ids by what happens to them, in the plan's order.
    Of a metric: `inputs` were computed from it and become inputs; `by_month` lose a formula for the months;
    `ksfs` lose an effect, `idle` of them the last one; `needs` are KSFs that needed a flow of it; `places` are
    "stages", "history", "opening", "drivers" and "correlations" where they name it.
    Of a KSF: `held` are the limits ("lock", "rule_out") that name it; `builders` depended on it, `excluding` ruled it
    out, `linked` have a synergy or spill-over with it.
    """

    before: Plan
    changes: Mapping[str, Any]
    traces: Mapping[str, tuple[str, ...]]

    @property
    def is_alone(self) -> bool:
        """Return whether nothing else in the plan names what is removed."""
        return not any(self.traces.values())

    @property
    def plan(self) -> Plan:
        """Return the plan after the removal.

        Raises
        ------
        KpiError
            `plan_invalid`: a metric cannot be an input with its value of today (a rate above 100 %).
        """
        return self.before.replace(self.changes)

    def goes_beyond(self, other: Removal) -> bool:
        """Return whether this removal touches anything that another one, of an older plan, does not."""
        return any(set(names) - set(other.traces[trace]) for trace, names in self.traces.items())


def of_metric(plan: Plan, metric: str) -> Removal:
    """Return the removal of a metric.

    Raises
    ------
    KpiError
        `unknown_metric`; `metric_is_kgi`: the plan cannot do without it.

    >>> plan = Plan.from_text('''
    ... schema: 1
    ... name: shop
    ... fiscal_year: {starts: 2026-04}
    ... kgi: {metric: wins, target: 9}
    ... metrics:
    ...   wins: {name: Wins, kind: kgi, formula: meetings * 0.5}
    ...   meetings: {name: Meetings, kind: count, value: 8}
    ... ''')
    >>> removal = of_metric(plan, "meetings")
    >>> removal.traces["inputs"], removal.plan.metrics["wins"].value
    (('wins',), 4.0)
    """
    if metric not in plan.metrics:
        raise KpiError("unknown_metric", "There is no metric called {metric}.", metric=metric)
    if metric == plan.kgi.metric:
        raise KpiError("metric_is_kgi", "{metric} is the KGI. Choose another KGI first.", metric=metric)
    inputs = tuple(user for user in plan.metrics if metric in plan.tree.parts(user))
    by_month = tuple(user for user in plan.metrics if metric in plan.tree_by_month.parts(user) and user not in inputs)
    moving = tuple(ksf for ksf, entry in plan.ksfs.items() if metric in entry.moves)
    needing = tuple(ksf for ksf, entry in plan.ksfs.items() if metric in entry.needs)
    changes: dict[str, Any] = {}
    for user in inputs:
        changes |= becomes_input(plan, user)
    changes |= {f"metrics.{user}.by_month": None for user in by_month}
    changes |= {f"ksfs.{ksf}.moves.{metric}": None for ksf in moving}
    changes |= {f"ksfs.{ksf}.needs.{metric}": None for ksf in needing}
    changes |= _without_links(plan, metric)
    traces = {
        "inputs": inputs,
        "by_month": by_month,
        "ksfs": moving,
        "idle": tuple(ksf for ksf in moving if len(plan.ksfs[ksf].moves) == 1),
        "needs": needing,
        "places": tuple(place for place, is_named in _places(plan, metric).items() if is_named),
    }
    return Removal(before=plan, changes={**changes, f"metrics.{metric}": None}, traces=traces)


def of_ksf(plan: Plan, ksf: str) -> Removal:
    """Return the removal of a KSF. What was agreed on a day stays: it says what was then.

    Raises
    ------
    KpiError
        `unknown_ksf`.
    """
    if ksf not in plan.ksfs:
        raise KpiError("unknown_ksf", "There is no KSF called {ksf}.", ksf=ksf)
    held = tuple(wish for wish in ("lock", "rule_out") if ksf in getattr(plan.limits, wish))
    builders = tuple(other for other, entry in plan.ksfs.items() if ksf in entry.depends_on)
    excluding = tuple(other for other, entry in plan.ksfs.items() if ksf in entry.excludes)
    pairs = [link.pair for link in plan.assumptions.synergies]
    pairs += [(link.source, link.target) for link in plan.assumptions.spillovers]
    linked = {other for pair in pairs if ksf in pair for other in pair} - {ksf}
    changes: dict[str, Any] = {
        f"limits.{wish}": [name for name in getattr(plan.limits, wish) if name != ksf] for wish in held
    }
    for field, others in (("depends_on", builders), ("excludes", excluding)):
        for other in others:
            names = [name for name in getattr(plan.ksfs[other], field) if name != ksf]
            changes[f"ksfs.{other}.{field}"] = names
    changes["assumptions.synergies"] = [plain(link) for link in plan.assumptions.synergies if ksf not in link.pair]
    changes["assumptions.spillovers"] = [
        plain(link) for link in plan.assumptions.spillovers if ksf not in (link.source, link.target)
    ]
    traces = {
        "held": held,
        "builders": builders,
        "excluding": excluding,
        "linked": tuple(other for other in plan.ksfs if other in linked),
    }
    return Removal(before=plan, changes={**changes, f"ksfs.{ksf}": None}, traces=traces)


def becomes_input(plan: Plan, metric: str) -> dict[str, Any]:
    """Return the changes, by path, that make a computed metric an input with its value of today."""
    path = f"metrics.{metric}"
    gone = dict.fromkeys(f"{path}.{field}" for field in ("formula", "by_month", "lag", "shape"))
    return {**gone, f"{path}.value": plan.tree.now(metric)}


def becomes_computed(metric: str, formula: str) -> dict[str, Any]:
    """Return the changes, by path, that make an input a metric computed by a formula."""
    path = f"metrics.{metric}"
    gone = dict.fromkeys(f"{path}.{field}" for field in ("value", "low", "high", "season", "shape"))
    return {f"{path}.formula": formula, **gone}


def _without_links(plan: Plan, metric: str) -> dict[str, Any]:
    """Return the changes that take a metric out of the lists that name it."""
    changes: dict[str, Any] = {
        "stages": [stage for stage in plan.stages if stage != metric],
        "drivers": [plain(link) for link in plan.drivers if metric not in (link.source, link.target)],
        "assumptions.correlations": [plain(link) for link in plan.assumptions.correlations if metric not in link.pair],
    }
    for part in ("stock", "lost"):
        if metric in getattr(plan.opening, part):
            changes[f"opening.{part}.{metric}"] = None
    return changes


def _places(plan: Plan, metric: str) -> dict[str, bool]:
    """Return for each other place of a plan whether it names the metric."""
    entry = plan.metrics[metric]
    return {
        "stages": metric in plan.stages,
        "history": bool(entry.history or entry.tried),
        "opening": metric in plan.opening.stock or metric in plan.opening.lost,
        "drivers": any(metric in (link.source, link.target) for link in plan.drivers),
        "correlations": any(metric in link.pair for link in plan.assumptions.correlations),
    }
