"""What whoever runs the app does with all plans, without being anybody: list them, and purge what was deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from kpi_core.document import Text
from workbench.store import heartbeats, plans
from workbench.store.engine import Database
from workbench.store.tables import plans as plans_table
from workbench.store.tables import revisions


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A plan in the operator's list."""

    plan_id: str
    name: Text
    revisions: int
    changed_at: datetime
    deleted_at: datetime | None


def overview(database: Database) -> list[Summary]:
    """Return every plan, the latest changed first."""
    last = func.max(revisions.c.at)
    chosen = (
        select(plans_table, func.count().label("count"), last.label("changed_at"))
        .join(revisions, revisions.c.plan_id == plans_table.c.id)
        .group_by(*plans_table.columns)
        .order_by(last.desc())
    )
    with database.read() as connection:
        return [
            Summary(
                plan_id=row["id"],
                name=Text.model_validate_json(row["name"]),
                revisions=row["count"],
                changed_at=row["changed_at"],
                deleted_at=row["deleted_at"],
            )
            for row in connection.execute(chosen).mappings()
        ]


def purge(database: Database, *, at_once: bool = False) -> int:
    """Note that a server runs today, and remove for good what was deleted more than thirty days ago.

    Returns how many plans that were. A deletion counts once servers have been seen on several days since, so that one
    wrong clock purges nothing; `at_once` if a person says that it is time.
    """

    def work(connection: Connection) -> int:
        now = database.clock()
        heartbeats.seen(connection, now)
        return plans.purge(connection, now, days_seen=0 if at_once else plans.DAYS_SEEN)

    count = database.write(work)
    database.empty_log()
    return count
