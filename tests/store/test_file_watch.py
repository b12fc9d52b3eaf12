"""A SQLite file that is deleted or replaced while the app runs: what was called saved is there after a restart."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.store.clock import Clock
from workbench.store import Actor, Kept, Store, file_watch, new_key
from workbench.store.engine import connect

OWNER, GUEST = Actor.of("owner"), Actor.of("guest")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "plans.sqlite3"


@pytest.fixture
def running(file: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(connect(f"sqlite:///{file}", clock=clock))
    yield opened
    opened.close()


def changed(plan: Plan, at: int) -> Plan:
    return plan.replace({"metrics.visitors.value": 300_000 + at})


def restarted(file: Path, clock: Clock) -> Store:
    return Store(connect(f"sqlite:///{file}", clock=clock))


def insisted(store: Store, plan_id: str, base: int, plan: Plan) -> int:
    """Save until it is acknowledged, as the app does: what is refused is tried again under the same key."""
    key = new_key()
    for _ in range(1_000):
        try:
            outcome = store.save(OWNER, plan_id, base, plan, key=key)
        except KpiError:
            time.sleep(0.01)
            continue
        assert isinstance(outcome, Kept)
        return outcome.number
    raise AssertionError("it is never saved")


def gone(file: Path, how: str) -> None:
    if how == "folder":
        shutil.rmtree(file.parent)
    elif how == "file":
        file.unlink()
    elif how == "moved":
        file.rename(file.with_name("elsewhere"))
    else:
        for part in file.parent.glob(f"{file.name}*"):
            part.unlink()


@pytest.mark.parametrize("how", ["all", "file", "folder", "moved"])
def test_what_is_saved_after_the_file_was_deleted_is_there_after_a_restart_with_all_that_was(
    running: Store, plan: Plan, file: Path, clock: Clock, how: str
):
    kept = running.begin(OWNER, plan, key="one")
    _link, token = running.issue(OWNER, kept.plan_id, "edit")
    gone(file, how)

    assert running.enter(GUEST, token, address="192.0.2.1") == kept.plan_id
    outcome = running.save(GUEST, kept.plan_id, 1, changed(plan, 1), key="two")
    gone(file, how)
    assert running.read(OWNER, kept.plan_id).plan == changed(plan, 1)
    running.close()

    fresh = restarted(file, clock)
    assert isinstance(outcome, Kept)
    assert fresh.read(OWNER, kept.plan_id).plan == changed(plan, 1)
    assert fresh.read(GUEST, kept.plan_id, 1).plan == plan
    fresh.close()


def test_nothing_is_left_of_the_old_files_log_and_the_new_one_is_private(running: Store, plan: Plan, file: Path):
    running.begin(OWNER, plan, key="one")
    file.unlink()
    running.begin(OWNER, plan, key="two")

    assert file.stat().st_mode & 0o777 == 0o600
    assert not list(file.parent.glob("*.part"))
    running.close()
    assert [path.name for path in file.parent.glob(f"{file.name}*")] == [file.name]


def test_a_file_that_goes_while_it_is_written_loses_nothing(running: Store, plan: Plan, file: Path, clock: Clock):
    kept, times = running.begin(OWNER, plan, key="one"), []
    save = running.database.write

    def write(work):
        def deleting(connection):
            answer = work(connection)
            if not times:
                gone(file, "all")
            times.append(1)
            return answer

        return save(deleting)

    running.database.write = write  # type: ignore[method-assign]
    running.save(OWNER, kept.plan_id, 1, changed(plan, 1), key="two")
    running.close()

    fresh = restarted(file, clock)
    assert fresh.read(OWNER, kept.plan_id).plan == changed(plan, 1)
    fresh.close()


def test_nothing_that_was_called_saved_is_lost_however_often_the_file_goes(
    running: Store, plan: Plan, file: Path, clock: Clock
):
    """Four threads save plans of their own while the file is deleted again and again."""
    kept = [running.begin(OWNER, plan, key=f"{at}") for at in range(4)]
    acknowledged: list[list[int]] = [[] for _ in kept]
    done = threading.Event()

    def work(at: int) -> None:
        number = 1
        for step in range(12):
            number = insisted(running, kept[at].plan_id, number, changed(plan, step))
            acknowledged[at].append(step)

    def delete() -> None:
        while not done.wait(0.2):
            for part in file.parent.glob(f"{file.name}*"):
                part.unlink(missing_ok=True)

    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(kept))]
    deleting = threading.Thread(target=delete)
    for thread in (*threads, deleting):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    deleting.join()
    running.database.look()
    running.close()

    fresh = restarted(file, clock)
    for at, steps in enumerate(acknowledged):
        assert steps == list(range(12))
        found = [fresh.read(OWNER, kept[at].plan_id, number + 2).plan for number in steps]
        assert found == [changed(plan, step) for step in steps]
    fresh.close()


def test_a_file_that_is_replaced_counts_and_the_old_one_is_kept_beside_it(
    running: Store, plan: Plan, file: Path, clock: Clock, tmp_path: Path
):
    """As when somebody puts a copy of yesterday's file in its place."""
    kept = running.begin(OWNER, plan, key="one")
    other = Store(connect(f"sqlite:///{tmp_path}/other/plans.sqlite3", clock=clock))
    theirs = other.begin(OWNER, changed(plan, 7), key="other")
    other.close()
    (tmp_path / "other" / "plans.sqlite3").replace(file)

    assert running.read(OWNER, theirs.plan_id).plan == changed(plan, 7)
    with pytest.raises(KpiError, match="link"):
        running.read(OWNER, kept.plan_id)
    assert running.database.generation == 1
    running.close()

    before = restarted(file.with_name(f"{file.name}.before-20260401T093000Z"), clock)
    assert before.read(OWNER, kept.plan_id).plan == plan
    before.close()


def test_an_empty_file_in_its_place_is_as_good_as_none(running: Store, plan: Plan, file: Path, tmp_path: Path):
    kept = running.begin(OWNER, plan, key="one")
    (tmp_path / "empty").touch()
    (tmp_path / "empty").replace(file)

    assert running.read(OWNER, kept.plan_id).plan == plan
    assert [path.name for path in file.parent.glob("*.before-*")] == []


def test_what_is_no_database_in_its_place_is_said_and_nothing_is_lost(
    running: Store, plan: Plan, file: Path, tmp_path: Path, clock: Clock
):
    kept = running.begin(OWNER, plan, key="one")
    (tmp_path / "other").write_bytes(b"not a database " * 1_000)
    (tmp_path / "other").replace(file)
    for _ in range(3):
        with pytest.raises(KpiError) as refused:
            running.read(OWNER, kept.plan_id)
        assert refused.value.code == "store_down"
        clock.pass_by(seconds=1)
    assert [path.name for path in file.parent.glob("*.before-*")] == []

    file.unlink()
    assert running.read(OWNER, kept.plan_id).plan == plan


def test_where_it_cannot_be_written_anew_yet_that_is_said_and_it_is_later(
    running: Store, plan: Plan, file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    kept = running.begin(OWNER, plan, key="one")
    make = file_watch.private_file

    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    gone(file, "all")
    monkeypatch.setattr(file_watch, "private_file", full)
    with pytest.raises(KpiError) as refused:
        running.save(OWNER, kept.plan_id, 1, changed(plan, 1), key="two")
    monkeypatch.setattr(file_watch, "private_file", make)
    running.save(OWNER, kept.plan_id, 1, changed(plan, 1), key="two")
    running.close()

    assert refused.value.code == "store_full"
    fresh = restarted(file, clock)
    assert fresh.read(OWNER, kept.plan_id).plan == changed(plan, 1)
    fresh.close()
