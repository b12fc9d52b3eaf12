"""Any valid plan, however it came about: it reads back equal, and every page opens and says something."""

import inspect

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined

from kpi_core import document, plan_text
from kpi_core.document import Part
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests import random_plans
from tests.app.every_page import open_every_page
from workbench import samples

PARTS = [part for _name, part in inspect.getmembers(document, inspect.isclass) if issubclass(part, Part)]
CASES = {
    "one metric": {"metrics": {"a": {"name": "問合せ数", "kind": "count", "value": 3, "low": 1, "high": 10}}},
    "constants only": {"metrics": {"a": {"name": "定数", "kind": "kgi", "formula": "2 * 3"}}},
    "zero": {"metrics": {"a": {"name": "売上", "kind": "kgi", "formula": "b * c"}, **random_plans.inputs(b=0, c=0)}},
    "negative": {
        "metrics": {"a": {"name": "利益", "kind": "kgi", "formula": "b - c"}, **random_plans.inputs(b=1, c=9)}
    },
    "min and if": {
        "metrics": {
            "a": {"name": "供給", "kind": "kgi", "formula": "if(b > 5, min(b, c), max(b, c))"},
            **random_plans.inputs(b=8, c=9),
        }
    },
}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_a_field_that_may_be_empty_is_empty_where_a_file_leaves_it_out(part):
    """A file leaves out what is empty, so every such field must read as just that when it is missing."""
    for name, field in part.model_fields.items():
        adapter = TypeAdapter(field.rebuild_annotation())
        for empty in ((), {}, None, False):
            try:
                value = adapter.validate_python(empty)
            except ValidationError:
                continue
            if plan_text._is_empty(value):
                default = field.get_default(call_default_factory=True, validated_data={})
                assert default is not PydanticUndefined, f"{part.__name__}.{name} may be {empty!r} but not be missing"
                assert default == value, f"{part.__name__}.{name}: {empty!r} is read back as {default!r}"


@pytest.mark.parametrize("section", [section for section in Plan.__dataclass_fields__ if section != "currency"])
def test_a_section_that_may_be_empty_may_be_missing(section):
    for empty in ((), {}):
        data = {**samples.template("web_basic").to_data(), "ksfs": {}, "limits": {}, "stages": (), section: empty}
        if section == "teams":
            data["metrics"] = {metric: {**entry, "team": None} for metric, entry in data["metrics"].items()}
        try:
            plan = Plan.from_data(data)
        except KpiError:
            continue
        assert Plan.from_text(plan.to_yaml()) == plan


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("case", CASES)
def test_every_page_opens_for_the_smallest_plans(case, language):
    data = {"schema": 1, "name": case, "fiscal_year": {"starts": "2026-04"}, "kgi": {"metric": "a", "target": 5}}
    plan = Plan.from_data({**data, **CASES[case]})

    assert Plan.from_text(plan.to_yaml()) == plan
    open_every_page(plan, language=language)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_opens_for_two_hundred_metrics(language):
    open_every_page(random_plans.large(200), language=language)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(plan=random_plans.plans(), language=some.sampled_from(["ja", "en"]))
def test_every_page_opens_for_any_valid_plan(plan, language):
    assert Plan.from_text(plan.to_yaml()) == plan
    assert Plan.from_text(plan.to_json()) == plan
    open_every_page(plan, language=language)
