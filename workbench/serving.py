"""How the app is served: start-up work, whether it is ready, calm errors, and no outside request.

Streamlit collects garbage after every script run, which is most of what many people wait for;
`.streamlit/config.toml` turns that off, so collection happens here, at intervals and off the path
of requests: see `memory`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, move_on_after, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from streamlit import net_util

from workbench import logs, plan_files, proxies, startup
from workbench.headers import Headers
from workbench.memory import collector

__all__ = ["Headers", "daily", "healthz", "lifespan", "readiness", "readyz", "robots", "script_error"]

COLLECT_EVERY_SECONDS = 2
READY_WITHIN_SECONDS = 2.0
A_DAY = 86_400.0

readiness: list[Callable[[], str | None]] = []
"""What must be well before people are sent here: each returns None, or a code that says what is not."""

daily: list[Callable[[], None]] = []
"""What is done at start and every day, in a thread; if it fails, that is logged and tried again the next day."""

_collecting = CapacityLimiter(1)
_asking = CapacityLimiter(8)  # checks that hang must not take the threads that serve files

# Streamlit would ask an outside service for this machine's address when a page of another origin knocks.
net_util.get_external_ip = lambda: None
plan_files.keep_a_while()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Check the options, freeze what start-up left behind; until the server stops, collect garbage and do chores."""
    startup.check()
    collector.collect()
    tasks = [asyncio.create_task(_collect()), asyncio.create_task(_do_daily())]
    listens, trusted = startup.listens_on() or "::", proxies.in_force()
    logs.tell("started", hosted=startup.hosted(), listens_on=listens, trusted_proxies=trusted)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _collect() -> None:
    while True:
        await asyncio.sleep(COLLECT_EVERY_SECONDS)
        await to_thread.run_sync(collector.collect, abandon_on_cancel=True, limiter=_collecting)


async def _do_daily() -> None:
    while True:
        for chore in daily:
            try:
                await to_thread.run_sync(chore, abandon_on_cancel=True)
            except Exception as error:
                logs.tell("chore_failed", level=logging.WARNING, **logs.broken(error))
        await asyncio.sleep(A_DAY)


async def healthz(_request: Request) -> PlainTextResponse:
    """Answer that the process is alive."""
    return PlainTextResponse("ok")


async def readyz(_request: Request) -> PlainTextResponse:
    """Answer 200 if people can be sent here, else 503 and one code per line."""
    codes = [code for code in await asyncio.gather(*map(_asked, readiness)) if code]
    return PlainTextResponse("\n".join(codes) or "ready", status_code=503 if codes else 200)


async def _asked(check: Callable[[], str | None]) -> str | None:
    """Return what a check says: asked in a thread, and not waited for if it hangs."""
    with move_on_after(READY_WITHIN_SECONDS):
        try:
            return await to_thread.run_sync(check, abandon_on_cancel=True, limiter=_asking)
        except Exception as error:
            logs.tell("check_failed", level=logging.ERROR, **logs.broken(error))
            return "check_failed"
    return "check_slow"


async def robots(_request: Request) -> PlainTextResponse:
    """Ask search engines to stay away: a plan's address is a secret."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


def script_error(error: Exception) -> bool:
    """Log an uncaught error under an id, show the calm page with that id, and nothing else."""
    error_id = secrets.token_hex(4)
    logs.tell("script_error", level=logging.ERROR, id=error_id, **logs.broken(error))
    from workbench import calm  # pages are loaded by now; the server must start without them

    calm.show(error_id)
    return True
