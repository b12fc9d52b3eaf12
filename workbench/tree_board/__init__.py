"""The KGI tree as one picture that people point at: cards, their links, and a click that comes back.

Python decides what every card says and where it stands (`layout`); the browser draws, folds and zooms (`board.js`).
No arithmetic and no language live here: texts arrive finished, numbers formatted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from workbench.tree_board.layout import GAP, tidy

__all__ = ["WORDS", "Card", "tree_board"]

WORDS = ("tree", "monitors", "path", "carries", "now_required", "lever", "gap", "reached",
         "fold", "unfold", "zoom_in", "zoom_out", "fit")  # fmt: skip
"""The labels a page gives in its own language."""

_HERE = Path(__file__).parent
_mount = st.components.v2.component(
    "gyakusan_tree_board",
    css=(_HERE / "board.css").read_text(encoding="utf-8"),
    js="".join((_HERE / part).read_text(encoding="utf-8") for part in ("fit.js", "board.js")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One metric as people read it: every text is finished and in their language.

    `filled` is now over required, clipped to 0..1, and only drawn when there is a `required`.
    `operator` is the sign that joins the metric's children (× + ÷ − ƒ), empty for an input;
    `operator_name` says it in words. `spoken` is the whole card as one sentence for a screen reader.
    """

    id: str
    name: str
    unit: str
    team: str
    team_name: str
    colour: str
    role: Literal["kgi", "input", "computed", "monitor"]
    status: Literal["reached", "gap", "plain", "lever"]
    now: str
    required: str | None
    gap: str | None
    filled: float
    operator: str
    operator_name: str
    formula: str
    spoken: str


def tree_board(
    cards: Sequence[Card],
    children: Mapping[str, Sequence[str]],
    *,
    root: str,
    selected: str | None,
    words: Mapping[str, str],
    key: str,
    on_select: Callable[[str], object],
    height: int | None = None,
) -> str | None:
    """Draw the tree and return the chosen card's id: the one just clicked, else `selected`.

    The page owns the selection: `on_select` stores it before the script runs, the page passes it back as `selected`,
    and the picture follows whenever that changes.
    `height` (px) makes the picture a window that scrolls; without it the picture is as tall as the tree.
    """
    known = {card.id for card in cards}
    links = {card.id: [kid for kid in children.get(card.id, ()) if kid in known] for card in cards}

    def chosen() -> None:
        picked = st.session_state[key].selected
        if picked in known:
            on_select(picked)

    state = _mount(
        key=key,
        data=board_data(cards, links, root=root)
        | {"key": key, "selected": selected, "height": height, "words": {word: words[word] for word in WORDS}},
        on_selected_change=chosen,
    )
    return state.selected if state.selected in known else selected


def board_data(cards: Sequence[Card], links: Mapping[str, Sequence[str]], *, root: str) -> dict[str, Any]:
    """Return what the browser is told: cards, where they stand, links and sizes."""
    drawing = tidy(root, links)
    places = {**drawing.places, **drawing.monitors}
    told = {card.id: asdict(card) for card in cards}
    return {
        "root": root,
        "cards": [
            told[metric] | {"column": place.column, "x": place.x, "y": place.y, "inside": metric in drawing.places}
            for metric, place in places.items()
        ],
        "children": {metric: list(dict.fromkeys(links[metric])) for metric in links},
        "edges": [asdict(edge) for edge in drawing.edges],
        "size": {
            "width": drawing.width,
            "height": drawing.height,
            "card_width": drawing.card_width,
            "card_height": drawing.card_height,
            "column_pitch": drawing.card_width + GAP,
            "row_pitch": drawing.row_pitch,
            "strip_y": drawing.strip_y,
        },
    }
