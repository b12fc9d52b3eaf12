"""Lengths: one bar for each name, the longest first, its amount at the right end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt

from workbench.charts.picture import ROWS, Chart, Picture, draw

_ROW = 40


def lengths(bars: Sequence[Mapping[str, Any]], *, amount: str) -> Picture:
    """Return horizontal bars from 0. A bar has `name`, `size` (a number), `label` (text) and `colour`."""
    rows = [{**bar, "at": at, "from": 0.0} for at, bar in enumerate(bars)]
    return draw(_build, rows, amount=amount, height=_ROW * max(len(rows), 1), kind="linear")


def ratios(bars: Sequence[Mapping[str, Any]], *, amount: str) -> Picture:
    """Return the same for numbers of times, from 1 and by ratio: 2 is as far from 1 as 4 from 2."""
    rows = [{**bar, "at": at, "from": 1.0} for at, bar in enumerate(bars)]
    return draw(_build, rows, amount=amount, height=_ROW * max(len(rows), 1), kind="log")


def _build(amount: str, height: int, kind: Literal["linear", "log"]) -> Chart:
    base = alt.Chart(ROWS)
    down = alt.Y("at:O", title=None, axis=None)
    bars = base.mark_bar(cornerRadius=3, height=14, yOffset=9).encode(
        y=down,
        x=alt.X("from:Q", title=None, axis=None, scale=alt.Scale(type=kind, nice=False)),
        x2="size:Q",
        color=alt.Color("colour:N", scale=None, legend=None),
        tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("label:N", title=amount)],
    )
    names = base.mark_text(align="left", dy=-9, fontSize=12).encode(y=down, x=alt.value(0), text="name:N")
    labels = base.mark_text(align="right", dy=-9, fontSize=12, fontWeight="bold").encode(
        y=down, x=alt.value("width"), text="label:N"
    )
    return alt.layer(bars, names, labels).properties(height=height)
