"""Gauges: for each name how much of what there is has been used, its amounts at the right end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from workbench import theme
from workbench.charts.picture import ROWS, Chart, Picture, draw

_ROW = 36


def gauges(found: Sequence[Mapping[str, Any]], *, amount: str) -> Picture:
    """Return a bar for each row, filled as far as it is used.

    A row has `name`, `share` (0 to 1), `label` (text) and `colour`; `amount` is the word for the label.
    """
    rows = [{**row, "at": at, "from": 0.0, "all": 1.0} for at, row in enumerate(found)]
    return draw(_build, rows, amount=amount, height=_ROW * max(len(rows), 1))


def _build(amount: str, height: int) -> Chart:
    base = alt.Chart(ROWS)
    down = alt.Y("at:O", title=None, axis=None)
    along = alt.X("from:Q", title=None, axis=None, scale=alt.Scale(domain=[0, 1]))
    tips = [alt.Tooltip("name:N", title=" "), alt.Tooltip("label:N", title=amount)]
    room = base.mark_bar(cornerRadius=3, height=8, yOffset=9, color=theme.GHOST, opacity=0.45).encode(
        y=down, x=along, x2="all:Q", tooltip=tips
    )
    used = base.mark_bar(cornerRadius=3, height=8, yOffset=9).encode(
        y=down, x=along, x2="share:Q", color=alt.Color("colour:N", scale=None, legend=None), tooltip=tips
    )
    names = base.mark_text(align="left", dy=-6, fontSize=12).encode(y=down, x=alt.value(0), text="name:N")
    labels = base.mark_text(align="right", dy=-6, fontSize=12, fontWeight="bold").encode(
        y=down, x=alt.value("width"), text="label:N"
    )
    return alt.layer(room, used, names, labels).properties(height=height)
