"""People who sign in: what a browser may see becomes theirs too, and when they sign out the browser forgets it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from workbench.store.rights import Actor
from workbench.store.tables import desks, grants, put


def has_news(connection: Connection, browser: Actor, person: Actor) -> bool:
    """Return whether the browser may see, or has worked at, something that the person has not from it yet."""
    return bool(_new_grants(connection, browser, person) or _newer_desks(connection, browser, person))


def adopt(connection: Connection, browser: Actor, person: Actor, _now: datetime) -> None:
    """Let the person come by every link by which the browser came; what they have beside a plan already stays."""
    for link_id, at in _new_grants(connection, browser, person):
        put(connection, grants, {"visitor": person.visitor, "link_id": link_id, "at": at})
    for plan_id, state, at in _newer_desks(connection, browser, person):
        row = {"visitor": person.visitor, "plan_id": plan_id, "state": state, "at": at}
        put(connection, desks, row, {"at": at})


def forget(connection: Connection, browser: Actor, _now: datetime) -> None:
    """Forget by which links a browser came, and what it had beside the plans."""
    for table in (grants, desks):
        connection.execute(delete(table).where(table.c.visitor == browser.visitor))


def _new_grants(connection: Connection, browser: Actor, person: Actor) -> list[tuple[str, datetime]]:
    known = select(grants.c.link_id).where(grants.c.visitor == person.visitor)
    chosen = select(grants.c.link_id, grants.c.at).where(
        grants.c.visitor == browser.visitor, grants.c.link_id.not_in(known)
    )
    return [(link_id, at) for link_id, at in connection.execute(chosen)]


def _newer_desks(connection: Connection, browser: Actor, person: Actor) -> list[tuple[str, str, datetime]]:
    theirs = desks.alias()
    newer = (theirs.c.visitor == person.visitor) & (theirs.c.plan_id == desks.c.plan_id) & (theirs.c.at >= desks.c.at)
    chosen = select(desks.c.plan_id, desks.c.state, desks.c.at).where(
        desks.c.visitor == browser.visitor, ~select(theirs.c.plan_id).where(newer).exists()
    )
    return [(plan_id, state, at) for plan_id, state, at in connection.execute(chosen)]
