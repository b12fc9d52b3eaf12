"""Backups: whole or refused, taken while people save, read by either database, and done from the command line."""

from __future__ import annotations

import gzip
import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.store.clock import Clock
from workbench import admin
from workbench.store import Actor, Store, portable
from workbench.store.engine import connect
from workbench.store.portable import backup, restore
from workbench.store.tables import METADATA

OWNER, VISITOR = Actor.of("owner"), Actor.of("visitor")


def used(store: Store, plan: Plan, plans: int = 2) -> list[str]:
    """Return plans with rows in every table, and every kind of value among them."""
    made = []
    for number in range(plans):
        plan_id = store.begin(OWNER, plan, key=f"{number}", author="安 \U0001f3af", note='"quoted"\\').plan_id
        store.save(OWNER, plan_id, 1, plan.replace({"metrics.cvr.value": 0.013}), key="change")
        link, token = store.issue(OWNER, plan_id, "view", name="会議")
        store.enter(VISITOR, token, address="192.0.2.1")
        store.keep_desk(VISITOR, plan_id, {"語": ["\x00", 1.5, None]})
        store.revoke(OWNER, plan_id, link.id)
        made.append(plan_id)
    store.delete(OWNER, made[0])
    return made


def contents(store: Store) -> dict[str, list]:
    with store.database.snapshot() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all())) for table in METADATA.sorted_tables
        }


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path, server) -> Iterator[Store]:
    urls = {"sqlite": f"sqlite:///{tmp_path}/other/plans.sqlite3", "postgres": server.schema()}
    store = Store(connect(urls[request.param]))
    yield store
    store.close()


@pytest.mark.parametrize("empty", ["sqlite", "postgres"], indirect=True)
def test_a_backup_restores_every_row_into_either_database(store: Store, empty: Store, plan: Plan, tmp_path: Path):
    [_deleted, plan_id] = used(store, plan)

    made = backup(store.database, tmp_path / "backup")
    restored = restore(empty.database, tmp_path / "backup")

    assert made == restored
    assert made.rows == sum(len(rows) for rows in contents(store).values()) == 20
    assert contents(empty) == contents(store)
    assert empty.read(OWNER, plan_id).plan == plan.replace({"metrics.cvr.value": 0.013})
    assert empty.save(OWNER, plan_id, 2, plan, key="it goes on") == empty.read(OWNER, plan_id, 3)


def test_a_backup_taken_while_people_save_is_of_one_moment(store: Store, plan: Plan, tmp_path: Path):
    """The newest number of each plan in it is the last of its revisions in it."""
    plan_ids = [store.begin(OWNER, plan, key=f"{number}").plan_id for number in range(3)]
    stop = threading.Event()

    def save() -> None:
        number = 1
        while not stop.is_set():
            changed = plan.replace({"metrics.visitors.value": 390_000 + number})
            for plan_id in plan_ids:
                store.save(OWNER, plan_id, number, changed, key=f"change {number}")
            number += 1

    saving = threading.Thread(target=save)
    saving.start()
    try:
        for at in range(5):
            backup(store.database, tmp_path / f"{at}")
    finally:
        stop.set()
        saving.join()

    for at in range(5):
        told = [json.loads(line) for line in gzip.decompress((tmp_path / f"{at}").read_bytes()).splitlines()]
        rows = [line["row"] for line in told if line.get("table") == "revisions"]
        newest = {line["row"]["id"]: line["row"]["newest"] for line in told if line.get("table") == "plans"}
        last = {plan_id: [row["number"] for row in rows if row["plan_id"] == plan_id] for plan_id in plan_ids}
        assert {plan_id: (len(numbers), max(numbers)) for plan_id, numbers in last.items()} == {
            plan_id: (number, number) for plan_id, number in newest.items()
        }


def spoilt(path: Path, how: str) -> None:
    """Spoil a backup in one of the ways files are spoilt."""
    whole = path.read_bytes()
    lines = gzip.decompress(whole).decode().splitlines(keepends=True)
    if how == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "one bit":
        path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "something else":
        path.write_bytes(b"PK\x03\x04 not a backup")
    else:
        lines = {
            "a row is missing": lines[:3] + lines[4:],
            "a row is twice there": lines[:4] + lines[3:],
            "a number is another": [line.replace('"newest": 2', '"newest": 3') for line in lines],
            "no end": lines[:-1],
            "no head": lines[1:],
        }[how]
        path.write_bytes(gzip.compress("".join(lines).encode()))


@pytest.mark.parametrize(
    "how",
    [
        "cut", "one bit", "empty", "something else", "a row is missing", "a row is twice there",
        "a number is another", "no end", "no head",
    ],
)  # fmt: skip
def test_a_damaged_backup_is_refused_and_changes_nothing(sqlite_store: Store, plan: Plan, tmp_path: Path, how: str):
    used(sqlite_store, plan)
    backup(sqlite_store.database, tmp_path / "backup")
    spoilt(tmp_path / "backup", how)
    target = connect(f"sqlite:///{tmp_path}/target.sqlite3")

    with pytest.raises(KpiError) as refused:
        restore(target, tmp_path / "backup")

    assert refused.value.code == "backup_damaged"
    assert not (tmp_path / "target.sqlite3").exists()


def test_a_backup_of_an_unknown_version_is_refused(sqlite_store: Store, plan: Plan, tmp_path: Path):
    used(sqlite_store, plan)
    backup(sqlite_store.database, tmp_path / "backup")
    lines = gzip.decompress((tmp_path / "backup").read_bytes()).decode()
    (tmp_path / "backup").write_bytes(gzip.compress(lines.replace('"schema": "0', '"schema": "9', 1).encode()))

    with pytest.raises(KpiError) as refused:
        restore(connect(f"sqlite:///{tmp_path}/target.sqlite3"), tmp_path / "backup")

    assert refused.value.code == "backup_unknown"


def test_nothing_is_restored_over_plans(store: Store, plan: Plan, tmp_path: Path):
    used(store, plan)
    backup(store.database, tmp_path / "backup")
    before = contents(store)

    with pytest.raises(KpiError) as refused:
        restore(store.database, tmp_path / "backup")

    assert refused.value.code == "store_not_empty"
    assert contents(store) == before


def test_nothing_is_restored_over_another_programs_tables(store: Store, plan: Plan, tmp_path: Path):
    used(store, plan)
    backup(store.database, tmp_path / "backup")
    target = connect(f"sqlite:///{tmp_path}/target.sqlite3")
    with target.engine.begin() as connection:
        connection.execute(text("CREATE TABLE customers (name TEXT)"))
        connection.execute(text("INSERT INTO customers VALUES ('A')"))

    with pytest.raises(KpiError) as refused:
        restore(target, tmp_path / "backup")

    assert refused.value.code == "store_not_ours"
    with target.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM customers")) == 1
    target.close()


def test_a_backup_is_its_owners_only_and_a_failed_one_leaves_the_last(
    sqlite_store: Store, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    used(sqlite_store, plan)
    backup(sqlite_store.database, tmp_path / "backup")
    whole = (tmp_path / "backup").read_bytes()
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.store.portable.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        backup(sqlite_store.database, tmp_path / "backup")
    assert (tmp_path / "backup").read_bytes() == whole


def test_the_command_line_lists_backs_up_restores_and_purges(
    url: str,
    plan: Plan,
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    clock.pass_by(days=-100)
    store = Store(connect(url, clock=clock))
    deleted, kept = used(store, plan)
    store.close()
    monkeypatch.setenv("GYAKUSAN_DATABASE_URL", url)

    assert admin.main(["list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert sorted(line.split()[0] for line in listed) == sorted([deleted, kept])
    assert next(line for line in listed if "(deleted)" in line).startswith(
        f"{deleted}       2  2025-12-22 09:30  セールス"
    )
    assert admin.main(["backup", str(tmp_path / "backup")]) == 0
    assert capsys.readouterr().out == f"20 rows in {tmp_path / 'backup'}\n"
    assert admin.main(["restore", str(tmp_path / "backup")]) == 1
    assert capsys.readouterr().err.startswith("There are plans in this storage already.")
    assert admin.main(["purge"]) == 0
    assert capsys.readouterr().out == "1 plans removed\n"

    monkeypatch.delenv("GYAKUSAN_DATABASE_URL")
    monkeypatch.setenv("GYAKUSAN_DATA", str(tmp_path / "fresh"))
    assert admin.main(["restore", str(tmp_path / "backup")]) == 0
    assert capsys.readouterr().out.startswith("20 rows restored")
    assert admin.main(["restore", str(tmp_path / "nothing")]) == 1
    assert admin.main(["list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_backup_of_another_format_is_refused_though_its_sum_is_right(sqlite_store: Store, plan: Plan, tmp_path: Path):
    used(sqlite_store, plan)
    backup(sqlite_store.database, tmp_path / "backup")
    lines = gzip.decompress((tmp_path / "backup").read_bytes()).decode()
    (tmp_path / "backup").write_bytes(gzip.compress(lines.replace('"backup": 1', '"backup": 2', 1).encode()))

    with pytest.raises(KpiError) as refused:
        restore(connect(f"sqlite:///{tmp_path}/target.sqlite3"), tmp_path / "backup")

    assert refused.value.code == "backup_unknown"


def test_a_table_we_do_not_know_is_no_part_of_a_backup_though_its_sum_is_right(
    sqlite_store: Store, plan: Plan, tmp_path: Path
):
    used(sqlite_store, plan)
    whole = backup(sqlite_store.database, tmp_path / "backup")
    *lines, _end = gzip.decompress((tmp_path / "backup").read_bytes()).decode().splitlines(keepends=True)
    foreign = json.dumps({"table": "customers", "row": {"name": "a"}}) + "\n"
    end = json.dumps(whole.plus(foreign).told()) + "\n"
    (tmp_path / "backup").write_bytes(gzip.compress("".join([*lines, foreign, end]).encode()))
    target = Store(connect(f"sqlite:///{tmp_path}/target.sqlite3"))

    with pytest.raises(KpiError) as refused:
        restore(target.database, tmp_path / "backup")

    assert refused.value.code == "backup_damaged"
    assert target.plans(OWNER) == []
    target.close()


def test_a_restore_that_loses_a_row_on_the_way_leaves_nothing(
    sqlite_store: Store, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What is in the database is held against the file before it is committed."""
    used(sqlite_store, plan)
    backup(sqlite_store.database, tmp_path / "backup")
    fill = portable._fill

    def losing(connection: Any, table: Any, lines: Iterator[dict[str, Any]]) -> None:
        fill(connection, table, iter([*lines][:-1] if table.name == "visits" else lines))

    monkeypatch.setattr(portable, "_fill", losing)
    target = Store(connect(f"sqlite:///{tmp_path}/target.sqlite3"))

    with pytest.raises(KpiError) as refused:
        restore(target.database, tmp_path / "backup")

    assert refused.value.code == "backup_damaged"
    assert target.plans(OWNER) == []
    target.close()
