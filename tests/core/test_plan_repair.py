"""Repair: whatever was damaged, what remains is a valid plan, and nothing changed that is not listed."""

import random
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.plan_repair import repair
from tests import random_plans
from workbench import samples

SAMPLE = samples.sample_plan()
WRONG = [None, "x", -7, 1e99, [], {}, [1, 2], {"a": 1}, "leads *", "nothing", True, "2026-13"]


def places(data, path=()):
    """Yield the path of everything in plain data."""
    if isinstance(data, dict):
        for key, entry in data.items():
            yield (*path, key)
            yield from places(entry, (*path, key))
    elif isinstance(data, list):
        for at, entry in enumerate(data):
            yield (*path, at)
            yield from places(entry, (*path, at))


def put(data, path, value):
    for step in path[:-1]:
        data = data[step]
    data[path[-1]] = value


def leaves(data, path=()):
    """Return every value of plain data that holds no others, by path; lists count as one."""
    if isinstance(data, dict) and data:
        return {place: leaf for key, entry in data.items() for place, leaf in leaves(entry, (*path, str(key))).items()}
    return {path: data}


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(plan=some.one_of(some.just(SAMPLE), random_plans.plans()), dice=some.randoms(use_true_random=False))
def test_what_remains_is_valid_and_only_what_is_listed_has_changed(plan: Plan, dice: random.Random):
    data = plan.to_data()
    for _fault in range(dice.randrange(1, 4)):
        put(data, dice.choice([*places(data)]), deepcopy(dice.choice(WRONG)))
    damaged = deepcopy(data)
    try:
        repaired = repair(data)
    except KpiError as error:
        assert error.code in ("not_repairable", "schema_unknown", "not_a_plan")
        return

    assert data == damaged
    assert Plan.from_text(repaired.plan.to_yaml()) == repaired.plan
    listed = {change.path for change in repaired.changes}
    after = leaves(repaired.plan.to_data())
    for path, leaf in leaves(damaged).items():
        if leaf in (None, [], {}, False) or any(path[: len(one)] == one or one[: len(path)] == path for one in listed):
            continue
        same = after.get(path) == leaf or path[-1] in ("formula", "by_month")  # formulas are spelt anew, in ids
        assert same or after.get((*path, "ja")) == leaf, path  # a bare string is Japanese text


@pytest.mark.parametrize(
    ("path", "value", "left_out"),
    [
        (("ksfs", "F1", "depends_on"), ["F9", "F2"], ("ksfs", "F1", "depends_on", "0")),
        (
            ("ksfs", "F1", "moves"),
            {"nothing": [0, 0, 0], "proposal_rate": [0, 0, 0.1]},
            ("ksfs", "F1", "moves", "nothing"),
        ),
        (("stages",), ["visitors", "x", "leads", "y"], ("stages", "3")),
        (("metrics", "cvr", "low"), 0.5, ("metrics", "cvr", "low")),
        (("teams", "marketing", "skill"), 9, ("teams", "marketing", "skill")),
    ],
)
def test_as_little_as_possible_is_left_out(path, value, left_out):
    data = SAMPLE.to_data()
    put(data, path, value)

    repaired = repair(data)

    assert left_out in [change.path for change in repaired.changes]
    assert set(repaired.plan.metrics) == set(SAMPLE.metrics)
    assert set(repaired.plan.ksfs) == set(SAMPLE.ksfs)
    assert repaired.plan.tree.now("revenue") == SAMPLE.tree.now("revenue")


def test_a_metric_whose_formula_cannot_be_read_is_an_input_of_0_and_what_uses_it_keeps_its_formula():
    data = SAMPLE.to_data()
    data["metrics"]["leads"]["formula"] = "visitors * cvrr"

    repaired = repair(data)

    assert (repaired.plan.metrics["leads"].value, repaired.plan.metrics["leads"].formula) == (0, None)
    assert repaired.plan.metrics["appointments"] == SAMPLE.metrics["appointments"]
    before = {change.path: change.before for change in repaired.changes}
    assert before["metrics", "leads", "formula"] == "visitors * cvrr"


def test_a_plan_without_a_goal_cannot_be_repaired_by_leaving_something_out():
    for path in (("kgi",), ("kgi", "target"), ("fiscal_year", "starts"), ("metrics",)):
        data = SAMPLE.to_data()
        put(data, path, None)
        with pytest.raises(KpiError) as caught:
            repair(data)
        assert caught.value.code == "not_repairable"
