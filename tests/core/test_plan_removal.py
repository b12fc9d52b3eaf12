"""Removing a metric or a KSF: nothing names it any more, no other number moves, and everything touched was said."""

import re
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.plan_removal import of_ksf, of_metric
from tests import random_plans
from workbench import samples

SAMPLE = samples.sample_plan()
SECTIONS = {  # where a removal's traces of each sort lie in a plan's data
    "inputs": "metrics", "by_month": "metrics", "ksfs": "ksfs", "idle": "ksfs", "needs": "ksfs",
    "builders": "ksfs", "excluding": "ksfs", "linked": "assumptions", "held": "limits",
    "stages": "stages", "opening": "opening", "drivers": "drivers", "correlations": "assumptions",
}  # fmt: skip


def ids(data: object) -> Iterator[str]:
    """Yield every key and every string of plain data: each may name a metric or a KSF."""
    if isinstance(data, Mapping):
        for key, entry in data.items():
            yield str(key)
            yield from ids(entry)
    elif isinstance(data, list | tuple):
        for entry in data:
            yield from ids(entry)
    elif isinstance(data, str):
        yield data
        yield from re.findall(r"\w+", data)  # the words of a formula


def naming(plan: Plan, thing: str, section: str) -> set[str]:
    """Return the sections of a plan that name a thing, beside the entry of the thing itself."""
    data = plan.to_data()
    data[section] = {name: entry for name, entry in data[section].items() if name != thing}
    return {name for name, part in data.items() if name not in ("name", "decisions") and thing in ids(part)}


def touched(traces: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return the sections that a removal says it touches."""
    sorts = [*(sort for sort, names in traces.items() if names and sort != "places"), *traces.get("places", ())]
    return {SECTIONS[sort] for sort in sorts if sort in SECTIONS}


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(data=some.data(), plan=random_plans.plans(extras=12))
def test_nothing_names_a_removed_metric_and_no_other_number_moves(data, plan):
    metric = data.draw(some.sampled_from([*plan.metrics]))
    assume(metric != plan.kgi.metric)
    removal = of_metric(plan, metric)
    try:
        lighter = removal.plan
    except KpiError as error:  # an input it would leave behind is none
        assert {problem.code for problem in error.facts["problems"]} <= {"rate_out_of_range", "too_large", "too_small"}
        return

    assert naming(plan, metric, "metrics") == touched(removal.traces)
    assert removal.is_alone == (not naming(plan, metric, "metrics") and not removal.traces["places"])
    assert metric not in [*ids(lighter.to_data())]
    assert Plan.from_text(lighter.to_yaml()) == lighter
    for other in lighter.metrics:
        assert lighter.tree.now(other) == pytest.approx(plan.tree.now(other), rel=1e-12, abs=1e-300)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(data=some.data(), plan=random_plans.plans(extras=12))
def test_nothing_names_a_removed_ksf_but_what_was_agreed_then(data, plan):
    assume(plan.ksfs)
    ksf = data.draw(some.sampled_from([*plan.ksfs]))
    removal = of_ksf(plan, ksf)

    assert naming(plan, ksf, "ksfs") == touched(removal.traces) | (
        {"assumptions"} if any({*link.pair} == {ksf} for link in plan.assumptions.synergies) else set()
    ) | ({"assumptions"} if any(link.source == link.target == ksf for link in plan.assumptions.spillovers) else set())
    assert ksf not in [*ids({**removal.plan.to_data(), "decisions": ()})]
    assert Plan.from_text(removal.plan.to_yaml()) == removal.plan
    assert removal.plan.metrics == plan.metrics


def test_a_ksf_without_its_last_metric_stays_and_moves_nothing():
    """M4 lifts only the CVR in the sample."""
    removal = of_metric(SAMPLE, "cvr")

    assert removal.traces["idle"] == tuple(ksf for ksf, entry in SAMPLE.ksfs.items() if set(entry.moves) == {"cvr"})
    assert removal.traces["idle"]
    assert all(not removal.plan.ksfs[ksf].moves for ksf in removal.traces["idle"])
    assert removal.traces["inputs"] == ("leads",)
    assert removal.plan.tree.now("leads") == pytest.approx(400_000 * 0.012)


def test_the_kgi_cannot_be_removed_and_strangers_are_not_known():
    for code, remove in (
        ("metric_is_kgi", lambda: of_metric(SAMPLE, "revenue")),
        ("unknown_metric", lambda: of_metric(SAMPLE, "nothing")),
        ("unknown_ksf", lambda: of_ksf(SAMPLE, "nothing")),
    ):
        with pytest.raises(KpiError) as caught:
            remove()
        assert caught.value.code == code


def test_an_example_of_every_trace_of_a_metric():
    plan = SAMPLE.replace(
        {
            "metrics.cvr.tried": [12, 1_000],
            "opening.stock.leads": [5, 5],
            "ksfs.F1.needs.leads": 10,
            "drivers": [{"source": "leads", "target": "cvr", "elasticity": 0.1}],
            "assumptions.correlations": [{"pair": ["cvr", "visitors"], "rank": 0.3}],
        }
    )

    assert of_metric(plan, "cvr").traces["places"] == ("history", "drivers", "correlations")
    assert of_metric(plan, "leads").traces["places"] == ("stages", "opening", "drivers")
    assert of_metric(plan, "leads").traces["needs"] == ("F1", "M3")


def test_more_goes_than_was_said_if_the_plan_was_changed_meanwhile():
    said = of_metric(SAMPLE, "cvr")
    later = of_metric(SAMPLE.replace({"metrics.extra": {"name": "x", "kind": "count", "formula": "cvr * 2"}}), "cvr")

    assert later.goes_beyond(said)
    assert not said.goes_beyond(later)
