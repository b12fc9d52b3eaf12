"""Soak: twenty people with full workspaces, each page run again every two seconds; pauses and memory of the server.

Minutes are `SOAK_MINUTES` (1 if unset, so that the whole bench stays short; 10 for the figures in docs).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets import ConnectionClosed

from tests.hosting import served
from tests.uploading import Visit, visit
from workbench import samples
from workbench.store import Actor, Kept, Store, new_key

PEOPLE, EVERY_SECONDS, REVISIONS = 20, 2.0, 20
PAGES = ("whatif", "sensitivity", "deadlines", "focus", "tree", "whatif")
_MB = 1_000_000


def lines() -> Iterator[str]:
    """Yield the report's line."""
    minutes = float(os.environ.get("SOAK_MINUTES", "1"))
    with TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "soak"
        _fill(folder)
        command = [sys.executable, "-m", "uvicorn", "tests.bench.soak_app:app", "--no-access-log"]
        place = {"GYAKUSAN_DATA": folder, "SOAK_FILE": str(file)}
        address = stack.enter_context(served(command, Path(folder) / "log", environment=place))
        stop, runs = threading.Event(), [0] * PEOPLE
        for at in range(PEOPLE):
            person = stack.enter_context(visit(address, f"{at:043d}"))
            for work in (_read, _work):
                threading.Thread(target=work, args=(person, at, runs, stop), daemon=True).start()
        time.sleep(60 * minutes)
        stop.set()
        yield _report([json.loads(line) for line in file.read_text().splitlines()], sum(runs), minutes)


def _fill(folder: str) -> None:
    store = Store.at(f"sqlite:///{folder}/gyakusan.sqlite3")
    for at in range(PEOPLE):
        actor = Actor.of(f"{at:043d}")
        kept = store.begin(actor, samples.sample_plan(), key=new_key())
        for step in range(REVISIONS):
            changed = kept.plan.replace({"metrics.visitors.value": 390_000 + 100 * at + step})
            outcome = store.save(actor, kept.plan_id, kept.number, changed, key=new_key())
            kept = outcome if isinstance(outcome, Kept) else kept
    store.close()


def _read(person: Visit, at: int, runs: list[int], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            person.socket.recv(timeout=1)
        except TimeoutError:
            continue
        except ConnectionClosed:
            return


def _work(person: Visit, at: int, runs: list[int], stop: threading.Event) -> None:
    while not stop.wait(EVERY_SECONDS):
        asked = BackMsg()
        asked.rerun_script.page_name = PAGES[(runs[at] // 10 + at) % len(PAGES)]
        try:
            person.socket.send(asked.SerializeToString())
        except ConnectionClosed:
            return
        runs[at] += 1


def _report(said: list[dict[str, list[float]]], runs: int, minutes: float) -> str:
    warm = said[len(said) // 5 :]  # pages are loaded in the first fifth
    pauses, worked = ([pause for one in warm for pause in one[kind]] for kind in ("pauses", "worked"))
    late = sorted(one for part in warm for one in part["late"])
    memory = [int(str(one["rss"])) // _MB for one in warm]
    frozen = [one["frozen"] for one in warm]
    half = len(memory) // 2
    middle, slow, worst = (1e3 * late[int(share * (len(late) - 1))] for share in (0.5, 0.99, 1))
    first, second = (statistics.median(part) for part in (memory[:half], memory[half:]))
    return (
        f"soak of {minutes:g} min, {PEOPLE} people, {runs:,} runs: collections stop everything for "
        f"{1e3 * statistics.median(pauses):.1f} ms (median), {1e3 * max(pauses):.1f} ms (worst of {len(pauses):,}), "
        f"{1e3 * max(worked):.1f} ms of processor time (worst); "
        f"the event loop is late by {middle:.1f} ms (median), {slow:.0f} ms (p99), {worst:.0f} ms (worst); "
        f"memory {first:.0f} MB in the first half, {second:.0f} MB in the second; "
        f"frozen {frozen[0]:,} to {frozen[-1]:,} objects (promise: no pause over 50 ms, memory flat)"
    )
