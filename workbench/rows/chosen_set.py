"""The chosen set in pictures: what it brings this year and at full effect, what it uses, what each KSF adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpi_core.focus import Focus
from kpi_core.horizons import Horizons
from workbench import charts, sentences_focus, theme, words
from workbench.charts.picture import Picture
from workbench.words import _

_AIR = 0.35  # of what a waterfall spans: how far below its least number its axis begins


def horizons(found: Focus, both: Horizons) -> Picture:
    """Return the KGI without any KSF, this fiscal year and at full effect, beside the goal."""
    plan = found.plan
    now = plan.tree.now(plan.kgi.metric)
    return _bridge(
        found,
        [
            _step(_("At today's rates, without any"), 0.0, now, _value(found, now), theme.GHOST),
            _step(_("This fiscal year, with the set"), 0.0, both.year, _value(found, both.year), theme.ACCENT),
            _step(_("A year at full effect"), 0.0, both.run_rate, _value(found, both.run_rate), theme.ACCENT),
        ],
    )


def uses(found: Focus) -> Picture:
    """Return how much of every limit the set uses: budget, hours, places."""
    counts = {f"ksfs.{team}": float(most) for team, most in found.limits.max_ksfs.items()}
    rows = []
    for resource, limit in (found.limits.resources | counts).items():
        if resource in found.used:
            used = found.used[resource]
            rows.append(
                {
                    "name": sentences_focus.resource(found.plan, resource),
                    "share": min(used / limit, 1.0) if limit > 0 else 0.0,
                    "label": sentences_focus.used(resource, used, limit),
                    "colour": theme.team_colour(resource.partition(".")[2] or None),
                }
            )
    return charts.gauges(rows, amount=_("Used"))


def waterfall(found: Focus, parts: Mapping[str, float]) -> Picture:
    """Return the way from the KGI without any KSF to the KGI of the set, the largest part first."""
    plan, at = found.plan, found.baseline
    ends, rows = [found.baseline, found.kgi, plan.kgi.target], []
    for place, ksf in enumerate(sorted(parts, key=lambda ksf: -parts[ksf]), 1):
        entry, then = plan.ksfs[ksf], at + parts[ksf]
        name = f"{place}. {ksf} {words.name(entry)}"
        rows.append(_step(name, at, then, _change(found, parts[ksf]), theme.team_colour(entry.team)))
        at = then
        ends.append(then)
    span = max(ends) - min(ends)
    floor = min(ends) - _AIR * span if span else 0.0
    floor = max(floor, 0.0) if min(ends) >= 0 else min(floor, 0.0)
    first = _step(_("Without any of them"), floor, found.baseline, _value(found, found.baseline), theme.GHOST)
    last = _step(_("With the set"), floor, found.kgi, _value(found, found.kgi), theme.NEUTRAL)
    return _bridge(found, [first, *rows, last], zero=False)


def _bridge(found: Focus, rows: list[dict[str, Any]], *, zero: bool = True) -> Picture:
    plan = found.plan
    kgi = plan.metrics[plan.kgi.metric]
    goal = _("Goal {goal}").format(goal=words.value(plan.kgi.target, kgi))
    rows = [row | {"goal": plan.kgi.target} for row in rows]
    return charts.bridge(rows, goal=goal, amount=_("KGI"), zero=zero)


def _step(name: str, start: float, end: float, label: str, colour: str) -> dict[str, Any]:
    return {"name": name, "start": start, "end": end, "label": label, "colour": colour}


def _value(found: Focus, amount: float) -> str:
    return words.value(amount, found.plan.metrics[found.plan.kgi.metric])


def _change(found: Focus, amount: float) -> str:
    return words.difference(amount, found.plan.metrics[found.plan.kgi.metric])
