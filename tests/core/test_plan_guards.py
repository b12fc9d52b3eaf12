"""What a plan and its text may be, each limit tried at its edge: the last that is taken, the first that is not."""

import pytest
from pydantic_core import PydanticCustomError

from kpi_core import document, plan_text
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
