"""Collects garbage in pauses too short to be noticed: what survived one collection is left out of the next.

A collection stops every thread for as long as it takes to look at all objects: half a second with twenty people's plans
in memory. So there are many, and where one begins to take long, what is alive after it is frozen: the next looks only
at what is new since. A frozen object still goes when nobody holds it any more; only a ring of frozen objects that hold
one another stays. So there are few freezes, and everything is looked at again when nobody is there to wait for it, and,
whoever is there, when what is frozen has grown by half.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

QUIET_SECONDS = 60.0  # so long nobody's page has said anything: open pages say something every few seconds
GROWN = 1.5
LONG_SECONDS = 0.012  # of processor time: a collection that takes more leaves less to the next
SMALL = 1_000_000  # objects: below that much more nothing has grown


class Collector:
    """What has been frozen, and when somebody was last there."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, work: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock, self._work = clock, work
        self._heard = clock()
        self._whole_at: float | None = None
        self._alive = 0

    def heard(self) -> None:
        """Note that somebody is there."""
        self._heard = self._clock()

    def collect(self) -> None:
        """Collect garbage; freeze what is alive if that took long, or if everything was looked at."""
        is_whole = self._is_due()
        if is_whole:
            gc.unfreeze()
        began = self._work()
        gc.collect()
        if is_whole or self._work() - began > LONG_SECONDS:
            gc.freeze()
        if is_whole:
            self._alive, self._whole_at = gc.get_freeze_count(), self._clock()

    def _is_due(self) -> bool:
        """Return whether everything is to be looked at again."""
        if self._whole_at is None or gc.get_freeze_count() > GROWN * self._alive + SMALL:
            return True
        return self._heard > self._whole_at and self._clock() - self._heard >= QUIET_SECONDS


collector = Collector()
