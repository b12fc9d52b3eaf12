"""Files that hold plans: only their owner can read them, and the disk remembers their names."""

from __future__ import annotations

import os
from pathlib import Path


def private_file(path: Path) -> None:
    """Make an empty file that only its owner can read, in a folder of the same kind that git does not see."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    for folder in (path.parent, path.parent.parent):
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Have the disk remember the names in a folder (where a folder can be opened at all)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
