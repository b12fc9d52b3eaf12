"""Uploads: what a hundred of 19 MB at once make of the server's memory."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psutil

from tests.serving import serve
from tests.uploading import visit
from workbench.uploads import MOST

COUNT, SIZE, PAGES = 100, 19_000_000, 10
_MB = 1_000_000


def lines() -> Iterator[str]:
    """Yield the report's line: ten pages of ten browsers, ten files each, all at once."""
    with ExitStack() as stack:
        address = stack.enter_context(serve())
        server = psutil.Process().children()[-1]
        pages = [stack.enter_context(visit(address, f"{at:043d}")) for at in range(PAGES)]
        before = most = server.memory_info().rss
        pool = stack.enter_context(ThreadPoolExecutor(COUNT))
        sent = [pool.submit(pages[at % PAGES].put, SIZE, f"file{at}") for at in range(COUNT)]
        while not all(one.done() for one in sent):
            most = max(most, server.memory_info().rss)
            time.sleep(0.02)
        answered = Counter(one.result() for one in sent)
    yield (
        f"{COUNT} uploads of {SIZE // _MB} MB at once: {before // _MB} MB before, {most // _MB} MB at most, "
        f"{answered[204]} taken, {answered[413] + answered[429]} refused "
        f"(promise: <= {(MOST + 150 * _MB) // _MB} MB above; {MOST // _MB} MB of files may be held)"
    )
