"""What the Focus page says where a set costs more than it brings, changes nothing, or is empty: in both languages."""

import re
from pathlib import Path

import pytest

from kpi_core.focus import choose, returns
from kpi_core.plan import Plan
from tests.visits import visit
from workbench import samples, sentences, sentences_set, words
from workbench.overrides import Override
from workbench.rows import focus as rows

CASES = Path(__file__).parents[1] / "cases"
C15 = Plan.from_text((CASES / "c15_profit_ignores_ksf_cost.yaml").read_text("utf-8"))
IDLE = C15.replace(
    {"ksfs.idle": {"name": {"ja": "効果なし", "en": "No effect"}, "team": "a", "moves": {"rate": [1e-12] * 3}}}
)
TINY = IDLE.replace({"ksfs.idle.moves.rate": [1e-9] * 3})


def opened(plan, language):
    app = visit(page="home", language=language)
    app.session_state["visit"]["session_desk"].open(plan)
    app.switch_page("../pages/focus.py").run()
    assert not app.exception
    return app


@pytest.mark.parametrize("language", ["ja", "en"])
def test_ninety_million_for_a_tenth_of_one_is_said_beside_the_set_and_beside_the_ksf(language):
    """By hand, c15: costs ¥90M; brings 1 % of ¥10M less what does not stick and comes too late, at most ¥0.1M."""
    year = returns(choose(C15))
    assert 0 < year.whole.gain < 0.1e6

    app = opened(C15, language)

    with words.speaking(language):
        gain, net = words.money(year.whole.gain), words.money(90e6 - year.whole.gain)
        cost = words.money(90e6)
    beside_set = app.warning[0].value.replace("\\", "")
    assert all(amount in beside_set for amount in (gain, cost, net))
    (beside_ksf,) = [
        one.value for one in app.caption if one.value.startswith("**") and net in one.value.replace("\\", "")
    ]
    assert gain in beside_ksf.replace("\\", "")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_set_that_brings_more_than_it_costs_is_not_warned_of(language):
    app = opened(samples.sample_plan(), language)

    assert not app.warning
    assert returns(choose(samples.sample_plan())).whole.net > 0


@pytest.mark.parametrize("language", ["ja", "en"])
def test_only_the_ksf_that_loses_is_named_where_the_set_as_a_whole_gains(language):
    plan = samples.sample_plan().replace({"ksfs.F1.cost": 40e6, "limits.budget": None})
    year = returns(choose(plan))
    losing = [ksf for ksf, one in year.by_ksf.items() if one.net < 0]
    assert (losing, year.whole.net > 0) == (["F1"], True)

    app = opened(plan, language)

    assert not app.warning
    with words.speaking(language):
        net = words.money(-year.by_ksf["F1"].net)
    assert sum(one.value.startswith("**") and net in one.value.replace("\\", "") for one in app.caption) == 1


@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_is_no_money_is_held_against_no_cost(language):
    app = opened(C15.replace({"metrics.profit.unit": "件"}), language)

    assert not app.warning


def test_a_loss_is_said_in_the_plans_currency():
    changes = {"currency": "USD", "metrics.profit.unit": "$", "metrics.price.unit": "$/件", "metrics.cost.unit": "$"}
    plan = C15.replace(changes)

    with words.speaking("en"):
        told = sentences_set.loss_of_all(plan, returns(choose(plan)).whole).replace("\\", "")

    assert "90,000,000 USD" in told
    assert "¥" not in told


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("plan", [IDLE, TINY], ids=["left out", "taken in"])
def test_a_ksf_that_changes_nothing_is_never_nearly_equal_to_leaving_it_out(language, plan):
    for tried in (plan, plan.replace({"ksfs.big": None}), plan.replace({"assumptions.near_tie": 2.0})):
        found = choose(tried)
        idle = [other for other in found.next_best if found.idle_between(other)]
        assert idle

        with words.speaking(language):
            told = [sentences.proof(found), sentences_set.ties(found)]
            table = rows.alternatives(found)
            nearly = words._("Nearly equal")

        assert found.tie is False or not found.idle_between(found.runner_up)
        assert nearly not in told[0] or not found.idle_between(found.runner_up)
        for row, other in zip(table[1:], found.next_best, strict=True):
            if found.idle_between(other):
                assert nearly not in row.values()
                assert "idle" in list(row.values())[-1]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_runner_up_that_is_the_empty_set_has_words(language):
    found = choose(C15)
    assert found.runner_up.chosen == ()

    with words.speaking(language):
        told, table = sentences.proof(found), rows.alternatives(found)
        none = words._("None at all")

    assert not re.search(r"[,、]\s*[,、]|「」|“”|[:：]\s*[,、]", told)
    assert {"ja": "何も選ばない", "en": "choose none at all"}[language] in told
    assert none in table[1].values()
    assert "" not in [cell for row in table for cell in row.values()]


def test_two_ksfs_of_the_same_effect_are_still_nearly_equal():
    twin = C15.replace({"ksfs.twin": C15.ksfs["big"].model_copy(update={"excludes": ("big",)})})

    found = choose(twin)

    assert found.tie
    assert found.idle_between(found.runner_up) == ()
    with words.speaking("en"):
        assert "Nearly equal: twin" in sentences.proof(found)


@pytest.mark.parametrize("unit", ["円", "百万円", "億円", "%"])
def test_what_counts_as_nothing_is_a_part_of_the_kgi_in_whatever_unit(unit):
    """By hand: the KSF takes the KGI from 2.0 to 2.0525 (millions of yen, or 200 % to 205.25 %): that is something."""
    times = {"円": 1, "百万円": 1e6, "億円": 1e8, "%": 1e6}[unit]
    price, cost = 1e5 / times, 8e6 / times
    plan = C15.replace({"metrics.profit.unit": unit, "metrics.price.value": price, "metrics.cost.value": cost})
    found = choose(plan.replace({"kgi.target": 20e6 / times}))
    price_of = Override(chosen=True, loses=found.gain)

    with words.speaking("en"):
        told = sentences_set.cheapest(found, {"big": price_of})
        why = sentences_set.why_in(found, "big", price_of)

    assert found.kgi * times == pytest.approx(2_052_500)
    assert "without changing the KGI" not in told
    assert "another without it is just as good" not in why
    with words.speaking("en"):
        told = sentences_set.cheapest(found, {"big": Override(chosen=True, loses=found.kgi * 1e-8)})
    assert ("without changing the KGI" in told) == (found.kgi * 1e-8 < 0.5)
