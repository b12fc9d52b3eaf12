"""One server and one Chromium for all journeys; in CI a missing browser is a failure."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.lacking import lacking
from tests.serving import BUSY_SECONDS, chromium, serve

expect.set_options(timeout=BUSY_SECONDS * 1_000)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with serve() as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as found:
            yield found
    except Error as error:
        if "Executable doesn't exist" not in str(error):
            raise
        lacking("no Chromium on this machine")


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh browser session in the language of the test's parameter, Japanese if it has none."""
    language = request.node.callspec.params.get("language", "ja") if hasattr(request.node, "callspec") else "ja"
    context = browser.new_context(
        locale={"ja": "ja-JP", "en": "en-US"}[language], viewport={"width": 1440, "height": 900}, accept_downloads=True
    )
    yield context.new_page()
    context.close()
