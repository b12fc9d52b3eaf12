"""The board's cards and numbers: what each metric is, who answers for it, how the browser computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from kpi_core import goal
from kpi_core.plan import Plan
from kpi_core.program import compile_tree
from kpi_core.targets import TargetChance, target_chances
from workbench import sentences, surety, theme, words
from workbench.tree_board import Card, Model, Stage
from workbench.words import _

_MANY = 40  # cards; beyond, a look at every target would keep people waiting
_SIGNS = {"*": "×", "+": "+", "/": "÷", "-": "−", "sum": "+", "": "＝"}


def cards(plan: Plan, chances: Mapping[str, TargetChance] = MappingProxyType({})) -> list[Card]:
    """Return one card per metric, in the plan's order, with the chance of its target where it is known."""
    carriers, names = set(plan.tree.carriers(plan.kgi.metric)), words.names(plan)
    plain = [_card(plan, metric, names, carries=metric in carriers) for metric in plan.metrics]
    return [_judged(card, chances.get(card.id)) for card in plain]


def _judged(card: Card, found: TargetChance | None) -> Card:
    if found is None:
        return card
    said = _("If all stays as it was, what is needed comes {chance}").format(chance=surety.spoken(found))
    return replace(card, chance=surety.BARS[found.verdict], chance_text=said)


def chances(plan: Plan, before: Plan) -> dict[str, TargetChance]:
    """Return how likely it is that each metric gets to what it alone would have to be; of large trees nothing."""
    carriers = plan.tree.carriers(plan.kgi.metric)
    if len(carriers) > _MANY or plan.is_reached:
        return {}
    judged = [metric for metric in carriers if metric != plan.kgi.metric]
    needed = {metric: goal.required(plan, metric).value for metric in judged}
    return target_chances(plan, {metric: value for metric, value in needed.items() if value is not None}, before=before)


def _card(plan: Plan, metric: str, names: Mapping[str, str], *, carries: bool) -> Card:
    entry = plan.metrics[metric]
    computed = metric in plan.tree.expressions
    operator = plan.tree.expressions[metric].operator if computed else None
    scale = words.scale(entry)
    return Card(
        id=metric,
        name=names[metric],
        unit=entry.unit,
        kind=entry.kind,
        team=entry.team or "",
        team_name=words.team(plan, metric),
        colour=theme.team_colour(entry.team),
        role=_role(plan, metric, carries=carries, computed=computed),
        share=entry.is_share,
        low=entry.low,
        high=entry.high,
        span=None if computed or entry.span[0] >= entry.span[1] else entry.span,
        step=scale.step * scale.unit,
        operator="" if operator is None else _SIGNS.get(operator, "ƒ"),
        operator_name=_operator_name(operator),
        formula=sentences.formula(plan, metric, names) if computed else "",
    )


def _role(plan: Plan, metric: str, *, carries: bool, computed: bool) -> Literal["kgi", "input", "computed", "monitor"]:
    if metric == plan.kgi.metric:
        return "kgi"
    if not carries:
        return "monitor"
    return "computed" if computed else "input"


def model(plan: Plan, before: Plan) -> Model:
    """Return the plan's numbers and how to compute them; `before` is what changes are compared with."""
    return Model(
        program=compile_tree(plan.tree),
        inputs={metric: plan.tree.now(metric) for metric in plan.tree.inputs},
        baseline={metric: before.tree.now(metric) for metric in plan.metrics if metric in before.metrics},
        target=plan.kgi.target,
        revision=plan.digest,
    )


def stages(plan: Plan) -> list[Stage]:
    """Return the funnel: each stage with the levers that come in on the joint before it, the KGI last."""
    seen: set[str] = set()
    found = []
    for metric in dict.fromkeys((*plan.stages, plan.kgi.metric)):
        levers = [lever for lever in plan.tree.levers(metric) if lever not in seen]
        seen.update(levers)
        found.append(Stage(metric=metric, levers=levers))
    return found


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


def board_words() -> dict[str, str]:
    """Return the labels and sentences the board itself shows or speaks."""
    return {
        "tree": _("KPI tree"),
        "funnel": _("Funnel with its levers"),
        "monitors": _("Only watched"),
        "path": _("Path from the KGI"),
        "carries": _("Carried by"),
        "now_required": _("now → needed"),
        "lever": _("Lever: drag it"),
        "gap": _("Gap"),
        "baseline": _("Baseline"),
        "fold": _("Fold"),
        "unfold": _("Unfold"),
        "fold_all": _("Fold all"),
        "unfold_all": _("Unfold all"),
        "zoom_in": _("Zoom in"),
        "zoom_out": _("Zoom out"),
        "fit": _("Fit to width"),
        "search": _("Search by name"),
        "nothing_found": _("No card is called that."),
        "pin": _("Pin to compare"),
        "unpin": _("Unpin"),
        "pinned": _("Pinned"),
        "picture_svg": _("Picture (SVG)"),
        "picture_png": _("Picture (PNG)"),
        "cannot_alone": _("cannot alone"),
        "over_limit": _("{value} (> limit)"),
        "closes": _("At its plausible end it closes {share} of the gap."),
        "spoken": _("{name}: {now}. Team: {team}"),
        "spoken_needed": _("{name}: {now} now, {required} needed. Team: {team}"),
        "lever_spoken": _("{now}; {kgi}: {value}"),
        "chance": _("Judged by history (4 bars: comfortable)"),
    }
