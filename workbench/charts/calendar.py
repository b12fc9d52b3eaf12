"""The calendar of last useful months: stages down, months across, how much of its full worth a unit still has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from workbench import theme
from workbench.charts.picture import ROWS, Chart, Picture, draw

_ROW, _HEAD = 46, 20  # px: a stage with its name above the cells, and the months' names


def calendar(cells: Sequence[Mapping[str, Any]], *, share: str, worth: str, height: int) -> Picture:
    """Return a grid whose cells fade as a unit loses its worth for the year.

    A cell has `stage`, `month` (texts), `row`, `column` (their order), `share` (0–1), `label` (what stands in it),
    `worth` (text), `lost` (bool: the month is over) and `last` ("90", "50", "any" or ""). `share` and `worth` are
    words; `height` is the number of stages.
    """
    rows = [{**cell, "where": f"{cell['stage']} · {cell['month']}"} for cell in cells]
    return draw(_build, rows, share=share, worth=worth, height=_ROW * max(height, 1) + _HEAD)


def _build(share: str, worth: str, height: int) -> Chart:
    across = alt.X(
        "month:N",
        sort=alt.SortField("column"),
        title=None,
        axis=alt.Axis(
            orient="top",
            labelAngle=0,
            ticks=False,
            domain=False,
            labelOverlap=False,
            labelPadding=4,
            labelFontSize=alt.ExprRef("width < 560 ? 8 : 12"),
        ),
        scale=alt.Scale(paddingInner=0.06),
    )
    down = alt.Y(
        "row:O",
        title=None,
        axis=None,
        scale=alt.Scale(paddingInner=0.5, paddingOuter=0.5),
    )
    base = alt.Chart(ROWS).encode(
        x=across,
        y=down,
        tooltip=[
            alt.Tooltip("where:N", title=" "),
            alt.Tooltip("label:N", title=share),
            alt.Tooltip("worth:N", title=worth),
        ],
    )
    cells = base.mark_rect(cornerRadius=3).encode(
        color=alt.condition(alt.datum.lost, alt.value(theme.GHOST), alt.value(theme.ACCENT)),
        opacity=alt.condition(
            alt.datum.lost,
            alt.value(0.3),
            alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 0.95]), legend=None),
        ),
    )
    frames = [
        base.transform_filter(alt.datum.last == last).mark_rect(
            cornerRadius=3, fillOpacity=0, stroke=theme.GAP, strokeWidth=width, strokeDash=dash
        )
        for last, width, dash in (("90", 3, [1, 0]), ("50", 2, [4, 3]))
    ]
    strong = base.transform_filter((alt.datum.share > 0.55) & ~alt.datum.lost)
    weak = base.transform_filter((alt.datum.share <= 0.55) | alt.datum.lost)
    size = alt.ExprRef("width < 560 ? 9 : 12")
    texts = [
        strong.mark_text(fontSize=size, fontWeight="bold", color="#FFFFFF").encode(text="label:N"),
        weak.mark_text(fontSize=size).encode(text="label:N"),
    ]
    names = (
        alt.Chart(ROWS)
        .transform_filter(alt.datum.column == 0)
        .mark_text(align="left", baseline="bottom", fontSize=12, dy=-13)
        .encode(x=alt.value(0), y=down, text="stage:N")
    )
    return alt.layer(cells, *frames, *texts, names).properties(height=height)
