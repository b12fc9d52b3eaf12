"""The tree's cards: what each metric is, what it would have to be, and who answers for it."""

from __future__ import annotations

from math import ceil
from typing import Literal

from kpi_core import goal
from kpi_core.document import Metric
from kpi_core.goal import Required
from kpi_core.plan import Plan
from workbench import sentences, theme, words
from workbench.tree_board import Card
from workbench.words import _

_SIGNS = {"*": "×", "+": "+", "/": "÷", "-": "−", "sum": "+", "": "＝"}


def cards(plan: Plan) -> list[Card]:
    """Return one card per metric, in the plan's order."""
    carriers = set(plan.tree.carriers(plan.kgi.metric))
    needed = {metric: goal.required(plan, metric) for metric in carriers}
    return [_card(plan, metric, needed.get(metric)) for metric in plan.metrics]


def _card(plan: Plan, metric: str, needed: Required | None) -> Card:
    entry = plan.metrics[metric]
    now = plan.tree.now(metric)
    value = words.value(now, entry)
    required = _required(entry, needed)
    gap = (
        words.difference(now - _shown_need(entry, needed.value), entry)
        if needed and needed.value and required
        else None
    )
    operator = plan.tree.expressions[metric].operator if metric in plan.tree.expressions else None
    team = words.team(plan, metric)
    return Card(
        id=metric,
        name=words.name(entry),
        unit=entry.unit,
        team=entry.team or "",
        team_name=team,
        colour=theme.team_colour(entry.team),
        role=_role(plan, metric, needed),
        status=_status(needed),
        now=value,
        required=required,
        gap=gap,
        filled=_filled(now, needed),
        operator=_SIGNS.get(operator, "ƒ") if operator is not None else "",
        operator_name=_operator_name(operator),
        formula=sentences.formula(plan, metric) if operator is not None else "",
        spoken=_spoken(words.name(entry), value, required, team),
    )


def _role(plan: Plan, metric: str, needed: Required | None) -> Literal["kgi", "input", "computed", "monitor"]:
    if metric == plan.kgi.metric:
        return "kgi"
    if needed is None:
        return "monitor"
    return "computed" if metric in plan.tree.expressions else "input"


def _status(needed: Required | None) -> Literal["reached", "gap", "plain"]:
    if needed is None:
        return "plain"
    return "reached" if needed.limit == "already" else "gap"


def _filled(now: float, needed: Required | None) -> float:
    """Return how far the bar is filled: now over needed, for either direction of the lever."""
    if needed is None or not needed.value or not now:
        return 1.0 if needed and needed.limit == "already" else 0.0
    return min(now / needed.value, needed.value / now)


def _required(entry: Metric, needed: Required | None) -> str | None:
    if needed is None or needed.limit == "already":
        return None
    if needed.value is None:
        return _("cannot alone")
    said = words.value(_shown_need(entry, needed.value), entry)
    return said if needed.reachable else _("{value} (> limit)").format(value=said)


def _shown_need(entry: Metric, value: float) -> float:
    """Return a need as it is shown: nobody can win half a deal, so counts go up to the next whole one."""
    return ceil(value - 1e-9) if entry.kind in ("count", "activity") and value >= 10 else value


def _operator_name(operator: str | None) -> str:
    names = {
        "*": _("multiplied"),
        "+": _("added"),
        "sum": _("added"),
        "/": _("divided"),
        "-": _("subtracted"),
        "": _("equals"),
    }
    return "" if operator is None else names.get(operator, _("computed"))


def _spoken(name: str, now: str, required: str | None, team: str) -> str:
    if required is None:
        return _("{name}: {now}. Team: {team}").format(name=name, now=now, team=team)
    return _("{name}: {now} now, {required} needed. Team: {team}").format(
        name=name, now=now, required=required, team=team
    )


def board_words() -> dict[str, str]:
    """Return the few labels the board itself shows or speaks."""
    return {
        "tree": _("KPI tree"),
        "monitors": _("Only watched"),
        "path": _("Path from the KGI"),
        "carries": _("Carried by"),
        "now_required": _("now → needed"),
        "lever": _("Lever"),
        "gap": _("Gap"),
        "reached": _("Reached"),
        "fold": _("Fold"),
        "unfold": _("Unfold"),
        "zoom_in": _("Zoom in"),
        "zoom_out": _("Zoom out"),
        "fit": _("Fit to width"),
    }
