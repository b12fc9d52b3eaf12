"""What goes round the pages: the browser's cookie, headers, health, calm errors, no secrets in view or in the log."""

import asyncio
import json
import logging
import subprocess
import sys
import threading
import tomllib
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.responses import PlainTextResponse
from streamlit import net_util
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server.server_util import is_url_from_allowed_origins

from kpi_core.errors import KpiError
from workbench import browsers, logs, serving, uploads

ROOT = Path(__file__).parents[2]
SECRET = "Zb7q-a-plan-nobody-may-read"


def asked(headers=(), *, scheme="http", kind="http", content=b"text/html; charset=utf-8", path="/"):
    """Send one request through the middleware and return the response's headers."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content)]})

    return through(app, headers, scheme=scheme, kind=kind, path=path)[0]["headers"]


def through(app, headers=(), *, scheme="http", kind="http", path="/", method="GET"):
    """Return all that comes back when an app is asked through the middleware."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "scheme": scheme, "method": method, "path": path, "headers": list(headers)}
    asyncio.run(serving.Headers(app)(scope, None, send))
    return sent


def cookie(headers) -> SimpleCookie:
    return SimpleCookie(b"; ".join(value for name, value in headers if name == b"set-cookie").decode())


def test_a_new_browser_gets_a_secret_name_no_script_can_read():
    first, second = cookie(asked())[browsers.COOKIE], cookie(asked())[browsers.COOKIE]

    assert len(first.value) == 43
    assert first.value != second.value
    assert first["httponly"]
    assert first["samesite"] == "Lax"
    assert first["path"] == "/"
    assert not first["secure"]
    assert int(first["max-age"]) == 400 * 24 * 60 * 60  # a closed browser is no lost plan


def test_over_https_the_name_travels_encrypted_only():
    kept = cookie(asked(scheme="https"))

    assert list(kept) == [browsers.COOKIE_OVER_HTTPS]
    assert kept[browsers.COOKIE_OVER_HTTPS]["secure"]


def test_over_https_a_name_that_another_page_of_the_domain_may_have_planted_says_nothing():
    planted = f"{browsers.COOKIE}={'w' * 43}"

    assert cookie(asked([(b"cookie", planted.encode())], scheme="https"))[browsers.COOKIE_OVER_HTTPS].value != "w" * 43
    assert browsers.named({browsers.COOKIE: "w" * 43, browsers.COOKIE_OVER_HTTPS: "m" * 43}) == "m" * 43


@pytest.mark.parametrize("beside", ["", "other=1; ", 'prefs={"a": 1, "b": [2]}; ', "flag; ", "a@b=1; ", "=; ", "é=ü; "])
def test_a_known_browser_keeps_its_name_whatever_cookies_stand_beside_it(beside):
    mine = f"{beside}{browsers.COOKIE}={'m' * 43}".encode()

    assert cookie(asked([(b"cookie", mine)]))[browsers.COOKIE].value == "m" * 43


@pytest.mark.parametrize("value", ["", "x", "m" * 42, "m" * 44, "m" * 42 + "!", '"' + "m" * 43])
def test_what_is_no_name_of_ours_is_replaced(value):
    given = cookie(asked([(b"cookie", f"{browsers.COOKIE}={value}".encode())]))[browsers.COOKIE].value

    assert given != value
    assert browsers.named({browsers.COOKIE: given}) == given


def test_only_pages_give_a_name():
    assert not cookie(asked(content=b"application/javascript"))


def test_chores_are_done_at_start_and_one_that_fails_keeps_none_from_being_done(monkeypatch):
    done = threading.Event()

    def failing() -> None:
        raise KpiError("store_down", "The storage does not answer.")

    async def served() -> None:
        async with serving.lifespan(None):
            for _ in range(500):
                if done.is_set():
                    break
                await asyncio.sleep(0.01)

    monkeypatch.setattr(serving, "daily", [failing, done.set])
    monkeypatch.setattr(serving.startup, "check", lambda: None)
    asyncio.run(served())

    assert done.is_set()


@pytest.mark.parametrize(
    ("held", "method", "status"),
    [
        ({}, "PUT", 204),
        ({"mine": [20] * 2}, "PUT", 204),
        ({"mine": [20] * 3}, "PUT", 413),
        ({"mine": [20] * 3}, "DELETE", 204),
        ({"other": [20] * 3}, "PUT", 204),
        ({f"other {at}": [20] * 2 for at in range(10)}, "PUT", 413),
    ],
)
def test_a_page_may_upload_a_few_files_and_all_pages_what_the_server_can_bear(monkeypatch, held, method, status):
    """In megabytes; the limits are 60 for a page and 400 in all."""
    files = MemoryUploadedFileManager("/upload")
    for session, sizes in held.items():
        for at, size in enumerate(sizes):
            files.add_file(session, UploadedFileRec(str(at), "plan.yaml", "text/yaml", bytes(size * 1_000_000)))
    monkeypatch.setattr(uploads.runtime, "exists", lambda: True)
    monkeypatch.setattr(uploads.runtime, "get_instance", lambda: SimpleNamespace(uploaded_file_mgr=files))

    answered = through(PlainTextResponse("", 204), path="/_stcore/upload_file/mine/new", method=method)

    assert answered[0]["status"] == status


def test_no_outside_service_is_asked_who_we_are(monkeypatch):
    """Streamlit would ask at start, unless told an address to print, and when a foreign origin opens a connection."""
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda *_args, **_more: pytest.fail("asked outside"))
    options = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))

    assert options["browser"]["serverAddress"] == "localhost"
    assert not is_url_from_allowed_origins("https://evil.test")


def test_every_response_is_hardened():
    headers = dict(asked(content=b"application/javascript"))
    policy = dict(part.split(" ", 1) for part in headers[b"content-security-policy"].decode().split("; "))

    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"referrer-policy"] == b"no-referrer"
    assert headers[b"cross-origin-opener-policy"] == b"same-origin"
    assert b"camera=()" in headers[b"permissions-policy"]
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in policy["script-src"].replace("'wasm-unsafe-eval'", "")
    assert "http" not in headers[b"content-security-policy"].decode()  # nobody else's address


def test_no_header_is_said_twice():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Referrer-Policy", b"unsafe-url")]})

    names = [name.lower() for name, _value in through(app)[0]["headers"]]

    assert len(names) == len(set(names))


def test_only_a_connection_that_is_encrypted_is_told_to_stay_so():
    assert b"strict-transport-security" not in dict(asked())
    assert dict(asked(scheme="https"))[b"strict-transport-security"] == b"max-age=31536000"


def test_over_https_the_cookies_of_streamlit_travel_encrypted_too():
    async def app(scope, receive, send):
        cookies = [(b"set-cookie", b"_streamlit_xsrf=x; Path=/"), (b"set-cookie", b"a=b; Secure")]
        await send({"type": "http.response.start", "status": 200, "headers": cookies})

    found = [value for name, value in through(app, scheme="https")[0]["headers"] if name == b"set-cookie"]

    assert found == [b"_streamlit_xsrf=x; Path=/; Secure", b"a=b; Secure"]


def test_a_request_that_breaks_gets_a_plain_answer_with_the_id_that_is_in_the_log(caplog):
    async def app(scope, receive, send):
        raise RuntimeError(SECRET)

    start, body = through(app)

    assert start["status"] == 500
    assert b"content-security-policy" in dict(start["headers"])
    assert SECRET not in body["body"].decode() + caplog.text
    assert body["body"].decode().rpartition(" ")[2] in caplog.text


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/base/_stcore//metrics/", "/_stcore/agent/openapi.json"])
def test_what_is_the_operators_is_not_public(path):
    async def app(scope, receive, send):
        pytest.fail("the request came through")

    assert through(app, path=path)[0]["status"] == 404


def test_websockets_pass_untouched():
    headers = asked(kind="websocket", path="/_stcore/stream")

    assert headers == [(b"content-type", b"text/html; charset=utf-8")]


def test_an_error_is_logged_under_the_id_the_person_sees_and_not_in_its_own_words(monkeypatch, caplog):
    shown = []
    monkeypatch.setattr("workbench.calm.show", shown.append)

    try:
        {}[SECRET]
    except KeyError as error:
        handled = serving.script_error(error)

    assert handled
    assert len(shown) == 1
    assert len(shown[0]) == 8
    assert shown[0] in caplog.text
    assert "KeyError" in caplog.text
    assert "test_serving.py:" in caplog.text
    assert SECRET not in caplog.text


def test_it_is_ready_when_every_check_says_so(monkeypatch):
    def broken():
        raise OSError(SECRET)

    def hangs():
        done.wait()

    done = threading.Event()
    monkeypatch.setattr(serving, "READY_WITHIN_SECONDS", 60)

    assert ready([]) == (200, b"ready")
    assert ready([lambda: None, lambda: None]) == (200, b"ready")
    assert ready([lambda: None, lambda: "database_down", lambda: "migrating"]) == (503, b"database_down\nmigrating")
    assert ready([broken, lambda: None]) == (503, b"check_failed")
    monkeypatch.setattr(serving, "READY_WITHIN_SECONDS", 0.2)
    assert ready([hangs]) == (503, b"check_slow")
    done.set()


def ready(checks):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "readiness", checks)
        response = asyncio.run(serving.readyz(None))
    return response.status_code, response.body


def test_search_engines_are_sent_away():
    assert b"Disallow: /\n" in asyncio.run(serving.robots(None)).body


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/", "/"),
        ("/tree", "/tree"),
        ("/share?t=secret", "/share"),
        ("/_stcore/upload_file/7d1c7cd6-86b0-4b1c-9a0c-000000000000/file", "/_stcore/upload_file/..."),
        ("/_stcore/upload_file/short/file", "/_stcore/upload_file/..."),
        ("/GcJx8Qh1", "/..."),
        ("/media/0123abcd.png", "/media/..."),
    ],
)
def test_of_a_path_only_the_route_is_told(path, told):
    assert logs.route(path) == told


@pytest.mark.parametrize(
    ("message", "values", "told"),
    [
        ("started %s in %d ms", (SECRET, 12), "started ... in 12 ms"),
        ("%(plan)s", ({"plan": SECRET},), "%(plan)s"),
        (f"Traceback (most recent call last):\n  x\nValueError: {SECRET}", (), "traceback: ValueError"),
        (f"Task failed\nfuture: {SECRET}", (), "Task failed"),
        (f"cannot open '{SECRET}' at http://{SECRET}/x", (), "cannot open ... at ..."),
        ("bad %d", (SECRET,), "bad %d"),
    ],
)
def test_of_what_libraries_say_only_the_constant_part_is_told(message, values, told):
    record = logging.LogRecord("a.library", logging.WARNING, "x.py", 7, message, values, None)

    line = json.loads(logs.Lines().format(record))

    assert line["event"] == told
    assert line["level"] == "warning"
    assert SECRET not in str(line)


def test_of_a_chain_of_errors_types_and_places_are_told_and_a_code_of_ours():
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise KpiError("cycle", "{path}", path=SECRET) from error
    except KpiError as error:
        told = logs.broken(error)

    assert told["type"] == "KpiError < ValueError"
    assert told["code"] == "cycle"
    assert [place.partition(":")[0] for place in told["at"]] == ["tests/app/test_serving.py"]


def test_what_looks_like_a_token_never_reaches_a_line():
    record = logging.LogRecord("gyakusan", logging.INFO, "x.py", 7, logs.Event("oops", {"id": "t" * 43}), (), None)

    assert "ttt" not in logs.Lines().format(record)


def test_the_options_that_keep_it_private_and_fast_are_set_in_the_file():
    options = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))

    assert options["browser"]["gatherUsageStats"] is False
    assert options["client"]["showErrorDetails"] == "none"
    assert options["client"]["toolbarMode"] == "viewer"
    assert options["runner"]["postScriptGC"] is False
    assert options["server"]["enableXsrfProtection"] is True
    assert options["server"]["enableStaticServing"] is False
    assert options["server"]["enableAgentApi"] is False
    assert options["server"]["maxUploadSize"] <= 20  # over 5 MB our own sentence refuses it


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_package_has_hashes_and_no_host(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    packages = [line for line in text.splitlines() if line and line[0].isalnum()]

    assert len(packages) > 10
    assert all("==" in line and line.endswith("\\") for line in packages)
    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(packages)


MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "kpi_core").rglob("*.py")
)


_LOADED_BY_ITSELF = """
import importlib, os, sys
import numpy, pydantic, scipy.optimize, scipy.stats, yaml  # what the core may use, loaded once for all

app = {"streamlit", "pandas", "altair", "sqlalchemy", "babel", "workbench"}
for module in sys.argv[1:]:
    if not os.fork():
        importlib.import_module(module)
        print(module, *app & {*sys.modules}, flush=True)
        os._exit(0)
    os.wait()
"""


def test_each_module_of_the_core_loads_by_itself_and_without_the_app():
    """No page, table, chart, storage or language comes along."""
    command = [sys.executable, "-c", _LOADED_BY_ITSELF, *MODULES]

    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert found.stdout.splitlines() == MODULES
