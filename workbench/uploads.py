"""Limits what people upload: of a page, of a browser, from an address and in all, from the moment an upload begins.

Streamlit takes any file for any session it knows, however many, and keeps it in memory until the page is closed. So an
upload takes the room it announces when it begins, and gives it back when it ends or breaks; what has arrived is counted
where Streamlit keeps it. One more may begin as long as a limit is not met yet: each is passed by one file at most.
What stands still is broken off (`slow`), or it would keep everybody else's out.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from streamlit import config, runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from workbench import addresses, browsers

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

MOST_OF_A_PAGE = 60_000_000  # bytes, arrived and on their way
MOST_OF_A_BROWSER = 120_000_000
MOST_FROM_AN_ADDRESS = 200_000_000  # on their way: an office may share one
MOST = 400_000_000

_UPLOAD = re.compile(r"/_stcore/+upload_file/+([^/]+)/")
_FRAMING = 1_048_576  # what Streamlit lets the body be larger than the file
_on_their_way: list[Upload] = []
_browsers: dict[str, str | None] = {}  # by page


@dataclass(frozen=True, eq=False)
class Upload:
    """A file that somebody has begun to upload, with the bytes it may have."""

    page: str
    browser: str | None
    address: str
    size: int


def is_one(scope: Message) -> bool:
    """Return whether a request brings a file."""
    return scope.get("method") == "PUT" and _UPLOAD.search(scope.get("path", "")) is not None


def counted(app: App) -> App:
    """Return an app that lets uploads through to `app` as far as there is room for them.

    413: the page, the browser or all of them together have uploaded too much; 429: too much is on its way at once.
    """

    async def counting(scope: Message, receive: Receive, send: Send) -> None:
        upload = _announced(scope)
        if refused := _refusal(upload):
            await refused(scope, receive, send)
            return
        with _taking_room(upload):
            await app(scope, receive, send)

    return counting


def on_their_way() -> int:
    """Return how many bytes the uploads that have begun and not ended may still bring."""
    return sum(upload.size for upload in _on_their_way)


def _announced(scope: Message) -> Upload:
    request = Request(dict(scope))
    found = _UPLOAD.search(scope.get("path", ""))
    most = int(config.get_option("server.maxUploadSize")) * 1_048_576 + _FRAMING
    length = request.headers.get("content-length", "")
    return Upload(
        page=found[1] if found else "",
        browser=browsers.named(request.cookies),
        address=addresses.neighbourhood(request.client.host if request.client else ""),
        size=min(int(length), most) if length.isdecimal() else most,
    )


def _refusal(upload: Upload) -> App | None:
    """Return the answer to an upload for which there is no room; None: it may come."""
    held = _held()
    _forget_closed(held)
    own = [page for page, browser in _browsers.items() if browser == upload.browser is not None]
    rooms = (
        (MOST_OF_A_PAGE, held.get(upload.page, 0), _taken(lambda one: one.page == upload.page)),
        (MOST_OF_A_BROWSER, sum(held.get(page, 0) for page in own), _taken(lambda one: one.page in own)),
        (MOST_FROM_AN_ADDRESS, 0, _taken(lambda one: one.address == upload.address)),
        (MOST, sum(held.values()), on_their_way()),
    )
    if any(arrived >= most for most, arrived, _coming in rooms):
        return PlainTextResponse("Too much has been uploaded. Reload the page.", 413)
    if any(arrived + coming >= most for most, arrived, coming in rooms):
        return PlainTextResponse("Too much is being uploaded at once. Try again.", 429, {"retry-after": "10"})
    return None


def _forget_closed(held: Mapping[str, int]) -> None:
    """Forget whose the pages were of which nothing is kept and nothing is coming."""
    coming = {one.page for one in _on_their_way}
    for page in [page for page in _browsers if page not in held and page not in coming]:
        del _browsers[page]


def _taken(counts: Callable[[Upload], bool]) -> int:
    return sum(one.size for one in _on_their_way if counts(one))


def _held() -> dict[str, int]:
    """Return how many bytes have arrived of each page's files."""
    files = runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
    if not isinstance(files, MemoryUploadedFileManager):
        return {}
    return {page: sum(len(file.data) for file in [*of.values()]) for page, of in [*files.file_storage.items()]}


@contextmanager
def _taking_room(upload: Upload) -> Iterator[None]:
    _on_their_way.append(upload)
    _browsers[upload.page] = upload.browser
    try:
        yield
    finally:
        _on_their_way.remove(upload)
