"""What goes round the pages: the browser's cookie, headers, the health route, calm errors, no secrets in view."""

import asyncio
import logging
import subprocess
import sys
import tomllib
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from streamlit import net_util
from streamlit.web.server.server_util import is_url_from_allowed_origins

from workbench import serving

ROOT = Path(__file__).parents[2]


def asked(headers=(), *, scheme="http", kind="http", content=b"text/html; charset=utf-8"):
    """Send one request through the middleware and return the response's headers."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content)]})

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "scheme": scheme, "headers": list(headers)}
    asyncio.run(serving.Headers(app)(scope, None, send))
    return sent[0]["headers"]


def cookie(headers) -> SimpleCookie:
    return SimpleCookie(b"; ".join(value for name, value in headers if name == b"set-cookie").decode())


def test_a_new_browser_gets_a_secret_name_no_script_can_read():
    first, second = cookie(asked())[serving.BROWSER_COOKIE], cookie(asked())[serving.BROWSER_COOKIE]

    assert len(first.value) == 43
    assert first.value != second.value
    assert first["httponly"]
    assert first["samesite"] == "Lax"
    assert first["path"] == "/"
    assert not first["secure"]


def test_over_https_the_name_travels_encrypted_only():
    assert cookie(asked(scheme="https"))[serving.BROWSER_COOKIE]["secure"]


def test_a_known_browser_keeps_its_name_and_only_pages_give_one():
    assert not cookie(asked([(b"cookie", b"other=1; gyakusan_browser=x")]))
    assert not cookie(asked(content=b"application/javascript"))


def test_no_outside_service_is_asked_who_we_are(monkeypatch):
    """Streamlit would ask at start, unless told an address to print, and when a foreign origin opens a connection."""
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda *_args, **_more: pytest.fail("asked outside"))
    options = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))

    assert options["browser"]["serverAddress"] == "localhost"
    assert not is_url_from_allowed_origins("https://evil.test")


def test_every_response_is_hardened():
    headers = dict(asked())

    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"referrer-policy"] == b"no-referrer"
    assert headers[b"content-security-policy"] == b"frame-ancestors 'none'"


def test_websockets_pass_untouched():
    headers = asked(kind="websocket")

    assert headers == [(b"content-type", b"text/html; charset=utf-8")]


def test_an_error_is_logged_under_the_id_the_person_sees_and_nothing_else_is_shown(monkeypatch, caplog):
    shown = []
    monkeypatch.setattr("workbench.calm.show", shown.append)

    with caplog.at_level(logging.ERROR, logger="gyakusan"):
        handled = serving.script_error(ValueError("a secret of the plan"))

    assert handled
    assert len(shown) == 1
    assert shown[0] in caplog.text
    assert len(shown[0]) == 8


def test_the_options_that_keep_it_private_and_fast_are_set_in_the_file():
    options = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))

    assert options["browser"]["gatherUsageStats"] is False
    assert options["client"]["showErrorDetails"] == "none"
    assert options["client"]["toolbarMode"] == "viewer"
    assert options["runner"]["postScriptGC"] is False
    assert options["server"]["maxUploadSize"] <= 50  # over 5 MB our own sentence refuses it


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_package_has_hashes_and_no_host(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    packages = [line for line in text.splitlines() if line and line[0].isalnum()]

    assert len(packages) > 10
    assert all("==" in line and line.endswith("\\") for line in packages)
    assert "http" not in text
    assert text.count("--hash=sha256:") >= len(packages)


MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "kpi_core").rglob("*.py")
)


@pytest.mark.parametrize("module", MODULES)
def test_the_core_loads_without_the_app(module):
    """In a fresh interpreter: no page, table, chart, storage or language comes along."""
    code = (
        f"import sys, {module}; "
        "print([name for name in ('streamlit', 'pandas', 'altair', 'sqlalchemy', 'babel', 'workbench')"
        " if name in sys.modules])"
    )

    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
