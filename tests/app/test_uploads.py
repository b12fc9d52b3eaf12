"""Uploads on their way take their room when they begin and give it back when they end, however they end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from tests.hosting import served, streamlit
from tests.uploading import visit
from workbench import browsers, serving, slow, uploads

MB = 1_000_000


class Server:
    """The middleware before an app that takes bodies and keeps them, as Streamlit does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files = MemoryUploadedFileManager("/upload")
        self.arriving = self.most = 0
        monkeypatch.setattr(uploads.runtime, "exists", lambda: True)
        monkeypatch.setattr(uploads.runtime, "get_instance", lambda: SimpleNamespace(uploaded_file_mgr=self.files))
        self.app = serving.Headers(self._take)

    async def _take(self, scope, receive, send) -> None:
        size, announced = 0, int(Request(scope).headers["content-length"])
        self.arriving += announced
        self.most = max(self.most, self.arriving + self.held)
        try:
            async for chunk in Request(scope, receive).stream():
                size += len(chunk)
        finally:
            self.arriving -= announced
        page, file = scope["path"].split("/")[-2:]
        self.files.add_file(page, UploadedFileRec(file, "x", "x", Sized(announced)))
        await PlainTextResponse("", 204)(scope, receive, send)

    @property
    def held(self) -> int:
        return sum(len(file.data) for page in self.files.file_storage.values() for file in page.values())


class Sized(bytes):
    """So many bytes that take no room."""

    def __new__(cls, size: int):
        made = super().__new__(cls)
        made.size = size
        return made

    def __len__(self) -> int:
        return self.size


class Sender:
    """One upload: when its body ends, breaks off or stands still is up to the test."""

    def __init__(self, server: Server, at: int, *, page: str, browser: str, address: str, size: int = 19 * MB) -> None:
        self.status, self._parts = 0, asyncio.Queue()
        cookie = f"{browsers.COOKIE}={browser * 43}".encode()
        headers = [(b"content-length", str(size).encode()), (b"cookie", cookie)]
        path = f"/_stcore/upload_file/{page}/{at}"
        scope = {"type": "http", "scheme": "http", "method": "PUT", "path": path, "headers": headers}
        self.task = asyncio.create_task(
            server.app({**scope, "client": (address, 1), "query_string": b""}, self._parts.get, self._answered)
        )

    async def _answered(self, message) -> None:
        self.status = message.get("status", self.status)

    async def end(self, how: str) -> None:
        if how == "cancelled":
            self.task.cancel()
        elif how == "broken":
            self._parts.put_nowait({"type": "http.disconnect"})
        else:
            self._parts.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        await asyncio.gather(self.task, return_exceptions=True)


def test_a_hundred_at_once_take_no_more_than_there_is(monkeypatch: pytest.MonkeyPatch):
    server = Server(monkeypatch)

    async def all_at_once() -> list[int]:
        senders = [
            Sender(server, at, page=f"p{at}", browser=chr(97 + at % 26), address=f"10.0.{at}.1") for at in range(100)
        ]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.gather(*(sender.end("whole") for sender in senders))
        return [sender.status for sender in senders]

    answered = asyncio.run(all_at_once())

    assert server.most <= uploads.MOST + 20 * MB
    assert sorted(set(answered)) == [204, 429]
    assert server.held == answered.count(204) * 19 * MB
    assert uploads.on_their_way() == 0


@pytest.mark.parametrize(
    ("pages", "cookies", "hosts", "accepted"),
    [("p", "a", "1", 4), ("pqrstu", "a", "1", 7), ("pqrstuvwxyz", "abcdefghijk", "1", 11), ("p", "abcdef", "12345", 4)],
    ids=["one page", "one browser", "one address", "one page by many"],
)
def test_each_has_a_limit_of_its_own(monkeypatch, pages: str, cookies: str, hosts: str, accepted: int):
    """A page 60 MB, a browser 120, an address 200 on their way: the next one begins as long as a limit is not met."""
    server = Server(monkeypatch)

    async def begun() -> list[int]:
        senders = [
            Sender(
                server,
                at,
                page=pages[at % len(pages)],
                browser=cookies[at % len(cookies)],
                address=f"10.0.0.{hosts[at % len(hosts)]}",
            )
            for at in range(30)
        ]
        await asyncio.sleep(0.01)
        await asyncio.gather(*(sender.end("whole") for sender in senders))
        return [sender.status for sender in senders]

    answered = asyncio.run(begun())

    assert answered.count(204) == accepted
    assert answered.count(429) == 30 - accepted


HOW = st.sampled_from(["whole", "broken", "cancelled"])
STEPS = st.lists(
    st.tuples(st.sampled_from("pqrs"), st.sampled_from("ab"), st.sampled_from("12"), st.integers(1, 20), HOW),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_whatever_ends_gives_its_room_back_and_no_limit_is_passed_by_more_than_a_file(steps, chance):
    with pytest.MonkeyPatch.context() as patch:
        asyncio.run(_run(Server(patch), steps, chance))


async def _run(server: Server, steps, chance) -> None:
    open_ones: list[tuple[Sender, str]] = []
    for at, (page, browser, host, size, how) in enumerate(steps):
        sender = Sender(server, at, page=page, browser=browser, address=f"10.0.0.{host}", size=size * MB)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        open_ones.append((sender, how))
        assert uploads.on_their_way() == server.arriving
        assert server.most <= uploads.MOST + 20 * MB
        if chance.random() < 0.5:
            ending, its_end = open_ones.pop(chance.randrange(len(open_ones)))
            await ending.end(its_end)
    for sender, its_end in open_ones:
        await sender.end(its_end)
    assert uploads.on_their_way() == server.arriving == 0
    for page, files in server.files.file_storage.items():
        assert sum(len(file.data) for file in files.values()) < uploads.MOST_OF_A_PAGE + 20 * MB, page


def test_an_upload_that_stands_still_is_broken_off_and_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch):
    server = Server(monkeypatch)
    monkeypatch.setattr(slow, "STANDS_STILL_SECONDS", 0.05)

    async def stalled() -> list[int]:
        senders = [Sender(server, at, page="p", browser="a", address="10.0.0.1") for at in range(4)]
        await asyncio.gather(*(sender.task for sender in senders))
        return [sender.status for sender in senders]

    assert asyncio.run(stalled()) == [408] * 4
    assert uploads.on_their_way() == 0


def test_an_upload_whose_browser_went_away_is_no_error(monkeypatch: pytest.MonkeyPatch, caplog):
    server = Server(monkeypatch)

    async def left() -> None:
        await Sender(server, 1, page="p", browser="a", address="10.0.0.1").end("broken")

    asyncio.run(left())

    assert "request_error" not in caplog.text


def test_a_running_server_takes_a_few_at_once_and_the_rest_later(tmp_path: Path):
    """Twelve files of 19 MB to one page, whose limit is 60 MB; two more that are announced and never come."""
    with (
        served(
            streamlit("--server.address=127.0.0.1"), tmp_path / "log", environment={"GYAKUSAN_DATA": str(tmp_path)}
        ) as home,
        visit(home, "m" * 43) as page,
        visit(home, "m" * 43) as beside,
        ThreadPoolExecutor(12) as pool,
    ):
        announced = [beside.begin(19 * MB, f"never{at}") for at in range(2)]
        answered = list(pool.map(lambda at: page.put(19 * MB, f"file{at}"), range(12)))
        for connection in announced:
            connection.close()
        small = beside.put(1_000, "small")

    assert 1 <= answered.count(204) <= 4
    assert answered.count(204) + answered.count(429) + answered.count(413) == 12
    assert small == 204
