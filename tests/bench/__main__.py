"""Run every benchmark and print one line each: ours, the rival, the ratio, the promise."""

from __future__ import annotations

from tests.bench import browser, core

for line in (*core.lines(), *browser.lines()):
    print(line, flush=True)
