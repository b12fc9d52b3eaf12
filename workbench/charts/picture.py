"""A picture: a Vega-Lite specification built and validated once per shape, and its data.

Altair checks a specification against its schema whenever it is built, which is most of the
cost of drawing it. So a builder runs once for each set of words and sizes; afterwards only
the data moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd

Chart = alt.Chart | alt.LayerChart | alt.FacetChart
Build = Callable[..., Chart]

# Stands for the rows while a picture is being specified.
ROWS = alt.NamedData(name="rows")


@dataclass(frozen=True)
class Picture:
    """What to draw and with which rows; the same specification object for the same shape."""

    spec: Mapping[str, Any]
    data: pd.DataFrame


def draw(build: Build, rows: Sequence[Mapping[str, Any]], **shape: Any) -> Picture:
    """Return the picture that `build(**shape)` specifies, filled with `rows`.

    `shape` holds what changes the specification: words on the axes, colours, sizes (hashable).
    """
    return Picture(_spec(build, tuple(sorted(shape.items()))), pd.DataFrame(rows))


@lru_cache(maxsize=256)
def _spec(build: Build, shape: tuple[tuple[str, Any], ...]) -> Mapping[str, Any]:
    spec: dict[str, Any] = build(**dict(shape)).to_dict()
    for part in ("data", "datasets", "$schema"):
        spec.pop(part, None)
    return spec
