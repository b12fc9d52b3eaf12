"""Bringing a database to the newest schema, by whichever process comes first; the others wait and find it done.

Each step is a file in `migrations/versions`. All of them run in one transaction: a server killed
in the middle leaves the schema it found.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from kpi_core.errors import KpiError
from workbench.store.engine import Database

_FOLDER = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 4_170_663  # any number no other program takes in this database


def migrate(database: Database, *, to: str = "head") -> None:
    """Bring the schema to the newest, or to a named one.

    Raises
    ------
    KpiError
        `store_newer`: a newer version of the app has been here; nothing was changed.
    """
    with database.read() as connection:
        if schema(connection) == (head() if to == "head" else to):
            return
    database.write(lambda connection: upgrade(connection, to=to))


def upgrade(connection: Connection, *, to: str = "head") -> None:
    """Run what is missing, in the transaction that is open."""
    if connection.dialect.name == "postgresql":  # SQLite's write transaction is a lock already
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
    found = schema(connection)
    if found is not None and found not in known():
        raise KpiError("store_newer", "A newer version of the app has used this storage. Update the app to open it.")
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def schema(connection: Connection) -> str | None:
    """Return the schema a database has; None if it has none yet."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def known() -> tuple[str, ...]:
    """Return every schema this version of the app knows, the oldest first."""
    return tuple(step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions())[::-1]


def head() -> str:
    """Return the newest schema."""
    return known()[-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _FOLDER.as_posix().replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
