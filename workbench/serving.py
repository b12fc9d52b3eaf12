"""How the app is served: start-up work, a browser's cookie, headers, calm errors, and no outside request.

Streamlit collects garbage after every script run, which is most of what many people wait for;
`.streamlit/config.toml` turns that off, so collection happens here: what lives since start-up
is frozen, and a background task collects now and then, between script runs' allocations.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from http.cookies import SimpleCookie
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from streamlit import net_util

BROWSER_COOKIE = "gyakusan_browser"
COLLECT_EVERY_SECONDS = 20

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
)
_log = logging.getLogger("gyakusan")

# Streamlit would ask an outside service for this machine's address when a page of another origin knocks.
net_util.get_external_ip = lambda: None


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Freeze what start-up left behind and collect garbage at intervals until the server stops."""
    gc.collect()
    gc.freeze()
    collecting = asyncio.create_task(_collect())
    try:
        yield
    finally:
        collecting.cancel()
        with suppress(asyncio.CancelledError):
            await collecting


async def _collect() -> None:
    while True:
        await asyncio.sleep(COLLECT_EVERY_SECONDS)
        gc.collect()


async def healthz(_request: Request) -> PlainTextResponse:
    """Answer that the process is alive."""
    return PlainTextResponse("ok")


class Headers:
    """Middleware: security headers on every response, and a cookie that names the browser.

    The cookie is a random secret that no script can read; the plan of a browser is kept under it.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass the request on and add to the head of its response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        known = _cookies(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *_HEADERS]
                if BROWSER_COOKIE not in known and _is_page(headers):
                    headers.append((b"set-cookie", _new_cookie(scope)))
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _cookies(scope: Message) -> SimpleCookie:
    text = b"; ".join(value for name, value in scope.get("headers", ()) if name == b"cookie")
    return SimpleCookie(text.decode("latin-1"))


def _is_page(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)


def _new_cookie(scope: Message) -> bytes:
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{BROWSER_COOKIE}={secrets.token_urlsafe(32)}; Path=/; HttpOnly; SameSite=Lax{secure}".encode()


def script_error(error: Exception) -> bool:
    """Log an uncaught error under an id, show the calm page with that id, and nothing else."""
    error_id = secrets.token_hex(4)
    _log.error("script error %s", error_id, exc_info=error)
    from workbench import calm  # pages are loaded by now; the server must start without them

    calm.show(error_id)
    return True
