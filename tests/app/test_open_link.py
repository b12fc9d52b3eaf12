"""Coming by a link: the landing page, and the one answer to every token that opens nothing."""

import asyncio
import json
import logging
import re
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from anyio import to_thread
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.requests import Request

from kpi_core.errors import KpiError
from tests.serving import BUSY_SECONDS
from tests.visits import GUEST, ME, kept
from workbench import open_link
from workbench.browsers import COOKIE
from workbench.headers import Headers
from workbench.store import Actor, Store
from workbench.store.engine import connect
from workbench.store.limits import FAILURES

MISTYPED = "Zb7q" + "x" * 39


@pytest.fixture
def store(tmp_path):
    opened = Store(connect(f"sqlite:///{tmp_path}/kept/plans.sqlite3"))
    yield opened
    opened.close()


def answered(store, path="/enter", *, method="POST", body=b"", headers=None, cookie=GUEST, client="10.0.0.9"):
    """Ask the app, the headers' middleware around it, and return status, headers and body."""
    sent = []
    app = Headers(Starlette(routes=open_link.routes(store if callable(store) else lambda: store)))
    given = {"host": "plans.example.test", "content-type": "application/json", **(headers or {})}
    given |= {"cookie": f"{COOKIE}={cookie}"} if cookie else {}
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"scheme": "https", "client": (client, 5), "server": ("plans.example.test", 443), "root_path": ""}
    scope |= {"headers": [(name.encode(), value.encode()) for name, value in given.items() if value is not None]}
    parts = [body[at : at + 1_000] for at in range(0, len(body), 1_000)] or [b""]

    async def receive():
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message):
        sent.append(message)

    with suppress(RuntimeError):  # a bug: answered already, and raised again for the server to log
        asyncio.run(app(scope, receive, send))
    whole = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), whole


def entered(store, token, **more):
    return answered(store, body=json.dumps({"token": token}).encode(), **more)


def shared(store, role="edit", **more) -> tuple[str, str, str]:
    """Return a plan's id, its link's id, and the link's token."""
    plan_id = kept(store)
    link, token = store.issue(Actor.of(ME), plan_id, role, **more)
    return plan_id, link.id, token


@pytest.mark.parametrize("role", ["view", "edit", "facilitate"])
def test_a_link_opens_its_plan_which_then_is_the_browsers_latest(store, role):
    own = kept(store, cookie=GUEST)
    store.keep_desk(Actor.of(GUEST), own, {})
    plan_id, _link, token = shared(store, role)

    status, headers, body = entered(store, token)

    assert (status, body) == (204, b"")
    assert b"set-cookie" not in headers
    assert store.standing(Actor.of(GUEST), plan_id).role == role
    assert store.latest(Actor.of(GUEST)) == plan_id


def test_what_the_browser_kept_beside_the_plan_is_still_there(store):
    plan_id, _link, token = shared(store)
    entered(store, token)
    store.keep_desk(Actor.of(GUEST), plan_id, {"language": "en", "author": "佐藤"})

    assert entered(store, token)[0] == 204

    assert store.desk(Actor.of(GUEST), plan_id) == {"language": "en", "author": "佐藤"}


def test_every_token_that_opens_nothing_gets_the_same_answer(store):
    plan_id, link_id, revoked = shared(store)
    store.revoke(Actor.of(ME), plan_id, link_id)
    expired = shared(store, expires_at=datetime.now(UTC) - timedelta(days=1))[2]
    deleted_plan, _link, deleted = shared(store)
    store.delete(Actor.of(ME), deleted_plan)

    tokens = (revoked, expired, deleted, MISTYPED, "", "x", revoked[:-1], "鍵" * 60, "\x00\ud800", "../../etc/passwd")
    answers = [entered(store, token, client=f"10.0.1.{at}") for at, token in enumerate(tokens)]

    assert answers[0][0] == 404
    assert answers[0][2] == b""
    assert all(answer == answers[0] for answer in answers)
    assert store.plans(Actor.of(GUEST)) == []


def test_the_way_to_that_answer_is_the_same_too(store, monkeypatch):
    """What takes time is the database: the same statements run for each, and nothing after them."""
    plan_id, link_id, revoked = shared(store)
    store.revoke(Actor.of(ME), plan_id, link_id)
    expired = shared(store, expires_at=datetime.now(UTC) - timedelta(days=1))[2]
    ran = []

    event.listen(
        store.database.engine, "before_cursor_execute", lambda _c, _k, statement, *_more: ran.append(statement)
    )
    ways = []
    for token in (revoked, expired, MISTYPED):
        ran.clear()
        entered(store, token)
        ways.append(list(ran))

    assert ways[0]
    assert ways[0] == ways[1] == ways[2]


def test_a_link_that_ends_on_the_way_is_dead_like_any_other(store, monkeypatch):
    token = shared(store)[2]

    def ended(*_args):
        raise KpiError("not_allowed", "Your link does not allow this.")

    monkeypatch.setattr(store, "keep_desk", ended)

    assert entered(store, token) == entered(store, MISTYPED)


def test_guessing_is_slowed_down_and_said_so_and_a_neighbour_is_not(store):
    token = shared(store)[2]

    statuses = [entered(store, f"{MISTYPED}{at}")[0] for at in range(FAILURES)]
    status, headers, body = entered(store, token)

    assert statuses == [404] * FAILURES
    assert (status, body) == (429, b"")
    assert headers[b"retry-after"] == b"60"
    assert entered(store, token, client="10.0.0.10")[0] == 204


@pytest.mark.parametrize("code", ["store_down", "store_busy", "store_full", "store_read_only", "store_newer"])
def test_a_storage_that_does_not_answer_is_not_a_dead_link(store, code, monkeypatch):
    token = shared(store)[2]

    def down():
        raise KpiError(code, "The storage does not answer.")

    assert entered(down, token)[0] == 503
    assert entered(store, token)[0] == 204


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"headers": {"origin": "https://evil.test"}}, 403),
        ({"headers": {"origin": "null"}}, 403),
        ({"headers": {"origin": "https://plans.example.test.evil.test"}}, 403),
        ({"headers": {"sec-fetch-site": "cross-site"}}, 403),
        ({"headers": {"sec-fetch-site": "same-site"}}, 403),
        ({"headers": {"content-type": "text/plain"}}, 415),
        ({"headers": {"content-type": "application/x-www-form-urlencoded"}}, 415),
        ({"headers": {"content-type": None}}, 415),
        ({"cookie": None}, 400),
        ({"cookie": "short"}, 400),
        ({"cookie": "x" * 44}, 400),
        ({"method": "GET"}, 405),
    ],
)
def test_what_our_own_page_would_not_send_reaches_no_storage(store, given, status):
    def never():
        pytest.fail("the storage was asked")

    assert entered(never, MISTYPED, **given)[0] == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"token"',
        b"{}",
        b'{"token": 1}',
        b'{"token": null}',
        b'{"token": ["a"]}',
        b"\xff\xfe",
        b"[" * 4_000,
        json.dumps({"token": "x" * 5_000}).encode(),
        json.dumps({"token": MISTYPED, "more": "x" * 1_000_000}).encode(),
    ],
)
def test_a_body_that_is_none_of_ours_reaches_no_storage(body):
    def never():
        pytest.fail("the storage was asked")

    assert answered(never, body=body)[0] == 422


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "https://plans.example.test"}, {"sec-fetch-site": "same-origin", "origin": "https://behind.proxy"}],
)
def test_our_own_page_is_let_in_behind_a_proxy_too(store, headers):
    token = shared(store)[2]

    assert entered(store, token, headers=headers)[0] == 204


def test_the_token_is_in_no_log_and_no_answer(store, caplog, monkeypatch):
    token = shared(store)[2]
    caplog.set_level(logging.DEBUG)

    def broken(*_args, **_more):
        raise RuntimeError(token)

    answers = [entered(store, token), entered(store, MISTYPED)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "enter", broken)
        answers.append(entered(store, token))
    answers += [entered(broken, token), entered(store, token, headers={"origin": "https://evil.test"})]

    assert [answer[0] for answer in answers] == [204, 404, 500, 500, 403]
    told = caplog.text + repr(answers) + "".join(repr(vars(record)) for record in caplog.records if not record.exc_info)
    assert token not in told
    assert MISTYPED not in told


def page(store, language) -> str:
    status, headers, body = answered(
        store, "/open", method="GET", headers={"accept-language": language, "content-type": None}, cookie=None
    )
    assert status == 200
    assert headers[b"cache-control"] == b"no-store"
    assert COOKIE.encode() in headers[b"set-cookie"]
    return body.decode()


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-GB,en;q=0.9,ja;q=0.5", "en"),
        ("fr-FR", "en"),
        ("", "ja"),
        ("*", "ja"),
        ("<script>alert(1)</script>", "en"),
    ],
)
def test_the_landing_page_speaks_the_browsers_language_and_no_other(store, accepted, language):
    text = page(store, accepted)

    assert f'<html lang="{language}">' in text
    visible = re.sub(r"<(style|title)>.*?</\1>", "", text, flags=re.S)
    assert any("\u3040" <= letter <= "\u30ff" for letter in visible) == (language == "ja")
    assert "alert(1)" not in text


def test_the_landing_page_runs_no_script_but_its_own_file_and_asks_nobody_outside(store):
    text = page(store, "en")

    assert re.findall(r"<script[^>]*>(.*?)</script>", text, re.S) == [""]
    assert not re.findall(r"""(?:href|src|action)=["']?(?:https?:)?//""", text)
    assert not re.findall(r"\son\w+=", text)
    assert "$" not in text


def test_every_answer_has_its_words_on_the_page(store):
    text = page(store, "en")
    _status, headers, script = answered(store, "/open.js", method="GET", headers={"content-type": None})

    said = set(re.findall(r'data-says="(\w+)"', text))

    assert headers[b"content-type"].startswith(b"text/javascript")
    assert set(re.findall(r'"(dead|many|down|cookie|none|opening|signing)"', script.decode())) == said
    assert "Whether" not in text
    assert "replaceState" in script.decode()


@pytest.mark.parametrize("content_type", ["application/json;charset=utf-8", "Application/JSON ; charset=utf-8"])
def test_the_type_of_a_body_is_understood_however_a_browser_spells_it(store, content_type):
    token = shared(store)[2]

    assert entered(store, token, headers={"content-type": content_type})[0] == 204


def test_a_body_as_long_as_it_may_be_is_read_and_no_longer_one(store):
    token = shared(store)[2]
    longest = json.dumps({"token": token}).encode().ljust(open_link.MAX_BYTES)

    assert len(longest) == 4_096
    assert answered(store, body=longest)[0] == 204
    assert answered(store, body=longest + b" ")[0] == 422


def test_only_who_is_told_to_wait_is_told_for_how_long(store):
    token = shared(store)[2]

    for answer in (entered(store, token), entered(store, MISTYPED), entered(store, token, cookie=None)):
        assert b"retry-after" not in answer[1]


def test_a_storage_that_hangs_takes_none_of_the_threads_that_serve_the_pages():
    inside, release = [], threading.Event()

    def hanging():
        inside.append(1)
        release.wait(BUSY_SECONDS)
        raise KpiError("store_down", "The storage does not answer.")

    def request() -> Request:
        async def receive():
            return {"type": "http.request", "body": json.dumps({"token": MISTYPED}).encode(), "more_body": False}

        headers = [(b"content-type", b"application/json"), (b"cookie", f"{COOKIE}={GUEST}".encode())]
        return Request({"type": "http", "method": "POST", "path": "/enter", "headers": headers}, receive)

    async def asked() -> tuple[int, list[int]]:
        coming = [asyncio.create_task(open_link.enter(request(), hanging)) for _ in range(50)]
        for _ in range(int(BUSY_SECONDS / 0.01)):
            await asyncio.sleep(0.01)
            if len(inside) >= 8:
                break
        taken = to_thread.current_default_thread_limiter().borrowed_tokens
        release.set()
        return taken, [answer.status_code for answer in await asyncio.gather(*coming)]

    taken, statuses = asyncio.run(asked())

    assert taken == 0
    assert statuses == [503] * 50


def test_a_translation_is_text_on_the_landing_page(monkeypatch):
    """The words come from a file that translators write."""
    sentences = dict.fromkeys(open_link._sentences(), '<b title="x">\'$')
    monkeypatch.setattr(open_link, "_sentences", lambda: sentences)

    page = open_link._page.__wrapped__("en")

    assert "<b title" not in page
    assert page.count("&lt;b title=&quot;x&quot;&gt;&#x27;$") >= len(sentences)
