"""What a set brings in this fiscal year against what it costs: held against the months run one by one, and by hand."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_core.focus import choose
from kpi_core.focus.returns import money_scale, returns
from kpi_core.plan import Plan
from kpi_core.timeline import run
from tests.core.test_focus import SAMPLE

CASES = Path(__file__).parents[1] / "cases"
C15 = Plan.from_text((CASES / "c15_profit_ignores_ksf_cost.yaml").read_text("utf-8"))


def test_a_ksf_that_lifts_leads_by_one_percent_for_ninety_million_loses_almost_all_of_it():
    """By hand: 1,000 leads · 10 % · ¥100,000 = ¥10M; 1 % of it, less what does not stick and arrives too late."""
    found = choose(C15)
    entry = C15.ksfs["big"]
    sure = C15.assumptions.execution * found.ledger[0].factors["skill"]

    seen = returns(found)

    assert found.chosen == ("big",)
    assert seen.whole.cost == seen.by_ksf["big"].cost == entry.cost == 90e6
    assert 0 < seen.whole.gain <= 0.01 * 10e6 * sure * (1 + 1e-9)
    assert seen.whole.net == pytest.approx(seen.whole.gain - 90e6, rel=1e-12)


def test_the_gain_is_the_years_with_the_set_less_the_years_without_any():
    """Held against `timeline.run`, which takes the months of one set one after the other."""
    found = choose(SAMPLE)
    entire = run(SAMPLE, found.chosen).kgi - run(SAMPLE).kgi

    seen = returns(found)

    assert seen.whole.gain == pytest.approx(entire, rel=1e-9)
    assert sum(one.gain for one in seen.by_ksf.values()) == pytest.approx(entire, rel=1e-9)
    assert seen.whole.cost == sum(SAMPLE.ksfs[ksf].cost for ksf in found.chosen)
    assert list(seen.by_ksf) == list(found.chosen)


@given(scale=st.sampled_from([("千円", 1e3), ("万円", 1e4), ("百万円", 1e6), ("億円", 1e8)]))
def test_a_kgi_in_millions_has_the_same_return_as_the_same_one_in_yen(scale):
    unit, times = scale
    price = C15.metrics["price"].value / times
    changes = {"metrics.profit.unit": unit, "metrics.cost.value": 8e6 / times, "metrics.price.value": price}
    same = C15.replace({**changes, "kgi.target": 20e6 / times})

    assert returns(choose(same)).whole.gain == pytest.approx(returns(choose(C15)).whole.gain, rel=1e-9)
    assert returns(choose(same)).whole.cost == 90e6


def test_a_plan_for_a_month_is_held_against_the_cost_over_its_year():
    year = returns(choose(C15)).whole
    month = returns(choose(C15.replace({"kgi.period": "month"}))).whole

    assert month.gain == pytest.approx(12 * year.gain, rel=1e-9)
    assert month.cost == year.cost


def test_what_is_no_amount_of_money_is_not_held_against_a_cost():
    for unit in ("件", "%", "円/件", "人", "社", "", "万人", "ドル"):
        assert returns(choose(C15.replace({"metrics.profit.unit": unit}))) is None


def test_nothing_chosen_brings_and_costs_nothing():
    found = choose(C15.replace({"limits.rule_out": ["big"]}))

    seen = returns(found)

    assert (seen.whole.gain, seen.whole.cost, dict(seen.by_ksf)) == (0, 0, {})


@pytest.mark.parametrize(
    ("unit", "currency", "scale"),
    [
        ("$", "USD", 1),
        ("K$", "USD", 1000.0),
        ("$M", "USD", 1000000.0),
        ("千ドル", "USD", 1000.0),
        ("USD", "USD", 1),
        ("$", "JPY", None),
        ("億円", "JPY", 100000000.0),
        ("¥", "JPY", 1),
        ("JPY", "JPY", 1),
        ("$/社", "USD", None),
        ("CHF", "CHF", 1),
        ("件", "CHF", None),
    ],
)
def test_money_is_read_off_the_unit(unit, currency, scale):
    assert money_scale(unit, currency) == scale
