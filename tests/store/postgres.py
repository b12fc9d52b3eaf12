"""A PostgreSQL of one's own: Debian's server in a temporary folder, on loopback, as an unprivileged user."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.lacking import lacking


def binaries() -> Path | None:
    """Return the folder with initdb and postgres: Debian's newest, else the path's."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda found: int(found.parts[-3]))
    found = str(debian[-1]) if debian else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Server:
    """A server in a folder, on a port; `database` and `schema` make an empty one and return its URL.

    One that is not durable does not wait for the disk: quick, and as good where the machine itself stays up.
    """

    def __init__(self, binaries: Path, folder: Path, port: int, *, durable: bool) -> None:
        self._binaries, self._folder, self._port = binaries, folder, port
        self._durable = durable
        self._count = 0

    def make(self) -> None:
        made = ["-D", str(self._folder / "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"]
        self._run("initdb", *made, "--no-sync")

    def start(self) -> None:
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self._port} -c unix_socket_directories= -c max_connections=100"
        )
        options += "" if self._durable else " -c fsync=off"
        log = self._folder / "log"
        try:
            self._run("pg_ctl", *self._where(), "-l", str(log), "-o", options, "-w", "-t", "600", "start")
        except subprocess.CalledProcessError as error:
            raise RuntimeError(log.read_text(errors="replace")[-2_000:]) from error

    def stop(self) -> None:
        self._run("pg_ctl", *self._where(), "-m", "immediate", "-w", "stop")

    def crash(self) -> None:
        """Kill every process of the server at once."""
        lock = self._folder / "data" / "postmaster.pid"
        first = int(lock.read_text().split()[0])
        os.kill(first, signal.SIGSTOP)
        while not _is_stopped(first):  # until then it may still make another process
            time.sleep(0.001)
        running = {first} | {pid for pid, parent in _processes().items() if parent == first}
        for pid in running:
            with suppress(ProcessLookupError):  # one that ended by itself meanwhile
                os.kill(pid, signal.SIGKILL)
        while running & set(_processes()):
            time.sleep(0.01)
        lock.unlink()

    def database(self) -> str:
        self._count += 1
        self.run(f"CREATE DATABASE test_{self._count} TEMPLATE template0")
        return f"postgresql://postgres@127.0.0.1:{self._port}/test_{self._count}"

    def schema(self) -> str:
        """Return a place of its own in one database: many times quicker to make, and enough for most tests."""
        self._count += 1
        self.run(f"CREATE SCHEMA test_{self._count}")
        return f"postgresql://postgres@127.0.0.1:{self._port}/postgres?options=-csearch_path%3Dtest_{self._count}"

    def run(self, statement: str) -> None:
        with psycopg.connect(host="127.0.0.1", port=self._port, user="postgres", autocommit=True) as connection:
            connection.execute(statement)

    def _where(self) -> list[str]:
        return ["-D", str(self._folder / "data")]

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of its programs, as somebody else where we are root: PostgreSQL refuses to be that."""
        other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*other, str(self._binaries / program), *arguments]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL)


@contextmanager
def server(*, durable: bool = True) -> Iterator[Server]:
    """Yield a freshly made server; stop and remove it afterwards."""
    found = binaries()
    if found is None:
        lacking("no PostgreSQL server here; tests/find_postgres.sh installs Debian's")
    folder = Path(tempfile.mkdtemp(prefix="gyakusan-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        running = Server(found, folder, free.getsockname()[1], durable=durable)
    try:
        running.make()
        running.start()
        yield running
        running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _processes() -> dict[int, int]:
    """Return every living process with its parent."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(stat.parent.name)] = int(parent)
    return found
