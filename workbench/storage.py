"""The app's one store: opened with the first call that needs it, asked whether it is ready, tidied every day."""

from __future__ import annotations

from functools import cache

from kpi_core.errors import KpiError
from workbench.store import Store, housekeeping


@cache
def store() -> Store:
    """Return where plans are kept."""
    return Store.at()


def ready() -> str | None:
    """Return None if plans can be kept, else the code of what is in the way."""
    try:
        store().prepare()
        store().check_ready()
    except KpiError as error:
        return error.code
    return None


def purge() -> None:
    """Remove for good what was deleted more than thirty days ago.

    Raises
    ------
    KpiError
        What the database refuses.
    """
    store().prepare()
    housekeeping.purge(store().database)
