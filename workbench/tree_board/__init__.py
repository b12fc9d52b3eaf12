"""The KGI tree as one picture that people point at and move: cards, their links, and the levers on them.

Python says what every metric is, where its card stands (`layout`) and how it is computed (a program as data);
the browser draws, folds and zooms (`board.js`), evaluates while a lever is dragged (`engine.js`) and sends one
message when it is let go. No language lives here: texts arrive finished.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from workbench.tree_board.layout import GAP, tidy

__all__ = ["WORDS", "Card", "Model", "Move", "Stage", "tree_board"]

WORDS = ("tree", "funnel", "monitors", "path", "carries", "now_required", "lever", "gap", "baseline",
         "fold", "unfold", "fold_all", "unfold_all", "zoom_in", "zoom_out", "fit", "search", "nothing_found",
         "pin", "unpin", "pinned", "picture_svg", "picture_png", "cannot_alone", "over_limit", "closes",
         "spoken", "spoken_needed", "lever_spoken", "chance")  # fmt: skip
"""The labels and sentences a page gives in its own language; those with blanks are filled in the browser."""

_VISIT = "tree_board_visit"  # another one after the server was restarted, which has forgotten what was chosen

_HERE = Path(__file__).parent
_PARTS = ("fit.js", "numbers.js", "engine.js", "live.js", "scene.js", "paint.js", "take_away.js", "board.js")
_mount = st.components.v2.component(
    "gyakusan_tree_board",
    css=(_HERE / "board.css").read_text(encoding="utf-8"),
    js="\n".join((_HERE / part).read_text(encoding="utf-8") for part in _PARTS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a metric is, apart from its number: every text is finished and in the reader's language.

    `operator` is the sign that joins the metric's children (× + ÷ − ƒ), empty for an input; `operator_name`
    says it in words. `low` and `high` are its plausible range; a lever is moved within `span`, in steps of `step`.
    `chance` is how likely its target is, in bars from 1 to 4 (0: nothing judges it), `chance_text` says it in words.
    """

    id: str
    name: str
    unit: str
    kind: str
    team: str
    team_name: str
    colour: str
    role: Literal["kgi", "input", "computed", "monitor"]
    share: bool = False
    low: float | None = None
    high: float | None = None
    span: tuple[float, float] | None = None
    step: float = 0.0
    operator: str = ""
    operator_name: str = ""
    formula: str = ""
    chance: int = 0
    chance_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The numbers: a program that computes every metric, its inputs, what they were, and what is to be reached.

    `revision` names the plan these numbers are of, so that a move made on an older one is noticed.
    """

    program: Mapping[str, Any]
    inputs: Mapping[str, float]
    baseline: Mapping[str, float]
    target: float
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A bar of the funnel, and the levers on the joint before it. The last one is the KGI itself."""

    metric: str
    levers: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A lever that was let go: what it was moved to, and from what on which revision of the plan."""

    number: int
    changes: Mapping[str, float]
    was: Mapping[str, float]
    revision: str

    @classmethod
    def told(cls, said: Any) -> "Move | None":
        """Return what the browser told; None if it is none (anything can come from a browser)."""
        if not isinstance(said, Mapping):
            return None
        maps = [said.get("changes"), said.get("was")]
        fair = all(
            isinstance(one, Mapping)
            and all(isinstance(number, int | float) and not isinstance(number, bool) for number in one.values())
            for one in maps
        )
        number, revision = said.get("number"), said.get("revision")
        if not fair or not isinstance(number, int) or not isinstance(revision, str):
            return None
        changes, was = ({str(metric): float(x) for metric, x in dict(one or {}).items()} for one in maps)
        return cls(number=number, changes=changes, was=was, revision=revision) if changes.keys() == was.keys() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the board does with a hand on it: which card was chosen, which lever was let go, the last one dealt with."""

    on_select: Callable[[str], object] = field(default=lambda _metric: None)
    on_move: Callable[[Move], object] = field(default=lambda _move: None)
    dealt_with: int = 0


def tree_board(
    cards: Sequence[Card],
    children: Mapping[str, Sequence[str]],
    model: Model,
    *,
    root: str,
    selected: str | None,
    words: Mapping[str, str],
    language: str,
    key: str,
    hands: Hands,
    stages: Sequence[Stage] = (),
    height: int | None = None,
) -> str | None:
    """Draw the board and return the chosen card's id: the one just clicked, else `selected`.

    The page owns the selection and the numbers: `hands` store them before the script runs, the page passes them
    back, and the picture follows. With `stages` the board is a funnel, without it is the tree; `height` (px) is
    that of the window a large tree scrolls in.
    """
    known = {card.id for card in cards}
    links = {card.id: [kid for kid in children.get(card.id, ()) if kid in known] for card in cards}

    def told_of(event: str) -> Any:
        """Return what the browser told; nothing if the page was left in the same moment: it will tell again."""
        return getattr(st.session_state.get(key), event, None)

    def chosen() -> None:
        if (picked := told_of("selected")) in known:
            hands.on_select(picked)

    def moved() -> None:
        move = Move.told(told_of("moved"))
        if move is not None and move.changes.keys() <= known:
            hands.on_move(move)

    told = {
        "key": key,
        "selected": selected,
        "height": height,
        "language": language,
        "words": {word: words[word] for word in WORDS},
        "model": asdict(model),
        "stages": [asdict(stage) for stage in stages],
        "dealt_with": hands.dealt_with,
        "visit": st.session_state.setdefault(_VISIT, secrets.token_hex(8)),
    }
    state = _mount(
        key=key,
        data=board_data(cards, links, root=root) | told,
        on_selected_change=chosen,
        on_moved_change=moved,
    )
    return state.selected if state.selected in known else selected


def board_data(cards: Sequence[Card], links: Mapping[str, Sequence[str]], *, root: str) -> dict[str, Any]:
    """Return what the browser is told of the picture: cards, where they stand, links and sizes."""
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
