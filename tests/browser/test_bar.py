"""The bar of a card: where now, what is needed and the baseline stand on it, in every order, below 0 too."""

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from kpi_core import goal
from kpi_core.program import compile_tree
from kpi_core.tree import Tree
from workbench import tree_board

pytestmark = pytest.mark.browser

FOLDER = Path(tree_board.__file__).parent
PARTS = "\n".join((FOLDER / part).read_text("utf-8") for part in tree_board._PARTS if part != "board.js")
HOST = f"""
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'nonce-board'">
<script nonce="board" type="module">{PARTS}
Object.assign(globalThis, {{ newLive, says, shape, adder, addTrack, paintTrack }});
</script>
"""
DRAWN = """(cases) => JSON.parse(cases).map(({ told, card, pinned }) => {
  const live = newLive(told), text = says(live, card, pinned), node = shape("g"), parts = {};
  addTrack(node, parts, adder(node, parts));
  const view = { scale: 1, live, cards: new Map(told.cards.map((one) => [one.id, one])),
    data: { ...told, stages: [], words: { lever_spoken: "" } } };
  paintTrack(view, parts, card, text, { left: 0, right: 1000, y: 0 });
  const x = (name) => Number(parts[name].getAttribute("x")), wide = (name) => Number(parts[name].getAttribute("width"));
  const mark = (name) => parts[name].getAttribute("display") === "none" ? null
    : Number(/translate\\(([-\\d.e]+)/.exec(parts[name].getAttribute("transform"))[1]);
  const ends = (name) => [x(name), x(name) + wide(name)], beyond = /L/.test(parts.was.getAttribute("d"));
  return { fill: ends("fill"), lack: wide("lack") ? ends("lack") : null, was: mark("was"), there: mark("there"), beyond,
    gap: text.gap, status: text.status };
})"""
LONG = 1000  # px: how long the bar is drawn here
CLOSE = 0.02  # px: what a bar is drawn with at least, so that it has a width


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_content(HOST)
    page.wait_for_function("globalThis.paintTrack !== undefined")
    yield page
    page.close()


class Bar(NamedTuple):
    """A metric `m` of a KGI, its value, what it was, and its range where it is a lever."""

    formula: str
    target: float
    now: float
    baseline: float | None
    span: tuple[float, float] | None = None
    pinned: float | None = None

    @property
    def tree(self) -> Tree:
        return Tree.of(kgi=self.formula, m=self.now)

    def needed(self) -> float | None:
        """Return what the core says `m` must be; None if the goal is reached or out of reach."""
        plan: Any = SimpleNamespace(tree=self.tree, kgi=SimpleNamespace(metric="kgi", target=self.target))
        answer = goal.required(plan, "m")
        return None if answer.limit == "already" else answer.value

    def told(self) -> dict[str, Any]:
        """Return what the browser gets."""
        card = {"id": "m", "name": "m", "unit": "", "kind": "result", "inside": True, "share": False}
        card |= {"low": None, "high": None, "span": self.span, "chance": 0}
        words = {"cannot_alone": "never", "over_limit": "{value} (limit)", "closes": ""}
        told = {
            "model": {
                "program": compile_tree(self.tree),
                "inputs": {"m": self.now},
                "baseline": {} if self.baseline is None else {"m": self.baseline},
                "target": self.target,
            },
            "cards": [card, {**card, "id": "kgi", "span": None}],
            "root": "kgi",
            "language": "en",
            "words": words,
        }
        return {"told": told, "card": card, "pinned": None if self.pinned is None else {"m": self.pinned}}


def drawn(page: Page, bars: Sequence[Bar]) -> list[dict[str, Any]]:
    pictures: list[dict[str, Any]] = page.evaluate(DRAWN, json.dumps([bar.told() for bar in bars]))
    return pictures


def every_order() -> list[Bar]:
    """Return now, needed and baseline in each order and on either side of 0; more of `m` is better, or less of it."""
    values = (-70.0, -30.0, 0.0, 40.0, 55.0, 130.0)
    triples = itertools.permutations(values, 3)
    return [
        Bar("m + 1000" if now < needed else "1000 - m", 1000 + needed if now < needed else 1000 - needed, now, baseline)
        for now, needed, baseline in triples
    ]


def test_now_needed_and_baseline_stand_apart_as_their_values_do(page: Page) -> None:
    """One straight scale: every distance is the difference of the values, by one factor; 0 is on it, and both its ends.

    What is not below 0 cannot be needed below 0 (`goal.required`): then there is nothing to draw.
    """
    bars, empty = every_order(), 0

    for bar, picture in zip(bars, drawn(page, bars), strict=True):
        needed, said = bar.needed(), f"{bar}: {picture}"
        if needed is None:
            assert (picture["lack"], picture["was"], picture["there"]) == (None, None, None), said
            empty += 1
            continue
        values = [0.0, bar.now, needed, bar.baseline or 0.0]
        px = LONG / (max(values) - min(values))
        place = {value: (value - min(values)) * px for value in values}
        assert picture["fill"] == pytest.approx(sorted([place[0.0], place[bar.now]]), abs=CLOSE), said
        assert picture["lack"] == pytest.approx(sorted([place[bar.now], place[needed]]), abs=CLOSE), said
        assert picture["was"] == pytest.approx(place[bar.baseline or 0.0], abs=CLOSE), said
        at_the_end = needed == max(values)
        assert picture["there"] == (None if at_the_end else pytest.approx(place[needed], abs=CLOSE)), said
        assert picture["gap"], said
    assert empty == 32
    assert len(bars) == 120


def test_a_baseline_above_what_is_needed_is_drawn_beyond_it(page: Page) -> None:
    """By hand: 108 wins, 125 needed, 150 at baseline, on a bar of 1,000 px: 720, 833 and 1,000 px."""
    (picture,) = drawn(page, [Bar("m * 8", 1_000, 108, 150)])

    assert picture["fill"] == [0, 720]
    assert picture["lack"] == pytest.approx([720, 833.33], abs=0.01)
    assert picture["there"] == pytest.approx(833.33, abs=0.01)
    assert picture["was"] == 1_000


def test_what_is_pinned_is_drawn_in_place_of_the_baseline(page: Page) -> None:
    (picture,) = drawn(page, [Bar("m * 8", 1_000, 100, 50, pinned=250)])

    assert picture["was"] == 1_000
    assert picture["fill"] == [0, 400]


def test_a_gap_to_zero_is_named(page: Page) -> None:
    """What must become 0 has a gap like any other."""
    (picture,) = drawn(page, [Bar("10 - m", 10, 4, 4)])

    assert picture["gap"] == "+4"
    assert picture["status"] == "gap"


def test_random_bars_of_levers_stand_on_the_levers_own_range(page: Page) -> None:
    """What lies outside that range is marked as such at its end, and is not drawn as if it were that end."""
    random, bars = np.random.default_rng(17), []
    for _ in range(150):
        low, now, high = sorted(random.uniform(-50, 100, 3).tolist())
        baseline = float(random.uniform(-100, 150))
        bars.append(Bar("m + 500", 500 + now + float(random.uniform(1, 60)), now, baseline, span=(low, high)))

    beyond = 0
    for bar, picture in zip(bars, drawn(page, bars), strict=True):
        low, high = bar.span or (0.0, 0.0)
        place = (bar.baseline - low) / (high - low) if bar.baseline is not None else 0.0
        assert picture["fill"] == pytest.approx([0, LONG * (bar.now - low) / (high - low)], abs=CLOSE)
        assert picture["was"] == pytest.approx(LONG * min(1, max(0, place)), abs=1e-6)
        assert picture["beyond"] == (not 0 <= place <= 1)
        beyond += picture["beyond"]
    assert 20 < beyond < 130
