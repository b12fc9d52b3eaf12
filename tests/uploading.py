"""Speak to a running server as Streamlit's browser side does: open a page's socket, upload a file to it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect

from tests.serving import BUSY_SECONDS
from workbench import browsers

_BOUNDARY = "gyakusan"


@dataclass(frozen=True)
class Visit:
    """An open page: its session, the secret of its browser, and the token that a form of it must send back."""

    address: str
    session: str
    browser: str
    xsrf: str
    socket: ClientConnection

    def put(self, size: int, name: str) -> int:
        """Upload so many bytes and return the status of the answer."""
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        tail = f"\r\n--{_BOUNDARY}--\r\n".encode()
        connection = self.begin(len(head) + size + len(tail), name)
        with suppress(OSError):  # refused before all of it was sent
            connection.send(head + bytes(size) + tail)
        try:
            return connection.getresponse().status
        except (http.client.HTTPException, OSError):
            return 0
        finally:
            connection.close()

    def begin(self, length: int, name: str) -> http.client.HTTPConnection:
        """Announce an upload of so many bytes and send none of them."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=BUSY_SECONDS)
        connection.putrequest("PUT", f"/_stcore/upload_file/{self.session}/{name}")
        connection.putheader("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}")
        connection.putheader("Content-Length", str(length))
        connection.putheader("X-Xsrftoken", self.xsrf)
        connection.putheader("Cookie", f"{browsers.COOKIE}={self.browser}; _streamlit_xsrf={self.xsrf}")
        connection.endheaders()
        return connection


@contextmanager
def visit(address: str, browser: str) -> Iterator[Visit]:
    """Open a page as the browser that has this secret, and close it afterwards."""
    host = urlsplit(address).netloc
    connection = http.client.HTTPConnection(host, timeout=BUSY_SECONDS)
    connection.request("GET", "/_stcore/health")
    cookies = str(connection.getresponse().headers["Set-Cookie"])
    connection.close()
    xsrf = cookies.partition("_streamlit_xsrf=")[2].partition(";")[0]
    headers = {"Cookie": f"{browsers.COOKIE}={browser}; _streamlit_xsrf={xsrf}", "Origin": address}
    options = {"max_size": None, "ping_interval": None, "close_timeout": 1}  # nobody reads what the server says
    tokens = [Subprotocol("streamlit"), Subprotocol(xsrf)]
    with connect(f"ws://{host}/_stcore/stream", subprotocols=tokens, additional_headers=headers, **options) as socket:
        socket.send(_rerun())
        session = ""
        while not session:
            said = ForwardMsg.FromString(bytes(socket.recv(timeout=BUSY_SECONDS)))
            session = said.new_session.initialize.session_id
        yield Visit(address, session, browser, xsrf, socket)


def _rerun() -> bytes:
    asked = BackMsg()
    asked.rerun_script.query_string = ""
    return bytes(asked.SerializeToString())
