"""The course of the year: what comes in each month, what of it is decided already, and how it was planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from workbench import theme
from workbench.charts.picture import ROWS, Chart, Picture, draw

_HEIGHT = 250


def course(months: Sequence[Mapping[str, Any]], *, words: Mapping[str, str]) -> Picture:
    """Return a bar for each month, split at what entered before, with ticks for what was planned.

    A month has `month` (text), `past`, `needed`, `planned`, `cash` (numbers; None leaves one out),
    and `label` (text). `words` names `past`, `new`, `planned` and `cash`.
    """
    named = {f"{name}_word": word for name, word in words.items()}
    return draw(_build, [{**month, **named} for month in months], **named)


def _build(past_word: str, new_word: str, planned_word: str, cash_word: str) -> Chart:
    across = alt.X("month:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, ticks=False))
    base = alt.Chart(ROWS).encode(x=across)
    plain = alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    colours = alt.Scale(
        domain=[past_word, new_word, planned_word, cash_word],
        range=[theme.GHOST, theme.ACCENT, theme.NEUTRAL, theme.GAP],
    )
    legend = alt.Legend(orient="top", title=None, labelLimit=320, symbolType="square", columns=2)
    tips = [alt.Tooltip("month:N", title=" "), alt.Tooltip("label:N", title=new_word)]
    past = base.mark_bar(cornerRadiusBottomLeft=2, cornerRadiusBottomRight=2).encode(
        y=alt.Y("past:Q", title=None, axis=plain),
        color=alt.Color("past_word:N", scale=colours, legend=legend),
        tooltip=tips,
    )
    new = base.mark_bar(cornerRadiusTopLeft=3, cornerRadiusTopRight=3).encode(
        y="past:Q", y2="needed:Q", color=alt.Color("new_word:N", scale=colours, legend=legend), tooltip=tips
    )
    planned = base.mark_tick(thickness=3, orient="horizontal", bandSize=34).encode(
        y="planned:Q", color=alt.Color("planned_word:N", scale=colours, legend=legend)
    )
    cash = base.mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=36)).encode(
        y="cash:Q", color=alt.Color("cash_word:N", scale=colours, legend=legend)
    )
    labels = base.mark_text(dy=-8, fontSize=12, opacity=alt.ExprRef("width < 560 ? 0 : 1")).encode(
        y="needed:Q", text="label:N"
    )
    return alt.layer(past, new, planned, cash, labels).properties(height=_HEIGHT)
