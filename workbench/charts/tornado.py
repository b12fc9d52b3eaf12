"""The tornado: every lever across its own plausible range, the widest effect on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from workbench import theme
from workbench.charts.picture import ROWS, Chart, Picture, draw


def tornado(
    bars: Sequence[Mapping[str, Any]], *, goal: str, low: str, high: str, kgi: str, height: int = 46
) -> Picture:
    """Return one bar per lever from the KGI at its low to the KGI at its high.

    A bar has `name`, `low`, `high`, `now`, `goal` (numbers of the KGI), `low_label`, `high_label`
    (the lever's own values there), `range` (text) and `colour`. `goal` is the text at the goal's line; `low`, `high`
    and `kgi` are our own words for the lever's two ends and for `range`.
    """
    rows = [{**bar, "at": at, "goal_name": goal} for at, bar in enumerate(bars)]
    return draw(_build, rows, low=low, high=high, kgi=kgi, height=height * max(len(rows), 1) + 24)


def _build(low: str, high: str, kgi: str, height: int) -> Chart:
    base = alt.Chart(ROWS)
    down = alt.Y("at:O", title=None, axis=None)
    plain = alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    scale = alt.Scale(zero=False, padding=64)
    tips = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("low_label:N", title=low),
        alt.Tooltip("high_label:N", title=high),
        alt.Tooltip("range:N", title=kgi),
    ]
    whole = base.mark_bar(cornerRadius=3, height=18, yOffset=9, opacity=0.85).encode(
        y=down,
        x=alt.X("low:Q", title=None, axis=plain, scale=scale),
        x2="high:Q",
        color=alt.Color("colour:N", scale=None, legend=None),
        tooltip=tips,
    )
    # Each text twice: the goal's line, and today's, end at its halo.
    sides: dict[str, dict[str, Any]] = {"low": {"align": "right", "dx": -6}, "high": {"align": "left", "dx": 6}}
    ends = [
        base.mark_text(dy=9, fontSize=12, style=style, **side).encode(y=down, x=f"{end}:Q", text=f"{end}_label:N")
        for end, side in sides.items()
        for style in ("halo", "text")
    ]
    # The names stand above their bars, so that a phone's narrow picture keeps its width for the bars.
    names = [
        base.mark_text(align="left", dy=-11, fontSize=13, style=style).encode(y=down, x=alt.value(0), text="name:N")
        for style in ("halo", "text")
    ]
    now = base.mark_rule(color=theme.NEUTRAL, strokeWidth=2).encode(x=alt.X("now:Q", aggregate="max"))
    line = base.mark_rule(color=theme.GAP, strokeDash=[6, 4], strokeWidth=2).encode(x=alt.X("goal:Q", aggregate="max"))
    named = base.mark_text(dy=-8, y=0, fontSize=12).encode(
        x=alt.X("goal:Q", aggregate="max"), text=alt.Text("goal_name:N", aggregate="max")
    )
    return alt.layer(whole, now, line, *names, *ends, named).properties(height=height)
