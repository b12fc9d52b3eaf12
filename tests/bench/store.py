"""Storage: one save of the sample plan until it is on the disk, and opening a plan with a thousand revisions."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tests.bench.timing import line, medians
from workbench import samples
from workbench.store import Actor, Kept, Store, new_key, revisions

OWNER = Actor.of("bench")
REVISIONS = 1_000


def lines() -> Iterator[str]:
    """Yield the report's lines; the files lie beside the code, where the disk is a disk."""
    with tempfile.TemporaryDirectory(dir=Path(__file__).parents[2]) as folder:
        store = Store.at(f"sqlite:///{folder}/plans.sqlite3")
        yield _save(store, Path(folder))
        yield _open(store, Path(folder))
        store.close()


def _save(store: Store, folder: Path) -> str:
    """The rival writes the same plan as a bare JSON file and waits for the disk just as long."""
    kept = store.begin(OWNER, samples.sample_plan(), key="save")
    newest, values = kept.number, count(390_000)
    changed = [kept.plan.replace({"metrics.visitors.value": next(values)}) for _ in range(41)]
    ours_left, theirs_left = iter(changed), iter(changed)

    def ours() -> None:
        nonlocal newest
        outcome = store.save(OWNER, kept.plan_id, newest, next(ours_left), key=new_key())
        newest = outcome.number if isinstance(outcome, Kept) else newest

    def rival() -> None:
        with (folder / "plan.json").open("w", encoding="utf-8") as file:
            json.dump(next(theirs_left).to_data(), file)
            file.flush()
            os.fsync(file.fileno())

    ours_took, rival_took = medians(ours, rival, rounds=40)
    assert newest == 42
    return line(
        "save of the sample plan, SQLite", ours_took, rival_took, against="json.dump + fsync", promise="<= 20 ms"
    )


def _open(store: Store, folder: Path) -> str:
    """Opening is the newest plan, where one stands, and the whole history; the rival reads the JSON file."""
    plan_id = store.begin(OWNER, samples.sample_plan(), key="open").plan_id
    for number in range(1, REVISIONS):
        changed = samples.sample_plan().replace({"metrics.visitors.value": 390_000 + number})
        store.save(OWNER, plan_id, number, changed, key=f"{number}")
    (folder / "plan.json").write_text(samples.sample_plan().to_json(), encoding="utf-8")

    def ours() -> None:
        revisions._read.cache_clear()  # nothing is remembered of an earlier opening
        found = Store.at(f"sqlite:///{folder}/plans.sqlite3")
        assert found.read(OWNER, plan_id).plan.metrics["visitors"].value == 390_000 + REVISIONS - 1
        assert found.standing(OWNER, plan_id).newest == len(found.history(OWNER, plan_id, limit=2 * REVISIONS))
        found.close()

    def rival() -> None:
        type(samples.sample_plan()).from_text((folder / "plan.json").read_text(encoding="utf-8"))

    ours_took, rival_took = medians(ours, rival)
    what = f"opening a plan with {REVISIONS:,} revisions, SQLite"
    return line(what, ours_took, rival_took, against="reading one plan file", promise="<= 100 ms")
