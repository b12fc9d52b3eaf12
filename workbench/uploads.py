"""How much may lie in memory of what people uploaded: Streamlit keeps a file until its page is closed.

It takes any file for any session it knows, however many. So a page may have a few, and all pages together no more
than a small server can bear; then uploads are refused until pages are closed, and everything else goes on.
"""

from __future__ import annotations

import re

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

MOST_OF_A_PAGE = 60_000_000  # bytes
MOST = 400_000_000

_UPLOAD = re.compile(r"/_stcore/+upload_file/+([^/]+)/")


def is_too_much(path: str) -> bool:
    """Return whether this is the path of an upload for which there is no room."""
    found = _UPLOAD.search(path)
    return found is not None and runtime.exists() and not _has_room(found[1])


def _has_room(session: str) -> bool:
    files = runtime.get_instance().uploaded_file_mgr
    if not isinstance(files, MemoryUploadedFileManager):
        return True
    of_page = sum(len(file.data) for file in [*files.file_storage.get(session, {}).values()])
    held = sum(len(file.data) for page in [*files.file_storage.values()] for file in [*page.values()])
    return of_page < MOST_OF_A_PAGE and held < MOST
