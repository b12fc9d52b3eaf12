"""The frontier: how far the KGI gets with each amount of one resource, its knees marked, and where one stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from workbench import theme
from workbench.charts.picture import ROWS, Chart, Picture, draw

_HEIGHT, _BESIDE = 240, 52  # px; the labels of the first and the last knee stand beside what is drawn


def frontier(steps: Sequence[Mapping[str, Any]], *, resource: str, amount: str, kgi: str) -> Picture:
    """Return a stair with a point at each step, the knees filled, and a line at what is available.

    A step has `amount`, `kgi` (numbers), `amount_label`, `kgi_label`, `set` (texts), `knee` (bool) and `limit` (the
    number available, the same in each row; None: no limit). `resource` names what there are amounts of: it is written
    below the axis, as data. `amount` and `kgi` are our own words for the two.
    """
    return draw(_build, [{**step, "resource": resource} for step in steps], amount=amount, kgi=kgi)


def _build(amount: str, kgi: str) -> Chart:
    base = alt.Chart(ROWS)
    across = alt.X(
        "amount:Q",
        title=None,
        axis=alt.Axis(labels=False, ticks=False, grid=False),
        scale=alt.Scale(nice=False, padding=_BESIDE),
    )
    up = alt.Y(
        "kgi:Q",
        title=None,
        axis=alt.Axis(labels=False, ticks=False, grid=False, domain=False),
        scale=alt.Scale(zero=False),
    )
    tips = [
        alt.Tooltip("amount_label:N", title=amount),
        alt.Tooltip("kgi_label:N", title=kgi),
        alt.Tooltip("set:N", title=" "),
    ]
    stair = base.mark_line(interpolate="step-after", color=theme.ACCENT, strokeWidth=2.5).encode(x=across, y=up)
    points = base.mark_point(filled=True, size=90, color=theme.ACCENT, opacity=1).encode(
        x=across,
        y=up,
        shape=alt.condition(alt.datum.knee, alt.value("diamond"), alt.value("circle")),
        size=alt.condition(alt.datum.knee, alt.value(130), alt.value(30)),
        tooltip=tips,
    )
    knees = base.transform_filter(alt.datum.knee)
    amounts: dict[str, Any] = {"align": "left", "dx": 8, "dy": 12}
    kgis: dict[str, Any] = {"align": "right", "dx": -7, "dy": -7}
    # Each label twice: what goes behind it, the line of what there is too, ends at its halo.
    labels = [
        knees.mark_text(style=style, fontSize=11, **place).encode(x=across, y=up, text=text)
        for text, place in (("amount_label:N", amounts), ("kgi_label:N", kgis))
        for style in ("halo", "text")
    ]
    limit = base.mark_rule(color=theme.GAP, strokeDash=[6, 4], strokeWidth=2).encode(
        x=alt.X("limit:Q", aggregate="max", title=None)
    )
    named = base.mark_text(baseline="top", fontSize=11, fontWeight="bold", limit=alt.ExprRef("width")).encode(
        x=alt.value(alt.ExprRef("width / 2")),
        y=alt.value(alt.ExprRef("height + 8")),
        text=alt.Text("resource:N", aggregate="max"),
    )
    return alt.layer(stair, limit, points, *labels, named).properties(height=_HEIGHT)
