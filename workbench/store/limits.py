"""A brake on guessing links: ten tries that failed in a minute, and an address has to wait.

A try counts as failed from the moment it begins, so that a thousand at once are not a thousand tries;
one that succeeds is taken back. In memory only, and bounded: the addresses longest unheard of go first.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from workbench.addresses import neighbourhood

FAILURES = 10
SECONDS = 60.0
MAX_ADDRESSES = 20_000


class Brake:
    """How many tries each address has left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, addresses: int = MAX_ADDRESSES) -> None:
        self._clock = clock
        self._addresses = addresses
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, address: str) -> bool:
        """Return whether this address may try, and count the try."""
        now, person = self._clock(), neighbourhood(address)
        with self._lock:
            recent = self._failures.pop(person, None) or deque()
            while recent and recent[0] <= now - SECONDS:
                recent.popleft()
            self._failures[person] = recent
            while len(self._failures) > self._addresses:
                self._failures.popitem(last=False)
            if len(recent) >= FAILURES:
                return False
            recent.append(now)
            return True

    def succeeded(self, address: str) -> None:
        """Take the last try of this address back: it was none that failed."""
        with self._lock:
            if recent := self._failures.get(neighbourhood(address)):
                recent.pop()

    def __len__(self) -> int:
        return len(self._failures)
