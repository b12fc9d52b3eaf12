"""The funnel: the stages of the plan as narrowing bars, as they are and as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import Any

import altair as alt

from workbench import theme
from workbench.charts.picture import ROWS, Chart, Picture, draw


def funnel(stages: Sequence[Mapping[str, Any]], *, height: int = 34) -> Picture:
    """Return centred bars whose widths are the logarithms of the stages' numbers.

    From 400,000 visitors to 108 wins a linear bar would vanish. A stage has `name`, `value`,
    `before` (numbers), `label` (text) and `colour`; `height` is that of one stage.
    """
    rows = [
        {
            **stage,
            "at": at,
            "half": _width(stage["value"]) / 2,
            "minus": -_width(stage["value"]) / 2,
            "ghost": _width(stage["before"]) / 2,
            "ghost_minus": -_width(stage["before"]) / 2,
            "edge": _width(max(stage["value"], stage["before"])) / 2,
        }
        for at, stage in enumerate(stages)
    ]
    return draw(_build, rows, height=height * max(len(rows), 1))


def _width(number: float) -> float:
    return log10(max(number, 0.0) + 1)


def _build(height: int) -> Chart:
    base = alt.Chart(ROWS)
    down = alt.Y(
        "name:N",
        sort=alt.SortField("at"),
        title=None,
        axis=alt.Axis(labelLimit=150, labelFontSize=13, ticks=False, domain=False),
        scale=alt.Scale(paddingInner=0.18),
    )
    plain = alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    bars = base.mark_bar(cornerRadius=3, opacity=0.85).encode(
        y=down,
        x=alt.X("minus:Q", title=None, axis=plain, scale=alt.Scale(padding=96, nice=False)),
        x2="half:Q",
        color=alt.Color("colour:N", scale=None, legend=None),
        tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("label:N", title=" ")],
    )
    ghost = base.mark_bar(filled=False, stroke=theme.NEUTRAL, strokeDash=[3, 3], cornerRadius=3).encode(
        y=down, x=alt.X("ghost_minus:Q"), x2="ghost:Q"
    )
    values = base.mark_text(fontSize=14, fontWeight="bold", align="left", dx=8).encode(
        y=down, x=alt.X("edge:Q"), text="label:N"
    )
    return alt.layer(bars, ghost, values).properties(height=height)
