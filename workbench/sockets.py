"""Lets pages of ours open a connection, and nothing but the browser's own messages come through it.

Streamlit lets a page of any port of localhost, and of this machine's addresses, connect: another program's page on a
person's own computer could take up their session. Here the page must be of the address it connects to, or of one that
`server.corsAllowedOrigins` names. Where there is nothing to connect to, and what is no message of a browser, is refused
before Streamlit breaks over it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from streamlit import config

from workbench import logs
from workbench.memory import collector

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

STREAM = "/_stcore/stream"
_REFUSED, _NOT_BINARY = 1008, 1003  # close codes of RFC 6455
_PORTS = {"http": 80, "https": 443}


async def guarded(app: App, scope: Message, receive: Receive, send: Send) -> None:
    """Pass a connection on if a page of ours asks for it, and binary messages only."""
    if not (scope.get("path", "").endswith(STREAM) and is_ours(scope)):
        await receive()
        await send({"type": "websocket.close", "code": _REFUSED})
        logs.tell("socket_refused", level=logging.WARNING)
        return
    closed = False

    async def receive_bytes() -> Message:
        nonlocal closed
        message = await receive()
        collector.heard()
        if message["type"] != "websocket.receive" or message.get("bytes") is not None:
            return message
        closed = True
        await send({"type": "websocket.close", "code": _NOT_BINARY})
        logs.tell("socket_not_binary", level=logging.WARNING)
        return {"type": "websocket.disconnect", "code": _NOT_BINARY}

    async def send_while_open(message: Message) -> None:
        if not closed:
            await send(message)

    await app(scope, receive_bytes, send_while_open)


def is_ours(scope: Message) -> bool:
    """Return whether the page that asks is of the address it asks, or configured; programs, which are none, may."""
    headers = {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in scope.get("headers", ())}
    origin, host = headers.get(b"origin"), headers.get(b"host", "")
    if origin is None:
        return True
    if origin in {allowed.strip() for allowed in config.get_option("server.corsAllowedOrigins")}:
        return True
    scheme = origin.partition("://")[0].lower()
    if scheme == "http" and scope.get("scheme") == "wss":
        return False
    place = _place(origin, scheme)
    return place is not None and place == _place(f"//{host}", scheme)


def _place(address: str, scheme: str) -> tuple[str, int | None] | None:
    """Return the host and port of an address; None where there are none."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(scheme)
    except ValueError:
        return None
    return (parts.hostname.rstrip("."), port) if parts.hostname else None
