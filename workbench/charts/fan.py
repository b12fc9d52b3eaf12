"""The fan: how far the KGI may have come by each month, from the likely to the less likely, and the goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from workbench import theme
from workbench.charts.picture import ROWS, Chart, Picture, draw

_HEIGHT = 280


def fan(months: Sequence[Mapping[str, Any]], *, inner: str, outer: str, middle: str, goal: str) -> Picture:
    """Return two bands around a line, month by month, with a line at the goal.

    A month, in order, has `month` (text), `p10`, `p25`, `p50`, `p75`, `p90`, `goal` (numbers), `range`,
    `inner_range`, `p10_label`, `p50_label` and `p90_label` (texts). `inner`, `outer` and `middle` name the bands
    and the line, `goal` its line.
    """
    rows = [{**month, "goal_name": goal, "last": False} for month in months]
    # The amounts at the end stand behind the last month, in a column of their own.
    rows += [{**month, "goal_name": goal, "last": True, "month": " "} for month in months[-1:]]
    return draw(_build, rows, inner=inner, outer=outer, middle=middle)


def _build(inner: str, outer: str, middle: str) -> Chart:
    across = alt.X(
        "month:N",
        sort=None,
        title=None,
        axis=alt.Axis(labelAngle=0, ticks=False),
        scale=alt.Scale(padding=0.2),
    )
    base = alt.Chart(ROWS).transform_filter(~alt.datum.last).encode(x=across)
    plain = alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    tips = [alt.Tooltip("month:N", title=" "), alt.Tooltip("range:N", title=outer)]
    wide = base.mark_area(opacity=0.22, color=theme.ACCENT, interpolate="monotone").encode(
        y=alt.Y("p10:Q", title=None, axis=plain), y2="p90:Q", tooltip=tips
    )
    narrow = base.mark_area(opacity=0.4, color=theme.ACCENT, interpolate="monotone").encode(
        y="p25:Q", y2="p75:Q", tooltip=[alt.Tooltip("month:N", title=" "), alt.Tooltip("inner_range:N", title=inner)]
    )
    line = base.mark_line(color=theme.ACCENT, strokeWidth=3, interpolate="monotone").encode(
        y="p50:Q", tooltip=[alt.Tooltip("month:N", title=" "), alt.Tooltip("p50_label:N", title=middle)]
    )
    rule = (
        alt.Chart(ROWS)
        .mark_rule(color=theme.GAP, strokeDash=[6, 4], strokeWidth=2)
        .encode(y=alt.Y("goal:Q", aggregate="max"))
    )
    named = (
        alt.Chart(ROWS)
        .mark_text(align="left", dx=4, dy=-8, fontSize=13)
        .encode(x=alt.value(0), y=alt.Y("goal:Q", aggregate="max"), text=alt.Text("goal_name:N", aggregate="max"))
    )
    ends = alt.Chart(ROWS).transform_filter(alt.datum.last).mark_text(align="center", fontSize=12)
    last = [ends.encode(x=across, y=f"{share}:Q", text=f"{share}_label:N") for share in ("p10", "p50", "p90")]
    return alt.layer(wide, narrow, line, rule, named, *last).properties(height=_HEIGHT)
