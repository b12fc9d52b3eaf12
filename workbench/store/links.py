"""Links as capabilities: whoever holds one may do what its role allows, until it expires or is revoked.

The token (256 random bits) is shown once and is nowhere stored; its SHA-256 is. A link gives no more
than its issuer has: no stronger role, no longer time. The owner's link has a token that nobody knows.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from kpi_core.errors import KpiError
from workbench.store.revisions import words_of
from workbench.store.rights import ROLES, Actor, Held, Role, digest, held
from workbench.store.tables import grants, links, plans, put, visits

_ABOUT = [column for column in links.columns if column.name != "token_hash"]


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link as its plan's facilitators see it; `visits` is how often somebody looked, `last_visit` the last day."""

    id: str
    plan_id: str
    role: Role
    name: str
    owner: bool
    issued_by: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    visits: int = 0
    last_visit: str | None = None

    def is_live(self, now: datetime) -> bool:
        """Return whether it opens its plan."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def own(connection: Connection, plan_id: str, actor: Actor, now: datetime) -> Link:
    """Make the actor a new plan's owner."""
    link, _token = _made(connection, plan_id, "facilitate", now, owner=True)
    grant(connection, actor, link.id, now)
    return link


def issue(
    connection: Connection, plan_id: str, role: Role, *, name: str, expires_at: datetime | None, by: Held, now: datetime
) -> tuple[Link, str]:
    """Return a new link and its token, which cannot be had a second time.

    Raises
    ------
    KpiError
        `link_too_strong`: it would allow more, or last longer, than the link of who issues it.
    """
    longer = by.expires_at is not None and (expires_at is None or expires_at > by.expires_at)
    if longer or ROLES.index(role) > ROLES.index(by.role):
        raise KpiError("link_too_strong", "A link cannot allow more than your own, nor last longer.")
    return _made(connection, plan_id, role, now, name=words_of("label", name), expires_at=expires_at, by=by.link_id)


def opened(connection: Connection, token: str, now: datetime) -> tuple[str, str] | None:
    """Return link and plan that a token opens.

    One look-up by hash: a token that is dead, revoked or mistyped finds no row, all by the same way.
    """
    chosen = (
        select(links.c.id, links.c.plan_id)
        .join(plans, plans.c.id == links.c.plan_id)
        .where(links.c.token_hash == digest(token), links.c.revoked_at.is_(None), plans.c.deleted_at.is_(None))
        .where(links.c.expires_at.is_(None) | (links.c.expires_at > now))
    )
    found = connection.execute(chosen).first()
    return None if found is None else (found[0], found[1])


def grant(connection: Connection, actor: Actor, link_id: str, now: datetime) -> None:
    """Remember that a browser has come by a link."""
    put(connection, grants, {"visitor": actor.visitor, "link_id": link_id, "at": now})


def come(connection: Connection, actor: Actor, token: str, now: datetime) -> str | None:
    """Let a browser come by a link, and return the plan; None if the link has ended meanwhile."""
    found = opened(connection, token, now)
    if found is None:
        return None
    link_id, plan_id = found
    grant(connection, actor, link_id, now)
    _count(connection, link_id, now)
    return plan_id


def count_visit(connection: Connection, actor: Actor, plan_id: str, now: datetime) -> None:
    """Count that somebody looked today; who it was is not kept, and owners are not counted."""
    by = held(connection, actor, plan_id, now)[-1].link_id
    if not connection.scalar(select(links.c.owner).where(links.c.id == by)):
        _count(connection, by, now)


def _count(connection: Connection, link_id: str, now: datetime) -> None:
    row = {"link_id": link_id, "day": now.date().isoformat(), "count": 1}
    put(connection, visits, row, {"count": visits.c.count + 1})


def revoke(connection: Connection, plan_id: str, link_id: str, now: datetime, *, with_issued: bool = False) -> None:
    """End a link, and with it what was issued by those who came by it if that is wanted.

    Raises
    ------
    KpiError
        `unknown_link`; `owner_link`: the owner's right cannot be taken away.
    """
    chosen = (links.c.plan_id == plan_id) & (links.c.id == link_id)
    owner = connection.scalar(select(links.c.owner).where(chosen))
    if owner is None:
        raise KpiError("unknown_link", "There is no such link.")
    if owner:
        raise KpiError("owner_link", "This is the right of the person who made the plan; it cannot be revoked.")
    connection.execute(update(links).where(chosen, links.c.revoked_at.is_(None)).values(revoked_at=now))
    if with_issued:
        issued = (links.c.plan_id == plan_id) & (links.c.issued_by == link_id)  # what is revoked has issued others
        for issued_id in connection.scalars(select(links.c.id).where(issued)).all():
            revoke(connection, plan_id, issued_id, now, with_issued=True)


def of_plan(connection: Connection, plan_id: str) -> list[Link]:
    """Return a plan's links, the oldest first, each with how often it was used."""
    looked = func.sum(visits.c.count).label("visits"), func.max(visits.c.day).label("last_visit")
    counted = (
        select(*_ABOUT, *looked)
        .outerjoin(visits, visits.c.link_id == links.c.id)
        .where(links.c.plan_id == plan_id)
        .group_by(*_ABOUT)
        .order_by(links.c.created_at, links.c.id)
    )
    return [Link(**{**row, "visits": int(row["visits"] or 0)}) for row in connection.execute(counted).mappings()]


def _made(
    connection: Connection,
    plan_id: str,
    role: Role,
    now: datetime,
    *,
    name: str = "",
    owner: bool = False,
    expires_at: datetime | None = None,
    by: str | None = None,
) -> tuple[Link, str]:
    token = secrets.token_urlsafe(32)
    row: dict[str, Any] = {"id": secrets.token_hex(8), "plan_id": plan_id, "role": role, "name": name, "owner": owner}
    row |= {"issued_by": by, "created_at": now, "expires_at": expires_at, "revoked_at": None}
    connection.execute(links.insert().values(**row, token_hash=digest(token)))
    return Link(**row), token
