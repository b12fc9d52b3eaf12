"""The plan: exact round trips, every problem at once, changes that never touch the old plan."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from kpi_core import plan_text
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import samples

SAMPLE = samples.sample_plan()
FOLDER = Path(__file__).parents[2] / "sample_data"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("**/*.yaml")), ids=lambda file: file.stem)
def test_every_file_that_comes_with_the_app_reads_back_equal(file):
    if file.stem == "ksf_catalogue":
        assert len(plan_text.read(file.read_text("utf-8"))["ksfs"]) == 49
        return
    plan = Plan.from_text(file.read_text("utf-8"))

    assert Plan.from_text(plan.to_yaml()) == plan
    assert Plan.from_text(plan.to_json()) == plan
    assert Plan.from_text(plan.to_yaml()).digest == plan.digest
    assert plan.to_yaml() == file.read_text("utf-8")


words = some.text(some.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(str.strip)
awkward = some.sampled_from(
    [*"'\"\\%@`|>?=~", "yes", "no", "null", "1e9", "1_000", "2026-04-01", "- a", "# b", "a: b", "{x}", "*a", "&a", "!x"]
)
stranger = some.sampled_from(
    ["1:30", "0x10", ".5", "<<", "\u3000全角\u3000", "🙂", "a\u2028b", "true", "Off", "[", "}"]
)
numbers = some.floats(-1e15, 1e15, allow_nan=False) | some.integers(-(10**15), 10**15).map(float)


@settings(max_examples=200)
@given(
    name=words | awkward,
    other=words | stranger,
    value=numbers,
    share=some.floats(0, 1),
    note=words | awkward | stranger,
)
@example(name="0", other="0", value=13_624.0, share=5e-324, note="0")  # hardly a digit left, and no two ways agree
def test_any_plan_reads_back_equal_from_yaml_and_json(name, other, value, share, note):
    plan = SAMPLE.replace(
        {
            "name": {"ja": name, "en": other},
            "metrics.visitors.value": None,
            "metrics.visitors": {"name": {"ja": "訪問" + name}, "kind": "count", "value": value, "definition": note},
            "metrics.cvr.value": share,
            "metrics.cvr.low": 0.0,
            "metrics.cvr.high": 1.0,
        }
    )

    assert Plan.from_text(plan.to_yaml()) == plan
    assert Plan.from_text(plan.to_json()) == plan


def test_a_plan_is_frozen_through_and_through():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SAMPLE.name = None
    with pytest.raises(TypeError):
        SAMPLE.metrics["cvr"] = None
    with pytest.raises(TypeError):
        SAMPLE.ksfs["F1"].moves["proposal_rate"] = (0, 0, 0)
    with pytest.raises(ValueError, match="frozen"):
        SAMPLE.metrics["cvr"].value = 0.5


def test_every_problem_is_listed_at_once_each_with_its_place():
    faulty = SAMPLE.to_data()
    faulty["fiscal_year"]["starts"] = "2026-13"
    faulty["kgi"]["metric"] = "revenu"
    faulty["kgi"]["target"] = -1
    faulty["teams"]["marketing"]["skill"] = 9
    faulty["metrics"]["visitors"]["value"] = "many"
    faulty["metrics"]["cvr"]["value"] = 1.2
    faulty["metrics"]["leads"]["formula"] = "visitors * cvrr"
    faulty["metrics"]["appt_rate"]["low"] = 0.5
    faulty["metrics"]["wins"]["team"] = "fields"
    faulty["metrics"]["meetings"]["colour"] = "red"
    faulty["ksfs"]["F1"]["moves"] = {"proposals_rate": [0, 0.1, 0.2]}
    faulty["ksfs"]["F2"]["ramp"] = [5, 3]
    faulty["ksfs"]["F3"]["hours"] = {"field_sale": 3}
    faulty["ksfs"]["I4"]["depends_on"] = ["I9"]
    faulty["stages"] = ["visitors", "nothing"]
    faulty["colour"] = "red"

    with pytest.raises(KpiError) as caught:
        Plan.from_data(faulty)

    found = {(str(problem.facts["path"]), problem.code) for problem in caught.value.facts["problems"]}
    assert found == {
        ("fiscal_year.starts", "bad_pattern"),
        ("kgi.target", "too_small"),
        ("teams.marketing.skill", "too_large"),
        ("metrics.visitors.value", "not_a_number"),
        ("metrics.cvr", "rate_out_of_range"),
        ("metrics.leads.formula", "formula_unknown_name"),
        ("metrics.appt_rate", "range_order"),
        ("metrics.wins.team", "unknown_reference"),
        ("metrics.meetings.colour", "field_unknown"),
        ("ksfs.F1.moves", "unknown_reference"),
        ("ksfs.F2.ramp", "ramp_order"),
        ("ksfs.F3.hours", "unknown_reference"),
        ("ksfs.I4.depends_on", "unknown_reference"),
        ("stages.1", "unknown_reference"),
        ("colour", "field_unknown"),
    }
    assert all(str(problem) for problem in caught.value.facts["problems"])


def test_a_kgi_that_does_not_exist_is_named_with_the_nearest():
    with pytest.raises(KpiError) as caught:
        SAMPLE.replace({"kgi.metric": "revenu"})

    assert "revenue" in str(caught.value.facts["problems"][0])


@pytest.mark.parametrize("value", [True, "12", "1e5", float("nan"), float("inf"), 1e16, [], {}, None])
def test_a_number_is_a_number(value):
    with pytest.raises(KpiError) as caught:
        Plan.from_data({**SAMPLE.to_data(), "limits": {"budget": value}} if value is not None else {"schema": 1})

    assert caught.value.code == "plan_invalid"


def test_a_change_gives_a_new_plan_and_leaves_the_old_one_as_it_was():
    before = SAMPLE.to_yaml()

    changed = SAMPLE.replace({"metrics.cvr.value": 0.013, "teams.marketing.skill": 4, "limits.budget": None})

    assert changed.metrics["cvr"].value == 0.013
    assert changed.teams["marketing"].skill == 4
    assert changed.limits.budget is None
    assert SAMPLE.to_yaml() == before


def test_a_formula_typed_with_names_is_kept_by_ids_and_survives_a_rename():
    typed = SAMPLE.replace({"metrics.leads.formula": "訪問者数 × ＣＶＲ"})
    renamed = typed.replace({"metrics.cvr.name.ja": "転換率", "metrics.cvr.short": None})

    assert typed.metrics["leads"].formula == "visitors * cvr"
    assert renamed.tree.now("revenue") == pytest.approx(864e6)


def test_a_change_that_makes_a_circle_or_divides_by_zero_is_refused():
    for formula, code in (("leads * 2", "cycle"), ("visitors / (cvr - cvr)", "division_by_zero")):
        with pytest.raises(KpiError) as caught:
            SAMPLE.replace({"metrics.leads.formula": formula})
        assert caught.value.facts["problems"][0].code == code


def test_two_metrics_may_not_share_a_name():
    with pytest.raises(KpiError) as caught:
        SAMPLE.replace({"metrics.cvr.name.ja": "リード数"})

    assert {problem.code for problem in caught.value.facts["problems"]} == {"name_taken"}


def test_too_many_metrics_are_refused_with_the_limit():
    many = {f"m{at}": {"name": f"m{at}", "kind": "count", "value": 1} for at in range(2_001)}

    with pytest.raises(KpiError) as caught:
        Plan.from_data({**SAMPLE.to_data(), "metrics": {**SAMPLE.to_data()["metrics"], **many}})

    assert caught.value.facts["problems"][0].code == "too_many"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_a_plan"),
        ("- a\n- b", "not_a_plan"),
        ("just words", "not_a_plan"),
        ('{"schema": NaN}', "file_not_a_number"),
        ('{"schema": Infinity}', "file_not_a_number"),
        ("schema: 1\nschema: 1", "file_duplicate"),
        ("schema: !!python/object:os.system {}", "schema_unknown"),
        ("a: &x [1,1]\nb: [*x,*x]", "file_alias"),
        ("? [complex]\n: 1", "file_not_readable"),
        ("\t- x: [", "file_not_readable"),
        ("a:\n" + "".join(f"{'  ' * at}b:\n" for at in range(1, 60)), "file_too_deep"),
        ("schema: 99", "schema_unknown"),
        ("<!DOCTYPE html><html></html>", "not_a_plan"),
        ("- 1\n" * 410_000, "file_too_large"),
    ],
)
def test_foreign_text_is_refused_by_name(text, code):
    with pytest.raises(KpiError) as caught:
        Plan.from_text(text)

    assert caught.value.code == code
    assert str(caught.value)


def test_yaml_is_read_by_the_rules_of_1_2():
    assert plan_text.read("a: yes\nb: 1_000\nc: 2026-04-01\nd: 1e9\ne: ~\nf: 0x10\ng: true") == {
        "a": "yes",
        "b": 1000,
        "c": "2026-04-01",
        "d": 1e9,
        "e": None,
        "f": "0x10",
        "g": True,
    }


@settings(max_examples=300)
@given(some.text(max_size=300) | some.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_plan_or_a_sentence(text):
    with pytest.raises(KpiError):
        Plan.from_text(text)


def test_a_decision_of_before_reads_as_it_was_and_writes_nothing_new():
    old = {"date": "2026-11-24", "chosen": ["F1", "I1"], "kgi": 9e8, "review": "2026-12-31", "note": "yes"}

    plan = SAMPLE.replace({"decisions": [old]})

    assert plan.decisions[0].commitments == {}
    assert plan.to_data()["decisions"] == [old]


@settings(max_examples=100)
@given(text=words | awkward | stranger, amount=numbers)
def test_a_full_decision_reads_back_equal_from_yaml_and_json(text, amount):
    decision = {
        "date": "2026-11-24",
        "chosen": ["F1", "gone"],
        "kgi": amount,
        "review": "2026-12-31",
        "checks": "two_weeks",
        "override": text,
        "commitments": {
            "F1": {"why": text, "owner": text, "actions": [{"text": text, "owner": text, "due": "2026-12-01"}]},
            "gone": {"actions": [{"text": text}]},
        },
        "postponed": {
            "F2": {"when": "skill", "team": "field_sales", "amount": 4},
            "I4": {"when": "ksfs", "ksfs": ["I3", "gone"]},
            "M3": {"when": "flow", "metric": "leads", "amount": amount},
            "M4": {"when": "next_review"},
        },
    }

    plan = SAMPLE.replace({"decisions": [decision]})

    assert Plan.from_text(plan.to_yaml()) == plan
    assert Plan.from_text(plan.to_json()) == plan
    assert Plan.from_text(plan.to_yaml()).digest == plan.digest


def test_a_decision_is_checked_like_the_rest_of_the_plan():
    faulty = {
        "date": "2026-11-24",
        "chosen": ["F1"],
        "kgi": 1.0,
        "review": "2026-12-31",
        "checks": "now and then",
        "commitments": {"F1": {"actions": [{"text": "", "due": "soon"}]}},
        "postponed": {"F2": {"when": "some day"}},
    }

    with pytest.raises(KpiError) as caught:
        SAMPLE.replace({"decisions": [faulty]})

    found = {(str(problem.facts["path"]), problem.code) for problem in caught.value.facts["problems"]}
    assert found == {
        ("decisions.0.checks", "not_a_choice"),
        ("decisions.0.commitments.F1.actions.0.text", "text_missing"),
        ("decisions.0.commitments.F1.actions.0.due", "bad_pattern"),
        ("decisions.0.postponed.F2.when", "not_a_choice"),
    }
