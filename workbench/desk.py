"""What a browser works at: a plan, the way there, and the way back.

A desk outlives a reload of the page; two tabs of one browser share it. What others do to the plan meanwhile is
followed, and undo takes back what was done here and no more: one's own step, reversed on top of what is there now.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kpi_core.plan import Plan
from workbench.merging import merge

MAX_DESKS = 2_000
MAX_STEPS = 200


class Keeper(Protocol):
    """Whoever keeps what is done at a desk."""

    def keep(self, kind: str) -> None:
        """Keep the plan as it is now."""

    def keep_desk(self) -> None:
        """Keep what lies beside the plan."""


@dataclass(frozen=True)
class Step:
    """One thing done here: the plan before and after it (or the numbers they are kept under), and the baselines."""

    before: Plan | int
    after: Plan | int
    baselines: tuple[Plan, Plan]


def _unknown(number: int) -> Plan:
    raise LookupError(number)


@dataclass
class Desk:
    """One browser's plan with its history, and what it is compared with."""

    plan: Plan
    baseline: Plan
    steps: list[Step] = field(default_factory=list)
    at: int = 0
    language: str | None = None
    scenarios: dict[str, Plan] = field(default_factory=dict)
    keeper: Keeper | None = None
    loaded: Callable[[int], Plan] = _unknown
    lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def holding(cls, plan: Plan) -> Desk:
        """Return a new desk with this plan on it."""
        return cls(plan=plan, baseline=plan)

    @property
    def can_undo(self) -> bool:
        """Return whether something was done here that can be taken back."""
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        """Return whether something was taken back here."""
        return self.at < len(self.steps)

    def change(self, changes: Mapping[str, Any]) -> None:
        """Put a changed plan on top.

        Raises
        ------
        KpiError
            `plan_invalid`: nothing was changed.
        """
        with self.lock:
            self.put(self.plan.replace(changes))

    def put(self, plan: Plan, *, baseline: Plan | None = None, kind: str = "change") -> None:
        """Put a plan, or another baseline for it, on top of the history; what had been undone is dropped.

        Raises
        ------
        KpiError
            `file_too_large`: the plan could not be read again; nothing was changed.
        """
        with self.lock:
            plan.check_length()
            baseline = self.baseline if baseline is None else baseline
            if plan == self.plan and baseline == self.baseline:
                return
            step = Step(self.plan, plan, (self.baseline, baseline))
            self.steps = [*self.steps[: self.at], step][-MAX_STEPS:]
            self.at = len(self.steps)
            self._show(plan, baseline, kind)

    def open(self, plan: Plan) -> None:
        """Put another plan in place of this one, and compare with it from now on; undo leads back."""
        self.put(plan, baseline=plan, kind="open")

    def lead_back_to(self, other: Desk) -> None:
        """Let the first undo show the plan of another desk."""
        with self.lock:
            self.steps, self.at = [Step(other.plan, self.plan, (other.baseline, self.baseline))], 1

    def undo(self) -> None:
        """Take the last thing done here back.

        Raises
        ------
        KpiError
            What the database refuses, where it has to be asked what was there before; nothing was taken back.
        """
        with self.lock:
            if self.can_undo:
                step = self.steps[self.at - 1]
                moved = self._moved(step.after, step.before)
                self.at -= 1
                self._show(moved, step.baselines[0], "undo")

    def redo(self) -> None:
        """Take the last undo back; raises as `undo`."""
        with self.lock:
            if self.can_redo:
                step = self.steps[self.at]
                moved = self._moved(step.before, step.after)
                self.at += 1
                self._show(moved, step.baselines[1], "redo")

    def follow(self, plan: Plan) -> None:
        """Show what the plan has become elsewhere; what was done here can still be undone."""
        with self.lock:
            self.plan = plan

    def kept_beside(self) -> None:
        """Have the keeper keep what changed beside the plan: the language, a scenario."""
        if self.keeper is not None:
            self.keeper.keep_desk()

    def _moved(self, start: Plan | int, end: Plan | int) -> Plan:
        """Return the plan now with a step made on it; where others changed the same since, theirs stays."""
        before, after = (self.loaded(side) if isinstance(side, int) else side for side in (start, end))
        return after if before == self.plan else merge(before, after, self.plan).plan

    def _show(self, plan: Plan, baseline: Plan, kind: str) -> None:
        changed, self.plan, self.baseline = plan != self.plan, plan, baseline
        if self.keeper is not None:
            self.keeper.keep(kind) if changed else self.keeper.keep_desk()


class Desks:
    """The desks of all browsers, the longest unused dropped first; a browser may have one for each of its plans."""

    def __init__(self, limit: int = MAX_DESKS) -> None:
        self._limit = limit
        self._desks: OrderedDict[tuple[str, str], Desk] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, browser: str, plan_id: str, first: Callable[[], Desk]) -> Desk:
        """Return this browser's desk for a plan, the one `first` gives if there is none."""
        with self._lock:
            desk = self._desks.pop((browser, plan_id), None)
        made = first() if desk is None else desk
        with self._lock:
            desk = self._desks.setdefault((browser, plan_id), made)
            while len(self._desks) > self._limit:
                self._desks.popitem(last=False)
            return desk

    def last(self, browser: str, *, without: str | None = None) -> Desk | None:
        """Return the desk that this browser used last, of those that are here."""
        with self._lock:
            return next(
                (
                    desk
                    for (whose, plan_id), desk in reversed(self._desks.items())
                    if whose == browser and plan_id != without
                ),
                None,
            )

    def known_as(self, browser: str, plan_id: str, desk: Desk) -> None:
        """Let a desk be found under the name its plan has got."""
        with self._lock:
            self._desks.pop((browser, ""), None)
            self._desks[(browser, plan_id)] = desk

    def drop(self, browser: str, plan_id: str) -> None:
        """Forget a desk."""
        with self._lock:
            self._desks.pop((browser, plan_id), None)

    def __len__(self) -> int:
        return len(self._desks)
