"""What is typed counts when a button beside the field is pressed, without Enter before; in a real Chromium.

A person's press lasts: the field is left when it begins, and the page may be drawn anew before it ends.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from kpi_core.plan import Plan
from tests.lacking import lacking
from tests.serving import serve
from workbench import network_addresses

pytestmark = pytest.mark.browser

PRESS_MS = 200
LONG_MS = 900


def type_only(field: Locator, text: str) -> None:
    """Type a text as people do, and neither press Enter nor leave the field."""
    field.click()
    field.press("Control+a")
    field.press_sequentially(text)
    expect(field).to_have_value(text)


def press(page: Page, key: str, *, last: int = PRESS_MS) -> None:
    page.locator(f".st-key-{key} button").first.click(delay=last)


@pytest.mark.parametrize("last", [0, PRESS_MS, LONG_MS])
def test_a_scenario_is_kept_under_the_name_in_the_field(page: Page, address: str, last: int) -> None:
    page.goto(f"{address}/whatif")
    field, table = page.locator(".st-key-scenario_name input"), page.locator(".st-key-scenarios")
    for name in ("控えめ", "強気", "三番目"):
        type_only(field, name)
        press(page, "keep_scenario", last=last)
        expect(table).to_contain_text(name)
        expect(field).not_to_have_value(name)

    expect(table.locator("th, td").filter(has_text="シナリオ")).to_have_count(0)


def test_a_link_has_the_name_and_the_term_in_its_fields(page: Page, address: str) -> None:
    day = f"{datetime.now(UTC).year + 1}-06-30"
    page.goto(f"{address}/share")

    type_only(page.locator(".st-key-share_until input"), day)
    type_only(page.locator(".st-key-share_name input"), "営業部")
    press(page, "share_make")

    made = page.locator("[class*='st-key-link_']").first
    expect(made).to_contain_text("営業部")
    expect(made).to_contain_text(day)
    expect(page.locator(".st-key-share_name input")).to_have_value("")


def test_a_version_keeps_its_name_when_one_goes_back_to_it(page: Page, address: str) -> None:
    page.goto(address)
    goal = page.locator(".st-key-kgi-target input")
    for number in ("11億", "12億"):
        goal.fill(number)
        goal.press("Enter")
        expect(page.locator(".st-key-answer")).to_contain_text(number)
    page.goto(f"{address}/versions")
    page.locator("summary").filter(has_text="11億").last.click()

    type_only(page.locator("[class*='st-key-label_'] input"), "合意した案")
    restore = page.locator("[class*='st-key-restore_'] button").first
    restore.click(delay=PRESS_MS)

    expect(page.locator("summary").filter(has_text="合意した案")).to_have_count(1)
    if "11億" not in page.locator(".stMain").inner_text():  # with its name a line is another one: the press may be lost
        restore.click()


def test_a_new_metric_has_what_stands_in_the_form(page: Page, address: str) -> None:
    page.goto(f"{address}/tree")
    page.get_by_role("button", name="指標を追加").click()

    for field, text in {"name": "展示会の来場者", "said": "1,200", "unit": "人"}.items():
        type_only(page.locator(f".st-key-new_metric_{field} input"), text)
    page.locator("[data-testid='stForm'] button").last.click(delay=PRESS_MS)

    expect(page.locator(".st-key-editor")).to_contain_text("展示会の来場者")
    expect(page.locator(".st-key-editor [class*='value'] input").first).to_have_value("1,200")


def test_a_synergy_has_the_bonus_in_the_field(page: Page, address: str) -> None:
    page.goto(f"{address}/focus")
    page.locator("summary").filter(has_text="前提").first.click()

    type_only(page.locator(".st-key-synergies_amount input"), "25%")
    press(page, "synergies_add")

    expect(page.locator("[class*='st-key-assumptions-synergies'] input[value='25%']")).to_have_count(1)


def test_an_agreement_holds_what_stands_in_its_fields(page: Page, address: str) -> None:
    page.goto(f"{address}/focus")
    type_only(page.locator("[class*='st-key-agreed_owner_'] input").first, "田中")
    type_only(page.locator(".st-key-agreed_note input"), "全員が賛成")
    press(page, "agree")

    expect(page.locator(".stToast")).to_be_visible()
    expect(page.locator(".st-key-agreed_note input")).to_have_value("")
    log = page.locator("body")
    expect(log).to_contain_text("全員が賛成")


def test_quarters_begin_with_the_hours_in_the_field(page: Page, address: str) -> None:
    page.goto(f"{address}/focus")
    page.locator(".st-key-open_teams-marketing-quarters button").first.click()
    page.keyboard.press("Escape")

    type_only(page.locator(".st-key-teams-marketing-hours input"), "800")
    page.locator(".st-key-open_teams-marketing-quarters button").first.click()
    press(page, "set_teams-marketing-quarters")

    expect(page.locator(".st-key-teams-marketing-quarters-0 input")).to_have_value("200")


def test_a_saved_file_holds_what_stands_in_the_field(page: Page, address: str) -> None:
    page.goto(address)
    type_only(page.locator(".st-key-kgi-target input"), "12億")

    with page.expect_download() as saved:
        press(page, "header_save")

    assert Plan.from_text(saved.value.path().read_text("utf-8")).kgi.target == 1.2e9


def test_a_link_opens_at_the_address_of_the_machine_in_its_network(page: Page, browser: Browser) -> None:
    if not [one for one in network_addresses.of_this_machine() if one.version == 4]:
        lacking("no network on this machine")
    with serve(options=("--server.address=0.0.0.0",)) as address:
        page.goto(f"{address}/share")
        press(page, "share_make")
        link = page.locator(".st-key-new_link code").first.inner_text().strip()
        assert not link.startswith(address)

        phone = browser.new_context(locale="ja-JP", viewport={"width": 390, "height": 844})
        visit = phone.new_page()
        visit.goto(link)

        expect(visit.locator(".st-key-standing")).to_contain_text("閲覧のみ")
        expect(visit.locator(".st-key-answer")).to_contain_text("8.64億円")
        phone.close()


def test_a_template_is_a_new_plan_and_the_one_before_is_found_again(page: Page, browser: Browser, address: str) -> None:
    page.goto(address)
    goal = page.locator(".st-key-kgi-target input")
    goal.fill("12億")
    goal.press("Enter")
    expect(page.locator(".st-key-answer")).to_contain_text("12億円")
    page.goto(f"{address}/share")
    press(page, "share_make")
    link = page.locator(".st-key-new_link code").first.inner_text().strip()
    page.goto(address)

    press(page, "use_abm")

    expect(page.locator(".stToast")).to_contain_text("自分の計画")
    expect(page.locator(".st-key-answer")).not_to_contain_text("12億円")
    guest = browser.new_context(locale="ja-JP")
    visit = guest.new_page()
    visit.goto(link)
    expect(visit.locator(".st-key-answer")).to_contain_text("12億円")
    guest.close()
    page.goto(f"{address}/share")
    page.locator("[class*='st-key-switch_'] button").first.click()
    expect(page.locator(".st-key-header")).to_contain_text("2026年度")  # the plan before, by its name
    page.get_by_role("link", name="ホーム").click()
    expect(page.locator(".st-key-answer")).to_contain_text("12億円")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_costs_more_than_it_brings_is_said_in_the_plan_as_opened(page: Page, address: str, language: str) -> None:
    case = Path(__file__).parents[1] / "cases/c15_profit_ignores_ksf_cost.yaml"
    page.goto(address)
    page.locator(".st-key-open_file input[type=file]").set_input_files(case)
    expect(page.locator(".st-key-header")).to_contain_text("c15")

    page.goto(f"{address}/focus")

    cost, brings = {"ja": ("9,000万円", "5万円"), "en": ("¥90.0M", "¥53K")}[language]
    expect(page.locator(".stAlert")).to_contain_text(cost)
    expect(page.locator(".stAlert")).to_contain_text(brings)
    expect(page.locator(".st-key-team_a strong").last).to_contain_text(brings)
