"""Give a file as it is when its button is pressed, and keep it until the browser has fetched it.

The press of a button may be what makes a field say its entry: then the page is drawn anew just when the file is asked
for, and Streamlit forgets with each new drawing what the buttons before it stood for. Here it is kept a while longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Literal

from streamlit.runtime.media_file_manager import MediaFileManager

from workbench.desk import Desk

KEPT_SECONDS = 30.0  # after a page has been drawn without it
TAKEN_UP_SECONDS = 0.2  # so long an entry may take that arrives with the press

Form = Literal["yaml", "json"]
FORMS: tuple[Form, ...] = ("yaml", "json")
Clock = Callable[[], float]

# As Streamlit has it: it has no other way, and its version is fixed.
_unused_files = MediaFileManager._get_inactive_file_ids  # noqa: SLF001


def contents(desk: Desk, form: Form = "yaml") -> Callable[[], str]:
    """Return what gives the plan of a desk as text at the moment it is asked for, what was entered last included."""

    def text() -> str:
        time.sleep(TAKEN_UP_SECONDS)  # the entry is worked on beside this, and nothing says whether there is one
        return desk.plan.to_json() if form == "json" else desk.plan.to_yaml()

    return text


class Unused:
    """Since when things are not used any more, by name."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}

    def for_long(self, unused: Iterable[str]) -> set[str]:
        """Return those of what is unused now that have been so for `KEPT_SECONDS`."""
        now = self._clock()
        self._since = {name: self._since.get(name, now) for name in unused}
        return {name for name, since in self._since.items() if now - since >= KEPT_SECONDS}


def keep_a_while(manager: type[MediaFileManager] = MediaFileManager) -> None:
    """Have Streamlit keep files, and what gives them, for a while after the page that offered them was drawn anew."""
    files, givers = Unused(), Unused()

    def old_files(self: MediaFileManager) -> set[str]:
        return files.for_long(_unused_files(self))

    def drop_old_givers(self: MediaFileManager) -> None:
        active = {name for places in self._files_by_session_and_coord.values() for name in places.values()}
        for name in givers.for_long([name for name in self._deferred_callables if name not in active]):
            self._drop_deferred_id(name)

    manager._get_inactive_file_ids = old_files  # type: ignore[method-assign]  # noqa: SLF001 - as above
    manager._remove_orphaned_deferred_callables = drop_old_givers  # type: ignore[method-assign]  # noqa: SLF001
