"""What-if in pictures and tables: the bridge to the goal, and 逆算 lever by lever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpi_core import goal
from kpi_core.attribution import PlanChange, explain_plans
from kpi_core.goal import Required
from kpi_core.plan import Plan
from kpi_core.targets import TargetChance
from workbench import charts, surety, theme, words
from workbench.charts.picture import Picture
from workbench.words import _

_ROOM = 3  # steps: the first lever that moves pushes nothing down


def changed(plan: Plan, before: Plan) -> dict[str, tuple[float, float]]:
    """Return the levers that differ from the baseline: what they were and what they are.

    None where the baseline does not know today's KGI: there is nothing to compare with then.
    """
    if plan.kgi.metric not in before.metrics:
        return {}
    return {
        lever: (before.tree.now(lever), plan.tree.now(lever))
        for lever in plan.tree.levers(plan.kgi.metric)
        if lever in before.tree.inputs and before.tree.now(lever) != plan.tree.now(lever)
    }


def bridge(plan: Plan, before: Plan, change: PlanChange | None = None) -> Picture:
    """Return the waterfall from the baseline's KGI over every changed lever to today's."""
    metric = plan.metrics[plan.kgi.metric]
    goal_words = _("Goal {goal}").format(goal=words.value(plan.kgi.target, metric))
    return charts.bridge(
        [step | {"goal": plan.kgi.target} for step in _steps(plan, change or explain_plans(before, plan))],
        goal=goal_words,
        amount=_("KGI"),
        room=_ROOM,
    )


def _steps(plan: Plan, change: PlanChange) -> list[dict[str, Any]]:
    """Return the bars: the baseline where it has this KGI, what lies between, and now."""
    metric, steps = plan.metrics[plan.kgi.metric], list[dict[str, Any]]()
    if change.before is not None:
        at = change.before
        steps.append(_step(_("Baseline"), 0.0, at, words.value(at, metric), theme.GHOST))
        for name, share, colour in _between(plan, change):
            steps.append(_step(name, at, at + share, words.difference(share, metric), colour))
            at += share
    return [*steps, _step(_("Now"), 0.0, change.after, words.value(change.after, metric), theme.NEUTRAL)]


def _between(plan: Plan, change: PlanChange) -> list[tuple[str, float, str]]:
    """Return name, amount and colour of each bar between: one for all levers together where no split exists."""
    between = [(_("Formulas"), change.other, theme.NEUTRAL)] if change.other else []
    if change.refused and len(change.levers) > 1:
        together = _("{count} levers together").format(count=len(change.levers))
        return [*between, (together, change.moved, theme.NEUTRAL)]
    shares = dict.fromkeys(change.levers, change.moved) if change.refused else change.shares
    for lever, share in shares.items():
        entry = plan.metrics[lever]
        between.append((words.name(entry), share, theme.team_colour(entry.team)))
    return between


def _step(name: str, start: float, end: float, label: str, colour: str) -> dict[str, Any]:
    return {"name": name, "start": start, "end": end, "label": label, "colour": colour}


def needed_alone(
    plan: Plan, needed: Mapping[str, Required], chances: Mapping[str, TargetChance]
) -> list[dict[str, str]]:
    """Return one row per lever: what it is, what it alone would have to be, how likely that is, whether it can."""
    return [
        {
            _("Lever"): words.name(plan.metrics[lever]),
            _("Team"): words.team(plan, lever),
            _("Now"): words.value(one.now, plan.metrics[lever]),
            _("Needed alone"): "–" if one.value is None else words.needed(one.value, plan.metrics[lever]),
            _("Change"): "–" if one.value is None else words.difference(one.value - one.now, plan.metrics[lever]),
            _("Judged by history"): "–" if one.limit == "already" else surety.spoken(chances.get(lever)),
            _("Can it?"): verdict(plan, one),
        }
        for lever, one in needed.items()
    ]


def verdict(plan: Plan, one: Required) -> str:
    """Say whether a lever can close the gap by itself, and if not what stops it."""
    entry = plan.metrics[one.lever]
    kgi = words.value(one.kgi, plan.metrics[plan.kgi.metric])
    says = {
        None: _("Yes, within its plausible range"),
        "already": _("The goal is reached already"),
        "plausible": _("Not alone: its plausible limit is {limit}, which gives {kgi}"),
        "natural": _("Not alone: even at its limit of {limit} it gives {kgi}"),
        "no_effect": _("It does not move the KGI"),
        "frozen": _("It is held still"),
    }
    high, low = entry.span[1], entry.span[0]
    limit = words.value(high if one.value is None or one.value > one.now else low, entry)
    return says.get(one.limit, says["no_effect"]).format(limit=limit, kgi=kgi)


def spread(plan: Plan, spread: goal.Spread, chances: Mapping[str, TargetChance]) -> list[dict[str, str]]:
    """Return one row per lever of the least-effort spread, and how likely each target is by itself."""
    return [
        {
            _("Lever"): words.name(plan.metrics[lever]),
            _("Team"): words.team(plan, lever),
            _("Now"): words.value(one.now, plan.metrics[lever]),
            _("Target"): words.apart(one.now, one.value, plan.metrics[lever])[1],
            _("Change"): words.difference(one.value - one.now, plan.metrics[lever]),
            _("Judged by history"): surety.spoken(chances.get(lever)) if one.log_change else "–",
            _("Note"): {"plausible": _("at its limit"), "frozen": _("held still")}.get(one.limit or "", ""),
        }
        for lever, one in spread.items()
    ]


def compared(plan: Plan, scenarios: Mapping[str, Plan]) -> list[dict[str, str]]:
    """Return one row per lever and the KGI, one column per scenario kept."""
    columns = {_("Now"): plan, **scenarios}
    rows = []
    for metric in (plan.kgi.metric, *plan.tree.levers(plan.kgi.metric)):
        values = {
            name: words.value(kept.tree.now(metric), kept.metrics[metric]) if metric in kept.metrics else "–"
            for name, kept in columns.items()
        }
        if metric == plan.kgi.metric or len(set(values.values())) > 1:
            rows.append({_("Metric"): words.name(plan.metrics[metric]), **values})
    return rows
