"""A server that is restarted while somebody types: the entry counts, or the field says that it does not."""

import pytest
from playwright.sync_api import Browser, expect

from tests import serving

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("after", [0, 200, 500, 1_000])
def test_an_entry_while_the_server_restarts_counts_or_is_said_not_to(browser: Browser, after: int) -> None:
    context, port = browser.new_context(locale="en-US"), serving.free_port()
    page = context.new_page()
    goal = page.get_by_role("textbox", name="Goal")
    with serving.serve(port=port) as address:
        page.goto(address)
        for typed in ("1.1B", "1.2B", "1.3B"):  # so the old pictures' numbers are higher than the new ones
            goal.fill(typed)
            goal.press("Enter")
            expect(goal).to_have_value(f"1,{typed[2]}00,000,000")
        expect(page.locator(".st-key-standing")).to_contain_text("Saved")

    with serving.serve(port=port):
        expect(goal).to_be_enabled()
        page.wait_for_timeout(after)
        goal.fill("3.1B")
        goal.press("Enter")

        told = page.get_by_text("did not take up “3.1B”")
        expect(told.or_(page.get_by_text("short of the goal of ¥3.10B"))).to_be_visible()
        goal.fill("3.2B")
        goal.press("Enter")
        expect(page.get_by_text("short of the goal of ¥3.20B")).to_be_visible()
        expect(told).to_have_count(0)
    context.close()


def test_a_restart_in_which_nobody_entered_anything_is_not_called_a_loss(browser: Browser) -> None:
    context, port = browser.new_context(locale="en-US"), serving.free_port()
    pages = {name: context.new_page() for name in ("tree", "whatif", "sensitivity", "deadlines", "focus")}
    with serving.serve(port=port) as address:
        for name, page in pages.items():
            page.goto(f"{address}/{name}")
            expect(page.locator(".st-key-hidden_picture input")).to_have_count(1)
        expand = pages["focus"].locator("details:not([open]) > summary")
        while expand.count():
            expand.first.click()

    with serving.serve(port=port):
        for page in pages.values():
            expect(page.locator("[data-testid=stApp][data-test-connection-state=CONNECTED]")).to_have_count(1)
            expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_have_count(1)
            assert page.get_by_text("did not take up").all_inner_texts() == []
    context.close()
