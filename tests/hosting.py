"""Start the app as a host would: any command, any environment, its log in a file."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.serving import BUSY_SECONDS

ROOT = Path(__file__).parents[1]
PARTS = ("app.py", "kpi_core", "pages", "sample_data", "workbench", ".streamlit")


def copy(folder: Path, *, without: str = "") -> Path:
    """Fill a folder with links to the app's parts, all but one, and return it."""
    for part in PARTS:
        if part != without:
            (folder / part).symlink_to(ROOT / part)
    return folder


def uvicorn(*options: str) -> list[str]:
    """Return the command that serves the app by uvicorn alone."""
    return [sys.executable, "-m", "uvicorn", "app:app", *options]


def streamlit(*options: str) -> list[str]:
    """Return the command that serves the app by Streamlit's own command."""
    return [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", *options]


def fails(command: list[str], *, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a server that must stop by itself; return its exit code and what it wrote to stderr."""
    everywhere = {**os.environ, **(environment or {})}
    told = subprocess.run(
        command, cwd=folder, env=everywhere, capture_output=True, text=True, timeout=BUSY_SECONDS, check=False
    )
    return told.returncode, told.stderr


@contextmanager
def served(
    command: list[str], log: Path, *, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield the address of a running server (its command gets a free port); stderr goes to `log`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    option = f"--server.port={port}" if "streamlit" in command else f"--port={port}"
    everywhere = {**os.environ, **(environment or {})}
    with (
        log.open("w") as err,
        subprocess.Popen(
            [*command, option], cwd=folder, env=everywhere, stdout=subprocess.DEVNULL, stderr=err
        ) as server,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + BUSY_SECONDS
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise RuntimeError(f"the server stopped by itself: {log.read_text()}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not answer within {BUSY_SECONDS} s")
