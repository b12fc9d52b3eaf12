"""Each guard is what protects: with it the harm never comes, and with it taken out the same work shows the harm."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, exc

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.serving import BUSY_SECONDS
from tests.store import writers
from workbench.store import Actor, Kept, Store, engine, plans, revisions, rights, saving
from workbench.store.engine import connect
from workbench.store.limits import Brake
from workbench.store.rights import Held

OWNER, VISITOR = Actor.of("owner"), Actor.of("visitor")


@pytest.fixture(params=["guarded", "not guarded"])
def guarded(request: pytest.FixtureRequest) -> bool:
    return request.param == "guarded"


def crowd(store: Store, clients: int = 6, saves: int = 4) -> list[Exception]:
    """Let people save one plan at once; return what went wrong."""
    kept = store.begin(OWNER, writers.counting_plan(6), key="plan")
    wrong: list[Exception] = []

    def save(client: int) -> None:
        try:
            seen: Any = kept
            for number in range(saves):
                changed = seen.plan.replace({f"metrics.c{client}.value": number + 1})
                seen = store.save(OWNER, kept.plan_id, seen.number, changed, key=f"{client} {number}")
        except Exception as error:  # whatever it is
            wrong.append(error)

    threads = [threading.Thread(target=save, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def in_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the threads of this process take no turns at a plan, like people who are served by different processes."""
    monkeypatch.setattr(Store, "_turn", lambda store, plan_id: nullcontext())


def slow_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time pass between the look at what is newest and the write, so that whoever can come between does."""
    moved_on = saving.moved_on

    def slow(*said: Any) -> bool:
        time.sleep(0.02)
        return moved_on(*said)

    monkeypatch.setattr(saving, "moved_on", slow)


def newest_values(store: Store, clients: int = 6) -> set[float]:
    [listed] = store.plans(OWNER)
    plan = store.read(OWNER, listed.plan_id).plan
    return {plan.metrics[f"c{client}"].value or 0 for client in range(clients)}


def test_the_version_check_keeps_what_others_saved(sqlite_store: Store, guarded: bool, monkeypatch: pytest.MonkeyPatch):
    if not guarded:
        monkeypatch.setattr(saving, "moved_on", lambda offer, newest: False)
    slow_to_write(monkeypatch)

    assert crowd(sqlite_store) == []

    assert (newest_values(sqlite_store) == {4}) is guarded


def test_a_write_that_begins_as_a_writer_never_loses_to_another(
    sqlite_store: Store, guarded: bool, monkeypatch: pytest.MonkeyPatch
):
    """Without `BEGIN IMMEDIATE` (and the lock that would hide it) a reader that turns writer is thrown out."""
    sqlite_store.prepare()
    thrown_out: list[str] = []
    event.listen(
        sqlite_store.database.engine,
        "handle_error",
        lambda context: thrown_out.append(str(getattr(context.original_exception, "sqlite_errorname", ""))),
    )
    if not guarded:
        event.remove(sqlite_store.database.engine, "begin", engine._begin)
        event.listen(sqlite_store.database.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        monkeypatch.setattr(sqlite_store.database, "gate", nullcontext)
    in_other_processes(monkeypatch)
    slow_to_write(monkeypatch)

    crowd(sqlite_store)

    assert (thrown_out == []) is guarded
    assert set(thrown_out) <= {"SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY"}


def test_the_write_lock_lets_one_at_a_time_ask_sqlite(
    sqlite_store: Store, guarded: bool, monkeypatch: pytest.MonkeyPatch
):
    """SQLite's own waiting is not in turn, and two connections at its log are what its worst bug needed."""
    sqlite_store.prepare()
    asking, most = [], []

    def begin(connection: Any) -> None:
        asking.append(1)
        most.append(len(asking))

    event.listen(sqlite_store.database._writer, "begin", begin, insert=True)
    event.listen(sqlite_store.database._writer, "commit", lambda connection: asking.pop())
    event.listen(sqlite_store.database._writer, "rollback", lambda connection: asking.pop())
    if not guarded:
        monkeypatch.setattr(sqlite_store.database, "gate", nullcontext)
    in_other_processes(monkeypatch)

    assert crowd(sqlite_store) == []

    assert (max(most) == 1) is guarded


def test_on_postgres_the_lock_of_a_plan_keeps_two_from_taking_one_number(
    server, guarded: bool, monkeypatch: pytest.MonkeyPatch
):
    store = Store.at(server.schema())
    if not guarded:
        monkeypatch.setattr(plans, "lock", lambda connection, plan_id: None)
    in_other_processes(monkeypatch)
    slow_to_write(monkeypatch)

    wrong = crowd(store)

    assert (wrong == []) is guarded
    assert (newest_values(store) == {4}) is guarded
    store.close()


def test_the_key_keeps_an_attempt_from_being_kept_twice(store: Store, guarded: bool, monkeypatch: pytest.MonkeyPatch):
    """The look-up answers; that the key is unique is the second line behind it."""
    kept = store.begin(OWNER, writers.counting_plan(6), key="plan")
    first = store.save(OWNER, kept.plan_id, 1, kept.plan.replace({"metrics.c1.value": 1}), key="one")
    if not guarded:
        monkeypatch.setattr(revisions, "by_key", lambda connection, plan_id, key: None)

    with nullcontext() if guarded else pytest.raises(exc.IntegrityError):
        assert store.save(OWNER, kept.plan_id, 1, kept.plan.replace({"metrics.c2.value": 1}), key="one") == first
    assert len(store.history(OWNER, kept.plan_id)) == 2


def test_the_rights_keep_a_stranger_out(store: Store, guarded: bool, plan: Plan, monkeypatch: pytest.MonkeyPatch):
    plan_id = store.begin(OWNER, plan, key="plan").plan_id
    if not guarded:
        monkeypatch.setattr(rights, "demand", lambda *said: Held("anybody", "facilitate", None))

    with pytest.raises(KpiError) if guarded else nullcontext():
        store.save(VISITOR, plan_id, 1, plan.replace({"metrics.cvr.value": 0.013}), key="one")
    assert (store.read(OWNER, plan_id).plan == plan) is guarded


def test_a_revocation_that_was_answered_comes_before_every_later_save(
    store: Store, guarded: bool, plan: Plan, monkeypatch: pytest.MonkeyPatch
):
    """A save has been allowed and is about to be written when the link is revoked."""
    plan_id = store.begin(OWNER, plan, key="plan").plan_id
    link, token = store.issue(OWNER, plan_id, "edit")
    store.enter(VISITOR, token, address="192.0.2.1")
    allowed, revoked, demand = threading.Event(), threading.Event(), rights.demand

    def slow(connection: Any, actor: Actor, *said: Any) -> Held:
        held = demand(connection, actor, *said)
        if actor == VISITOR:
            allowed.set()
            revoked.wait(0.5 if guarded else BUSY_SECONDS)
        return held

    monkeypatch.setattr(rights, "demand", slow)
    if not guarded:  # neither the plan's row nor SQLite's one writer
        monkeypatch.setattr(plans, "lock", lambda connection, plan_id: None)
        monkeypatch.setattr(store, "_write", _checked_before(store))
    changed = plan.replace({"metrics.cvr.value": 0.013})

    saving_now = threading.Thread(target=store.save, args=(VISITOR, plan_id, 1, changed), kwargs={"key": "one"})
    saving_now.start()
    assert allowed.wait(BUSY_SECONDS)
    store.revoke(OWNER, plan_id, link.id)
    saved_before = len(store.history(OWNER, plan_id)) - 1
    revoked.set()
    saving_now.join()

    assert saved_before == (1 if guarded else 0)
    assert len(store.history(OWNER, plan_id)) == 2


def _checked_before(store: Store) -> Callable[..., Any]:
    """Return a gate that checks in a transaction of its own, before the one that writes."""

    def write(actor: Actor, action: Any, plan_id: str, work: Any) -> Any:
        with store.database.read() as connection:
            rights.demand(connection, actor, action, plan_id, store.database.clock())
        return store._write_own(work)

    return write


def test_the_brake_slows_guessing(tmp_path: Path, guarded: bool, monkeypatch: pytest.MonkeyPatch):
    store = Store(connect(f"sqlite:///{tmp_path}/plans.sqlite3"), brake=Brake(lambda: 0.0))
    if not guarded:
        monkeypatch.setattr(Brake, "admit", lambda brake, address: True)

    tried = 0
    for guess in range(100):
        try:
            store.enter(VISITOR, f"{guess}", address="198.51.100.7")
            tried += 1
        except KpiError as error:
            assert error.code == "too_many_tries"

    assert tried == (10 if guarded else 100)
    store.close()


def test_saves_that_meet_over_and_over_end_inside_the_lock(store: Store, plan: Plan, monkeypatch: pytest.MonkeyPatch):
    """Whoever is overtaken each time they have merged is not overtaken for ever."""
    plan_id = store.begin(OWNER, plan, key="plan").plan_id
    merged, overtaken = saving.merged, []
    in_other_processes(monkeypatch)

    def slow(edit: Any, moved: Any) -> Any:
        if edit.key == "slow" and len(overtaken) < saving.ROUNDS:
            overtaken.append(1)
            newest = store.read(OWNER, plan_id)
            quick = newest.plan.replace({"metrics.visitors.value": 390_000 + len(overtaken)})
            assert isinstance(store.save(OWNER, plan_id, newest.number, quick, key=f"quick {len(overtaken)}"), Kept)
        return merged(edit, moved)

    store.save(OWNER, plan_id, 1, plan.replace({"metrics.visitors.value": 389_000}), key="first")
    monkeypatch.setattr(saving, "merged", slow)

    kept = store.save(OWNER, plan_id, 1, plan.replace({"metrics.cvr.value": 0.013}), key="slow")

    assert isinstance(kept, Kept)
    assert len(overtaken) == saving.ROUNDS
    assert kept.plan == plan.replace({"metrics.visitors.value": 390_002, "metrics.cvr.value": 0.013})


def test_turns_at_a_plan_keep_merges_from_being_made_in_vain(
    store: Store, guarded: bool, monkeypatch: pytest.MonkeyPatch
):
    """Within a process nobody is overtaken while they merge: no save merges twice, however many save at once."""
    merged, made = saving.merged, []

    def counted(edit: Any, moved: Any) -> Any:
        made.append(edit.key)
        time.sleep(0.02)
        return merged(edit, moved)

    monkeypatch.setattr(saving, "merged", counted)
    if not guarded:
        in_other_processes(monkeypatch)

    assert crowd(store) == []

    assert newest_values(store) == {4}
    assert (len(made) == len(set(made))) is guarded
