"""What is said of versions: when, who, what kind of step, and what two of them come to."""

from __future__ import annotations

from collections.abc import Sequence

from kpi_core.plan import Plan
from workbench import local_times, words
from workbench.merging import Merged, in_words
from workbench.store import Version
from workbench.words import _, md


def named(version: Version) -> str:
    """Return a version in a list to choose from: 12 · 2026-04-01 18:30 · 田中 · KGI会議の版. Plain text."""
    parts = [str(version.number), local_times.said(version.at), version.author, version.label]
    return " · ".join(part for part in parts if part)


def tags(version: Version) -> str:
    """Return what is special about a version as badges: its name, how it came about. Markdown."""
    kinds = {
        "start": _("the beginning"),
        "undo": _("undone"),
        "redo": _("redone"),
        "restore": _("put back"),
        "open": _("from a file"),
        "repair": _("repaired"),
        "merge": _("chosen from two"),
    }
    found = [f":blue-badge[:material/star: {md(version.label)}]"] if version.label else []
    if version.is_aside:
        found.append(f":orange-badge[{_('not merged: kept beside')}]")
    elif version.is_merged:
        found.append(f":gray-badge[{_('merged')}]")
    if version.kind in kinds:
        found.append(f":gray-badge[{kinds[version.kind]}]")
    return " ".join(found)


def label(version: Version, headline: str) -> str:
    """Return a version as one line: 18:30 · **田中** 商談率 75.0% → 78.0%. Markdown."""
    by = f"**{md(version.author)}** " if version.author else ""
    line = f"{local_times.clock(version.at)} · {by}{md(headline)}"
    return f"{line} {tags(version)}".strip()


def latest(version: Version, headline: str, *, newest: bool) -> str:
    """Say what was changed last, of all or of a page of older versions, by whom and when. Markdown."""
    if newest:
        told = _("Last changed by {who} on {when}: {change}") if version.author else _("Last change, {when}: {change}")
    else:
        told = _("Up to then: {who} on {when}: {change}") if version.author else _("Up to then, {when}: {change}")
    return told.format(who=md(version.author), when=local_times.said(version.at), change=md(headline))


def how(version: Version) -> str:
    """Say how a version came about where that is not plain; nothing of a usual one."""
    if version.is_aside:
        return _(
            "This clashed with version {number}, so it was kept beside the plan and changed nothing in it."
        ).format(number=version.clashes_with)
    if version.is_merged:
        return _("Made of version {base} while version {parent} was saved; both are in it.").format(
            base=version.base, parent=version.parent
        )
    return ""


def goals(one: Plan, other: Plan, names: tuple[str, str]) -> list[dict[str, str]]:
    """Return the KGI and its goal in two versions, and the difference where both have the same KGI."""
    same = one.kgi.metric == other.kgi.metric and _unit(one) == _unit(other)
    rows = []
    for what, (was, now) in {
        _("{kgi} by the plan"): (one.tree.now(one.kgi.metric), other.tree.now(other.kgi.metric)),
        _("Goal for {kgi}"): (one.kgi.target, other.kgi.target),
    }.items():
        if same:
            metric = other.metrics[other.kgi.metric]
            shown = words.apart(was, now, metric)
            rows.append(_goal(what, other, dict(zip(names, shown, strict=True)), words.difference(now - was, metric)))
        else:
            rows.append(_goal(what, one, {names[0]: _value(was, one), names[1]: "–"}, "–"))
            rows.append(_goal(what, other, {names[0]: "–", names[1]: _value(now, other)}, "–"))
    return rows


def moved(one: Plan, other: Plan) -> str:
    """Say in one sentence what lies between two versions: what the KGI comes to. Plain text."""
    was, now = (plan.tree.now(plan.kgi.metric) for plan in (one, other))
    if one.kgi.metric != other.kgi.metric or _unit(one) != _unit(other):
        return _("The two plan for different goals.")
    metric = other.metrics[other.kgi.metric]
    if was == now:
        return _("{kgi} comes to {value} in both.").format(kgi=words.name(metric), value=words.value(now, metric))
    shown = words.apart(was, now, metric)
    return _("{kgi} comes to {was} in the first and {now} in the second: {difference}.").format(
        kgi=words.name(metric), was=shown[0], now=shown[1], difference=words.difference(now - was, metric)
    )


def choices(merged: Merged) -> list[str]:
    """Return each choice that lies beside a plan: what it says there, and what the plan says. Plain text."""
    told = _("{what}: {mine} – the plan says {theirs}")
    return [
        "; ".join(told.format(what=row.what, mine=row.mine, theirs=row.theirs) for row in in_words(clash, merged))
        for clash in merged.clashes
    ]


def listed(sentences: Sequence[str]) -> str:
    """Return sentences of plain text as a list. Markdown."""
    return "\n".join(f"- {md(one)}" for one in sentences)


def _goal(what: str, plan: Plan, cells: dict[str, str], difference: str) -> dict[str, str]:
    named = what.format(kgi=words.name(plan.metrics[plan.kgi.metric]))
    return {_("What"): named, **cells, _("Difference"): difference}


def _value(x: float, plan: Plan) -> str:
    return words.value(x, plan.metrics[plan.kgi.metric])


def _unit(plan: Plan) -> str:
    return plan.metrics[plan.kgi.metric].unit
