"""The database: private, durable, one writer at a time, and in plain words when it does not work."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import event, text

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.serving import ROOT
from tests.store.clock import Clock
from workbench import words
from workbench.store import Actor, Kept, Store, engine, file_watch, guarded
from workbench.store.engine import connect, default_url, sqlite_module

OWNER = Actor.of("owner")
CHANGE = {"metrics.cvr.value": 0.013}


def pragma(store: Store, name: str) -> object:
    with store.database.read() as connection:
        return connection.scalar(text(f"PRAGMA {name}"))


def test_sqlite_is_set_up_to_lose_nothing(sqlite_store: Store):
    found = {
        name: pragma(sqlite_store, name) for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }

    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_postgres_is_set_up_to_lose_nothing(server):
    database = connect(server.database())
    with database.read() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
        assert connection.scalar(text("SHOW lock_timeout")) == "30s"
    database.close()


def test_no_sqlite_with_the_wal_reset_race_is_used(sqlite_store: Store):
    with sqlite_store.database.read() as connection:
        version = connection.scalar(text("SELECT sqlite_version()"))

    assert tuple(map(int, str(version).split("."))) >= (3, 51, 3)


def test_a_sqlite_that_is_new_enough_is_pythons_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    assert sqlite_module() is sqlite3
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 2))
    assert sqlite_module() is not sqlite3


def test_the_data_folder_makes_itself_private_and_git_does_not_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: Plan
):
    monkeypatch.delenv("GYAKUSAN_DATABASE_URL", raising=False)
    monkeypatch.setenv("GYAKUSAN_DATA", str(tmp_path / "計画 %"))
    before = os.umask(0)
    try:
        store = Store.at()
        store.begin(OWNER, plan, key="one")
    finally:
        os.umask(before)

    made = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "計画 %").iterdir()}
    assert stat.S_IMODE((tmp_path / "計画 %").stat().st_mode) == 0o700
    assert {name: mode for name, mode in made.items() if name != ".gitignore"} == {
        "gyakusan.sqlite3": 0o600, "gyakusan.sqlite3-wal": 0o600, "gyakusan.sqlite3-shm": 0o600,
    }  # fmt: skip
    assert (tmp_path / "計画 %" / ".gitignore").read_text() == "*\n"
    store.close()
    assert not (tmp_path / "計画 %" / "gyakusan.sqlite3-wal").exists()  # closed: the log is in the file


def test_a_url_of_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GYAKUSAN_DATABASE_URL", "postgres://me:secret@db/plans")

    assert default_url() == "postgres://me:secret@db/plans"
    database = connect()
    assert database.engine.url.drivername == "postgresql+psycopg"
    assert "secret" not in repr(database.engine)


def refusal(store: Store, plan: Plan, plan_id: str = "") -> str:
    """Return the code with which a save is refused."""
    with pytest.raises(KpiError) as refused:
        if plan_id:
            store.save(OWNER, plan_id, 1, plan.replace(CHANGE), key="again")
        else:
            store.begin(OWNER, plan, key="one")
    for language in ("ja", "en"):
        with words.speaking(language):
            assert words.error(refused.value)
    return refused.value.code


def test_a_full_disk_is_said_and_the_same_attempt_works_when_there_is_room(sqlite_store: Store, plan: Plan):
    plan_id = sqlite_store.begin(OWNER, plan, key="one").plan_id
    with sqlite_store.database.read() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
    sqlite_store.database.engine.dispose()

    def cramped(connection, _record):
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(sqlite_store.database.engine, "connect", cramped)
    assert refusal(sqlite_store, plan.replace({"name": {"en": os.urandom(90).hex()}}), plan_id) == "store_full"
    assert sqlite_store.read(OWNER, plan_id).plan == plan

    event.remove(sqlite_store.database.engine, "connect", cramped)
    sqlite_store.database.engine.dispose()
    kept = sqlite_store.save(OWNER, plan_id, 1, plan.replace(CHANGE), key="again")
    assert isinstance(kept, Kept)
    assert kept.number == 2


def test_a_read_only_file_is_said_and_can_still_be_read(sqlite_store: Store, plan: Plan, tmp_path: Path):
    plan_id = sqlite_store.begin(OWNER, plan, key="one").plan_id
    sqlite_store.close()
    file = tmp_path / "kept" / "plans.sqlite3"
    store = Store(connect(f"sqlite:///file:{file}?mode=ro&uri=true"))

    assert refusal(store, plan, plan_id) == "store_read_only"
    assert store.read(OWNER, plan_id).plan == plan
    store.close()


def test_a_read_only_postgres_is_said_and_can_still_be_read(server, plan: Plan):
    url = server.database()
    store = Store(connect(url))
    plan_id = store.begin(OWNER, plan, key="one").plan_id
    name = url.rsplit("/", 1)[1]
    server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store.close()

    assert refusal(store, plan, plan_id) == "store_read_only"
    assert store.read(OWNER, plan_id).plan == plan

    server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    store.close()
    assert isinstance(store.save(OWNER, plan_id, 1, plan.replace(CHANGE), key="again"), Kept)
    store.close()


def test_a_database_that_another_program_keeps_to_itself_is_busy(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    store = Store(connect(f"sqlite:///{tmp_path}/plans.sqlite3"))
    plan_id = store.begin(OWNER, plan, key="one").plan_id
    other = sqlite_module().connect(tmp_path / "plans.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert refusal(store, plan, plan_id) == "store_busy"
    assert store.read(OWNER, plan_id).plan == plan

    other.close()
    assert isinstance(store.save(OWNER, plan_id, 1, plan.replace(CHANGE), key="again"), Kept)
    store.close()


def test_a_row_that_another_program_keeps_to_itself_is_busy(server, plan: Plan, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    store = Store(connect(server.database()))
    plan_id = store.begin(OWNER, plan, key="one").plan_id
    with store.database.engine.begin() as other:
        other.execute(text("SELECT * FROM plans FOR UPDATE"))

        assert refusal(store, plan, plan_id) == "store_busy"
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres@127.0.0.1:9/none",
        "sqlite:////dev/null/none/plans.sqlite3",
        "sqlite:////proc/none/plans.sqlite3",
    ],
)
def test_a_database_that_is_not_there_is_down(url: str, plan: Plan):
    store = Store(connect(url))

    assert refusal(store, plan) == "store_down"
    with pytest.raises(KpiError) as refused:
        store.check_ready()
    assert refused.value.code == "store_down"
    store.close()


def test_a_database_that_comes_back_is_used_again(server, plan: Plan):
    """Every connection is cut while the app runs, as by a restart of the server."""
    url = server.database()
    store = Store(connect(url))
    plan_id = store.begin(OWNER, plan, key="one").plan_id
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"

    server.run(cut.format(url.rsplit("/", 1)[1]))

    assert isinstance(store.save(OWNER, plan_id, 1, plan.replace(CHANGE), key="again"), Kept)
    store.close()


def test_a_file_that_is_no_database_is_down_and_untouched(tmp_path: Path, plan: Plan):
    file = tmp_path / "plans.sqlite3"
    file.write_bytes(b"not a database " * 1_000)

    assert refusal(Store(connect(f"sqlite:///{file}")), plan) == "store_down"
    assert file.read_bytes() == b"not a database " * 1_000


def test_a_statement_the_database_does_not_know_stays_a_bug(store: Store):
    with pytest.raises(Exception, match="no_such_table") as bug, store.database.read() as connection:
        connection.execute(text("SELECT * FROM no_such_table"))

    assert not isinstance(bug.value, KpiError)


def test_errors_do_not_carry_what_was_to_be_saved(store: Store, plan: Plan, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    store.prepare()
    with pytest.raises(Exception, match="hidden") as bug, store.database.read() as connection:
        connection.execute(text("SELECT * FROM no_such_table WHERE note = :note"), {"note": "a secret"})

    assert "a secret" not in str(bug.value) + caplog.text


def test_one_write_at_a_time_even_where_many_threads_write(sqlite_store: Store, plan: Plan):
    sqlite_store.prepare()
    inside, most = [], []

    def work(_connection):
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.005)
        inside.pop()

    threads = [threading.Thread(target=sqlite_store.database.write, args=(work,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (max(most), len(most)) == (1, 20)


@pytest.mark.parametrize(("error", "code"), [(13, "store_read_only"), (30, "store_read_only"), (28, "store_full")])
def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch, error: int, code: str
):
    def refuse(_path):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(file_watch, "private_file", refuse)

    assert refusal(Store(connect(f"sqlite:///{tmp_path}/plans.sqlite3")), plan) == code


def test_the_store_stands_on_the_core_alone():
    """No page, no chart and no table is needed to keep a plan."""
    loaded = "import sys, workbench.store, workbench.admin; print({'streamlit', 'pandas', 'altair'} & set(sys.modules))"

    said = subprocess.run([sys.executable, "-c", loaded], check=True, cwd=ROOT, capture_output=True, text=True).stdout

    assert said == "set()\n"


def not_ready(store: Store) -> str:
    with pytest.raises(KpiError) as refused:
        store.check_ready()
    return refused.value.code


def test_a_full_disk_is_not_ready_and_ready_again_when_there_is_room(
    sqlite_store: Store, plan: Plan, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(guarded, "BEAT_SECONDS", 0.0)
    sqlite_store.begin(OWNER, plan, key="one")
    with sqlite_store.database.read() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
    sqlite_store.database.engine.dispose()

    def cramped(connection, _record):
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(sqlite_store.database.engine, "connect", cramped)
    assert not_ready(sqlite_store) == "store_full"

    event.remove(sqlite_store.database.engine, "connect", cramped)
    sqlite_store.database.engine.dispose()
    sqlite_store.check_ready()


def test_a_read_only_disk_is_not_ready(sqlite_store: Store, tmp_path: Path):
    sqlite_store.prepare()
    sqlite_store.close()
    store = Store(connect(f"sqlite:///file:{tmp_path / 'kept' / 'plans.sqlite3'}?mode=ro&uri=true"))

    assert not_ready(store) == "store_read_only"
    store.close()


def test_a_read_only_postgres_is_not_ready(server):
    url = server.database()
    store = Store(connect(url))
    store.prepare()
    server.run(f"ALTER DATABASE {url.rsplit('/', 1)[1]} SET default_transaction_read_only = on")
    store.close()

    assert not_ready(store) == "store_read_only"
    store.close()


def test_whether_it_is_ready_is_tried_by_writing_and_not_by_each_who_asks(store: Store, clock: Clock):
    store.prepare()
    for _ in range(3):
        clock.pass_by(hours=1)
        store.check_ready()

    with store.database.read() as connection:
        beaten = connection.execute(text("SELECT at, length(filler) FROM heartbeats WHERE name = 'ready'")).all()
    assert [tuple(row) for row in beaten] == [("2026-04-01T10:30:00.000000Z", 16_384)]
