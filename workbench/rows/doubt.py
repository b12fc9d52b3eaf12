"""Doubt in pictures and tables: the fan of outcomes, where the doubt comes from, what finding out is worth."""

from __future__ import annotations

from kpi_core.plan import Plan
from workbench import charts, months, theme, words
from workbench.charts.picture import Picture
from workbench.doubt import Doubt
from workbench.words import _


def fan(plan: Plan, seen: Doubt) -> Picture:
    """Return the bands of the summed-up KGI month by month, and the goal."""
    kgi = plan.metrics[plan.kgi.metric]
    target = plan.kgi.target * (12 / plan.kgi.months)
    rows = []
    for at, label in enumerate(seen.months):
        here = {f"p{100 * share:.0f}": band[at] for share, band in seen.bands.items()}
        said = {share: words.value(number, kgi) for share, number in here.items()}
        rows.append(
            {
                "month": months.name(label),
                "goal": target,
                "range": f"{said['p10']} – {said['p90']}",
                "inner_range": f"{said['p25']} – {said['p75']}",
                **here,
                **{f"{share}_label": spelt for share, spelt in said.items()},
            }
        )
    return charts.fan(
        rows,
        inner=_("Half of all cases"),
        outer=_("8 of 10 cases"),
        middle=_("Middle"),
        goal=_("Goal {goal}").format(goal=words.value(target, kgi)),
    )


def shares(plan: Plan, seen: Doubt) -> Picture:
    """Return each lever's part in the doubt, the largest first."""
    order = sorted(seen.total, key=lambda lever: -seen.total[lever])
    bars = [
        {
            "name": words.name(plan.metrics[lever]),
            "size": seen.total[lever],
            "label": words.percent(seen.total[lever]),
            "colour": theme.team_colour(plan.metrics[lever].team),
        }
        for lever in order
    ]
    return charts.lengths(bars, amount=_("Part in the doubt"))


def table(plan: Plan, seen: Doubt) -> list[dict[str, str]]:
    """Return one row per lever: its part in the doubt, how it goes with the outcome, what finding it out is worth."""
    kgi = plan.metrics[plan.kgi.metric]
    order = sorted(seen.total, key=lambda lever: -seen.total[lever])
    return [
        {
            _("Lever"): words.name(plan.metrics[lever]),
            _("Team"): words.team(plan, lever),
            _("Part in the doubt"): words.percent(seen.total[lever]),
            _("By itself"): words.percent(seen.first[lever]),
            _("Goes with the outcome (rank)"): f"{seen.ranks[lever]:+.2f}",
            _("Finding it out is worth"): words.value(seen.worth[lever], kgi),
        }
        for lever in order
    ]
