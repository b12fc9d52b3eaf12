"""The cookie that names a browser: a random secret no script can read, under which its plans are kept.

Who has it is who may do what the browser may, so it stays for as long as browsers keep one, counted from the last
visit. Over https its name begins with `__Host-`: no other page of the same domain can set such a cookie, nor can
anybody on the way before https. There the plain name says nothing.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.requests import cookie_parser

COOKIE, COOKIE_OVER_HTTPS = "gyakusan_browser", "__Host-gyakusan_browser"
DAYS = 400  # browsers keep no cookie longer

_OURS = re.compile(r"[A-Za-z0-9_-]{43}")


def named(cookies: Mapping[str, str]) -> str | None:
    """Return the secret that names the browser which sends these cookies; None: it has none of ours."""
    return _ours(cookies, COOKIE_OVER_HTTPS) or _ours(cookies, COOKIE)


def kept(scope: MutableMapping[str, Any]) -> bytes:
    """Return the `Set-Cookie` by which a browser keeps its name, or gets one."""
    is_secure = scope.get("scheme") == "https"
    name = COOKIE_OVER_HTTPS if is_secure else COOKIE
    sent = b"; ".join(value for header, value in scope.get("headers", ()) if header == b"cookie")
    secret = _ours(cookie_parser(sent.decode("latin-1")), name) or secrets.token_urlsafe(32)
    said = f"{name}={secret}; Max-Age={DAYS * 86_400}; Path=/; HttpOnly; SameSite=Lax"
    return (said + ("; Secure" if is_secure else "")).encode()


def _ours(cookies: Mapping[str, str], name: str) -> str | None:
    found = cookies.get(name)
    return found if isinstance(found, str) and _OURS.fullmatch(found) else None
