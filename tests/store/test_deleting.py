"""Deleting: thirty days to think it over, then gone for good, from the disk too."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.store.clock import Clock
from workbench.store import Actor, Store
from workbench.store.housekeeping import overview, purge

OWNER, VISITOR = Actor.of("owner"), Actor.of("visitor")
TABLES = ("plans", "revisions", "links", "grants", "visits", "desks")


def used(store: Store, plan: Plan, key: str) -> str:
    """Return a plan with a row in every table."""
    plan_id = store.begin(OWNER, plan, key=key).plan_id
    _link, token = store.issue(OWNER, plan_id, "view")
    store.enter(VISITOR, token, address="192.0.2.1")
    store.keep_desk(VISITOR, plan_id, {"mine": key})
    return plan_id


def rows(store: Store) -> dict[str, int]:
    with store.database.read() as connection:
        return {table: connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in TABLES}


def test_a_deleted_plan_can_be_had_back_by_who_may_delete_it(store: Store, plan: Plan, clock: Clock):
    plan_id = used(store, plan, "one")
    store.delete(OWNER, plan_id)
    clock.pass_by(days=29)
    purge(store.database)

    with pytest.raises(KpiError):
        store.read(OWNER, plan_id)
    assert [(listed.plan_id, listed.deleted_at is not None) for listed in store.plans(OWNER)] == [(plan_id, True)]
    assert store.plans(VISITOR) == []

    store.undelete(OWNER, plan_id)

    assert store.read(OWNER, plan_id).plan == plan
    assert store.read(VISITOR, plan_id).plan == plan


def test_after_the_grace_it_cannot_be_had_back_even_before_it_is_purged(store: Store, plan: Plan, clock: Clock):
    plan_id = used(store, plan, "one")
    store.delete(OWNER, plan_id)
    clock.pass_by(days=30)

    assert store.plans(OWNER) == []
    with pytest.raises(KpiError) as refused:
        store.undelete(OWNER, plan_id)
    assert refused.value.code == "not_allowed"


def test_after_the_grace_nothing_of_it_is_left_and_other_plans_are_untouched(store: Store, plan: Plan, clock: Clock):
    deleted, kept = used(store, plan, "one"), used(store, plan, "two")
    before = rows(store)
    store.delete(OWNER, deleted)
    clock.pass_by(days=30)

    assert purge(store.database) == 1

    assert rows(store) == {table: count // 2 for table, count in before.items()}
    assert [summary.plan_id for summary in overview(store.database)] == [kept]
    assert store.read(VISITOR, kept).plan == plan
    with pytest.raises(KpiError):
        store.undelete(OWNER, deleted)


def test_what_was_purged_is_not_in_the_file_either(sqlite_store: Store, plan: Plan, clock: Clock, tmp_path: Path):
    plan_id = sqlite_store.begin(OWNER, plan, key="one", note="a sentence nobody should find").plan_id
    sqlite_store.keep_desk(OWNER, plan_id, {"scenario": "another such sentence"})
    sqlite_store.delete(OWNER, plan_id)
    clock.pass_by(days=31)

    def found() -> bool:
        files = b"".join(file.read_bytes() for file in (tmp_path / "kept").glob("plans.sqlite3*"))
        return b"nobody should find" in files or b"such sentence" in files

    assert found()
    purge(sqlite_store.database)
    assert not found()
