"""A backup that any of our databases reads: JSON lines, compressed, with a checksum; taken while the app runs.

    {"backup": 1, "schema": "0002", "at": "2026-04-01T09:30:00Z"}
    {"table": "plans", "row": {"id": …}}                            one line a row, parents before children
    {"rows": 1234, "checksum": "…"}

The checksum is the sum of the rows' SHA-256 modulo 2^256: rows may come in any order, so that a database
can be held against the file it was restored from. A backup of an older schema is restored as
it was and then migrated. It holds whole plans and hashes of tokens: the file is its owner's only.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, LargeBinary, MetaData, Table, func, select

from kpi_core.errors import KpiError
from workbench.store.engine import Database
from workbench.store.files import sync_folder
from workbench.store.migrating import known, schema, upgrade
from workbench.store.tables import METADATA

FORMAT = 1
_BATCH = 200


@dataclass(frozen=True)
class Sum:
    """How many rows, and what they come to; equal for equal rows in any order."""

    rows: int = 0
    checksum: int = 0

    def plus(self, line: str) -> Sum:
        """Return the sum with one more row."""
        row = int.from_bytes(hashlib.sha256(line.encode()).digest(), "big")
        return Sum(self.rows + 1, (self.checksum + row) % 2**256)

    def told(self) -> dict[str, Any]:
        """Return the backup's last line."""
        return {"rows": self.rows, "checksum": f"{self.checksum:064x}"}


def backup(database: Database, path: Path) -> Sum:
    """Write everything to a file, as it is at one moment; the file appears when it is whole and on the disk."""
    unfinished = path.with_name(f".{path.name}.part")
    handle = os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        with gzip.open(out, "wt", encoding="utf-8") as file, database.snapshot() as connection:
            head = {"backup": FORMAT, "schema": schema(connection), "at": database.clock().isoformat()}
            file.write(_line(head))
            total = Sum()
            for line in _rows(connection):
                file.write(line)
                total = total.plus(line)
            file.write(_line(total.told()))
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)
    return total


def restore(database: Database, path: Path) -> Sum:
    """Fill an empty database from a backup, bring it to the newest schema, and hold what is in it against the file.

    Raises
    ------
    KpiError
        `backup_damaged`, `backup_unknown`: nothing was changed; `store_not_empty`: there are plans already;
        `store_not_ours`: there are other tables.
    """
    head, total = _checked(path)

    def work(connection: Connection) -> None:
        _clear(connection)
        upgrade(connection, to=head["schema"])
        tables = _tables(connection)
        for name, lines in groupby(_told(path), key=lambda told: told["table"]):
            if name not in tables:
                raise _damaged()
            _fill(connection, tables[name], lines)
        found = Sum()
        for line in _rows(connection):
            found = found.plus(line)
        if found != total:
            raise _damaged()
        upgrade(connection)

    database.write(work)
    return total


def _checked(path: Path) -> tuple[dict[str, Any], Sum]:
    """Return the first line and the sum of a whole and undamaged backup."""
    found, last, head = Sum(), {}, None
    for line in _lines(path):
        told = _parsed(line)
        if head is None:
            head = told
        elif "table" in told:
            found = found.plus(line)
        else:
            last = told
    if head is None or "backup" not in head or last != found.told():
        raise _damaged()
    if head["backup"] != FORMAT or head["schema"] not in known():
        raise KpiError("backup_unknown", "Another version of the app has made this backup. Restore it with that one.")
    return head, found


def _told(path: Path) -> Iterator[dict[str, Any]]:
    return (told for line in _lines(path) if "table" in (told := _parsed(line)))


def _lines(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            yield from file
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise _damaged() from error


def _parsed(line: str) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError) as error:
        raise _damaged() from error


def _rows(connection: Connection) -> Iterator[str]:
    for name, table in _tables(connection).items():
        binary = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]
        streamed = connection.execute(select(table), execution_options={"yield_per": _BATCH})
        for row in streamed.mappings():
            plain = dict(row) | {column: base64.b64encode(row[column]).decode() for column in binary}
            yield _line({"table": name, "row": plain})


def _fill(connection: Connection, table: Table, lines: Iterator[dict[str, Any]]) -> None:
    binary = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]
    batch = []
    for told in lines:
        batch.append(told["row"] | {column: base64.b64decode(told["row"][column]) for column in binary})
        if len(batch) == _BATCH:
            connection.execute(table.insert(), batch)
            batch = []
    if batch:
        connection.execute(table.insert(), batch)


def _tables(connection: Connection) -> dict[str, Table]:
    """Return the tables the database has, whatever its schema, parents first."""
    found = MetaData()
    found.reflect(connection)
    return {table.name: table for table in found.sorted_tables if table.name != "alembic_version"}


def _clear(connection: Connection) -> None:
    """Take away the tables of a database in which nothing is kept."""
    tables = _tables(connection)
    if "plans" in tables and connection.scalar(select(func.count()).select_from(tables["plans"])):
        raise KpiError("store_not_empty", "There are plans in this storage already. Restore into an empty one.")
    if foreign := sorted(set(tables) - set(METADATA.tables)):
        raise KpiError(
            "store_not_ours",
            "This storage holds something else: {tables}. Restore into one of its own.",
            tables=", ".join(foreign[:5]),
        )
    found = MetaData()
    found.reflect(connection)
    found.drop_all(connection)


def _line(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, allow_nan=False) + "\n"


def _damaged() -> KpiError:
    return KpiError("backup_damaged", "This file is no whole backup: rows are missing or differ. Nothing was restored.")
