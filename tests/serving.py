"""Start the app (or any Streamlit script) on a free port, and a Chromium to look at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.protobuf.message import DecodeError
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).parents[1]
BUSY_SECONDS = 180  # a busy machine is slow, not wrong: so long anything may take
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def serve(
    script: str = "app.py",
    *,
    folder: Path = ROOT,
    options: tuple[str, ...] = (),
    log: Path = Path(os.devnull),
    port: int | None = None,
    data: Path | None = None,
) -> Iterator[str]:
    """Yield the address of a freshly started server that writes to `log`; stop it afterwards."""
    port = free_port() if port is None else port
    command = [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}", "--server.address=127.0.0.1"]
    command += ["--server.headless=true", "--browser.gatherUsageStats=false", *options]
    with log.open("w") as out, TemporaryDirectory(ignore_cleanup_errors=True) as own:
        environment = {"GYAKUSAN_DATA": own, **os.environ, "PYTHONPATH": str(ROOT)}
        environment |= {"GYAKUSAN_DATA": str(data)} if data is not None else {}
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out) as server:
            try:
                address = f"http://127.0.0.1:{port}"
                _wait(address, server)
                yield address
            finally:
                server.kill()  # a polite stop would wait for open pages


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + BUSY_SECONDS
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise RuntimeError("the server stopped by itself; run it by hand to see why")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not answer within {BUSY_SECONDS} s")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a headless Chromium: the system's, else the one Playwright brought."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_FLAGS, timeout=BUSY_SECONDS * 1_000)
        made = browser.new_context

        def patient(**options: Any) -> BrowserContext:
            context = made(**options)
            context.set_default_timeout(BUSY_SECONDS * 1_000)
            return context

        browser.new_context = patient  # type: ignore[method-assign]
        try:
            yield browser
        finally:
            browser.close()


def enter(field: Locator, text: str) -> None:
    """Put `text` into a field in place of what it says, and press Enter.

    Playwright selects first and then inserts: what the page writes into the field in between stays before the text.
    Once it holds a text that was not entered yet, the page writes nothing into it any more.
    """
    field.fill(text)
    if field.input_value() != text:
        field.fill(text)
    field.press("Enter")


def on_message(page: Page, hear: Callable[[ForwardMsg], None]) -> None:
    """Let `hear` have all that the server says to a page from now on."""

    def take(frame: bytes | str) -> None:
        with suppress(DecodeError):
            hear(ForwardMsg.FromString(frame if isinstance(frame, bytes) else frame.encode()))

    page.on("websocket", lambda socket: socket.on("framereceived", take))


class Sent:
    """Counts what a page tells the server because of what a person does: its pulse, every few seconds, is not of it."""

    def __init__(self, page: Page) -> None:
        self.messages = 0
        page.on("websocket", lambda socket: socket.on("framesent", self._count))

    def _count(self, frame: bytes | str) -> None:
        said = BackMsg.FromString(frame if isinstance(frame, bytes) else frame.encode())
        self.messages += not said.rerun_script.is_auto_rerun
