"""What a database can refuse, in plain words: it is down, read-only, full or busy, and what was typed is still here.

Bugs stay bugs: a statement the database does not understand is not turned into a sentence.
"""

from __future__ import annotations

import errno

from sqlalchemy import exc

from kpi_core.errors import KpiError

_PASSING = {"40001", "40P01"}  # PostgreSQL: could not serialise, deadlock
_BY_STATE = {"25006": "store_read_only", "53100": "store_full", "53300": "store_busy", "55P03": "store_busy"}
_BY_STATE |= dict.fromkeys([*_PASSING, "57014"], "store_busy")
_BY_SQLITE = {"READONLY": "store_read_only", "FULL": "store_full", "BUSY": "store_busy", "LOCKED": "store_busy"}
_BY_ERRNO = {errno.EACCES: "store_read_only", errno.EROFS: "store_read_only", errno.ENOSPC: "store_full"}
_BY_SQLITE |= dict.fromkeys(["CANTOPEN", "CORRUPT", "IOERR", "NOTADB", "PERM", "PROTOCOL"], "store_down")

AWAY = frozenset({"store_down", "store_busy", "store_full", "store_read_only"})
"""What a database says that does not do its work now and may do it later."""


def failure(error: exc.SQLAlchemyError) -> KpiError | None:
    """Return what a person should read about a database that did not do its work; None for a bug."""
    code = _code(error)
    return None if code is None else _told(code)


def no_file(error: OSError) -> KpiError:
    """Return what a person should read about a database file that cannot be made."""
    return _told(_BY_ERRNO.get(error.errno or 0, "store_down"))


def out_of_turn() -> KpiError:
    """Return what a person should read whose turn to write did not come."""
    return _told("store_busy")


def is_passing(error: exc.DBAPIError) -> bool:
    """Return whether the same transaction may well succeed at once: nothing of it was committed."""
    return _state(error) in _PASSING or _code(error) == "store_busy"


def _code(error: exc.SQLAlchemyError) -> str | None:
    if isinstance(error, exc.TimeoutError):
        return "store_busy"
    if not isinstance(error, exc.DBAPIError):
        return None
    if name := str(getattr(error.orig, "sqlite_errorname", None) or ""):
        return _BY_SQLITE.get(name.split("_")[1])
    lost = isinstance(error, exc.OperationalError | exc.InterfaceError) or error.connection_invalidated
    return _BY_STATE.get(_state(error), "store_down" if lost else None)


def _state(error: exc.DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", "") or "")


def _told(code: str) -> KpiError:
    if code == "store_read_only":
        return KpiError(code, "Nothing can be saved now: the storage is read-only. Your changes are kept on this page.")
    if code == "store_full":
        return KpiError(code, "Nothing can be saved now: the storage is full. Your changes are kept on this page.")
    if code == "store_busy":
        return KpiError(code, "The storage is busy. Your changes are kept on this page until it answers.")
    return KpiError(code, "The storage does not answer. Your changes are kept on this page for now.")
