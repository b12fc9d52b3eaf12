"""What is wrong with a plan is said in people's words: no path, no field's code name and no id of what has a name."""

import json
import re
from pathlib import Path

import pytest

from kpi_core import document, plan_check
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests.visits import visit
from tests.whole_plan import BREAKS, WHOLE, problems, steps_of, with_put
from workbench import plan_problems, words

CASES = Path(__file__).parents[1] / "cases"
METRICS = {name: f"xid_{name}" for name in WHOLE["metrics"]}
# The whole plan with ids that are nobody's words.
STRANGE = json.loads(
    re.sub(
        "|".join(f'"{name}"(?!: *"(ja|en))' for name in METRICS),
        lambda found: f'"xid_{found[0][1:-1]}"',
        json.dumps(WHOLE),
    )
)
STRANGE["metrics"] = {METRICS[name]: entry for name, entry in WHOLE["metrics"].items()}
STRANGE["cash"], STRANGE["kgi"] = WHOLE["cash"], {**WHOLE["kgi"], "metric": "xid_rev"}
PARTS = [part for part in vars(document).values() if isinstance(part, type) and issubclass(part, document.Part)]
CODE_NAMES = {name for part in PARTS for name in part.model_fields if "_" in name}
PATHS = re.compile(r"\b(metrics|ksfs|teams|kgi|limits|assumptions|opening|decisions|stages|drivers|cash|fiscal_year)\.")
REST = [{"x": 1, "y": 2}, [1, 2, 3], "x"]


def broken_plans():
    for section in STRANGE:
        for path in steps_of(STRANGE[section], (section,)):
            for value in [*BREAKS, *REST]:
                try:
                    Plan.from_data(with_put(STRANGE, path, value))
                except KpiError as error:
                    yield path, value, error


@pytest.fixture(scope="module")
def errors():
    return list(broken_plans())


def test_the_plan_with_strange_ids_is_one():
    assert Plan.from_data(STRANGE).tree.now("xid_rev") == pytest.approx(1_000_000)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_path_no_code_name_and_no_id_of_what_has_a_name_is_on_the_screen(errors, language):
    codes = set()
    with words.speaking(language):
        for path, value, error in errors:
            said = plan_problems.sentences(error)
            assert said
            for problem, sentence in zip(problems(error), said, strict=False):
                codes.add(problem.code)
                assert not PATHS.search(sentence), (path, value, sentence)
                assert not any(name in sentence for name in CODE_NAMES), (path, value, sentence)
                assert "None" not in sentence.split()
                if problem.code not in ("unknown_reference", "bad_id", "not_a_plan", "schema_unknown"):
                    named = [name.split(".")[1] for name in error.facts.get("names", ())]
                    assert not any(name in sentence for name in named if name.startswith("xid")), (path, sentence)

    assert len(codes) > 20


def test_every_problem_the_core_knows_of_a_part_has_a_place_in_its_sentence():
    said = [*plan_check._SAYS.values(), *plan_check._FAMILIES.values(), plan_check._FALLBACK, plan_check._WRITE_PLAINLY]

    assert all("{path}" in error.message for error in said)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("ja", "「率」の「今の値」: 「2%」は数値ではありません。0.02 と書いてください。"),
        ("en", "“率”, Value today: “2%” is not a number. Write 0.02 instead."),
    ],
)
def test_a_rate_typed_with_a_percent_sign_is_told_by_its_name(language, sentence):
    with pytest.raises(KpiError) as caught:
        Plan.from_text((CASES / "pct.yaml").read_text("utf-8"))

    with words.speaking(language):
        assert plan_problems.sentences(caught.value) == [sentence]


def said_of(path, value, language="en"):
    with pytest.raises(KpiError) as caught:
        Plan.from_data(with_put(WHOLE, path, value))
    with words.speaking(language):
        return plan_problems.sentences(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("ksfs", "K1", "moves", "visits"), [3, 2, 1], "KSF “K1 広告”, Lift of 訪問: write low, most likely, high"),
        (("teams", "b", "skill"), 9, "Team “Ads”, Skill: 9 is too large."),
        (("metrics", "wins", "formula"), "訪問 ×", "“受注”, Formula: The formula stops here"),
        (("metrics", "wins", "formula"), "訪問 × 率 + 売上", "This goes round in a circle: 受注 → 売上 → 受注"),
        (
            ("metrics", "price", "value"),
            1,
            "“単価(税抜)”: the value must lie between low and high. It says 4,000, 1, –.",
        ),
        (("metrics", "price", "colour"), "red", "“単価(税抜)”: “colour” is not a field of a plan."),
        (("drivers", 0, "elasticity"), "x", "“Influences outside the formulas”: “x” is not a number."),
        (("decisions", 0, "review"), "soon", "Agreement 1 in the log, First looked at again: “soon” is not written"),
        (
            ("limits", "lock"),
            ["K4"],
            "“KSFs that must be in”: nothing is called K4. Did you mean: K3 (展示会), K2 (育成), K1 (広告)?",
        ),
        (("colour",), "red", "“colour” is not a field of a plan."),
    ],
)
def test_a_problem_is_placed_where_people_know_it(path, value, sentence):
    (said,) = said_of(path, value)

    assert said.startswith(sentence)


def test_names_are_looked_up_in_what_was_read_where_the_error_has_none():
    problem = KpiError(
        "no_value", "{metric} has neither a value nor a formula.", metric="rate", path="metrics.rate.value"
    )

    with words.speaking("ja"):
        (said,) = plan_problems.sentences(problem, {"metrics": {"rate": {"name": "率", "value": "2%"}, "x": 5}})

    assert said.startswith("率")


def test_twelve_problems_are_said_and_how_many_more_there_are():
    data = {**WHOLE, "limits": {"lock": [f"X{at}" for at in range(20)]}}
    stopped = {**WHOLE, "limits": {"lock": [f"X{at}" for at in range(400)]}}
    said = []
    for faulty in (data, stopped):
        with pytest.raises(KpiError) as caught, words.speaking("en"):
            Plan.from_data(faulty)
        with words.speaking("en"):
            said.append(plan_problems.sentences(caught.value))

    assert [len(lines) for lines in said] == [13, 13]
    assert [lines[-1] for lines in said] == ["… and 8 more.", "… and at least 38 more."]


@pytest.mark.parametrize(("language", "name"), [("ja", "「率」の「今の値」"), ("en", "“率”, Value today")])
def test_a_broken_file_is_told_on_the_page_by_the_names_in_the_file(language, name):
    app = visit(page="share", language=language)
    before = app.session_state["visit"]["session_desk"].plan

    app.file_uploader(key="open_as_new").set_value(
        ("pct.yaml", (CASES / "pct.yaml").read_bytes(), "application/yaml")
    ).run()

    (told,) = [one.value.replace("\\", "") for one in app.error]
    assert told.count("\n- ") == 1
    assert name in told
    assert "metrics" not in told
    assert app.session_state["visit"]["session_desk"].plan == before
