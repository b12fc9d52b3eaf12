"""The look in one place: who has which colour, and what a gap looks like."""

from __future__ import annotations

# Okabe–Ito, told apart by colour-blind eyes; colour never carries meaning alone.
TEAM_COLOURS = {
    "marketing": "#0072B2",
    "inside_sales": "#E69F00",
    "field_sales": "#009E73",
    "customer_success": "#CC79A7",
    "revops": "#56B4E9",
    "company": "#7A7F87",
}
GAP = "#D55E00"
NEUTRAL = "#8A9099"
GHOST = "#B9BEC6"
ACCENT = "#0072B2"

# What is written on pictures, on light and on dark ground.
INK = {"light": "#1B2430", "dark": "#E8ECF1"}
GROUND = {"light": "#FFFFFF", "dark": "#12171E"}


def on_pictures(kind: str | None) -> dict[str, object]:
    """Return the settings of a picture's texts on light or dark ground; the style `halo` is ground around a text."""
    known = kind if kind in INK else "light"
    halo = {"stroke": GROUND[known], "strokeWidth": 4, "strokeJoin": "round", "fill": GROUND[known]}
    return {"text": {"color": INK[known]}, "style": {"halo": halo}}


def team_colour(team: str | None) -> str:
    """Return a team's colour; grey for nobody's metrics and for teams of one's own making."""
    return TEAM_COLOURS.get(team or "company", NEUTRAL)
