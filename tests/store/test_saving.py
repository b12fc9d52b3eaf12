"""Saving: appended, merged or kept beside; never over what somebody else has saved."""

from __future__ import annotations

import pytest

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.store.clock import Clock
from workbench.store import Actor, Clashing, Kept, Store, new_key

ANN, BO = Actor.of("ann"), Actor.of("bo")
VISITORS, CVR, TARGET = "metrics.visitors.value", "metrics.cvr.value", "kgi.target"


def shared(store: Store, plan: Plan) -> str:
    """Return a plan that Ann owns and Bo may edit."""
    kept = store.begin(ANN, plan, key=new_key())
    _link, token = store.issue(ANN, kept.plan_id, "edit")
    assert store.enter(BO, token, address="192.0.2.1") == kept.plan_id
    return kept.plan_id


def test_what_is_kept_is_the_plan_to_the_last_digit(store: Store, plan: Plan):
    odd = plan.replace({VISITORS: 412_345.678901234, "name": {"ja": "計画 \U0001f3af", "en": "½ “plan”"}})

    kept = store.begin(ANN, odd, key=new_key(), author="安", note="最初")

    assert store.read(ANN, kept.plan_id).plan == odd
    assert store.read(ANN, kept.plan_id).plan.digest == odd.digest
    [version] = store.history(ANN, kept.plan_id)
    assert (version.number, version.author, version.note, version.kind) == (1, "安", "最初", "start")


def test_a_change_of_the_newest_is_appended(store: Store, plan: Plan, clock: Clock):
    plan_id = shared(store, plan)
    clock.pass_by(minutes=5)

    kept = store.save(BO, plan_id, 1, plan.replace({CVR: 0.013}), key="one", author="Bo", note="why")

    assert isinstance(kept, Kept)
    assert (kept.number, kept.version.parent, kept.version.is_merged) == (2, 1, False)
    assert store.read(ANN, plan_id).plan == plan.replace({CVR: 0.013})
    assert store.read(ANN, plan_id, 1).plan == plan
    assert store.read(ANN, plan_id).version.at == clock.now


def test_two_people_who_change_different_numbers_both_keep_theirs(store: Store, plan: Plan):
    plan_id = shared(store, plan)
    store.save(ANN, plan_id, 1, plan.replace({CVR: 0.013}), key="ann")

    kept = store.save(BO, plan_id, 1, plan.replace({VISITORS: 390_000}), key="bo", author="Bo")

    assert isinstance(kept, Kept)
    assert kept.plan == plan.replace({CVR: 0.013, VISITORS: 390_000})
    assert (kept.number, kept.version.parent, kept.version.base, kept.version.is_merged) == (3, 2, 1, True)
    assert store.read(ANN, plan_id).plan == kept.plan


def test_two_people_who_change_the_same_number_choose_and_both_are_kept(store: Store, plan: Plan):
    plan_id = shared(store, plan)
    anns, bos = plan.replace({VISITORS: 390_000}), plan.replace({VISITORS: 410_000, CVR: 0.013})
    store.save(ANN, plan_id, 1, anns, key="ann")

    outcome = store.save(BO, plan_id, 1, bos, key="bo")

    assert isinstance(outcome, Clashing)
    assert (outcome.mine, outcome.theirs) == (3, 2)
    assert [clash.path for clash in outcome.merged.clashes] == [VISITORS]
    assert store.read(BO, plan_id).plan == anns
    assert store.read(BO, plan_id, outcome.mine).plan == bos
    assert store.read(BO, plan_id, outcome.mine).version.is_aside

    chosen = outcome.merged.resolved({VISITORS: "ours"})
    resolved = store.save(BO, plan_id, outcome.theirs, chosen, key="chosen", kind="resolve")
    assert isinstance(resolved, Kept)
    assert (resolved.number, resolved.version.parent, resolved.plan) == (4, 2, bos)


@pytest.mark.parametrize("change", [{CVR: 0.013}, {VISITORS: 410_000}], ids=["merged", "clashing"])
def test_the_same_attempt_sent_again_is_kept_once_and_answered_alike(store: Store, plan: Plan, change: dict):
    plan_id = shared(store, plan)
    store.save(ANN, plan_id, 1, plan.replace({VISITORS: 390_000}), key="ann")
    first = store.save(BO, plan_id, 1, plan.replace(change), key="bo")
    store.save(ANN, plan_id, 2, plan.replace({TARGET: 2e9}), key="later")

    again = store.save(BO, plan_id, 1, plan.replace(change), key="bo")

    assert again == first
    assert len(store.history(ANN, plan_id)) == 4


def test_a_new_plan_asked_for_twice_is_one_plan(store: Store, plan: Plan):
    first = store.begin(ANN, plan, key="first visit")

    assert store.begin(ANN, plan.replace({CVR: 0.013}), key="first visit") == first
    assert store.begin(BO, plan, key="first visit").plan_id != first.plan_id
    assert [listed.plan_id for listed in store.plans(ANN)] == [first.plan_id]


def test_a_save_that_changes_nothing_makes_no_version(store: Store, plan: Plan):
    plan_id = shared(store, plan)
    changed = plan.replace({CVR: 0.013})
    store.save(ANN, plan_id, 1, changed, key="ann")

    assert store.save(ANN, plan_id, 2, changed, key="again") == store.read(ANN, plan_id)
    assert store.save(BO, plan_id, 1, changed, key="the same, made of an older one") == store.read(BO, plan_id)
    assert store.standing(ANN, plan_id).newest == 2


@pytest.mark.parametrize("parent", [0, 2, -1, 99])
def test_a_change_of_a_version_that_is_not_there_is_refused(store: Store, plan: Plan, parent: int):
    plan_id = shared(store, plan)

    with pytest.raises(KpiError) as refused:
        store.save(ANN, plan_id, parent, plan.replace({CVR: 0.013}), key=new_key())

    assert refused.value.code == "unknown_revision"
    assert store.standing(ANN, plan_id).newest == 1


def test_what_lies_aside_is_no_ground_to_save_on(store: Store, plan: Plan):
    plan_id = shared(store, plan)
    store.save(ANN, plan_id, 1, plan.replace({VISITORS: 390_000}), key="ann")
    aside = store.save(BO, plan_id, 1, plan.replace({VISITORS: 410_000}), key="bo")
    assert isinstance(aside, Clashing)

    with pytest.raises(KpiError) as refused:
        store.save(BO, plan_id, aside.mine, plan.replace({VISITORS: 410_000, CVR: 0.013}), key=new_key())

    assert refused.value.code == "unknown_revision"


def test_undo_takes_back_ones_own_change_and_leaves_the_others(store: Store, plan: Plan):
    plan_id = shared(store, plan)
    store.save(ANN, plan_id, 1, plan.replace({VISITORS: 390_000}), key="ann")
    store.save(BO, plan_id, 2, plan.replace({VISITORS: 390_000, CVR: 0.013}), key="bo")

    undone = store.undo(ANN, plan_id, 2, key="undo")

    assert isinstance(undone, Kept)
    assert (undone.version.kind, undone.plan) == ("undo", plan.replace({CVR: 0.013}))

    redone = store.undo(ANN, plan_id, undone.number, key="redo")
    assert isinstance(redone, Kept)
    assert (redone.version.kind, redone.plan) == ("redo", plan.replace({VISITORS: 390_000, CVR: 0.013}))
    assert store.undo(ANN, plan_id, 2, key="undo") == undone


def test_undo_of_a_merged_save_takes_back_what_was_merged_in(store: Store, plan: Plan):
    plan_id = shared(store, plan)
    store.save(ANN, plan_id, 1, plan.replace({VISITORS: 390_000}), key="ann")
    merged = store.save(BO, plan_id, 1, plan.replace({CVR: 0.013}), key="bo")
    assert isinstance(merged, Kept)

    undone = store.undo(BO, plan_id, merged.number, key="undo")

    assert isinstance(undone, Kept)
    assert undone.plan == plan.replace({VISITORS: 390_000})


def test_undo_of_what_was_changed_again_since_asks_and_writes_nothing(store: Store, plan: Plan):
    plan_id = shared(store, plan)
    store.save(ANN, plan_id, 1, plan.replace({VISITORS: 390_000}), key="ann")
    store.save(BO, plan_id, 2, plan.replace({VISITORS: 410_000}), key="bo")

    outcome = store.undo(ANN, plan_id, 2, key="undo")

    assert isinstance(outcome, Clashing)
    assert (outcome.mine, outcome.theirs) == (1, 3)
    [clash] = outcome.merged.clashes
    assert (clash.path, clash.ours, clash.theirs) == (VISITORS, 400_000, 410_000)
    assert len(store.history(ANN, plan_id)) == 3


def test_the_first_version_and_one_that_lies_aside_cannot_be_undone(store: Store, plan: Plan):
    plan_id = shared(store, plan)
    store.save(ANN, plan_id, 1, plan.replace({VISITORS: 390_000}), key="ann")
    aside = store.save(BO, plan_id, 1, plan.replace({VISITORS: 410_000}), key="bo")
    assert isinstance(aside, Clashing)

    for number in (1, aside.mine):
        with pytest.raises(KpiError) as refused:
            store.undo(ANN, plan_id, number, key=new_key())
        assert refused.value.code == "nothing_to_undo"


def test_restoring_an_earlier_version_is_a_new_one(store: Store, plan: Plan):
    plan_id = shared(store, plan)
    store.save(ANN, plan_id, 1, plan.replace({VISITORS: 390_000}), key="a")
    store.save(ANN, plan_id, 2, plan.replace({CVR: 0.013}), key="b")

    restored = store.restore(BO, plan_id, 1, 3, key="back", author="Bo")

    assert isinstance(restored, Kept)
    assert (restored.number, restored.version.kind, restored.plan) == (4, "restore", plan)
    assert [version.number for version in store.history(ANN, plan_id)] == [4, 3, 2, 1]


def test_history_comes_in_pages_the_newest_first(store: Store, plan: Plan):
    plan_id = shared(store, plan)
    for number in range(1, 8):
        store.save(ANN, plan_id, number, plan.replace({VISITORS: 390_000 + number}), key=f"{number}")

    first = store.history(ANN, plan_id, limit=5)
    rest = store.history(ANN, plan_id, limit=5, before=first[-1].number)

    assert [version.number for version in first + rest] == [8, 7, 6, 5, 4, 3, 2, 1]


def test_a_version_gets_a_name_and_loses_it(store: Store, plan: Plan):
    plan_id = shared(store, plan)

    store.label(BO, plan_id, 1, "  役員会\n案 \x00")
    assert store.read(ANN, plan_id, 1).version.label == "役員会 案"

    store.label(BO, plan_id, 1, "")
    assert store.read(ANN, plan_id, 1).version.label == ""
    with pytest.raises(KpiError) as refused:
        store.label(BO, plan_id, 2, "not there")
    assert refused.value.code == "unknown_revision"
    with pytest.raises(KpiError) as refused:
        store.label(BO, plan_id, 1, "長" * 121)
    assert (refused.value.code, refused.value.facts) == ("words_too_long", {"limit": 120})


def test_a_name_too_long_keeps_nothing_of_the_save(store: Store, plan: Plan):
    plan_id = shared(store, plan)

    with pytest.raises(KpiError) as refused:
        store.save(ANN, plan_id, 1, plan.replace({CVR: 0.013}), key="ann", author="長" * 81)

    assert refused.value.code == "words_too_long"
    assert store.read(ANN, plan_id).plan == plan


def test_the_list_says_the_newest_name_and_time(store: Store, plan: Plan, clock: Clock):
    plan_id = shared(store, plan)
    clock.pass_by(hours=1)
    store.save(BO, plan_id, 1, plan.replace({"name": {"en": "Renamed"}}), key="name")

    [anns], [bos] = store.plans(ANN), store.plans(BO)

    assert (anns.plan_id, anns.name.en, anns.newest, anns.changed_at, anns.role) == (
        plan_id, "Renamed", 2, clock.now, "facilitate",
    )  # fmt: skip
    assert bos.role == "edit"


def test_a_copy_is_another_plan_that_belongs_to_who_made_it(store: Store, plan: Plan):
    plan_id = shared(store, plan)

    copy = store.save_copy(BO, plan_id, plan.replace({CVR: 0.013}), key="copy")

    assert copy.plan_id != plan_id
    assert store.standing(BO, copy.plan_id).role == "facilitate"
    assert not store.can(ANN, "read", copy.plan_id)
    assert store.read(ANN, plan_id).plan == plan


def test_a_desk_is_kept_for_one_browser_and_the_latest_plan_opens(store: Store, plan: Plan, clock: Clock):
    first = shared(store, plan)
    second = store.begin(BO, plan, key="second").plan_id
    state = {"language": "en", "back": [1, 2], "baseline": 1, "scenarios": {"楽観": {"at": 2}}}
    assert store.latest(BO) == second
    clock.pass_by(seconds=1)
    store.keep_desk(BO, first, state)

    assert store.desk(BO, first) == state
    assert store.desk(ANN, first) == {}  # who begins a plan works at it
    assert (store.latest(BO), store.latest(ANN)) == (first, first)

    clock.pass_by(seconds=1)
    store.keep_desk(BO, second, {"language": "ja"})
    assert store.latest(BO) == second
    assert store.desk(BO, second) == {"language": "ja"}


def test_a_desk_too_large_is_refused(sqlite_store: Store, plan: Plan):
    plan_id = shared(sqlite_store, plan)

    with pytest.raises(KpiError) as refused:
        sqlite_store.keep_desk(ANN, plan_id, {"scenarios": "x" * 5_000_001})

    assert refused.value.code == "desk_too_large"
