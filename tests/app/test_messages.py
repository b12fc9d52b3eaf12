"""No id of the plan in what people read: every message of the core, by what its blanks hold."""

import ast
import re
from pathlib import Path

import pytest

from kpi_core.errors import KpiError
from kpi_core.focus import FocusLimits, choose
from kpi_core.plan import Plan
from tests.visits import said, visit
from workbench import refusals, samples, words

CORE = Path(__file__).parents[2] / "kpi_core"
# A plan whose ids are nobody's words.
PLAN = Plan.from_data(
    {
        "schema": 1,
        "name": "計画",
        "fiscal_year": {"starts": "2026-04"},
        "kgi": {"metric": "xid_kgi", "target": 200},
        "teams": {"xid_team": {"name": {"ja": "営業部", "en": "Sales"}, "hours": 10}},
        "metrics": {
            "xid_a": {"name": {"ja": "訪問者数", "en": "Visitors"}, "kind": "count", "value": 10},
            "xid_b": {"name": {"ja": "単価", "en": "Price"}, "kind": "money", "unit": "円", "value": 10},
            "xid_kgi": {"name": {"ja": "売上", "en": "Revenue"}, "kind": "kgi", "formula": "xid_a * xid_b"},
        },
        "ksfs": {
            "xid_k": {"name": {"ja": "広告", "en": "Ads"}, "team": "xid_team", "moves": {"xid_a": [0.1] * 3}},
            "xid_l": {"name": {"ja": "値上げ", "en": "Raise"}, "team": "xid_team", "moves": {"xid_b": [0.1] * 3}},
        },
    }
)
IDS = {
    "metric": "xid_a",
    "lever": "xid_a",
    "other": "xid_b",
    "first": "xid_a",
    "second": "xid_b",
    "ksf": "xid_k",
    "team": "xid_team",
    "resource": "hours.xid_team",
    "users": ("xid_kgi",),
    "metrics": ("xid_a", "xid_b", "xid_a"),
    "links": (("xid_a", "xid_b"),),
}
# What the ids stand in as they are where nobody puts names there, made of the ids by the core itself.
MADE_OF = {"loop": "metrics", "pairs": "links"}
# Numbers, what a person typed, and what is looked for by its own path (said by `place` of `refusals.reasons`).
NO_IDS = {"age", "by_month", "count", "dimensions", "fewest", "most", "found", "function", "ge", "gt", "has", "high"}
NO_IDS |= {"key", "le", "length", "limit", "line", "low", "max_length", "month", "name", "nearest", "number", "part"}
NO_IDS |= {
    "path",
    "percent",
    "plain",
    "schema",
    "sign",
    "tag",
    "text",
    "successes",
    "trials",
    "used",
    "value",
    "whole",
    "expected",
}


def messages() -> list[tuple[str, str]]:
    """Return code and message of every error that the core can raise."""
    calls = (node for file in CORE.rglob("*.py") for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    found = [
        (call.args[0].value, call.args[1].value)
        for call in calls
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "KpiError"
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[1], ast.Constant)
    ]
    return sorted(set(found))


def blanks(message: str) -> set[str]:
    return set(re.findall(r"{(\w+)", message))


def test_every_blank_of_every_message_is_known_to_hold_an_id_or_none():
    known = IDS.keys() | MADE_OF.keys() | NO_IDS

    assert len(messages()) > 80
    assert {blank for _code, message in messages() for blank in blanks(message)} <= known


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_message_of_the_core_shows_an_id(language):
    with words.speaking(language):
        names = {words.name(thing) for part in (PLAN.metrics, PLAN.ksfs, PLAN.teams) for thing in part.values()}
        for code, message in messages():
            holding = blanks(message) & (IDS.keys() | MADE_OF.keys())
            facts = dict.fromkeys(blanks(message), "7") | IDS | dict.fromkeys(MADE_OF, "xid")

            told = words.error(refusals.named(KpiError(code, message, **facts), PLAN))

            assert "xid" not in told.replace("xid_k 広告", "広告").replace("xid_k Ads", "Ads"), (code, told)
            assert not holding or any(name in told for name in names), (code, told)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    ("changes", "ja", "en"),
    [
        ({"assumptions.near_tie": 0.5}, "ほぼ同等", "Nearly equal"),
        ({"limits.lock": ["xid_gone"]}, "制約", "Limits"),
        ({"metrics.cvr.value": 7}, "WEBサイトのコンバージョン率", "Website conversion rate"),
        ({"ksfs.F1.skill": 9}, "提案書の質の向上", "Better proposals"),
        ({"kgi.target": "many"}, "目標", "Goal"),
    ],
)
def test_what_is_refused_without_a_field_is_placed_by_the_words_of_the_pages(language, changes, ja, en):
    app = visit(page="home", language=language)
    desk = app.session_state["visit"]["session_desk"]
    with pytest.raises(KpiError) as caught:
        desk.change(changes)
    app.session_state["visit"]["session_refused"] = {"": caught.value}

    app.run()

    (told,) = [one.value.replace("\\", "") for one in app.error]
    assert {"ja": ja, "en": en}[language] in told
    assert not any(path in told for path in changes)


def test_two_ksfs_that_exclude_each_other_are_called_by_their_names():
    plan = PLAN.replace({"ksfs.xid_k.excludes": ["xid_l"]})

    with pytest.raises(KpiError) as caught:
        choose(plan, FocusLimits(), lock=["xid_k", "xid_l"])

    with words.speaking("en"):
        told = words.error(refusals.named(caught.value, plan))
    assert told == "xid_k Ads and xid_l Raise must be in and exclude each other. Let one of them go."


def test_hours_that_are_missing_are_missing_to_a_team_people_know():
    with pytest.raises(KpiError) as caught:
        plan = PLAN.replace({"ksfs.xid_k.hours.xid_team": 60})
        choose(plan, FocusLimits(hours={"xid_team": 10}), lock=["xid_k"])

    with words.speaking("ja"):
        told = words.error(refusals.named(caught.value, PLAN))
    assert "営業部" in told
    assert "xid" not in told


@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_is_refused_on_a_page_names_its_ksf(language):
    app = visit(page="focus", language=language)

    with words.speaking(language):  # a choice is sent as it is spelt
        app.text_input(key="agreed_F1_0_due").set_value("soon").run()

    name = {"ja": "提案書の質の向上", "en": "Better proposals"}[language]
    assert f"F1 {name}" in said(app)
    assert samples.sample_plan().ksfs["F1"].name.en == "Better proposals"
    line = next(line for line in said(app).split("\n") if "“soon”" in line or "「soon」" in line)
    assert f"F1 {name}" in line
