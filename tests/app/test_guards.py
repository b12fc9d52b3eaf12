"""Guards of the app, each by the harm it keeps away: without it one of these tests is red."""

import asyncio
import hashlib
import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as some
from starlette.responses import PlainTextResponse

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.visits import ME, app_store, kept, said, visit
from workbench import browsers, files, moves, new_link, refusals, samples, serving, session, tables, tree_board, words
from workbench.desk import Desk
from workbench.keeping import Keeping
from workbench.rows import share as rows
from workbench.store import Actor, revisions, rights
from workbench.tree_board import Move

SAMPLE = samples.sample_plan()
_CSS_STRING = re.compile(r"'((?:[^'\\\n\r\f<>{}]|\\[0-9a-f]{1,6}[ \t\n]?)*)'")  # CSS Syntax 3, § 4.3.5 and 4.3.7


def through(app, *, scheme="http", path="/", method="GET", kind="http"):
    """Return all that comes back when an app is asked through the middleware."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "scheme": scheme, "method": method, "path": path, "headers": []}
    asyncio.run(serving.Headers(app)(scope, None, send))
    return sent


@pytest.fixture(autouse=True)
def _english():
    """A choice is sent as it is spelt."""
    with words.speaking("en"):
        yield


@pytest.fixture
def store(tmp_path):
    with app_store(tmp_path) as opened:
        yield opened


# A style


def read_css(string: str) -> str:
    """Return what a CSS string says, by the rules of CSS Syntax 3; nothing in it may end it, or the style around it."""
    found = _CSS_STRING.fullmatch(string)
    assert found, string
    return re.sub(r"\\([0-9a-f]{1,6})[ \t\n]?", lambda escape: chr(int(escape[1], 16)), found[1])


@given(some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_css_string_says_the_text_and_nothing_in_it_ends_it(text):
    assert read_css(tables.quoted(text)) == text


@pytest.mark.parametrize(
    "name",
    [
        "'; } body { display: none } x {",
        "</style><script>alert(1)</script>",
        "a\\",
        "a\nb",
        "url(https://evil.test/)",
        "*/ } /*",
        "\\000027",
        "a b c1 f",
    ],
)
def test_a_columns_name_cannot_leave_its_place_in_the_style_of_a_table(name):
    style = tables.css([{"KPI": "a", name: "1"}], key="k", stacks=True)

    [content] = re.findall(r"{ content: (.*?); }", style, re.S)
    assert read_css(content) == name
    assert style.replace(content, "").count("{") == style.replace(content, "").count("}")
    assert "<" not in style


# A file


@pytest.mark.parametrize("padding", [b" ", "\u3000".encode()])
def test_a_file_of_five_megabytes_is_opened_and_one_with_a_byte_more_is_not(padding):
    """Bytes, not characters: of Japanese text five megabytes are far fewer characters than a plan may have."""
    text = SAMPLE.to_yaml().encode() + b"# "
    room = files.MAX_BYTES - len(text)
    largest = text + b" " * (room % len(padding)) + padding * (room // len(padding))
    assert len(largest) == files.MAX_BYTES == 5_000_000

    assert files.read(largest) == SAMPLE
    with pytest.raises(KpiError) as refused:
        files.read(largest + b" ")
    assert refused.value.code == "file_too_large"


def in_file(change) -> str:
    data = SAMPLE.to_data()
    change(data)
    return json.dumps(data)


HALF = "\ud83c"
HALVES = {
    "a name": in_file(lambda data: data["name"].update(ja=HALF)),
    "a field": in_file(lambda data: data["metrics"]["visitors"].update({HALF: 1})),
    "a choice": in_file(lambda data: data["metrics"]["visitors"].update(kind=HALF)),
    "a number": in_file(lambda data: data["metrics"]["visitors"].update(value=HALF)),
    "a formula": in_file(lambda data: data["metrics"]["revenue"].update(formula=f"wins * {HALF}")),
    "a reference": in_file(lambda data: data["metrics"]["visitors"].update(team=HALF)),
    "what a KSF moves": in_file(lambda data: data["ksfs"]["M1"]["moves"].update({HALF: [0, 0, 0]})),
    "the currency": in_file(lambda data: data.update(currency=HALF)),
    "a section": in_file(lambda data: data.update({HALF: {}})),
    "an id": in_file(lambda data: data["metrics"].update({HALF: {"name": "x", "kind": "count", "value": 1}})),
    "twice": '{"\\ud83c": 1, "\\ud83c": 2}',
}


@pytest.mark.parametrize("place", HALVES)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_is_said_of_half_a_surrogate_pair_in_a_file_can_be_sent_to_a_browser(place, language):
    with pytest.raises(KpiError) as refused:
        Plan.from_text(HALVES[place])

    with words.speaking(language):
        sentences = [words.error(one) for one in refused.value.facts.get("problems", (refused.value,))]
    assert sentences
    for sentence in sentences:
        assert sentence.encode()


def test_whatever_an_error_quotes_can_be_sent_to_a_browser():
    with words.speaking("en"):
        assert words.error(KpiError("formula_syntax", "{found} cannot stand here in a formula.", found=HALF)).encode()


def test_of_many_problems_no_more_are_said_than_can_be_read(monkeypatch):
    problems = tuple(
        KpiError("formula_syntax", "{found} cannot stand here in a formula.", found=at) for at in "abcdefghijklmnopqrst"
    )
    monkeypatch.setattr(session, "plan", lambda: SAMPLE)

    with words.speaking("en"):
        said = refusals.reasons(KpiError("plan_invalid", "Problems found: {count}.", count=20, problems=problems))

    assert len(said) == 13
    assert "8 more" in said[-1]


# A response


def headers_of(scheme: str = "http") -> dict[bytes, bytes]:
    app = PlainTextResponse("", 200)
    return dict(through(app, scheme=scheme)[0]["headers"])


def test_no_page_of_another_origin_may_show_what_is_here_as_its_own():
    """A picture or a script of ours in a foreign page: `Cross-Origin-Resource-Policy` has the browser refuse it."""
    assert headers_of()[b"cross-origin-resource-policy"] == b"same-origin"


@pytest.mark.parametrize("power", ["camera", "display-capture", "geolocation", "gyroscope", "accelerometer"])
def test_no_script_may_use_a_power_the_app_does_not_need(power):
    assert f"{power}=()" in headers_of()[b"permissions-policy"].decode().split(", ")


def responding(*messages: dict, error: Exception | None = None):
    """Return an app that sends these messages, and then breaks."""

    async def app(scope, receive, send):
        for message in messages:
            await send(message)
        if error is not None:
            raise error

    return app


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> dict:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def test_header_names_are_understood_however_they_are_spelt():
    page = responding(start(200, (b"Content-Type", b"text/html"), (b"Set-Cookie", b"a=b")))

    cookies = [value for name, value in through(page, scheme="https")[0]["headers"] if name.lower() == b"set-cookie"]

    assert cookies[0] == b"a=b; Secure"
    assert cookies[1].startswith(b"__Host-gyakusan_browser=")


def test_only_what_is_said_to_be_a_page_names_the_browser():
    other = responding(start(200, (b"x-was", b"text/html"), (b"content-type", b"image/png")))

    assert b"set-cookie" not in dict(through(other)[0]["headers"])


def test_an_app_that_breaks_while_it_answers_begins_no_second_answer(caplog):
    with pytest.raises(RuntimeError):
        through(responding(start(), error=RuntimeError("too late")))

    assert "request_error" in caplog.text


def test_of_a_request_that_breaks_the_route_and_the_kind_of_error_are_logged(caplog):
    through(responding(error=RuntimeError("what people typed")), path=f"/upload/{'t' * 43}")

    [event] = [json.loads(record.getMessage()) for record in caplog.records if record.name == "gyakusan"]
    assert (event["event"], event["path"], event["type"]) == ("request_error", "/upload/...", "RuntimeError")
    assert "typed" not in caplog.text


@pytest.mark.parametrize(
    ("path", "status", "answered"),
    [
        ("/auth/login", 500, 303),
        ("/auth/login", 400, 303),
        ("/plans//auth//login", 502, 303),
        ("/auth/login", 302, 302),
        ("/auth/login", 399, 399),
        ("/auth/logout", 500, 500),
        ("/", 500, 500),
    ],
)
def test_a_sign_in_that_fails_is_explained_on_a_page_of_ours_and_nothing_else_is(path, status, answered):
    """Streamlit answers “Authentication error”, in English, and says no more."""
    message = through(responding(start(status, (b"x-kept", b"1"))), path=path)[0]
    headers = dict(message["headers"])

    assert message["status"] == answered
    assert (headers.get(b"location") == b"../open?sign-in") == (answered == 303)
    assert headers[b"x-kept"] == b"1"


def test_only_a_cookie_says_which_browser_asks():
    """A header that another server or script may add is none."""
    said = f"{browsers.COOKIE}={'w' * 43}".encode()

    for header in (b"x-cookie", b"cookie2", b"referer"):
        given = browsers.kept({"scheme": "http", "headers": [(header, said)]}).decode()
        assert "w" * 43 not in given


# A secret


def test_of_a_secret_only_so_much_is_hashed_as_any_of_ours_is_long():
    """A browser may send megabytes as a cookie or a token; held against hashlib."""
    assert rights.digest("t" * 43) == hashlib.sha256(b"t" * 43).hexdigest()
    assert rights.digest("t" * 200) != rights.digest("t" * 199)
    for more in ("x", "t", "é" * 1_000_000):
        assert rights.digest("t" * 200 + more) == hashlib.sha256(b"t" * 200).hexdigest()


# A link


@pytest.mark.parametrize("chosen", [None, "", "owner", "FACILITATE", 2])
def test_a_choice_that_is_no_role_makes_the_link_that_allows_least(store, monkeypatch, chosen):
    """What a browser sends for a choice is anything at all, and after a restart nothing."""
    plan_id = kept(store)
    app, typed, issue = visit(store, plan_id), session.typed, new_link._issue

    def issued():
        with monkeypatch.context() as told:
            told.setattr(session, "typed", lambda key: chosen if key == "share_role" else typed(key))
            issue()

    monkeypatch.setattr(new_link, "_issue", issued)

    app.button(key="share_make").click().run()

    assert not app.exception
    made = [link for link in store.links(Actor.of(ME), plan_id) if not link.owner]
    assert [link.role for link in made] == ["view"]
    assert rows.consequence("view") in said(app)


# A name


def test_a_name_that_is_longer_than_names_are_is_refused_when_it_is_given(monkeypatch):
    """The field cuts it off; otherwise every later save would be refused for it."""
    keeper = Keeping(Desk.holding(SAMPLE))
    monkeypatch.setattr(session, "keeping", lambda: keeper)
    session.call_me("長" * 80)

    with pytest.raises(KpiError) as refused:
        session.call_me("長" * 81)

    assert (refused.value.code, refused.value.facts) == ("words_too_long", {"limit": 80})
    assert keeper.author == "長" * 80


@pytest.mark.parametrize(("field", "limit"), [("author", 80), ("note", 500), ("label", 120)])
def test_words_as_long_as_they_may_be_are_kept_and_no_longer_ones(field, limit):
    assert revisions.words_of(field, f"  {'長' * limit}\n") == "長" * limit

    with pytest.raises(KpiError) as refused:
        revisions.words_of(field, "長" * (limit + 1))
    assert (refused.value.code, refused.value.facts) == ("words_too_long", {"limit": limit})


def test_a_name_is_one_line_of_what_a_screen_can_show(store):
    app = visit(store, kept(store))

    app.text_input(key="author_name").set_value(" 佐藤\n\u202e\x07花子 ").run()

    assert app.session_state["visit"]["session_desk"].keeper.author == "佐藤 花子"


# A hand on the board


def board_told(monkeypatch, **told):
    """Draw a board of two cards with what a browser says of it, and return what was passed on to the page."""
    done = []
    monkeypatch.setattr(tree_board.st, "session_state", {"board": SimpleNamespace(**told)})

    def mount(*, on_selected_change, on_moved_change, **_more):
        on_selected_change()
        on_moved_change()
        return SimpleNamespace(selected=told.get("selected"))

    monkeypatch.setattr(tree_board, "_mount", mount)
    facts = {"unit": "", "kind": "count", "team": "t", "team_name": "Team", "colour": "#0072B2"}
    cards = [tree_board.Card(id=one, name=one, role="input", **facts) for one in ("kgi", "leads")]
    done.append(
        tree_board.tree_board(
            cards,
            {"kgi": ["leads", "gone"]},
            tree_board.Model(program={}, inputs={}, baseline={}, target=1.0, revision="r"),
            root="kgi",
            selected="kgi",
            words=dict.fromkeys(tree_board.WORDS, ""),
            language="en",
            key="board",
            hands=tree_board.Hands(on_select=done.append, on_move=done.append),
        )
    )
    return done


def a_move(**changes: float) -> dict:
    return {"number": 1, "changes": changes, "was": dict.fromkeys(changes, 1.0), "revision": "r"}


def test_a_move_may_name_known_cards_only(monkeypatch):
    """Anything can come from a browser: another metric, a path into the plan, nothing."""
    [move, _selected] = board_told(monkeypatch, moved=a_move(leads=2.0), selected=None)
    assert move.changes == {"leads": 2.0}

    for moved in (a_move(gone=2.0), a_move(leads=2.0, gone=2.0), a_move(**{"leads.value": 2.0}), None, {"number": 1}):
        assert board_told(monkeypatch, moved=moved, selected=None) == ["kgi"]


def test_only_a_card_that_is_there_is_selected(monkeypatch):
    assert board_told(monkeypatch, selected="leads", moved=None) == ["leads", "leads"]
    for picked in ("gone", "", None, 7):
        assert board_told(monkeypatch, selected=picked, moved=None) == ["kgi"]


def whatif(monkeypatch, **told):
    """Open the page with a board whose lever is let go as soon as there is a move in the list that is returned."""
    released: list[Move] = []

    def board(*_told, hands, **_more):
        if released:
            hands.on_move(released.pop())

    monkeypatch.setattr(moves, "tree_board", board)
    app = visit(language="en", page="whatif")
    return app, app.session_state["visit"]["session_desk"], released


def a_lever(plan: Plan, to: float, *, lever: str = "meeting_rate", **facts) -> Move:
    was = float(plan.tree.baseline[lever])
    return Move(**({"number": 1, "changes": {lever: to}, "was": {lever: was}, "revision": plan.digest} | facts))


def test_a_move_of_what_is_no_lever_is_refused(monkeypatch):
    """A computed metric has a card too: a value beside its formula would be none of a plan."""
    app, desk, released = whatif(monkeypatch)
    before = desk.plan
    released.append(a_lever(before, 1e9, lever="leads"))
    app.run()

    assert desk.plan is before
    assert not app.exception
    assert "The lever you moved is no longer one in this plan" in said(app.run())


def test_a_move_is_not_put_over_what_was_changed_elsewhere_but_offered(monkeypatch):
    app, desk, released = whatif(monkeypatch)
    seen = desk.plan
    desk.change({"metrics.meeting_rate.value": 0.7})

    released.append(a_lever(seen, 0.8))
    app.run()
    assert desk.plan.metrics["meeting_rate"].value == 0.7
    app.run()
    assert "it was changed elsewhere to 70.0%. Yours was 80.0%." in said(app)

    app.button(key="offer_theirs").click().run()
    assert desk.plan.metrics["meeting_rate"].value == 0.7
    assert "changed elsewhere" not in said(app)


def test_ones_own_move_is_put_over_what_was_changed_elsewhere_once_one_says_so(monkeypatch):
    app, desk, released = whatif(monkeypatch)
    seen = desk.plan
    desk.change({"metrics.meeting_rate.value": 0.7})
    released.append(a_lever(seen, 0.8))
    app.run()
    app.run()

    app.button(key="offer_mine").click().run()

    assert desk.plan.metrics["meeting_rate"].value == 0.8
    assert "offer_mine" not in {button.key for button in app.button}


def test_a_move_goes_on_top_of_what_was_changed_elsewhere_in_other_levers_and_says_so(monkeypatch):
    app, desk, released = whatif(monkeypatch)
    seen = desk.plan
    desk.change({"metrics.cvr.value": 0.013})

    released.append(a_lever(seen, 0.8))
    app.run()

    assert (desk.plan.metrics["cvr"].value, desk.plan.metrics["meeting_rate"].value) == (0.013, 0.8)
    assert "The plan had been changed elsewhere meanwhile." in str(app.session_state["visit"]) + said(app.run())


def test_two_moves_in_a_row_are_both_ones_own_though_the_browser_had_not_drawn_the_first(monkeypatch):
    app, desk, released = whatif(monkeypatch)
    seen = desk.plan

    for number, to in enumerate((0.8, 0.7), 1):
        released.append(a_lever(seen, to, number=number))
        app.run()
        assert desk.plan.metrics["meeting_rate"].value == to
    assert "changed elsewhere" not in said(app) + said(app.run())


# A session


def taken_up(monkeypatch, app, cookie: str | None, headers: dict[str, str]):
    """Let a browser take up a session."""
    monkeypatch.setattr(session, "_browser", lambda: cookie)
    monkeypatch.setattr(type(session.st.context), "headers", property(lambda _context: headers))
    return app.run()


@pytest.mark.parametrize("cookie", ["x" * 43, None], ids=["another cookie", "no cookie"])
def test_a_session_taken_up_with_another_cookie_holds_nothing_of_the_first_browsers(store, monkeypatch, cookie):
    """Whoever knows a session's id can take it up in Streamlit, and the id stands in the addresses of uploads."""
    secret = samples.template("abm").replace({"name": {"ja": "極秘", "en": "Top secret"}})
    app = taken_up(monkeypatch, visit(store, kept(store, secret)), ME, {"cookie": "mine"})
    desk = app.session_state["visit"]["session_desk"]
    app.session_state["agreed_note"] = "what one is typing"
    assert "Top secret" in said(app)

    taken_up(monkeypatch, app, cookie, {"cookie": "theirs"})

    now = app.session_state["visit"]["session_desk"]
    assert not app.exception
    assert now is not desk
    assert now.plan == SAMPLE
    assert "Top secret" not in said(app)
    assert "agreed_note" not in app.session_state
    now.change({"kgi.target": 2e9})
    assert desk.plan == secret
    taken_up(monkeypatch, app, ME, {"cookie": "mine"})  # and back: nothing of theirs is left either
    assert app.session_state["visit"]["session_desk"] is not now


def test_a_session_that_lies_unconnected_for_a_moment_is_still_its_browsers(store, monkeypatch):
    """Streamlit then knows neither header nor cookie: that is nobody's, and no other browser's either."""
    app = taken_up(monkeypatch, visit(store, kept(store)), ME, {"cookie": "mine"})
    desk = app.session_state["visit"]["session_desk"]

    for cookie, headers in ((None, {}), (ME, {"cookie": "mine"})):
        taken_up(monkeypatch, app, cookie, headers)
        assert app.session_state["visit"]["session_desk"] is desk
