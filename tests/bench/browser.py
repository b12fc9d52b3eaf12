"""The browser: from a key press on a slider to the changed number and picture on screen."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from tests.serving import chromium, serve

MOVES = 50

# Resolves in the first frame in which the text and the picture both differ from before the key.
_WATCH = """
([text, picture]) => {
  const words = () => document.querySelector(text)?.innerText;
  const drawn = () => {
    const found = document.querySelector(picture + ' canvas, ' + picture + ' svg.marks');
    return found?.tagName === 'CANVAS' ? found.toDataURL() : found?.outerHTML;
  };
  const before = [words(), drawn()];
  window.moved = new Promise((resolve, reject) => {
    addEventListener('keydown', () => {
      const start = performance.now();
      const look = () => {
        const took = performance.now() - start;
        if (words() !== before[0] && drawn() !== before[1]) resolve(took);
        else if (took > 10000) reject(new Error('nothing changed within 10 s'));
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }, { once: true, capture: true });
  });
}
"""


def lines() -> Iterator[str]:
    """Yield the report's line: both apps in one browser, move by move in turn."""
    here = Path(__file__).parent
    plain = ("--runner.postScriptGC=true",)
    with chromium() as browser, serve() as ours, serve("bare_app.py", folder=here, options=plain) as rival:
        pages = []
        for address in (f"{ours}/whatif", rival):
            page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="ja-JP")
            page.goto(address)
            page.locator("canvas, svg.marks").first.wait_for(timeout=60_000)
            page.wait_for_timeout(1_500)
            pages.append(page)
        pages[0].locator(".stExpander summary").first.click()
        times: tuple[list[float], list[float]] = ([], [])
        for at in range(MOVES):
            key = "ArrowRight" if at % 2 == 0 else "ArrowLeft"
            times[0].append(_move(pages[0], ".st-key-lever_meeting_rate", ".st-key-answer", key))
            times[1].append(_move(pages[1], ".stSlider", ".stMarkdown", key))
    ours_ms, rival_ms = (statistics.median(found) for found in times)
    p95 = [sorted(found)[int(0.95 * MOVES)] for found in times]
    yield (
        f"key to number and picture on whatif: median {ours_ms:.0f} ms, p95 {p95[0]:.0f} ms; "
        f"bare one-slider-one-chart app: median {rival_ms:.0f} ms, p95 {p95[1]:.0f} ms; "
        f"ratio of medians {ours_ms / rival_ms:.2f} (promise: <= 1.50)"
    )


def _move(page: Page, slider: str, text: str, key: str) -> float:
    page.bring_to_front()  # a page in the background draws no frames
    page.locator(slider).get_by_role("slider").first.focus()
    page.evaluate(_WATCH, [text, ".stVegaLiteChart"])
    page.keyboard.press(key)
    took = float(page.evaluate("window.moved"))
    page.wait_for_timeout(250)
    return took
