"""What the server keeps for one browser: its plan, the way there, and the way back.

A desk outlives a reload of the page; it is memory only (durable storage is not its job) and
bounded: the longest unused desks go first. Two tabs of one browser share a desk.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kpi_core.plan import Plan

MAX_DESKS = 2_000
MAX_REVISIONS = 200


@dataclass
class Desk:
    """One browser's plan with its history, and beside each revision what it is compared with."""

    revisions: list[Plan]
    baselines: list[Plan]
    at: int = 0
    language: str | None = None
    scenarios: dict[str, Plan] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def holding(cls, plan: Plan) -> Desk:
        """Return a new desk with this plan on it."""
        return cls(revisions=[plan], baselines=[plan])

    @property
    def plan(self) -> Plan:
        """Return the plan as it is now."""
        return self.revisions[self.at]

    @property
    def baseline(self) -> Plan:
        """Return what the plan as it is now is compared with; undo brings the earlier one back."""
        return self.baselines[self.at]

    @property
    def can_undo(self) -> bool:
        """Return whether there is an earlier revision."""
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        """Return whether an undone revision is still there."""
        return self.at < len(self.revisions) - 1

    def change(self, changes: Mapping[str, Any]) -> None:
        """Put a changed plan on top.

        Raises
        ------
        KpiError
            `plan_invalid`: nothing was changed.
        """
        with self.lock:
            self.put(self.plan.replace(changes))

    def put(self, plan: Plan, *, baseline: Plan | None = None) -> None:
        """Put a plan, or another baseline for it, on top of the history; what had been undone is dropped."""
        with self.lock:
            baseline = self.baseline if baseline is None else baseline
            if plan != self.plan or baseline != self.baseline:
                self.revisions = [*self.revisions[: self.at + 1], plan][-MAX_REVISIONS:]
                self.baselines = [*self.baselines[: self.at + 1], baseline][-MAX_REVISIONS:]
                self.at = len(self.revisions) - 1

    def open(self, plan: Plan) -> None:
        """Start on another plan; undo still leads back to the one before."""
        with self.lock:
            self.put(plan, baseline=plan)
            self.scenarios = {}

    def undo(self) -> None:
        """Go one revision back."""
        with self.lock:
            self.at = max(self.at - 1, 0)

    def redo(self) -> None:
        """Take the last undo back."""
        with self.lock:
            self.at = min(self.at + 1, len(self.revisions) - 1)


class Desks:
    """The desks of all browsers, the longest unused dropped first."""

    def __init__(self, limit: int = MAX_DESKS) -> None:
        self._limit = limit
        self._desks: OrderedDict[str, Desk] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, browser: str, first: Plan) -> Desk:
        """Return this browser's desk, a new one with `first` on it if there is none."""
        with self._lock:
            desk = self._desks.pop(browser, None) or Desk.holding(first)
            self._desks[browser] = desk
            while len(self._desks) > self._limit:
                self._desks.popitem(last=False)
            return desk

    def __len__(self) -> int:
        return len(self._desks)
