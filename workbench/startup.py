"""Before the first person comes: see that the options that keep a plan private are really in force.

An option can be set in a file, a flag or the environment, and which of them counts depends on how the server was
started. So the options are read as Streamlit will use them. Where others can reach the server, a wrong one ends the
start; on one's own machine it is a warning.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from streamlit import config
from uvicorn.main import main as uvicorn_command

from workbench import addresses, logs, persons

_MUST_BE: dict[str, Any] = {
    "browser.gatherUsageStats": False,  # on, whole page addresses go to a third party
    "client.showErrorDetails": "none",  # a stack trace quotes what people typed
    "client.showErrorLinks": False,  # search engines would be asked about what broke
    "client.toolbarMode": "viewer",
    "global.developmentMode": False,
    "logger.enableRich": False,  # prints errors past our log
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,  # off, any page may talk to the app
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
}
_SECRET_CHARACTERS = 32
_AT_MOST = {"server.maxUploadSize": 20, "server.maxMessageSize": 50}  # MB


class StartRefusedError(RuntimeError):
    """The server must not be reachable with these options."""


def check() -> None:
    """Read the effective options.

    Raises
    ------
    StartRefusedError
        One is wrong and others can reach the server.
    """
    wrong = "; ".join(faults())
    if not wrong:
        return
    where = "in .streamlit/config.toml, and start from the folder that holds it"
    if hosted():
        say = f"Gyakusan does not start where others can reach it: {wrong}. Set this {where}."
        logs.tell("start_refused", level=logging.CRITICAL, say=say)
        raise StartRefusedError(say)
    say = f"Gyakusan would not start where others can reach it: {wrong}. Set this {where}."
    logs.tell("start_warned", level=logging.WARNING, say=say)


def faults() -> Iterator[str]:
    """Say of each option that is wrong what it is and what it must be."""
    for name, must in _MUST_BE.items():
        if (found := config.get_option(name)) != must:
            yield f"{name} is {_toml(found)} and must be {_toml(must)}"
    for name, most in _AT_MOST.items():
        if (found := config.get_option(name)) > most:
            yield f"{name} is {found} and must be at most {most}"
    yield from _sign_in_faults()


def _sign_in_faults() -> Iterator[str]:
    """Say what is wrong with `[auth]` in the secrets, where people can sign in; no secret is quoted."""
    auth = persons.configured()
    if not auth:
        return
    if len(str(auth.get("cookie_secret") or "")) < _SECRET_CHARACTERS:
        yield f"auth.cookie_secret in secrets.toml must be random and have {_SECRET_CHARACTERS} characters at least"
    back = urlsplit(str(auth.get("redirect_uri") or ""))
    if back.path.rpartition("/")[2] != "oauth2callback" or not (
        back.scheme == "https" or addresses.is_own(back.hostname or "")
    ):
        yield "auth.redirect_uri in secrets.toml must be https:// and end with /oauth2callback"
    names = persons.providers()
    if not names or any("_" in name for name in names):
        yield "auth.client_id in secrets.toml must be set, or one for each provider (no underscore in its name)"
    if "expose_tokens" in auth:
        yield "auth.expose_tokens in secrets.toml must not be set: nothing here needs the provider's tokens"


def hosted() -> bool:
    """Return whether others can reach this server: it listens beyond this machine, or we were told so."""
    return os.environ.get("GYAKUSAN_HOSTED") == "1" or not addresses.is_own(listens_on())


def listens_on() -> str:
    """Return the address this server listens on; empty if that cannot be known."""
    program = Path(sys.argv[0])
    if "uvicorn" not in (program.stem, program.parent.name):
        return str(config.get_option("server.address") or "")
    try:
        told = uvicorn_command.make_context("uvicorn", sys.argv[1:]).params
    except (click.ClickException, click.exceptions.Exit):
        return ""
    return "" if told["uds"] or told["fd"] is not None else str(told["host"])


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'
