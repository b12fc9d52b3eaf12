"""What the database knows of the servers that use it: that one can write now, and on which days one has run.

A clock may be wrong by a month when a server starts. So what was deleted is not purged because one clock says that it
is time, but when servers have also been seen on several days since.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from workbench.store.tables import heartbeats, put

FILLER = bytes(16_384)  # bytes: about what one save of a plan writes, so that a disk which takes it takes a plan
_READY = "ready"
_A_DAY = 10  # characters: 2026-04-01


def beat(connection: Connection, now: datetime) -> None:
    """Write as much as a save does."""
    put(connection, heartbeats, {"name": _READY, "at": now, "filler": FILLER}, {"at": now, "filler": FILLER})


def seen(connection: Connection, now: datetime) -> None:
    """Note that a server runs today."""
    put(connection, heartbeats, {"name": f"{now:%Y-%m-%d}", "at": now, "filler": b""})


def days_since(connection: Connection, then: datetime, now: datetime) -> int:
    """Return on how many days after `then`, until now, a server has been seen."""
    day = heartbeats.c.name
    counted = select(func.count()).where(func.length(day) == _A_DAY, day > f"{then:%Y-%m-%d}", day <= f"{now:%Y-%m-%d}")
    return int(connection.scalar(counted) or 0)
