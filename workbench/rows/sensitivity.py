"""Sensitivity in pictures and tables: what a point is worth, the tornado, two at once, the bottleneck."""

from __future__ import annotations

from collections.abc import Sequence

from kpi_core.plan import Plan
from kpi_core.sensitivity import Bar, Grid, Score, Worth
from kpi_core.timeline import gain
from workbench import charts, theme, words
from workbench.charts.picture import Picture
from workbench.words import _


def tornado(plan: Plan, bars: Sequence[Bar]) -> Picture:
    """Return one bar per lever, from the KGI at its low to the KGI at its high."""
    kgi = plan.metrics[plan.kgi.metric]
    drawn = []
    for bar in bars:
        entry = plan.metrics[bar.metric]
        worst, best = sorted(((bar.kgi_low, bar.low), (bar.kgi_high, bar.high)), key=lambda end: end[0])
        drawn.append(
            {
                "name": words.name(entry),
                "low": worst[0],
                "high": best[0],
                "now": plan.tree.now(plan.kgi.metric),
                "goal": plan.kgi.target,
                "low_label": "" if worst[1] is None else words.value(worst[1], entry),
                "high_label": "" if best[1] is None else words.value(best[1], entry),
                "range": f"{words.value(worst[0], kgi)} – {words.value(best[0], kgi)}",
                "colour": theme.team_colour(entry.team),
            }
        )
    goal = _("Goal {goal}").format(goal=words.value(plan.kgi.target, kgi))
    return charts.tornado(
        drawn, goal=goal, kgi=_("KGI"), low=_("at its unfavourable end"), high=_("at its favourable end")
    )


def tornado_table(plan: Plan, bars: Sequence[Bar]) -> list[dict[str, str]]:
    """Return the tornado as rows: the lever's ends and the KGI there."""
    kgi = plan.metrics[plan.kgi.metric]
    return [
        {
            _("Lever"): words.name(plan.metrics[bar.metric]),
            _("Low"): "–" if bar.low is None else words.value(bar.low, plan.metrics[bar.metric]),
            _("KGI at low"): words.value(bar.kgi_low, kgi),
            _("High"): "–" if bar.high is None else words.value(bar.high, plan.metrics[bar.metric]),
            _("KGI at high"): words.value(bar.kgi_high, kgi),
            _("Ties with"): "、".join(words.name(plan.metrics[tie]) for tie in bar.ties),
        }
        for bar in bars
    ]


def worths(plan: Plan, found: Sequence[Worth], before: Plan) -> list[dict[str, str]]:
    """Return what a natural step of each lever is worth in a full year and in this one, and 1 % of it beside."""
    kgi = plan.metrics[plan.kgi.metric]
    return [
        {
            _("Lever"): words.name(plan.metrics[one.metric]),
            _("Team"): words.team(plan, one.metric),
            _("Now"): words.value(one.now, plan.metrics[one.metric]),
            _("One step"): words.difference(one.step, plan.metrics[one.metric]),
            _("Is worth"): words.difference(one.change, kgi),
            _("Of that this year"): words.difference(gain(plan, one.metric, one.step, before=before), kgi),
            _("1% more is worth"): words.difference(one.one_percent, kgi),
        }
        for one in found
    ]


def bottleneck(plan: Plan, scores: Sequence[Score]) -> list[dict[str, str]]:
    """Return where the KGI can realistically still be found."""
    return [
        {
            _("Lever"): words.name(plan.metrics[score.metric]),
            _("Team"): words.team(plan, score.metric),
            _("Elasticity"): f"{score.elasticity:.2f}",
            _("Room to its plausible end"): "–" if score.room is None else words.percent(score.room),
            _("Controllability (1–5)"): str(plan.metrics[score.metric].controllability),
            _("Score"): f"{score.size:.3f}",
        }
        for score in scores
    ]


def grid(plan: Plan, found: Grid) -> Picture:
    """Return the KGI for every pair of values of two metrics."""
    first, second, kgi = (plan.metrics[metric] for metric in (found.first, found.second, plan.kgi.metric))
    cells = [
        {
            "x": words.value(across, second),
            "y": words.value(down, first),
            "x_at": at,
            "y_at": row,
            "label": words.value(float(found.kgi[row, at]), kgi),
            "reached": bool(found.reached[row, at]),
        }
        for row, down in enumerate(found.first_values)
        for at, across in enumerate(found.second_values)
    ]
    return charts.grid(cells, across=words.name(second), down=words.name(first))
