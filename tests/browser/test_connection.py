"""The server goes away while somebody types: it is said in their language, and what was typed is in its field again."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, WebSocketRoute, expect

from tests import serving

pytestmark = pytest.mark.browser

LOCALES = {"ja": "ja-JP", "en": "en-US"}
SAVED = {"ja": "保存済み", "en": "Saved"}
NOT_SAVED = {"ja": "未保存(接続なし)", "en": "Not saved: no connection"}
LOST = {"ja": "サーバーとの接続が切れました。", "en": "The connection to the server is lost."}
AGAIN = {"ja": "再接続しました。", "en": "Connected again."}
TYPED = {"ja": "と、書きかけの名前", "en": " and more to come"}
STREAMLIT = re.compile("Streamlit|Connection error|Connecting", re.I)


@pytest.fixture
def tab(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    params = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    size = {"width": 390, "height": 844} if params.get("screen") == "phone" else {"width": 1440, "height": 900}
    touch = params.get("screen") == "phone"
    context = browser.new_context(
        locale=LOCALES[params.get("language", "ja")], viewport=size, has_touch=touch, is_mobile=touch
    )
    yield context.new_page()
    context.close()


def name_of(tab: Page, language: str = "ja") -> Locator:
    return tab.locator(f".st-key-name-{language} input")


def message(tab: Page) -> Locator:
    return tab.locator(".st-key-connection .line")


def status(tab: Page) -> str:
    """Return what the header says of the plan, as it is drawn: what a style hides or adds included."""
    text: str = tab.evaluate("""() => {
      const paragraph = document.querySelector('.st-key-standing p');
      const own = getComputedStyle(paragraph).fontSize === '0px' ? '' : paragraph.innerText;
      const added = getComputedStyle(paragraph, '::after').content;
      return own + (added === 'none' ? '' : JSON.parse(added));
    }""")
    return text


def begin(tab: Page, address: str, language: str = "ja") -> None:
    """Open the app and change something, so that the plan is saved."""
    tab.goto(address)
    serving.enter(tab.locator(".st-key-kgi-target input"), "1100000000")
    expect(tab.locator(".st-key-standing")).to_contain_text(SAVED[language])


def type_on(field: Locator, text: str) -> str:
    """Type at the end of a field without entering it, and return what it says then."""
    field.click()
    field.press("End")
    field.press_sequentially(text)
    return field.input_value()


def stored(tab: Page) -> str | None:
    text: str | None = tab.evaluate("() => sessionStorage.getItem('gyakusan_typed')")
    return text


@pytest.mark.parametrize(
    ("language", "screen"),
    [
        ("ja", "phone"),
        ("en", "desktop"),
        pytest.param("ja", "desktop", marks=pytest.mark.long),
        pytest.param("en", "phone", marks=pytest.mark.long),
    ],
)
def test_what_is_typed_when_the_server_is_killed_is_in_its_field_again(
    tab: Page, tmp_path: Path, language: str, screen: str
) -> None:
    port, field = serving.free_port(), name_of(tab, language)
    with serving.serve(port=port, data=tmp_path) as address:
        begin(tab, address, language)
        before = field.input_value()
        text = type_on(field, TYPED[language])

    expect(message(tab)).to_contain_text(LOST[language])
    assert status(tab) == NOT_SAVED[language]
    tab.wait_for_timeout(6_000)  # by then Streamlit's own message has come
    assert STREAMLIT.search(tab.locator("body").inner_text()) is None
    assert status(tab) == NOT_SAVED[language]
    expect(message(tab)).to_be_in_viewport()
    expect(message(tab)).to_have_css("position", "fixed")  # over the page, and not among its texts

    with serving.serve(port=port, data=tmp_path):
        expect(message(tab)).to_contain_text(AGAIN[language])
        expect(field).to_have_value(text)
        expect(field).to_be_focused()
        assert SAVED[language] in status(tab)
        expect(tab.locator(".st-key-header")).to_contain_text(before)  # nothing was entered by itself
        expect(tab.locator(".st-key-header")).not_to_contain_text(text)
        assert stored(tab) is None
        field.press("Enter")
        expect(tab.locator(".st-key-header")).to_contain_text(text)
        expect(message(tab)).to_be_hidden()
        tab.reload()
        expect(field).to_have_value(text)


def test_where_nothing_is_typed_nothing_is_said_after_the_return(tab: Page, tmp_path: Path) -> None:
    port = serving.free_port()
    with serving.serve(port=port, data=tmp_path) as address:
        begin(tab, address)

    expect(message(tab)).to_contain_text(LOST["ja"])
    assert "入力中" not in message(tab).inner_text()
    with serving.serve(port=port, data=tmp_path):
        expect(message(tab)).to_be_hidden()
        expect(name_of(tab)).to_be_enabled()
        assert SAVED["ja"] in status(tab)


def test_the_card_that_was_open_is_open_again_with_what_was_typed_in_it(tab: Page, tmp_path: Path) -> None:
    """A server that was restarted knows of no chosen card."""
    port, field = serving.free_port(), tab.locator(".st-key-metrics-meeting_rate-name-ja input")
    with serving.serve(port=port, data=tmp_path) as address:
        begin(tab, address)
        tab.goto(f"{address}/tree")
        tab.locator(".card[data-id=meeting_rate] .name").first.click()
        text = type_on(field, "(書きかけ)")

    expect(message(tab)).to_contain_text(LOST["ja"])
    with serving.serve(port=port, data=tmp_path):
        expect(field).to_have_value(text)
        expect(field).to_be_focused()
        expect(tab.locator(".card[data-id=meeting_rate]")).to_have_attribute("aria-selected", "true")


def test_a_lever_let_go_while_the_server_is_away_is_in_the_plan_afterwards(tab: Page, tmp_path: Path) -> None:
    """75 % → 75.5 %: 864 · 75.5/75 = ¥869.8M."""
    port = serving.free_port()
    lever = tab.locator(".card[data-id=meeting_rate] .track")
    with serving.serve(port=port, data=tmp_path) as address:
        begin(tab, address)
        tab.goto(f"{address}/tree")
        lever.wait_for()
        expect(tab.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_have_count(1)

    expect(message(tab)).to_contain_text(LOST["ja"])
    lever.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    expect(tab.locator(".card.kgi .value")).to_have_text("8.7億円")
    with serving.serve(port=port, data=tmp_path):
        expect(tab.locator(".st-key-answer")).to_contain_text("8.7億円")
        tab.reload()
        expect(tab.locator(".card.kgi .value")).to_have_text("8.7億円")


def test_a_reload_while_the_server_is_away_loses_nothing(tab: Page, tmp_path: Path) -> None:
    port, field = serving.free_port(), name_of(tab)
    with serving.serve(port=port, data=tmp_path) as address:
        begin(tab, address)
        text = type_on(field, "と続き")

    expect(message(tab)).to_contain_text(LOST["ja"])
    assert text in (stored(tab) or "")
    with serving.serve(port=port, data=tmp_path) as address:
        tab.goto(address)
        expect(field).to_have_value(text)
        assert stored(tab) is None


class Cable:
    """A tab's way to the server, which can be pulled out while the server goes on, or hold back what it answers."""

    def __init__(self, tab: Page) -> None:
        self.out = self.holds_back = False
        self.held: list[tuple[WebSocketRoute, str | bytes]] = []
        self.sockets: list[WebSocketRoute] = []
        tab.route_web_socket("**/_stcore/stream", self._connect)
        tab.route("**/_stcore/**", self._ask)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self.out:
            socket.close()
            return
        server = socket.connect_to_server()
        server.on_message(lambda message: self._answered(socket, message))
        self.sockets.append(socket)

    def _answered(self, socket: WebSocketRoute, message: str | bytes) -> None:
        if self.holds_back:
            self.held.append((socket, message))
        else:
            socket.send(message)

    def release(self) -> None:
        """Let through what was held back, in order."""
        self.holds_back = False
        while self.held:
            socket, message = self.held.pop(0)
            socket.send(message)

    def _ask(self, route: Route) -> None:
        if self.out:
            route.abort()
        else:
            route.continue_()

    def pull(self) -> None:
        self.out = True
        for socket in self.sockets:
            socket.close()
        self.sockets.clear()

    def plug_in(self) -> None:
        self.out = False


@pytest.mark.parametrize("late", [0, 6_000])
def test_what_was_changed_meanwhile_is_not_covered_by_what_was_typed(tab: Page, address: str, late: int) -> None:
    """However late a busy server answers after the connection is back."""
    cable, field, other = Cable(tab), name_of(tab), tab.context.new_page()
    begin(tab, address)
    text = type_on(field, "(私の案)")
    cable.pull()
    expect(message(tab)).to_contain_text(LOST["ja"])
    other.goto(address)
    serving.enter(name_of(other), "別の人の名前")
    expect(other.locator(".st-key-header")).to_contain_text("別の人の名前")

    cable.holds_back = late > 0
    cable.plug_in()
    tab.wait_for_timeout(late)
    cable.release()

    expect(message(tab)).to_contain_text(f"「別の人の名前」に変更されました。入力中だった内容は「{text}」です。")
    expect(field).to_have_value("別の人の名前")
    tab.get_by_role("button", name="入力中だった内容を欄に戻す").click()
    expect(field).to_have_value(text)
    expect(tab.locator(".st-key-header")).to_contain_text("別の人の名前")
    field.press("Enter")
    expect(tab.locator(".st-key-header")).to_contain_text(text)


def test_what_was_typed_in_another_plan_goes_into_no_field_of_this(tab: Page, address: str) -> None:
    """It is still shown, with the field's name, and it is text: nothing in it is run."""
    begin(tab, address)
    before, text = name_of(tab).input_value(), "<img src=x onerror=document.title='run'>"
    entry = {
        "field": "st-key-name-ja",
        "label": "計画の名前",
        "was": before,
        "text": text,
        "plan": "no such",
        "path": "/",
    }
    tab.evaluate("(entries) => sessionStorage.setItem('gyakusan_typed', entries)", json.dumps([entry]))

    tab.reload()

    expect(message(tab)).to_contain_text(text)
    expect(name_of(tab)).to_have_value(before)
    assert message(tab).locator("img").count() == 0
    message(tab).get_by_role("button", name="閉じる").click()
    expect(message(tab)).to_be_hidden()
    assert stored(tab) is None
