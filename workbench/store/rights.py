"""Who may do what: one table of actions, and a person's role as the links they came by give it at this moment.

A browser is known by the SHA-256 of its cookie, never by a session. Every question is answered
from the database, in the transaction of what is asked for, so that a link that was revoked is over.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import Connection, select

from kpi_core.errors import KpiError
from workbench.store.tables import grants, links, plans

Role = Literal["view", "edit", "facilitate"]
Action = Literal[
    "read", "try", "save_copy", "save", "undo", "restore", "label", "manage_links", "delete", "restore_deleted"
]

GRACE = timedelta(days=30)  # for so long a deleted plan can be had back

ROLES: tuple[Role, ...] = ("view", "edit", "facilitate")  # each may do what those before it may
NEEDS: dict[Action, Role] = {
    "read": "view",
    "try": "view",
    "save_copy": "view",
    "save": "edit",
    "undo": "edit",
    "restore": "edit",
    "label": "edit",
    "manage_links": "facilitate",
    "delete": "facilitate",
    "restore_deleted": "facilitate",
}


@dataclass(frozen=True)
class Actor:
    """Who asks: the hash of a browser's cookie."""

    visitor: str

    @classmethod
    def of(cls, cookie: str) -> Actor:
        """Return the actor that a browser's cookie names."""
        return cls(digest(cookie))


class Held(NamedTuple):
    """A link by which somebody has come, as far as it still counts: what it allows, and until when."""

    link_id: str
    role: Role
    expires_at: datetime | None


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret, in hex: all that is ever stored of it."""
    return hashlib.sha256(secret[:200].encode("utf-8", "replace")).hexdigest()


def held(connection: Connection, actor: Actor, plan_id: str, now: datetime, *, deleted: bool = False) -> list[Held]:
    """Return the links by which the actor may be at a plan that is there (or can be had back), the strongest last."""
    alive = links.c.revoked_at.is_(None) & (links.c.expires_at.is_(None) | (links.c.expires_at > now))
    there = plans.c.deleted_at > now - GRACE if deleted else plans.c.deleted_at.is_(None)
    chosen = (
        select(links.c.id, links.c.role, links.c.expires_at)
        .join(grants, grants.c.link_id == links.c.id)
        .join(plans, plans.c.id == links.c.plan_id)
        .where(grants.c.visitor == actor.visitor, links.c.plan_id == plan_id, alive, there)
    )
    return sorted(
        (Held(*row) for row in connection.execute(chosen)),
        key=lambda one: (ROLES.index(one.role), one.expires_at is None, str(one.expires_at)),
    )


def can(connection: Connection, actor: Actor, action: Action, plan_id: str, now: datetime) -> bool:
    """Return whether the actor may do this to the plan now."""
    return _by(connection, actor, action, plan_id, now) is not None


def demand(connection: Connection, actor: Actor, action: Action, plan_id: str, now: datetime) -> Held:
    """Return the strongest link by which the actor may do this; a plan that is not there is refused alike.

    Raises
    ------
    KpiError
        `not_allowed`.
    """
    by = _by(connection, actor, action, plan_id, now)
    if by is None:
        raise KpiError("not_allowed", "Your link does not allow this. Ask whoever sent it for another one.")
    return by


def _by(connection: Connection, actor: Actor, action: Action, plan_id: str, now: datetime) -> Held | None:
    found = held(connection, actor, plan_id, now, deleted=action == "restore_deleted")
    enough = found and ROLES.index(found[-1].role) >= ROLES.index(NEEDS[action])
    return found[-1] if enough else None
