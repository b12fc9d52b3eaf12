"""The bridge: from the KGI as it was, change by change, to the KGI as it is, and the goal. Read from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from workbench import theme
from workbench.charts.picture import ROWS, Chart, Picture, draw

_ROW, _GOAL = 44, 20  # px: a name and its bar; the goal's name below them


def bridge(steps: Sequence[Mapping[str, Any]], *, goal: str, amount: str, zero: bool = True, room: int = 1) -> Picture:
    """Return a waterfall with a line at the goal.

    A step has `name`, `start` and `end` (in the KGI's unit), `label` (what stands beside it),
    `colour`, and `goal` (the same number in each row). `goal` is the text at the
    goal's line, `amount` our own word for what is measured. Without `zero` the axis begins
    at the least number there is.
    There is `room` for so many steps at least: as long as they fit, nothing below the picture moves.
    """
    rows = [{**step, **_place(at, step), "goal_name": goal} for at, step in enumerate(steps)]
    return draw(_build, rows, amount=amount, room=max(len(rows), room), zero=zero)


def steps(found: Sequence[Mapping[str, Any]], *, amount: str) -> Picture:
    """Return a waterfall without a goal: steps as in `bridge`, less their `goal`."""
    rows = [{**step, **_place(at, step)} for at, step in enumerate(found)]
    return draw(_build_steps, rows, amount=amount, room=max(len(rows), 1))


def _place(at: int, step: Mapping[str, Any]) -> dict[str, float]:
    return {"at": at + 0.5, "right": max(step["start"], step["end"])}


def _build(amount: str, room: int, *, zero: bool) -> Chart:
    base = alt.Chart(ROWS)
    bars, *texts = _waterfall(amount, room, zero=zero)
    line = base.mark_tick(orient="vertical", color=theme.GAP, thickness=2, size=18, yOffset=9).encode(
        y=_down(room), x="goal:Q"
    )
    named = base.mark_text(align="right", dx=4, fontSize=12, y=_ROW * room + _GOAL - 4).encode(
        x=alt.X("goal:Q", aggregate="max"), text=alt.Text("goal_name:N", aggregate="max")
    )
    return alt.layer(bars, line, *texts, named).properties(height=_ROW * room + _GOAL)


def _build_steps(amount: str, room: int) -> Chart:
    return alt.layer(*_waterfall(amount, room)).properties(height=_ROW * room)


def _down(room: int) -> alt.Y:
    along = alt.Scale(domain=[0, room], range=[0, _ROW * room], nice=False)
    return alt.Y("at:Q", title=None, axis=None, scale=along)


def _waterfall(amount: str, room: int, *, zero: bool = True) -> tuple[alt.Chart, ...]:
    base, down = alt.Chart(ROWS), _down(room)
    along = alt.X("start:Q", title=None, axis=None, scale=alt.Scale(zero=zero, nice=False, padding=4))
    bars = base.mark_bar(orient="horizontal", cornerRadius=2, height=18, yOffset=9, strokeWidth=1.5).encode(
        y=down,
        x=along,
        x2="end:Q",
        color=alt.Color("colour:N", scale=None, legend=None),
        stroke=alt.Stroke("colour:N", scale=None, legend=None),  # a small change is a line, not nothing
        tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("label:N", title=amount)],
    )
    # Names and amounts stand above their bars: a narrow picture keeps its width for the bars.
    names = base.mark_text(align="left", dy=-10, fontSize=12).encode(y=down, x=alt.value(0), text="name:N")
    labels = base.mark_text(align="right", dy=-10, fontSize=13, fontWeight="bold").encode(
        y=down, x=alt.value("width"), text="label:N"
    )
    return bars, names, labels
