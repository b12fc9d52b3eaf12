"""Have plan files that people bring read in processes apart, with limits: 10 seconds, 512 MB, whatever the file.

`plan_reader` is a fresh interpreter that knows the core and nothing of the server: no environment, no open file or
socket, no session. It forks for each file, which the server itself, with its threads, must not do. The child gets
the bytes through a socket and answers with a plan as JSON, or with an error as JSON; nothing it sends is run or
unpickled. The interpreter is started ahead (`warm`) while a person still looks for the file: starting takes longer
than reading. It ends by itself when no file comes for some minutes.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import logs, plan_reader

AT_ONCE = 2  # files read at a time, in the whole server
WAIT_SECONDS = 10  # for one's turn
START_SECONDS = 20  # for an interpreter to start on a busy machine
MAX_ANSWER = 32_000_000  # bytes

_ROOT = Path(__file__).parents[1]
_START = "import sys; sys.path.insert(0, sys.argv[1]); from workbench import plan_reader; plan_reader."
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds")

_turns = threading.BoundedSemaphore(AT_ONCE)
_lock = threading.Lock()


@dataclass(frozen=True)
class _Reader:
    """A running `plan_reader` and the socket on which it is given others."""

    process: subprocess.Popen[bytes]
    control: socket.socket


_readers: list[_Reader] = []  # at most one


@dataclass(frozen=True)
class Answer:
    """What a reader said: a plan as data or an error, and the CPU seconds and bytes of memory it took."""

    plan: Any
    error: KpiError | None
    seconds: float
    peak: int


def read(contents: bytes) -> Plan:
    """Return the plan in a file's bytes.

    Raises
    ------
    KpiError
        As `Plan.from_text`; `file_not_text`; `file_too_heavy`: it takes more time or memory than a file may;
        `file_reader_busy`, `file_reader_failed`.
    """
    return plan_of(ask(contents))


def plan_of(answer: Answer) -> Plan:
    """Return the plan of an answer.

    Raises
    ------
    KpiError
        The answer's error.
    """
    if answer.error is not None:
        raise answer.error
    return Plan.from_data(answer.plan)


def warm() -> None:
    """Start the reader, if it does not wait already."""
    if _CAN_FORK:
        with suppress(OSError):  # then the next file is refused with a reason
            _reader()


def ask(contents: bytes) -> Answer:
    """Return what a reader says of a file's bytes.

    Raises
    ------
    KpiError
        `file_reader_busy`.
    """
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise _busy()
    try:
        return _understood(_answer(contents) if _CAN_FORK else _answer_without_fork(contents))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _busy() from error
    finally:
        _turns.release()


def _reader() -> _Reader:
    """Return the reader, started anew if it has ended."""
    with _lock:
        if _readers and _readers[0].process.poll() is not None:
            _readers.pop().control.close()
        if not _readers:
            ours, theirs = socket.socketpair()
            with theirs:
                _readers.append(_Reader(_started("serve()", stdin=theirs, stdout=subprocess.DEVNULL), ours))
        return _readers[0]


def _started(call: str, **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _START + call, str(_ROOT)],
        stderr=subprocess.DEVNULL,
        env=_ENVIRONMENT | {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ},
        start_new_session=True,  # Ctrl+C in the server's terminal is not meant for it
        **streams,
    )


def _answer(contents: bytes) -> bytes:
    """Return what a child of the reader says; once more if the reader had just ended, because no file had come.

    Raises
    ------
    OSError
        It ended again.
    """
    for _again in range(2):
        reader = _reader()
        with suppress(BrokenPipeError, ConnectionResetError):
            if answer := _answer_of(reader, contents):
                return answer
        with suppress(subprocess.TimeoutExpired):
            reader.process.wait(timeout=0.2)  # a reader that ends is seen to a moment after its sockets
        if reader.process.poll() is None:
            return b""
    raise OSError("the reader does not stay")


def _answer_of(reader: _Reader, contents: bytes) -> bytes:
    """Give a file to a child of the reader and return what it says, nothing if it ended without a word."""
    until = time.monotonic() + START_SECONDS + plan_reader.SECONDS
    ours, theirs = socket.socketpair()
    with ours:
        with theirs, _lock:
            socket.send_fds(reader.control, [b"f"], [theirs.fileno()])
        ours.settimeout(START_SECONDS + plan_reader.SECONDS)
        ours.sendall(contents)
        ours.shutdown(socket.SHUT_WR)
        pieces, size = [], 0
        while (piece := ours.recv(2**20)) and size <= MAX_ANSWER:
            pieces.append(piece)
            size += len(piece)
            ours.settimeout(max(until - time.monotonic(), 0.001))
    return b"".join(pieces)


def _answer_without_fork(contents: bytes) -> bytes:
    reader = _started("read_one()", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        return reader.communicate(contents, timeout=START_SECONDS + plan_reader.SECONDS)[0]
    finally:
        reader.kill()


def _understood(answer: bytes) -> Answer:
    said: Any = None
    if len(answer) <= MAX_ANSWER:
        with suppress(ValueError):
            said = json.loads(answer)
    said = said if isinstance(said, dict) else {}
    error = _error(said["error"]) if "error" in said else None
    if "failed" in said:
        logs.tell("file_reader_failed", level=logging.ERROR, kind=str(said["failed"])[:80])
        error = KpiError(
            "file_reader_failed", "This file could not be read. Nothing was changed; the fault is not yours."
        )
    elif error is None and "plan" not in said:
        error = KpiError(
            "file_too_heavy", "Reading this file takes more time or memory than a plan file needs. Nothing was opened."
        )
    return Answer(said.get("plan"), error, float(said.get("seconds", 0.0)), int(said.get("peak", 0)))


def _error(said: dict[str, Any]) -> KpiError:
    facts = {name: _frozen(fact) for name, fact in said["facts"].items()}
    if isinstance(problems := said["facts"].get("problems"), list):
        facts["problems"] = tuple(_error(problem) for problem in problems)
    return KpiError(said["code"], said["message"], **facts)


def _frozen(fact: Any) -> Any:
    return tuple(_frozen(member) for member in fact) if isinstance(fact, list) else fact


def _busy() -> KpiError:
    return KpiError("file_reader_busy", "Too much is going on to read a file just now. Please try again in a moment.")
