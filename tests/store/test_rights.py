"""Who may do what: every function of the store against a written table, for every role, plan and state of a link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.store.clock import Clock
from workbench.store import Actor, Store, new_key
from workbench.store.tables import METADATA

# Which roles may call it on a plan to which they came by a link that is live.
TABLE = """
function        none  view  edit  facilitate
read            -     yes   yes   yes
history         -     yes   yes   yes
standing        -     yes   yes   yes
desk            -     yes   yes   yes
keep_desk       -     yes   yes   yes
looked          -     yes   yes   yes
save_copy       -     yes   yes   yes
save            -     -     yes   yes
undo            -     -     yes   yes
restore         -     -     yes   yes
label           -     -     yes   yes
links           -     -     -     yes
issue           -     -     -     yes
revoke          -     -     -     yes
delete          -     -     -     yes
undelete        -     -     -     yes
"""
# Everybody may; what they answer is tested below, and in test_persons.py.
OF_NO_PLAN = {"begin", "plans", "latest", "enter", "can", "adopt", "forget"}
OF_NOBODY = {"at", "prepare", "check_ready", "close", "generation"}  # the server's own
ACTIONS = {
    "none": set(),
    "view": {"read", "try", "save_copy"},
    "edit": {"read", "try", "save_copy", "save", "undo", "restore", "label"},
    "facilitate": {
        "read", "try", "save_copy", "save", "undo", "restore", "label", "manage_links", "delete", "restore_deleted",
    },
}  # fmt: skip
OWNER, VISITOR = Actor.of("owner"), Actor.of("visitor")
CHANGE = {"metrics.cvr.value": 0.013}


@dataclass
class World:
    """Two plans of one owner; the visitor has come to the first by a link of some role, live or not."""

    store: Store
    plan: Plan
    own: str
    other: str
    spare: dict[str, str]  # a link of each plan, to be revoked

    def call(self, function: str, plan_id: str) -> Any:
        calls: dict[str, Callable[[Store], Any]] = {
            "read": lambda store: store.read(VISITOR, plan_id, 2),
            "history": lambda store: store.history(VISITOR, plan_id),
            "standing": lambda store: store.standing(VISITOR, plan_id),
            "desk": lambda store: store.desk(VISITOR, plan_id),
            "keep_desk": lambda store: store.keep_desk(VISITOR, plan_id, {"mine": 1}),
            "looked": lambda store: store.looked(VISITOR, plan_id),
            "save_copy": lambda store: store.save_copy(VISITOR, plan_id, self.plan, key=new_key()),
            "save": lambda store: store.save(VISITOR, plan_id, 2, self.plan, key=new_key()),
            "undo": lambda store: store.undo(VISITOR, plan_id, 2, key=new_key()),
            "restore": lambda store: store.restore(VISITOR, plan_id, 1, 2, key=new_key()),
            "label": lambda store: store.label(VISITOR, plan_id, 1, "named"),
            "links": lambda store: store.links(VISITOR, plan_id),
            "issue": lambda store: store.issue(VISITOR, plan_id, "view", expires_at=self.store.database.clock()),
            "revoke": lambda store: store.revoke(VISITOR, plan_id, self.spare[plan_id]),
            "delete": lambda store: store.delete(VISITOR, plan_id),
            "undelete": lambda store: store.undelete(VISITOR, plan_id),
        }
        return calls[function](self.store)

    def may(self, function: str, plan_id: str) -> bool:
        """Return whether the visitor was let; one who was not has left no trace."""
        before = self.contents()
        try:
            self.call(function, plan_id)
        except KpiError as error:
            assert error.code == "not_allowed", (function, error.code)
            assert self.contents() == before, function
            return False
        return True

    def contents(self) -> list[Any]:
        with self.store.database.snapshot() as connection:
            return [sorted(connection.execute(select(table)).all()) for table in METADATA.sorted_tables]


def world(store: Store, plan: Plan, clock: Clock, role: str, link: str) -> World:
    made, spare = [], {}
    for number in range(2):
        kept = store.begin(OWNER, plan, key=f"{number}")
        store.save(OWNER, kept.plan_id, 1, plan.replace(CHANGE), key="change")
        spare[kept.plan_id] = store.issue(OWNER, kept.plan_id, "view")[0].id
        made.append(kept.plan_id)
    if role != "none":
        in_an_hour = clock().replace(hour=clock().hour + 1)
        issued, token = store.issue(OWNER, made[0], role, expires_at=in_an_hour)  # type: ignore[arg-type]
        assert store.enter(VISITOR, token, address="192.0.2.1") == made[0]
        if link == "revoked":
            store.revoke(OWNER, made[0], issued.id)
        if link == "expired":
            clock.pass_by(hours=1)
    return World(store, plan, made[0], made[1], spare)


def table() -> dict[str, set[str]]:
    head, *lines = (line.split() for line in TABLE.strip().splitlines())
    return {name: {role for role, said in zip(head[1:], cells, strict=True) if said == "yes"} for name, *cells in lines}


@pytest.mark.parametrize("link", ["live", "expired", "revoked"])
@pytest.mark.parametrize("role", ["none", "view", "edit", "facilitate"])
def test_every_function_answers_as_the_table_says(store: Store, plan: Plan, clock: Clock, role: str, link: str):
    made = world(store, plan, clock, role, link)
    there = [function for function in table() if function != "undelete"]
    said = {function: role in roles and link == "live" for function, roles in table().items()}

    assert {function: made.may(function, made.other) for function in table()} == dict.fromkeys(table(), False)
    assert {function: made.may(function, made.own) for function in there if function != "delete"} == {
        function: said[function] for function in there if function != "delete"
    }
    assert made.may("delete", made.own) is said["delete"]


@pytest.mark.parametrize("role", ["none", "view", "edit", "facilitate"])
def test_a_deleted_plan_lets_nobody_do_anything_but_restore_it(store: Store, plan: Plan, clock: Clock, role: str):
    made = world(store, plan, clock, role, "live")
    store.delete(OWNER, made.own)

    for function in table():
        if function != "undelete":
            assert not made.may(function, made.own), function
    assert made.may("undelete", made.own) is (role == "facilitate")
    assert store.can(OWNER, "read", made.own) is (role == "facilitate")


def test_the_table_names_every_function_of_the_store():
    public = {name for name in dir(Store) if not name.startswith("_")}

    assert public == set(table()) | OF_NO_PLAN | OF_NOBODY


@pytest.mark.parametrize("link", ["live", "expired", "revoked"])
@pytest.mark.parametrize("role", ["none", "view", "edit", "facilitate"])
def test_can_says_what_the_table_of_actions_says(store: Store, plan: Plan, clock: Clock, role: str, link: str):
    made = world(store, plan, clock, role, link)
    actions = ACTIONS["facilitate"] - {"restore_deleted"}
    allowed = ACTIONS[role] if link == "live" else set()

    assert {action for action in actions if store.can(VISITOR, action, made.own)} == allowed - {"restore_deleted"}
    assert not {action for action in ACTIONS["facilitate"] if store.can(VISITOR, action, made.other)}
    assert not {action for action in ACTIONS["facilitate"] if store.can(VISITOR, action, "no such plan")}


@pytest.mark.parametrize("link", ["live", "expired", "revoked"])
def test_lists_show_only_what_a_live_link_shows(store: Store, plan: Plan, clock: Clock, link: str):
    made = world(store, plan, clock, "view", "live")
    store.keep_desk(VISITOR, made.own, {})
    if link == "expired":
        clock.pass_by(hours=1)
    if link == "revoked":
        store.revoke(OWNER, made.own, next(one.id for one in store.links(OWNER, made.own) if one.expires_at))

    assert [listed.plan_id for listed in store.plans(VISITOR)] == ([made.own] if link == "live" else [])
    assert store.latest(VISITOR) == (made.own if link == "live" else None)


def test_the_strongest_of_two_links_counts_and_the_weaker_is_left_when_it_ends(store: Store, plan: Plan, clock: Clock):
    made = world(store, plan, clock, "view", "live")
    edit, token = store.issue(OWNER, made.own, "edit")
    store.enter(VISITOR, token, address="192.0.2.1")
    assert store.standing(VISITOR, made.own).role == "edit"

    store.revoke(OWNER, made.own, edit.id)

    assert store.standing(VISITOR, made.own).role == "view"
    assert not made.may("save", made.own)


def test_a_plan_that_is_not_there_is_refused_like_one_that_is_not_theirs(sqlite_store: Store, plan: Plan):
    kept = sqlite_store.begin(OWNER, plan, key="one")

    for plan_id in (kept.plan_id, "0123456789abcdef", "", "' OR 1=1 --", "計画"):
        with pytest.raises(KpiError) as refused:
            sqlite_store.read(VISITOR, plan_id)
        assert refused.value.code == "not_allowed"
