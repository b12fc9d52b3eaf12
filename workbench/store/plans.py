"""Plans as a whole: made, listed, deleted with thirty days to think it over, and then gone for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from kpi_core.document import Text
from workbench.store import desks, links, revisions
from workbench.store.heartbeats import days_since
from workbench.store.revisions import Draft, Kept
from workbench.store.rights import GRACE, ROLES, Actor, Role, digest
from workbench.store.tables import grants, plans, put
from workbench.store.tables import links as links_table
from workbench.store.tables import revisions as revisions_table

DAYS_SEEN = 7  # of the thirty: a laptop that is on once a week purges after seven weeks


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A plan in a list: its name, what the reader is at it, and when it was last changed."""

    plan_id: str
    name: Text
    role: Role
    newest: int
    changed_at: datetime
    deleted_at: datetime | None


def create(
    connection: Connection, actor: Actor, plan: Draft, *, key: str, author: str, note: str, now: datetime
) -> Kept:
    """Keep a new plan that belongs to the actor, who works at it now; asked again with the same key, the first one."""
    plan_id = digest(f"{actor.visitor} {key}")[:16]  # from two random secrets: nobody meets another's
    if not put(connection, plans, {"id": plan_id, "name": plan.name, "newest": 1, "created_at": now}):
        return revisions.revision(connection, plan_id, 1)
    links.own(connection, plan_id, actor, now)
    desks.keep(connection, actor, plan_id, {}, now)
    row = {"plan_id": plan_id, "parent": None, "base": None, "kind": "start", "at": now}
    row |= {"author": author, "note": note}
    return revisions.append(connection, row, plan, key=key)


def lock(connection: Connection, plan_id: str) -> None:
    """Keep others from writing this plan, or its links, until the transaction ends."""
    connection.execute(select(plans.c.id).where(plans.c.id == plan_id).with_for_update())


def listed(connection: Connection, actor: Actor, now: datetime) -> list[Listed]:
    """Return the plans the actor may see, the latest changed first; deleted ones if they can be had back."""
    alive = links_table.c.revoked_at.is_(None) & (links_table.c.expires_at.is_(None) | (links_table.c.expires_at > now))
    chosen = (
        select(
            plans.c.id.label("plan_id"),
            plans.c.name,
            links_table.c.role,
            plans.c.newest,
            revisions_table.c.at.label("changed_at"),
            plans.c.deleted_at,
        )
        .join(links_table, links_table.c.plan_id == plans.c.id)
        .join(grants, grants.c.link_id == links_table.c.id)
        .join(revisions_table, (revisions_table.c.plan_id == plans.c.id) & (revisions_table.c.number == plans.c.newest))
        .where(grants.c.visitor == actor.visitor, alive)
        .where(plans.c.deleted_at.is_(None) | (plans.c.deleted_at > now - GRACE))
    )
    found: dict[str, Listed] = {}
    for row in connection.execute(chosen).mappings():
        one = Listed(**{**row, "name": Text.model_validate_json(row["name"])})
        best = found.get(one.plan_id)
        if best is None or ROLES.index(one.role) > ROLES.index(best.role):
            found[one.plan_id] = one
    mine = [one for one in found.values() if one.deleted_at is None or one.role == "facilitate"]
    return sorted(mine, key=lambda one: one.changed_at, reverse=True)


def mark_deleted(connection: Connection, plan_id: str, when: datetime | None) -> None:
    """Delete a plan, to be purged after the grace; with None, take that back."""
    connection.execute(update(plans).where(plans.c.id == plan_id).values(deleted_at=when))


def purge(connection: Connection, now: datetime, *, days_seen: int = DAYS_SEEN) -> int:
    """Remove for good what was deleted longer ago than the grace; return how many plans that were.

    A clock that says so is not enough: a server must have been seen on so many days since.
    """
    due = select(plans.c.id, plans.c.deleted_at).where(plans.c.deleted_at <= now - GRACE)
    gone = [row.id for row in connection.execute(due) if days_since(connection, row.deleted_at, now) >= days_seen]
    connection.execute(delete(plans).where(plans.c.id.in_(gone)))
    return len(gone)
