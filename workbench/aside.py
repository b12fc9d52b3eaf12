"""Work that no page waits for: asking a database that takes its time to say that it does not answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from workbench import logs


class Aside:
    """One piece of work at a time; what is asked for meanwhile is not done, since the next page asks again."""

    def __init__(self) -> None:
        self._at_work = threading.Lock()

    def do(self, work: Callable[[], None]) -> None:
        """Have a thread do it, unless one is at work already, or there is none left."""
        if self._at_work.acquire(blocking=False):
            try:
                threading.Thread(target=self._do, args=(work,), daemon=True).start()
            except RuntimeError:
                self._at_work.release()

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # nobody waits for it who could be told
            logs.tell("aside_failed", level=logging.ERROR, **logs.broken(error))
        finally:
            self._at_work.release()
