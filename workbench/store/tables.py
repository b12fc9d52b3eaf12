"""The tables: plans and their revisions, links and who came by them, and what each browser keeps.

Nothing here is ever overwritten but `plans.newest`, a version's label, what a browser keeps of its own, and heartbeats.
Times are text in UTC (`2026-04-01T09:30:00.000000Z`): the same in every database, readable, and in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql, sqlite


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, as text that sorts."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: object) -> str | None:
        """Return the text of a moment."""
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, _dialect: object) -> datetime | None:
        """Return the moment of a text."""
        return None if value is None else datetime.fromisoformat(value)


METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _plan_id(*, key: bool = False) -> Column[str]:
    return Column("plan_id", String(32), ForeignKey("plans.id", ondelete="CASCADE"), primary_key=key, nullable=False)


plans = Table(
    "plans",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),  # JSON of the document's name, for lists
    Column("newest", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)

revisions = Table(
    "revisions",
    METADATA,
    _plan_id(key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("parent", Integer),  # the revision it follows
    Column("base", Integer),  # the revision its author had on screen; another than the parent where it was merged
    Column("clashes_with", Integer),  # kept aside: the revision it could not be merged with
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("key", String(64), nullable=False),  # of the attempt to save: the same key is kept once
    Column("document", LargeBinary, nullable=False),  # the plan's JSON, zlib
    UniqueConstraint("plan_id", "key"),
)

links = Table(
    "links",
    METADATA,
    Column("id", String(32), primary_key=True),
    _plan_id(),
    Column("role", String(16), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256; the token itself is nowhere
    Column("name", Text, nullable=False),
    Column("owner", Boolean, nullable=False),  # of the browser that made the plan; nobody knows its token
    Column("issued_by", String(32)),  # the link by which its issuer came
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Index(None, "plan_id"),
)


def _link_id() -> Column[str]:
    return Column("link_id", String(32), ForeignKey("links.id", ondelete="CASCADE"), primary_key=True)


grants = Table(
    "grants",
    METADATA,
    Column("visitor", String(64), primary_key=True),  # SHA-256 of the browser's cookie
    _link_id(),
    Column("at", Instant, nullable=False),
    Index(None, "link_id"),
)

visits = Table(
    "visits",
    METADATA,
    _link_id(),
    Column("day", String(10), primary_key=True),
    Column("count", Integer, nullable=False),
)

desks = Table(
    "desks",
    METADATA,
    Column("visitor", String(64), primary_key=True),
    _plan_id(key=True),
    Column("state", Text, nullable=False),  # JSON
    Column("at", Instant, nullable=False),
    Index(None, "plan_id"),
)

heartbeats = Table(
    "heartbeats",
    METADATA,
    Column("name", String(16), primary_key=True),  # a day on which a server has run, or "ready"
    Column("at", Instant, nullable=False),
    Column("filler", LargeBinary, nullable=False),
)


def put(connection: Connection, table: Table, row: Mapping[str, Any], changed: Mapping[str, Any] | None = None) -> bool:
    """Insert a row; where its key exists already change these columns instead, or leave it as it is (False)."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(table).values(row)
    keys = list(table.primary_key.columns)
    if changed:
        insert = insert.on_conflict_do_update(index_elements=keys, set_=dict(changed))
    else:
        insert = insert.on_conflict_do_nothing(index_elements=keys)
    return bool(connection.execute(insert, execution_options={"preserve_rowcount": True}).rowcount)
