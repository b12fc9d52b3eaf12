"""Answers about the chosen set: what it brings and uses, why it, and what it costs to decide otherwise.

As in `sentences`, answers are Markdown; what reads a picture aloud, and what people may edit, is plain text.
"""

from __future__ import annotations

from collections.abc import Mapping

from kpi_core.focus import Focus, FocusLimits, Return, conflicts
from kpi_core.focus.overload import Overload
from kpi_core.horizons import Horizons
from kpi_core.plan import Plan
from workbench import formats, overrides, sentences_focus, words
from workbench.overrides import Override
from workbench.sentences import both, listed
from workbench.sentences_focus import WORTH, least
from workbench.words import _, md


def loss(plan: Plan, year: Return) -> str:
    """Say of one KSF that it costs more than it brings this fiscal year, if so; plain text."""
    if year.net >= 0:
        return ""
    told = _("This fiscal year it brings {gain}, {net} less than it costs.")
    return told.format(gain=_money(plan, year.gain), net=_money(plan, -year.net))


def loss_of_all(plan: Plan, year: Return) -> str:
    """Say of a set that it costs more than it brings this fiscal year, if so."""
    if year.net >= 0:
        return ""
    said = {"gain": year.gain, "cost": year.cost, "net": -year.net}
    told = _(
        "This fiscal year the set brings {gain} and costs {cost}: {net} more than it brings."
        " The choice goes by what is brought, not by what it costs."
    )
    return told.format(**{name: md(_money(plan, amount)) for name, amount in said.items()})


def _money(plan: Plan, amount: float) -> str:
    """Return an amount of the plan's currency."""
    return words.money(amount) if plan.currency == "JPY" else f"{formats.grouped(round(amount))} {plan.currency}"


def uses(found: Focus) -> str:
    """Read the gauges aloud: what is used up, or that nothing is; plain text."""
    if not found.slack:
        return _("Nothing is limited: every KSF that helps is in.")
    gone = [name for name, left in found.slack.items() if left < WORTH]
    teams = [words.name(found.plan.teams[name.partition(".")[2]]) for name in gone if name.startswith("ksfs.")]
    amounts = [sentences_focus.resource(found.plan, name) for name in gone if not name.startswith("ksfs.")]
    return both(
        _("Used up: {resources}.").format(resources=listed(amounts, most=4)) if amounts else "",
        _("No place left: {teams}.").format(teams=listed(teams, most=4)) if teams else "",
    ) or _("Nothing is used up.")


def this_and_next(found: Focus, both: Horizons) -> str:
    """Read the two horizons beside the goal aloud; plain text."""
    plan = found.plan
    kgi, goal = plan.metrics[plan.kgi.metric], plan.kgi.target * (1 - 1e-9)
    if both.year >= goal:
        return _("The set reaches the goal this fiscal year.")
    short = words.value(plan.kgi.target - both.year, kgi)
    if both.run_rate >= goal:
        return _("This year {short} stay missing; once all are at full effect a year reaches the goal.").format(
            short=short
        )
    rest = words.value(plan.kgi.target - both.run_rate, kgi)
    return _("This year {short} stay missing, and {rest} even at full effect.").format(short=short, rest=rest)


def waterfall(found: Focus, parts: Mapping[str, float]) -> str:
    """Read the waterfall of the set aloud; plain text."""
    if not parts:
        return _("Nothing is chosen within these limits.")
    most = max(parts, key=lambda ksf: parts[ksf])
    return _(
        "{ksf} adds most. Each KSF has the mean of what it adds in every order of coming in, so the parts sum exactly;"
        " the axis does not begin at 0."
    ).format(ksf=f"{most} {words.name(found.plan.ksfs[most])}")


def ties(found: Focus) -> str:
    """Say how many of the next best sets are nearly equal to the best one."""
    count = sum(overrides.near(found, other) for other in found.next_best)
    if not found.next_best:
        return _("There is no other set within these limits.")
    if not count:
        return _("No other set is nearly equal: the best one stands clear.")
    if count == 1:
        return _("One set is nearly equal to the best: between the two the team may decide by what it believes in.")
    told = _("{count} sets are nearly equal to the best: among them the team may decide by what it believes in.")
    return told.format(count=count)


def in_the_way(plan: Plan) -> list[str]:
    """Say of each limit that what must be in breaks how much more it would take; nothing, if all fits. Plain text."""
    if not plan.limits.lock:
        return []
    groups = conflicts(plan, FocusLimits.of(plan), plan.limits.lock, plan.limits.rule_out)
    if not groups:
        return []
    lacks = [
        _("{resource}: {has} available, {short} more needed.").format(
            resource=sentences_focus.resource(plan, name),
            has=sentences_focus.amount(name, clash.has),
            short=sentences_focus.amount(name, clash.short),
        )
        for group in groups
        for clash in group
        for name in [clash.limit.replace("max_ksfs.", "ksfs.")]
    ]
    return [_("What must be in does not fit within the limits. Let some of it go, or give more:"), *lacks]


def not_looked_into(found: Focus) -> str:
    """Say how many of the KSFs left out were not looked into before one stopped."""
    count = len(found.left_out) - len(found.left_out.known)
    return _("{count} more were not looked into.").format(count=f"{count:,}") if count else ""


def cheapest(found: Focus, priced: Mapping[str, Override]) -> str:
    """Say which part of the choice costs least to overrule."""
    known = {ksf: one.loses for ksf, one in priced.items() if one.loses is not None}
    if not known:
        return ""
    ksf = min(known, key=lambda one: known[one])
    plan = found.plan
    said = {
        "ksf": md(f"{ksf} {words.name(plan.ksfs[ksf])}"),
        "kgi": md(words.value(abs(known[ksf]), plan.metrics[plan.kgi.metric])),
    }
    if priced[ksf].chosen and known[ksf] <= -least(found):
        return _("{ksf} must be in, as set by hand: without it there would be {kgi} more.").format(**said)
    if known[ksf] < least(found):
        return _("{ksf} can be decided the other way without changing the KGI.").format(**said)
    if priced[ksf].chosen:
        return _("Cheapest to overrule: leaving {ksf} out costs {kgi}.").format(**said)
    return _("Cheapest to overrule: forcing {ksf} in costs {kgi}.").format(**said)


def why_in(found: Focus, ksf: str, price: Override | None) -> str:
    """Say in one line why a KSF is in; plain text, for people to edit."""
    kgi = found.plan.metrics[found.plan.kgi.metric]
    if ksf in found.lock:
        return _("Must be in, as set by hand.")
    if price is None or found.proof.gap:  # one stopped before it was known
        return ""
    if price.loses is None or price.loses < least(found):
        return _("It is in the best set; another without it is just as good.")
    return _("Without it even the next best set brings {loss} less.").format(loss=words.value(price.loses, kgi))


def overload(plan: Plan, one: Overload) -> str:
    """Warn of more KSFs than people new to the work can carry."""
    said = {"team": md(words.name(plan.teams[one.team])), "skill": one.skill, "count": one.count}
    if one.chosen:
        told = _("{team} has skill {skill} and would take on {count} KSFs at once.")
    else:
        told = _("{team} has skill {skill} and is allowed {count} KSFs at once.")
    return both(
        told.format(**said),
        _("Such a team can carry two or three; more wear people out. Lower “At most”, or agree with a reason."),
    )
