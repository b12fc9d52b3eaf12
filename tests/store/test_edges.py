"""What the store refuses, tried at its edges: the last that is taken and the first that is not, and once more."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.store.clock import Clock
from workbench.store import Actor, Store, desks, housekeeping, links, rights

OWNER, GUEST, LATE = Actor.of("owner"), Actor.of("guest"), Actor.of("late")
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def plan_id(sqlite_store: Store, plan: Plan) -> str:
    return sqlite_store.begin(OWNER, plan, key="plan").plan_id


def test_a_links_name_is_one_line_and_no_longer_than_labels_are(sqlite_store: Store, plan_id: str):
    link, _token = sqlite_store.issue(OWNER, plan_id, "view", name=f" {'長' * 118}\n\u202e長\x07 ")
    assert link.name == f"{'長' * 118} 長"

    with pytest.raises(KpiError) as refused:
        sqlite_store.issue(OWNER, plan_id, "view", name="長" * 121)

    assert refused.value.code == "words_too_long"
    assert len(sqlite_store.links(OWNER, plan_id)) == 2


def test_a_link_ends_at_the_moment_it_says_everywhere_at_once(sqlite_store: Store, plan_id: str, clock: Clock):
    ends = clock.now + timedelta(hours=1)
    link, token = sqlite_store.issue(OWNER, plan_id, "edit", expires_at=ends)
    sqlite_store.enter(GUEST, token, address="192.0.2.1")

    def is_open(visitor: Actor) -> list[bool]:
        return [
            sqlite_store.enter(visitor, token, address="192.0.2.1") is not None,
            sqlite_store.can(GUEST, "read", plan_id),
            bool(sqlite_store.plans(GUEST)),
            sqlite_store.latest(GUEST) == plan_id,
            link.is_live(clock.now),
        ]

    clock.now = ends - INSTANT
    sqlite_store.keep_desk(GUEST, plan_id, {})
    assert is_open(LATE) == [True] * 5
    clock.now = ends
    assert is_open(Actor.of("later still")) == [False] * 5


def test_a_link_that_was_revoked_is_over_whatever_time_it_had_left(sqlite_store: Store, plan_id: str, clock: Clock):
    for expires_at in (None, clock.now + timedelta(hours=1)):
        link, _token = sqlite_store.issue(OWNER, plan_id, "view", expires_at=expires_at)
        assert link.is_live(clock.now)
        sqlite_store.revoke(OWNER, plan_id, link.id)
        [now] = [one for one in sqlite_store.links(OWNER, plan_id) if one.id == link.id]
        assert not now.is_live(clock.now)


def test_a_link_that_is_revoked_again_was_revoked_when_it_was(sqlite_store: Store, plan_id: str, clock: Clock):
    link, _token = sqlite_store.issue(OWNER, plan_id, "view")
    when = clock.now
    sqlite_store.revoke(OWNER, plan_id, link.id)
    clock.pass_by(days=1)

    sqlite_store.revoke(OWNER, plan_id, link.id)

    assert [one.revoked_at for one in sqlite_store.links(OWNER, plan_id) if one.id == link.id] == [when]


def test_whoever_facilitates_for_a_time_gives_away_just_that_time(sqlite_store: Store, plan_id: str, clock: Clock):
    ends = clock.now + timedelta(days=2)
    _link, token = sqlite_store.issue(OWNER, plan_id, "facilitate", expires_at=ends)
    sqlite_store.enter(GUEST, token, address="192.0.2.1")

    assert sqlite_store.issue(GUEST, plan_id, "facilitate", expires_at=ends)[0].expires_at == ends
    for longer in (None, ends + INSTANT):
        with pytest.raises(KpiError) as refused:
            sqlite_store.issue(GUEST, plan_id, "view", expires_at=longer)
        assert refused.value.code == "link_too_strong"
    assert sqlite_store.issue(OWNER, plan_id, "facilitate")[0].expires_at is None


def test_a_deleted_plan_can_be_had_back_until_it_is_purged_and_not_a_moment_more(
    sqlite_store: Store, plan_id: str, clock: Clock
):
    sqlite_store.delete(OWNER, plan_id)
    gone = clock.now + rights.GRACE
    for _day in range(10):  # a server lives through some of them
        clock.pass_by(days=1)
        assert housekeeping.purge(sqlite_store.database) == 0

    clock.now = gone - INSTANT
    assert sqlite_store.can(OWNER, "restore_deleted", plan_id)
    assert [one.plan_id for one in sqlite_store.plans(OWNER)] == [plan_id]
    assert housekeeping.purge(sqlite_store.database) == 0
    clock.now = gone
    assert not sqlite_store.can(OWNER, "restore_deleted", plan_id)
    assert sqlite_store.plans(OWNER) == []
    assert housekeeping.purge(sqlite_store.database) == 1


def test_a_desk_as_large_as_it_may_be_is_kept_and_no_larger_one(sqlite_store: Store, plan_id: str, monkeypatch):
    assert desks.MAX_CHARACTERS == 5_000_000
    monkeypatch.setattr(desks, "MAX_CHARACTERS", 1_000)
    largest = {"scenarios": "x" * (1_000 - len(json.dumps({"scenarios": ""})))}

    sqlite_store.keep_desk(OWNER, plan_id, largest)
    with pytest.raises(KpiError) as refused:
        sqlite_store.keep_desk(OWNER, plan_id, {"scenarios": largest["scenarios"] + "x"})

    assert refused.value.code == "desk_too_large"
    assert sqlite_store.desk(OWNER, plan_id) == largest


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_kept_beside_no_plan(sqlite_store: Store, plan_id: str, number: float):
    """Other readers of JSON, PostgreSQL's among them, know none."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        sqlite_store.keep_desk(OWNER, plan_id, {"at": number})


def test_a_link_that_ended_between_the_look_and_the_way_in_opens_nothing(
    sqlite_store: Store, plan_id: str, clock: Clock
):
    """`enter` looks for the link in one transaction and lets come by it in the next."""
    link, token = sqlite_store.issue(OWNER, plan_id, "view")
    sqlite_store.revoke(OWNER, plan_id, link.id)

    assert sqlite_store.database.write(lambda connection: links.come(connection, GUEST, token, clock.now)) is None
    assert not sqlite_store.can(GUEST, "read", plan_id)


def test_each_plan_of_a_list_says_when_it_was_changed_itself(sqlite_store: Store, plan: Plan, clock: Clock):
    """Plans have revisions of the same numbers."""
    first = sqlite_store.begin(OWNER, plan, key="first").plan_id
    began = clock.now
    clock.pass_by(hours=1)
    second = sqlite_store.begin(OWNER, plan, key="second").plan_id

    listed = {one.plan_id: one.changed_at for one in sqlite_store.plans(OWNER)}

    assert listed == {first: began, second: clock.now}


@pytest.mark.parametrize("order", [("view", "edit", "facilitate"), ("facilitate", "edit", "view"), ("edit", "view")])
def test_a_list_names_the_strongest_of_the_roles_one_came_by(sqlite_store: Store, plan_id: str, order):
    for role in order:
        _link, token = sqlite_store.issue(OWNER, plan_id, role)
        sqlite_store.enter(GUEST, token, address="192.0.2.1")

    [listed] = sqlite_store.plans(GUEST)

    assert listed.role == max(order, key=rights.ROLES.index) == sqlite_store.standing(GUEST, plan_id).role


def test_who_signs_in_gets_what_their_browser_has_and_nothing_of_another_browser(sqlite_store: Store, plan: Plan):
    person = Actor.of("person:ann")
    theirs = sqlite_store.begin(OWNER, plan, key="theirs").plan_id
    own = sqlite_store.begin(GUEST, plan, key="own").plan_id
    sqlite_store.keep_desk(OWNER, theirs, {"scenarios": "secret"})

    sqlite_store.adopt(GUEST, person)

    assert [one.plan_id for one in sqlite_store.plans(person)] == [own]
    with sqlite_store.database.read() as connection:
        assert desks.recent(connection, person) == [own]
        assert desks.kept(connection, person, theirs) is None


def test_what_a_browser_has_beside_one_plan_is_the_persons_though_they_worked_at_another_since(
    sqlite_store: Store, plan: Plan, clock: Clock
):
    person = Actor.of("person:ann")
    first = sqlite_store.begin(GUEST, plan, key="first").plan_id
    sqlite_store.keep_desk(GUEST, first, {"language": "en"})
    clock.pass_by(hours=1)
    second = sqlite_store.begin(person, plan, key="second").plan_id

    sqlite_store.adopt(GUEST, person)

    assert sqlite_store.desk(person, first) == {"language": "en"}
    assert sqlite_store.latest(person) == second


def about(store: Store, actor: Actor, plan_id: str) -> dict[str, Any]:
    """Return all that the store says of a plan."""
    versions = store.history(actor, plan_id)
    return {
        "versions": versions,
        "plans": [store.read(actor, plan_id, version.number) for version in versions],
        "newest": store.read(actor, plan_id),
        "standing": store.standing(actor, plan_id),
        "links": store.links(actor, plan_id),
        "desk": store.desk(actor, plan_id),
        "listed": [one for one in store.plans(actor) if one.plan_id == plan_id],
        "latest": store.latest(actor),
    }


def test_whatever_is_done_to_one_plan_another_in_the_same_database_stays_as_it_was(
    sqlite_store: Store, plan: Plan, clock: Clock
):
    """Same numbers, same keys, different people: nothing but the plan's id tells their rows apart."""
    store, changed = sqlite_store, [plan.replace({"metrics.cvr.value": 0.0121 + at / 10_000}) for at in range(3)]
    others = store.begin(GUEST, plan.replace({"name": {"en": "Other"}}), key="plan", author="guest").plan_id
    store.save(GUEST, others, 1, changed[0], key="one", author="guest", note="theirs")
    store.label(GUEST, others, 1, "first")
    store.issue(GUEST, others, "view", name="theirs")
    store.keep_desk(GUEST, others, {"language": "ja"})
    before = about(store, GUEST, others)
    clock.pass_by(hours=1)

    own = store.begin(OWNER, plan, key="plan", author="owner").plan_id
    assert [version.author for version in store.history(OWNER, own)] == ["owner"]
    saved = store.save(OWNER, own, 1, changed[1], key="one", author="owner")
    assert (saved.plan, saved.number) == (changed[1], 2)
    assert store.save(OWNER, own, 1, changed[1], key="one") == saved
    store.save(OWNER, own, 2, changed[2], key="two")
    assert store.standing(OWNER, own).newest == 3
    store.label(OWNER, own, 1, "mine")
    store.undo(OWNER, own, 3, key="undo")
    store.restore(OWNER, own, 1, 4, key="restore")
    assert [store.read(OWNER, own, number).plan for number in (1, 2, 3, 4, 5)] == [
        *(plan, changed[1], changed[2]),
        *(changed[1], plan),
    ]
    link, token = store.issue(OWNER, own, "edit")
    assert store.enter(LATE, token, address="192.0.2.1") == own
    store.looked(LATE, own)
    store.keep_desk(OWNER, own, {"language": "en"})
    store.revoke(OWNER, own, link.id, with_issued=True)
    store.delete(OWNER, own)
    store.undelete(OWNER, own)
    store.delete(OWNER, own)
    for _day in range(10):
        clock.pass_by(days=1)
        assert housekeeping.purge(store.database) == 0
    clock.pass_by(days=21)
    assert housekeeping.purge(store.database) == 1

    assert about(store, GUEST, others) == before
    assert store.plans(OWNER) == []


def test_a_link_of_one_plan_allows_nothing_at_another(sqlite_store: Store, plan: Plan, plan_id: str):
    others = sqlite_store.begin(GUEST, plan, key="others").plan_id
    link, _token = sqlite_store.issue(GUEST, others, "view")
    own, token = sqlite_store.issue(OWNER, plan_id, "facilitate")
    sqlite_store.enter(LATE, token, address="192.0.2.1")

    for action in rights.NEEDS:
        assert not sqlite_store.can(LATE, action, others)
    with pytest.raises(KpiError) as refused:
        sqlite_store.revoke(LATE, plan_id, link.id)
    assert refused.value.code == "unknown_link"
    with pytest.raises(KpiError) as refused:
        sqlite_store.revoke(GUEST, others, own.id)
    assert refused.value.code == "unknown_link"
