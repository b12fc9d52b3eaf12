"""The database: one SQLite file in a data folder, or PostgreSQL where `GYAKUSAN_DATABASE_URL` says so.

What has been committed is on the disk: SQLite runs in WAL mode with `synchronous=FULL`, PostgreSQL with
`synchronous_commit=on`. A SQLite write takes the process's one write lock and then `BEGIN IMMEDIATE`:
a transaction that starts as a reader cannot be raised to a writer without losing to another one.
"""

from __future__ import annotations

import importlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url

from kpi_core.errors import KpiError
from workbench.store.failures import failure, is_passing, no_file, out_of_turn
from workbench.store.file_watch import FileWatch
from workbench.store.turns import Turnstile

WITHOUT_WAL_RESET_RACE = (3, 51, 3)
BUSY_SECONDS = 30  # for what another process holds
PATIENCE_SECONDS = 120  # for what this one does itself, if nothing of it ends well for so long
TRIES = 3

_ROOT = Path(__file__).parents[2]
_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
_writing = Turnstile()  # one for the process, however many files it writes
_making = threading.Lock()

Answer = TypeVar("Answer")


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


def default_url() -> str:
    """Return where plans are kept: `GYAKUSAN_DATABASE_URL`, else a file in `GYAKUSAN_DATA`, else in `data/`."""
    if url := os.environ.get("GYAKUSAN_DATABASE_URL"):
        return url
    folder = Path(os.environ.get("GYAKUSAN_DATA") or _ROOT / "data")
    return URL.create("sqlite", database=str(folder / "gyakusan.sqlite3")).render_as_string(hide_password=False)


class Database:
    """An engine and a clock; `read` and `write` are the only ways in, and word what the database refuses."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self.engine = engine
        self.clock = clock
        self._writer = engine.execution_options(writes=True)
        self._watch = self._watched()

    @property
    def is_sqlite(self) -> bool:
        """Return whether this is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @property
    def generation(self) -> int:
        """Return how often the SQLite file was found deleted or replaced: then what was known of it may not be so."""
        return 0 if self._watch is None else self._watch.generation

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database (SQLite) or what is committed (PostgreSQL).

        Raises
        ------
        KpiError
            `store_down`, `store_read_only`, `store_full`, `store_busy`.
        """
        with _worded(), self._file(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the whole database, however long it reads."""
        engine = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        with _worded(), self._file(), engine.begin() as connection:
            yield connection

    def write(self, work: Callable[[Connection], Answer]) -> Answer:
        """Return what `work` answers, once all it did is committed and on the disk; else nothing of it is.

        `work` may run again: after a deadlock, or where another process kept the database for too long.

        Raises
        ------
        KpiError
            As `read`; and whatever `work` raises, after a rollback.
        """
        for left in reversed(range(TRIES)):
            try:
                with _worded(), self._file(), self.gate():
                    generation = self.generation
                    with self._writer.begin() as connection:
                        answer = work(connection)
                    if self._is_kept(generation):
                        return answer
            except KpiError as error:
                cause = error.__cause__
                if not (left and isinstance(cause, exc.DBAPIError) and is_passing(cause)):
                    raise
        raise out_of_turn()  # each time the file went while it was written

    def gate(self) -> AbstractContextManager[Any]:
        """Return what a write passes through: on SQLite the process's write lock."""
        return _writing.turn(PATIENCE_SECONDS) if self.is_sqlite else nullcontext()

    def empty_log(self) -> None:
        """Move SQLite's log into the file, so that nothing that was deleted is left in it."""
        if self.is_sqlite:
            with _worded(), self.gate(), self.engine.connect() as connection:
                connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every connection; SQLite then moves its log into the file."""
        if self._watch is not None:
            self._watch.close()
        self.engine.dispose()

    def look(self) -> bool:
        """Return whether the SQLite file is another one than before; what was in it has been kept.

        Raises
        ------
        KpiError
            As `read`: what was in it cannot be written now. It is still there; the next call tries again.
        """
        if self._watch is None:
            return False
        with _worded(), _making:
            try:
                is_another = self._watch.look()
            except OSError as error:
                raise no_file(error) from error
            except sqlite_module().Error as error:
                raise exc.DBAPIError.instance(None, None, error, sqlite_module().Error) from error
            if is_another:
                self.engine.dispose()  # its connections go on with the file they opened
            return is_another

    def _is_kept(self, generation: int) -> bool:
        """Return whether what was written just now is in the file that has the name, and not in one that has gone."""
        return self.look() or self.generation == generation

    def _watched(self) -> FileWatch | None:
        url = self.engine.url
        if not self.is_sqlite or not url.database or "uri" in url.query:
            return None
        return FileWatch(Path(url.database), sqlite_module(), lambda raw: _set_up_sqlite(raw, None), self.clock)

    @contextmanager
    def _file(self) -> Iterator[None]:
        """See that the SQLite file is there before a connection: SQLite's own would be readable by everybody.

        One thread looks at a time: closing the file while another has SQLite open would drop its locks.
        """
        self.look()
        generation = self.generation
        try:
            yield
        except exc.SQLAlchemyError as error:
            if self.look() or self.generation != generation:
                raise out_of_turn() from error  # the file went meanwhile; the same may be asked again
            raise


def connect(url: str | None = None, *, clock: Callable[[], datetime] = utc_now) -> Database:
    """Return the database at a URL; nothing is opened yet."""
    parsed = make_url(url or default_url())
    options: dict[str, Any] = {"pool_timeout": PATIENCE_SECONDS, "hide_parameters": True}  # logs hold no plans
    options |= {"pool_size": 5, "max_overflow": 5}  # nine servers fit a PostgreSQL of a hundred connections
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, module=sqlite_module(), connect_args={"timeout": BUSY_SECONDS}, **options)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin)
    else:
        parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": 10}, **options)
        event.listen(engine, "connect", _set_up_postgres)
    return Database(engine, clock)


def sqlite_module() -> ModuleType:
    """Return Python's sqlite3, or pysqlite3 where the former can corrupt a WAL file that two connections write."""
    if sqlite3.sqlite_version_info >= WITHOUT_WAL_RESET_RACE:
        return sqlite3
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:  # no wheel for this system; one process with one write lock never meets the race
        return sqlite3


@contextmanager
def _worded() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise out_of_turn() from error
    except exc.SQLAlchemyError as error:
        told = failure(error)
        if told is None:
            raise
        raise told from error


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say when a transaction begins, not the driver
    cursor = connection.cursor()
    for left in reversed(range(100)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except Exception as error:  # two processes that make the file at once; the driver's timeout does not cover it
            if not left or getattr(error, "sqlite_errorname", "") != "SQLITE_BUSY":
                raise
            time.sleep(0.05)
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_up_postgres(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET synchronous_commit = on; SET lock_timeout = '{BUSY_SECONDS}s'")
    connection.commit()
