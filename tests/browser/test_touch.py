"""The board under a finger, with real touch input on a phone: levers are dragged, and the page still scrolls."""

from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

pytestmark = pytest.mark.browser

MOVES = 12  # a browser takes a touch over for scrolling after a few
FINGER = 44  # px: the least a finger hits
KGI = {"tree": ".card.kgi .value", "whatif": ".bar.goal .value"}
NAMES = {"ja": "訪問者数", "en": "Website visitors"}


class Finger:
    """A finger on the screen, through the browser's own input: nothing of the page is called by hand."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.input: CDPSession = page.context.new_cdp_session(page)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.input.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
        self.page.wait_for_timeout(20)

    def drag(self, start: tuple[float, float], by: tuple[float, float], *, moves: int = MOVES) -> None:
        """Put the finger down and move it, and leave it there."""
        self.touch("touchStart", start)
        for step in range(1, moves + 1):
            self.touch("touchMove", (start[0] + by[0] * step / moves, start[1] + by[1] * step / moves))

    def lift(self) -> None:
        self.touch("touchEnd")


@pytest.fixture
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    language = request.node.callspec.params.get("language", "ja") if hasattr(request.node, "callspec") else "ja"
    context = browser.new_context(
        locale={"ja": "ja-JP", "en": "en-US"}[language],
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
    )
    yield context.new_page()
    context.close()


def opened(phone: Page, address: str, page: str, language: str = "ja") -> Locator:
    """Open a page and return the lever of the website's visitors, on the screen and at rest."""
    phone.goto(f"{address}/{page}")
    lever = phone.locator("[data-testid=stBidiComponentIsolated]").get_by_role(
        "slider", name=NAMES[language], exact=True
    )
    if page == "tree":  # a phone shows what carries the chosen card only
        phone.locator(".card.kgi").wait_for()
        _choose(phone, ("wins", "meetings", "appointments", "leads"))
    lever.wait_for()
    expect(phone.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_have_count(1)
    lever.locator(".thumb").scroll_into_view_if_needed()
    lever.locator(".thumb").hover()  # waits until it stands still
    return lever


def _choose(phone: Page, way: Sequence[str]) -> None:
    for card in way:
        phone.locator(f".card[data-id={card}]").tap(position={"x": 40, "y": 14})
        expect(phone.locator(f".card[data-id={card}]")).to_have_attribute("aria-selected", "true")


def middle(of: Locator) -> tuple[float, float]:
    box = of.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def scrolled(phone: Page) -> float:
    offset: float = phone.evaluate("() => document.querySelector('.stMain').scrollTop")
    return offset


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("page", ["tree", "whatif"])
def test_a_finger_drags_a_lever_and_its_end_is_one_step_in_the_plan(
    phone: Page, address: str, page: str, language: str
) -> None:
    lever, finger = opened(phone, address, page, language), Finger(phone)
    goal, before = phone.locator(KGI[page]), phone.locator(KGI[page]).text_content() or ""
    first, place = lever.get_attribute("aria-valuenow"), scrolled(phone)

    finger.drag(middle(lever.locator(".thumb")), (60, 3))
    expect(goal).not_to_have_text(before)  # while the finger is still down
    during, to = goal.text_content() or "", lever.get_attribute("aria-valuenow")
    assert scrolled(phone) == place
    finger.lift()

    expect(phone.locator(".st-key-answer")).to_contain_text(during)
    assert to != first
    assert lever.get_attribute("aria-valuenow") == to
    undo = phone.locator(".st-key-header_undo button")
    undo.tap()
    expect(goal).to_have_text(before)
    expect(undo).to_be_disabled()  # one step, and no more


@pytest.mark.parametrize("page", ["tree", "whatif"])
def test_a_finger_that_goes_down_the_page_scrolls_it_and_moves_no_lever(phone: Page, address: str, page: str) -> None:
    """On the lever itself, beside it, and on what is no lever."""
    lever, finger = opened(phone, address, page), Finger(phone)
    x, y = middle(lever.locator(".thumb"))
    beside = phone.locator(".card.kgi .box" if page == "tree" else ".bar.goal .stage, .bar .stage").first

    for start in ((x, y), (330.0, y - 20)):
        place, value = scrolled(phone), lever.get_attribute("aria-valuenow")
        finger.drag(start, (2, -150))
        finger.lift()
        phone.wait_for_timeout(300)
        assert scrolled(phone) > place + 50
        assert lever.get_attribute("aria-valuenow") == value
        phone.evaluate("(to) => document.querySelector('.stMain').scrollTo(0, to)", place)
    beside.scroll_into_view_if_needed()
    place = scrolled(phone)
    down = 120 if place > 130 else -120
    finger.drag(middle(beside), (0, down))
    finger.lift()
    phone.wait_for_timeout(300)
    assert abs(scrolled(phone) - place) > 50
    expect(phone.locator(".st-key-header_undo button")).to_be_disabled()


@pytest.mark.parametrize("page", ["tree", "whatif"])
def test_every_lever_is_as_large_as_a_finger_and_lies_over_no_other(phone: Page, address: str, page: str) -> None:
    opened(phone, address, page)

    levers = phone.evaluate("""() => {
      const tracks = [...document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot
        .querySelectorAll('.track[role=slider]')];
      return tracks.map((lever) => {
        lever.scrollIntoView({ block: 'center' });
        const at = lever.querySelector('.thumb').getBoundingClientRect(), root = lever.getRootNode();
        const [cx, cy] = [at.x + at.width / 2, at.y + at.height / 2];
        const hits = (dx, dy) => root.elementFromPoint(cx + dx, cy + dy)?.closest('.track') === lever;
        const reach = (dx, dy) => { let n = 0; while (n < 60 && hits(dx * (n + 1), dy * (n + 1))) n += 1; return n; };
        const id = lever.parentNode.dataset.id, wide = reach(-1, 0) + reach(1, 0) + 1;
        return { id, tall: reach(0, -1) + reach(0, 1) + 1, wide };
      });
    }""")

    assert len(levers) >= (2 if page == "tree" else 7)
    for lever in levers:
        assert lever["tall"] >= FINGER, lever
        assert lever["wide"] >= FINGER, lever


def test_a_second_finger_takes_no_lever_from_the_first(phone: Page, address: str) -> None:
    lever, finger = opened(phone, address, "whatif"), Finger(phone)
    x, y = middle(lever.locator(".thumb"))
    finger.drag((x, y), (40, 0))
    to = lever.get_attribute("aria-valuenow")

    finger.touch("touchStart", (x + 40, y), (200, y + 200))
    finger.touch("touchMove", (x + 40, y), (260, y + 200))

    assert lever.get_attribute("aria-valuenow") == to
    finger.lift()
    expect(phone.locator(".st-key-header_undo button")).to_be_enabled()


def test_on_a_tablet_a_finger_drags_a_lever_of_the_wall_and_pans_beside_it(browser: Browser, address: str) -> None:
    context = browser.new_context(
        locale="ja-JP", viewport={"width": 1180, "height": 820}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(f"{address}/tree")
    lever, finger = page.get_by_role("slider", name="訪問者数", exact=True), Finger(page)
    for _ in range(3):
        page.get_by_role("button", name="拡大").tap()
    pane = page.locator(".view")
    lever.locator(".thumb").scroll_into_view_if_needed()
    lever.locator(".thumb").hover()
    before, place = page.locator(KGI["tree"]).text_content() or "", pane.evaluate("(pane) => pane.scrollLeft")

    finger.drag(middle(lever.locator(".thumb")), (-40, 2))

    expect(page.locator(KGI["tree"])).not_to_have_text(before)
    assert pane.evaluate("(pane) => pane.scrollLeft") == place
    finger.lift()
    expect(page.locator(".st-key-header_undo button")).to_be_enabled()
    value = lever.get_attribute("aria-valuenow")
    finger.drag(middle(page.locator(".card[data-id=visitors] .name").first), (150, 2))
    finger.lift()
    assert pane.evaluate("(pane) => pane.scrollLeft") < place - 50
    assert lever.get_attribute("aria-valuenow") == value
    context.close()
