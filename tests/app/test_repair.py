"""A stored plan that cannot be read: what is wrong, how it is had back, and that nothing is put over it unasked."""

import json
import zlib

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from tests.visits import GUEST, ME, app_store, come_by, kept, said, settled
from tests.visits import keys as buttons
from workbench import samples, session
from workbench.store import Actor, new_key
from workbench.store.tables import revisions

SAMPLE = samples.sample_plan()


@pytest.fixture
def store(tmp_path):
    with app_store(tmp_path) as opened:
        yield opened


def damage(store, plan_id, number, change):
    """Change the stored document of a version behind the app's back, as an older or newer app might have left it."""
    data = json.loads(store.read(Actor.of(ME), plan_id, number).text)
    change(data)
    document = data if isinstance(data, bytes) else zlib.compress(json.dumps(data).encode())
    _put(store, plan_id, number, document)
    return data


def _put(store, plan_id, number, document):
    chosen = (revisions.c.plan_id == plan_id) & (revisions.c.number == number)
    store.database.write(
        lambda connection: connection.execute(update(revisions).where(chosen).values(document=document))
    )


def without_formula(data):
    data["metrics"]["leads"]["formula"] = "visitors * nothing"
    data["ksfs"]["F1"]["skill"] = 9


def opened(page: str = "home", language: str = "ja") -> AppTest:
    """Open the app as a browser that comes back."""
    session._desks.cache_clear()
    app = AppTest.from_file("../../workbench/shell.py", default_timeout=300)
    app.session_state["header_language"] = language
    return app.run() if page == "home" else app.run().switch_page(f"../pages/{page}.py").run()


def numbers(store, plan_id):
    return [version.number for version in store.history(Actor.of(ME), plan_id)]


@pytest.mark.parametrize("page", ["home", "focus"])
def test_a_plan_that_cannot_be_read_is_not_replaced_by_the_sample(store, page):
    plan_id = kept(store)
    damage(store, plan_id, 1, without_formula)

    app = opened(page)

    assert not app.exception
    assert app.title[0].value == "この計画を読み込めません"
    assert "リード数" in said(app)
    assert "F1 提案書の質の向上" in said(app)
    assert "metrics." not in said(app)
    assert "10億円" not in said(app)
    assert numbers(store, plan_id) == [1]


def test_it_is_repaired_by_leaving_out_what_cannot_be_read(store):
    plan_id = kept(store)
    damage(store, plan_id, 1, without_formula)
    app = opened()

    app.button(key="repair_now").click().run()

    assert not app.exception
    newest = store.read(Actor.of(ME), plan_id)
    assert (newest.number, newest.version.kind) == (2, "repair")
    assert newest.plan.metrics["leads"].value == 0
    assert newest.plan.ksfs["F1"].skill == 2
    assert newest.plan.metrics["appointments"] == SAMPLE.metrics["appointments"]
    assert app.title[0].value != "この計画を読み込めません"
    assert app.session_state["visit"]["session_desk"].plan == newest.plan


def test_an_older_version_is_restored_and_what_cannot_be_read_stays_a_version(store):
    plan_id = kept(store)
    renamed = SAMPLE.replace({"name.ja": "来年度の計画"})
    store.save(Actor.of(ME), plan_id, 1, renamed, key=new_key())
    store.save(Actor.of(ME), plan_id, 2, SAMPLE, key=new_key())
    damaged = damage(store, plan_id, 3, without_formula)
    app = opened()
    assert {"restore_2", "restore_1"} <= buttons(app)

    app.button(key="restore_2").click().run()

    assert store.read(Actor.of(ME), plan_id).plan == renamed
    assert json.loads(store.read(Actor.of(ME), plan_id, 3).text) == damaged
    assert app.session_state["visit"]["session_desk"].plan == renamed


def test_the_raw_text_can_be_saved_and_an_undamaged_part_of_it_read(store):
    plan_id = kept(store)
    damage(store, plan_id, 1, without_formula)
    app = opened()

    assert [button.proto.label for button in app.get("download_button")] == ["保存されている内容をファイルに書き出す"]
    text = app.session_state["visit"]["session_desk"].keeper.unreadable.text
    assert json.loads(text)["metrics"]["leads"]["formula"] == "visitors * nothing"


@pytest.mark.parametrize(
    "document", [b"", b"nothing that was compressed", zlib.compress(b"\xff\xfe no text"), zlib.compress(b"{}")]
)
def test_a_damaged_document_is_said_and_an_older_version_restored(store, document):
    plan_id = kept(store)
    store.save(Actor.of(ME), plan_id, 1, SAMPLE.replace({"name.ja": "新しい名前"}), key=new_key())
    _put(store, plan_id, 2, document)

    app = opened()
    assert not app.exception
    assert app.title[0].value == "この計画を読み込めません"
    assert "repair_now" not in buttons(app)
    app.button(key="restore_1").click().run()

    assert store.read(Actor.of(ME), plan_id).plan == SAMPLE


def test_what_lies_beside_the_plan_is_not_lost_while_it_cannot_be_read(store):
    plan_id = kept(store)
    beside = {
        "scenarios": {"x": SAMPLE.digest},
        "plans": {SAMPLE.digest: SAMPLE.to_data()},
        "language": "en",
        "author": "田中",
    }
    store.keep_desk(Actor.of(ME), plan_id, beside)
    damage(store, plan_id, 1, without_formula)

    app = opened()
    assert app.title[0].value == "This plan cannot be read"
    app.button(key="repair_now").click().run()

    assert app.session_state["visit"]["session_desk"].scenarios == {"x": SAMPLE}
    assert store.history(Actor.of(ME), plan_id)[0].author == "田中"


def test_who_came_by_a_link_sees_what_is_wrong_and_cannot_change_it(store, monkeypatch):
    plan_id = kept(store)
    come_by(store, plan_id, "view")
    damage(store, plan_id, 1, without_formula)
    monkeypatch.setattr(session, "_browser", lambda: GUEST)

    app = opened()

    assert app.title[0].value == "この計画を読み込めません"
    assert not buttons(app) & {"repair_now", "restore_1"}
    assert numbers(store, plan_id) == [1]


def test_a_page_that_lies_open_says_so_when_what_others_saved_cannot_be_read(store):
    plan_id = kept(store)
    app = opened()
    store.save(Actor.of(ME), plan_id, 1, SAMPLE.replace({"name.ja": "よその版"}), key=new_key())
    damage(store, plan_id, 2, without_formula)

    desk = app.session_state["visit"]["session_desk"]
    desk.keeper.look(at_once=True)
    app.run()
    assert app.title[0].value == "この計画を読み込めません"
    app.button(key="repair_now").click().run()

    assert app.session_state["visit"]["session_desk"].plan.name.ja == "よその版"
    assert store.read(Actor.of(ME), plan_id).number == 3


def test_what_is_typed_goes_on_top_of_what_was_repaired(store):
    plan_id = kept(store)
    damage(store, plan_id, 1, without_formula)
    app = opened()
    app.button(key="repair_now").click().run()
    desk = app.session_state["visit"]["session_desk"]

    app.text_input(key="kgi.target").set_value("12億").run()
    settled(desk)

    assert store.read(Actor.of(ME), plan_id).plan.kgi.target == 1.2e9
    assert numbers(store, plan_id) == [3, 2, 1]
    assert not desk.can_redo


def test_a_plan_of_a_newer_app_opens_in_repair_mode_and_is_not_touched(store):
    plan_id = kept(store)
    damage(store, plan_id, 1, lambda data: data.update(schema=99))

    app = opened()

    assert app.title[0].value == "この計画を読み込めません"
    assert "repair_now" not in buttons(app)
