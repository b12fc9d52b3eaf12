"""What is open when the year begins: against the formula of domain §4.7, cohort by cohort, and against steady years."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_core.errors import KpiError
from kpi_core.focus import choose, choosing
from kpi_core.focus.effects import Effects, ledger
from kpi_core.forecast import forecast
from kpi_core.pacing import volume
from kpi_core.plan import Plan
from kpi_core.timeline import run

ROOT = Path(__file__).parents[2]
SAMPLE = Plan.from_text((ROOT / "sample_data/sample_plan.yaml").read_text(encoding="utf-8"))
STEADY = SAMPLE.replace({"metrics.visitors.season": [1] * 12})
LEFT_OPEN = {
    "leads": [160, 40],
    "appointments": [18],
    "meetings": [22.5, 4.5],
    "proposals": [15.75, 6.75, 2.25],
    "wins": [9, 9],
}
EARLY = -60


def funnel(entries, rates, kernels, *, stock=None, season=(), **changes):
    """Return s0 → s1 → …, the last of which is the KGI; a year's entries, one rate and one kernel a step."""
    metrics = {"s0": {"name": {"en": "s0"}, "kind": "count", "unit": "件", "value": entries, "season": list(season)}}
    for step, (rate, kernel) in enumerate(zip(rates, kernels, strict=True)):
        metrics[f"r{step}"] = {"name": {"en": f"r{step}"}, "kind": "rate", "unit": "%", "value": rate}
        metrics[f"s{step + 1}"] = {
            "name": {"en": f"s{step + 1}"},
            "kind": "count",
            "unit": "件",
            "formula": f"s{step} * r{step}",
            "lag": list(kernel),
        }
    return Plan.from_data(
        {
            "schema": 1,
            "name": {"en": "funnel"},
            "fiscal_year": {"starts": "2026-04"},
            "kgi": {"metric": f"s{len(rates)}", "target": 100.0},
            "metrics": metrics,
            "opening": {"stock": {stage: list(open_) for stage, open_ in (stock or {}).items()}},
            "teams": {},
            **changes,
        }
    )


def simulated(plan, before, stock):
    """Follow every cohort through the funnel, month by month: {stage: {month: count}}, month 1 is the year's first."""
    steps = sum(metric.startswith("r") for metric in plan.metrics)
    season = plan.metrics["s0"].season or (1,) * 12
    weights = [12 * share / sum(season) for share in season]
    months = range(EARLY, 13)

    def calendar(month):
        return (month - 1 + 3) % 12  # month 1 is April

    def as_it_was(month):
        return before if month < 1 else plan

    stages = {"s0": {t: as_it_was(t).metrics["s0"].value / 12 * weights[calendar(t)] for t in months}}
    for step in range(steps):
        kernel = plan.metrics[f"s{step + 1}"].lag or (1.0,)
        out = dict.fromkeys(months, 0.0)
        for entered, count in stages[f"s{step}"].items():
            converts = count * as_it_was(entered).metrics[f"r{step}"].value
            for age, share in enumerate(kernel):
                month = entered + age
                known_by_stock = f"s{step}" in stock and entered < 1 <= month
                if month <= 12 and not known_by_stock:
                    out[month] += converts * share
        for age, count in enumerate(stock.get(f"s{step}", ())):
            rate = before.metrics[f"r{step}"].value
            for j in range(1, 13):
                if count and age + j < len(kernel):
                    out[j] += count * rate * kernel[age + j] / sum(kernel[age + 1 :])
        stages[f"s{step + 1}"] = out
    return stages


@st.composite
def kernels(draw):
    """Return shares by month that add up to 1, some of them 0."""
    weights = draw(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any))
    return [weight / sum(weights) for weight in weights]


@st.composite
def funnels(draw):
    """Return entries, rates and kernels of a funnel of one to four steps."""
    steps = draw(st.integers(1, 4))
    rates = st.lists(st.floats(0.01, 1.0), min_size=steps, max_size=steps)
    return (
        draw(st.floats(1.0, 1e6)),
        draw(rates),
        draw(st.lists(kernels(), min_size=steps, max_size=steps)),
    )


def may_be_open(kernel):
    """Return the ages at which something can be open."""
    return [age for age in range(len(kernel)) if sum(kernel[age + 1 :]) > 1e-9]


@st.composite
def stocks(draw, shape):
    """Return a stock for any of the stages that something takes time after."""
    stock = {}
    for step, kernel in enumerate(shape[2]):
        if len(kernel) > 1 and draw(st.booleans()):
            counts = draw(st.lists(st.floats(0, 1e5), max_size=len(kernel)))
            stock[f"s{step}"] = [count if age in may_be_open(kernel) else 0.0 for age, count in enumerate(counts)]
    return stock


SEASONS = st.lists(st.integers(0, 9), min_size=12, max_size=12).filter(any)


@pytest.mark.parametrize("stage", LEFT_OPEN)
def test_what_a_steady_year_leaves_open_in_one_stage_gives_the_steady_year(stage):
    found = run(STEADY.replace({f"opening.stock.{stage}": LEFT_OPEN[stage]}))

    assert found.kgi == pytest.approx(864e6, rel=1e-12)
    assert found.underway("wins") == pytest.approx(18, rel=1e-12)


def test_what_a_steady_year_leaves_open_everywhere_gives_the_steady_year():
    found = run(STEADY.replace({f"opening.stock.{stage}": stock for stage, stock in LEFT_OPEN.items()}))

    assert found.kgi == pytest.approx(864e6, rel=1e-12)


def test_april_brings_what_is_open_and_a_part_of_what_is_new():
    """By hand: 22.5·.5·.4/.5 + 4.5·.5·.1/.1 = 11.25 from the stock, 45·.5·.5 = 11.25 from April's own meetings."""
    found = run(STEADY.replace({"opening.stock.meetings": [22.5, 4.5]}))
    doubled = run(STEADY.replace({"opening.stock.meetings": [45, 9]}))

    assert found.year("proposals")[0] == pytest.approx(22.5)
    assert doubled.year("proposals") - found.year("proposals") == pytest.approx(
        [11.25, 22.5 * 0.5 * 0.1 / 0.5, *[0] * 10], abs=1e-9
    )


def test_months_before_the_year_stay_as_the_plan_has_them():
    steady, found = run(STEADY), run(STEADY.replace({"opening.stock.meetings": [80, 3]}))

    for metric, months in steady.values.items():
        past = slice(steady.setting.axis.past)
        assert found.values[metric][past] == pytest.approx(months[past], rel=1e-12)


@given(st.data())
def test_a_year_with_any_stock_is_what_its_cohorts_bring(data):
    shape = data.draw(funnels())
    stock, season = data.draw(stocks(shape)), data.draw(SEASONS)
    plan = funnel(*shape, stock=stock, season=season)
    factor = data.draw(st.floats(0.1, 1.0))
    before = plan.replace({"metrics.r0.value": factor * shape[1][0], "metrics.s0.value": factor * shape[0]})

    found, true = run(plan, before=before), simulated(plan, before, stock)

    for stage, months in true.items():
        expected = [months[t] for t in range(1, 13)]
        assert found.year(stage) == pytest.approx(expected, rel=1e-9, abs=1e-12 * shape[0])


@given(st.data())
def test_giving_what_a_steady_year_leaves_open_changes_nothing(data):
    """Whichever stages it is given for: the months, what a unit is worth, what is decided, what is under way."""
    shape = data.draw(funnels())
    steady = run(funnel(*shape))
    stock = {
        f"s{step}": [steady.values[f"s{step}"][-1] * sum(kernel[age + 1 :]) for age in may_be_open(kernel)]
        for step, kernel in enumerate(shape[2])
        if len(kernel) > 1 and data.draw(st.booleans())
    }

    found = run(funnel(*shape, stock=stock))

    for metric, months in steady.values.items():
        size = np.abs(steady.worth[metric]).max()
        brought, expected = (one.setting.brought([metric])[metric] for one in (found, steady))
        assert found.year(metric) == pytest.approx(months[steady.setting.axis.year], rel=1e-9)
        assert brought == pytest.approx(expected, rel=1e-9, abs=1e-12 * shape[0])
        assert found.worth[metric] == pytest.approx(steady.worth[metric], rel=1e-9, abs=1e-12 * size)
        assert found.decided(metric) == pytest.approx(steady.decided(metric), rel=1e-9, abs=1e-12)
        if metric.startswith("s"):
            assert found.underway(metric) == pytest.approx(steady.underway(metric), rel=1e-9, abs=1e-12 * shape[0])
            deadlines = [one.deadline(metric) for one in (found, steady)]
            assert deadlines[0].share == pytest.approx(deadlines[1].share, rel=1e-9, abs=1e-12)


@given(st.data())
def test_the_share_decided_in_the_year_is_what_a_change_from_its_first_month_on_brings(data):
    """Everything by way of each lever adds up to the KGI; also where months say nothing entered what is open."""
    shape = data.draw(funnels())
    stock, season = data.draw(stocks(shape)), data.draw(SEASONS)
    plan = funnel(*shape, stock=stock, season=season)
    found = run(plan)

    for lever in plan.tree.inputs:
        brought = found.setting.brought([lever])[lever]
        less = run(plan, times={lever: np.full(12, 0.5)}).kgi
        assert brought.sum() == pytest.approx(found.kgi, rel=1e-9, abs=1e-12 * shape[0])
        decided = float(found.decided(lever)[found.setting.axis.year].sum())
        assert less == pytest.approx(found.kgi * (1 - decided / 2), rel=1e-9, abs=1e-12 * shape[0])


def test_a_ksf_brings_this_year_what_the_ledger_says_when_a_stock_is_open():
    """Many open meetings: more of the year is decided before it begins, for rates before them, not for those after."""
    plan = SAMPLE.replace({"opening.stock.meetings": [300, 60]})
    shares = {metric: run(plan).decided(metric) for metric in ("appt_rate", "proposal_win_rate")}

    for ksf, metric in (("I3", "appt_rate"), ("F3", "proposal_win_rate")):
        entry = next(one for one in ledger(plan, [ksf], objective="year") if (one.ksf, one.metric) == (ksf, metric))
        start, full = plan.ksfs[ksf].ramp
        ramp = np.clip((np.arange(1, 13) - start) / (full - start), 0, 1)
        assert entry.factors["ramp"] == pytest.approx(float(ramp @ shares[metric][run(plan).setting.axis.year]))
        effects = Effects(plan, "year")
        row = np.array([[1.0 if one == ksf else 0.0 for one in effects.ksfs]])
        assert effects.kgi(row)[0] == pytest.approx(run(plan, [ksf]).kgi, rel=1e-12)


def test_a_forecast_of_the_year_and_what_is_needed_count_the_stock():
    """By hand, 100 a year by .5, a month later: 5 of March and 11 months of 100/12·.5; open 40: 20 and those."""
    plan = funnel(100.0, [0.5], [[0.0, 1.0]], stock={"s0": [40]})

    needed = volume(plan)

    assert run(plan).kgi == pytest.approx(20 + 11 * 100 / 12 / 2)
    assert (needed.past, needed.base) == (pytest.approx(20), pytest.approx(run(plan).kgi))
    assert needed.factor == pytest.approx((100 - 20) / (11 * 100 / 12 / 2))
    assert forecast(plan, draws=64, objective="year").mean == pytest.approx(run(plan).kgi)


def test_a_stock_of_one_channel_leaves_the_others_months():
    """By hand: 60 of a, 120 of b a year, half a month later; of a 40 are open, of b 10 of March."""
    metrics = {
        "a": {"name": {"en": "a"}, "kind": "count", "value": 60.0},
        "b": {"name": {"en": "b"}, "kind": "count", "value": 120.0},
        "wins": {"name": {"en": "wins"}, "kind": "count", "formula": "a * 50% + b", "lag": [0.0, 1.0]},
    }
    data = {
        "schema": 1,
        "name": {"en": "two"},
        "fiscal_year": {"starts": "2026-04"},
        "kgi": {"metric": "wins", "target": 100.0},
        "teams": {},
        "metrics": metrics,
        "opening": {"stock": {"a": [40.0]}},
    }
    found = run(Plan.from_data(data))

    assert found.year("wins") == pytest.approx([20 + 10, *[2.5 + 10] * 11])
    assert found.underway("a") == pytest.approx(40)
    assert found.underway("b") == pytest.approx(10)
    assert found.decided("b")[found.setting.axis.past - 1] == pytest.approx(10 / 120)
    assert found.setting.brought(["a"])["a"].sum() * 12 == pytest.approx(12 * (20 + 11 * 2.5))


def test_a_stock_leaves_what_has_moved_on_to_a_slower_step():
    """Deals are delivered a month later and renewed after three: who waits for delivery says nothing of renewals."""
    metrics = {
        "wins": {"name": {"en": "wins"}, "kind": "count", "value": 120.0},
        "delivered": {"name": {"en": "delivered"}, "kind": "count", "formula": "wins", "lag": [0.0, 1.0]},
        "renewed": {"name": {"en": "renewed"}, "kind": "count", "formula": "wins * 50%", "lag": [0, 0, 0, 1]},
        "all": {"name": {"en": "all"}, "kind": "kgi", "formula": "delivered + renewed"},
    }
    data = {
        "schema": 1,
        "name": {"en": "renewals"},
        "fiscal_year": {"starts": "2026-04"},
        "kgi": {"metric": "all", "target": 100.0},
        "teams": {},
        "metrics": metrics,
    }
    short = run(Plan.from_data({**data, "opening": {"stock": {"wins": [30.0]}}}))
    long = run(Plan.from_data({**data, "opening": {"stock": {"wins": [30.0, 10.0, 4.0]}}}))

    assert short.year("delivered")[:2] == pytest.approx([30, 10])
    assert short.year("renewed")[:4] == pytest.approx([5, 5, 15, 5])  # of January, February, March and April
    assert long.year("renewed")[:4] == pytest.approx([2, 5, 15, 5])
    assert long.year("delivered")[:2] == pytest.approx([30, 10])


def test_the_rate_of_lost_ones_is_that_of_the_months_before():
    """Domain §4.7: r(1 − K)/(1 − rK − (1 − r)Λ) with r = .2 of the plan before, whatever the plan asks for now."""
    before = funnel(120.0, [0.2], [[0.3, 0.7]])
    plan = funnel(240.0, [0.4], [[0.3, 0.7]], opening={"stock": {"s0": [10.0]}, "lost": {"s0": [0.8, 0.2]}})

    april = run(plan, before=before).year("s1")[0]

    assert april == pytest.approx(10 * 0.14 / 0.3 + 20 * 0.4 * 0.3)


def test_nothing_open_means_that_nothing_comes_of_the_months_before():
    """A new funnel: 100 a year from April on, half of it a month later."""
    plan = funnel(1200.0, [0.5], [[0.5, 0.5]], stock={"s0": []})

    assert run(plan).year("s1") == pytest.approx([25, *[50] * 11])


@pytest.mark.parametrize(("stock", "age"), [([5.0, 1.0], 1), ([0.0, 0.0, 0.0, 2.0], 3)])
def test_what_no_step_leaves_open_for_so_long_is_refused(stock, age):
    with pytest.raises(KpiError) as refused:
        run(funnel(120.0, [0.5], [[0.5, 0.5]], stock={"s0": stock}))

    assert (refused.value.code, refused.value.facts["age"]) == ("stock_too_old", age)


def test_the_worth_of_an_open_unit_is_what_one_more_of_it_brings():
    """One more meeting open since March brings .5·(.4 + .1)/.5 proposals, each 40 % of 8M, all in time."""
    plan = STEADY.replace({"opening.stock.meetings": [30, 6]})
    more = STEADY.replace({"opening.stock.meetings": [31, 6]})

    entered = 1 / 0.5  # must have come in during March for one more to be open now
    worth = 0.5 * (0.4 + 0.1) * 0.4 * 8e6

    assert run(more).kgi - run(plan).kgi == pytest.approx(entered * worth)
    assert math.isfinite(run(plan).worth["meetings"].sum())


@pytest.mark.parametrize("formula", ["wins * unit_price", "min(wins, 9.5 * 12) * unit_price"])
def test_searching_a_year_with_stocks_finds_what_looking_at_every_set_does(formula, monkeypatch):
    stocks = {"opening.stock.meetings": [60, 20], "opening.stock.leads": [10], "opening.stock.wins": [4, 12]}
    plan = SAMPLE.replace({**stocks, "metrics.revenue.formula": formula})
    listed = choose(plan, objective="year")
    monkeypatch.setattr(choosing, "FEW", 0)

    found = choose(plan, objective="year")

    assert (found.chosen, found.proof.gap) == (listed.chosen, 0)
    assert found.kgi == pytest.approx(run(plan, found.chosen).kgi, rel=1e-12)
    assert found.kgi == pytest.approx(listed.kgi, rel=1e-12)
