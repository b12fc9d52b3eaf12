"""The page of links and plans: made, shown once, revoked; plans listed, deleted, taken back; without storage too."""

import io
from datetime import UTC, datetime, timedelta

import pytest
import segno
from PIL import Image

from kpi_core.errors import KpiError
from tests.visits import GUEST, ME, app_store, come_by, kept, keys, said, session_plan, settled, visit
from workbench import local_times, new_link, samples, session, words
from workbench.rows import share as rows
from workbench.store import Actor


@pytest.fixture
def store(tmp_path):
    with app_store(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("role", ["view", "edit", "facilitate"])
def test_everybody_sees_what_they_may_do_in_their_language_and_only_facilitators_make_links(store, role, language):
    plan_id = kept(store)
    come_by(store, plan_id, role)

    app = visit(store, plan_id, cookie=GUEST, language=language)

    assert not app.exception
    assert ("share_make" in keys(app)) == (role == "facilitate")
    assert ("delete_plan" in keys(app)) == (role == "facilitate")
    assert "copy_plan" in keys(app)
    assert {button.key for button in app.get("download_button")} >= {"download_yaml", "download_json"}
    japanese = any("\u3040" <= letter <= "\u30ff" for letter in said(app).replace("田中", ""))
    assert japanese == (language == "ja")


def test_a_link_is_made_shown_once_and_opens_the_plan_with_its_role(store):
    plan_id = kept(store)
    app = visit(store, plan_id)
    assert "The links of this plan" not in said(app)  # the facilitator's own way in is none to give away
    with words.speaking("en"):  # a choice is sent as it is spelt
        app.segmented_control(key="share_role").set_value("edit").run()
    app.text_input(key="share_name").set_value("IS **team**")

    app.button(key="share_make").click().run()

    shown = app.code[0].value
    address, _hash, token = shown.partition("#")
    assert address == "https://plans.example.test/open"
    assert len(token) == 43
    assert "The links of this plan" in said(app)
    assert "Whoever has this link can look at the plan and change it; it can be forwarded." in said(app)
    assert "IS **team**" in said(app)
    assert store.enter(Actor.of(GUEST), token, address="10.0.0.1") == plan_id
    assert store.standing(Actor.of(GUEST), plan_id).role == "edit"
    app.button(key="share_done").click().run()
    assert not app.code
    assert app.session_state["visit"]["kept_share_new"] is None


def test_the_box_of_a_new_link_never_shows_one_of_another_role_or_term_than_chosen(store):
    """Whoever chooses “Edit” and copies what stands there would give a link away that only lets people look."""
    app = visit(store, kept(store))
    app.button(key="share_make").click().run()
    first = app.code[0].value
    assert "Your new link (Look only): copy it now" in said(app)

    with words.speaking("en"):
        app.segmented_control(key="share_role").set_value("edit").run()
        assert not app.code
        assert "The link made last (Look only) is hidden while you choose another" in said(app)

        app.segmented_control(key="share_role").set_value("view").run()
        assert app.code[0].value == first
        app.text_input(key="share_until").set_value("2099-06-30").run()
        assert not app.code

        app.segmented_control(key="share_role").set_value("edit")
        app.button(key="share_make").click().run()
        assert app.code[0].value != first
        assert "Your new link (Edit): copy it now" in said(app)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_button_says_that_something_was_copied(store, language):
    """Only the browser knows whether it was: its own tick on the address says so when it has."""
    app = visit(store, kept(store), language=language)

    app.button(key="share_make").click().run()

    labels = [button.label for button in app.button]
    assert not [label for label in labels if "copied" in label.lower() or "コピーしました" in label]
    assert app.button(key="share_done").label == {"ja": "リンクを隠す", "en": "Hide the link"}[language]


def test_the_qr_code_is_of_the_address_and_can_be_read_from_afar():
    """Held against segno's own matrix: each module is a square of 12 pixels, with four modules of white around."""
    address = "https://plans.example.test/open#" + "t" * 43

    picture = Image.open(io.BytesIO(new_link.code(address))).convert("L")

    matrix = segno.make(address, error="m", micro=False).matrix
    size = 12 * (len(matrix) + 8)
    assert picture.size == (size, size)
    read = [
        [picture.getpixel((12 * (x + 4) + 6, 12 * (y + 4) + 6)) < 128 for x in range(len(matrix))]
        for y in range(len(matrix))
    ]
    assert read == [[bool(module) for module in row] for row in matrix]


def test_a_link_ends_with_the_last_day_of_its_reader(store):
    """In Tokyo the 30th of June is over at 15:00 in London's winter time."""
    plan_id, year = kept(store), datetime.now(UTC).year + 1
    app = visit(store, plan_id)

    app.text_input(key="share_until").set_value(f"{year}-06-30")
    app.button(key="share_make").click().run()

    link = store.links(Actor.of(ME), plan_id)[-1]
    assert link.expires_at == datetime(year, 6, 30, 15, tzinfo=UTC)
    assert f"until {year}-06-30" in said(app)


@pytest.mark.parametrize(
    ("typed", "why"),
    [("2020-01-01", "2020-01-01 has passed"), ("whenever", "“whenever” is no day"), ("2027-02-30", "is no day")],
)
def test_a_day_on_which_no_link_can_end_is_refused_below_the_field(store, typed, why):
    plan_id = kept(store)
    app = visit(store, plan_id)

    app.text_input(key="share_until").set_value(typed)
    app.button(key="share_make").click().run()

    assert not app.exception
    assert why in said(app)
    assert not app.code
    assert len(store.links(Actor.of(ME), plan_id)) == 1  # the owner's own


def test_a_link_is_revoked_in_two_steps_and_with_it_those_made_by_people_who_came_by_it(store):
    plan_id = kept(store)
    first = come_by(store, plan_id, "facilitate", name="first")
    second = come_by(store, plan_id, "view", name="second", owner=GUEST, guest="o" * 43)
    app = visit(store, plan_id)

    app.button(key=f"revoke_{first.id}").click().run()
    assert store.can(Actor.of(GUEST), "read", plan_id)
    assert app.checkbox(key="revoke_issued").value
    app.button(key="revoke_now").click().run()

    links = {link.id: link for link in store.links(Actor.of(ME), plan_id)}
    assert links[first.id].revoked_at is not None
    assert links[second.id].revoked_at is not None
    assert not store.can(Actor.of(GUEST), "read", plan_id)
    assert "Only you: no link opens this plan." in said(app)
    assert f"revoke_{first.id}" not in keys(app)


def test_whoever_keeps_the_link_after_all_has_revoked_nothing(store):
    plan_id = kept(store)
    link = come_by(store, plan_id, "view")
    app = visit(store, plan_id)

    app.button(key=f"revoke_{link.id}").click().run()
    app.button(key="revoke_not").click().run()

    assert store.can(Actor.of(GUEST), "read", plan_id)
    assert "revoke_now" not in keys(app)


def test_visits_are_counted_and_named_by_their_last_day(store):
    plan_id = kept(store)
    come_by(store, plan_id, "view")
    store.looked(Actor.of(GUEST), plan_id)

    days = [datetime.now(UTC).date().isoformat()]

    app = visit(store, plan_id)

    days.append(datetime.now(UTC).date().isoformat())  # the same, but at midnight
    assert any(f"used 2 times, last on {day}" in said(app) for day in days)
    assert "Whoever has the one link: Look only 1. Used 2 times so far." in said(app)


def test_a_plan_nobody_has_changed_is_kept_as_soon_as_it_gets_a_link(store):
    app = visit(store)
    assert "Only you: no link opens this plan." in said(app)

    app.button(key="share_make").click().run()

    plan_id = session_plan(app)
    assert app.code[0].value.startswith("https://plans.example.test/open#")
    assert [one.plan_id for one in store.plans(Actor.of(ME))] == [plan_id]


def test_a_plan_is_deleted_in_two_steps_and_comes_back_within_thirty_days(store):
    plan_id, other = kept(store), kept(store, samples.template("abm"))
    come_by(store, plan_id, "view")
    app = visit(store, plan_id)

    app.button(key="delete_plan").click().run()
    assert store.can(Actor.of(ME), "read", plan_id)
    assert "30 days" in said(app)
    app.button(key="delete_now").click().run()

    assert not app.exception
    assert not store.can(Actor.of(GUEST), "read", plan_id)
    assert session_plan(app) == other
    app.button(key=f"restore_{plan_id}").click().run()
    assert store.can(Actor.of(GUEST), "read", plan_id)
    assert f"switch_{plan_id}" in keys(app)


def test_another_plan_is_worked_on_from_the_list(store):
    first = kept(store)
    second = kept(store, samples.template("abm"))
    app = visit(store, first)

    app.button(key=f"switch_{second}").click().run()

    assert session_plan(app) == second
    assert app.session_state["visit"]["session_desk"].plan == samples.template("abm")
    assert f"switch_{first}" in keys(app)
    assert f"switch_{second}" not in keys(app)


def test_a_viewer_saves_a_copy_that_is_all_theirs(store, monkeypatch):
    plan_id = kept(store)
    come_by(store, plan_id, "view")
    monkeypatch.setattr(session, "_browser", lambda: GUEST)
    app = visit(store, plan_id, cookie=GUEST)

    app.button(key="copy_plan").click().run()

    own = session_plan(app)
    assert own != plan_id
    assert store.standing(Actor.of(GUEST), own).role == "facilitate"
    assert not store.can(Actor.of(ME), "read", own)


def test_a_file_becomes_a_plan_of_its_own_and_what_is_none_is_refused(store):
    plan_id = kept(store)
    app = visit(store, plan_id)

    app.file_uploader(key="open_as_new").set_value(("plan.yaml", b"schema: [", "application/yaml")).run()
    assert app.error
    assert session_plan(app) == plan_id
    file = samples.template("abm").to_yaml().encode()
    app.file_uploader(key="open_as_new").set_value(("plan.yaml", file, "application/yaml")).run()

    assert session_plan(app) != plan_id
    assert app.session_state["visit"]["session_desk"].plan == samples.template("abm")
    assert store.read(Actor.of(ME), plan_id).plan == samples.sample_plan()


def test_a_new_plan_begins_from_the_sample(store):
    plan_id = kept(store, samples.template("abm"))
    app = visit(store, plan_id)

    app.button(key="sample_plan").click().run()

    assert session_plan(app) != plan_id
    assert app.session_state["visit"]["session_desk"].plan == samples.sample_plan()


def test_my_name_stands_in_the_history_from_then_on(store):
    plan_id = kept(store)
    app = visit(store, plan_id)

    app.text_input(key="author_name").set_value("佐藤").run()
    desk = app.session_state["visit"]["session_desk"]
    desk.change({"kgi.target": 1_100_000_000})
    settled(desk)

    assert store.history(Actor.of(ME), plan_id)[0].author == "佐藤"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_browser_that_sends_no_cookie_is_told_so_and_takes_files(language):
    app = visit(language=language)

    assert not app.exception
    assert "Cookie" in said(app) or "cookie" in said(app)
    assert {"share_make", "delete_plan", "copy_plan"}.isdisjoint(keys(app))
    assert {button.key for button in app.get("download_button")} >= {"download_yaml", "download_json"}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_storage_that_is_down_is_said_calmly_and_files_still_work(store, language, monkeypatch):
    plan_id = kept(store)

    def down(*_args, **_more):
        raise KpiError("store_down", "The storage does not answer. Your changes are kept on this page for now.")

    app = visit(store, plan_id, language=language)
    for asked in ("plans", "links", "standing"):
        monkeypatch.setattr(store, asked, down)
    app.run()

    assert not app.exception
    assert app.info
    assert "share_again" in keys(app)
    assert "share_make" not in keys(app)
    assert {button.key for button in app.get("download_button")} >= {"download_yaml", "download_json"}


def test_names_people_gave_are_text(store):
    hostile = "**A** [x](http://evil.test) ![i](http://evil.test/i.png) :red[B] $a$ <b>c</b>"
    plan_id = kept(store, samples.sample_plan().replace({"name.en": hostile}))
    come_by(store, plan_id, "view", name=hostile)

    app = visit(store, plan_id)

    texts = [element.value for element in (*app.markdown, *app.caption)]
    assert sum("evil" in text for text in texts) >= 3  # the header, the link, the list of plans
    assert not any("](http" in text.replace("\\]\\(http", "") or ":red[B]" in text for text in texts)


@pytest.mark.parametrize("named", ["", "Nowhere/City", "../../etc/passwd", "America", "x" * 500, "\x00"])
def test_a_time_zone_that_is_none_is_japans(named, monkeypatch):
    class Context:
        timezone = named

    monkeypatch.setattr("streamlit.context", Context)

    assert local_times.said(datetime(2026, 3, 31, 15, 30, tzinfo=UTC)) == "2026-04-01 00:30"


def test_a_day_of_summer_time_ends_when_its_reader_goes_to_bed(monkeypatch):
    """Berlin is an hour ahead in winter and two in summer: the clocks change on 2026-03-29."""

    class Context:
        timezone = "Europe/Berlin"

    monkeypatch.setattr("streamlit.context", Context)

    assert local_times.end_of("2026-03-28") == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert local_times.end_of("2026-03-29") == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert local_times.last_day(local_times.end_of("2026-03-29")) == "2026-03-29"
    assert local_times.end_of("2026-03-29") - local_times.end_of("2026-03-28") == timedelta(hours=23)


def test_links_that_have_ended_are_told_from_those_that_open(store):
    plan_id = kept(store)
    live = come_by(store, plan_id, "view")
    over = store.issue(Actor.of(ME), plan_id, "edit", expires_at=datetime(2020, 1, 1, tzinfo=UTC))[0]
    links, now = store.links(Actor.of(ME), plan_id), datetime.now(UTC)

    assert [link.id for link in rows.live(links, now)] == [live.id]
    assert [link.id for link in rows.ended(links, now)] == [over.id]


def test_what_was_typed_beside_one_plan_is_not_offered_to_another_and_is_there_again(store):
    """An agreement's draft names people and says what was said: it would be written into a client's plan."""
    first, second = kept(store), kept(store, samples.sample_plan().replace({"name": {"en": "Other client"}}))
    app = visit(store, first, page="focus")

    def noted(plan_id: str) -> str:
        app.switch_page("../pages/share.py").run()
        app.button(key=f"switch_{plan_id}").click().run()
        app.switch_page("../pages/focus.py").run()
        assert session_plan(app) == plan_id
        return str(app.text_input(key="agreed_note").value)

    with words.speaking("en"):  # choices are sent as they are spelt
        app.text_input(key="agreed_note").set_value("secret of client A").run()
        assert noted(second) == ""
        assert noted(first) == "secret of client A"
