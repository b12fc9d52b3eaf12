"""What a facilitator does, in a real Chromium, in both languages."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from kpi_core.plan import Plan
from tests.serving import enter

pytestmark = pytest.mark.browser

WORDS = {
    "ja": {
        "gap": "8.64億円",
        "goal": "10億円",
        "moved": "8.7億円",
        "save": "保存",
        "skill": "スキル",
        "team": "マーケティング",
        "undo": "元に戻す",
        "alone": "86.8%",
        "ksf": "提案書の質の向上",
        "back": "すべて元に戻す",
        "rate": "商談率",
    },
    "en": {
        "gap": "¥864.0M",
        "goal": "¥1.00B",
        "moved": "¥869.8M",
        "save": "Save file",
        "skill": "Skill",
        "team": "Marketing",
        "undo": "Undo",
        "alone": "86.8%",
        "ksf": "Better proposals",
        "back": "Put everything back",
        "rate": "Meeting rate",
    },
}


@pytest.mark.parametrize("language", ["ja", pytest.param("en", marks=pytest.mark.long)])
def test_from_the_gap_to_the_six_ksfs_and_home_with_a_file(
    page: Page, browser: Browser, address: str, tmp_path: Path, language: str
) -> None:
    words = WORDS[language]

    # open, and read the gap
    page.goto(address)
    answer = page.locator(".st-key-answer")
    expect(answer).to_contain_text(words["gap"])
    expect(answer).to_contain_text(words["goal"])

    # move the meeting rate by keyboard: the number and the picture change
    page.goto(f"{address}/whatif")
    picture = page.locator(".stVegaLiteChart svg").first
    picture.wait_for()
    expect(answer).to_contain_text(words["gap"])
    drawn = picture.inner_html()
    page.get_by_role("slider", name=words["rate"]).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".bar.goal .value")).to_have_text(words["moved"])
    expect(answer).to_contain_text(words["moved"])
    page.wait_for_function("before => document.querySelector('.stVegaLiteChart svg').innerHTML !== before", arg=drawn)

    # back-calculation: what each rate would have to be
    expect(page.locator(".st-key-needed_alone")).to_contain_text(words["alone"])

    # focus names the six KSFs
    page.goto(f"{address}/focus")
    marketing = page.locator(".st-key-team_marketing")
    for ksf, team in {"M1": "marketing", "M2": "marketing", "I1": "inside_sales", "I2": "inside_sales"}.items():
        expect(page.locator(f".st-key-team_{team}")).to_contain_text(ksf)
    expect(page.locator(".st-key-team_field_sales")).to_contain_text("F1")
    expect(page.locator(".st-key-team_field_sales")).to_contain_text("F3")
    expect(page.locator(".st-key-team_field_sales")).to_contain_text(words["ksf"])

    # give marketing skill 4: its pair changes
    skill = page.locator(".st-key-teams-marketing-skill input")
    enter(skill, "4")
    expect(marketing).to_contain_text("M3")
    expect(marketing).to_contain_text("M4")
    expect(marketing).not_to_contain_text("M1")
    result = answer.inner_text()

    # save, and open the file in a fresh browser: the same numbers
    with page.expect_download() as download:
        page.get_by_role("button", name=words["save"]).click()
    saved = tmp_path / "plan.yaml"
    download.value.save_as(saved)
    assert Plan.from_text(saved.read_text("utf-8")).metrics["meeting_rate"].value == pytest.approx(0.755)
    other = browser.new_context(locale={"ja": "ja-JP", "en": "en-US"}[language])
    fresh = other.new_page()
    fresh.goto(address)
    expect(fresh.locator(".st-key-answer")).to_contain_text(words["gap"])
    fresh.locator(".st-key-open_file input[type=file]").set_input_files(saved)
    expect(fresh.locator(".st-key-answer")).to_contain_text(words["moved"])
    fresh.goto(f"{address}/focus")
    expect(fresh.locator(".st-key-answer")).to_have_text(result)
    other.close()


def test_a_reload_keeps_the_plan_and_undo_brings_the_old_one_back(page: Page, address: str) -> None:
    page.goto(f"{address}/whatif")
    page.get_by_role("slider", name="商談率").focus()
    page.keyboard.press("ArrowRight")
    answer = page.locator(".st-key-answer")
    expect(answer).to_contain_text("8.7億円")

    page.reload()
    expect(answer).to_contain_text("8.7億円")

    page.get_by_role("button", name="元に戻す").first.click()
    expect(answer).to_contain_text("8.64億円です")


def test_a_card_is_chosen_and_its_number_edited_beside_the_tree(page: Page, address: str) -> None:
    page.goto(f"{address}/tree")
    page.get_by_role("treeitem", name="商談率").locator(".name").first.click()
    value = page.locator(".st-key-metrics-meeting_rate-value input")
    expect(value).to_have_value("75%")

    enter(value, "８０％")

    expect(page.locator(".st-key-answer")).to_contain_text("9.22億円")


def test_a_formula_with_an_error_stays_in_its_field_with_the_reason_and_the_plan_stays(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/tree")
    page.get_by_role("treeitem", name="リード数").first.click()
    formula = page.locator(".st-key-metrics-leads-formula textarea")

    formula.fill("訪問者数 × CVRR")
    formula.press("Control+Enter")

    editor = page.locator(".st-key-editor")
    expect(editor).to_contain_text("「CVRR」という指標はありません")
    expect(formula).to_have_value("訪問者数 × CVRR")
    expect(page.locator(".st-key-answer")).to_contain_text("8.64億円")


def test_a_foreign_file_is_explained_and_the_plan_stays(page: Page, address: str, tmp_path: Path) -> None:
    foreign = tmp_path / "shopping.yaml"
    foreign.write_text("milk: 2\nbread: 1\n")
    page.goto(address)
    expect(page.locator(".st-key-answer")).to_contain_text("8.64億円")

    page.locator(".st-key-open_file input[type=file]").set_input_files(foreign)

    expect(page.get_by_role("alert")).to_contain_text("Gyakusan の計画ではありません")
    expect(page.locator(".st-key-answer")).to_contain_text("8.64億円")


@pytest.mark.parametrize("name", ["", "tree", "whatif", "sensitivity", "deadlines", "focus"])
def test_no_request_leaves_and_no_page_breaks(page: Page, address: str, name: str) -> None:
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if not _inside(request.url, address) else None)

    page.goto(f"{address}/{name}")
    page.locator(".st-key-answer").wait_for()
    page.wait_for_timeout(1_500)

    assert outside == []
    assert page.get_by_text("Traceback").count() == 0
    assert page.get_by_text("問題が起きました").count() == 0


def _inside(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))


def test_the_language_switch_changes_words_and_no_number(page: Page, address: str) -> None:
    page.goto(f"{address}/sensitivity")
    expect(page.locator(".st-key-answer")).to_contain_text("アポイント率")

    page.get_by_text("English", exact=True).click()

    expect(page.locator(".st-key-answer")).to_contain_text("Appointment rate matters most")
    expect(page.locator(".st-key-answer")).to_contain_text("¥460.8M")
    page.reload()
    expect(page.locator(".st-key-answer")).to_contain_text("Appointment rate matters most")
