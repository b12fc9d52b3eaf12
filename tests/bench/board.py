"""The board: from a pointer's move to the goal's changed text, while another client keeps the server busy."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.plans import channels
from tests.serving import Sent, chromium, serve

MOVES = 500
SIZES = {17: (2, 1), 201: (4, 7)}

# Notes the time from each pointer move to the goal's text having changed.
_WATCH = """() => {
  const board = document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot;
  let start = null;
  window.took = [];
  board.querySelector('svg').addEventListener('pointermove', () => { start = performance.now(); }, { capture: true });
  new MutationObserver(() => { if (start !== null) { took.push(performance.now() - start); start = null; } })
    .observe(board.querySelector('.card.kgi'), { subtree: true, characterData: true, childList: true });
}"""
# Clicks undo and redo in turn: each click is a rerun of a page on the server.
_BUSY = """() => setInterval(() => {
  for (const key of ['header_undo', 'header_redo']) {
    const button = document.querySelector(`.st-key-${key} button`);
    if (button && !button.disabled) { button.click(); return; }
  }
}, 200)"""


def lines() -> Iterator[str]:
    """Yield a line for each size of tree, with the same move made by way of the server beside it."""
    with chromium() as browser, serve() as address:
        busy = _open(browser, f"{address}/whatif")
        busy.get_by_role("slider").first.focus()
        busy.keyboard.press("ArrowRight")
        busy.wait_for_timeout(1_500)
        busy.evaluate(_BUSY)
        for count, size in SIZES.items():
            yield _drag(browser, address, count, size)


def _drag(browser: Browser, address: str, count: int, size: tuple[int, int]) -> str:
    page = _open(browser, address)
    sent = Sent(page)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plan.yaml"
        file.write_text(channels(*size).to_yaml(), encoding="utf-8")
        page.locator(".st-key-open_file input[type=file]").set_input_files(file)
        page.wait_for_timeout(2_000)

    page.goto(f"{address}/tree")
    page.get_by_role("treeitem").first.wait_for()
    page.wait_for_timeout(1_500)
    if count > 40:
        page.locator(".tools button", has_text="すべて開く").click()
    page.evaluate(_WATCH)
    page.bring_to_front()
    lever = page.get_by_role("slider").nth(3)
    lever.scroll_into_view_if_needed()
    box = lever.locator(".thumb").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.wait_for_timeout(300)
    before = sent.messages
    for at in range(MOVES):
        page.mouse.move(x + (at * 7) % 40 - 15, y)
    during = sent.messages - before
    took = sorted(page.evaluate("window.took"))
    page.mouse.move(x + 45, y)  # far enough for the server's rounded sentence to change
    server = _by_way_of_the_server(page)
    released = sent.messages - before - during
    page.context.close()
    median, p95 = statistics.median(took), took[int(0.95 * len(took))]
    return (
        f"drag on {count} cards: pointer to goal's text median {median:.1f} ms, p95 {p95:.1f} ms"
        f" over {len(took)} changes in {MOVES} moves (promise: p95 <= {16 if count < 40 else 33} ms),"
        f" {during} messages during, {released} on release;"
        f" the same by way of the server: {server:.0f} ms; ratio {median / server:.3f}"
    )


def _by_way_of_the_server(page: Page) -> float:
    """Let go, and time until the server's own sentence has changed."""
    page.evaluate("""() => {
      const words = () => document.querySelector('.st-key-answer').innerText, before = words();
      window.answered = new Promise((resolve, reject) => addEventListener('pointerup', () => {
        const start = performance.now();
        const look = () => {
          const took = performance.now() - start;
          if (words() !== before) resolve(took);
          else if (took > 10000) reject(new Error('the server did not answer within 10 s'));
          else requestAnimationFrame(look);
        };
        look();
      }, { once: true, capture: true }));
    }""")
    page.mouse.up()
    return float(page.evaluate("window.answered"))


def _open(browser: Browser, address: str) -> Page:
    page = browser.new_context(locale="ja-JP", viewport={"width": 1440, "height": 900}).new_page()
    page.goto(address)
    page.locator(".st-key-answer").wait_for(timeout=60_000)
    return page
