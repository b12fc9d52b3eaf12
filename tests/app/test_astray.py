"""An address that leads to no page says so, in both languages, with a link home."""

import asyncio
from pathlib import Path

import pytest

from workbench import astray, serving

PAGES = sorted(path.stem for path in (Path(__file__).parents[2] / "pages").glob("*.py"))


def answered(path: str, *, language: str = "en", kind: bytes = b"text/html; charset=utf-8", status: int = 200):
    """Return the status and the text that come back where the app would answer with its page."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": b"the app"})

    async def send(message):
        sent.append(message)

    headers = [(b"accept-language", language.encode())]
    scope = {"type": "http", "scheme": "http", "method": "GET", "path": path, "headers": headers}
    asyncio.run(serving.Headers(app)(scope, None, send))
    return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:]).decode(), dict(sent[0]["headers"])


@pytest.mark.parametrize("path", ["/", *(f"/{name}" for name in PAGES if name != "home"), "/tree/", "/open"])
def test_the_apps_pages_are_the_apps(path: str):
    assert answered(path)[:2] == (200, "the app")


@pytest.mark.parametrize(
    ("path", "home"),
    [("/nowhere", "./"), ("/home", "./"), ("/tree/foo", "../"), ("/tree/foo/bar", "../../"), ("/a/b/c/d", "../../../")],
)
def test_any_other_address_leads_home(path: str, home: str):
    status, text, headers = answered(path)

    assert status == 404
    assert f'<a href="{home}">' in text
    assert "the app" not in text
    assert b"content-security-policy" in headers


@pytest.mark.parametrize(("language", "said"), [("ja-JP", "このアドレス"), ("en-US", "no page"), ("", "このアドレス")])
def test_it_is_said_in_the_visitors_language(language: str, said: str):
    text = answered("/tree/foo/bar", language=language)[1]

    assert said in text
    assert f'lang="{"en" if language == "en-US" else "ja"}"' in text


def test_nothing_of_the_address_is_quoted():
    assert "script>x" not in answered("/tree/<script>x</script>")[1]


@pytest.mark.parametrize("path", ["/media/0a.html", "/_stcore/x/y", "/static/js/x.js", "/component/a/b.html"])
def test_what_is_no_page_is_left_alone(path: str):
    assert answered(path)[:2] == (200, "the app")


def test_only_pages_are_replaced():
    assert answered("/favicon.png", kind=b"image/png")[:2] == (200, "the app")
    assert answered("/nowhere", status=304)[0] == 304


@pytest.mark.parametrize(
    ("base", "path", "nowhere"),
    [("", "/tree", False), ("p", "/p", False), ("p", "/p/tree", False), ("p", "/p/tree/x", True), ("p", "/px", True),
     ("/a/b/", "/a/b/tree", False), ("/a/b/", "/a/b/x/y", True), ("tree", "/tree/tree", False)],
)  # fmt: skip
def test_below_a_base_path_addresses_are_read_from_there(monkeypatch, base: str, path: str, nowhere: bool):
    monkeypatch.setattr(astray.config, "get_option", {"server.baseUrlPath": base}.get)

    assert astray.leads_nowhere(path) is nowhere
