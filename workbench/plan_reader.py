"""Read foreign plan files for `foreign_files`, in processes of their own that are limited before they see a byte.

This process is a fresh interpreter that imports nothing of the app but the core. For each file it is given a socket,
forks, and the child reads the file from there, answers with JSON and ends; what it cannot read within the limits it
does not answer. The process itself never looks at a file. It ends with the server, or when no file has come for long.
Where no process can be forked (Windows), it reads one file from standard input with the time limit alone, and ends.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path
from select import select
from typing import Any

from kpi_core import plan_text
from kpi_core.errors import KpiError
from kpi_core.plan import Plan

SECONDS = 10  # of one file
MEMORY = 512 * 2**20  # bytes of address space
IDLE_SECONDS = 300

# Control characters, and what CP932 makes of bytes that mean nothing in it.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x80-\x84\x86-\x9f\uf8f0-\uf8f3]")


def serve() -> None:
    """Take one socket after the other from the one that is standard input; a child reads the file that comes there."""
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children that ended are not waited for
    control = socket.socket(fileno=0)
    while select([control], [], [], IDLE_SECONDS)[0]:
        letter, sockets, _flags, _address = socket.recv_fds(control, 1, 1)
        if not letter:
            return
        if os.fork() == 0:
            try:
                control.close()
                _limit()
                _answer(socket.socket(fileno=sockets[0]))
            finally:
                os._exit(0)  # whatever came of it, and without the time it takes to take down a large plan
        os.close(sockets[0])


def read_one() -> None:
    """Read a file from standard input and answer on standard output, with the time limit alone."""
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    sys.stdout.write(_json(answered(sys.stdin.buffer.read())))


def _answer(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as stream:
        connection.sendall(_json(answered(stream.read())).encode("ascii"))


def _json(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=True, default=str)


def answered(contents: bytes) -> dict[str, Any]:
    """Return the answer to a file: its plan as data, or the error; and what it took."""
    begun = time.process_time()
    try:
        plan = Plan.from_text(decoded(contents))
        said = plan.to_data()
        # The server reads this once more: what that takes is tried here, where it is limited.
        answer = {"plan": said} if Plan.from_data(json.loads(json.dumps(said))) == plan else {"failed": "not equal"}
    except KpiError as error:
        answer = {"error": _spelt(error)}
    except MemoryError:
        return {}
    except Exception as error:  # a bug; what the file holds is not told
        answer = {"failed": type(error).__name__}
    return {**answer, "seconds": round(time.process_time() - begun, 3), "peak": _peak()}


def decoded(contents: bytes) -> str:
    """Return the text of a file: UTF-8, UTF-16 with its mark, or what Windows writes in Japan (CP932).

    Raises
    ------
    KpiError
        `file_not_text`.
    """
    marked = contents.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp932"):
        try:
            text = contents.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _NO_TEXT.search(text):
            return text
    raise plan_text.not_text()


def _limit() -> None:
    """Have the system end this process when it takes too long, and give it no more memory, file or process."""
    import resource  # Windows has none

    signal.alarm(SECONDS)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _spelt(error: KpiError) -> dict[str, Any]:
    facts = dict(error.facts)
    if isinstance(problems := facts.get("problems"), tuple):
        facts["problems"] = [_spelt(problem) for problem in problems]
    return {"code": error.code, "message": error.message, "facts": facts}


def _peak() -> int:
    """Return the most memory this process has had at a time, in bytes; 0: the system does not say."""
    try:
        status = Path("/proc/self/status").read_text("ascii", errors="replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)
