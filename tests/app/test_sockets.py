"""Who may open a page's connection, and what comes through it."""

import asyncio
import http.client
import json
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit import config
from websockets import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.hosting import served, streamlit
from tests.serving import BUSY_SECONDS
from workbench import serving, sockets

HOST = "plan.example.com"


def scope(origin: str | None, host: str = HOST, *, scheme: str = "ws", path: str = sockets.STREAM):
    headers = [(b"host", host.encode())] + ([] if origin is None else [(b"origin", origin.encode())])
    return {"type": "websocket", "scheme": scheme, "path": path, "headers": headers}


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "ours"),
    [
        (f"https://{HOST}", HOST, "wss", True),
        (f"https://{HOST}", f"{HOST}:443", "wss", True),
        (f"https://{HOST.upper()}", HOST, "wss", True),
        (f"https://{HOST}", HOST, "ws", True),  # behind a proxy that is not trusted
        (f"http://{HOST}", HOST, "ws", True),
        (f"http://{HOST}", HOST, "wss", False),
        (f"https://{HOST}:8443", HOST, "wss", False),
        ("http://localhost:8501", "localhost:8501", "ws", True),
        ("http://localhost:3000", "localhost:8501", "ws", False),
        ("http://127.0.0.1:8501", "localhost:8501", "ws", False),
        ("http://0.0.0.0:8501", "localhost:8501", "ws", False),
        ("http://[::1]:8501", "[::1]:8501", "ws", True),
        ("null", HOST, "wss", False),
        ("https://evil.test", HOST, "wss", False),
        (f"https://{HOST}.evil.test", HOST, "wss", False),
        (f"https://{HOST}@evil.test", HOST, "wss", False),
        ("https://[", HOST, "wss", False),
        ("", "", "ws", False),
        (None, HOST, "ws", True),  # no browser: it has no person's cookie
    ],
)
def test_a_page_connects_to_the_address_it_is_of_and_to_no_other(origin, host, scheme, ours):
    assert sockets.is_ours(scope(origin, host, scheme=scheme)) is ours


@given(st.integers(1, 65_535), st.integers(1, 65_535), st.sampled_from(["localhost", "127.0.0.1", "[::1]", "0.0.0.0"]))
def test_another_port_of_this_machine_is_another_address(page: int, server: int, host: str):
    found = sockets.is_ours(scope(f"http://{host}:{page}", f"{host}:{server}"))

    assert found is (page == server)


def test_an_address_that_is_configured_may_connect(monkeypatch: pytest.MonkeyPatch):
    options = {"server.corsAllowedOrigins": ["https://intranet.example.com"]}
    monkeypatch.setattr(config, "get_option", options.__getitem__)

    assert sockets.is_ours(scope("https://intranet.example.com", scheme="wss"))
    assert not sockets.is_ours(scope("https://intranet.example.com:8443", scheme="wss"))


def test_what_is_refused_is_closed_before_it_is_open_and_never_reaches_the_app(caplog: pytest.LogCaptureFixture):
    async def app(*_):
        pytest.fail("it came through")

    for refused in (scope("http://localhost:3000"), scope(None, path="/elsewhere")):
        assert exchanged(app, refused, [{"type": "websocket.connect"}]) == [{"type": "websocket.close", "code": 1008}]
    assert "localhost" not in caplog.text


def test_text_ends_the_connection_calmly_and_nothing_more_is_sent(caplog: pytest.LogCaptureFixture):
    heard = []

    async def app(_scope, receive, send):
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            heard.append(message)
        await send({"type": "websocket.send", "bytes": b"late"})

    messages = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "bytes": b"", "text": None},
        {"type": "websocket.receive", "text": "a secret"},
    ]
    sent = exchanged(app, scope(None), messages)

    assert sent == [{"type": "websocket.accept"}, {"type": "websocket.close", "code": 1003}]
    assert [message["type"] for message in heard] == ["websocket.connect", "websocket.receive"]
    assert "secret" not in caplog.text


def exchanged(app, asked, messages):
    """Return what is sent to whoever connects like this and says these things."""
    left, sent = iter(messages), []

    async def receive():
        return next(left)

    async def send(message):
        sent.append(message)

    asyncio.run(serving.Headers(app)(asked, receive, send))
    return sent


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("sockets")
    with served(streamlit(), folder / "log", environment={"GYAKUSAN_DATA": str(folder)}) as address:
        yield address, folder / "log"


@contextmanager
def opened(address: str, origin: str, path: str = "/_stcore/stream"):
    host = urlsplit(address).netloc
    with connect(f"ws://{host}{path}", origin=origin, close_timeout=1, max_size=None) as socket:
        yield socket


def test_of_a_running_server_no_page_of_another_port_opens_the_socket(running):
    address, _log = running
    for origin in ("http://localhost:3000", "http://127.0.0.1:1", "http://0.0.0.0", "https://evil.test", "null"):
        with pytest.raises(InvalidStatus) as refused, opened(address, origin):
            pass
        assert refused.value.response.status_code == 403, origin

    with opened(address, address):
        pass


def test_a_running_server_takes_odd_messages_and_places_without_an_error(running):
    address, log = running
    with opened(address, address) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.send("a text")
        while True:
            socket.recv(timeout=BUSY_SECONDS)
    with pytest.raises(InvalidStatus) as refused, opened(address, address, "/elsewhere"):
        pass

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003
    assert refused.value.response.status_code == 403
    time.sleep(0.5)  # an error would be logged after the connection is closed
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [event for event in events if event["level"] in ("error", "critical")] == []


@pytest.mark.parametrize(
    "target",
    ["/%00", "/tree/%00/x", "//evil.test/x", "/..%2f..%2fapp.py", "/%ff", "/_stcore/upload_file/a/b", "/media/%00",
     "/component/x/%00", "/_stcore/bidi-components/%00", "/static/%00", "/auth/login?provider=%00", "/" + "a" * 5_000],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "TRACE"])
def test_a_running_server_breaks_over_no_odd_request(running, method: str, target: str):
    address, _log = running
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=BUSY_SECONDS)
    connection.putrequest(method, target)
    connection.putheader("Content-Length", "0")
    connection.endheaders()

    assert connection.getresponse().status < 500
    connection.close()
