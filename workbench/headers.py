"""What every response carries: a policy that keeps all requests at home, and each page the cookie of `browsers`.

The policy was measured in Chromium (tests/browser/test_outside.py). Streamlit needs inline styles; data: for its
icons and small fonts; WebAssembly for its messages; blob: scripts because it hands a component's script to the
browser that way (only a script that already runs here can make such an address). Vega draws with its interpreter,
so nothing needs 'unsafe-eval'.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from streamlit import file_util

from workbench import addresses, astray, browsers, logs, proxies, slow, sockets, uploads

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
Pairs = list[tuple[bytes, bytes]]


@cache
def _hashes() -> str:
    """Return the hashes that allow the scripts written into Streamlit's own page, and no other inline script."""
    page = Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")
    digests = (hashlib.sha256(script.encode()).digest() for script in re.findall(r"<script>(.*?)</script>", page, re.S))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def _policy() -> str:
    framed = "'self'" if os.environ.get("GYAKUSAN_FRAMED") == "1" else "'none'"  # one host shows apps in its own frame
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' blob: 'wasm-unsafe-eval' {_hashes()}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",  # the socket of the same origin included
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {framed}",
        )
    )


_UNUSED = ("camera", "display-capture", "geolocation", "gyroscope", "accelerometer", "magnetometer", "microphone")


def _always() -> Pairs:
    powers = ", ".join(f"{power}=()" for power in (*_UNUSED, "payment", "usb", "midi"))
    return [
        (b"content-security-policy", _policy().encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", powers.encode()),
    ]


_OVER_HTTPS = (b"strict-transport-security", b"max-age=31536000")
_SIGN_IN = re.compile(r"/auth/+login$")
_CLOSED = re.compile(r"/_stcore/+(metrics|agent|script-health-check)(/|$)")


class Headers:
    """Middleware: headers, cookie, who may connect, closed routes, room for uploads, a plain answer to what breaks."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._always = _always()  # not earlier: a host's secrets become variables while the app is put together

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass the request on and add to the head of its response."""
        if scope.get("client"):
            host, port = scope["client"]
            scope["client"] = (addresses.folded(host), port)
        if scope["type"] == "websocket":
            await sockets.guarded(self.app, scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        proxies.check(scope)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if message["status"] >= 400 and _SIGN_IN.search(scope.get("path", "")):  # "Authentication error"
                    message["status"] = 303
                    message["headers"] = [*message["headers"], (b"location", b"../open?sign-in")]
                message["headers"] = _hardened(scope, list(message.get("headers", ())), self._always)
            await send(message)

        try:
            await self._for(scope)(scope, slow.patient(receive), send_with_headers)
        except ClientDisconnect:
            return  # nobody is left to answer
        except slow.StandsStillError:
            logs.tell("stands_still", level=logging.WARNING, path=logs.route(scope.get("path", "")))
            if not started:
                late = PlainTextResponse("Nothing more of it arrived.", 408, {"connection": "close"})
                await late(scope, receive, send_with_headers)
        except Exception as error:
            error_id = secrets.token_hex(4)
            facts = {"path": logs.route(scope.get("path", "")), **logs.broken(error)}
            logs.tell("request_error", level=logging.ERROR, id=error_id, **facts)
            if started:
                raise
            await PlainTextResponse(f"Internal Server Error {error_id}", 500)(scope, receive, send_with_headers)

    def _for(self, scope: Message) -> App:
        """Return who answers: the app, unless the route is closed, it is an upload, or the address leads nowhere."""
        path = scope.get("path", "")
        if _CLOSED.search(path):
            return PlainTextResponse("Not Found", 404)
        if uploads.is_one(scope):
            return uploads.counted(self.app)
        return astray.answering(self.app) if astray.leads_nowhere(path) else self.app


def _hardened(scope: Message, headers: Pairs, always: Pairs) -> Pairs:
    """Return the headers with ours in place of what was there under the same names."""
    ours = [*always, *([_OVER_HTTPS] if scope.get("scheme") == "https" else [])]
    names = {name for name, _value in ours}
    kept = [(name, value) for name, value in headers if name.lower() not in names]
    if _is_page(headers):
        kept.append((b"set-cookie", browsers.kept(scope)))
    if scope.get("scheme") == "https":
        kept = [(name, _secure(value) if name.lower() == b"set-cookie" else value) for name, value in kept]
    return kept + ours


def _is_page(headers: Pairs) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)


def _secure(cookie: bytes) -> bytes:
    return cookie if b"; secure" in cookie.lower() else cookie + b"; Secure"
