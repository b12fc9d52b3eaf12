"""What the server writes down: one JSON line per event on stderr, never what people typed and never a secret.

    tell("script_error", id="1f0c9a2e", type="ZeroDivisionError", at=["pages/tree.py:12"])

Libraries log too, and their words may quote a plan, an address or a session. Of them only the constant part is
kept: the template with its numbers filled in. Of an exception the types and the places are kept, not the message.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamlit import logger as streamlit_logger
from uvicorn.logging import AccessFormatter

from kpi_core.errors import KpiError

ACCESS = "uvicorn.access"
MOST_PLACES = 15
_SERVERS = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "websockets")
_ROOT = str(Path(__file__).parents[1]) + "/"
_LONG = re.compile(r"[A-Za-z0-9_-]{32,}")  # tokens, session ids and hashes are this long; nothing of ours is
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\S+://\S+|\S*\?\S*")
_PLAIN = re.compile(r"[a-z_-]{1,16}")
_log = logging.getLogger("gyakusan")


@dataclass(frozen=True, slots=True)
class Event:
    """A thing that happened, as a name and facts: numbers, codes and ids made by us, never a person's words."""

    name: str
    facts: Mapping[str, Any]

    def __str__(self) -> str:
        return json.dumps({"event": self.name, **self.facts})


def tell(event: str, *, level: int = logging.INFO, **facts: Any) -> None:
    """Write one event down."""
    _log.log(level, Event(event, facts))


def broken(error: BaseException) -> dict[str, Any]:
    """Return what may be told of an error: its types, its code, where it was raised; not its message."""
    facts: dict[str, Any] = {"type": " < ".join(type(one).__name__ for one in _causes(error)), "at": _places(error)}
    return facts | ({"code": error.code} if isinstance(error, KpiError) else {})


def route(path: str) -> str:
    """Return the part of a path that names a route: upload addresses hold a session's id, others may hold a token."""
    parts = path.partition("?")[0].strip("/").split("/")
    known = parts[: next((at for at, part in enumerate(parts[:2]) if not _PLAIN.fullmatch(part)), 2)]
    return "/" + "/".join([*known, "..."] if len(parts) > len(known) and parts != [""] else known)


def begin() -> None:
    """Send everything that is logged, warned or uncaught in this process through `Lines`."""
    logging.raiseExceptions = False  # a log that cannot be written would print what it was given
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.getLogger().handlers = [handler]
    _log.setLevel(logging.INFO)
    _take_over()
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda hooked: _tell_broken("unraisable", hooked.exc_value)
    threading.excepthook = lambda hooked: _tell_broken("thread_error", hooked.exc_value)
    warnings.showwarning = _warned


class Lines(logging.Formatter):
    """Turns a record into its line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        line = {"time": _time(record.created), "level": record.levelname.lower(), **_facts(record)}
        if record.exc_info and record.exc_info[1]:
            line |= broken(record.exc_info[1])
        return _LONG.sub("...", json.dumps(line))


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    if isinstance(record.msg, Event):
        return {"event": record.msg.name, **record.msg.facts}
    if record.name == ACCESS and isinstance(record.args, tuple) and len(record.args) == 5:
        _client, method, path, _version, status = record.args
        return {"event": "request", "method": method, "path": route(str(path)), "status": status}
    return {"event": _constant(record), "logger": record.name, "line": record.lineno}


def _constant(record: logging.LogRecord) -> str:
    """Return what a library's message says whatever the values were."""
    text = str(record.msg).strip()
    if text.startswith("Traceback"):
        return "traceback: " + text.splitlines()[-1].partition(":")[0]
    if isinstance(record.args, tuple) and record.args:
        kept = tuple(value if isinstance(value, int | float) else "..." for value in record.args)
        try:
            return text % kept
        except (TypeError, ValueError):
            return text
    return text if record.args else _QUOTED.sub("...", text.partition("\n")[0])[:200]


def _causes(error: BaseException) -> Iterator[BaseException]:
    for _ in range(5):
        yield error
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            return
        error = cause


def _places(error: BaseException) -> list[str]:
    """Return file:line of the calls that led to an error, the last ones if there are many."""
    calls = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return [_place(file, line) for file, line in calls[-MOST_PLACES:]]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _take_over() -> None:
    """Take away what uvicorn and Streamlit print with; access lines stay off where they were switched off."""
    wanted = any(isinstance(handler.formatter, AccessFormatter) for handler in logging.getLogger(ACCESS).handlers)

    def pass_on(logger: logging.Logger) -> None:
        logger.handlers = []
        logger.propagate = logger.name != ACCESS or wanted

    streamlit_logger.setup_formatter = pass_on  # it gives every logger a handler, again whenever options are read
    streamlit_logger.update_formatter()
    for name in (ACCESS, *_SERVERS):
        pass_on(logging.getLogger(name))


def _tell_broken(event: str, error: BaseException | None) -> None:
    tell(event, level=logging.ERROR, **(broken(error) if error else {}))


def _uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if isinstance(error, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _tell_broken("uncaught", error)


def _warned(*warned: Any, **_more: Any) -> None:
    _message, category, file, line, *_rest = warned
    tell("warning", level=logging.WARNING, type=category.__name__, at=[_place(file, line)])


def _place(file: str, line: int) -> str:
    return f"{file.rpartition('site-packages/')[2].removeprefix(_ROOT)}:{line}"
