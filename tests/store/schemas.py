"""Databases as earlier versions of the app left them: an SQL dump of each schema, and what was in it.

    python -m tests.store.schemas 0003     after adding migration 0003: write its dump, once and for ever

`tests/data/store/0003.sql` is then never changed: it stands for the databases people have.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from pathlib import Path

from kpi_core.plan import Plan
from workbench import samples
from workbench.store.engine import connect
from workbench.store.migrating import migrate
from workbench.store.revisions import Draft

FOLDER = Path(__file__).parents[1] / "data" / "store"
LEVERS = ("visitors", "cvr", "appt_rate")


def plans() -> dict[str, list[Plan]]:
    """Return what every dump holds: three plans, each with its revisions, the oldest first."""
    start = samples.sample_plan()
    changed = [start]
    for lever in LEVERS:
        changed.append(changed[-1].replace({f"metrics.{lever}.value": changed[-1].metrics[lever].low}))
    return {"sample": changed, "abm": [samples.template("abm")], "funnel": [samples.template("funnel")]}


def write(schema: str) -> Path:
    """Write the dump of one schema."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "old.sqlite3")
        database = connect(f"sqlite:///{file}")
        migrate(database, to=schema)
        database.close()
        with sqlite3.connect(file) as connection:
            for plan_id, kept in plans().items():
                _fill(connection, plan_id, [Draft.of(plan) for plan in kept])
            connection.commit()
            path = FOLDER / f"{schema}.sql"
            path.write_text("\n".join(connection.iterdump()) + "\n", encoding="utf-8")
    return path


def _fill(connection: sqlite3.Connection, plan_id: str, kept: list[Draft]) -> None:
    at = "2026-04-01T09:30:00.000000Z"
    columns = "id, name, newest, created_at"
    connection.execute(f"INSERT INTO plans ({columns}) VALUES (?, ?, ?, ?)", (plan_id, kept[-1].name, len(kept), at))
    for number, draft in enumerate(kept, start=1):
        parent = number - 1 or None
        row = (plan_id, number, parent, parent, "安", "", "", "change", at, f"key {number}", draft.document)
        columns = "plan_id, number, parent, base, author, note, label, kind, at, key, document"
        connection.execute(f"INSERT INTO revisions ({columns}) VALUES ({', '.join('?' * len(row))})", row)


if __name__ == "__main__":
    sys.stdout.write(f"{write(sys.argv[1])}\n")
