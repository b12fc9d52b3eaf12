"""Notices that the SQLite file was deleted or replaced while the app runs, and keeps what was in it.

SQLite does not notice: connections go on with the file they opened, which has no name any more, and all that is saved
is gone with the process. So before and after each transaction the file's identity on the disk (its inode) is compared.
One connection stays open, and through it all that was saved can still be read:

    deleted     everything is written anew under the same name, as if nothing had happened
    replaced    the new file counts; what was in the old one is written beside it, as `….before-20260401T093000Z`
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from workbench.store.files import private_file, sync_folder

_log = logging.getLogger("gyakusan.store")
_BESIDE = ("-wal", "-shm")

Identity = tuple[int, int]


class FileWatch:
    """One SQLite file, and the connection that outlives its name; whoever calls has the process's lock for it."""

    def __init__(
        self, path: Path, module: ModuleType, set_up: Callable[[Any], None], clock: Callable[[], datetime]
    ) -> None:
        self._path, self._module, self._set_up, self._clock = path, module, set_up, clock
        self._identities: dict[str, Identity | None] = {}
        self._keeper: Any = None
        self.generation = 0

    def look(self) -> bool:
        """Make the file if it was never there; return whether it is another one than at the last look.

        Raises
        ------
        OSError, the module's Error
            What was in the file cannot be written now; the next look tries again.
        """
        found = _identity(self._path)
        if self._keeper is None:
            if found is None:
                private_file(self._path)
            with suppress(OSError, self._module.Error):  # whoever uses the file is told why it cannot be used
                self._hold(_identity(self._path))
            return False
        if found == self._identities[""]:
            return False
        self._forget_log()
        self._put_back(None if found is None or self._is_empty() else found)
        return True

    def close(self) -> None:
        """Let go of the file."""
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def _hold(self, file: Identity | None) -> None:
        """Open the connection that stays in place of the last, and have it read: only then it holds the log too.

        It must be to this file, before the last one is let go: another may have its name already.
        """
        keeper = self._open()
        try:
            self._set_up(keeper)
            keeper.execute("SELECT count(*) FROM sqlite_master").fetchall()
            identities = {end: _identity(_beside(self._path, end)) for end in ("", *_BESIDE)}
            if file is None or identities[""] != file:
                raise FileNotFoundError(self._path.name)
        except (OSError, self._module.Error):
            keeper.close()
            raise
        self.close()
        self._keeper, self._identities = keeper, identities

    def _put_back(self, found: Identity | None) -> None:
        """Write anew what was in the file; beside it, if another with something in it has its name (`found`)."""
        is_deleted = found is None
        stamp = self._clock().strftime("%Y%m%dT%H%M%SZ")
        target = self._path if is_deleted else _beside(self._path, f".before-{stamp}")
        part = _beside(target, ".part")
        part.unlink(missing_ok=True)
        private_file(part)
        copy = self._module.connect(part)
        try:
            self._keeper.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # all of it in one file
        finally:
            copy.close()
        if is_deleted:
            self._forget_log(whosever=True)
        whole = _identity(part)
        part.replace(target)
        sync_folder(target.parent)
        self._hold(whole if is_deleted else found)
        self.generation += 1
        _log.error("database_file_deleted" if is_deleted else "database_file_replaced")

    def _forget_log(self, *, whosever: bool = False) -> None:
        """Take the old file's log away before anybody opens the new one: it would be taken for that one's own."""
        for end in _BESIDE:
            if whosever or _identity(_beside(self._path, end)) == self._identities[end]:
                _beside(self._path, end).unlink(missing_ok=True)

    def _is_empty(self) -> bool:
        """Return whether there is nothing in the file that has the name now: it is as good as none.

        Raises the module's Error if it is no database, or gone again.
        """
        found = self._open()
        try:
            return not found.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        finally:
            found.close()

    def _open(self) -> Any:
        """Open the file, and make none if it is gone."""
        return self._module.connect(f"{self._path.absolute().as_uri()}?mode=rw", uri=True, check_same_thread=False)


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)
