"""The year under a facilitator's hand, in a real Chromium, in both languages."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import enter

pytestmark = pytest.mark.browser

WORDS = {
    "ja": {
        "april": "訪問者数を4月から計画の1.253倍",
        "october": "訪問者数を10月から計画の2.10倍",
        "surer": "10回に8回",
        "month": "4月",
        "late": "もう今期を変えられません",
        "chance": "実績のままなら",
    },
    "en": {
        "april": "Website visitors must be 1.253 times what is planned from Apr on",
        "october": "Website visitors must be 2.10 times what is planned from Oct on",
        "surer": "8 times in 10",
        "month": "Apr",
        "late": "can no longer change this year",
        "chance": "If all stays as it was",
    },
}


def month_by_month(page: Page, keys: int) -> None:
    """Move the start month by the keyboard, one month a press."""
    slider = page.get_by_role("slider", name=re.compile("始める月|Start in"))
    slider.focus()
    for _press in range(keys):
        page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("language", ["ja", pytest.param("en", marks=pytest.mark.long)])
def test_the_later_one_starts_the_more_it_takes_until_it_is_too_late(page: Page, address: str, language: str) -> None:
    """×1.2535 from April, ×2.1009 from October, (1,074.4 − 740.5)/(864 − 740.5) = 2.70 for 8 in 10; February never."""
    words = WORDS[language]
    page.goto(f"{address}/deadlines")
    answer = page.locator(".st-key-answer")
    expect(answer).to_contain_text(words["april"])
    picture = page.locator(".stVegaLiteChart svg").first
    expect(picture).to_contain_text(words["month"])

    month_by_month(page, 6)
    expect(answer).to_contain_text(words["october"])
    page.locator(".st-key-surety_deadlines").get_by_text(words["surer"]).click()
    expect(answer).to_contain_text("2.70")
    month_by_month(page, 4)

    expect(answer).to_contain_text(words["late"])
    expect(page.locator("body")).not_to_contain_text("NaN")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_was_chosen_stays_when_one_comes_back(page: Page, address: str, language: str) -> None:
    words = WORDS[language]
    page.goto(f"{address}/deadlines")
    month_by_month(page, 6)
    expect(page.locator(".st-key-answer")).to_contain_text(words["october"])

    page.locator(".st-key-menu a[href$=whatif]").click()
    page.locator(".st-key-needed_alone").wait_for()
    page.locator(".st-key-menu a[href$=deadlines]").click()

    expect(page.locator(".st-key-answer")).to_contain_text(words["october"])


def test_a_lead_time_typed_with_a_mistake_stays_and_says_so_and_mended_it_counts(page: Page, address: str) -> None:
    page.goto(f"{address}/deadlines")
    page.get_by_text("リードタイム", exact=True).click()
    field = page.locator("[class*=st-key-metrics-wins-lag] input")

    enter(field, "50% 40%")
    expect(page.get_by_text("合計が90%です")).to_be_visible()
    expect(field).to_have_value("50% 40%")
    enter(field, "100%")

    expect(page.get_by_text("合計が90%です")).to_have_count(0)
    expect(page.locator(".st-key-answer")).not_to_contain_text("1.253")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_chances_stand_on_the_cards_and_are_silent_while_a_lever_moves(page: Page, address: str, language: str) -> None:
    """商談率 alone to 86.8 %: less than once in 100, one bar of four."""
    page.goto(f"{address}/tree")
    card = page.locator('[data-id="meeting_rate"]').first
    card.wait_for()
    expect(card.locator(".likely")).to_be_visible()
    assert WORDS[language]["chance"] in (card.get_attribute("aria-label") or "")
    assert card.locator(".likely").get_attribute("d").count("M") == 1

    card.locator(".thumb").hover()  # once it stands still
    thumb = card.locator(".thumb").bounding_box()
    page.mouse.move(thumb["x"] + thumb["width"] / 2, thumb["y"] + thumb["height"] / 2)
    page.mouse.down()
    page.mouse.move(thumb["x"] + 14, thumb["y"], steps=4)
    expect(card.locator(".chance")).to_be_hidden()
    page.mouse.up()

    expect(card.locator(".chance")).to_be_visible()


def test_nothing_jumps_when_the_start_moves(page: Page, address: str) -> None:
    """The picture below the controls stays where it is though the answer gets longer or shorter."""
    page.goto(f"{address}/deadlines")
    picture = page.locator(".stVegaLiteChart").first
    picture.locator("svg").wait_for()
    page.wait_for_timeout(1_000)
    before = picture.bounding_box()["y"]

    month_by_month(page, 3)
    expect(page.locator(".st-key-answer")).to_contain_text("7月")
    page.wait_for_timeout(500)

    assert abs(picture.bounding_box()["y"] - before) <= 1


def test_a_phone_shows_the_year_without_running_over(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{address}/deadlines")
    page.locator(".stVegaLiteChart svg").first.wait_for()
    page.wait_for_timeout(1_000)

    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    last = page.get_by_role("radio", name="10回に9回").bounding_box()
    assert last
    assert last["x"] + last["width"] <= 390
    context.close()
