"""Links: made by facilitators, shown once, ended when they say; a guess finds none and learns nothing."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.store.clock import Clock
from workbench.store import Actor, Role, Store
from workbench.store.engine import connect
from workbench.store.limits import Brake
from workbench.store.rights import NEEDS, digest
from workbench.store.tables import links

OWNER, VISITOR = Actor.of("owner"), Actor.of("visitor")


@pytest.fixture
def plan_id(store: Store, plan: Plan) -> str:
    return store.begin(OWNER, plan, key="plan").plan_id


def come(store: Store, actor: Actor, plan_id: str, role: Role, **terms) -> str:
    """Let somebody come by a new link, and return its id."""
    link, token = store.issue(OWNER, plan_id, role, **terms)
    assert store.enter(actor, token, address="192.0.2.1") == plan_id
    return link.id


def test_a_token_has_256_random_bits_and_is_nowhere_in_the_database(store: Store, plan_id: str):
    issued = [store.issue(OWNER, plan_id, "edit", name="営業部")[1] for _ in range(20)]

    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in issued)
    assert len(set(issued)) == 20
    with store.database.read() as connection:
        rows = [connection.execute(text(f"SELECT * FROM {table}")).all() for table in ("links", "grants")]
    assert not [token for token in issued if token in str(rows)]
    assert not any(token in str(store.links(OWNER, plan_id)) for token in issued)


def test_a_link_opens_its_plan_for_as_many_as_come_by_it(store: Store, plan_id: str, clock: Clock):
    _link, token = store.issue(OWNER, plan_id, "view", name="全員")
    people = [Actor.of(f"person {number}") for number in range(3)]

    assert {store.enter(person, token, address="192.0.2.1") for person in people} == {plan_id}
    clock.pass_by(days=1)
    store.looked(people[0], plan_id)
    store.looked(OWNER, plan_id)

    owner, link = sorted(store.links(OWNER, plan_id), key=lambda one: not one.owner)
    assert (owner.owner, owner.visits) == (True, 0)
    assert (link.name, link.visits, link.last_visit, link.issued_by) == ("全員", 4, "2026-04-02", owner.id)


@pytest.mark.parametrize("ending", ["mistyped", "revoked", "expired", "deleted", "empty", "huge", "not a token"])
def test_every_link_that_opens_nothing_takes_the_same_way(store: Store, plan_id: str, clock: Clock, ending: str):
    link, token = store.issue(OWNER, plan_id, "edit", expires_at=clock() + timedelta(hours=1))
    tried = {
        "mistyped": token[:-1] + ("A" if token[-1] != "A" else "B"), "empty": "", "huge": "x" * 1_000_000,
        "not a token": "\ud800' OR 1=1\x00",
    }.get(ending, token)  # fmt: skip
    if ending == "revoked":
        store.revoke(OWNER, plan_id, link.id)
    if ending == "expired":
        clock.pass_by(hours=1)
    if ending == "deleted":
        store.delete(OWNER, plan_id)
    asked = []
    event.listen(store.database.engine, "before_cursor_execute", lambda *said: asked.append((said[2], len(said[3]))))

    assert store.enter(VISITOR, tried, address="192.0.2.1") is None

    statements = [statement for statement, _ in asked if not statement.startswith(("BEGIN", "PRAGMA", "SET"))]
    assert len(statements) == 1
    assert "token_hash" in statements[0]
    assert not store.plans(VISITOR)


def test_a_link_ends_when_it_says(store: Store, plan_id: str, clock: Clock):
    come(store, VISITOR, plan_id, "view", expires_at=clock() + timedelta(hours=2))

    clock.pass_by(hours=2, microseconds=-1)
    assert store.can(VISITOR, "read", plan_id)
    clock.pass_by(microseconds=1)
    assert not store.can(VISITOR, "read", plan_id)


def test_revoking_ends_a_link_for_all_who_came_by_it_and_no_other(store: Store, plan_id: str):
    first, second = Actor.of("first"), Actor.of("second")
    link_id = come(store, first, plan_id, "edit")
    come(store, second, plan_id, "edit")

    store.revoke(OWNER, plan_id, link_id)

    assert not store.can(first, "read", plan_id)
    assert store.can(second, "save", plan_id)


@pytest.mark.parametrize("with_issued", [False, True])
def test_revoking_ends_what_was_issued_by_that_link_if_it_is_wanted(store: Store, plan_id: str, with_issued: bool):
    helper, guest = Actor.of("helper"), Actor.of("guest")
    link_id = come(store, helper, plan_id, "facilitate")
    _link, token = store.issue(helper, plan_id, "facilitate")
    store.enter(guest, token, address="192.0.2.1")
    _link, deeper = store.issue(guest, plan_id, "view")
    store.enter(VISITOR, deeper, address="192.0.2.1")

    store.revoke(OWNER, plan_id, link_id, with_issued=with_issued)

    assert not store.can(helper, "read", plan_id)
    assert store.can(guest, "read", plan_id) is store.can(VISITOR, "read", plan_id) is (not with_issued)


def test_a_link_in_the_middle_that_was_revoked_before_hides_nobody(store: Store, plan_id: str):
    helper, guest = Actor.of("helper"), Actor.of("guest")
    link_id = come(store, helper, plan_id, "facilitate")
    middle, token = store.issue(helper, plan_id, "facilitate")
    store.enter(guest, token, address="192.0.2.1")
    _link, deeper = store.issue(guest, plan_id, "facilitate")
    store.enter(VISITOR, deeper, address="192.0.2.1")
    store.revoke(helper, plan_id, middle.id)
    assert store.can(VISITOR, "manage_links", plan_id)

    store.revoke(OWNER, plan_id, link_id, with_issued=True)

    assert not store.can(VISITOR, "read", plan_id)


def test_a_link_lasts_no_longer_than_that_of_who_issues_it(store: Store, plan_id: str, clock: Clock):
    come(store, VISITOR, plan_id, "facilitate", expires_at=clock() + timedelta(hours=2))

    for expires_at in (None, clock() + timedelta(hours=2, seconds=1)):
        with pytest.raises(KpiError) as refused:
            store.issue(VISITOR, plan_id, "view", expires_at=expires_at)
        assert refused.value.code == "link_too_strong"
    assert store.issue(VISITOR, plan_id, "facilitate", expires_at=clock() + timedelta(hours=2))


def test_a_link_allows_no_more_than_that_of_who_issues_it(store: Store, plan_id: str, monkeypatch: pytest.MonkeyPatch):
    come(store, VISITOR, plan_id, "edit")
    monkeypatch.setitem(NEEDS, "manage_links", "edit")  # as if editors might issue links

    assert store.issue(VISITOR, plan_id, "edit")
    with pytest.raises(KpiError) as refused:
        store.issue(VISITOR, plan_id, "facilitate")
    assert refused.value.code == "link_too_strong"


def test_the_owners_right_and_links_of_other_plans_cannot_be_revoked(store: Store, plan_id: str, plan: Plan):
    other = store.begin(OWNER, plan, key="other").plan_id
    foreign, _token = store.issue(OWNER, other, "view")

    for link_id, code in ((store.links(OWNER, plan_id)[0].id, "owner_link"), (foreign.id, "unknown_link")):
        with pytest.raises(KpiError) as refused:
            store.revoke(OWNER, plan_id, link_id)
        assert refused.value.code == code


@pytest.mark.parametrize("count", [50_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_guesses_find_no_link(sqlite_store: Store, plan: Plan, count: int):
    plan_id = sqlite_store.begin(OWNER, plan, key="plan").plan_id
    tokens = [sqlite_store.issue(OWNER, plan_id, "view")[1] for _ in range(20)]
    with sqlite_store.database.read() as connection:

        def found(tried: list[str]) -> int:
            hashes = [digest(token) for token in tried]
            return connection.scalar(select(func.count()).where(links.c.token_hash.in_(hashes))) or 0

        assert found(tokens) == 20
        for _ in range(count // 1_000):
            assert found([secrets.token_urlsafe(32) for _ in range(1_000)]) == 0


@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_guesses_from_one_address_are_ten_tries_a_minute(tmp_path: Path, plan: Plan, count: int):
    seconds = [0.0]
    store = Store(connect(f"sqlite:///{tmp_path}/plans.sqlite3"), brake=Brake(lambda: seconds[0]))
    plan_id = store.begin(OWNER, plan, key="plan").plan_id
    _link, token = store.issue(OWNER, plan_id, "view")
    asked = []
    event.listen(store.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))

    refused = 0
    for guess in range(count):
        seconds[0] = guess * 300 / count  # all of them within five minutes
        try:
            assert store.enter(VISITOR, f"{guess:043}", address="198.51.100.7") is None
        except KpiError as error:
            assert error.code == "too_many_tries"
            refused += 1

    assert count - refused == sum("token_hash" in statement for statement in asked) == 50
    with pytest.raises(KpiError):
        store.enter(VISITOR, token, address="198.51.100.7")  # nor does the right one learn anything meanwhile
    assert store.enter(VISITOR, token, address="203.0.113.9") == plan_id
    store.close()
