"""The choice in words: what each team takes on, why not the others, what overruling costs, the next best sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from kpi_core.focus import Alternative, Focus, Reason
from kpi_core.plan import Plan
from workbench import comebacks, formats, overrides, words
from workbench.overrides import Override
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


def brings(found: Focus, ksf: str, part: float) -> str:
    """Say what a chosen KSF takes, and its `part` of what the set brings."""
    plan, entry = found.plan, found.plan.ksfs[ksf]
    own = entry.hours.get(entry.team, 0.0)
    others = sum(entry.hours.values()) - own
    said = {
        "kgi": words.difference(part, plan.metrics[plan.kgi.metric]),
        "cost": words.money(entry.cost),
        "own": f"{own:,.0f}",
        "others": f"{others:,.0f}",
    }
    if others:
        return _("{kgi}. Costs {cost}, {own} h and {others} h of other teams").format(**said)
    return _("{kgi}. Costs {cost} and {own} h").format(**said)


def left_out(found: Focus) -> list[dict[str, str]]:
    """Return one row for each KSF left out, if its reason is known: why, and when it comes back."""
    plan, conditions = found.plan, comebacks.of(found)
    return [
        {
            _("KSF"): f"{ksf} {words.name(plan.ksfs[ksf])}",
            _("Why not now"): reason(plan, why),
            _("Postponed, not dropped: it comes back"): comebacks.said(plan, conditions[ksf]),
            _("Some of it comes with"): words.joined(_brought_by(found, ksf)) or "–",
        }
        for ksf, why in found.left_out.known.items()
    ]


def _brought_by(found: Focus, ksf: str) -> list[str]:
    links = found.plan.assumptions.spillovers
    return [link.source for link in links if link.target == ksf and link.source in found.chosen]


def overriding(found: Focus, priced: Mapping[str, Override]) -> list[dict[str, str]]:
    """Return one row for every KSF, the chosen first: what it costs to decide otherwise, and what that changes."""
    plan = found.plan
    kgi = plan.metrics[plan.kgi.metric]
    return [
        {
            _("KSF"): f"{ksf} {words.name(plan.ksfs[ksf])}",
            _("If decided otherwise"): _("Leave out") if one.chosen else _("Force in"),
            _("Change of the KGI"): _("Not possible") if one.loses is None else words.difference(-one.loses, kgi),
            _("Comes in"): words.joined(one.comes_in) or "–",
            _("Goes out"): words.joined(one.goes_out) or "–",
        }
        for ksf, one in sorted(priced.items(), key=lambda pair: not pair[1].chosen)
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
        "over_quarter": _("Beside the set {team} is {short} h short in quarter {quarter}"),
        "over_quarter_alone": _("Even without the others {team} is {short} h short in quarter {quarter}"),
        "excluded": _("Cannot be chosen together with {by}"),
        "team_full": _("{team} has no place left"),
        "skill_gap": _("Needs skill {needed}, {team} has {has}: only {share} of the effect would come"),
        "flow": _("Needs {needed} {metric} a month, has {has}: only {share} of the effect would come"),
        "prerequisite": _("Builds on {missing}, which is not chosen: only {share} of the effect would come"),
        "slow_ramp": _(
            "Works from month {start} to {full}: only {share} of the effect comes in time;"
            " in full it changes the KGI by {later}"
        ),
        "lower_effect": _("Beside the set it adds only {adds}"),
        "lower_effect_replaces": _("Would replace {replaces} and lose {loses}"),
    }
    code = f"{why.code}_alone" if why.facts.get("alone") else why.code
    if why.code == "lower_effect" and why.replaces:
        code = "lower_effect_replaces"
    return says[code].format(**{name: _fact(plan, name, fact) for name, fact in _facts(plan, why).items()})


def _facts(plan: Plan, why: Reason) -> Mapping[str, object]:
    kgi, facts = plan.metrics[plan.kgi.metric], why.facts
    said: dict[str, object] = {**facts, "share": facts.get("factor", 1.0), "replaces": why.replaces}
    if why.code == "over_budget":
        said["short"] = words.money(float(str(facts["short"])))
    elif "short" in facts:
        said["short"] = ceil(float(str(facts["short"])) - 1e-9)
    if why.loses is not None:
        said["loses"] = words.value(why.loses, kgi)
    if "later" in facts:
        said["later"] = words.difference(float(str(facts["later"])), kgi)
    if why.code == "flow":
        metric = plan.metrics[str(facts["metric"])]
        said |= {name: words.value(float(str(facts[name])), metric) for name in ("needed", "has")}
    return said


def _fact(plan: Plan, name: str, fact: object) -> str:
    if name == "team" and fact in plan.teams:
        return words.name(plan.teams[str(fact)])
    if name == "metric":
        return words.name(plan.metrics[str(fact)])
    if name in ("share", "adds") and isinstance(fact, float):
        return words.percent(fact)
    if isinstance(fact, tuple):
        return words.joined([f"{ksf} {words.name(plan.ksfs[ksf])}" if ksf in plan.ksfs else ksf for ksf in fact])
    return formats.plain_number(float(fact)) if isinstance(fact, int | float) else str(fact)


def alternatives(found: Focus) -> list[dict[str, str]]:
    """Return the best set and the next ones: what each has otherwise, what it loses, and whether it is a near tie."""
    plan = found.plan
    kgi = plan.metrics[plan.kgi.metric]
    sets = [(_("Best so far") if found.proof.gap else _("Best"), found.chosen, found.kgi, "–", "–")]
    for place, other in enumerate(found.next_best, 2):
        less = words.difference(other.kgi - found.kgi, kgi)
        sets.append((str(place), other.chosen, other.kgi, less, _how_close(found, other)))
    return [
        {
            _("Set"): name,
            _("KSFs"): " ".join(chosen) or _("None at all"),
            _("Instead"): _instead(found.chosen, chosen),
            _("KGI"): words.value(amount, kgi),
            _("Less"): less,
            _("How close"): close,
        }
        for name, chosen, amount, less, close in sets
    ]


def _how_close(found: Focus, other: Alternative) -> str:
    if idle := found.idle_between(other):
        return _("The same: {ksfs} changes nothing").format(ksfs=words.joined(idle))
    return _("Nearly equal") if overrides.near(found, other) else _("Clearly less")


def _instead(best: Sequence[str], other: Sequence[str]) -> str:
    """Return what another set has more and less than the best: +M4 −M2."""
    more = [f"+{ksf}" for ksf in other if ksf not in best]
    return " ".join([*more, *(f"{formats.MINUS}{ksf}" for ksf in best if ksf not in other)]) or "–"
