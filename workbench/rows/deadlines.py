"""The year in pictures and tables: the calendar of last useful months, the plan by month, what is still alive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kpi_core.document import MONTHS_A_YEAR, Metric
from kpi_core.pacing import Profile
from kpi_core.readings import Array
from kpi_core.scaling import Multiplier
from kpi_core.timeline import Load
from workbench import charts, formats, months, theme, words
from workbench.charts.picture import Picture
from workbench.look import Look
from workbench.words import _


def calendar(look: Look) -> Picture:
    """Return stage by month how much of its full worth one more unit still has."""
    plan, labels = look.plan, months.of_year(look.plan)
    kgi = plan.metrics[plan.kgi.metric]
    cells = []
    for row, (stage, deadline) in enumerate(look.planned.deadlines.items()):
        last = {deadline.ninety: "90"} | ({} if deadline.fifty == deadline.ninety else {deadline.fifty: "50"})
        for column, (worth, share) in enumerate(zip(deadline.worth.tolist(), deadline.share.tolist(), strict=True)):
            cells.append(
                {
                    "stage": words.name(plan.metrics[stage]),
                    "month": months.name(labels[column]),
                    "row": row,
                    "column": column,
                    "share": min(max(share, 0.0), 1.0),
                    "label": f"{100 * share:.0f}",
                    "worth": words.value(worth, kgi),
                    "lost": column + 1 < look.start,
                    "last": last.get(column + 1, ""),
                }
            )
    return charts.calendar(
        cells, share=_("Share of full worth, %"), worth=_("One more is worth"), height=len(look.planned.deadlines)
    )


def course(look: Look) -> Picture:
    """Return the KGI by month: what is decided already, what must still come in, what was planned, and cash."""
    plan, labels = look.plan, months.of_year(look.plan)
    metric, cash = plan.kgi.metric, look.needed.cash
    needed, planned = look.needed.year(metric), look.planned.year(metric)
    past = np.zeros(MONTHS_A_YEAR) if look.past is None else look.past
    rows = [
        {
            "month": months.name(labels[at]),
            "past": float(past[at]),
            "needed": float(needed[at]),
            "planned": float(planned[at]),
            "cash": None if cash is None else float(cash[at]),
            "label": _amount(float(needed[at]), plan.metrics[metric]),
        }
        for at in range(MONTHS_A_YEAR)
    ]
    said = {
        "past": _("Stays whatever it does now"),
        "new": _("Has to come in"),
        "planned": _("As planned today"),
        "cash": _("Cash in"),
    }
    return charts.course(rows, words=said)


def by_month(look: Look, count: int = MONTHS_A_YEAR) -> list[dict[str, str]]:
    """Return one row per stage, the KGI and cash, with the needed amounts of each month, quarter or half."""
    plan = look.plan
    heads = _heads(look, count)
    rows = []
    for metric in dict.fromkeys((*plan.stages, plan.kgi.metric)):
        entry = plan.metrics[metric]
        cells = [_amount(part, entry) for part in look.needed.parts(metric, count)]
        rows.append(_row(_with_unit(entry), heads, cells, _amount(look.needed.total(metric), entry)))
    if look.needed.cash is not None:
        entry, cash = plan.metrics[plan.kgi.metric], look.needed.cash
        cells = [_amount(float(part), entry) for part in cash.reshape(count, -1).sum(axis=1)]
        rows.append(
            _row(_("Cash in ({unit})").format(unit=_unit(entry)), heads, cells, _amount(float(cash.sum()), entry))
        )
    return rows


def _heads(look: Look, count: int) -> list[str]:
    labels = months.of_year(look.plan)
    size = MONTHS_A_YEAR // count
    names = [months.name(label) for label in labels]
    if size == 1:
        return names
    return [
        _("{first}–{last}").format(first=names[at], last=names[at + size - 1]) for at in range(0, MONTHS_A_YEAR, size)
    ]


def _row(name: str, heads: Sequence[str], cells: Sequence[str], total: str) -> dict[str, str]:
    return {_("Stage"): name, **dict(zip(heads, cells, strict=True)), _("Year"): total}


def worth(look: Look) -> list[dict[str, str]]:
    """Return what one more unit of each stage adds to the year's KGI, by the month it comes in."""
    plan, names = look.plan, [months.name(label) for label in months.of_year(look.plan)]
    kgi = plan.metrics[plan.kgi.metric]
    head = _("One more of (yen)") if kgi.unit == "円" else _("One more of")
    return [
        {
            head: words.name(plan.metrics[stage]),
            **dict(zip(names, [_finely(float(one), kgi) for one in found.worth], strict=True)),
        }
        for stage, found in look.planned.deadlines.items()
    ]


def last_months(look: Look) -> list[dict[str, str]]:
    """Return when each stage has to be committed to, its last call, and when it is over."""
    plan = look.plan

    def said(number: int | None) -> str:
        return "–" if number is None else months.named(plan, number)

    return [
        {
            _("Stage"): words.name(plan.metrics[stage]),
            _("Team"): words.team(plan, stage),
            _("Commit by (≥ 90%)"): said(found.ninety),
            _("Last call (≥ 50%)"): said(found.fifty),
            _("Counts at all until"): said(found.any),
        }
        for stage, found in look.planned.deadlines.items()
    ]


def alive(look: Look) -> list[dict[str, str]]:
    """Return what 1 % more of each lever from the start on still brings this year, the most first."""
    plan, timeline, at = look.plan, look.planned, look.start - 1
    kgi = plan.metrics[plan.kgi.metric]
    levers = plan.tree_by_month.levers(plan.kgi.metric)
    order = sorted(levers, key=lambda lever: -abs(float(timeline.reach(lever)[at])))
    return [
        {
            _("Lever"): words.name(plan.metrics[lever]),
            _("Team"): words.team(plan, lever),
            _("1% more from {month}").format(month=months.named(plan, look.start)): words.difference(
                float(timeline.alive(lever)[at]), kgi
            ),
            _("Of its effect in a full year"): words.percent(float(timeline.reach(lever)[at])),
            _("Alive until"): _alive_until(look, timeline.reach(lever)),
        }
        for lever in order
    ]


def _alive_until(look: Look, reach: Array) -> str:
    left = np.flatnonzero(np.abs(reach) > 1e-6)
    return months.named(look.plan, int(left[-1]) + 1) if len(left) else "–"


def starts(look: Look, found: Sequence[Multiplier]) -> Picture:
    """Return by how much more must come in the later one starts; months after the last that can are left out."""
    labels = months.of_year(look.plan)
    bars = [
        {
            "name": months.name(labels[one.start - 1]),
            "size": one.factor,
            "label": words.times(one.factor),
            "colour": theme.ACCENT if one.start == look.start else theme.GHOST,
        }
        for one in found
        if one.factor
    ]
    return charts.ratios(bars, amount=_("Multiplier"))


def profile(look: Look, found: Profile) -> list[dict[str, str]]:
    """Return a lever month by month: as planned, raised alike, and smoothed for an even KGI."""
    entry, labels = look.plan.metrics[found.lever], months.of_year(look.plan)
    raised = look.needed.year(found.lever)
    heads = [months.name(label) for label in labels]

    def row(name: str, numbers: Array) -> dict[str, str]:
        return {
            _with_unit(entry): name,
            **dict(zip(heads, [_amount(float(one), entry) for one in numbers], strict=True)),
        }

    return [
        row(_("As planned today"), found.planned),
        row(_("Changed alike from {month}").format(month=months.named(look.plan, found.start)), raised),
        row(_("Evened out, the same every month"), found.needed),
    ]


def loads(look: Look, found: Sequence[Load]) -> list[dict[str, str]]:
    """Return each team's work by month as a share of the time it has."""
    labels = months.of_year(look.plan)
    return [
        {
            _("Team"): words.name(look.plan.teams[load.team]),
            **{
                months.name(label): words.percent(used / load.room) + (" ▲" if at + 1 in load.binding else "")
                if load.room
                else "–"
                for at, (label, used) in enumerate(zip(labels, load.minutes.tolist(), strict=True))
            },
        }
        for load in found
    ]


def _amount(x: float, entry: Metric) -> str:
    """Return a month's amount without its unit, which stands in the row's name: yen in millions."""
    if entry.unit == "円":
        return f"{x / 1e6:,.1f}"
    if entry.is_share:
        return words.percent(x)
    return formats.count(x, "", words.language(), expected=True)


def _finely(x: float, entry: Metric) -> str:
    """Return what one more is worth: yen without the unit, which stands in the head, to the yen."""
    return f"{x:,.0f}" if entry.unit == "円" else words.value(x, entry)


def _unit(entry: Metric) -> str:
    return _("million yen") if entry.unit == "円" else formats.unit_label(entry.unit, words.language())


def _with_unit(entry: Metric) -> str:
    unit = _unit(entry)
    return _("{name} ({unit})").format(name=words.name(entry), unit=unit) if unit else words.name(entry)
