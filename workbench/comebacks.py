"""Postponed, not dropped: when each KSF that is left out is looked at again, from the reason why it is."""

from __future__ import annotations

import math

from kpi_core.document import ComeBack
from kpi_core.focus import Focus, Reason
from kpi_core.plan import Plan
from workbench import formats, words
from workbench.sentences import listed
from workbench.words import _

_WHEN = {
    "skill_gap": "skill",
    "flow": "flow",
    "prerequisite": "ksfs",
    "excluded": "without",
    "over_hours": "hours",
    "over_quarter": "hours",
    "over_budget": "budget",
    "team_full": "place",
    "no_effect": "effect",
    "ruled_out": "wanted",
    "slow_ramp": "next_year",
}


def of(found: Focus) -> dict[str, ComeBack]:
    """Return the condition of every KSF left out; where the reason was not looked into yet, the next review."""
    known = found.left_out.known
    later = ComeBack(when="next_review")
    return {ksf: _of(known[ksf]) if ksf in known else later for ksf in found.left_out}


def _of(why: Reason) -> ComeBack:
    facts, when = why.facts, _WHEN.get(why.code, "next_review")
    said: dict[str, object] = {"when": when}
    if when in ("skill", "hours", "place") and facts.get("team"):
        said["team"] = facts["team"]
    if when == "flow":
        said["metric"] = facts.get("metric")
    if when == "ksfs":
        said["ksfs"] = facts.get("missing", ())
    if when == "without":
        said["ksfs"] = facts.get("by", ())
    if when == "hours" and "quarter" in facts:
        said["quarter"] = facts["quarter"]
    amount = facts.get("needed" if when in ("skill", "flow") else "short")
    if when in ("skill", "flow", "hours", "budget") and isinstance(amount, int | float):
        said["amount"] = float(math.ceil(amount - 1e-9)) if when == "hours" else float(amount)
    return ComeBack.model_validate(said)


def said(plan: Plan, condition: ComeBack) -> str:
    """Say when a KSF comes back, with the names of today; what has gone from the plan is said by its id. Plain text."""
    says = {
        "skill": _("When {team} reaches skill {amount}"),
        "flow": _("When {metric} reaches {amount} a month"),
        "ksfs": _("Once {ksfs} runs"),
        "without": _("When {ksfs} is no longer in"),
        "hours": _("When {team} has {amount} more hours free")
        if condition.quarter is None
        else _("When {team} has {amount} more hours free in quarter {quarter}"),
        "budget": _("When {amount} more budget is there"),
        "place": _("When {team} can take on one more"),
        "effect": _("When it moves something that carries the goal"),
        "wanted": _("When it is no longer ruled out by hand"),
        "next_year": _("For next year's plan"),
        "next_review": _("At the next review"),
    }
    team, metric = plan.teams.get(condition.team or ""), plan.metrics.get(condition.metric or "")
    amount = condition.amount or 0.0
    if condition.when == "budget":
        amount_said = words.money(amount)
    elif condition.when == "flow" and metric:
        amount_said = words.value(amount, metric)
    else:
        amount_said = formats.plain_number(amount)
    return says[condition.when].format(
        team=words.name(team) if team else condition.team or "–",
        metric=words.name(metric) if metric else condition.metric or "–",
        ksfs=listed([ksf_named(plan, ksf) for ksf in condition.ksfs]),
        amount=amount_said,
        quarter=condition.quarter,
    )


def ksf_named(plan: Plan, ksf: str) -> str:
    """Return a KSF's id and, if it is still in the plan, its name."""
    return f"{ksf} {words.name(plan.ksfs[ksf])}" if ksf in plan.ksfs else ksf
