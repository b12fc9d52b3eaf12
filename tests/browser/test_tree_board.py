"""The board in a real Chromium: found by role, worked by keyboard, steady across reruns, a list on a phone.

Stands on its own: it serves a small script that knows only `Card` and `tree_board`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import enter, serve

ROOT = Path(__file__).parents[2]
HOSTILE = "<img src=x onerror=alert(1)>**リード**"
SCRIPT = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from kpi_core.program import compile_tree
from kpi_core.tree import Tree
from workbench.tree_board import WORDS, Card, Hands, Model, tree_board

st.set_page_config(layout="wide")
names = dict(revenue="売上", wins="受注数", price="受注単価", leads={HOSTILE!r}, rate="とても長い名前のついた指標" * 6,
             visitors="Website visitors", cvr="Website conversion rate (visitor→lead)", aside="提案数")
boost = st.number_input("boost", value=0)
if st.button("point at visitors"):
    st.session_state.sel = "visitors"
inputs = dict(price=200.0, rate=0.5, visitors=1000.0 + boost, cvr=0.5)
tree = Tree.of(revenue="wins * price", wins="leads * rate", leads="visitors * cvr", aside="wins * 2", **inputs)
cards = [
    Card(id=i, name=name, unit="件", kind="count", team="t", team_name=i, colour="#0072B2",
         role="kgi" if i == "revenue" else "monitor" if i == "aside" else "input" if i in inputs else "computed",
         low=inputs[i] / 2 if i in inputs else None, high=inputs[i] * 2 if i in inputs else None,
         span=(inputs[i] / 2, inputs[i] * 2) if i in inputs else None, step=inputs.get(i, 0) / 100,
         operator="" if i in inputs else "×", operator_name="product") for i, name in names.items()
]
def pick(i):
    st.session_state.sel = i
    st.session_state.picks = st.session_state.get("picks", 0) + 1
got = tree_board(
    cards, {{metric: tree.parts(metric) for metric in tree.metrics}},
    Model(program=compile_tree(tree), inputs=inputs, baseline={{}}, target=65_000.0, revision="r"),
    root="revenue", selected=st.session_state.get("sel"), language="ja", key="board", hands=Hands(on_select=pick),
    words={{w: w for w in WORDS}} | dict(spoken="card {{team}}", spoken_needed="card {{team}}"))
st.text(f"got {{got}} picks {{st.session_state.get('picks', 0)}} boost {{boost}}")
"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("board")
    (folder / "board_demo.py").write_text(SCRIPT, encoding="utf-8")
    with serve("board_demo.py", folder=folder) as found:
        yield found


@pytest.fixture
def wall(browser: Browser, address: str) -> Iterator[Page]:
    yield from _open(browser, address, width=1440, height=900)


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    yield from _open(browser, address, width=390, height=844)


def test_every_card_is_a_tree_item_at_its_level(wall: Page):
    items = wall.get_by_role("treeitem")

    expect(items).to_have_count(8)
    expect(_card(wall, "revenue")).to_have_attribute("aria-level", "1")
    expect(_card(wall, "visitors")).to_have_attribute("aria-level", "4")
    expect(_card(wall, "leads")).to_have_attribute("aria-expanded", "true")


def test_a_click_reaches_python_once(wall: Page):
    _card(wall, "wins").click()

    expect(wall.get_by_text("got wins picks 1")).to_be_visible()
    expect(_card(wall, "wins")).to_have_attribute("aria-selected", "true")


def test_python_can_move_the_selection_and_a_click_can_take_it_back(wall: Page):
    _card(wall, "wins").click()
    expect(wall.get_by_text("got wins picks 1")).to_be_visible()

    wall.get_by_role("button", name="point at visitors").click()
    expect(_card(wall, "visitors")).to_have_attribute("aria-selected", "true")
    _card(wall, "wins").click()

    expect(wall.get_by_text("got wins picks 2")).to_be_visible()


def test_arrows_walk_the_tree_and_enter_selects(wall: Page):
    _card(wall, "revenue").focus()

    for key in ("ArrowRight", "ArrowDown", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowLeft"):
        wall.keyboard.press(key)
    expect(_card(wall, "leads")).to_be_focused()
    wall.keyboard.press("Enter")

    expect(wall.get_by_text("got leads picks 1")).to_be_visible()
    expect(_card(wall, "leads")).to_be_focused()
    assert wall.locator("[role=treeitem][tabindex='0']").count() == 1


def test_a_folded_branch_stays_folded_when_numbers_change(wall: Page):
    _card(wall, "leads").focus()

    wall.keyboard.press("-")
    expect(_card(wall, "visitors")).to_have_count(0)
    _boost(wall, 7)
    expect(_card(wall, "cvr")).to_have_count(0)
    expect(_card(wall, "leads")).to_contain_text("+2")
    wall.keyboard.press("Shift+Tab")
    _card(wall, "leads").focus()
    wall.keyboard.press("+")

    expect(_card(wall, "visitors")).to_have_count(1)


def test_new_numbers_reuse_the_same_nodes(wall: Page):
    wall.evaluate("() => { for (const node of window.cards()) node.mine = true }")

    _boost(wall, 4)

    expect(_card(wall, "wins")).to_contain_text("251")
    assert wall.evaluate("() => window.cards().every((node) => node.mine)")


def test_names_are_text_and_never_markup(wall: Page):
    opened: list[str] = []
    wall.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))

    expect(_card(wall, "leads").locator("title").first).to_contain_text(HOSTILE)
    _card(wall, "leads").click()

    assert wall.locator("img[src=x]").count() == 0
    assert opened == []


def test_every_word_stays_inside_its_card(wall: Page):
    outside = wall.evaluate("""() => window.cards().flatMap((card) => {
        const box = card.querySelector('.box').getBoundingClientRect();
        return [...card.querySelectorAll(':scope > text')].filter((text) => text.textContent).filter((text) => {
            if (getComputedStyle(text).display === 'none') return false;
            const at = text.getBoundingClientRect();
            return at.left < box.left || at.right > box.right + 0.5 || at.top < box.top - 1
                || at.bottom > box.bottom + 1;
        }).map((text) => text.textContent); })""")

    assert outside == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_meets_aa_contrast(browser: Browser, address: str, scheme: str):
    for page in _open(browser, address, width=1440, height=900, scheme=scheme):
        _card(page, "wins").hover()
        ratios = page.evaluate(CONTRAST)

        assert ratios
        assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}


def test_zoom_keeps_the_picture_reachable(wall: Page):
    before = wall.get_by_role("tree").bounding_box()

    wall.get_by_role("button", name="zoom_in").click()
    grown = wall.get_by_role("tree").bounding_box()
    wall.get_by_role("button", name="fit").click()

    assert before and grown
    assert grown["width"] == pytest.approx(before["width"] * 1.25, rel=0.01)
    assert wall.get_by_role("tree").bounding_box() == before
    assert wall.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_a_phone_shows_the_way_to_the_card_and_what_carries_it(phone: Page):
    assert _shown(phone) == ["revenue", "wins", "price", "aside"]

    _card(phone, "wins").tap()
    expect(phone.get_by_text("got wins picks 1")).to_be_visible()

    assert _shown(phone) == ["revenue", "wins", "leads", "rate"]
    boxes = [_card(phone, name).locator(".box").bounding_box() for name in _shown(phone)]
    assert all(box and box["height"] >= 44 and box["x"] + box["width"] <= 390 for box in boxes)
    assert phone.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


CONTRAST = """() => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d');
    const light = (colour) => {
        canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
            .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratios = {};
    for (const card of window.cards()) {
        const paper = light(getComputedStyle(card.querySelector('.box')).fill);
        for (const text of card.querySelectorAll('text')) {
            const ink = light(getComputedStyle(text).fill), [a, b] = [ink, paper].sort((x, y) => y - x);
            ratios[card.dataset.id + ' ' + text.getAttribute('class')] = (a + 0.05) / (b + 0.05);
        }
    }
    return ratios;
}"""


def _open(browser: Browser, address: str, *, width: int, height: int, scheme: str = "light") -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=width < 700, reduced_motion="reduce"
    )
    context.add_init_script("""window.cards = () => [...document.querySelector('[data-testid=stBidiComponentIsolated]')
        .shadowRoot.querySelectorAll('[role=treeitem]')]""")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    page.get_by_role("treeitem").first.wait_for()
    yield page
    context.close()
    assert faults == []


def _card(page: Page, metric: str):
    return page.get_by_role("treeitem", name=f"card {metric}", exact=True)


def _shown(page: Page) -> list[str]:
    return page.evaluate("() => window.cards().map((node) => node.dataset.id)")


def _boost(page: Page, value: int) -> None:
    enter(page.get_by_label("boost"), str(value))
    expect(page.get_by_text(f"boost {value}", exact=False).last).to_be_visible()
