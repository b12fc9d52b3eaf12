"""Signing in by OpenID Connect, with a provider on this machine: one's plans in every browser, and none left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.provider import Provider, provided
from tests.serving import enter, serve

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provided() as found:
        yield found


@pytest.fixture(scope="module")
def address(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with sign-in switched on."""
    folder = tmp_path_factory.mktemp("signing_in")
    with serve(options=(f"--secrets.files={provider.secrets_for(folder)}",), log=folder / "log") as found:
        yield found
    written = (folder / "log").read_text("utf-8")
    assert "between us" not in written
    assert "ada" not in written.lower().replace("adapt", "")


def _browser(browser: Browser, address: str, language: str = "en-US") -> tuple[BrowserContext, Page]:
    context = browser.new_context(locale=language, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    return context, page


def _goal(page: Page, text: str) -> None:
    enter(page.get_by_role("textbox", name="Goal"), text)
    expect(page.locator(".st-key-standing")).to_contain_text("Saved")


def _signs_in(page: Page, provider: Provider, person: str) -> None:
    provider.person = person
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Signed in as {person.title()} *L*")).to_be_visible()


def test_who_signs_in_finds_their_plans_in_every_browser_and_leaves_none_behind(browser, address, provider):
    mine, page = _browser(browser, address)
    _goal(page, "1.7B")
    _signs_in(page, provider, "ada")
    expect(page.get_by_role("textbox", name="Goal")).to_have_value("1,700,000,000")

    elsewhere, other = _browser(browser, address)
    expect(other.get_by_role("textbox", name="Goal")).to_have_value("1,000,000,000")
    _signs_in(other, provider, "ada")
    expect(other.get_by_role("textbox", name="Goal")).to_have_value("1,700,000,000")
    _goal(other, "1.8B")
    expect(page.get_by_role("textbox", name="Goal")).to_have_value("1,800,000,000")

    tab = mine.new_page()
    tab.goto(address)
    expect(tab.get_by_role("textbox", name="Goal")).to_have_value("1,800,000,000")

    page.get_by_role("button", name="Sign out").click()
    for one in (page, tab):
        expect(one.get_by_role("button", name="Sign in")).to_be_visible()
        expect(one.get_by_role("textbox", name="Goal")).to_have_value("1,000,000,000")
    expect(page.get_by_role("textbox", name="Goal")).to_have_value("1,000,000,000")
    _signs_in(page, provider, "grace")
    expect(page.get_by_role("textbox", name="Goal")).to_have_value("1,000,000,000")

    for context in (mine, elsewhere):
        context.close()


def test_a_plan_one_came_to_by_a_link_while_signed_in_is_ones_own_too(browser, address, provider):
    mine, page = _browser(browser, address)
    _goal(page, "1.4B")
    page.get_by_role("link", name="Links and files").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".st-key-new_link code").first.inner_text().strip()

    theirs, other = _browser(browser, address)
    _signs_in(other, provider, "joan")
    other.goto(link)
    expect(other.get_by_role("textbox", name="Goal")).to_have_value("1,400,000,000")

    elsewhere, third = _browser(browser, address)
    _signs_in(third, provider, "joan")
    expect(third.get_by_role("textbox", name="Goal")).to_have_value("1,400,000,000")
    for context in (mine, theirs, elsewhere):
        context.close()


@pytest.mark.parametrize(
    ("language", "said"), [("en-US", "Signing in did not work."), ("ja-JP", "サインインできませんでした。")]
)
def test_a_provider_that_does_not_answer_is_said_calmly(browser, tmp_path: Path, language, said):
    with provided() as gone, serve(options=(f"--secrets.files={gone.secrets_for(tmp_path)}",)) as address:
        gone.answers = False
        context, page = _browser(browser, address, language)
        page.locator(".st-key-signing_in button").click()
        expect(page.get_by_role("heading", name=said)).to_be_visible()
        page.locator("main a:visible").click()
        expect(page.locator(".st-key-signing_in button")).to_be_visible()
        context.close()
