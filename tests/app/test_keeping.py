"""A desk with a store behind it: what is typed is kept, merged, offered or waits; never lost and never twice."""

import time
from threading import Event

import pytest
from sqlalchemy import exc
from streamlit.testing.v1 import AppTest

from kpi_core.errors import KpiError
from tests.serving import BUSY_SECONDS
from tests.visits import app_store, kept
from workbench import keeping as keeping_
from workbench import opening, samples
from workbench.desk import Desk, Desks
from workbench.keeping import Keeping
from workbench.store import Actor, Clashing, Store

SAMPLE = samples.sample_plan()


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of its own that is asked again and again without a pause."""
    monkeypatch.setattr(keeping_, "RETRY_SECONDS", (0.01,))
    monkeypatch.setattr(keeping_, "LOOK_EVERY_SECONDS", 0.0)
    store = Store.at(f"sqlite:///{tmp_path}/plans.sqlite3")
    monkeypatch.setattr(opening, "store", lambda: store)
    yield store
    store.close()


@pytest.fixture
def own(store):
    """The desk of a browser that has just come."""
    return opening.latest(Desks(), "ours")


def _settled(keeping: Keeping) -> Keeping:
    """Wait until nothing is left to be kept, the desk included."""
    _soon(lambda: not keeping._at_work)
    return keeping


def _by_link(store, of, role, browser="theirs", desks=None):
    """Return the desk of somebody who came by a link."""
    _link, token = store.issue(of.actor, of.begin(), role)
    plan_id = store.enter(Actor.of(browser), token, address="10.0.0.1")
    return opening.at(desks or Desks(), browser, plan_id)


def test_looking_only_keeps_nothing(store, own):
    assert own.keeper.status == "fresh"
    assert store.plans(Actor.of("ours")) == []


def test_a_change_is_a_revision_made_of_the_plan_one_began_with(store, own):
    own.change({"metrics.cvr.value": 0.013})
    own.change({"metrics.cvr.value": 0.014})

    keeping = _settled(own.keeper)
    assert (keeping.status, keeping.number) == ("saved", 3)
    assert [one.kind for one in store.history(keeping.actor, keeping.plan_id)] == ["change", "change", "start"]
    assert store.read(keeping.actor, keeping.plan_id, 1).plan == SAMPLE
    assert store.read(keeping.actor, keeping.plan_id).plan == own.plan


def test_after_a_restart_the_plan_the_way_back_and_what_lies_beside_are_there(own):
    own.change({"metrics.cvr.value": 0.013})
    own.change({"metrics.visitors.value": 410_000})
    own.language = "en"
    own.scenarios["bold"] = own.plan
    own.undo()
    own.kept_beside()
    _settled(own.keeper)

    again = opening.latest(Desks(), "ours")

    assert again is not own
    assert again.plan == own.plan == SAMPLE.replace({"metrics.cvr.value": 0.013})
    assert (again.baseline, again.language, again.scenarios) == (own.baseline, "en", own.scenarios)
    again.redo()
    assert again.plan.metrics["visitors"].value == 410_000
    again.undo()
    again.undo()
    assert again.plan == SAMPLE
    assert not again.can_undo


def test_two_people_at_different_fields_both_end_on_both_changes(store, own):
    own.change({"metrics.cvr.value": 0.013})
    other = _by_link(store, _settled(own.keeper), "edit")

    other.change({"metrics.visitors.value": 410_000})
    own.change({"metrics.unit_price.value": 8_500_000})

    for desk in (own, other):
        _settled(desk.keeper)
    for desk in (own, other):
        desk.keeper.look(at_once=True)
        values = [desk.plan.metrics[metric].value for metric in ("cvr", "visitors", "unit_price")]
        assert values == [0.013, 410_000, 8_500_000]
    assert own.keeper.number == other.keeper.number
    own.undo()
    assert own.plan.metrics["visitors"].value == 410_000
    assert own.plan.metrics["unit_price"].value == 8_000_000


def test_what_was_read_before_more_was_done_here_is_not_shown_over_it(store, own, monkeypatch):
    own.change({"metrics.cvr.value": 0.013})
    other = _by_link(store, _settled(own.keeper), "edit")
    other.change({"metrics.visitors.value": 410_000})
    _settled(other.keeper)
    read = store.read

    def slowly(*asked):
        found = read(*asked)
        monkeypatch.setattr(store, "read", read)
        own.change({"metrics.cvr.value": 0.014})
        _settled(own.keeper)
        return found

    monkeypatch.setattr(store, "read", slowly)
    own.keeper.look(at_once=True)

    assert own.plan.metrics["cvr"].value == 0.014
    own.keeper.look(at_once=True)
    assert [own.plan.metrics[metric].value for metric in ("cvr", "visitors")] == [0.014, 410_000]
    assert own.keeper.status == "saved"


def test_changes_made_while_an_earlier_one_is_merged_clash_with_nobody(store, own):
    """The second change is made of a plan the store never saw as it was: its base is what that one was made of."""
    own.change({"metrics.cvr.value": 0.013})
    other = _by_link(store, _settled(own.keeper), "edit")
    other.change({"metrics.visitors.value": 410_000})
    _settled(other.keeper)

    own.change({"metrics.unit_price.value": 8_500_000})
    own.change({"metrics.unit_price.value": 8_600_000})

    _settled(own.keeper).look(at_once=True)
    assert own.keeper.status == "saved"
    assert own.plan.metrics["visitors"].value == 410_000
    assert own.plan.metrics["unit_price"].value == 8_600_000


@pytest.mark.parametrize(("side", "value"), [("ours", 0.014), ("theirs", 0.015)])
def test_two_people_at_the_same_field_choose(store, own, side, value):
    own.change({"metrics.cvr.value": 0.013})
    other = _by_link(store, _settled(own.keeper), "edit")
    other.change({"metrics.cvr.value": 0.015})
    _settled(other.keeper)

    own.change({"metrics.cvr.value": 0.014})

    keeping = _settled(own.keeper)
    assert keeping.status == "clash"
    assert own.plan.metrics["cvr"].value == 0.014
    kept = store.read(keeping.actor, keeping.plan_id, keeping.clash.mine)
    assert kept.plan.metrics["cvr"].value == 0.014
    keeping.decide(keeping.clash.merged.resolved({one.path: side for one in keeping.clash.merged.clashes}))

    for desk in (own, other):
        _settled(desk.keeper).look(at_once=True)
        assert (desk.keeper.status, desk.plan.metrics["cvr"].value) == ("saved", value)


def test_while_the_database_does_not_answer_everything_waits_and_is_then_kept_once(store, own, monkeypatch):
    own.change({"metrics.cvr.value": 0.013})
    keeping = _settled(own.keeper)
    real, calls, answers = store.save, [], Event()

    def failing(*args, **said):
        calls.append(said["key"])
        if len(calls) == 2:  # kept, but the answer is lost on the way
            real(*args, **said)
        if len(calls) < 5 or not answers.is_set():
            raise KpiError("store_down", "The storage does not answer.")
        return real(*args, **said)

    monkeypatch.setattr(store, "save", failing)
    own.change({"metrics.cvr.value": 0.014})
    assert keeping.status in ("saving", "waiting")
    own.change({"metrics.cvr.value": 0.015})
    answers.set()

    _settled(keeping)
    assert (keeping.status, keeping.trouble) == ("saved", None)
    plans = [store.read(keeping.actor, keeping.plan_id, number).plan for number in range(1, keeping.number + 1)]
    assert [plan.metrics["cvr"].value for plan in plans] == [0.012, 0.013, 0.014, 0.015]


def test_who_may_only_look_tries_out_and_takes_a_copy(store, own):
    own.change({"metrics.cvr.value": 0.013})
    desks = Desks()
    viewer = _by_link(store, _settled(own.keeper), "view", desks=desks)

    viewer.change({"metrics.cvr.value": 0.02 - 0.006})
    own.change({"metrics.visitors.value": 410_000})

    _settled(own.keeper)
    viewer.keeper.look(at_once=True)
    assert viewer.keeper.status == "trying"
    assert viewer.plan.metrics["cvr"].value == pytest.approx(0.014)
    assert store.read(own.keeper.actor, own.keeper.plan_id).plan.metrics["cvr"].value == 0.013
    copy = opening.copy(desks, "theirs", viewer.keeper, "en")
    assert copy.plan.metrics["cvr"].value == pytest.approx(0.014)
    assert copy.keeper.role == "facilitate"
    assert copy.keeper.plan_id != own.keeper.plan_id
    assert viewer.plan == own.plan


def test_a_revoked_link_closes_the_desk_and_what_was_typed_stays_on_it(store, own):
    own.change({"metrics.cvr.value": 0.013})
    other = _by_link(store, _settled(own.keeper), "edit")
    link = next(one for one in store.links(own.keeper.actor, own.keeper.plan_id) if not one.owner)
    store.revoke(own.keeper.actor, own.keeper.plan_id, link.id)

    other.change({"metrics.cvr.value": 0.014})

    _settled(other.keeper)
    assert other.keeper.status == "closed"
    assert other.plan.metrics["cvr"].value == 0.014
    assert store.read(own.keeper.actor, own.keeper.plan_id).plan.metrics["cvr"].value == 0.013


def test_a_link_that_allows_less_now_keeps_what_was_typed_to_try(store, own):
    own.change({"metrics.cvr.value": 0.013})
    keeping = _settled(own.keeper)
    other = _by_link(store, keeping, "edit")
    _by_link(store, keeping, "view")
    link = next(one for one in store.links(keeping.actor, keeping.plan_id) if one.role == "edit")
    store.revoke(keeping.actor, keeping.plan_id, link.id)

    other.change({"metrics.cvr.value": 0.014})

    _settled(other.keeper)
    assert (other.keeper.status, other.keeper.role) == ("trying", "view")
    assert other.plan.metrics["cvr"].value == 0.014


def test_without_a_cookie_nothing_is_kept_and_says_so():
    keeping = Keeping(Desk.holding(SAMPLE))

    keeping.desk.change({"metrics.cvr.value": 0.013})

    assert keeping.status == "local"
    with pytest.raises(KpiError) as refused:
        keeping.begin()
    assert refused.value.code == "not_kept"


def test_a_bug_while_saving_is_told_and_what_was_typed_stays(store, own, monkeypatch):
    monkeypatch.setattr(store, "begin", lambda *_args, **_said: 1 / 0)

    own.change({"metrics.cvr.value": 0.013})

    keeping = _settled(own.keeper)
    assert (keeping.status, keeping.trouble.code) == ("waiting", "not_saved")
    monkeypatch.undo()
    assert own.plan.metrics["cvr"].value == 0.013
    assert not isinstance(keeping.clash, Clashing)


def test_what_lies_beside_the_plan_waits_for_the_database_too(store, own, monkeypatch):
    own.change({"metrics.cvr.value": 0.013})
    keeping = _settled(own.keeper)
    real, calls = store.keep_desk, []

    def failing(*args):
        calls.append(1)
        if len(calls) < 4:
            raise KpiError("store_down", "The storage does not answer.")
        return real(*args)

    monkeypatch.setattr(store, "keep_desk", failing)
    own.scenarios["bold"] = own.plan
    own.kept_beside()

    _settled(keeping)
    assert len(calls) == 4
    assert opening.latest(Desks(), "ours").scenarios == {"bold": own.plan}


def test_what_lies_beside_the_plan_is_kept_once_for_a_lever_on_the_move(store, own, monkeypatch):
    real, calls = store.keep_desk, []
    monkeypatch.setattr(store, "keep_desk", lambda *args: calls.append(1) or real(*args))
    monkeypatch.setattr(keeping_, "QUIET_SECONDS", 5)
    for visitors in range(410_000, 410_010):
        own.change({"metrics.visitors.value": visitors})
        own.keeper.wait()
    _settled(own.keeper)
    assert len(calls) == 1
    assert len(opening.latest(Desks(), "ours").steps) == 10


@pytest.mark.parametrize("beside", [{"plans": {"x": {"schema": 99}}}, {"steps": [{"numbers": [1, 2]}]}, {"at": "x"}])
def test_what_lies_beside_the_plan_and_cannot_be_read_hides_no_plan(store, own, beside):
    own.change({"metrics.cvr.value": 0.013})
    keeping = _settled(own.keeper)
    store.keep_desk(keeping.actor, keeping.plan_id, beside)

    again = opening.latest(Desks(), "ours")

    assert again.plan == own.plan
    assert again.steps == []


@pytest.fixture
def down(store, monkeypatch):
    """Call it, and the database answers nothing; call it with False, and it answers again."""
    real = store.database.engine.begin

    def switch(is_down=True):
        def refused(*_args, **_more):
            raise exc.OperationalError("", {}, Exception("down"))

        monkeypatch.setattr(store.database.engine, "begin", refused if is_down else real)
        monkeypatch.setattr(store.database._writer, "begin", refused if is_down else real_write)

    real_write = store.database._writer.begin
    return switch


def test_what_was_refused_for_a_while_is_not_called_saved(store, own):
    """The plan is deleted while somebody works at it, and the deletion is taken back."""
    own.change({"metrics.cvr.value": 0.013})
    owner = _settled(own.keeper)
    other = _by_link(store, owner, "edit")
    store.delete(owner.actor, owner.plan_id)
    other.change({"metrics.cvr.value": 0.014})
    assert _settled(other.keeper).status == "closed"

    store.undelete(owner.actor, owner.plan_id)
    other.keeper.look(at_once=True)
    other.change({"metrics.visitors.value": 410_000})

    assert (other.keeper.role, _settled(other.keeper).status) == ("edit", "trying")
    assert store.read(owner.actor, owner.plan_id).plan.metrics["cvr"].value == 0.013
    other.keeper.keep_tried()
    assert _settled(other.keeper).status == "saved"
    kept = store.read(owner.actor, owner.plan_id).plan
    assert (kept.metrics["cvr"].value, kept.metrics["visitors"].value) == (0.014, 410_000)


def _trying(store, own):
    """Return the desk of somebody who may only look and tries another conversion rate."""
    own.change({"metrics.cvr.value": 0.013})
    viewer = _by_link(store, _settled(own.keeper), "view")
    viewer.change({"metrics.cvr.value": 0.014})
    return viewer


def test_what_was_tried_is_let_go_although_nobody_else_changed_anything(store, own):
    viewer = _trying(store, own)

    viewer.keeper.let_go()

    assert (viewer.keeper.status, viewer.plan) == ("saved", own.plan)


def test_what_was_tried_is_not_called_saved_before_the_database_says_how_the_plan_is(store, own, down):
    viewer = _trying(store, own)
    down()

    viewer.keeper.let_go()
    assert (viewer.keeper.status, viewer.plan.metrics["cvr"].value) == ("trying", 0.014)

    down(False)
    viewer.keeper.look(at_once=True)
    assert (viewer.keeper.status, viewer.plan) == ("saved", own.plan)


def test_who_goes_on_trying_keeps_what_they_wanted_to_let_go(store, own, down):
    viewer = _trying(store, own)
    down()
    viewer.keeper.let_go()

    viewer.change({"metrics.visitors.value": 410_000})
    down(False)
    viewer.keeper.look(at_once=True)

    assert viewer.keeper.status == "trying"
    assert [viewer.plan.metrics[one].value for one in ("cvr", "visitors")] == [0.014, 410_000]


def test_a_reload_while_the_database_is_down_shows_what_is_not_saved_yet(store, down):
    desks = Desks()
    own = opening.latest(desks, "ours")
    own.change({"metrics.cvr.value": 0.013})
    _settled(own.keeper)
    down()
    own.change({"metrics.cvr.value": 0.014})

    again = opening.latest(desks, "ours")

    assert again is own
    assert opening.latest(desks, "theirs") is not own
    down(False)
    assert _settled(own.keeper).status == "saved"


def test_a_page_opened_while_the_database_was_down_finds_its_plan_when_it_answers(store, own, down):
    own.change({"metrics.cvr.value": 0.013})
    _settled(own.keeper)
    down()
    desks = Desks()
    fresh = opening.latest(desks, "ours")
    assert opening.came_too_soon(fresh)

    down(False)

    found = opening.latest(desks, "ours")
    assert (found.plan, opening.came_too_soon(found)) == (own.plan, False)
    fresh.change({"metrics.cvr.value": 0.02 - 0.003})
    assert not opening.came_too_soon(fresh)  # what was begun meanwhile is not left


def test_no_page_waits_again_for_a_database_that_says_nothing(store, own, monkeypatch):
    own.change({"metrics.cvr.value": 0.013})
    keeping = _settled(own.keeper)
    asked, answers, standing = Event(), Event(), store.standing

    def says_nothing(*said):
        asked.set()
        answers.wait(30)
        return standing(*said)

    monkeypatch.setattr(store, "standing", says_nothing)
    keeping.trouble = KpiError("store_down", "The storage does not answer.")

    keeping.look()
    keeping.look()

    assert asked.wait(30)
    assert keeping.trouble is not None  # or it would have waited
    answers.set()
    _soon(lambda: keeping.trouble is None)


def test_a_page_opened_while_the_database_was_down_comes_back_to_its_plan(tmp_path, monkeypatch):
    with app_store(tmp_path) as store:
        kept(store, SAMPLE.replace({"name.ja": "残した計画"}))
        real = store.database.engine.begin

        def refused(*_args, **_more):
            raise exc.OperationalError("", {}, Exception("down"))

        monkeypatch.setattr(store.database.engine, "begin", refused)
        page = AppTest.from_file("../../workbench/shell.py", default_timeout=300).run()
        assert page.text_input(key="name.ja").value == SAMPLE.name.ja

        monkeypatch.setattr(store.database.engine, "begin", real)

        _soon(lambda: page.run().text_input(key="name.ja").value == "残した計画")


def _soon(is_so):
    """Wait for what a thread is about to do."""
    ends = time.monotonic() + BUSY_SECONDS
    while not is_so():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.01)


def test_choosing_between_two_versions_keeps_what_was_typed_meanwhile(store, own):
    own.change({"metrics.cvr.value": 0.013})
    other = _by_link(store, _settled(own.keeper), "edit")
    own.change({"metrics.cvr.value": 0.014})
    _settled(own.keeper)
    other.change({"metrics.cvr.value": 0.015})
    keeping = _settled(other.keeper)
    assert keeping.status == "clash"
    other.plan = other.plan.replace({"kgi.target": 1.2e9})  # on the screen, and not in the queue's hands yet

    keeping.decide(keeping.clash.merged.resolved({"metrics.cvr.value": "theirs"}))

    assert _settled(keeping).status == "saved"
    kept = store.read(own.keeper.actor, own.keeper.plan_id).plan
    assert (kept.metrics["cvr"].value, kept.kgi.target) == (0.014, 1.2e9)


def test_undo_that_cannot_be_read_takes_back_nothing_and_the_next_one_the_right_step(store, own, down):
    own.change({"metrics.cvr.value": 0.013})
    own.change({"metrics.visitors.value": 410_000})
    _settled(own.keeper)
    again = opening.latest(Desks(), "ours")
    down()
    with pytest.raises(KpiError):
        again.undo()
    assert again.plan == own.plan

    down(False)
    again.undo()

    assert (again.plan.metrics["visitors"].value, again.plan.metrics["cvr"].value) == (400_000, 0.013)


def test_the_way_back_over_a_merged_save_is_there_after_a_restart(store, own):
    own.change({"metrics.cvr.value": 0.013})
    other = _by_link(store, _settled(own.keeper), "edit")
    other.change({"metrics.visitors.value": 410_000})
    _settled(other.keeper)
    own.change({"kgi.target": 1.2e9})  # made of what was there before
    _settled(own.keeper).settle()
    own.change({"kgi.target": 1.3e9})
    _settled(own.keeper)

    again = opening.latest(Desks(), "ours")
    for _step in range(3):
        again.undo()

    assert again.plan == SAMPLE.replace({"metrics.visitors.value": 410_000})


def test_a_server_without_a_thread_left_says_so_and_goes_on_later(store, own, monkeypatch):
    real = keeping_.threading.Thread.start

    def none_left(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(keeping_.threading.Thread, "start", none_left)
    own.change({"metrics.cvr.value": 0.013})
    assert (own.keeper.status, own.keeper.trouble.code) == ("waiting", "store_busy")

    monkeypatch.setattr(keeping_.threading.Thread, "start", real)
    own.keeper.look()

    assert _settled(own.keeper).status == "saved"
    assert store.read(own.keeper.actor, own.keeper.plan_id).plan == own.plan


def _replace_storage(store, tmp_path):
    """Put another, empty storage in the place of this one, as somebody who restores an old backup does."""
    other = Store.at(f"sqlite:///{tmp_path}/other/plans.sqlite3")
    kept(other, SAMPLE, cookie="somebody else")
    other.close()
    (tmp_path / "other" / "plans.sqlite3").replace(tmp_path / "plans.sqlite3")


@pytest.mark.parametrize("how", ["looking", "typing"])
def test_a_plan_that_a_replaced_storage_does_not_know_is_saved_in_it_anew(store, own, tmp_path, how):
    own.change({"metrics.cvr.value": 0.013})
    keeping = _settled(own.keeper)
    first = keeping.plan_id
    _replace_storage(store, tmp_path)

    if how == "typing":
        own.change({"metrics.cvr.value": 0.014})
    else:
        keeping.look()
    _settled(keeping)

    assert (keeping.status, keeping.closed) == ("saved", False)
    assert keeping.plan_id != first
    assert keeping.anew is not None
    assert store.read(keeping.actor, keeping.plan_id).plan == own.plan
    assert [one.plan_id for one in store.plans(keeping.actor)] == [keeping.plan_id]
    own.undo()
    own.change({"metrics.cvr.value": 0.015})
    _settled(keeping)
    assert (keeping.status, keeping.anew) == ("saved", None)
    assert opening.latest(Desks(), "ours").plan == own.plan


def test_after_the_file_was_deleted_all_goes_on_as_if_nothing_had_happened(store, own, tmp_path):
    own.change({"metrics.cvr.value": 0.013})
    keeping = _settled(own.keeper)
    for part in tmp_path.glob("plans.sqlite3*"):
        part.unlink()

    own.change({"metrics.cvr.value": 0.014})
    _settled(keeping)

    assert (keeping.status, keeping.number, keeping.anew) == ("saved", 3, None)
    store.close()
    fresh = Store.at(f"sqlite:///{tmp_path}/plans.sqlite3")
    assert fresh.read(keeping.actor, keeping.plan_id).plan == own.plan
    fresh.close()


def test_who_may_only_look_finds_the_link_closed_where_the_storage_was_replaced(store, own, tmp_path):
    own.change({"metrics.cvr.value": 0.013})
    guest = _by_link(store, _settled(own.keeper), "view")
    _replace_storage(store, tmp_path)

    guest.keeper.look()

    assert (guest.keeper.status, guest.keeper.anew) == ("closed", None)
