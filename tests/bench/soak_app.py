"""The app, with its pauses written down: how long each collection stops everything, and how late the event loop is.

A collection's time on the clock holds what other programs of the machine took meanwhile; its work is processor time.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import time
from pathlib import Path
from typing import Any

import psutil

from app import app as served

_pauses: list[float] = []
_worked: list[float] = []
_late: list[float] = []
_began = (0.0, 0.0)
TICK_SECONDS, TELL_SECONDS = 0.01, 5.0


def _note(phase: str, _facts: dict[str, int]) -> None:
    global _began  # noqa: PLW0603 - one collection at a time
    if phase == "start":
        _began = (time.perf_counter(), time.thread_time())
    else:
        _pauses.append(time.perf_counter() - _began[0])
        _worked.append(time.thread_time() - _began[1])


async def _watch() -> None:
    file, process, told_at = Path(os.environ["SOAK_FILE"]), psutil.Process(), time.monotonic()
    while True:
        then = time.perf_counter()
        await asyncio.sleep(TICK_SECONDS)
        _late.append(time.perf_counter() - then - TICK_SECONDS)
        if time.monotonic() - told_at > TELL_SECONDS:
            told_at = time.monotonic()
            frozen, rss = gc.get_freeze_count(), process.memory_info().rss
            told = {"pauses": _pauses, "worked": _worked, "late": _late, "frozen": frozen, "rss": rss}
            with file.open("a") as lines:
                lines.write(json.dumps(told) + "\n")
            _pauses.clear()
            _worked.clear()
            _late.clear()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve the app; watch from the first call on."""
    if scope["type"] == "lifespan":
        gc.callbacks.append(_note)
        app.task = asyncio.create_task(_watch())  # type: ignore[attr-defined]
    await served(scope, receive, send)
