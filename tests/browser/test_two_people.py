"""Two people at one plan, in two browsers: both end on the same revision, and both people's changes are in it."""

import itertools
import time

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.serving import enter, on_message
from workbench import browsers, keeping, standing
from workbench.store import Actor, Store

pytestmark = pytest.mark.browser


@pytest.fixture
def store():
    store = Store.at()
    yield store
    store.close()


def _person(browser: Browser) -> BrowserContext:
    return browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900})


def _actor(context: BrowserContext) -> Actor:
    return Actor.of(next(one["value"] for one in context.cookies() if one["name"] == browsers.COOKIE))


def _types(page: Page, label: str, text: str) -> None:
    enter(page.get_by_role("textbox", name=label), text)


def _begun(page: Page, address: str, store: Store) -> tuple[Actor, str]:
    """Make a first change, and return whose plan it is and which."""
    page.goto(address)
    page.get_by_text("Nothing changed yet").wait_for()
    _types(page, "Goal", "1.1B")
    expect(page.locator(".st-key-standing")).to_contain_text("Saved")
    actor = _actor(page.context)
    plan_id = store.latest(actor)
    assert plan_id is not None
    return actor, plan_id


class Sessions:
    """The ids of the sessions that a page is told it is in."""

    def __init__(self, page: Page) -> None:
        self.ids: list[str] = []
        on_message(page, self._note)

    def _note(self, said: ForwardMsg) -> None:
        if said.HasField("new_session"):
            self.ids.append(said.new_session.initialize.session_id)


@pytest.mark.parametrize("seconds", [15, pytest.param(60, marks=pytest.mark.long)])
def test_two_browsers_edit_one_plan(browser: Browser, address: str, store: Store, seconds: int) -> None:
    mine, theirs = (_person(browser) for _ in range(2))
    first, second = mine.new_page(), theirs.new_page()
    actor, plan_id = _begun(first, address, store)
    _link, token = store.issue(actor, plan_id, "edit")
    second.goto(f"{address}/open#{token}")
    expect(second.get_by_role("textbox", name="Goal")).to_have_value("1,100,000,000")
    assert token not in second.url

    ends, turn = time.monotonic() + seconds, 0
    for turn in itertools.count(1):
        _types(first, "Goal", f"1.{turn:03d}B")
        _types(second, "Name of the plan", f"Plan {turn}")
        if turn >= 3 and time.monotonic() > ends:
            break

    caught_up = 300_000  # ms: they type faster than a busy server draws and saves
    for page in (first, second):
        expect(page.get_by_role("textbox", name="Name of the plan")).to_have_value(f"Plan {turn}", timeout=caught_up)
        expect(page.get_by_role("textbox", name="Goal")).to_have_value(f"1,{turn:03d},000,000", timeout=caught_up)
        expect(page.locator(".st-key-standing")).to_contain_text("Saved", timeout=caught_up)
    newest = store.read(actor, plan_id)
    assert (newest.plan.name.en, newest.plan.kgi.target) == (f"Plan {turn}", 1e9 + turn * 1e6)
    mine.close()
    theirs.close()


def test_a_revoked_link_closes_an_open_page(browser: Browser, address: str, store: Store) -> None:
    mine, theirs = (_person(browser) for _ in range(2))
    first, second = mine.new_page(), theirs.new_page()
    actor, plan_id = _begun(first, address, store)
    link, token = store.issue(actor, plan_id, "view")
    second.goto(f"{address}/open#{token}")
    expect(second.get_by_text("View only")).to_be_visible()
    _types(second, "Goal", "1.3B")
    expect(second.get_by_role("button", name="Save as my own plan")).to_be_visible()

    store.revoke(actor, plan_id, link.id)

    expect(second.get_by_text("This link opens nothing any more")).to_be_visible()
    assert standing.EVERY_SECONDS + keeping.LOOK_EVERY_SECONDS < 5  # how soon it does is timed in `make bench`
    expect(second.get_by_role("textbox", name="Goal")).to_have_count(0)
    assert store.read(actor, plan_id).plan.kgi.target == 1.1e9
    mine.close()
    theirs.close()


def test_after_a_reload_the_plan_and_the_way_back_are_there(browser: Browser, address: str, store: Store) -> None:
    mine = _person(browser)
    page = mine.new_page()
    _begun(page, address, store)
    _types(page, "Goal", "1.2B")
    expect(page.get_by_role("textbox", name="Goal")).to_have_value("1,200,000,000")  # the server's way to write it
    expect(page.locator(".st-key-standing")).to_contain_text("Saved")

    page.reload()
    expect(page.get_by_role("textbox", name="Goal")).to_have_value("1,200,000,000")
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("textbox", name="Goal")).to_have_value("1,100,000,000")
    mine.close()


@pytest.mark.parametrize("at_work", [True, False])
def test_who_knows_a_session_but_has_another_cookie_finds_nothing_of_it(
    browser: Browser, address: str, store: Store, at_work: bool
) -> None:
    """Streamlit gives a session to whoever names it, its owner being there or just gone; and logs may name it."""
    mine, theirs = (_person(browser) for _ in range(2))
    first, second = mine.new_page(), theirs.new_page()
    victim, stranger = Sessions(first), Sessions(second)
    actor, plan_id = _begun(first, address, store)
    first.get_by_role("link", name="Links and files").click()
    expect(first.get_by_role("button", name="Make a link")).to_be_visible()
    if not at_work:
        first.close()
    second.add_init_script(
        f"""window.WebSocket = class extends WebSocket {{
            constructor(url, protocols) {{ super(url, [...[protocols].flat().slice(0, 2), "{victim.ids[-1]}"]) }}
        }}"""
    )

    second.goto(address)

    expect(second.get_by_role("textbox", name="Goal")).to_have_value("1,000,000,000")
    expect(second.get_by_text("Nothing changed yet")).to_be_visible()
    assert stranger.ids[-1] == victim.ids[-1]  # else nothing was tried
    _types(second, "Goal", "1.7B")
    expect(second.locator(".st-key-standing")).to_contain_text("Saved")
    assert store.read(actor, plan_id).plan.kgi.target == 1.1e9
    assert store.latest(_actor(theirs)) != plan_id

    again = mine.new_page()
    again.goto(address)
    expect(again.get_by_role("textbox", name="Goal")).to_have_value("1,100,000,000")
    mine.close()
    theirs.close()
