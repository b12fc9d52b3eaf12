"""Deleting: thirty days to think it over, then gone for good, from the disk too."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.store.clock import Clock
from workbench.store import Actor, Store
from workbench.store.heartbeats import days_since
from workbench.store.housekeeping import overview, purge
from workbench.store.plans import DAYS_SEEN

OWNER, VISITOR = Actor.of("owner"), Actor.of("visitor")
TABLES = ("plans", "revisions", "links", "grants", "visits", "desks")  # of plans


def used(store: Store, plan: Plan, key: str) -> str:
    """Return a plan with a row in every table."""
    plan_id = store.begin(OWNER, plan, key=key).plan_id
    _link, token = store.issue(OWNER, plan_id, "view")
    store.enter(VISITOR, token, address="192.0.2.1")
    store.keep_desk(VISITOR, plan_id, {"mine": key})
    return plan_id


def days_pass(store: Store, clock: Clock, days: int) -> int:
    """Let days pass on which a server runs, and return how many plans were purged."""
    purged = 0
    for _ in range(days):
        clock.pass_by(days=1)
        purged += purge(store.database)
    return purged


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

    assert days_pass(store, clock, 29) == 0
    assert days_pass(store, clock, 1) == 1

    assert rows(store) == {table: count // 2 for table, count in before.items()}
    assert [summary.plan_id for summary in overview(store.database)] == [kept]
    assert store.read(VISITOR, kept).plan == plan
    with pytest.raises(KpiError):
        store.undelete(OWNER, deleted)


def test_what_was_purged_is_not_in_the_file_either(sqlite_store: Store, plan: Plan, clock: Clock, tmp_path: Path):
    plan_id = sqlite_store.begin(OWNER, plan, key="one", note="a sentence nobody should find").plan_id
    sqlite_store.keep_desk(OWNER, plan_id, {"scenario": "another such sentence"})
    sqlite_store.delete(OWNER, plan_id)
    days_pass(sqlite_store, clock, 29)
    clock.pass_by(days=1)

    def found() -> bool:
        files = b"".join(file.read_bytes() for file in (tmp_path / "kept").glob("plans.sqlite3*"))
        return b"nobody should find" in files or b"such sentence" in files

    assert found()
    purge(sqlite_store.database)
    assert not found()


def test_a_clock_that_is_a_month_ahead_at_start_purges_nothing(store: Store, plan: Plan, clock: Clock):
    """It is set right a moment later: what was deleted today can be had back."""
    plan_id = used(store, plan, "one")
    store.delete(OWNER, plan_id)
    purge(store.database)
    clock.pass_by(days=31)
    assert purge(store.database) == 0
    clock.pass_by(days=-31)

    store.undelete(OWNER, plan_id)

    assert store.read(OWNER, plan_id).plan == plan


def test_a_clock_that_stays_wrong_still_leaves_days_to_think_it_over(store: Store, plan: Plan, clock: Clock):
    used(store, plan, "one")
    store.delete(OWNER, used(store, plan, "two"))
    clock.pass_by(days=400)

    assert [purge(store.database) + days_pass(store, clock, 0)] == [0]
    assert days_pass(store, clock, DAYS_SEEN - 2) == 0
    assert days_pass(store, clock, 1) == 1


def test_days_are_counted_once_however_often_a_server_starts(store: Store, clock: Clock):
    store.prepare()
    start = clock()
    for _ in range(3):
        purge(store.database)
        clock.pass_by(hours=7)
    store.check_ready()

    with store.database.read() as connection:
        assert days_since(connection, start, clock()) == 0
        clock.pass_by(days=1)
    assert purge(store.database) == 0
    with store.database.read() as connection:
        assert days_since(connection, start, clock()) == 1
