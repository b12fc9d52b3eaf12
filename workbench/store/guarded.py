"""The gate before the database: who asks, what for, and only then the work, all in one transaction.

A write locks its plan first and checks the right then. Revoking a link is such a write too: once it
has been answered, nothing that came by that link is saved any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from kpi_core.errors import KpiError
from workbench.store import heartbeats, plans, rights
from workbench.store.engine import Database
from workbench.store.migrating import head, migrate, schema
from workbench.store.rights import Action, Actor

BEAT_SECONDS = 5.0

Answer = TypeVar("Answer")
Work = Callable[[Connection, datetime], Answer]


class Guarded:
    """A database behind its gate; it opens, and is migrated, with the first call that needs it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._migrated: int | None = None  # which file, if several have had its name
        self._migrating = threading.Lock()
        self._beating = threading.Lock()
        self._beaten_at, self._beaten_in = -BEAT_SECONDS, -1

    @property
    def generation(self) -> int:
        """Return how often the database's file was found deleted or replaced."""
        return self.database.generation

    def prepare(self) -> None:
        """Bring the database to the newest schema; every call does so first, until it has worked once for its file.

        Raises
        ------
        KpiError
            `store_newer`, `store_down`, `store_read_only`, `store_full`, `store_busy`.
        """
        self.database.look()
        if self._migrated != self.generation:
            with self._migrating:
                generation = self.generation
                migrate(self.database)
                self._migrated = generation

    def check_ready(self) -> None:
        """Raise unless the database answers, has the newest schema and takes as much as a save writes.

        What it took within the last seconds is not tried again: those who ask are many.

        Raises
        ------
        KpiError
            As `prepare`; `store_not_ready`: the migrations have not run.
        """
        with self.database.read() as connection:
            found = schema(connection)
        if found != head():
            raise KpiError("store_not_ready", "The storage is being set up. Try again in a moment.")
        with self._beating:
            if time.monotonic() < self._beaten_at + BEAT_SECONDS and self._beaten_in == self.generation:
                return
            self._beaten_at = -BEAT_SECONDS
            self.database.write(lambda connection: heartbeats.beat(connection, self.database.clock()))
            self._beaten_at, self._beaten_in = time.monotonic(), self.generation

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    def can(self, actor: Actor, action: Action, plan_id: str) -> bool:
        """Return whether the actor may do this to the plan now."""
        return self._read_own(lambda connection, now: rights.can(connection, actor, action, plan_id, now))

    def _read(self, actor: Actor, action: Action, plan_id: str, work: Work[Answer]) -> Answer:
        def checked(connection: Connection, now: datetime) -> Answer:
            rights.demand(connection, actor, action, plan_id, now)
            return work(connection, now)

        return self._read_own(checked)

    def _write(self, actor: Actor, action: Action, plan_id: str, work: Work[Answer]) -> Answer:
        def checked(connection: Connection, now: datetime) -> Answer:
            plans.lock(connection, plan_id)
            rights.demand(connection, actor, action, plan_id, now)
            return work(connection, now)

        return self._write_own(checked)

    def _read_own(self, work: Work[Answer]) -> Answer:
        """Do what concerns nobody's plan but the actor's own things."""
        self.prepare()
        with self.database.read() as connection:
            return work(connection, self.database.clock())

    def _write_own(self, work: Work[Answer]) -> Answer:
        self.prepare()
        return self.database.write(lambda connection: work(connection, self.database.clock()))
