"""The board under a hand: what moves without the server, what is sent when it is let go, and what is never lost."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from tests.plans import channels
from tests.serving import BUSY_SECONDS, Sent

pytestmark = pytest.mark.browser

KGI = ".card.kgi .value"


class Line:
    """A tab's line to the server, on which what the server says can be held back for a while."""

    def __init__(self) -> None:
        self.held = False
        self.waiting: list[Callable[[], None]] = []

    def connect(self, tab: WebSocketRoute) -> None:
        server = tab.connect_to_server()
        tab.on_message(server.send)

        def said(message: str | bytes) -> None:
            if self.held:
                self.waiting.append(lambda: tab.send(message))
            else:
                tab.send(message)

        server.on_message(said)

    def let_go(self) -> None:
        self.held = False
        for send in self.waiting:
            send()
        self.waiting.clear()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def two_tabs(browser: Browser, address: str, line: Line) -> Iterator[tuple[Page, Page]]:
    """Two tabs of one browser, on the tree: they share the plan. The first may lag behind (`line`)."""
    context = browser.new_context(locale="ja-JP", viewport={"width": 1440, "height": 900})
    tabs = []
    for place in range(2):
        tab = context.new_page()
        if place == 0:
            tab.route_web_socket("**/_stcore/stream", line.connect)
        tab.goto(f"{address}/tree")
        lever(tab, "商談率").wait_for()
        tabs.append(tab)
    yield tabs[0], tabs[1]
    context.close()


def lever(page: Page, name: str) -> Locator:
    return page.locator("[data-testid=stBidiComponentIsolated]").get_by_role("slider", name=name, exact=True)


def take(page: Page, name: str) -> tuple[float, float]:
    """Press the mouse on a lever's handle and return where."""
    thumb = lever(page, name).locator(".thumb")
    thumb.hover()  # waits until it stands still
    box = thumb.bounding_box()
    assert box
    page.mouse.down()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return x, y


def answer(page: Page) -> Locator:
    return page.locator(".st-key-answer")


def with_plan(page: Page, address: str, path: Path, cards: tuple[int, int]) -> None:
    path.write_text(channels(*cards).to_yaml(), encoding="utf-8")
    page.goto(address)
    page.locator(".st-key-open_file input[type=file]").set_input_files(path)
    expect(answer(page)).to_contain_text("1.34億円" if cards == (3, 2) else "12.65億円")
    page.goto(f"{address}/tree")
    page.get_by_role("treeitem").first.wait_for()


def test_a_drag_moves_every_number_without_a_message_and_its_end_sends_one(page: Page, address: str) -> None:
    sent = Sent(page)
    page.goto(f"{address}/tree")
    expect(page.locator(KGI)).to_have_text("8.64億円")
    expect(answer(page)).to_contain_text("8.64億円")

    x, y = take(page, "商談率")
    page.wait_for_timeout(300)
    before = sent.messages
    for step in range(30):
        page.mouse.move(x + step / 3, y)
    expect(page.locator(KGI)).not_to_have_text("8.64億円")
    during = page.locator(KGI).text_content()
    lit = page.evaluate(
        "() => [...document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"
        ".querySelectorAll('.card.lit')].map((card) => card.dataset.id)"
    )
    page.wait_for_timeout(300)
    assert sent.messages == before
    page.mouse.up()

    assert during
    expect(answer(page)).to_contain_text(during)
    assert sent.messages == before + 1
    assert set(lit) == {"meeting_rate", "meetings", "wins", "revenue", "proposals"}
    page.get_by_role("button", name="元に戻す").first.click()
    expect(page.locator(KGI)).to_have_text("8.64億円")


def test_keys_move_a_lever_by_its_step_and_say_what_the_goal_becomes(page: Page, address: str) -> None:
    """75 % → 75.5 % by one step: 864 · 75.5/75 = ¥869.8M."""
    sent = Sent(page)
    page.goto(f"{address}/tree")
    lever(page, "商談率").focus()
    page.wait_for_timeout(500)
    before = sent.messages

    page.keyboard.press("ArrowRight")

    expect(lever(page, "商談率")).to_have_attribute("aria-valuetext", "75.5%、売上: 8.7億円")
    expect(answer(page)).to_contain_text("8.7億円")
    assert sent.messages == before + 1
    expect(lever(page, "商談率")).to_be_focused()


def test_escape_puts_a_lever_back_and_sends_nothing(page: Page, address: str) -> None:
    sent = Sent(page)
    page.goto(f"{address}/tree")
    lever(page, "商談率").focus()
    page.wait_for_timeout(500)
    before = sent.messages

    lever(page, "商談率").evaluate("""lever => ['ArrowRight', 'Escape'].forEach(key =>
        lever.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, composed: true })))""")  # in one breath
    page.wait_for_timeout(700)

    expect(page.locator(KGI)).to_have_text("8.64億円")
    assert sent.messages == before


def test_two_quick_moves_are_both_in_the_plan(page: Page, address: str) -> None:
    """864 · (75.5/75) · (15.5/15) = ¥898.8M."""
    page.goto(f"{address}/tree")

    for name in ("商談率", "アポイント率"):
        lever(page, name).focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")

    expect(answer(page)).to_contain_text("8.99億円")
    page.reload()
    expect(page.locator(KGI)).to_have_text("8.99億円")


def test_a_move_is_kept_though_one_leaves_the_page_at_once(page: Page, address: str) -> None:
    page.goto(f"{address}/tree")
    lever(page, "商談率").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("link", name="レバー比較").click(delay=100)  # as long as a finger takes

    expect(page.locator("h1")).to_have_text("どのレバーがいちばん効きますか?")
    page.get_by_role("link", name="ツリー").first.click()
    expect(page.locator(KGI)).to_have_text("8.7億円")
    expect(answer(page)).to_contain_text("8.7億円")


def test_taking_a_lever_without_moving_it_changes_nothing_but_selects_its_card(page: Page, address: str) -> None:
    page.goto(f"{address}/tree")

    take(page, "商談率")
    page.mouse.up()

    expect(page.get_by_role("treeitem", name=re.compile("^商談率"))).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("button", name="元に戻す").first).to_be_disabled()


def test_another_tabs_change_of_something_else_stays_and_the_move_goes_on_top(
    two_tabs: tuple[Page, Page], line: Line
) -> None:
    """864 · (15.5/15) · (75.5/75) = ¥898.8M: both changes count."""
    mine, other = two_tabs
    line.held = True
    lever(other, "アポイント率").focus()
    other.keyboard.press("ArrowRight")
    expect(answer(other)).to_contain_text("8.93億円")

    lever(mine, "商談率").focus()
    mine.keyboard.press("ArrowRight")
    line.let_go()

    expect(mine.get_by_text("操作中に計画が別の画面で更新されていました")).to_be_visible()  # for some seconds
    expect(answer(mine)).to_contain_text("8.99億円")


@pytest.mark.parametrize(("choice", "result"), [("自分の値を使う", "8.7億円"), ("変更後の値を残す", "8.76億円")])
def test_a_lever_changed_meanwhile_is_not_overwritten_but_offered(
    two_tabs: tuple[Page, Page], line: Line, choice: str, result: str
) -> None:
    """The other tab says 76 %, mine 75.5 %: the person decides, and the board shows what is."""
    mine, other = two_tabs
    board = mine.locator("[data-testid=stBidiComponentIsolated]")
    board.evaluate("(node) => { node.marked = true }")
    line.held = True
    lever(other, "商談率").focus()
    other.keyboard.press("ArrowRight")
    other.keyboard.press("ArrowRight")
    expect(answer(other)).to_contain_text("8.76億円")

    lever(mine, "商談率").focus()
    mine.keyboard.press("ArrowRight")
    line.let_go()

    offered = mine.locator(".st-key-offered")
    expect(offered).to_contain_text("別の画面で76.0%に変更されました。あなたの値は75.5%です。")
    expect(mine.locator(KGI)).to_have_text("8.76億円")
    mine.get_by_role("button", name=choice).click()
    expect(mine.locator(KGI)).to_have_text(result)
    expect(offered).to_have_count(0)
    assert board.evaluate("(node) => node.marked")  # not one made anew, beside the old one for a moment


def test_a_pinned_state_is_shown_beside_what_is_moved(page: Page, address: str) -> None:
    page.goto(f"{address}/tree")
    page.get_by_role("button", name="固定して比べる").click()

    lever(page, "商談率").focus()
    page.keyboard.press("PageUp")

    expect(page.locator(KGI)).to_have_text("9.22億円")
    expect(page.locator(".card.kgi .gap")).to_have_text("8.64億円")
    page.get_by_role("button", name="固定を外す").click()
    expect(page.locator(".card.kgi .gap")).to_contain_text("−7,840万円")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_long_name_stands_whole_beside_the_funnel(browser: Browser, address: str, width: int) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/whatif")
    name, row = "WEBサイトのコンバージョン率", page.locator(".row[data-id=cvr]")
    expect(row.locator(".value")).to_have_text("1.20%")
    row.locator(".thumb").hover()  # waits until it stands still

    written = row.locator(".label, .more")

    assert "".join(written.all_text_contents()) == name
    boxes = [box for line in written.all() if (box := line.bounding_box()) and box["width"]]
    track = row.locator(".groove").bounding_box() if width == 1440 else None
    assert len(boxes) == (1 if width == 390 else 2)
    assert track is None or all(box["x"] + box["width"] <= track["x"] for box in boxes)
    context.close()


def test_the_funnel_moves_too_and_on_a_phone(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(f"{address}/whatif")
    lever(page, "商談率").wait_for()

    x, y = take(page, "商談率")
    page.mouse.move(x + 20, y)
    page.mouse.move(x + 60, y)
    expect(page.locator(".bar.goal .value")).not_to_have_text("8.64億円")
    moved = page.locator(".bar.goal .value").text_content()
    page.mouse.up()

    assert moved
    expect(answer(page)).to_contain_text(moved)
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_two_hundred_cards_start_folded_and_a_name_leads_to_its_card(page: Page, address: str, tmp_path: Path) -> None:
    with_plan(page, address, tmp_path / "plan.yaml", (4, 7))
    shown = page.get_by_role("treeitem").count()
    assert shown <= 40
    expect(page.locator(".map")).to_be_visible()

    search = page.get_by_role("combobox", name="名前で検索")
    search.fill("cvr c5")
    search.press("Enter")

    card = page.get_by_role("treeitem", name=re.compile("^CVR C5"))
    expect(card).to_be_focused()
    expect(card).to_be_in_viewport()
    search.fill("ない名前")
    search.press("Enter")
    expect(page.get_by_text("その名前のカードはありません。")).to_be_visible()
    page.get_by_role("button", name="すべて開く").click()
    expect(page.get_by_role("treeitem")).to_have_count(201)
    page.get_by_role("button", name="すべてたたむ").click()
    expect(page.get_by_role("treeitem")).to_have_count(5)


def test_the_map_leads_to_where_one_points(page: Page, address: str, tmp_path: Path) -> None:
    with_plan(page, address, tmp_path / "plan.yaml", (4, 7))
    pane = page.locator(".view")
    page.locator(".map").hover()  # once it stands still
    box = page.locator(".map").bounding_box()
    assert box

    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 3)

    _soon(page, lambda: pane.evaluate("(pane) => pane.scrollTop + pane.clientHeight >= pane.scrollHeight - 5"))


def test_two_fingers_zoom(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": 1200, "height": 900}, has_touch=True)
    page = context.new_page()
    page.goto(f"{address}/tree")
    tree = page.get_by_role("tree")
    expect(answer(page)).to_be_visible()
    tree.hover()  # once it stands still
    before = tree.bounding_box()
    box = page.locator(".view").bounding_box()
    assert before
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + 20
    touch = context.new_cdp_session(page)
    for kind, apart in (("touchStart", 50), ("touchMove", 75), ("touchMove", 100)):
        points = [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    twice = pytest.approx(2 * before["width"], rel=0.02)
    _soon(page, lambda: (tree.bounding_box() or before)["width"] == twice)
    context.close()


def _soon(page: Page, is_so: Callable[[], bool]) -> None:
    """Wait for what the page is about to show."""
    ends = time.monotonic() + BUSY_SECONDS
    while not is_so():
        assert time.monotonic() < ends, "it never came"
        page.wait_for_timeout(50)


def test_the_picture_to_keep_has_its_text_as_text(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(f"{address}/tree")
    page.get_by_role("treeitem").first.wait_for()

    with page.expect_download() as svg:
        page.get_by_role("button", name="図を保存(SVG)").click()
    with page.expect_download() as png:
        page.get_by_role("button", name="図を保存(PNG)").click()

    svg.value.save_as(tmp_path / "board.svg")
    text = (tmp_path / "board.svg").read_text("utf-8")
    for said in ("売上", "商談率", "8.64", "億円"):
        assert f">{said}<" in text
    assert "textLength" in text
    assert "class=" not in text
    assert "var(" not in text
    other = page.context.new_page()
    other.goto((tmp_path / "board.svg").as_uri())
    assert other.locator("text").count() > 20
    png.value.save_as(tmp_path / "board.png")
    assert (tmp_path / "board.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_on_paper_teams_are_named_and_tools_are_gone(page: Page, address: str) -> None:
    page.goto(f"{address}/tree")
    page.get_by_role("treeitem").first.wait_for()

    page.emulate_media(media="print")

    expect(page.locator(".tools")).to_be_hidden()
    expect(page.locator(".card.kgi .team")).to_be_visible()
    expect(page.locator(".card.kgi .team")).to_have_text("全社")


def test_a_moved_lever_moves_the_bridge_and_does_not_make_it_anew(page: Page, address: str) -> None:
    page.goto(f"{address}/whatif")
    bridge = page.locator(".stVegaLiteChart svg.marks")
    page.locator(".stExpander summary").first.click()
    slider = page.locator(".st-key-lever_meeting_rate").get_by_role("slider")
    slider.wait_for()
    bridge.evaluate("drawn => { drawn.first = true; window.before = drawn.innerHTML; }")
    page.locator(".stExpander").first.hover()  # waits until it has opened
    slider.focus()  # this may scroll
    below = page.locator(".stExpander").first.bounding_box()
    slider.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.stVegaLiteChart svg.marks').innerHTML !== window.before")
    expect(page.get_by_text("すべて商談率によるものです")).to_be_visible()
    assert bridge.evaluate("drawn => drawn.first")
    assert page.locator(".stExpander").first.bounding_box() == below
