"""The two-way grid: what the KGI becomes when two metrics move together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from workbench import theme
from workbench.charts.picture import ROWS, Chart, Picture, draw


def grid(cells: Sequence[Mapping[str, Any]], *, across: str, down: str, height: int = 260) -> Picture:
    """Return a grid of cells, those that reach the goal filled and ticked.

    A cell has `x`, `y` (texts), `x_at`, `y_at` (their order), `label` and `reached` (bool). `across` and `down` name
    the axes; they are written above the grid, as data: a name in a title would be part of an expression.
    """
    titles = {"across": f"→ {across}", "down": f"↓ {down}"}
    rows = [{**cell, **titles, "text": f"✓ {cell['label']}" if cell["reached"] else cell["label"]} for cell in cells]
    return draw(_build, rows, height=height)


def _build(height: int) -> Chart:
    base = alt.Chart(ROWS).encode(
        x=alt.X(
            "x:N",
            sort=alt.SortField("x_at"),
            title=None,
            axis=alt.Axis(labelAngle=0, orient="top", ticks=False, domain=False),
        ),
        y=alt.Y("y:N", sort=alt.SortField("y_at"), title=None, axis=alt.Axis(ticks=False, domain=False)),
    )
    cells = base.mark_rect(cornerRadius=4, stroke="transparent", strokeWidth=4).encode(
        color=alt.condition(alt.datum.reached, alt.value(theme.ACCENT), alt.value(theme.GHOST)),
        opacity=alt.condition(alt.datum.reached, alt.value(0.9), alt.value(0.35)),
    )
    white = base.transform_filter(alt.datum.reached).mark_text(fontSize=14, fontWeight="bold", color="#FFFFFF")
    plain = base.transform_filter(~alt.datum.reached).mark_text(fontSize=14)
    titles = [
        alt.Chart(ROWS)
        .mark_text(align="left", fontSize=12, fontWeight="bold", limit=alt.ExprRef("width"))
        .encode(x=alt.value(0), y=alt.value(place), text=alt.Text(f"{name}:N", aggregate="max"))
        for name, place in (("down", -62), ("across", -46))
    ]
    return alt.layer(cells, white.encode(text="text:N"), plain.encode(text="text:N"), *titles).properties(height=height)
