"""A server that is restarted while somebody types: the entry counts, or the field says that it does not."""

import pytest
from playwright.sync_api import Browser, Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests import serving

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "after", [0, pytest.param(200, marks=pytest.mark.long), pytest.param(500, marks=pytest.mark.long), 1_000]
)
def test_an_entry_while_the_server_restarts_counts_or_is_said_not_to(browser: Browser, after: int) -> None:
    context, port = browser.new_context(locale="en-US"), serving.free_port()
    page = context.new_page()
    goal = page.get_by_role("textbox", name="Goal")
    with serving.serve(port=port) as address:
        page.goto(address)
        for typed in ("1.1B", "1.2B", "1.3B"):  # so the old pictures' numbers are higher than the new ones
            serving.enter(goal, typed)
            expect(goal).to_have_value(f"1,{typed[2]}00,000,000")
        expect(page.locator(".st-key-standing")).to_contain_text("Saved")

    with serving.serve(port=port):
        expect(goal).to_be_enabled()
        page.wait_for_timeout(after)
        serving.enter(goal, "3.1B")

        told = page.get_by_text("did not take up “3.1B”")
        expect(told.or_(page.get_by_text("short of the goal of ¥3.10B"))).to_be_visible()
        serving.enter(goal, "3.2B")
        expect(page.get_by_text("short of the goal of ¥3.20B")).to_be_visible()
        expect(told).to_have_count(0)
    context.close()


class Drawn:
    """How often a page has been drawn whole, by whichever server."""

    def __init__(self, page: Page) -> None:
        self._page, self._times = page, 0
        serving.on_message(page, self._note)

    def _note(self, said: ForwardMsg) -> None:
        if said.WhichOneof("type") == "script_finished":  # of a page, not of a part of it
            self._times += said.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY

    def forget(self) -> None:
        self._times = 0

    def wait(self) -> None:
        for _ in range(serving.BUSY_SECONDS * 10):
            if self._times:
                return
            self._page.wait_for_timeout(100)
        raise AssertionError(f"{self._page.url} was not drawn")


def test_a_restart_in_which_nobody_entered_anything_is_not_called_a_loss(browser: Browser) -> None:
    context, port = browser.new_context(locale="en-US"), serving.free_port()
    pages = {name: context.new_page() for name in ("tree", "whatif", "sensitivity", "deadlines", "focus")}
    drawn = {name: Drawn(page) for name, page in pages.items()}
    with serving.serve(port=port) as address:
        for name, page in pages.items():
            page.goto(f"{address}/{name}")
            drawn[name].wait()
        expand = pages["focus"].locator("details:not([open]) > summary")
        while expand.count():
            expand.first.click()

    for before in drawn.values():
        before.forget()
    with serving.serve(port=port):
        for name, page in pages.items():
            drawn[name].wait()
            expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_have_count(1)
            assert page.get_by_text("did not take up").all_inner_texts() == []
    context.close()
