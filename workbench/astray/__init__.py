"""Answers an address that leads to no page with a page that says so, in the visitor's language, and a link home.

Streamlit answers every address with its own page: below a page's (`/tree/foo/bar`) it finds none of its scripts there
and stays blank, beside them it says in English that there is no such page.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from streamlit import config

from workbench import words
from workbench.words import _

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_HERE = Path(__file__).parent
_PAGES = _HERE.parents[1] / "pages"
_NO_PAGES = frozenset({"_stcore", "app", "auth", "component", "media", "oauth2callback", "open", "static"})


def leads_nowhere(path: str) -> bool:
    """Return whether an address would show Streamlit's page, and no page of ours on it."""
    below = _below_base(path)
    return below.partition("/")[0] not in _NO_PAGES and below not in _names()


def answering(app: App) -> App:
    """Return an app that answers for `app` wherever that would send its page to an address that leads nowhere."""

    async def answered(scope: Message, receive: Receive, send: Send) -> None:
        is_astray = False

        async def send_unless_astray(message: Message) -> None:
            nonlocal is_astray
            if message["type"] == "http.response.start":
                is_astray = message["status"] == 200 and _is_page(message)
            if not is_astray:
                await send(message)

        await app(scope, receive, send_unless_astray)
        if is_astray:
            language = words.accepted(Headers(scope=scope).get("accept-language", ""))
            home = "../" * _below_base(scope["path"]).count("/") or "./"
            await HTMLResponse(_page(language, home), 404, {"cache-control": "no-store"})(scope, receive, send)

    return answered


def _below_base(path: str) -> str:
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    below = f"{path.strip('/')}/"
    return below.removeprefix(f"{base}/" if base else "").strip("/")


@cache
def _names() -> frozenset[str]:
    """Return the pages' names in addresses; home has none."""
    return frozenset({"", *(path.stem for path in _PAGES.glob("*.py"))} - {"home"})


def _is_page(message: Message) -> bool:
    return Headers(raw=list(message.get("headers", ()))).get("content-type", "").startswith("text/html")


def _page(language: str, home: str) -> str:
    with words.speaking(language):
        said = {name: html.escape(sentence) for name, sentence in _sentences()}
    return Template(_file()).substitute(said, language=language, address=home)


@cache
def _file() -> str:
    return (_HERE / "astray.html").read_text(encoding="utf-8")


def _sentences() -> Iterator[tuple[str, str]]:
    yield "nothing", _("There is no page at this address.")
    yield "more", _("Your plans are where they were. Check the address, or go on from your own plan.")
    yield "home", _("To your own plan")
