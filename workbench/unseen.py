"""What changed since the browser last drew the plan: an entry is not put over what its maker has not seen.

A page that lies open is drawn anew some seconds after somebody else, or another tab, has changed the plan. Until then
its fields say what the plan said before. Each picture is remembered with the plan it shows, and what this page itself
has entered since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kpi_core.plan import Plan
from workbench import pictures, session

_PLANS, _OWN = "unseen_plans", "unseen_own"
_KEPT = 20  # pictures a browser may be behind, and fields entered: older plans are let go


def drawn() -> None:
    """Note which plan the picture shows that has just ended."""
    plans: dict[int, Plan] = session.recall(_PLANS, {})
    plans[pictures.given()] = session.plan()
    session.remember(_PLANS, dict([*plans.items()][-_KEPT:]))


def changed(paths: Iterable[str]) -> bool:
    """Return whether one of these fields is something else by now than the browser shows, by another's hand."""
    before: Plan | None = session.recall(_PLANS, {}).get(pictures.drawn())
    now = session.plan()
    if before is None or before is now:
        return False
    own: dict[str, Plan] = session.recall(_OWN, {})
    then, here = before.to_data(), now.to_data()
    moved = [path for path in paths if _value(then, path) != _value(here, path)]
    return any(path not in own or _value(own[path].to_data(), path) != _value(here, path) for path in moved)


def entered(paths: Iterable[str]) -> None:
    """Note that this page has entered these fields, as the plan has them now."""
    own: dict[str, Plan] = session.recall(_OWN, {}) | dict.fromkeys(paths, session.plan())
    session.remember(_OWN, dict([*own.items()][-_KEPT:]))


def _value(data: Any, path: str) -> Any:
    for step in path.split("."):
        data = data.get(step) if isinstance(data, Mapping) else None
    return data
