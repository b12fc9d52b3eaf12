"""What changed, in words: every field of the document in both languages, nothing twice, nothing left out."""

import json
import typing
from types import NoneType, UnionType

import pytest
from pydantic import BaseModel

from kpi_core.document import Action, ComeBack, Commitment, Deal, Decision, Ksf, Limits, Metric, Team, Text
from kpi_core.plan import _ENTRIES, _ITEMS, _PARTS, Plan
from kpi_core.plan_removal import of_ksf, of_metric
from tests.app.test_merging import KSF, METRIC, PLANS, RICH, SAMPLE
from workbench import words
from workbench.changes import changes, headline, said

BASE = RICH.replace(
    {
        "metrics.visitors.tried": [1.0, 2.0],
        "metrics.visitors.history": [5.0, 6.0],
        "metrics.cvr.shape": "beta",
        "metrics.cvr.tried": [3.0, 300.0],
        "metrics.leads.stock": True,
        "ksfs.F1.excludes": ["M4"],
        "teams.marketing.quarters": [140.0, 140.0, 140.0, 140.0],
        "opening.lost.meetings": [0.5, 0.5],
    }
)

# One other value for every field there is: (changes by path, or a plan's data changed by hand; the path it is said at).
OTHER = {
    "name": {"name.ja": "別の計画"},
    "currency": {"currency": "USD"},
    "fiscal_year.starts": {"fiscal_year.starts": "2027-01"},
    "kgi.metric": {"kgi.metric": "wins"},
    "kgi.target": {"kgi.target": 1.25e9},
    "kgi.confidence": {"kgi.confidence": 0.9},
    "kgi.period": {"kgi.period": "month"},
    "teams.*.name": {"teams.marketing.name.ja": "広報"},
    "teams.*.members": {"teams.marketing.members": 9},
    "teams.*.skill": {"teams.marketing.skill": 5},
    "teams.*.hours": {"teams.marketing.hours": None},
    "teams.*.quarters": {"teams.marketing.quarters": None},
    "teams.*.max_ksfs": {"teams.marketing.max_ksfs": 4},
    "metrics.*.name": {"metrics.cvr.name.ja": "転換率"},
    "metrics.*.unit": {"metrics.visitors.unit": "回"},
    "metrics.*.kind": {"metrics.visitors.kind": "activity"},
    "metrics.*.team": {"metrics.visitors.team": None},
    "metrics.*.value": {"metrics.meeting_rate.value": 0.78},
    "metrics.*.low": {"metrics.meeting_rate.low": None},
    "metrics.*.high": {"metrics.meeting_rate.high": 0.9},
    "metrics.*.formula": {"metrics.revenue.formula": "wins * unit_price * 1.1"},
    "metrics.*.controllability": {"metrics.cvr.controllability": 1},
    "metrics.*.short": {"metrics.cvr.short": ["転換"]},
    "metrics.*.definition": {"metrics.cvr.definition": "訪問のうち"},
    "metrics.*.extraction": {"metrics.cvr.extraction": "解析から"},
    "metrics.*.source": {"metrics.cvr.source": "実績"},
    "metrics.*.lag": {"metrics.wins.lag": [1.0]},
    "metrics.*.by_month": {"metrics.wins.by_month": None},
    "metrics.*.stock": {"metrics.leads.stock": None},
    "metrics.*.season": {"metrics.visitors.season": None},
    "metrics.*.work": {"metrics.leads.work.inside_sales": 50.0},
    "metrics.*.history": {"metrics.visitors.history": [5.0, 7.0]},
    "metrics.*.tried": {"metrics.visitors.tried": None},
    "metrics.*.shape": {"metrics.cvr.shape": None},
    "metrics.*.illustrative": {"metrics.cvr.illustrative": None},
    "ksfs.*.name": {"ksfs.F1.name.ja": "別名"},
    "ksfs.*.team": {"ksfs.F1.team": "marketing"},
    "ksfs.*.moves": {"ksfs.F1.moves.proposal_rate": [0.0, 0.1, 0.2]},
    "ksfs.*.cost": {"ksfs.F1.cost": 1_234_567.0},
    "ksfs.*.hours": {"ksfs.F1.hours.marketing": None},
    "ksfs.*.ramp": {"ksfs.F1.ramp": [2.0, 4.0]},
    "ksfs.*.skill": {"ksfs.F1.skill": 5},
    "ksfs.*.layer": {"ksfs.F1.layer": "advanced"},
    "ksfs.*.controllability": {"ksfs.F1.controllability": 1},
    "ksfs.*.depends_on": {"ksfs.F1.depends_on": ["I3"]},
    "ksfs.*.excludes": {"ksfs.F1.excludes": []},
    "ksfs.*.needs": {"ksfs.F1.needs.leads": 7.0},
    "ksfs.*.actions": {"ksfs.F1.actions": None},
    "ksfs.*.source": {"ksfs.F1.source": "社内"},
    "ksfs.*.illustrative": {"ksfs.F1.illustrative": None},
    "limits.budget": {"limits.budget": 2e7},
    "limits.lock": {"limits.lock": []},
    "limits.rule_out": {"limits.rule_out": ["M4", "M3"]},
    "cash.rate": {"cash.rate": 0.5},
    "cash.lag": {"cash.lag": [1.0]},
    "opening.stock": {"opening.stock.meetings": [10.0, 6.0]},
    "opening.lost": {"opening.lost.meetings": None},
    "opening.deals": {"opening.deals": []},
    "stages": {"stages": []},
    "drivers": {"drivers": [{"source": "cvr", "target": "unit_price", "elasticity": 0.2}]},
    "decisions": {"decisions": []},
    "assumptions.free_ksfs": {"assumptions.free_ksfs": [1, 2, 3, 4, 5]},
    "assumptions.correlations": {"assumptions.correlations": [{"pair": ["cvr", "appt_rate"], "rank": -0.2}]},
    "assumptions.synergies": {"assumptions.synergies": [{"pair": ["F1", "F3"], "bonus": 0.2}]},
    "assumptions.spillovers": {"assumptions.spillovers": []},
    **{
        f"assumptions.{name}": {f"assumptions.{name}": said}
        for name, said in {
            "execution": 0.5, "skill_slope": 0.4, "headroom_basic": 0.3, "headroom_advanced": 0.1,
            "headroom_floor": 0.2, "headroom_skill": 3, "prerequisite": 0.6, "prerequisite_skill": 5, "dilution": 0.3,
            "rate_cap": 0.9, "horizon_months": 24, "near_tie": 1.2, "scatter": 2.0, "history_weight": 0.5,
            "work_days": 21.0, "day_minutes": 450.0, "utilisation": 0.8,
        }.items()
    },
}  # fmt: skip

SECTIONS = {name: adapter._type for adapters in (_PARTS, _ENTRIES) for name, adapter in adapters.items()}
SECTIONS |= {name: tuple[adapter._type, ...] for name, adapter in _ITEMS.items()}


def model_of(annotation) -> type[BaseModel] | None:
    """Return the part that a field holds one of."""
    found = [annotation]
    while found:
        one = found.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
        found += [arg for arg in typing.get_args(one) if arg not in (NoneType, Ellipsis)]
    return None


def is_many(annotation) -> bool:
    """Return whether a field holds a list."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, UnionType, typing.Annotated):
        return any(is_many(arg) for arg in typing.get_args(annotation)[:2])
    return origin is tuple


def every_field() -> list[str]:
    """Return every field that the document's models have, `*` for ids; lists are one field."""
    found = []
    for section, annotation in SECTIONS.items():
        model = model_of(annotation)
        if model is None or model is Text or is_many(annotation):
            found.append(section)
            continue
        inside = f"{section}.*" if section in _ENTRIES else section
        found += [f"{inside}.{name}" for name in model.model_fields]
    return found


def hide(plan: Plan) -> set[str]:
    """Return what only files say: ids of teams and metrics, fields, choices (KSFs are shown by their ids)."""
    models = (Metric, Ksf, Team, Limits, Decision, ComeBack, Commitment)
    fields = {name for model in models for name in model.model_fields if "_" in name}
    ids = {one for one in [*plan.metrics, *plan.teams] if "_" in one or one in ("cvr", "wins")}
    return fields | ids | {"None", "nan", "inf", "True", "False", "mappingproxy", "{", "}", "split_normal"}


@pytest.fixture(params=["ja", "en"])
def spoken(request):
    with words.speaking(request.param):
        yield request.param


def is_plain(sentence: str, plan: Plan) -> bool:
    return bool(sentence.strip()) and "\n" not in sentence and not any(word in sentence for word in hide(plan))


def test_every_field_of_the_document_is_walked():
    """A field that is new in the document fails here until it has another value to be changed to, and words."""
    assert set(every_field()) == set(OTHER)


@pytest.mark.parametrize("path", OTHER)
def test_a_change_of_each_field_is_one_sentence_in_both_languages(path, spoken):
    changed = BASE.replace(OTHER[path])

    found, back = changes(BASE, changed), changes(changed, BASE)

    count = {"limits.rule_out": 1, "metrics.*.short": 2, "opening.deals": 2, "stages": 6, "decisions": 2,
             "assumptions.synergies": 6, "assumptions.spillovers": 4}.get(path, 1)  # fmt: skip
    assert len(found) == len(back) == count
    for change, plan in [*((one, changed) for one in found), *((one, BASE) for one in back)]:
        sentence = said(change, plan)
        assert is_plain(sentence, plan), sentence
        assert "detail" not in sentence and "細目" not in sentence  # words of its own, not the fallback
    assert len({said(change, changed) for change in found}) == len(found)
    assert said(found[0], changed) != said(back[0], BASE)


@pytest.mark.parametrize("name", PLANS)
def test_nothing_changed_is_no_change(name, spoken):
    assert changes(PLANS[name], PLANS[name]) == []
    assert headline([], PLANS[name]) == ("変更なし" if spoken == "ja" else "No change")


@pytest.mark.parametrize("name", PLANS)
def test_two_plans_that_have_nothing_to_do_with_each_other_are_told_in_words_too(name, spoken):
    for before, after in ((RICH, PLANS[name]), (PLANS[name], RICH)):
        for change in changes(before, after):
            sentence = said(change, after)
            assert sentence
            assert "None" not in sentence and "nan" not in sentence.split()


# --- By hand. --------------------------------------------------------------------------------------------------------


def told(change, base=SAMPLE, spoken="en"):
    after = change if isinstance(change, Plan) else base.replace(change)
    with words.speaking(spoken):
        return [said(one, after) for one in changes(base, after)]


@pytest.mark.parametrize(
    ("change", "ja", "en"),
    [
        ({"metrics.meeting_rate.value": 0.78}, "商談率 75.0% → 78.0%", "Meeting rate 75.0% → 78.0%"),
        (
            {"metrics.meeting_rate.value": 0.78, "metrics.meeting_rate.high": 0.9},
            "商談率 75.0% → 78.0%、現実的な範囲 60.0%〜85.0% → 60.0%〜90.0%",
            "Meeting rate 75.0% → 78.0%, plausible range 60.0%–85.0% → 60.0%–90.0%",
        ),
        (
            {"metrics.cvr.low": None},
            "WEBサイトのコンバージョン率:現実的な範囲 0.70%〜1.80% → 1.80%まで",
            "Website conversion rate: plausible range 0.70%–1.80% → up to 1.80%",
        ),
        (
            {"metrics.unit_price.value": 8.5e6},
            "受注単価 800万円/件 → 850万円/件",
            "Average deal value ¥8.0M per deal → ¥8.5M per deal",
        ),
        ({"kgi.target": 1.2e9}, "売上:目標 10億円 → 12億円", "Revenue · Goal: ¥1.00B → ¥1.20B"),
        ({"fiscal_year.starts": "2026-07"}, "年度の始まり 2026年4月 → 2026年7月", "First month: Apr 2026 → Jul 2026"),
        (
            {"metrics.meeting_rate.name.ja": "商談化率"},
            "名前の変更 商談率 → 商談化率",
            "Meeting rate: Japanese name 商談率 → 商談化率",
        ),
        ({"teams.marketing.skill": 3}, "マーケティング:スキル 2 → 3", "Marketing · Skill: 2 → 3"),
        ({"limits.budget": None}, "予算 1,800万円 → 制限なし", "Budget: ¥18.0M → no limit"),
        ({"teams.company.name": {"ja": "全員"}}, "名前の変更 全社 → 全員", "Renamed: Company → 全員"),
        (
            {"limits.lock": ["F3"]},
            "必ず入れるKSFにF3 営業スタッフの提案スキル強化を追加",
            "KSFs that must be in: F3 Proposal-skill training of sales staff added",
        ),
        (
            {"metrics.revenue.formula": "wins * unit_price * 1.1"},
            "売上:式 受注数 × 受注単価 → 受注数 × 受注単価 × 1.1",
            "Revenue · Formula: Deals won × Average deal value → Deals won × Average deal value × 1.1",
        ),
        (
            {"metrics.leads.formula": None, "metrics.leads.value": 5000.0},
            "リード数を入力値に変更 5,000件(以前は訪問者数 × WEBサイトのコンバージョン率)",
            "Leads is an input now: 5,000 (was Website visitors × Website conversion rate)",
        ),
        (
            {"decisions": [{"date": "2026-05-01", "chosen": ["F1", "F3"], "kgi": 8.9e8, "review": "2026-06-30"}]},
            "2026-05-01に合意 F1 F3(売上 8.9億円)",
            "Agreed on 2026-05-01: F1 F3 (Revenue ¥890.0M)",
        ),
        ({"metrics.extra": METRIC}, "指標「紹介数」を追加 12件", "Metric Referrals added: 12"),
        ({"ksfs.N1": KSF}, "KSF N1 紹介の依頼を追加", "KSF N1 紹介の依頼 added"),
        ({"cash": None}, "売上から入金までを削除", "From revenue to cash: no longer counted"),
    ],
)  # fmt: skip
def test_sentences_by_hand(change, ja, en):
    assert told(change, spoken="ja") == [ja]
    assert told(change, spoken="en") == [en]


def test_one_line_for_a_list_of_versions_names_the_first_and_counts_the_rest():
    after = SAMPLE.replace({"metrics.meeting_rate.value": 0.78, "limits.budget": 2e7, "teams.marketing.skill": 3})
    found = changes(SAMPLE, after)

    with words.speaking("ja"):
        assert headline(found, after) == "商談率 75.0% → 78.0%、ほか2件"
        assert headline(found[:1], after) == "商談率 75.0% → 78.0%"
    with words.speaking("en"):
        assert headline(found, after) == "Meeting rate 75.0% → 78.0% and 2 more"


def test_what_tells_most_comes_first_and_then_the_plans_own_order():
    log = [{"date": "2026-05-01", "chosen": ["F1"], "kgi": 9e8, "review": "2026-06-30"}]
    after = SAMPLE.replace(
        {
            "assumptions.execution": 0.5,
            "teams.marketing.skill": 3,
            "ksfs.F2.cost": 1.0,
            "ksfs.F1.cost": 1.0,
            "metrics.unit_price.value": 8.1e6,
            "metrics.visitors.value": 1e5 * 4.1,
            "kgi.target": 2e9,
            "decisions": log,
        }
    )

    paths = [change.path.partition(".+")[0] for change in changes(SAMPLE, after)]

    assert paths == [
        "decisions", "kgi.target", "metrics.visitors.value", "metrics.unit_price.value", "ksfs.F1.cost",
        "ksfs.F2.cost", "teams.marketing.skill", "assumptions.execution",
    ]  # fmt: skip


def test_kinds_and_values_are_given_beside_the_words():
    after = SAMPLE.replace({"ksfs.F1.moves.unit_price": [0.0, 0.1, 0.2], "stages": ["leads", "visitors"], "cash": None})

    found = {change.path: change for change in changes(SAMPLE, after)}

    assert found["ksfs.F1.moves.unit_price"].kind == "added"
    assert found["ksfs.F1.moves.unit_price"].was is None
    assert found["ksfs.F1.moves.unit_price"].now == (0.0, 0.1, 0.2)
    assert (found["cash"].kind, found["stages"].kind, found["stages.wins"].kind) == ("removed", "moved", "removed")
    assert found["stages"].now == ["leads", "visitors"]


def test_what_follows_from_another_change_is_not_said_again():
    locked = SAMPLE.replace({"limits.lock": ["I3"]})
    assert told(of_ksf(locked, "I3").plan, locked) == ["KSF I3 Customer-data accuracy removed"]

    own = {"metrics.cvr.value": 0.013, "metrics.cvr.illustrative": None}
    assert told(own) == ["Website conversion rate 1.20% → 1.30%"]
    assert told({"metrics.cvr.illustrative": None}) == ["Website conversion rate · Illustrative: yes → no"]

    paths = dict.fromkeys(f"metrics.wins.{field}" for field in ("formula", "by_month", "lag"))
    assert told({**paths, "metrics.wins.value": 100.0}) == [
        "Deals won is an input now: 100 (was Close rate × Sales meetings)"
    ]


def test_a_removed_thing_is_named_as_it_was_called():
    plan = SAMPLE.replace({"metrics.extra": METRIC, "ksfs.F1.moves.extra": [0.0, 0.1, 0.2]})

    assert told(of_metric(plan, "extra").plan, plan) == ["Metric Referrals removed"]
    assert told({"ksfs.F1.moves.extra": None}, plan) == [
        "F1 Better proposals · Lift of Referrals: 0.0% / 10.0% / 20.0% → none"
    ]


def test_a_difference_that_rounding_would_hide_is_said_exactly():
    assert told({"limits.budget": 18_000_001.0}) == ["Budget: ¥18,000,000 → ¥18,000,001"]
    assert told({"metrics.cvr.value": 0.0120001}) == ["Website conversion rate 1.2% → 1.20001%"]
    assert told({"teams.marketing.hours": 560.25}) == ["Marketing · Hours: 560 h → 560.25 h"]


def test_long_texts_and_long_rows_of_numbers_are_only_said_to_have_changed():
    assert told({"metrics.cvr.definition": "あ" * 4_000}) == ["Website conversion rate · Definition: entered"]
    assert told({"metrics.cvr.source": "い" * 4_000}) == ["Website conversion rate · Source: changed"]
    assert told({"metrics.visitors.season": [1.0] * 12}) == ["Website visitors · Season: changed"]
    assert told({"metrics.visitors.season": None}) == ["Website visitors · Season: taken away"]


def test_peoples_text_is_returned_as_typed_on_one_line():
    assert told({"metrics.cvr.name.en": "**CVR**\n[x](y) {0}"}) == [
        "Renamed: Website conversion rate → **CVR** [x](y) {0}"
    ]
    assert told({"metrics.cvr.short": ["CVR", "{one}"]}) == ["Website conversion rate · Short names: “{one}” added"]


def test_a_place_nobody_has_words_for_is_named_by_the_thing_it_belongs_to(monkeypatch, spoken):
    monkeypatch.setattr("workbench.changes_sentences.field", lambda path: None)

    sentences = told({"ksfs.F1.cost": 5.0, "cash.rate": 0.5, "metrics.cvr.unit": ""}, spoken=spoken)

    assert all(is_plain(sentence, SAMPLE) for sentence in sentences)
    assert "Website conversion rate" in sentences[0] or "コンバージョン率" in sentences[0]


def test_every_part_of_an_agreement_that_changes_is_named(spoken):
    """Decision, commitment, action and coming back, field by field."""
    one = Decision(
        date="2026-04-01",
        chosen=("F1",),
        kgi=9e8,
        review="2026-06-30",
        commitments={"F1": Commitment(why="w", owner="o", actions=(Action(text="t", owner="o", due="2026-05-01"),))},
        postponed={"F2": ComeBack(when="hours", team="marketing", metric="cvr", ksfs=("F1",), amount=1.0, quarter=1)},
    )
    others = [
        {"chosen": ("F2",)}, {"kgi": 8e8}, {"review": "2026-07-31"}, {"note": "n"}, {"checks": "weekly"},
        {"override": "x"}, {"commitments": {}}, {"postponed": {}},
        *({"commitments": {"F1": one.commitments["F1"].model_copy(update=change)}}
          for change in ({"why": "?"}, {"owner": "?"}, {"actions": ()})),
        *({"commitments": {"F1": Commitment(actions=(one.commitments["F1"].actions[0].model_copy(update=change),))}}
          for change in ({"text": "?"}, {"owner": "?"}, {"due": "2026-06-01"})),
        *({"postponed": {"F2": one.postponed["F2"].model_copy(update=change)}}
          for change in ({"when": "skill"}, {"team": None}, {"metric": None}, {"ksfs": ()}, {"amount": 2.0},
                         {"quarter": 2})),
    ]  # fmt: skip
    assert {name for change in others for name in change} == set(Decision.model_fields) - {"date"}
    before = SAMPLE.replace({"decisions": (one,)})

    for change in others:
        after = SAMPLE.replace({"decisions": (one.model_copy(update=change),)})
        (found,) = changes(before, after)
        sentence = said(found, after)
        assert found.kind == "changed"
        assert "2026-04-01" in sentence
        assert is_plain(sentence, after)


def test_another_order_is_a_change_too(spoken):
    def turned(section):
        data = json.loads(BASE.to_json())
        return Plan.from_data({**data, section: dict(reversed(data[section].items()))})

    for section in ("metrics", "ksfs", "teams"):
        (found,) = changes(BASE, turned(section))
        assert (found.path, found.kind) == (section, "moved")
        assert is_plain(said(found, BASE), BASE)
    after = BASE.replace({"stages": [*reversed(BASE.stages)]})
    (found,) = changes(BASE, after)
    assert found.kind == "moved"
    assert is_plain(said(found, after), after)


def test_a_deal_that_changed_is_told_as_one(spoken):
    assert set(Deal.model_fields) == {"amount", "chance"}
    after = BASE.replace({"opening.deals": [{"amount": 9e6, "chance": 0.5}, {"amount": 5e6, "chance": 0.2}]})

    (found,) = changes(BASE, after)

    sentence = said(found, after)
    assert ("800万円" in sentence and "900万円" in sentence) or ("¥8.0M" in sentence and "¥9.0M" in sentence)
