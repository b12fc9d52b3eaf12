"""Waits for the next part of a request's body, but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

STANDS_STILL_SECONDS = 30.0


class StandsStillError(Exception):
    """Nothing of a body has arrived for a while."""


def patient(receive: Receive) -> Receive:
    """Return the way to ask for a body that breaks it off when it stands still; what comes after it may take long.

    Raises (when awaited)
    ---------------------
    StandsStillError
        For `STANDS_STILL_SECONDS` nothing of the body arrived.
    """
    is_whole = False

    async def receiving() -> Message:
        nonlocal is_whole
        if is_whole:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), STANDS_STILL_SECONDS)
        except TimeoutError as error:
            raise StandsStillError from error
        is_whole = not message.get("more_body", False)
        return message

    return receiving
