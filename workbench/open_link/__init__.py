"""Coming by a link: `/open#token` is a page whose script takes the token out of the address and posts it to `/enter`.

The token is in no address that is sent, no header, no log and no answer. What stays with the browser is its cookie,
which is another secret; the store remembers that it has come by the link. A token that is revoked, has expired or
was mistyped is answered alike: one way through the store, one status, no body.
"""

from __future__ import annotations

import html
import json
import logging
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kpi_core.errors import KpiError
from workbench import browsers, logs, words
from workbench.store import Actor, Store
from workbench.words import _

__all__ = ["MAX_BYTES", "enter", "routes"]

MAX_BYTES = 4_096

_HERE = Path(__file__).parent
_FRESH = {"cache-control": "no-store"}
_ended = frozenset({"not_allowed", "unknown_plan"})  # between coming by the link and sitting down
_entering = CapacityLimiter(8)  # a database that hangs must not take the threads that serve files


def routes(store: Callable[[], Store]) -> list[Route]:
    """Return the routes of the landing page; `store` is asked for the store with each link."""

    async def entered(request: Request) -> Response:
        return await enter(request, store)

    return [Route("/open", _landing), Route("/open.js", _script), Route("/enter", entered, methods=["POST"])]


async def enter(request: Request, store: Callable[[], Store]) -> Response:
    """Answer 204 if the token opens a plan, which then is this browser's latest, and 404 if it opens none.

    429: too many tries from this address; 503: the storage does not answer; 400: the browser sends no cookie of ours.
    """
    status = _fault(request)
    if status is None:
        token = _token(await _body(request))
        status = 422 if token is None else await _tried(request, token, store)
    return Response(status_code=status, headers=_FRESH | ({"retry-after": "60"} if status == 429 else {}))


def _fault(request: Request) -> int | None:
    """Return the status for a request that our own page would not send."""
    if not _is_ours(request):
        return 403
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return 415
    return 400 if browsers.named(request.cookies) is None else None


def _is_ours(request: Request) -> bool:
    """Return whether a page of ours asks, as far as the browser says: no script can write these headers."""
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _body(request: Request) -> bytes:
    """Return the body; nothing of one that is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            return b""
    return body


def _token(body: bytes) -> str | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    token = found.get("token") if isinstance(found, dict) else None
    return token if isinstance(token, str) else None


async def _tried(request: Request, token: str, store: Callable[[], Store]) -> int:
    address = request.client.host if request.client else ""
    come = partial(_come, store, Actor.of(browsers.named(request.cookies) or ""), token, address)
    try:
        return 204 if await to_thread.run_sync(come, limiter=_entering) else 404
    except KpiError as error:
        if error.code in _ended:
            return 404
        logs.tell("enter_refused", level=logging.WARNING, code=error.code)
        return 429 if error.code == "too_many_tries" else 503


def _come(store: Callable[[], Store], actor: Actor, token: str, address: str) -> bool:
    """Let the browser come by the link, and make its plan the latest of this browser."""
    kept = store()
    plan_id = kept.enter(actor, token, address=address)
    if plan_id is None:
        return False
    kept.keep_desk(actor, plan_id, kept.desk(actor, plan_id) or {})
    return True


async def _landing(request: Request) -> HTMLResponse:
    return HTMLResponse(_page(words.accepted(request.headers.get("accept-language", ""))), headers=_FRESH)


async def _script(_request: Request) -> Response:
    return Response(_file("open.js"), media_type="text/javascript", headers={"cache-control": "no-cache"})


@cache
def _page(language: str) -> str:
    with words.speaking(language):
        said = {name: html.escape(sentence) for name, sentence in _sentences().items()}
    return Template(_file("landing.html")).substitute(said, language=language)


@cache
def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _sentences() -> dict[str, str]:
    return {
        "opening": _("Opening the plan …"),
        "dead": _("This link opens no plan."),
        "dead_more": _("It may have been withdrawn or have expired, or it was not copied in full. Ask for a new one."),
        "many": _("Too many links were tried from here."),
        "many_more": _("Wait a minute, then try again."),
        "down": _("The plan cannot be fetched just now."),
        "down_more": _("The storage does not answer. Nothing is lost; try again in a moment."),
        "cookie": _("This browser sends no cookie."),
        "cookie_more": _("Without it nobody knows that you came by the link. Allow cookies here and open it again."),
        "none": _("There is no link in this address."),
        "none_more": _("Open the link just as it was sent to you. What it opened before is still here."),
        "signing": _("Signing in did not work."),
        "signing_more": _("The sign-in service does not answer, or refused. Nothing is lost; try again in a while."),
        "again": _("Try again"),
        "home": _("To your own plan"),
        "script": _("Links are opened by a script. Allow JavaScript here and open the link again."),
    }
