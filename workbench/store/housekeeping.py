"""What whoever runs the app does with all plans, without being anybody: list them, and purge what was deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from kpi_core.document import Text
from workbench.store import plans
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


def purge(database: Database) -> int:
    """Remove for good what was deleted more than thirty days ago; return how many plans that were."""
    count = database.write(lambda connection: plans.purge(connection, database.clock()))
    database.empty_log()
    return count
