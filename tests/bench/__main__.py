"""Run every benchmark, or only those named, and print one line each: ours, the rival, the ratio, the promise."""

from __future__ import annotations

import sys

from tests.bench import board, browser, core, files, focus, links, soak, store, time, uploads

PARTS = {
    "core": core,
    "files": files,
    "focus": focus,
    "time": time,
    "store": store,
    "links": links,
    "browser": browser,
    "board": board,
    "uploads": uploads,
    "soak": soak,
}

for name in sys.argv[1:] or PARTS:
    for line in PARTS[name].lines():
        print(line, flush=True)
