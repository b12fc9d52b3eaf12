"""A metric is deleted with all that goes with it: file, reload, link and a restart of the server keep that plan."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from kpi_core.plan import Plan
from tests import serving

pytestmark = pytest.mark.browser

WORDS = {
    "ja-JP": (
        "リード数",
        "入力値に変える",
        "WEBサイトのコンバージョン率",
        "まとめて削除する",
        "保存済み",
        "リンクを作る",
    ),
    "en-US": ("Leads", "Make it an input", "Website conversion rate", "Remove all of this", "Saved", "Make a link"),
}


@pytest.mark.parametrize("locale", ["ja-JP", pytest.param("en-US", marks=pytest.mark.long)])
def test_what_is_left_after_deleting_is_kept_everywhere(browser: Browser, tmp_path: Path, locale: str) -> None:
    leads, becomes_input, rate, confirm, saved, make = WORDS[locale]
    context, port = _visit(browser, locale), serving.free_port()
    page, data = context.new_page(), tmp_path / "data"
    with serving.serve(port=port, data=data) as address:
        page.goto(f"{address}/tree")
        _card(page, leads).click()
        page.get_by_role("button", name=becomes_input).click()
        expect(page.locator(".st-key-formula_for_leads")).to_be_visible()  # the board is drawn anew by then
        expect(page.locator(".st-key-standing")).to_contain_text(saved)
        _card(page, rate).click()
        page.locator(".st-key-remove_cvr button").click()
        expect(page.locator(".st-key-removal")).to_be_in_viewport(ratio=1)
        page.get_by_role("button", name=confirm).click()
        expect(_card(page, rate)).to_have_count(0)
        expect(page.locator(".st-key-standing")).to_contain_text(saved)
        plan = _saved(page, tmp_path)
        assert "cvr" not in plan.metrics
        assert plan.metrics["leads"].value == pytest.approx(4_800)
        assert set(plan.ksfs) >= {"M2", "M4"}

        page.reload()
        assert _saved(page, tmp_path) == plan

        page.goto(f"{address}/share")
        page.get_by_role("button", name=make, exact=True).click()
        link = page.locator(".stCode code").first.inner_text().strip()
        guest = _visit(browser, locale)
        by_link = guest.new_page()
        by_link.goto(link)
        by_link.locator(".st-key-standing").wait_for()
        assert _saved(by_link, tmp_path) == plan
        guest.close()

    with serving.serve(port=port, data=data) as address:
        page.goto(f"{address}/tree")
        expect(_card(page, leads)).to_have_count(1)
        expect(_card(page, rate)).to_have_count(0)
        assert _saved(page, tmp_path) == plan
    context.close()


def _visit(browser: Browser, locale: str) -> BrowserContext:
    """Return a visit wide enough for the tree with the metrics outside it."""
    return browser.new_context(locale=locale, viewport={"width": 1440, "height": 900}, accept_downloads=True)


def _card(page: Page, name: str) -> Locator:
    return page.get_by_role("treeitem", name=name).first


def _saved(page: Page, folder: Path) -> Plan:
    """Return the plan in the file that the header gives."""
    with page.expect_download() as download:
        page.locator(".st-key-header_save button").click()
    download.value.save_as(folder / "plan.yaml")
    return Plan.from_text((folder / "plan.yaml").read_text("utf-8"))
