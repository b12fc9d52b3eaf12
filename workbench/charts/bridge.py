"""The bridge: from the KGI as it was, change by change, to the KGI as it is, and the goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from workbench import theme
from workbench.charts.picture import ROWS, Chart, Picture, draw


def bridge(steps: Sequence[Mapping[str, Any]], *, goal: str, amount: str, height: int = 240) -> Picture:
    """Return a waterfall.

    A step has `name`, `start` and `end` (in the KGI's unit), `label` (what stands above it),
    `colour`, and `goal` (the same number in each row). `goal` and `amount` are the words for
    the goal's line and the axis.
    """
    tops = [max(step["start"], step["end"], step["goal"]) for step in steps]
    rows = [
        {
            **step,
            "at": at,
            "top": max(step["start"], step["end"]),
            "bottom": min(step["start"], step["end"]),
            "ceiling": 1.12 * max(tops, default=1.0),
            "goal_name": goal,
        }
        for at, step in enumerate(steps)
    ]
    return draw(_build, rows, amount=amount, height=height)


def steps(found: Sequence[Mapping[str, Any]], *, amount: str, height: int = 220) -> Picture:
    """Return a waterfall without a goal: steps as in `bridge`, less their `goal`."""
    top = max((max(step["start"], step["end"]) for step in found), default=1.0)
    rows = [
        {
            **step,
            "at": at,
            "top": max(step["start"], step["end"]),
            "bottom": min(step["start"], step["end"]),
            "ceiling": 1.15 * top,
        }
        for at, step in enumerate(found)
    ]
    return draw(_build_steps, rows, amount=amount, height=height)


def _build(amount: str, height: int) -> Chart:
    base = alt.Chart(ROWS)
    line = base.mark_rule(color=theme.GAP, strokeDash=[6, 4], strokeWidth=2).encode(y=alt.Y("goal:Q", aggregate="max"))
    named = base.mark_text(align="right", dy=-7, fontSize=12, x="width").encode(
        y=alt.Y("goal:Q", aggregate="max"), text=alt.Text("goal_name:N", aggregate="max")
    )
    return alt.layer(*_waterfall(amount), line, named).properties(height=height)


def _build_steps(amount: str, height: int) -> Chart:
    return alt.layer(*_waterfall(amount)).properties(height=height)


def _waterfall(amount: str) -> tuple[alt.Chart, ...]:
    base = alt.Chart(ROWS)
    across = alt.X(
        "name:N",
        sort=alt.SortField("at"),
        title=None,
        axis=alt.Axis(labelAngle=0, labelLimit=110, labelOverlap=False, ticks=False, domain=False),
        scale=alt.Scale(paddingInner=0.25, paddingOuter=0.15),
    )
    bars = base.mark_bar(cornerRadius=2).encode(
        x=across,
        y=alt.Y("start:Q", title=None, axis=None, scale=alt.Scale(zero=True, nice=False)),
        y2="end:Q",
        color=alt.Color("colour:N", scale=None, legend=None),
        tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("label:N", title=amount)],
    )
    # Totals carry their label inside, so that it never meets the goal's line; steps carry it below.
    totals = base.transform_filter("datum.start == 0").mark_text(dy=16, fontSize=13, fontWeight="bold", color="#1B2430")
    moved = base.transform_filter("datum.start != 0").mark_text(dy=12, fontSize=13, fontWeight="bold")
    labels = (
        totals.encode(x=across, y=alt.Y("top:Q"), text="label:N"),
        moved.encode(x=across, y=alt.Y("bottom:Q"), text="label:N"),
    )
    air = base.mark_point(opacity=0, tooltip=None).encode(x=across, y=alt.Y("ceiling:Q"))
    return bars, *labels, air
