"""How large a plan may be: limits under which reading takes seconds and megabytes, whatever the text holds.

A plan of 2,000 metrics with formulas of a hundred characters each is within them. They hold for every reader,
the one of files and the one of the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpi_core.errors import KpiError
from kpi_core.plan_text import quoted

MAX_ENTRIES = {"teams": 50, "metrics": 2_000, "ksfs": 500, "drivers": 2_000, "decisions": 500}
MAX_ITEMS = 2_000  # of one list or one mapping within a part
MAX_VALUES = 100_000  # of one part with all that is in it: a metric, a KSF, a decision, the assumptions
MAX_FORMULA_CHARACTERS = 200_000  # of all formulas together
MAX_NAME_CHARACTERS = 400_000  # of all that metrics are called, together
MAX_PROBLEMS = 50  # then reading stops
MAX_SUGGESTIONS = 10  # names looked up for the first of them only: a look-up goes through all names


def too_many(count: int, limit: int) -> KpiError:
    """Return the error about a list that is too long."""
    return KpiError("too_many", "{path} has {count} entries; {limit} are allowed.", count=count, limit=limit)


def oversize(data: Any, path: str) -> tuple[KpiError, str] | None:
    """Return what is too large in the data of one part, and the path of it; None: all is small enough.

    >>> oversize({"short": [""] * 3_000}, "metrics.leads")[1]
    'metrics.leads.short'
    """
    todo, values = [(data, path)], 0
    while todo:
        entry, where = todo.pop()
        if not isinstance(entry, Mapping | list | tuple):
            continue
        values += len(entry)
        if len(entry) > MAX_ITEMS:
            return too_many(len(entry), MAX_ITEMS), where
        if values > MAX_VALUES:
            return too_many(values, MAX_VALUES), path
        if isinstance(entry, Mapping):
            todo += [(value, f"{where}.{quoted(str(key))}") for key, value in entry.items()]
        else:
            todo += [(value, where) for value in entry]
    return None
