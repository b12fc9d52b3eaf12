"""Run every benchmark and print one line each: ours, the rival, the ratio, the promise."""

from __future__ import annotations

from itertools import chain

from tests.bench import board, browser, core, time

for line in chain(core.lines(), time.lines(), browser.lines(), board.lines()):
    print(line, flush=True)
