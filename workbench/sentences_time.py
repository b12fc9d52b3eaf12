"""Answers about time: by when, how much, and with what chance.

As in `sentences`, answers are Markdown and what reads a picture aloud is plain text.
"""

from __future__ import annotations

from collections.abc import Sequence

from kpi_core import pacing
from kpi_core.document import MONTHS_A_YEAR
from kpi_core.luck import luck
from kpi_core.pacing import Profile
from kpi_core.plan import Plan
from kpi_core.scaling import Multiplier
from kpi_core.timeline import Load
from workbench import months, words
from workbench.look import Look
from workbench.sentences import both, listed
from workbench.words import _, md


def needed(look: Look) -> str:
    """Say what has to rise by how much from when, and how sure that is."""
    plan, found = look.plan, look.wanted
    said = {
        "goal": md(words.value(plan.kgi.target, plan.metrics[plan.kgi.metric])),
        "lever": md(_levers(look, found)),
        "month": months.named(plan, found.start),
        "factor": words.times(found.factor or 0.0),
        "exact": words.times(look.exact.factor or 0.0),
        "base": md(words.value(found.base, plan.metrics[plan.kgi.metric])),
        "chance": "" if look.confidence is None else words.chance(look.confidence),
    }
    if found.limit == "already":
        return _("As planned, {base} arrive this year: the goal of {goal} is reached.").format(**said)
    if found.limit == "too_late":
        return _("{lever} from {month} on can no longer change this year: {base} of {goal} arrive.").format(**said)
    if found.limit == "zero":
        return _(
            "{lever} is 0 as planned from {month} on, and so is any multiple of it: {base} of {goal} arrive."
            " Enter a number for it first."
        ).format(**said)
    if found.factor is None:
        return _("{lever} alone cannot reach {goal} from {month} on: as planned {base} arrive.").format(**said)
    if look.confidence is None:
        told = _("To reach {goal}, {lever} must be {factor} what is planned from {month} on.")
        return both(told.format(**said), _doubt(look))
    if look.exact.limit == "already":
        return _(
            "To reach {goal} {chance}, {lever} must be {factor} what is planned from {month} on;"
            " as planned it just adds up."
        ).format(**said)
    return _(
        "To reach {goal} {chance}, {lever} must be {factor} what is planned from {month} on; {exact} just adds up."
    ).format(**said)


def _doubt(look: Look) -> str:
    chance = look.chance(look.needed)
    if chance is None:
        return ""
    return _("A plan that just adds up like this succeeds {chance}.").format(chance=words.chance(chance))


def _levers(look: Look, found: Multiplier) -> str:
    if len(found.levers) > 1 and found.levers == pacing.rate_levers(look.plan):
        return _("every rate")
    return listed([words.name(look.plan.metrics[lever]) for lever in found.levers], most=3)


def plain(look: Look) -> str:
    """Say what a division that knows no lead times would have answered."""
    found = look.exact
    if found.plain is None or found.factor is None or found.limit == "already" or found.plain >= found.factor - 1e-3:
        return ""
    return _("A plain division would say {plain}: it forgets what enters too late to arrive this year.").format(
        plain=words.times(found.plain)
    )


def beyond(look: Look) -> str:
    """Say so if what is needed lies beyond what the team holds plausible; nothing if not."""
    found, lever = look.wanted, look.wanted.levers[0]
    if found.limit != "plausible" or len(found.levers) != 1:
        return ""
    entry = look.plan.metrics[lever]
    if (found.factor or 0.0) < 1:
        return _("{lever} would run below its own plausible range, which begins at {low}.").format(
            lever=words.name(entry), low=words.value(entry.span[0], entry)
        )
    return _("{lever} would run beyond its own plausible range, which ends at {high}.").format(
        lever=words.name(entry), high=words.value(entry.span[1], entry)
    )


def today(look: Look, before: Plan) -> str:
    """Say what starting today would ask for; nothing outside the plan's year."""
    if (now := months.today(look.plan)) is None or now == look.start or look.wanted.limit == "already":
        return ""
    month, found = months.named(look.plan, now), look.starting(now, before)
    if found.limit == "too_late":
        return _("It is {month} now: what starts today no longer arrives this year.").format(month=month)
    if found.limit == "natural":
        return _("It is {month} now: starting today even its limit would not be enough.").format(month=month)
    if found.factor is None:
        return _("It is {month} now: starting today it alone would not be enough either.").format(month=month)
    return _("It is {month} now: starting today it would take {factor}.").format(
        month=month, factor=words.times(found.factor)
    )


def calendar(look: Look) -> str:
    """Read the calendar aloud: by when each stage must be committed to, and what is over."""
    plan, found = look.plan, look.planned.deadlines
    if not found:
        return _("This plan names no stages. Give its metrics lead times and stages first.")
    told = [
        _("{stage} by {ninety}").format(stage=words.name(plan.metrics[stage]), ninety=months.named(plan, one.ninety))
        for stage, one in found.items()
        if one.ninety is not None
    ]
    never = [words.name(plan.metrics[stage]) for stage, one in found.items() if one.any is None]
    rest = _("Too slow for this year altogether: {stages}.").format(stages=listed(never)) if never else ""
    if not told:
        return both(_("No stage has its full worth in any month of this year: what enters arrives later."), rest)
    done = _("Commit to {stages} (solid frame: ≥ 90% of full worth; dashed: last call, ≥ 50%).")
    return both(done.format(stages=listed(told)), rest)


def last_deals(look: Look) -> str:
    """Say how many deals it takes and by when; nothing where the KGI is no count of deals or no month is too late."""
    plan, found = look.plan, luck(look.plan)
    if found is None or found.metric not in look.planned.values or _changes_each(look, found.metric):
        return ""
    if look.wanted.limit == "already":
        return ""
    last, entry = look.planned.deadline(found.metric).ninety, plan.metrics[found.metric]
    if last in (None, MONTHS_A_YEAR):
        return ""
    said = {
        "metric": md(words.name(entry)),
        "count": md(words.value(float(found.needed), entry)),
        "open": md(words.value(look.planned.underway(found.metric), entry)),
        "first": months.named(plan, 1),
        "month": months.named(plan, last),
    }
    return _("{metric}: {count} by the end of {month}, {open} won before {first} included.").format(**said)


def _changes_each(look: Look, count: str) -> bool:
    """Return whether a lever that rises changes what one deal brings, so that fewer would do."""
    carried = set(look.plan.tree.carriers(count))
    return any(lever not in carried for lever in look.exact.levers)


def course(look: Look) -> str:
    """Read the course of the year aloud."""
    plan = look.plan
    entry = plan.metrics[plan.kgi.metric]
    said = {
        "total": words.value(look.needed.kgi, entry),
        "planned": words.value(look.planned.kgi, entry),
        "lever": _levers(look, look.wanted),
        "month": months.named(plan, look.start),
    }
    if look.wanted.factor is None or look.wanted.limit == "already":
        return _("As planned the year brings {planned}.").format(**said)
    if look.past is None:
        return _("Needed over the year: {total}; as planned: {planned}.").format(**said)
    past = words.value(float(look.past.sum()) if plan.kgi.period == "year" else float(look.past.mean()), entry)
    told = _(
        "Needed over the year: {total}, of which {past} stay whatever {lever} does from {month} on."
        " As planned: {planned}."
    )
    return told.format(**said, past=past)


def cash(look: Look) -> str:
    """Say how much money arrives in the year, and what of its revenue is not collected by its end."""
    entry, arrived = look.plan.metrics[look.plan.kgi.metric], look.needed.cash
    if arrived is None:
        return _("Say below how revenue becomes cash, and it is shown by month.") if entry.unit.startswith("円") else ""
    return _(
        "In the year {cash} arrive, from earlier revenue as well; {open} of this year's are not collected at its end."
    ).format(cash=md(words.value(float(arrived.sum()), entry)), open=md(words.value(look.needed.uncollected, entry)))


def alive(look: Look) -> str:
    """Say which lever still brings most of its effect, and which are dead."""
    plan, at = look.plan, look.start - 1
    reach = {lever: float(look.planned.reach(lever)[at]) for lever in plan.tree_by_month.levers(plan.kgi.metric)}
    dead = [words.name(plan.metrics[lever]) for lever, share in reach.items() if abs(share) <= 1e-6]
    best = max(reach.values(), default=0.0)
    said = {"month": months.named(plan, look.start), "share": words.percent(best)}
    if best <= 1e-6:
        return _("From {month} on no lever changes this year any more.").format(**said)
    first = md(
        listed(
            [words.name(plan.metrics[lever]) for lever, share in reach.items() if share >= best * (1 - 1e-9)], most=4
        )
    )
    told = _("From {month} on, most of a lasting effect still arrives with {levers}: {share}.").format(
        levers=first, **said
    )
    if dead:
        return both(told, _("No longer alive: {levers}.").format(levers=md(listed(dead, most=6))))
    return told


def evened(look: Look, found: Profile) -> str:
    """Read the even profile aloud."""
    entry = look.plan.metrics[found.lever]
    return _("Evened out, {lever} is {each} in every month from {month} on, whatever the season.").format(
        lever=md(words.name(entry)),
        each=md(words.value(float(found.needed[found.start - 1]), entry)),
        month=months.named(look.plan, found.start),
    )


def starts(found: Sequence[Multiplier], look: Look) -> str:
    """Say what waiting costs: what is needed from the first month, and from the last that still can."""
    able = [one for one in found if one.factor is not None and one.limit != "already"]
    if all(one.limit == "too_late" for one in found):
        return _("Whenever one starts, it arrives too late for this year.")
    if not able and all(one.limit == "already" for one in found):
        return _("When one starts makes no difference here.")
    if not able:
        return _("Whenever one starts, this alone is not enough.")
    first, last = able[0], able[-1]
    said = {
        "first": months.named(look.plan, first.start),
        "least": words.times(first.factor or 0.0),
        "last": months.named(look.plan, last.start),
        "most": words.times(last.factor or 0.0),
    }
    after = found[last.start] if last.start < len(found) else None
    if after is not None and after.limit == "natural":
        return _(
            "From {first} on it takes {least}, from {last} on {most}; after that even 100% is not enough."
            " Bars grow by ratio."
        ).format(**said)
    if after is not None and after.limit == "unreachable":
        return _(
            "From {first} on it takes {least}, from {last} on {most}; after that this alone is not enough."
            " Bars grow by ratio."
        ).format(**said)
    if after is not None and after.limit == "too_late":
        return _(
            "From {first} on it takes {least}, from {last} on {most}; after that it is too late. Bars grow by ratio."
        ).format(**said)
    return _("From {first} on it takes {least}, from {last} on {most}. Bars grow by ratio.").format(**said)


def loads(look: Look, found: Sequence[Load]) -> str:
    """Say which team runs out of time first, and in which month."""
    over = [(load, load.binding[0]) for load in found if load.binding]
    if not over:
        return _("Every team has the time for its part.")
    load, month = min(over, key=lambda one: one[1])
    if len(load.binding) == 1:
        said = _("{team} has less time than work in one month, {month}: {used} of its time.")
    else:
        said = _("{team} has less time than work in {count} months, first in {month}: {used} of its time.")
    return said.format(
        team=md(words.name(look.plan.teams[load.team])),
        count=len(load.binding),
        month=months.named(look.plan, month),
        used=md(words.percent(float(load.minutes[month - 1]) / load.room)) if load.room else _("there is none"),
    )


def pipeline(plan: Plan) -> str:
    """Say what the people on the open deals expect; nothing without deals. Plain text."""
    if not plan.opening.deals:
        return ""
    weighted = words.value(plan.opening.weighted, plan.metrics[plan.kgi.metric])
    return _(
        "Open deals: {count}, together {weighted} by the chances given (only to compare; the months count the stock)."
    ).format(count=len(plan.opening.deals), weighted=weighted)
