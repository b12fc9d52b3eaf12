"""A browser's desk: changes, the way back, and what happens when there are too many."""

import threading

import pytest

from kpi_core.errors import KpiError
from workbench import files, samples
from workbench.desk import MAX_STEPS, Desk, Desks

SAMPLE = samples.sample_plan()


def test_undo_and_redo_walk_the_same_road():
    desk = Desk.holding(SAMPLE)
    desk.change({"metrics.cvr.value": 0.013})
    desk.change({"metrics.cvr.value": 0.014})

    desk.undo()
    desk.undo()
    assert desk.plan == SAMPLE
    assert not desk.can_undo
    desk.redo()
    assert desk.plan.metrics["cvr"].value == 0.013
    desk.change({"metrics.cvr.value": 0.015})
    assert not desk.can_redo


def test_a_refused_change_leaves_plan_and_history_as_they_were():
    desk = Desk.holding(SAMPLE)

    with pytest.raises(KpiError) as caught:
        desk.change({"metrics.cvr.value": 1.4})

    assert caught.value.code == "plan_invalid"
    assert (desk.plan, desk.steps) == (SAMPLE, [])


def test_a_change_to_the_same_value_is_no_revision():
    desk = Desk.holding(SAMPLE)

    desk.change({"metrics.cvr.value": 0.012})

    assert desk.steps == []


def test_another_plan_becomes_the_baseline_and_undo_leads_back():
    desk = Desk.holding(SAMPLE)

    desk.open(samples.template("abm"))

    assert desk.baseline == samples.template("abm")
    desk.undo()
    assert desk.plan == SAMPLE


def test_the_history_is_bounded():
    desk = Desk.holding(SAMPLE)

    for step in range(MAX_STEPS + 20):
        desk.change({"metrics.visitors.value": 300_000 + step})

    assert len(desk.steps) == MAX_STEPS
    assert desk.plan.metrics["visitors"].value == 300_000 + MAX_STEPS + 19


def test_the_longest_unused_desks_go_first():
    desks = Desks(limit=2)

    def new() -> Desk:
        return Desk.holding(SAMPLE)

    first = desks.of("a", "", new)
    desks.of("b", "", new)
    desks.of("a", "", new)

    desks.of("c", "", new)

    assert len(desks) == 2
    assert desks.of("a", "", new) is first


def test_undo_takes_back_what_was_done_here_and_keeps_what_others_did():
    desk = Desk.holding(SAMPLE)
    desk.change({"metrics.cvr.value": 0.013})
    desk.change({"metrics.visitors.value": 410_000})
    desk.follow(desk.plan.replace({"metrics.unit_price.value": 8_500_000}))

    desk.undo()
    assert desk.plan.metrics["visitors"].value == 400_000
    assert desk.plan.metrics["unit_price"].value == 8_500_000
    desk.undo()
    assert desk.plan == SAMPLE.replace({"metrics.unit_price.value": 8_500_000})
    desk.redo()
    desk.redo()

    assert [desk.plan.metrics[metric].value for metric in ("cvr", "visitors", "unit_price")] == [
        0.013,
        410_000,
        8_500_000,
    ]


def test_what_others_changed_since_stays_when_the_step_before_it_is_undone():
    desk = Desk.holding(SAMPLE)
    desk.change({"metrics.cvr.value": 0.013})
    desk.follow(desk.plan.replace({"metrics.cvr.value": 0.014}))

    desk.undo()

    assert desk.plan.metrics["cvr"].value == 0.014


def test_two_tabs_changing_at_once_lose_nothing():
    desk = Desk.holding(SAMPLE)

    def move(lever: str, values: list[float]) -> None:
        for value in values:
            desk.change({f"metrics.{lever}.value": value})

    moves = {"visitors": [300_000 + step for step in range(50)], "cvr": [0.007 + step / 10_000 for step in range(50)]}
    tabs = [threading.Thread(target=move, args=item) for item in moves.items()]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()

    assert desk.plan.metrics["visitors"].value == 300_049
    assert desk.plan.metrics["cvr"].value == pytest.approx(0.0119)


@pytest.mark.parametrize(
    ("contents", "code"),
    [
        (b"\xff\xfe\x00\x00", "file_not_text"),
        (b"", "not_a_plan"),
        (b"[1, 2]", "not_a_plan"),
        (b"<html><body>hello</body></html>", "not_a_plan"),
        (b"{", "file_not_readable"),
        (b"a: [1", "file_not_readable"),
        (b'{"schema": 1, "schema": 1}', "file_duplicate"),
        (b'{"schema": 2}', "schema_unknown"),
        (b"schema: 1\n", "plan_invalid"),
        (b"a: &a [1]\nb: *a\n", "file_alias"),
        (b"[" * 5_000, "file_too_deep"),
        (b'{"a":' * 5_000, "file_too_deep"),
        (b"{" + b" " * 5_000_001, "file_too_large"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_by_name(contents, code):
    with pytest.raises(KpiError) as caught:
        files.read(contents)

    assert caught.value.code == code


def test_a_file_over_five_megabytes_is_refused_before_it_is_read():
    with pytest.raises(KpiError) as refused:
        files.read(b"\xff" * (files.MAX_BYTES + 1))

    assert refused.value.code == "file_too_large"


def test_undo_brings_the_earlier_baseline_back():
    desk = Desk.holding(samples.sample_plan())
    desk.change({"metrics.cvr.value": 0.013})

    desk.put(desk.plan, baseline=desk.plan)

    assert desk.baseline == desk.plan
    desk.undo()
    assert desk.baseline == samples.sample_plan()
    assert desk.plan.metrics["cvr"].value == 0.013


@pytest.mark.parametrize("name", samples.TEMPLATES)
def test_a_saved_plan_opens_as_it_was(name):
    plan = samples.template(name)

    assert files.read(plan.to_yaml().encode("utf-8")) == plan
    assert files.read(plan.to_json().encode("utf-8-sig")) == plan


@pytest.mark.parametrize("name", samples.TEMPLATES)
def test_the_catalogue_offers_only_what_fits_the_plan(name):
    plan = samples.template(name)

    for ksf, entry in samples.offers(plan).items():
        assert ksf not in plan.ksfs
        assert set(entry.moves) <= set(plan.metrics)
