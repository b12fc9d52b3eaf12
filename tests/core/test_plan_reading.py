"""Reading what is no plan, or nearly one: always a plan or a `KpiError`, in bounded work, with one reason a fault."""

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from pydantic import ValidationError

from kpi_core import formula, plan_bounds, plan_check, plan_text
from kpi_core.document import Ksf, Metric, Team
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.whole_plan import BREAKS, WHOLE, problems, steps_of, with_put
from workbench import samples

SAMPLE = samples.sample_plan()
CASES = Path(__file__).parents[1] / "cases"
REQUIRED = {
    item.name for item in dataclasses.fields(Plan) if item.default is item.default_factory is dataclasses.MISSING
}
ENTRIES = {"teams": Team, "metrics": Metric, "ksfs": Ksf}


def refused(read, *arguments):
    with pytest.raises(KpiError) as caught:
        read(*arguments)
    assert str(caught.value)
    return caught.value


def reads_back(plan):
    assert Plan.from_text(plan.to_yaml()) == plan
    assert Plan.from_text(plan.to_json()) == plan
    return True


def plan_or_error(read, *arguments):
    """Return the plan, read back equal, or the error that says why there is none."""
    try:
        plan = read(*arguments)
    except KpiError as error:
        for problem in (error, *problems(error)):
            assert str(problem).encode()  # no half surrogate pair: no screen could show the sentence
        assert len(problems(error)) <= plan_bounds.MAX_PROBLEMS
        return error
    reads_back(plan)
    return plan


@pytest.mark.parametrize(
    "value", ["!!int abc", "!!int 1.5", '!!int ""', "!!float abc", "!!float nan", "!!bool perhaps"]
)
def test_a_value_that_is_not_what_its_tag_announces_is_refused_with_its_line(value):
    error = refused(Plan.from_text, f"schema: 1\na: {value}")

    assert (error.code, error.facts["line"]) == ("file_wrong_tag", 2)


def test_a_json_number_of_thousands_of_digits_is_too_large_not_a_crash():
    text = json.dumps(SAMPLE.to_data()).replace("400000", "4" * 5_000, 1)

    assert [problem.code for problem in problems(refused(Plan.from_text, text))] == ["not_a_number"]


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\x00b", "a\nb", "\ud800", "リード数", "1a", "a.b", "a" * 65])
@pytest.mark.parametrize("section", ENTRIES)
def test_an_id_that_is_none_is_one_problem_wherever_it_stands(section, name):
    data = SAMPLE.to_data()
    entry = next(iter(data[section].values()))
    faulty = {**data, section: {**data[section], name: {**entry, "name": "別のもの"}}}

    assert [problem.code for problem in problems(refused(Plan.from_data, faulty))] == ["bad_id"]


@pytest.mark.parametrize("text", ["name: \ud800", '{"name": "\ud800"}'])
def test_half_a_surrogate_pair_is_no_text(text):
    assert refused(Plan.from_text, text).code == "file_not_text"


def test_half_a_surrogate_pair_written_as_an_escape_is_refused_where_it_stands():
    text = json.dumps({**SAMPLE.to_data(), "name": "\ud800", "\udfff": 1})

    found = {str(problem.facts["path"]) for problem in problems(refused(Plan.from_text, text))}

    assert found == {"name.ja", "\ufffd"}


def test_json_is_no_deeper_than_yaml_may_be():
    assert refused(plan_text.read, '{"a":' + "[" * 20 + "]" * 20 + "}").code == "file_too_deep"
    assert plan_text.read('{"a":' + "[" * 19 + "]" * 19 + ', "b": "' + "[" * 99 + '"}')["b"] == "[" * 99


def test_an_empty_value_in_yaml_is_nothing():
    assert plan_text.read("a:\nb: ''") == {"a": None, "b": ""}


scalars = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(max_size=20)
    | some.sampled_from(["2%", "1,200", "", " ", "\x00", "visitors * cvr", "revenue", "marketing", "F1", "2026-04"])
    | some.sampled_from([10**400, -(10**400), float("nan"), 1e15, -1e15, 5e-324, 1e308, "\ud800", "x" * 5_000])
)
keys = some.sampled_from(["name", "ja", "value", "formula", "metrics", "kgi", "cvr", "", "\x00"]) | some.text(
    max_size=8
)
data = some.recursive(
    scalars, lambda inner: some.lists(inner, max_size=4) | some.dictionaries(keys, inner, max_size=4), max_leaves=12
)


PATHS = [path for path in steps_of(SAMPLE.to_data()) if path]


@settings(max_examples=300)
@given(path=some.sampled_from(PATHS), value=data, second=some.sampled_from(PATHS), other=data)
def test_a_mutated_plan_is_a_plan_that_reads_back_equal_or_a_sentence(path, value, second, other):
    mutated = with_put(SAMPLE.to_data(), path, value)
    if second in set(steps_of(mutated)):
        mutated = with_put(mutated, second, other)

    result = plan_or_error(Plan.from_data, mutated)

    text = json.dumps(mutated)  # NaN and half surrogate pairs as they can stand in a file
    again = plan_or_error(Plan.from_text, text)
    assert isinstance(again, Plan) <= isinstance(result, Plan)


tags = some.sampled_from(
    ["", "!!int ", "!!float ", "!!bool ", "!!null ", "!!str ", "!!map ", "!!seq ", "!x ", "! ", "!!binary "]
)
plain = some.sampled_from(
    ["abc", "1.5", '""', "1", "~", "1e999", ".", "-", "+_1", "1__0", "0x1", "１２", "²", "true", "[", "]", "{", "}"]
) | some.text(max_size=12)
lines = some.tuples(
    some.integers(0, 3), keys | some.sampled_from(["schema", "teams"]), tags, plain | data.map(json.dumps)
)


@settings(max_examples=300)
@given(some.lists(lines, max_size=12))
@example([(0, "schema", "!!int ", "abc")])
@example([(0, "schema", "!!float ", '""')])
def test_any_yaml_is_a_plan_or_a_sentence(parts):
    text = "\n".join(f"{'  ' * depth}{json.dumps(key)}: {tag}{said}" for depth, key, tag, said in parts)

    assert isinstance(plan_or_error(Plan.from_text, text), KpiError)


@settings(max_examples=300)
@given(at=some.integers(0, 20_000), length=some.integers(0, 40), put=some.text(max_size=20) | tags | plain)
def test_a_plan_file_with_a_stretch_overwritten_is_a_plan_or_a_sentence(at, length, put):
    text = SAMPLE.to_yaml()
    start = at % len(text)

    plan_or_error(Plan.from_text, text[:start] + put + text[start + length :])


@settings(max_examples=300)
@given(data | some.text(max_size=40).map(lambda text: text.encode("utf-16")), some.booleans())
def test_any_json_is_a_plan_or_a_sentence(value, is_plan):
    value = value.decode("latin-1") if isinstance(value, bytes) else value

    plan_or_error(Plan.from_text, json.dumps({**SAMPLE.to_data(), "name": value} if is_plan else {"schema": value}))


@settings(max_examples=300)
@given(path=some.sampled_from(PATHS), more=some.lists(keys, max_size=2), value=data | some.binary() | some.just({1, 2}))
@example(path=("metrics", "cvr", "value"), more=["x"], value=1)
@example(path=("name",), more=["ja", "x"], value=1)
@example(path=("metrics",), more=[], value=5)
def test_a_change_at_any_path_is_a_plan_or_a_sentence(path, more, value):
    plan_or_error(SAMPLE.replace, {".".join(map(str, [*path, *more])): value})


def test_two_changes_of_which_the_first_is_no_list_of_entries_are_refused():
    assert refused(SAMPLE.replace, {"metrics": 5, "metrics.cvr.value": 0.5}).code == "plan_invalid"


def part(path):
    """Return which part of a plan a path is in: one team, metric or KSF, else a section."""
    return tuple(path[:2]) if path[0] in ENTRIES else tuple(path[:1])


def is_fine_alone(whole, path):
    """Return whether the part would be accepted by itself, so that only others can complain about it."""
    section, *rest = path
    try:
        if section in ENTRIES and rest and rest[0] in whole[section]:
            ENTRIES[section].model_validate(whole[section][rest[0]])
        elif section in ENTRIES:
            return isinstance(whole.get(section), dict) or (section not in whole and section not in REQUIRED)
        else:
            return False
    except ValidationError:
        return False
    return True


def test_the_whole_plan_is_one():
    assert reads_back(Plan.from_data(WHOLE))


@pytest.mark.parametrize("section", [key for key in WHOLE if key != "schema"])
def test_whatever_one_field_is_broken_by_only_its_own_part_is_named(section):
    """Nothing that names the broken part is refused as if it named nothing: that would be a second, false reason."""
    broken = 0
    for path in steps_of(WHOLE[section], (section,)):
        for value in BREAKS:
            faulty = with_put(WHOLE, path, value)
            if is_fine_alone(faulty, path):
                continue
            try:
                Plan.from_data(faulty)
            except KpiError as error:
                broken += 1
                places = {part(str(problem.facts["path"]).split(".")) for problem in problems(error)}
                assert places == {part(path)}, (path, value, [str(problem) for problem in problems(error)])

    assert broken > 10


def test_a_rate_typed_with_a_percent_sign_has_one_reason_that_says_what_to_write():
    text = (CASES / "pct.yaml").read_text("utf-8")

    (problem,) = problems(error := refused(Plan.from_text, text))

    assert (problem.code, problem.facts["path"]) == ("not_a_number", "metrics.rate.value")
    assert problem.facts["plain"] == "0.02"
    assert error.facts["names"] == {"metrics.rate": {"ja": "率"}}
    assert Plan.from_text(text.replace("2%", problem.facts["plain"])).tree.now("rev") == pytest.approx(1_000_000)


@pytest.mark.parametrize(("typed", "plain"), [("2.5 %", "0.025"), ("１２", None), ("1,200", "1200"), ("-3％", "-0.03")])
def test_a_number_as_people_write_it_is_told_as_the_file_wants_it(typed, plain):
    error = refused(SAMPLE.replace, {"kgi.target": typed})

    assert problems(error)[0].facts.get("plain") == plain


def with_metrics(count, **entry):
    more = {f"m{at}": {"name": f"測定{at}", "kind": "count", **entry} for at in range(count)}
    return {**SAMPLE.to_data(), "metrics": {**SAMPLE.to_data()["metrics"], **more}}


def test_reading_stops_at_fifty_problems_and_looks_for_meant_names_ten_times(monkeypatch):
    looked = []

    def count(name, known):
        looked.append(name)
        return []

    monkeypatch.setattr(formula, "nearest_names", count)
    monkeypatch.setattr(plan_check, "nearest_names", count)
    error = refused(Plan.from_data, with_metrics(1_900, formula="測定らしきもの", team="marketin"))

    assert len(problems(error)) == 50
    assert error.facts["stopped"] is True
    assert len(looked) == 10


def test_a_plan_of_two_thousand_metrics_opens():
    count = 2_000 - len(SAMPLE.metrics)
    plan = Plan.from_data(with_metrics(count, formula="訪問者数 × ＣＶＲ"))

    assert len(plan.metrics) == 2_000
    assert reads_back(plan)


def test_formulas_may_have_two_hundred_thousand_characters_together():
    assert plan_bounds.MAX_FORMULA_CHARACTERS == 200_000
    error = refused(Plan.from_data, with_metrics(120, formula="+".join(["visitors"] * 200)))

    assert [problem.code for problem in problems(error)] == ["formulas_too_long"]


def test_a_formula_that_is_too_long_once_it_is_spelt_in_ids_is_told_where():
    metrics = {"w" * 64: {"name": "w", "kind": "count", "value": 1}, "long": {"name": "長い", "kind": "count"}}
    metrics["long"]["formula"] = "+".join("w" * 40)
    error = refused(Plan.from_data, {**SAMPLE.to_data(), "metrics": {**SAMPLE.to_data()["metrics"], **metrics}})

    assert [(problem.code, problem.facts["path"]) for problem in problems(error)] == [
        ("formula_too_long", "metrics.long.formula")
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metrics.cvr.short", [""] * 100_000),
        ("metrics.cvr.history", [1] * 100_000),
        ("metrics.cvr", {f"x{at}": 1 for at in range(100_000)}),
        ("limits.lock", ["F1"] * 100_000),
        ("opening.stock", {f"x{at}": [1] for at in range(100_000)}),
        ("ksfs.F1.moves", {f"x{at}": [0, 0, 0] for at in range(100_000)}),
        ("stages", ["cvr"] * 100_000),
        ("drivers", [{}] * 100_000),
        ("decisions", [{}] * 100_000),
        ("assumptions", {"synergies": [{}] * 100_000}),
        ("ksfs", {f"K{at}": {} for at in range(100_000)}),
    ],
)
def test_a_list_without_end_is_one_problem(path, value):
    error = refused(SAMPLE.replace, {path: value})

    assert [problem.code for problem in problems(error)] == ["too_many"]
    assert str(problems(error)[0].facts["path"]).startswith(path)
