"""Answers about a choice's price and doubt. As in `sentences`, answers are Markdown, readings plain text."""

from __future__ import annotations

from collections.abc import Sequence

from kpi_core.focus import Amount, Focus, Price, Robustness
from kpi_core.focus import priced as every_limit
from kpi_core.plan import Plan
from workbench import words
from workbench.sentences import both, listed
from workbench.words import _, md

WORTH = 0.5  # of a currency's unit, of an hour: less is nothing
_PART = 1e-6  # of the KGI: less is nothing either, in whatever unit it is


def resource(plan: Plan, name: str) -> str:
    """Return what a resource is called."""
    kind, _sep, team = name.partition(".")
    if kind == "budget":
        return _("Budget")
    said = {"ksfs": _("KSFs: {team}"), "hours": _("Hours: {team}")}.get(kind, _("Hours, quarter {quarter}: {team}"))
    return said.format(team=words.name(plan.teams[team]), quarter=kind[1:])


def amount(name: str, number: float) -> str:
    """Return an amount of a resource with its unit."""
    if name.startswith("ksfs."):
        return f"{number:,.0f}"
    return words.money(number) if name == "budget" else _("{hours} h").format(hours=f"{number:,.0f}")


def used(name: str, taken: float, limit: float) -> str:
    """Say how much of a resource is used."""
    return _("{used} of {limit}").format(used=amount(name, taken), limit=amount(name, limit))


def step(plan: Plan, price: Price) -> str:
    """Say what one more is: a person-day, a place, a level, so much budget."""
    kind, _sep, team = price.resource.partition(".")
    if kind == "budget":
        return _("{amount} of budget").format(amount=words.money(price.step))
    said = {
        "hours": _("one person-day of {team}"),
        "ksfs": _("one more KSF for {team}"),
        "skill": _("one more level of skill for {team}"),
    }.get(kind, _("one person-day of {team} in quarter {quarter}"))
    return said.format(team=words.name(plan.teams[team]), quarter=kind[1:])


def least(found: Focus) -> float:
    """Return the least change of the KGI that is one: half a yen, of a rate or an amount in millions far less."""
    return min(WORTH, _PART * max(abs(found.kgi), abs(found.baseline)))


def sentence_case(text: str) -> str:
    """Return text as it stands at the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def priced(found: Focus, known: Sequence[Price]) -> str:
    """Say how many of the limits have a price, where one stopped before the others."""
    return _("{done} of {total} limits were looked into before it was stopped.").format(
        done=len(known), total=len(every_limit(found))
    )


def dearest(found: Focus, known: Sequence[Price]) -> str:
    """Say what one more is worth most, ties as ties; that nothing more helps, if so."""
    kgi = found.plan.metrics[found.plan.kgi.metric]
    if not known or known[0].gain < least(found):
        return _("One more of any limit alone brings nothing more.")
    first = [price for price in known if price.gain >= known[0].gain - least(found)]
    more = sentence_case(listed([step(found.plan, price) for price in first], most=3))
    return _("{more} is worth most: {gain}.").format(more=md(more), gain=md(words.difference(known[0].gain, kgi)))


def frontier(found: Focus, name: str, way: Sequence[Amount], *, stopped: bool = False) -> str:
    """Read the frontier aloud: what is enough, and the knees on the way; if one stopped, how far one came."""
    plan = found.plan
    kgi = plan.metrics[plan.kgi.metric]
    if not way:
        return _("No set keeps the other limits.")
    last = way[-1]
    if stopped:
        return _("Looked into up to {amount}; not beyond.").format(amount=amount(name, last.amount))
    told = _("More than {enough} of {resource} brings nothing more: {kgi}.").format(
        enough=amount(name, last.amount), resource=resource(plan, name), kgi=words.value(last.kgi, kgi)
    )
    if any(one.knee for one in way[1:-1]):
        return both(told, _("Diamonds are the knees: up to each, more pays best. The dashed line is what there is."))
    return both(told, _("The dashed line is what there is."))


def robust(found: Focus, seen: Robustness) -> str:
    """Say in how many futures today's set stays the best, what choosing it may cost, and what is a coin toss."""
    kgi = found.plan.metrics[found.plan.kgi.metric]
    said = {
        "count": f"{seen.futures:,}",
        "chance": words.chance(seen.same),
        "mean": md(words.value(seen.mean_regret, kgi)),
        "regret": md(words.value(seen.regret, kgi)),
    }
    told = _("In {count} futures this very set is best {chance}; choosing it today costs {mean} on average.")
    if seen.regret >= least(found):
        told = _(
            "In {count} futures this very set is best {chance}; choosing it today costs {mean} on average,"
            " {regret} at most in 19 of 20."
        )
    told = told.format(**said)
    tosses = [f"{ksf} {words.name(found.plan.ksfs[ksf])}" for ksf in seen.toss_ups(found.chosen)]
    if not tosses:
        return both(told, _("No pick is a coin toss."))
    return both(told, _("Close to a coin toss: {ksfs}.").format(ksfs=md(listed(tosses, most=4))))
