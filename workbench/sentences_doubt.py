"""Answers about doubt: how often the goal is reached, where the doubt comes from, what to find out first.

As in `sentences`, answers are Markdown and what reads a picture aloud is plain text.
"""

from __future__ import annotations

from collections.abc import Mapping

from kpi_core.focus import Focus
from kpi_core.horizons import Horizons
from kpi_core.luck import planned_target
from kpi_core.plan import Plan
from kpi_core.targets import TargetChance
from kpi_core.uncertainty import FindingOut
from workbench import months, surety, words
from workbench.doubt import Doubt
from workbench.sentences import both, listed
from workbench.words import _, md


def sure(plan: Plan, seen: Doubt) -> str:
    """Say how often this year's goal is reached, and between what the KGI lies in eight of ten cases."""
    kgi = plan.metrics[plan.kgi.metric]
    if seen.certain:
        return _("Nothing in this plan is uncertain yet. Give the levers a low and a high.")
    said = {
        "goal": md(words.value(plan.kgi.target, kgi)),
        "chance": words.chance(seen.chance),
        "low": md(words.value(seen.low, kgi)),
        "high": md(words.value(seen.high, kgi)),
    }
    told = _("This year the goal of {goal} is reached {chance}; 8 times in 10 it ends between {low} and {high}.")
    return told.format(**said)


def held(seen: Doubt) -> str:
    """Say what the chance rests on: its numerical error, what varies, and the chance in a full year."""
    said = {
        "error": f"{100 * seen.error:.2g}",
        "draws": f"{seen.draws:,}",
        "count": seen.levers,
        "steady": words.chance(seen.steady),
    }
    if not seen.lucky:
        return _(
            "{draws} draws over {count} ranges (numerical error ±{error} pt); what entered before this year is fixed."
            " If the ranges held for a full year: {steady}."
        ).format(**said)
    return _(
        "{draws} draws over {count} ranges and the luck of the deals (numerical error ±{error} pt); what entered before"
        " this year is fixed. If the ranges held for a full year: {steady}."
    ).format(**said)


def fan(plan: Plan, seen: Doubt) -> str:
    """Read the fan aloud."""
    kgi = plan.metrics[plan.kgi.metric]
    low, middle, high = (words.value(seen.bands[share][-1], kgi) for share in (0.1, 0.5, 0.9))
    return _("Summed up to the year's end: half of all cases above {middle}, 8 of 10 between {low} and {high}.").format(
        low=low, middle=middle, high=high
    )


def shares(plan: Plan, seen: Doubt) -> str:
    """Say from which lever most of the doubt comes, ties as ties; plain text."""
    order = sorted(seen.total, key=lambda lever: -seen.total[lever])
    if not order or seen.total[order[0]] <= 0:
        return _("No lever's range moves the outcome.")
    first = [lever for lever in order if seen.total[lever] > seen.total[order[0]] - 0.005]
    said = {
        "levers": listed([words.name(plan.metrics[lever]) for lever in first], most=3),
        "share": words.percent(seen.total[order[0]]),
    }
    if len(first) > 1:
        return _("{levers} have an equally large part in the doubt, about {share} each.").format(**said)
    return _("{levers} has the largest part in the doubt, about {share} of it.").format(**said)


def finding_out(plan: Plan, found: FindingOut) -> str:
    """Say what is worth finding out before people are put on a lever."""
    kgi = plan.metrics[plan.kgi.metric]
    if found.choice is None:
        return _("Without ranges there is nothing to find out.")
    said = {"choice": md(words.name(plan.metrics[found.choice])), "gain": md(words.value(found.gain, kgi))}
    if not found.changes:
        return _("Whatever you find out, {choice} stays the lever to work on.").format(**said)
    first = found.changes[0]
    return _(
        "As things are known, work on {choice} first ({gain} on average). Finding out where {lever} really is before"
        " deciding is worth up to {worth}."
    ).format(lever=md(words.name(plan.metrics[first])), worth=md(words.value(found.worth[first], kgi)), **said)


def planned_for(plan: Plan, confidence: float | None) -> str:
    """Say what has to be expected for the goal to come with a chance; nothing where exactly the goal is planned."""
    if confidence is None:
        return ""
    kgi = plan.metrics[plan.kgi.metric]
    return _("To reach {goal} {chance}, {expected} have to be expected: what follows is for that.").format(
        goal=md(words.value(plan.kgi.target, kgi)),
        chance=words.chance(confidence),
        expected=md(words.value(planned_target(plan, confidence), kgi)),
    )


def targets(plan: Plan, found: Mapping[str, TargetChance]) -> str:
    """Say how likely the targets are, each by itself, and what they are judged by."""
    if not found:
        return ""
    hard = [one for one in found.values() if one.verdict == "reckless"]
    best = max(found.values(), key=lambda one: one.probability)
    said = {"lever": md(words.name(plan.metrics[best.metric])), "chance": words.chance(best.probability)}
    told = _(
        "If all stays as it was, even the likeliest of these targets, {lever}, is reached {chance} ({verdict})."
    ).format(verdict=surety.verdict(best.verdict), **said)
    if len(hard) == len(found) and len(found) > 1:
        told = _("If all stays as it was, each of these targets alone would be close to reckless.")
    if any(one.assumed for one in found.values()):
        return both(told, _("Judged by the baseline's numbers, as though they were last year's."))
    return told


def this_year(found: Focus, seen: Horizons) -> str:
    """Say what a set brings this year and what at full effect, and how sure that makes the goal."""
    plan = found.plan
    kgi = plan.metrics[plan.kgi.metric]
    said = {"year": md(words.value(seen.year, kgi)), "full": md(words.value(seen.run_rate, kgi))}
    told = _("This fiscal year {year}; at full effect {full} a year.").format(**said)
    if seen.chance is None:
        return told
    luck = _("By the luck of the deals alone this year's goal is then reached {chance}.")
    return both(told, luck.format(chance=words.chance(seen.chance)))


def still_needed(found: Focus, seen: Horizons) -> str:
    """Say what closes the gap that a set leaves this year; nothing where none is left or it cannot be closed so."""
    rest = seen.rest
    if rest is None or rest.limit == "already" or rest.factor is None:
        return ""
    return _("The rest of the gap closes with {lever} at {factor} what is planned from {month} on.").format(
        lever=md(listed([words.name(found.plan.metrics[lever]) for lever in rest.levers])),
        factor=words.times(rest.factor),
        month=months.named(found.plan, rest.start),
    )
