"""Answers: one sentence with numbers in it, for each question a page asks.

Answers are shown as Markdown, so people's names for things are escaped here. The sentences that
read a picture aloud (`bridge`, `tornado`, `grid`, `proof`, `effect`) are plain text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from kpi_core import sensitivity
from kpi_core.attribution import PlanChange, explain_plans
from kpi_core.errors import KpiError
from kpi_core.focus import Entry, Focus
from kpi_core.formula import parse
from kpi_core.goal import Required, Spread
from kpi_core.plan import Plan
from kpi_core.readings import sentence, text
from kpi_core.sensitivity import Bar, Grid, Score, Worth
from workbench import words
from workbench.words import _, md


def gap(plan: Plan) -> str:
    """Say what the KGI comes to today, and what is missing."""
    metric = plan.metrics[plan.kgi.metric]
    now = plan.tree.now(plan.kgi.metric)
    said = {
        "kgi": md(words.name(metric)),
        "now": md(words.value(now, metric)),
        "goal": md(words.value(plan.kgi.target, metric)),
        "gap": md(words.value(abs(plan.kgi.target - now), metric)),
    }
    if plan.is_reached:
        return _("{kgi} comes to {now}: the goal of {goal} is reached, with {gap} to spare.").format(**said)
    return _("At today's rates {kgi} comes to {now}, {gap} short of the goal of {goal}.").format(**said)


def no_lever(plan: Plan) -> str:
    """Say that nothing in the plan moves the KGI, and what to do about it."""
    said = _("Nothing in this plan moves {kgi}. On the tree, give it a formula with at least one input.")
    return said.format(kgi=md(words.name(plan.metrics[plan.kgi.metric])))


def moved(plan: Plan, before: Plan, moves: Mapping[str, tuple[float, float]]) -> str:
    """Say what the levers that were moved did to the KGI, and what is still missing."""
    metric = plan.metrics[plan.kgi.metric]
    was, now = before.tree.now(plan.kgi.metric), plan.tree.now(plan.kgi.metric)
    said = {
        "levers": md(listed([_lever_move(plan, lever, *ends) for lever, ends in moves.items()], most=2)),
        "kgi": md(words.name(metric)),
        "was": md(words.value(was, metric)),
        "now": md(words.value(now, metric)),
        "gap": md(words.value(abs(plan.kgi.target - now), metric)),
    }
    if plan.is_reached:
        return _("{levers}: {kgi} goes from {was} to {now}. The goal is reached, with {gap} to spare.").format(**said)
    return _("{levers}: {kgi} goes from {was} to {now}. {gap} are still missing.").format(**said)


def _lever_move(plan: Plan, lever: str, was: float, now: float) -> str:
    metric = plan.metrics[lever]
    before, after = words.apart(was, now, metric)
    return _("{name} {was} → {now}").format(name=words.name(metric), was=before, now=after)


def bridge(plan: Plan, before: Plan, moves: Mapping[str, tuple[float, float]], change: PlanChange | None = None) -> str:
    """Read the waterfall aloud."""
    metric, change = plan.metrics[plan.kgi.metric], change or explain_plans(before, plan)
    if change.before is None:
        return _("The baseline has no {kgi}, so there is nothing to compare with.").format(kgi=words.name(metric))
    said = {
        "change": words.difference(change.after - change.before, metric),
        "count": len(moves),
        "moved": words.difference(change.moved, metric),
        "other": words.difference(change.other, metric),
        "lever": words.name(plan.metrics[next(iter(moves))]) if moves else "",
    }
    if not moves:
        if change.other:
            return _("From the baseline to now {change}, all of it from changed formulas.").format(**said)
        return _("Move a lever: the waterfall shows what it changes from the baseline to now.")
    if change.other:
        sentence_ = _("From the baseline to now {change}: {other} from changed formulas, {moved} from levers.")
    elif len(moves) == 1:
        sentence_ = _("From the baseline to now {change}, all of it from one lever: {lever}.")
    elif change.refused:
        sentence_ = _("From the baseline to now {change}, all of it from {count} levers.")
    else:
        sentence_ = _("From the baseline to now {change}, split over {count} levers; the parts sum exactly.")
    why = _no_split(plan, change.refused) if change.refused and len(moves) > 1 else ""
    return both(sentence_.format(**said), why)


def _no_split(plan: Plan, error: KpiError) -> str:
    """Say why a change is not split over its levers, with the name people know."""
    metric = plan.metrics.get(str(error.facts.get("metric")))
    return words.error(error.about(metric=words.name(metric)) if metric else error)


def alone(plan: Plan, needed: Mapping[str, Required]) -> str:
    """Say which levers could close the gap by themselves."""
    able = [md(words.name(plan.metrics[lever])) for lever, one in needed.items() if one.reachable]
    if any(one.limit == "already" for one in needed.values()):
        return _("The goal is reached already; no lever has to move.")
    unable = [md(words.name(plan.metrics[lever])) for lever, one in needed.items() if not one.reachable]
    if not able:
        return _("No lever can close the gap by itself.")
    if not unable and len(able) == 1:
        return _("{able} could close the gap by itself.").format(able=able[0])
    if not unable:
        return _("Each of {able} could close the gap by itself.").format(able=listed(able, most=6))
    return _("{able} could close the gap alone; {unable} could not.").format(
        able=listed(able, most=6), unable=listed(unable, most=6)
    )


def least_effort(plan: Plan, spread: Spread) -> str:
    """Say what the smallest common stretch asks for."""
    moving = {lever: one for lever, one in spread.items() if one.log_change}
    if not moving and spread.reachable:
        return _("The goal is reached already; no lever has to move.")
    most = max(moving.values(), key=lambda one: abs(one.log_change), default=None)
    if all(one.limit == "frozen" for one in spread.values()):
        return _("No lever may move. Choose at least one.")
    if not spread.reachable:
        return _short_of_goal(plan, spread)
    assert most is not None
    if len(moving) == 1:
        said = _("One lever reaches the goal: it has to move by {most}.")
    else:
        said = _("{count} levers, each moved a little, reach the goal: none has to move by more than {most}.")
    return said.format(count=len(moving), most=md(words.percent(abs(most.value / most.now - 1))))


def _short_of_goal(plan: Plan, spread: Spread) -> str:
    """Say how far the levers get where no spread reaches the goal, and whether that is certain."""
    metric = plan.metrics[plan.kgi.metric]
    said = {
        "kgi": md(words.name(metric)),
        "most": md(words.value(spread.kgi, metric)),
        "gap": md(words.value(spread.shortfall, metric)),
    }
    if spread.outcome == "not_found":
        return _(
            "No combination of the levers that reaches the goal was found; there may be one. The best that was tried"
            " takes {kgi} to {most}; {gap} stay missing."
        ).format(**said)
    if all(one.at_cap or one.limit == "frozen" for one in spread.values()):
        return _("With every lever at its plausible limit {kgi} reaches {most}; {gap} stay missing.").format(**said)
    return _(
        "Within their plausible limits the levers cannot reach the goal. The best that was found takes {kgi} to"
        " {most}; {gap} stay missing."
    ).format(**said)


def strongest(plan: Plan, bars: Sequence[Bar]) -> str:
    """Say which lever moves the KGI most across its own range, ties said as ties."""
    kgi = plan.metrics[plan.kgi.metric]
    first = sensitivity.strongest(bars)
    if not first:
        return _("No lever moves the KGI within its range. Give the levers a low and a high.")
    said = {
        "levers": md(listed(words.name(plan.metrics[lever]) for lever in first)),
        "kgi": md(words.name(kgi)),
        "low": md(words.value(min(bars[0].kgi_low, bars[0].kgi_high), kgi)),
        "high": md(words.value(max(bars[0].kgi_low, bars[0].kgi_high), kgi)),
    }
    if len(first) > 1:
        return _("{levers} matter equally most: across its range each takes {kgi} from {low} to {high}.").format(**said)
    return _("{levers} matters most: across its range {kgi} goes from {low} to {high}.").format(**said)


def tornado(plan: Plan, bars: Sequence[Bar]) -> str:
    """Read the tornado aloud: which levers reach the goal at their favourable end."""
    reach = [bar for bar in bars if max(bar.kgi_low, bar.kgi_high) >= plan.kgi.target]
    names = listed([words.name(plan.metrics[bar.metric]) for bar in reach], most=6)
    if not reach:
        return _("No lever reaches the goal alone, even at its favourable end.")
    return _("At its favourable end the goal is reached alone by: {levers}.").format(levers=names)


def point(plan: Plan, worths: Sequence[Worth]) -> str:
    """Say what one natural step is worth: the most valuable rate point first, ties as ties."""
    kgi = plan.metrics[plan.kgi.metric]
    most = max(worths, key=lambda one: abs(one.one_percent), default=None)
    rates = [one for one in worths if plan.metrics[one.metric].is_share] or list(worths)
    if most is None or not rates:
        return _("No lever moves the KGI.")
    told = max(rates, key=lambda one: one.change)
    entry = plan.metrics[told.metric]
    sentence_ = _("If {lever} rises by one step, {was} → {then}, {kgi} rises by {change}.").format(
        lever=md(words.name(entry)),
        was=md(words.value(told.now, entry)),
        then=md(words.value(told.now + told.step, entry)),
        kgi=md(words.name(kgi)),
        change=md(words.value(told.change, kgi)),
    )
    even = all(math.isclose(one.one_percent, most.one_percent, rel_tol=1e-9) for one in worths)
    if even and len(worths) > 1:
        each = _("1% more of any lever is worth the same {change}: only ranges and effort tell them apart.")
        return _("{first} {second}").format(
            first=sentence_, second=each.format(change=md(words.value(most.one_percent, kgi)))
        )
    return sentence_


def bottleneck(plan: Plan, scores: Sequence[Score]) -> str:
    """Say where the KGI can most realistically be found."""
    first = sensitivity.strongest(scores)
    if not first:
        return _("No bottleneck can be named: the levers have no room in their ranges.")
    names = md(listed(words.name(plan.metrics[lever]) for lever in first))
    if len(first) > 1:
        return _("{levers} are equally the bottleneck: effect, room and control together are greatest there.").format(
            levers=names
        )
    return _("{levers} is the bottleneck: effect, room and control together are greatest there.").format(levers=names)


def grid(plan: Plan, found: Grid) -> str:
    """Read the two-way grid aloud."""
    return _("{count} of {all} combinations reach the goal of {goal} (filled, with a tick).").format(
        count=int(found.reached.sum()),
        all=found.reached.size,
        goal=words.value(plan.kgi.target, plan.metrics[plan.kgi.metric]),
    )


def focus(found: Focus) -> str:
    """Say which set is best, what it brings, and how sure that is."""
    kgi = found.plan.metrics[found.plan.kgi.metric]
    said = {
        "count": len(found.chosen),
        "kgi": md(words.name(kgi)),
        "was": md(words.value(found.baseline, kgi)),
        "now": md(words.value(found.kgi, kgi)),
        "gain": md(words.difference(found.gain, kgi)),
    }
    if not found.chosen:
        return _("Within these limits no KSF helps. Give more hours, budget or places.")
    if len(found.chosen) == 1:
        told = {
            "average": _("This one KSF takes {kgi} from {was} to {now} on average over twelve months ({gain})."),
            "year": _("This one KSF takes {kgi} from {was} to {now} this year ({gain})."),
            "run_rate": _("This one KSF takes {kgi} from {was} to {now} once in full ({gain})."),
        }
    else:
        told = {
            "average": _("These {count} KSFs take {kgi} from {was} to {now} on average over twelve months ({gain})."),
            "year": _("These {count} KSFs take {kgi} from {was} to {now} this year ({gain})."),
            "run_rate": _("These {count} KSFs take {kgi} from {was} to {now} once in full ({gain})."),
        }
    return told[found.objective].format(**said)


def proof(found: Focus) -> str:
    """Say how the set was proven, and how close the runner-up is."""
    kgi = found.plan.metrics[found.plan.kgi.metric]
    said = _how_proven(found)
    if found.margin is None or found.runner_up is None:
        return said
    apart = {"margin": words.value(found.margin, kgi), "set": " ".join(found.runner_up.chosen)}
    if idle := found.idle_between(found.runner_up):
        rest = _("The runner-up is the same set without {ksfs}: that changes nothing.")
        if set(idle) <= set(found.runner_up.chosen):
            rest = _("The runner-up is the same set with {ksfs} as well: that changes nothing.")
        rest = rest.format(ksfs=listed(f"{ksf} {words.name(found.plan.ksfs[ksf])}" for ksf in idle))
    elif not found.runner_up.chosen:
        rest = _("The runner-up is to choose none at all: it brings {margin} less.").format(**apart)
    elif found.tie:
        rest = _("Nearly equal: {set}, only {margin} less.").format(**apart)
    else:
        rest = _("The runner-up, {set}, brings {margin} less.").format(**apart)
    return _("{first} {second}").format(first=said, second=rest)


def _how_proven(found: Focus) -> str:
    proof, kgi = found.proof, found.plan.metrics[found.plan.kgi.metric]
    if proof.gap:
        left = words.value(proof.bound - found.kgi, kgi)
        return _("Not proven: stopped while a set might still bring up to {more} more.").format(more=left)
    if not proof.listed:
        return _("Proven: of {count} possible sets none is better.").format(count=_many(proof.considered))
    if proof.evaluated == 1:
        return _("Proven: only one set keeps the limits.")
    return _("Proven: all {count} sets within the limits were compared.").format(count=f"{proof.evaluated:,}")


def _many(count: int) -> str:
    """Write a count; a very large one as a power of ten."""
    if count < 10**15:
        return f"{count:,}"
    return "10" + str(len(str(count)) - 1).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def effect(plan: Plan, entry: Entry) -> str:
    """Read a KSF's ledger aloud."""
    lifts = _(
        "{ksf} should lift {metric} by {stated} of itself on average; {effective} can be counted on (illustrative)."
    )
    lowers = _(
        "{ksf} should lower {metric} by {stated} of itself on average; {effective} can be counted on (illustrative)."
    )
    says = lifts if entry.stated >= 0 else lowers
    return says.format(
        ksf=words.name(plan.ksfs[entry.ksf]),
        metric=words.name(plan.metrics[entry.metric]),
        stated=words.percent(abs(entry.stated)),
        effective=words.percent(abs(entry.effective)),
    )


def formula(plan: Plan, metric: str, names: Mapping[str, str]) -> str:
    """Say how a metric is computed: 受注数 = 商談数 × 契約率."""
    said = sentence(plan.tree.expressions[metric], names, words.language())
    return f"{names[metric]} = {said}"


def formula_as_typed(plan: Plan, metric: str) -> str:
    """Return a formula for editing: with people's names where they read back as the same formula, else with ids."""
    expression = plan.tree.expressions[metric]
    said = sentence(expression, words.names(plan), words.language())
    try:
        same = parse(said, plan.tree.names) == expression
    except KpiError:
        same = False
    return said if same else text(expression)


def both(first: str, second: str) -> str:
    """Join two sentences; of one that says nothing only the other is left."""
    return _("{first} {second}").format(first=first, second=second) if first and second else first or second


def listed(names: Iterable[str], *, most: int = 100) -> str:
    """Join names into one phrase: A, B and C; of more than `most` the rest is only counted."""
    known = list(names)
    if len(known) > most:
        known = [*known[:most], _("{count} more").format(count=len(known) - most)]
    if len(known) < 2:
        return "".join(known)
    return _("{first} and {last}").format(first=_(", ").join(known[:-1]), last=known[-1])
