"""What a browser keeps beside a plan: language, the way back, what it compares with, scenarios.

It is the browser's own: nobody else reads or writes it, and it ends with the plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from kpi_core.errors import KpiError
from workbench.store.rights import Actor
from workbench.store.tables import desks, put

MAX_CHARACTERS = 5_000_000


def keep(connection: Connection, actor: Actor, plan_id: str, state: Mapping[str, Any], now: datetime) -> None:
    """Keep what the browser has beside a plan, over what it had kept before.

    Raises
    ------
    KpiError
        `desk_too_large`.
    """
    text = json.dumps(state, allow_nan=False)
    if len(text) > MAX_CHARACTERS:
        raise KpiError("desk_too_large", "There are too many scenarios to keep. Remove some of them.")
    row = {"visitor": actor.visitor, "plan_id": plan_id, "state": text, "at": now}
    put(connection, desks, row, {"state": text, "at": now})


def kept(connection: Connection, actor: Actor, plan_id: str) -> dict[str, Any] | None:
    """Return what the browser kept beside a plan."""
    chosen = select(desks.c.state).where(desks.c.visitor == actor.visitor, desks.c.plan_id == plan_id)
    found = connection.scalar(chosen)
    return None if found is None else dict(json.loads(found))


def recent(connection: Connection, actor: Actor) -> list[str]:
    """Return the plans this browser has worked at, the latest first; whether it still may is asked elsewhere."""
    chosen = select(desks.c.plan_id).where(desks.c.visitor == actor.visitor).order_by(desks.c.at.desc())
    return list(connection.scalars(chosen))
