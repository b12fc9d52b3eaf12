"""Where each card of the tree stands: a tidy drawing, left to right, the same every time.

The goal is in column 0 and every metric stands one column right of the deepest metric it carries,
so each edge runs left to right and a metric used twice is one card with two edges.
Each metric hangs on one *main* parent (the deepest); those links form a tree, drawn tidily:
branches are pushed together until their outlines touch, parents centred on their children
(Reingold & Tilford 1981). Metrics that do not carry the goal stand in a strip below.

Rows and columns count cards, x and y are pixels of a card's upper left corner.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import TypeAlias

WALL = 1120  # px: what a 1440 px window leaves beside the sidebar
WIDEST, NARROWEST = 176, 124
GAP = 40  # between columns: room for the operator's sign
STRIP = 40  # between the tree and the strip of monitors: room for its title

Children: TypeAlias = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """One card: its column and row (rows may be halves), and its upper left corner in px."""

    column: int
    row: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """A link from a metric to one that carries it.

    `main` links form the drawn tree. `via` holds one y (px) for each column the link passes on its way,
    between that column's cards.
    """

    source: str
    target: str
    main: bool
    via: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole drawing: `places` of the tree in reading order, `monitors` below it, sizes in px."""

    places: Mapping[str, Place]
    monitors: Mapping[str, Place]
    edges: tuple[Edge, ...]
    card_width: float
    card_height: float
    row_pitch: float
    strip_y: float
    width: float
    height: float


def tidy(root: str, children: Children) -> Layout:
    """Return the drawing of everything that carries `root`, and of the rest below it.

    Takes time in proportion to cards times depth; 200 cards are a few ms.
    A cycle raises `graphlib.CycleError`; the plan refuses cycles long before.
    """
    inside = _reachable(root, children)
    columns = _columns(children, inside)
    parents = _main_parents(children, columns)
    rows = _rows(root, _branches(root, children, parents, columns))

    depth, last = 1 + max(columns.values()), max(rows.values())
    height, gap_y = (76, 12) if last < 8 else (66, 8)
    width = min(WIDEST, max(NARROWEST, (WALL + GAP) / depth - GAP))
    pitch_x, pitch_y = width + GAP, height + gap_y

    places = {i: Place(columns[i], rows[i], columns[i] * pitch_x, rows[i] * pitch_y) for i in rows}
    strip_y = last * pitch_y + height + STRIP
    per_row = max(depth, int((WALL + GAP) // pitch_x))
    outside = [i for i in _everything(children) if i not in inside]
    monitors = {
        metric: Place(n % per_row, n // per_row, n % per_row * pitch_x, strip_y + n // per_row * pitch_y)
        for n, metric in enumerate(outside)
    }
    shown = [*places.values(), *monitors.values()]
    return Layout(
        places=places,
        monitors=monitors,
        edges=tuple(_edges(children, places, parents, lane=lambda row: row * pitch_y + height / 2)),
        card_width=width,
        card_height=height,
        row_pitch=pitch_y,
        strip_y=strip_y,
        width=max(p.x for p in shown) + width,
        height=max(p.y for p in shown) + height,
    )


def _everything(children: Children) -> list[str]:
    return list(dict.fromkeys(metric for parent, kids in children.items() for metric in (parent, *kids)))


def _reachable(root: str, children: Children) -> set[str]:
    seen, todo = {root}, [root]
    while todo:
        fresh = [kid for kid in children.get(todo.pop(), ()) if kid not in seen]
        seen.update(fresh)
        todo.extend(fresh)
    return seen


def _columns(children: Children, inside: set[str]) -> dict[str, int]:
    """Return the longest way from the root to each metric, counted in links."""
    carries = {metric: children.get(metric, ()) for metric in sorted(inside)}
    columns = dict.fromkeys(inside, 0)
    for metric in reversed(list(TopologicalSorter(carries).static_order())):
        for kid in carries[metric]:
            columns[kid] = max(columns[kid], columns[metric] + 1)
    return columns


def _main_parents(children: Children, columns: Mapping[str, int]) -> dict[str, str]:
    """Return for each metric the first of its deepest parents."""
    main: dict[str, str] = {}
    for metric in children:
        for kid in children[metric] if metric in columns else ():
            if kid not in main or columns[metric] > columns[main[kid]]:
                main[kid] = metric
    return main


def _branches(
    root: str, children: Children, parents: Mapping[str, str], columns: Mapping[str, int]
) -> dict[str, list[str]]:
    """Return each metric's own branch, parents before children.

    A metric that others use too goes last, next to the branches that reach for it.
    """
    uses: dict[str, int] = dict.fromkeys(columns, 0)
    for metric in columns:
        for kid in dict.fromkeys(children.get(metric, ())):
            uses[kid] += 1
    branches: dict[str, list[str]] = {}
    todo = [root]
    while todo:
        metric = todo.pop()
        own = [kid for kid in dict.fromkeys(children.get(metric, ())) if parents[kid] == metric]
        branches[metric] = sorted(own, key=lambda kid: uses[kid] > 1)
        todo.extend(reversed(branches[metric]))
    return branches


def _rows(root: str, branches: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return each metric's row, the topmost at 0, in reading order."""
    offset = {root: 0.0}
    outline: dict[str, list[tuple[float, float]]] = {}  # per depth: first and last row, from the metric's own row
    for metric in reversed(list(branches)):
        below: list[tuple[float, float]] = []
        for kid in branches[metric]:
            shape = outline.pop(kid)
            offset[kid] = max((low[1] - high[0] + 1 for low, high in zip(below, shape, strict=False)), default=0.0)
            moved = [(top + offset[kid], bottom + offset[kid]) for top, bottom in shape]
            joined = [(low[0], high[1]) for low, high in zip(below, moved, strict=False)]
            below = joined + below[len(joined) :] + moved[len(joined) :]
        kids = branches[metric]
        centre = (offset[kids[0]] + offset[kids[-1]]) / 2 if kids else 0.0
        for kid in kids:
            offset[kid] -= centre
        outline[metric] = [(0.0, 0.0), *((top - centre, bottom - centre) for top, bottom in below)]

    highest = min(top for top, _ in outline[root])
    rows = {root: -highest}
    for metric, kids in branches.items():
        rows.update((kid, rows[metric] + offset[kid]) for kid in kids)
    return {metric: rows[metric] for metric in branches}


def _edges(
    children: Children,
    places: Mapping[str, Place],
    parents: Mapping[str, str],
    *,
    lane: Callable[[float], float],
) -> Iterable[Edge]:
    standing: dict[int, list[float]] = {}
    for place in places.values():
        standing.setdefault(place.column, []).append(place.row)
    for source, start in places.items():
        for target in dict.fromkeys(children.get(source, ())):
            main = parents[target] == source
            passed = range(start.column + 1, places[target].column)
            aim = places[target].row
            via = tuple(lane(_free_row(standing[column], aim)) for column in passed)
            yield Edge(source, target, main=main, via=via)


def _free_row(rows: Sequence[float], aim: float) -> float:
    """Return the row nearest `aim` at which a line slips between the cards at `rows`."""
    ordered = sorted(rows)
    between = [(a + b) / 2 for a, b in pairwise(ordered)]
    free = [aim] if all(abs(row - aim) >= 0.5 for row in ordered) else []
    return min([ordered[0] - 0.5, *between, ordered[-1] + 0.5, *free], key=lambda row: (abs(row - aim), row))
