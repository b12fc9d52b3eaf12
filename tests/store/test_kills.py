"""Killed in the middle of saving: every save that was answered is there, and nothing else is broken.

`SIGKILL` takes the process; a power cut, at its worst, also takes whatever was not yet synced (`power_cut.c`).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.lacking import lacking
from tests.store import postgres, writers
from workbench.store import Store

CLIENTS, PLANS = 8, 4
_compiler = shutil.which("cc") or shutil.which("gcc")


def killed(
    nursery: writers.Nursery,
    url: str,
    clients: list[writers.Client],
    kills: int,
    *,
    before: Callable[[], None] = lambda: None,
    **terms: Any,
) -> Iterator[list[dict[str, Any]]]:
    """Let people save and kill their process at some moment, so often; yield each time what was acknowledged."""
    moment, heard = random.Random(7), nursery.say()
    for _ in range(kills):
        before()
        nursery.go(url, clients, **terms)
        pid = next(heard)["started"]
        acknowledged = list(islice(heard, moment.randint(1, 8)))
        time.sleep(moment.uniform(0, 0.03))
        os.kill(pid, signal.SIGKILL)
        nursery.reap(pid)
        acknowledged += takewhile(lambda told: "ended" not in told, heard)
        assert [told for told in acknowledged if "error" in told] == []
        yield acknowledged


def keys(store: Store) -> set[str]:
    with store.database.read() as connection:
        return set(connection.scalars(text("SELECT key FROM revisions")))


def assert_sound(store: Store) -> None:
    with store.database.read() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


@pytest.mark.parametrize("kills", [6, pytest.param(200, marks=pytest.mark.long)])
def test_killed_while_saving_to_sqlite(tmp_path: Path, nursery: writers.Nursery, kills: int):
    url = f"sqlite:///{tmp_path}/kept/plans.sqlite3"
    store, acknowledged = Store.at(url), []
    clients = writers.set_up(store, CLIENTS, PLANS)

    for told in killed(nursery, url, clients, kills, before=store.close):
        acknowledged += told
        assert_sound(store)
        assert {one["key"] for one in told} <= keys(store)

    writers.assert_nothing_lost(store, clients, acknowledged, all_of=False)
    assert len(acknowledged) > 2 * kills
    store.close()


@pytest.mark.parametrize("kills", [4, pytest.param(200, marks=pytest.mark.long)])
def test_killed_while_saving_to_postgres(server: postgres.Server, nursery: writers.Nursery, kills: int):
    url = server.schema()
    store, acknowledged = Store.at(url), []
    clients = writers.set_up(store, CLIENTS, PLANS)

    for told in killed(nursery, url, clients, kills):
        acknowledged += told
        assert {one["key"] for one in told} <= keys(store)

    writers.assert_nothing_lost(store, clients, acknowledged, all_of=False)
    assert len(acknowledged) > 2 * kills
    store.close()


@pytest.mark.parametrize("kills", [1, pytest.param(30, marks=pytest.mark.long)])
def test_the_database_server_is_killed_while_people_save(nursery: writers.Nursery, kills: int):
    """People see that it is down; what was acknowledged is there when it is back."""
    moment, acknowledged, errors = random.Random(13), [], []
    with postgres.server() as server:
        url = server.database()
        store = Store.at(url)
        clients = writers.set_up(store, CLIENTS, PLANS)
        heard = nursery.say()
        for _ in range(kills):
            nursery.go(url, clients)
            nursery.reap(next(heard)["started"])
            acknowledged += islice(heard, moment.randint(1, 8))
            time.sleep(moment.uniform(0, 0.03))
            server.crash()
            for told in takewhile(lambda told: "ended" not in told, heard):
                (errors if "error" in told else acknowledged).append(told)
            server.start()
            assert {one["key"] for one in acknowledged} <= keys(store)
        writers.assert_nothing_lost(store, clients, acknowledged, all_of=False)
        store.close()

    assert len(errors) == CLIENTS * kills
    assert {told["error"].split(":")[0] for told in errors} == {"store_down"}


@pytest.fixture(scope="session")
def power_cut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[writers.Nursery]:
    """Yield writers whose power can be cut."""
    if _compiler is None or os.uname().sysname != "Linux":
        lacking("a power cut is made of C and /proc: there is no compiler here, or no Linux")
    made = tmp_path_factory.mktemp("power_cut") / "power_cut.so"
    source = Path(__file__).with_name("power_cut.c")
    warned = ["-Wall", "-Wextra", "-Werror"]
    subprocess.run([_compiler, "-shared", "-fPIC", "-O2", *warned, "-o", made, source, "-lpthread"], check=True)
    with writers.nursery(LD_PRELOAD=str(made)) as nursery:
        yield nursery


class Machine:
    """A machine whose power goes: the folder the app sees, and what of it is on the disk."""

    def __init__(self, folder: Path) -> None:
        self.live, self.disk = folder / "live", folder / "disk"
        self.file = self.live / "plans.sqlite3"
        store = Store.at(f"sqlite:///{self.file}")
        self.clients = writers.set_up(store, CLIENTS, PLANS)
        store.close()
        self.disk.mkdir()
        shutil.copy(self.file, self.disk / f"{self.file.name}.bytes")
        (self.disk / f"{self.file.name}.named").touch()

    def run(self, power_cut: writers.Nursery, cuts: int, *pragmas: str) -> tuple[list[int], int]:
        """Cut the power so often; return how many acknowledged saves each cut took, and how many there were."""
        lost, acknowledged, count = [], [], 0
        terms = {
            "environment": {"POWER_CUT_LIVE": str(self.live), "POWER_CUT_DISK": str(self.disk)},
            "pragmas": pragmas,
            "before": self._start,
        }
        for told in killed(power_cut, f"sqlite:///{self.file}", self.clients, cuts, **terms):
            acknowledged += told
            count += len(told)
            lost.append(self._lost(acknowledged))
        return lost, count

    def _start(self) -> None:
        """Boot: the folder holds what the disk has, and nothing else."""
        shutil.rmtree(self.live)
        self.live.mkdir(mode=0o700)
        for named in self.disk.glob("*.named"):
            kept = named.with_suffix(".bytes")
            shutil.copy(kept, self.live / named.stem) if kept.exists() else (self.live / named.stem).touch()

    def _lost(self, acknowledged: list[dict[str, Any]]) -> int:
        """Return how many saves are not in the database as it is after the cut; forget them, for the next cut."""
        self._start()
        store = Store.at(f"sqlite:///{self.file}")
        assert_sound(store)
        kept = keys(store)
        gone = [told for told in acknowledged if told["key"] not in kept]
        for told in gone:
            acknowledged.remove(told)
        writers.assert_nothing_lost(store, self.clients, acknowledged, all_of=False)
        store.close()
        return len(gone)


@pytest.mark.parametrize("cuts", [6, pytest.param(200, marks=pytest.mark.long)])
def test_the_power_is_cut_while_saving(tmp_path: Path, power_cut: writers.Nursery, cuts: int):
    lost, saves = Machine(tmp_path).run(power_cut, cuts)

    assert lost == [0] * cuts
    assert saves > 2 * cuts


def test_the_power_cut_is_one(tmp_path: Path, power_cut: writers.Nursery):
    """With `synchronous=NORMAL` a commit is not synced, and the same cuts take saves that were acknowledged."""
    lost, saves = Machine(tmp_path).run(power_cut, 3, "synchronous=NORMAL", "wal_autocheckpoint=0")

    assert sum(lost) > 0.5 * saves
