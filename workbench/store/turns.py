"""Taking turns within a process: who came first goes first, and nobody waits for what stands still.

Python's own locks let whoever is quickest in; with fifty people at one plan somebody would wait a minute.
However long the queue, who waits in it has reason to as long as it moves: a busy hour is no fault.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turnstile:
    """A lock that is handed on in the order in which it was asked for; a thread that has it may not ask again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False
        self._done = 0  # turns that ended well

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Wait for one's turn and have it for the block.

        Raises
        ------
        TimeoutError
            For so many seconds no turn of anybody ended well.
        """
        self._enter(seconds)
        try:
            yield
            self._done += 1
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting.popleft().release()  # it stays taken: it is theirs now
                else:
                    self._taken = False

    def _enter(self, seconds: float) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
            done = self._done
        while not mine.acquire(timeout=seconds):
            with self._lock:
                if mine not in self._waiting:
                    return  # it was handed over at the last moment, and is ours
                if self._done == done:
                    self._waiting.remove(mine)
                    raise TimeoutError
                done = self._done
