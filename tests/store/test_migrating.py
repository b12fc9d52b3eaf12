"""Migrations: every earlier schema becomes the newest with every number in place, whoever comes first."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from kpi_core.errors import KpiError
from tests.store import schemas, writers
from workbench.store import Store, revisions
from workbench.store.engine import connect
from workbench.store.migrating import head, known, migrate, schema
from workbench.store.portable import backup, restore
from workbench.store.tables import METADATA


def old(schema: str, tmp_path: Path) -> Path:
    """Return a database as an earlier version of the app left it."""
    file = tmp_path / "old.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.executescript((schemas.FOLDER / f"{schema}.sql").read_text(encoding="utf-8"))
    connection.close()
    return file


def assert_all_there(store: Store) -> None:
    with store.database.read() as connection:
        assert schema(connection) == head()
        for plan_id, kept in schemas.plans().items():
            found = [revisions.revision(connection, plan_id, at) for at in range(1, len(kept) + 1)]
            assert [one.plan for one in found] == kept
            assert [one.plan.tree.now("revenue") for one in found] == [plan.tree.now("revenue") for plan in kept]
            assert revisions.newest(connection, plan_id).plan == kept[-1]
            assert {one.version.author for one in found} == {"安"}


@pytest.mark.parametrize("earlier", known())
def test_every_earlier_schema_keeps_every_plans_numbers(earlier: str, tmp_path: Path):
    store = Store(connect(f"sqlite:///{old(earlier, tmp_path)}"))

    store.prepare()

    assert_all_there(store)
    store.close()


@pytest.mark.parametrize("earlier", known())
def test_a_backup_of_an_earlier_schema_is_restored_into_the_newest(earlier: str, tmp_path: Path, store: Store):
    before = connect(f"sqlite:///{old(earlier, tmp_path)}")
    backup(before, tmp_path / "backup")
    before.close()

    restore(store.database, tmp_path / "backup")

    assert_all_there(store)


def test_every_schema_has_its_dump():
    assert [path.stem for path in sorted(schemas.FOLDER.glob("*.sql"))] == list(known())


def test_the_migrations_come_to_what_the_tables_say(store: Store):
    store.prepare()

    with store.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_migration_that_fails_leaves_the_schema_it_found(url: str, monkeypatch: pytest.MonkeyPatch):
    database = connect(url)
    migrate(database, to="0001")

    def cut_short(*_said, **_also):
        raise KeyboardInterrupt

    monkeypatch.setattr("alembic.op.create_index", cut_short)
    with pytest.raises(KeyboardInterrupt):
        migrate(database)

    with database.read() as connection:
        assert schema(connection) == "0001"
        assert set(inspect(connection).get_table_names()) == {"alembic_version", "plans", "revisions"}
    monkeypatch.undo()
    migrate(database)
    database.close()


def test_a_database_of_a_newer_version_is_left_alone(store: Store):
    store.prepare()
    store.database.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))

    with pytest.raises(KpiError) as refused:
        Store(store.database).prepare()

    assert refused.value.code == "store_newer"
    with pytest.raises(KpiError) as refused:
        store.check_ready()
    assert refused.value.code == "store_not_ready"


def test_a_store_is_ready_once_it_is_migrated(store: Store):
    with pytest.raises(KpiError) as refused:
        store.check_ready()
    assert refused.value.code == "store_not_ready"

    store.prepare()
    store.check_ready()


def test_processes_that_start_at_once_do_not_collide(url: str, nursery: writers.Nursery):
    heard = nursery.say()
    for _ in range(6):
        nursery.go(url, [])
    for _ in range(6):
        nursery.reap(next(heard)["started"])

    assert [next(heard)["code"] for _ in range(6)] == [0] * 6

    store = Store.at(url)
    store.check_ready()
    store.close()
