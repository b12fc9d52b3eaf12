"""Links: for how long an open page goes on showing a plan whose link has been revoked."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from tests.serving import chromium, serve
from workbench import samples, standing
from workbench.store import Actor, Store, new_key

OWNER = Actor.of("bench")
PAGES = 9


def lines() -> Iterator[str]:
    """Yield the report's line: links revoked at any moment between two questions of the page."""
    with TemporaryDirectory() as folder, serve(data=Path(folder)) as address, chromium() as browser:
        store = Store.at(f"sqlite:///{folder}/gyakusan.sqlite3")
        found = [_closed(store, browser, address, standing.EVERY_SECONDS * at / PAGES) for at in range(PAGES)]
        store.close()
    yield (
        f"a revoked link closes an open page: median {statistics.median(found):.1f} s, worst {max(found):.1f} s of "
        f"{PAGES}; such a page asks every {standing.EVERY_SECONDS} s (promise: <= 5 s)"
    )


def _closed(store: Store, browser: Browser, address: str, after: float) -> float:
    plan_id = store.begin(OWNER, samples.sample_plan(), key=new_key()).plan_id
    link, token = store.issue(OWNER, plan_id, "view")
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(f"{address}/open#{token}")
    page.get_by_text("View only").wait_for()
    page.wait_for_timeout(after * 1_000)

    start = time.perf_counter()
    store.revoke(OWNER, plan_id, link.id)
    page.get_by_text("This link opens nothing any more").wait_for()
    took = time.perf_counter() - start
    context.close()
    return took
