"""Links and desks, for whoever may have them: come by a link, issue and revoke links, keep a browser's own things."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from kpi_core.errors import KpiError
from workbench.store import desks, links, persons, rights
from workbench.store.engine import Database
from workbench.store.guarded import Guarded
from workbench.store.limits import Brake
from workbench.store.links import Link
from workbench.store.rights import Actor, Role


class Sharing(Guarded):
    """What the app does with links, and with what each browser keeps."""

    def __init__(self, database: Database, *, brake: Brake | None = None) -> None:
        super().__init__(database)
        self.brake = Brake() if brake is None else brake

    def enter(self, actor: Actor, token: str, *, address: str) -> str | None:
        """Return the plan a link's token opens, from now on for this actor; None for every token that opens none.

        Raises
        ------
        KpiError
            `too_many_tries`: this address has failed too often in the last minute.
        """
        if not self.brake.admit(address):
            raise KpiError("too_many_tries", "Too many links were tried from here. Wait a minute and try again.")
        found = self._read_own(lambda connection, now: links.opened(connection, token, now))
        if found is None:
            return None
        self.brake.succeeded(address)
        return self._write_own(lambda connection, now: links.come(connection, actor, token, now))

    def looked(self, actor: Actor, plan_id: str) -> None:
        """Count a visit on the link by which the actor looks at a plan; owners are not counted."""
        self._write(actor, "read", plan_id, lambda connection, now: links.count_visit(connection, actor, plan_id, now))

    def issue(
        self, actor: Actor, plan_id: str, role: Role, *, name: str = "", expires_at: datetime | None = None
    ) -> tuple[Link, str]:
        """Return a new link and its token; the token cannot be had a second time.

        Raises
        ------
        KpiError
            `not_allowed`; `link_too_strong`.
        """

        def work(connection: Connection, now: datetime) -> tuple[Link, str]:
            by = rights.demand(connection, actor, "manage_links", plan_id, now)
            return links.issue(connection, plan_id, role, name=name, expires_at=expires_at, by=by, now=now)

        return self._write(actor, "manage_links", plan_id, work)

    def links(self, actor: Actor, plan_id: str) -> list[Link]:
        """Return the plan's links, the oldest first, with how often they were used; tokens are not among it."""
        return self._read(actor, "manage_links", plan_id, lambda connection, now: links.of_plan(connection, plan_id))

    def revoke(self, actor: Actor, plan_id: str, link_id: str, *, with_issued: bool = False) -> None:
        """End a link; with `with_issued` also those that people who came by it have made.

        Raises
        ------
        KpiError
            `not_allowed`, `unknown_link`, `owner_link`.
        """
        self._write(
            actor,
            "manage_links",
            plan_id,
            lambda connection, now: links.revoke(connection, plan_id, link_id, now, with_issued=with_issued),
        )

    def keep_desk(self, actor: Actor, plan_id: str, state: Mapping[str, Any]) -> None:
        """Keep what this browser has beside a plan it may see; the plan becomes its latest."""

        def work(connection: Connection, now: datetime) -> None:
            rights.demand(connection, actor, "read", plan_id, now)
            desks.keep(connection, actor, plan_id, state, now)

        self._write_own(work)

    def desk(self, actor: Actor, plan_id: str) -> dict[str, Any] | None:
        """Return what this browser kept beside a plan; None if nothing."""
        return self._read(actor, "read", plan_id, lambda connection, now: desks.kept(connection, actor, plan_id))

    def latest(self, actor: Actor) -> str | None:
        """Return the plan this browser worked at last, of those it still may see."""

        def work(connection: Connection, now: datetime) -> str | None:
            worked_at = desks.recent(connection, actor)
            return next((one for one in worked_at if rights.can(connection, actor, "read", one, now)), None)

        return self._read_own(work)

    def adopt(self, browser: Actor, person: Actor) -> None:
        """Let a person who signed in have what the browser has come by and made."""
        if self._read_own(lambda connection, _now: persons.has_news(connection, browser, person)):
            self._write_own(lambda connection, now: persons.adopt(connection, browser, person, now))

    def forget(self, browser: Actor, person: Actor) -> None:
        """Let the browser forget everything it has come by and made; the person who signs out keeps it."""

        def work(connection: Connection, now: datetime) -> None:
            persons.adopt(connection, browser, person, now)
            persons.forget(connection, browser, now)

        self._write_own(work)
