"""What whoever runs the app does by hand; the database is the app's own (`GYAKUSAN_DATABASE_URL`, `GYAKUSAN_DATA`).

python -m workbench.admin backup FILE     everything in one file, while the app runs
python -m workbench.admin restore FILE    into an empty database, SQLite or PostgreSQL, whichever made the file
python -m workbench.admin purge           remove for good what was deleted more than thirty days ago
python -m workbench.admin list            every plan: id, revisions, last change, name
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kpi_core.errors import KpiError
from workbench.store import housekeeping, portable
from workbench.store.engine import Database, connect
from workbench.store.migrating import migrate


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked for and return the exit code: 0, or 1 with the reason on the error output."""
    parser = argparse.ArgumentParser(prog="python -m workbench.admin", description="Look after the stored plans.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("backup", help="write everything to a file").add_argument("file", type=Path)
    commands.add_parser("restore", help="fill an empty database").add_argument("file", type=Path)
    commands.add_parser("purge", help="remove what was deleted more than thirty days ago")
    commands.add_parser("list", help="list every plan")
    asked = parser.parse_args(arguments)
    database = connect()
    try:
        sys.stdout.writelines(f"{line}\n" for line in _done(asked, database))
    except (KpiError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        database.close()
    return 0


def _done(asked: argparse.Namespace, database: Database) -> list[str]:
    if asked.command == "backup":
        return [f"{portable.backup(database, asked.file).rows} rows in {asked.file}"]
    if asked.command == "restore":
        return [f"{portable.restore(database, asked.file).rows} rows restored and compared with {asked.file}"]
    migrate(database)
    if asked.command == "purge":
        return [f"{housekeeping.purge(database, at_once=True)} plans removed"]
    return [_told(plan) for plan in housekeeping.overview(database)]


def _told(plan: housekeeping.Summary) -> str:
    name = " ".join((plan.name.ja or plan.name.en or "").split())
    deleted = "  (deleted)" if plan.deleted_at else ""
    return f"{plan.plan_id}  {plan.revisions:>6}  {plan.changed_at:%Y-%m-%d %H:%M}  {name}{deleted}"


if __name__ == "__main__":
    raise SystemExit(main())
