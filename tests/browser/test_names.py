"""Names with line breaks, quotes and backslashes: every picture is drawn all the same, in a real Chromium."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.plans import renamed
from workbench import samples

pytestmark = pytest.mark.browser

HOSTILE = "a\nb\u2028c\u2029d\\\"e'f`g${datum.x}\\"
PICTURES = {"whatif": 1, "sensitivity": 3, "deadlines": 3, "focus": 4}  # on each page at least
MARKS = ".mark-rect path, .mark-symbol path, .mark-area path, .mark-line path, .mark-rule line"


@pytest.mark.parametrize("language", ["en", pytest.param("ja", marks=pytest.mark.long)])
def test_pictures_of_a_plan_with_hostile_names_are_drawn_on_every_page(
    page: Page, language: str, address: str, tmp_path: Path
) -> None:
    assert language in ("ja", "en")
    (tmp_path / "names.yaml").write_text(renamed(samples.sample_plan(), HOSTILE).to_yaml(), encoding="utf-8")
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(address)
    page.locator(".st-key-open_file input[type=file]").set_input_files(tmp_path / "names.yaml")
    expect(page.locator(".st-key-header")).to_contain_text("${datum.x}")

    for name, least in PICTURES.items():
        page.goto(f"{address}/{name}")
        pictures = page.locator(".stVegaLiteChart:visible")
        expect(pictures.nth(least - 1)).to_be_attached()
        for at in range(pictures.count()):
            pictures.nth(at).scroll_into_view_if_needed()
            expect(pictures.nth(at).locator(MARKS).first).to_be_attached()

    assert broken == []
