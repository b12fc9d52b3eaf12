"""The board's drawing: cards never overlap, links run left to right, and the same tree always looks the same."""

import json
import re
from itertools import combinations
from pathlib import Path
from statistics import median

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from workbench.tree_board import Card, Move, board_data
from workbench.tree_board.layout import WALL, Layout, tidy

TEMPLATES = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "sample_data" / "templates").glob("*.yaml"))
}
FUNNEL = {
    "revenue": ["wins", "unit_price"],
    "wins": ["close_rate", "meetings"],
    "close_rate": ["proposal_rate", "proposal_win_rate"],
    "meetings": ["appointments", "meeting_rate"],
    "appointments": ["leads", "appt_rate"],
    "leads": ["visitors", "cvr"],
    "proposals": ["meetings", "proposal_rate"],
}


def test_the_five_templates_are_there():
    assert len(TEMPLATES) == 5


def test_the_goal_stands_left_and_its_parents_are_centred_on_their_children():
    drawing = tidy("revenue", FUNNEL)

    assert drawing.places["revenue"].column == 0
    assert drawing.places["visitors"].column == 5
    for parent in FUNNEL.keys() - {"proposals"}:
        rows = [drawing.places[kid].row for kid in FUNNEL[parent]]
        assert drawing.places[parent].row == pytest.approx((rows[0] + rows[-1]) / 2)


def test_the_funnel_fits_a_projector():
    drawing = tidy("revenue", FUNNEL)

    assert drawing.width <= WALL
    assert drawing.height <= 560


def test_seven_levels_still_fit_the_width():
    chain = {f"m{n}": [f"m{n + 1}", f"rate{n}"] for n in range(6)}

    drawing = tidy("m0", chain)

    assert drawing.width <= WALL
    assert drawing.height <= 760


def test_what_does_not_carry_the_goal_stands_below_it():
    drawing = tidy("revenue", FUNNEL)

    assert list(drawing.monitors) == ["proposals"]
    assert drawing.monitors["proposals"].y >= max(place.y for place in drawing.places.values()) + drawing.card_height


def test_a_metric_used_twice_is_one_card_with_two_links():
    """By hand: visitors carries both enquiries and downloads, so it sits between them."""
    drawing = tidy("opps", {"opps": ["enquiries", "downloads"], "enquiries": ["visitors", "ask"],
                            "downloads": ["visitors", "load"]})  # fmt: skip

    into = [(edge.source, edge.main) for edge in drawing.edges if edge.target == "visitors"]
    assert into == [("enquiries", True), ("downloads", False)]
    assert [m for m, p in sorted(drawing.places.items(), key=lambda item: item[1].y) if p.column == 2] == [
        "ask", "visitors", "load"]  # fmt: skip


def test_a_metric_used_early_and_late_stands_at_its_deepest_use():
    drawing = tidy("a", {"a": ["b", "x"], "b": ["c"], "c": ["x", "y"]})

    assert drawing.places["x"].column == 3
    early = next(edge for edge in drawing.edges if (edge.source, edge.target) == ("a", "x"))
    assert len(early.via) == 2


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_template_is_drawn_cleanly(name: str):
    root, children = _template(name)

    drawing = tidy(root, children)

    _check_clean(drawing)
    assert drawing.places.keys() | drawing.monitors.keys() == children.keys()


@some.composite
def random_dags(draw: some.DrawFn) -> dict[str, list[str]]:
    count = draw(some.integers(1, 40))
    links = draw(some.lists(some.tuples(some.integers(0, count - 1), some.integers(0, count - 1)), max_size=90))
    children: dict[str, list[str]] = {f"m{n}": [] for n in range(count)}
    for a, b in links:
        if a != b:
            children[f"m{min(a, b)}"].append(f"m{max(a, b)}")
    return children


@given(random_dags())
def test_no_cards_overlap_and_links_run_left_to_right(children: dict[str, list[str]]):
    drawing = tidy("m0", children)

    _check_clean(drawing)
    assert drawing.places.keys() | drawing.monitors.keys() == children.keys()


@given(random_dags())
def test_the_same_tree_is_always_drawn_the_same(children: dict[str, list[str]]):
    assert tidy("m0", children) == tidy("m0", {metric: list(kids) for metric, kids in children.items()})


@some.composite
def random_trees(draw: some.DrawFn) -> dict[str, list[str]]:
    parents = draw(some.lists(some.integers(0, 10**6), max_size=40))
    children: dict[str, list[str]] = {"m0": []}
    for n, pick in enumerate(parents, start=1):
        children[f"m{pick % n}"].append(f"m{n}")
        children[f"m{n}"] = []
    return children


@given(random_trees(), some.integers(0, 10**6))
def test_a_new_leaf_keeps_the_order_of_every_column(children: dict[str, list[str]], pick: int):
    parent = sorted(children)[pick % len(children)]
    before = tidy("m0", children)

    after = tidy("m0", children | {parent: [*children[parent], "new"], "new": []})

    for a, b in combinations(before.places, 2):
        if before.places[a].column == before.places[b].column:
            was = before.places[a].row < before.places[b].row
            assert (after.places[a].row < after.places[b].row) == was


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_new_leaf_moves_little_in_every_template(name: str):
    """In at least half of the places it can be added, no card moves more than half a row against the others."""
    root, children = _template(name)
    before = tidy(root, children).places

    moves = []
    for parent in before:
        after = tidy(root, children | {parent: [*children[parent], "new"], "new": []}).places
        moved = [after[metric].row - place.row for metric, place in before.items()]
        moves.append(max(moved) - min(moved))

    assert median(moves) <= 0.5


def test_a_chain_of_two_thousand_is_drawn():
    drawing = tidy("m0", {f"m{n}": [f"m{n + 1}"] for n in range(1999)})

    assert drawing.places["m1999"].column == 1999


def test_the_browser_is_told_every_card_once_and_nothing_else():
    cards = [_card("kgi", role="kgi"), _card("lever", role="input"), _card("aside", role="monitor")]

    told = board_data(cards, {"kgi": ["lever", "lever"], "lever": [], "aside": ["kgi"]}, root="kgi")

    assert [(card["id"], card["inside"]) for card in told["cards"]] == [
        ("kgi", True), ("lever", True), ("aside", False)]  # fmt: skip
    assert [(edge["source"], edge["target"]) for edge in told["edges"]] == [("kgi", "lever")]
    assert told["children"]["kgi"] == ["lever"]
    json.dumps(told)


def test_a_page_with_the_board_runs_without_a_browser():
    page = AppTest.from_function(_page, default_timeout=300).run()

    assert not page.exception
    assert page.text[0].value == "got leads"


def _page() -> None:
    import streamlit as st

    from kpi_core.program import compile_tree
    from kpi_core.tree import Tree
    from workbench.tree_board import WORDS, Card, Hands, Model, tree_board

    facts = {"unit": "", "kind": "count", "team": "t", "team_name": "Team", "colour": "#0072B2"}
    cards = [Card(id="kgi", name="KGI", role="kgi", **facts), Card(id="leads", name="Leads", role="input", **facts)]
    program = compile_tree(Tree.of(kgi="leads * 2", leads=3))
    model = Model(program=program, inputs={"leads": 3.0}, baseline={}, target=9.0, revision="r")
    words = {word: word for word in WORDS}
    got = tree_board(
        cards,
        {"kgi": ["leads"]},
        model,
        root="kgi",
        selected="leads",
        words=words,
        language="en",
        key="board",
        hands=Hands(),
    )
    st.text(f"got {got}")


def test_a_move_is_read_as_it_was_told():
    told = {"number": 3, "changes": {"rate": 0.8}, "was": {"rate": 0.75}, "revision": "r"}

    assert Move.told(told) == Move(number=3, changes={"rate": 0.8}, was={"rate": 0.75}, revision="r")


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        "x",
        [],
        {},
        {"number": 1, "changes": {"rate": "0.8"}, "was": {"rate": 0.75}, "revision": "r"},
        {"number": 1, "changes": {"rate": True}, "was": {"rate": 0.75}, "revision": "r"},
        {"number": 1, "changes": {"rate": 0.8}, "was": {}, "revision": "r"},
        {"number": "1", "changes": {}, "was": {}, "revision": "r"},
        {"number": 1, "changes": {}, "was": {}, "revision": 7},
    ],
)
def test_what_is_no_move_is_not_taken_for_one(nonsense):
    assert Move.told(nonsense) is None


def _check_clean(drawing: Layout) -> None:
    shown = [*drawing.places.values(), *drawing.monitors.values()]
    for a, b in combinations(shown, 2):
        apart = abs(a.x - b.x) >= drawing.card_width or abs(a.y - b.y) >= drawing.card_height - 1e-6
        assert apart, (a, b)
    for edge in drawing.edges:
        start, end = drawing.places[edge.source], drawing.places[edge.target]
        assert start.column < end.column
        assert len(edge.via) == end.column - start.column - 1
        for column, y in enumerate(edge.via, start=start.column + 1):
            assert not any(
                place.column == column and place.y < y - 1e-6 and y + 1e-6 < place.y + drawing.card_height
                for place in drawing.places.values()
            )
    assert all(0 <= p.x <= drawing.width - drawing.card_width + 1e-6 and p.y >= -1e-6 for p in shown)


def _template(name: str) -> tuple[str, dict[str, list[str]]]:
    metrics = TEMPLATES[name]["metrics"]
    children = {
        metric: [word for word in re.findall(r"[a-z_]+", facts.get("formula") or "") if word in metrics]
        for metric, facts in metrics.items()
    }
    return TEMPLATES[name]["kgi"]["metric"], children


def _card(metric: str, *, role: str) -> Card:
    return Card(id=metric, name=metric, unit="", kind="count", team="t", team_name="Team", colour="#0072B2", role=role)
