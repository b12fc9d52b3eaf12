"""Time two things turn by turn, so that a busy machine slows both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def medians(ours: Callable[[], object], rival: Callable[[], object], *, rounds: int = 15) -> tuple[float, float]:
    """Return the median seconds of both, after one warm-up each."""
    times: tuple[list[float], list[float]] = ([], [])
    for at in range(rounds + 1):
        for found, run in zip(times, (ours, rival), strict=True):
            start = time.perf_counter()
            run()
            if at:
                found.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def line(what: str, ours: float, rival: float, *, against: str, promise: str) -> str:
    """Return one line of the report."""
    return (
        f"{what}: {ours * 1e3:.1f} ms; {against}: {rival * 1e3:.1f} ms; ratio {ours / rival:.2f} (promise: {promise})"
    )
