"""For everyone: axe-core finds nothing serious on any page, and the keyboard alone goes the whole way."""

import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from kpi_core.plan import Plan

pytestmark = pytest.mark.browser

# What has the keyboard now, looked for inside components too: its role, its name and its text.
_ACTIVE = """() => {
    let node = document.activeElement;
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    return node ? [node.getAttribute('aria-label'), node.innerText, node.textContent].join(' ') : '';
}"""


@pytest.mark.parametrize(
    ("language", "scheme"),
    [
        ("ja-JP", "light"),
        ("en-US", "dark"),
        pytest.param("ja-JP", "dark", marks=pytest.mark.long),
        pytest.param("en-US", "light", marks=pytest.mark.long),
    ],
)
def test_axe_finds_nothing_serious_on_any_page(browser: Browser, address: str, language: str, scheme: str) -> None:
    context = browser.new_context(locale=language, viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    found = []

    for name in ("", "tree", "whatif", "sensitivity", "deadlines", "focus"):
        page.goto(f"{address}/{name}")
        page.locator(".st-key-answer").first.wait_for()
        page.locator(".stSpinner, [data-testid=stStatusWidget]").wait_for(state="detached")
        page.wait_for_timeout(800)
        ends = time.monotonic() + 60
        while (serious := _serious(page)) and time.monotonic() < ends:
            page.wait_for_timeout(1_000)  # what the server has not sent anew yet is paler for a moment
        found += [(name, *one) for one in serious]

    context.close()
    assert found == []


def _serious(page: Page) -> list[tuple[str, str]]:
    return [
        (violation["id"], node["html"][:120])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("language", ["en", pytest.param("ja", marks=pytest.mark.long)])
def test_the_keyboard_alone_goes_from_the_gap_to_the_file(
    page: Page, address: str, tmp_path: Path, language: str
) -> None:
    words = {
        "ja": ("率を動かす", "商談率", "フォーカス", "保存", "8.7億円", "8.64億円"),
        "en": ("Move a rate", "Meeting rate", "Focus", "Save file", "¥869.8M", "¥864.0M"),
    }[language]
    move, rate, focus, save, moved, gap = words
    page.goto(address)
    expect(page.locator(".st-key-answer")).to_contain_text(gap)

    _tab_to(page, move)
    page.keyboard.press("Enter")
    page.get_by_role("slider", name=rate).first.wait_for()
    _tab_to(page, rate)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".st-key-answer")).to_contain_text(moved)
    _tab_to(page, focus, key="Shift+Tab")
    page.keyboard.press("Enter")
    marketing = page.locator(".st-key-team_marketing")
    expect(marketing).to_contain_text("M1")
    skill = page.locator(".st-key-teams-marketing-skill input")
    for _ in range(60):
        if skill.evaluate("(node) => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    expect(marketing).to_contain_text("M3")
    _tab_to(page, save, key="Shift+Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")

    download.value.save_as(tmp_path / "plan.yaml")
    plan = Plan.from_text((tmp_path / "plan.yaml").read_text("utf-8"))
    assert plan.metrics["meeting_rate"].value == pytest.approx(0.755)
    assert plan.teams["marketing"].skill == 4


def _tab_to(page: Page, name: str, *, key: str = "Tab") -> None:
    """Press Tab until what is called `name` has the keyboard."""
    for _ in range(80):
        page.keyboard.press(key)
        active = page.evaluate(_ACTIVE)
        if name in active and len(active) < 300:  # a region that scrolls has the keyboard too, and everyone's words
            return
    raise AssertionError(f"the keyboard never came to {name}")
