"""When something breaks: a calm page, the plan to take away, and an id that is also in the log."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from kpi_core.plan import Plan
from tests.serving import serve
from workbench import samples

pytestmark = pytest.mark.browser

APP = """
import streamlit as st
from workbench import logs, serving

logs.begin()
app = st.App("main_script.py", on_script_error=serving.script_error)
"""
BROKEN = """
import streamlit as st

st.title("before")
raise RuntimeError("secret of the house")
"""


def test_a_broken_page_is_calm_and_the_plan_can_be_saved(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "main_script.py").write_text(BROKEN)
    log = tmp_path / "log"
    context = browser.new_context(locale="en-US", accept_downloads=True)
    page = context.new_page()

    with serve(folder=tmp_path, log=log) as address:
        page.goto(address)
        shown = page.locator(".stMain")
        expect(shown).to_contain_text("Your plan is safe")
        with page.expect_download() as download:
            page.get_by_role("button", name="Save the plan as a file").click()
        download.value.save_as(tmp_path / "saved.yaml")
        text = shown.inner_text()
        context.close()

    assert Plan.from_text((tmp_path / "saved.yaml").read_text("utf-8")) == samples.sample_plan()
    assert "secret" not in text
    assert "Traceback" not in text
    found = re.search(r"number: ([0-9a-f]{8})", text)
    assert found
    assert found.group(1) in log.read_text()
    assert "secret" not in log.read_text()
