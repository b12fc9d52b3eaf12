"""A metric under another id: the same plan, every mention of it included.

Two people may still take the same id for something new: in files they wrote, or by what they call it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from kpi_core.document import Decision
from kpi_core.formula import Expression, parse
from kpi_core.plan import Plan
from kpi_core.readings import text

_NUMBER = re.compile(r"(.*?)_?(\d*)")


def free_id(taken_one: str, taken: Collection[str]) -> str:
    """Return the next free id after one that is taken.

    >>> free_id("metric_15", {"metric_15", "metric_16"}), free_id("leads", {"leads"})
    ('metric_17', 'leads_2')
    """
    found = _NUMBER.fullmatch(taken_one)
    stem, number = (found[1], int(found[2] or 1)) if found else (taken_one, 1)
    while (free := f"{stem[:50]}_{number}") in taken:
        number += 1
    return free if number > 1 else free_id(f"{stem}_2", taken)


def renamed(plan: Plan, metric: str, new: str, *, old_decisions: Collection[Decision] = ()) -> Plan:
    """Return the plan with one metric's id changed; `old_decisions` stay, they speak of another one."""

    def name(one: str) -> str:
        return new if one == metric else one

    def keys(known: Mapping[str, Any]) -> Mapping[str, Any]:
        return MappingProxyType({name(key): value for key, value in known.items()})

    return replace(
        plan,
        kgi=plan.kgi.model_copy(update={"metric": name(plan.kgi.metric)}),
        metrics={name(one): entry.model_copy(update=_formulas(entry, name)) for one, entry in plan.metrics.items()},
        ksfs={
            ksf: entry.model_copy(update={"moves": keys(entry.moves), "needs": keys(entry.needs)})
            for ksf, entry in plan.ksfs.items()
        },
        stages=tuple(name(stage) for stage in plan.stages),
        drivers=tuple(
            link.model_copy(update={"source": name(link.source), "target": name(link.target)}) for link in plan.drivers
        ),
        opening=plan.opening.model_copy(update={"stock": keys(plan.opening.stock), "lost": keys(plan.opening.lost)}),
        assumptions=plan.assumptions.model_copy(
            update={
                "correlations": tuple(
                    link.model_copy(update={"pair": (name(link.pair[0]), name(link.pair[1]))})
                    for link in plan.assumptions.correlations
                )
            }
        ),
        decisions=tuple(one if one in old_decisions else _decision(one, name) for one in plan.decisions),
    )


def _formulas(entry: Any, name: Callable[[str], str]) -> dict[str, str]:
    return {
        field: text(Expression(tuple(_steps(formula, name))))
        for field in ("formula", "by_month")
        if (formula := getattr(entry, field)) is not None
    }


def _steps(formula: str, name: Callable[[str], str]) -> Iterable[Any]:
    return (step._replace(name=name(step.name)) for step in parse(formula).steps)


def _decision(decision: Decision, name: Callable[[str], str]) -> Decision:
    waits = {
        ksf: one if one.metric is None else one.model_copy(update={"metric": name(one.metric)})
        for ksf, one in decision.postponed.items()
    }
    return decision.model_copy(update={"postponed": MappingProxyType(waits)})
