"""The choice in words: what each team takes on, why not the others, and how each effect comes about."""

from __future__ import annotations

from collections.abc import Mapping

from kpi_core.focus import Entry, Focus, Reason
from kpi_core.plan import Plan
from workbench import charts, formats, theme, words
from workbench.charts.picture import Picture
from workbench.words import _


def of_team(found: Focus, team: str) -> list[str]:
    """Return the KSFs a team takes on."""
    return [ksf for ksf in found.chosen if found.plan.ksfs[ksf].team == team]


def hours(found: Focus, team: str) -> str:
    """Say how many of a team's hours the set takes."""
    used = found.used.get(f"hours.{team}", 0.0)
    limit = found.limits.hours.get(team)
    if limit is None:
        return _("{used} h of this team used, by its own and other teams' KSFs").format(used=f"{used:,.0f}")
    return _("{used} of this team's {limit} h used, by its own and other teams' KSFs").format(
        used=f"{used:,.0f}", limit=f"{limit:,.0f}"
    )


def brings(found: Focus, ksf: str) -> str:
    """Say what a chosen KSF brings and takes."""
    plan, entry = found.plan, found.plan.ksfs[ksf]
    own = entry.hours.get(entry.team, 0.0)
    others = sum(entry.hours.values()) - own
    said = {
        "kgi": words.difference(-found.brings[ksf], plan.metrics[plan.kgi.metric]),
        "cost": words.money(entry.cost),
        "own": f"{own:,.0f}",
        "others": f"{others:,.0f}",
    }
    if others:
        return _("Without it {kgi}. Costs {cost}, {own} h and {others} h of other teams").format(**said)
    return _("Without it {kgi}. Costs {cost} and {own} h").format(**said)


def left_out(found: Focus) -> list[dict[str, str]]:
    """Return one row for each KSF left out: the reason, and what forcing it in would cost."""
    plan = found.plan
    kgi = plan.metrics[plan.kgi.metric]
    return [
        {
            _("KSF"): f"{ksf} {words.name(plan.ksfs[ksf])}",
            _("Why not now"): reason(plan, why),
            _("If it were forced in"): "–" if why.loses is None else words.difference(-why.loses, kgi),
            _("It would replace"): words.joined(why.replaces),
        }
        for ksf, why in found.left_out.items()
    ]


def reason(plan: Plan, why: Reason) -> str:
    """Say why a KSF is left out, in one sentence."""
    says = {
        "ruled_out": _("Ruled out by hand"),
        "no_effect": _("It moves nothing that carries this KGI"),
        "over_budget": _("Beside the set the budget is {short} short"),
        "over_hours": _("Beside the set {team} is {short} h short"),
        "over_budget_alone": _("Even without the others the budget is {short} short"),
        "over_hours_alone": _("Even without the others {team} is {short} h short"),
        "team_full": _("{team} has no place left"),
        "skill_gap": _("Needs skill {needed}, {team} has {has}: only {share} of the effect would come"),
        "flow": _("Needs {needed} {metric} a month, has {has}: only {share} of the effect would come"),
        "prerequisite": _("Builds on {missing}, which is not chosen: only {share} of the effect would come"),
        "slow_ramp": _("Works from month {start} to {full}: only {share} of the effect falls within 12 months"),
        "lower_effect": _("Brings less than what it would replace"),
    }
    said = says[f"{why.code}_alone" if why.facts.get("alone") else why.code]
    return said.format(**{name: _fact(plan, name, fact) for name, fact in _facts(why).items()})


def _facts(why: Reason) -> Mapping[str, object]:
    short = why.facts.get("short", 0.0)
    return {
        **why.facts,
        "share": why.facts.get("factor", 1.0),
        "short": words.money(float(str(short))) if why.code == "over_budget" else short,
    }


def _fact(plan: Plan, name: str, fact: object) -> str:
    if name == "team" and fact in plan.teams:
        return words.name(plan.teams[str(fact)])
    if name == "metric":
        return words.name(plan.metrics[str(fact)])
    if name == "share" and isinstance(fact, float):
        return words.percent(fact)
    if isinstance(fact, tuple):
        return words.joined([f"{ksf} {words.name(plan.ksfs[ksf])}" if ksf in plan.ksfs else ksf for ksf in fact])
    return formats.plain_number(float(fact)) if isinstance(fact, int | float) else str(fact)


def alternatives(found: Focus) -> list[dict[str, str]]:
    """Return the best set and the next ones, with what each loses."""
    plan = found.plan
    kgi = plan.metrics[plan.kgi.metric]
    rows = [
        {_("Set"): _("Best"), _("KSFs"): " ".join(found.chosen), _("KGI"): words.value(found.kgi, kgi), _("Less"): "–"}
    ]
    for place, other in enumerate(found.next_best, 2):
        rows.append(
            {
                _("Set"): str(place),
                _("KSFs"): " ".join(other.chosen),
                _("KGI"): words.value(other.kgi, kgi),
                _("Less"): words.difference(other.kgi - found.kgi, kgi),
            }
        )
    return rows


def steps() -> dict[str, str]:
    """Return the names of the ledger's steps."""
    return {
        "stated": _("Stated, average"),
        "execution": _("Execution"),
        "skill": _("Skill"),
        "headroom": _("Headroom"),
        "flow": _("Flow"),
        "prerequisites": _("Prerequisites"),
        "dilution": _("Dilution"),
        "synergy": _("Synergy"),
        "ramp": _("Ramp"),
        "spill_over": _("Spill-over"),
    }


def ledger(plan: Plan, entry: Entry) -> Picture:
    """Return the waterfall from the stated lift of a KSF to the one that counts."""
    drawn, before = [], 0.0
    colour = theme.team_colour(plan.ksfs[entry.ksf].team)
    for step, value in entry.running():
        first = step == "stated"
        if first or abs(value - before) > 1e-12:
            drawn.append(
                {
                    "name": steps()[step],
                    "start": 0.0 if first else before,
                    "end": value,
                    "label": words.percent(value) if first else f"×{value / before:.2f}" if before else "",
                    "colour": theme.GHOST if first else colour,
                }
            )
        before = value
    drawn.append(
        {"name": _("Effective"), "start": 0.0, "end": before, "label": words.percent(before), "colour": theme.NEUTRAL}
    )
    return charts.steps(drawn, amount=_("Lift"))


def ledger_rows(plan: Plan, entries: tuple[Entry, ...]) -> list[dict[str, str]]:
    """Return every effect of the set as a row: stated, each factor, effective."""
    names = steps()
    return [
        {
            _("KSF"): entry.ksf if entry.spills_from is None else f"{entry.spills_from} → {entry.ksf}",
            _("Metric"): words.name(plan.metrics[entry.metric]),
            names["stated"]: words.percent(entry.stated),
            **{names[step]: f"×{factor:.3f}" for step, factor in entry.factors.items()},
            names["spill_over"]: "" if entry.spills_from is None else f"×{entry.share:.2f}",
            _("Effective"): words.percent(entry.effective),
        }
        for entry in entries
    ]
