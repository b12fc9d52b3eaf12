"""What a plan and its text may be, each limit tried at its edge: the last that is taken, the first that is not."""

import pytest
from pydantic_core import PydanticCustomError

from kpi_core import document, plan_check, plan_text
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import samples

SAMPLE = samples.sample_plan()


def refused(changes) -> dict[str, str]:
    """Return the code of each problem of a change, by the path of its field."""
    with pytest.raises(KpiError) as caught:
        SAMPLE.replace(changes)
    return {str(problem.facts["path"]): problem.code for problem in caught.value.facts["problems"]}


TEXTS = {
    "name": lambda text: {"name": {"ja": text}},
    "metrics.visitors.name.en": lambda text: {"metrics.visitors.name": {"ja": "訪問者数", "en": text}},
    "metrics.visitors.unit": lambda text: {"metrics.visitors.unit": text},
    "metrics.visitors.short.0": lambda text: {"metrics.visitors.short": [text]},
    "metrics.visitors.definition": lambda text: {"metrics.visitors.definition": text},
    "ksfs.M1.source": lambda text: {"ksfs.M1.source": text},
    "decisions.0.commitments.M1.actions.0.text": lambda text: {
        "decisions": [
            {
                "date": "2026-11-24",
                "chosen": ["M1"],
                "kgi": 1.0,
                "review": "2026-12-31",
                "commitments": {"M1": {"actions": [{"text": text}]}},
            }
        ]
    },
}


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("letter", [0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0x00, 0x08, 0x0B, 0x0D, 0x1F])
def test_text_that_no_screen_and_no_file_can_show_is_refused_in_every_field(field, letter):
    assert list(refused(TEXTS[field](f"a{chr(letter)}b")).values()) == ["text_unreadable"]


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("letter", ["\ud7ff", "\ue000", "\U0001f3af", " ", "\t", "\n"])
def test_the_letters_beside_those_are_taken_and_can_be_written_to_a_file(field, letter):
    plan = SAMPLE.replace(TEXTS[field](f"a{letter}b"))

    assert Plan.from_text(plan.to_json().encode().decode()) == plan


def test_the_core_refuses_half_a_surrogate_pair_where_pydantic_does_not_do_so_first():
    for letter in ("\ud800", "\udbff", "\udc00", "\udfff"):
        with pytest.raises(PydanticCustomError):
            document._readable(f"a{letter}b")
    assert document._readable("a\ud7ff\ue000\U0001f3afb") == "a\ud7ff\ue000\U0001f3afb"


@pytest.mark.parametrize("text", [SAMPLE.to_json(), SAMPLE.to_yaml() + "# "], ids=["json", "yaml"])
def test_a_text_of_as_many_characters_as_are_allowed_is_read_and_no_longer_one(text):
    assert plan_text.MAX_CHARACTERS == 5_000_000
    longest = text + " " * (plan_text.MAX_CHARACTERS - len(text))

    assert Plan.from_text(longest) == SAMPLE
    with pytest.raises(KpiError) as caught:
        Plan.from_text(longest + " ")
    assert caught.value.code == "file_too_large"


def test_a_yaml_nested_as_deep_as_is_allowed_is_read_and_no_deeper_one():
    deepest = "[" * plan_text.MAX_DEPTH + "]" * plan_text.MAX_DEPTH

    assert plan_text.read(deepest) is not None
    with pytest.raises(KpiError) as caught:
        plan_text.read(f"[{deepest}]")
    assert (caught.value.code, caught.value.facts) == ("file_too_deep", {"limit": plan_text.MAX_DEPTH})


@pytest.mark.parametrize("text", [SAMPLE.to_json(), SAMPLE.to_yaml()], ids=["json", "yaml"])
def test_a_mark_of_the_byte_order_before_a_text_is_no_part_of_it(text):
    assert Plan.from_text(f"\ufeff{text}") == SAMPLE


@pytest.mark.parametrize(
    ("text", "line"),
    [("schema: 1\nname: a\n\t- x: [", 3), ('{"a": 1,\n"b": 2,\n\n"c" 3}', 4), ("a: [1\n", 2), ("a: 'b\n\n", 3)],
)
def test_the_line_is_named_that_cannot_be_read(text, line):
    with pytest.raises(KpiError) as caught:
        plan_text.read(text)

    assert (caught.value.code, caught.value.facts) == ("file_not_readable", {"line": line})


def letters(count: int) -> dict[str, str]:
    return {"ja": "長" * count}


RATE, COUNT, COMPUTED, KSF = "metrics.cvr", "metrics.visitors", "metrics.leads", "ksfs.M1"
MONTHS = [0.5, 0.25, 0.25]
EDGES = [  # the last that is taken, the first that is not, and why
    ({f"{COUNT}.name": letters(200)}, {f"{COUNT}.name": letters(201)}, "name_too_long"),
    ({f"{COUNT}.name": {"en": "n" * 200}}, {f"{COUNT}.name": {"ja": "長", "en": "n" * 201}}, "name_too_long"),
    ({"name": {"ja": "長", "en": "  "}}, {"name": {"ja": "", "en": " \u3000\n"}}, "text_empty"),
    ({"name": {"ja": " ", "en": "n"}}, {"name": {}}, "text_empty"),
    ({f"{COUNT}.unit": "人" * 20}, {f"{COUNT}.unit": "人" * 21}, "text_too_long"),
    ({f"{COUNT}.definition": "長" * 4_000}, {f"{COUNT}.definition": "長" * 4_001}, "text_too_long"),
    ({f"{COUNT}.short": ["長" * 200]}, {f"{COUNT}.short": ["長" * 201]}, "text_too_long"),
    ({f"{COUNT}.short": ["長"]}, {f"{COUNT}.short": [""]}, "text_missing"),
    ({f"{RATE}.value": 0.0, f"{RATE}.low": 0.0}, {f"{RATE}.value": -1e-9, f"{RATE}.low": -1e-9}, "rate_out_of_range"),
    ({f"{RATE}.high": 1.0}, {f"{RATE}.high": 1 + 1e-9}, "rate_out_of_range"),
    (
        {f"{COUNT}.low": 1.0, f"{COUNT}.value": 1.0, f"{COUNT}.high": 1.0},
        {f"{COUNT}.low": 2.0, f"{COUNT}.value": 1.0},
        "range_order",
    ),
    ({f"{COUNT}.high": None, f"{COUNT}.low": 1.0}, {f"{COUNT}.value": 5.0, f"{COUNT}.high": 4.0}, "range_order"),
    ({f"{COMPUTED}.lag": MONTHS}, {f"{COMPUTED}.lag": [0.5, 0.25, 0.251]}, "lag_sum"),
    ({f"{COMPUTED}.lag": [1 / 36] * 36}, {f"{COMPUTED}.lag": [1 / 37] * 37}, "too_long"),
    ({f"{COMPUTED}.lag": []}, {f"{COUNT}.lag": [1.0]}, "lag_on_input"),
    ({f"{COMPUTED}.by_month": "visitors * cvr"}, {f"{COUNT}.by_month": "visitors * 1"}, "lag_on_input"),
    ({f"{COUNT}.season": [0.0] * 11 + [1.0]}, {f"{COUNT}.season": [0.0] * 12}, "season_shape"),
    ({f"{COUNT}.season": [1.0] * 12}, {f"{COUNT}.season": [1.0] * 13}, "season_shape"),
    ({f"{COUNT}.season": []}, {f"{COMPUTED}.season": [1.0] * 12}, "season_on_formula"),
    ({f"{RATE}.tried": [5.0, 5.0]}, {f"{RATE}.tried": [6.0, 5.0]}, "tried_order"),
    ({f"{RATE}.tried": [0.0, 1.0]}, {f"{RATE}.tried": [0.0, 0.0]}, "tried_order"),
    ({f"{COUNT}.history": [1.0] * 60}, {f"{COUNT}.history": [1.0] * 61}, "too_long"),
    ({f"{COUNT}.controllability": 5}, {f"{COUNT}.controllability": 6}, "too_large"),
    ({f"{COUNT}.controllability": 1}, {f"{COUNT}.controllability": 0}, "too_small"),
    ({f"{COUNT}.value": 1e15, f"{COUNT}.high": None}, {f"{COUNT}.value": 1.1e15, f"{COUNT}.high": None}, "too_large"),
    ({f"{COMPUTED}.formula": "visitors*cvr" + " " * 1_988}, {f"{COMPUTED}.formula": "v" * 2_001}, "text_too_long"),
    ({f"{KSF}.moves": {"visitors": [0.1, 0.1, 0.1]}}, {f"{KSF}.moves": {"visitors": [0.2, 0.1, 0.1]}}, "lift_order"),
    ({f"{KSF}.moves": {"visitors": [0.1, 0.2, 0.2]}}, {f"{KSF}.moves": {"visitors": [0.1, 0.3, 0.2]}}, "lift_order"),
    ({f"{KSF}.moves": {"visitors": [-0.999, 0, 0]}}, {f"{KSF}.moves": {"visitors": [-1.0, 0, 0]}}, "lift_order"),
    ({f"{KSF}.ramp": [1.0, 1.001]}, {f"{KSF}.ramp": [1.0, 1.0]}, "ramp_order"),
    ({"kgi.target": 1e-9}, {"kgi.target": 0.0}, "too_small"),
    ({"kgi.confidence": 1.0}, {"kgi.confidence": 1.001}, "too_large"),
    ({"fiscal_year.starts": "2026-12"}, {"fiscal_year.starts": "2026-13"}, "bad_pattern"),
    ({"currency": "EUR"}, {"currency": "EURO"}, "bad_pattern"),
]


@pytest.mark.parametrize(("taken", "over", "code"), EDGES)
def test_a_field_takes_what_it_may_at_most_and_nothing_beyond(taken, over, code):
    plan = SAMPLE.replace(taken)

    assert Plan.from_text(plan.to_yaml()) == plan
    assert code in refused(over).values()


def test_a_metric_has_a_value_or_a_formula():
    assert set(refused({f"{COUNT}.value": None, f"{COUNT}.low": None, f"{COUNT}.high": None}).values()) == {"no_value"}
    for field in ("value", "low", "high"):
        assert set(refused({f"{COMPUTED}.{field}": 1.0}).values()) == {"value_and_formula"}


@pytest.mark.parametrize("section", ["metrics", "ksfs", "teams"])
def test_a_plan_has_as_many_entries_as_it_may_and_no_more(section, monkeypatch):
    """Counted before any is looked at; the limits themselves are 2,000, 500 and 50."""
    assert {"teams": 50, "metrics": 2_000, "ksfs": 500}.items() <= plan_check.MAX_ENTRIES.items()
    count = len(getattr(SAMPLE, section))

    monkeypatch.setitem(plan_check.MAX_ENTRIES, section, count)
    assert Plan.from_text(SAMPLE.to_yaml()) == SAMPLE
    monkeypatch.setitem(plan_check.MAX_ENTRIES, section, count - 1)
    with pytest.raises(KpiError) as caught:
        Plan.from_text(SAMPLE.to_yaml())
    assert ("too_many", section) in [(one.code, str(one.facts["path"])) for one in caught.value.facts["problems"]]


def test_nothing_of_a_plan_can_be_changed_in_place():
    for mapping in (SAMPLE.metrics, SAMPLE.ksfs, SAMPLE.teams, SAMPLE.ksfs["M1"].moves, SAMPLE.ksfs["M1"].hours):
        with pytest.raises(TypeError):
            mapping["visitors"] = None
    with pytest.raises(TypeError):
        SAMPLE.metrics["visitors"].work["marketing"] = 1.0
