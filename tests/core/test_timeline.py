"""The plan through the months. Figures of the reference: domain §4.2–4.5, T-B1, T-B3, T-K5, T-S1."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from kpi_core.document import Metric, Text
from kpi_core.errors import KpiError
from kpi_core.focus import choose
from kpi_core.lags import Months
from kpi_core.plan import Plan
from kpi_core.timeline import gain, run
from kpi_core.tree import Tree, evaluate, slopes

ROOT = Path(__file__).parents[2]
SAMPLE = Plan.from_text((ROOT / "sample_data/sample_plan.yaml").read_text(encoding="utf-8"))
SIX = ("F1", "F3", "I1", "I2", "M1", "M2")
YEAR = run(SAMPLE)


def test_the_year_and_what_every_visitor_is_worth_come_to_the_same():
    """T-B3: Σ visitors(t)·worth(t) = 108 deliveries at ¥8M, the months before the year included."""
    assert YEAR.kgi / 8e6 == pytest.approx(108, rel=1e-12)
    assert (YEAR.values["visitors"] * YEAR.worth["visitors"]).sum() / 8e6 == pytest.approx(108, rel=1e-9)


@pytest.mark.parametrize(
    ("stage", "full", "by_month"),
    [
        ("leads", 180_000, [175_986, 164_556, 138_006, 94_770, 46_062, 11_340, 0, 0]),
        ("appointments", 1_200_000, [1_196_400, 1_166_400, 1_054_800, 807_600, 448_800, 126_000, 0, 0]),
        ("meetings", 1_600_000, [1_600_000, 1_584_000, 1_488_000, 1_216_000, 752_000, 240_000, 0, 0]),
        ("proposals", 3_200_000, [3_200_000, 3_200_000, 3_200_000, 2_880_000, 2_240_000, 960_000, 0, 0]),
        ("wins", 8_000_000, [8_000_000] * 6 + [0, 0]),
    ],
)
def test_one_more_unit_is_worth_what_the_reference_says(stage, full, by_month):
    """Domain §4.4, August to March."""
    deadline = YEAR.deadlines[stage]

    assert deadline.full == pytest.approx(full, rel=1e-9)
    assert deadline.worth[4:] == pytest.approx(by_month, abs=1e-4)
    assert deadline.worth[0] == pytest.approx(full, rel=1e-9)


@pytest.mark.parametrize(
    ("stage", "ninety", "fifty", "last"),
    [
        ("leads", 6, 8, 10),
        ("appointments", 6, 8, 10),
        ("meetings", 7, 8, 10),
        ("proposals", 8, 9, 10),
        ("wins", 10, 10, 10),
    ],
)
def test_the_last_useful_months_are_those_of_the_reference(stage, ninety, fifty, last):
    """Domain §4.4: leads Sep/Nov/Jan … wins Jan/Jan/Jan; month 1 is April."""
    deadline = YEAR.deadlines[stage]

    assert (deadline.ninety, deadline.fifty, deadline.any) == (ninety, fifty, last)


def test_a_horizon_shorter_than_the_lead_time_has_no_useful_month():
    """Thirteen months from win to delivery: nothing won in this year is delivered in it."""
    late = run(SAMPLE.replace({"metrics.revenue.lag": [0] * 13 + [1]}))

    assert late.deadlines["wins"].any is None
    assert late.deadlines["leads"].ninety is None
    assert late.kgi == pytest.approx(864e6, rel=0.05)


@pytest.mark.parametrize("lever", json.loads((Path(__file__).parent / "infy_weights.json").read_text("utf-8")))
def test_each_month_decides_the_share_of_the_year_that_the_reference_says(lever):
    """Domain §4.5: the weights of a permanent change, and .379 … .169 already decided before April."""
    expected = json.loads((Path(__file__).parent / "infy_weights.json").read_text("utf-8"))[lever]

    decided = YEAR.decided("unit_price" if lever == "price" else lever)

    first = 1 - YEAR.setting.axis.past
    ours = {str(first + at): float(share) for at, share in enumerate(decided)}
    assert {month: ours.get(month, 0.0) for month in expected} == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("lever", "before"),
    [
        ("visitors", 0.379),
        ("meeting_rate", 0.337),
        ("proposal_rate", 0.311),
        ("proposal_win_rate", 0.261),
        ("unit_price", 0.169),
    ],
)
def test_what_is_decided_before_the_year_is_what_the_reference_says(lever, before):
    assert YEAR.decided(lever)[: YEAR.setting.axis.past].sum() == pytest.approx(before, abs=5e-4)


@pytest.mark.parametrize(
    ("lever", "ramp", "gain"),
    [
        ("cvr", None, 26.83),
        ("appt_rate", None, 26.83),
        ("proposal_win_rate", None, 31.94),
        ("proposal_win_rate", (1, 3), 26.59),
        ("appt_rate", (1, 3), 21.79),
        ("cvr", (2, 8), 11.36),
    ],
)
def test_five_percent_more_brings_less_the_earlier_the_stage_and_the_slower_the_ramp(lever, ramp, gain):
    """Domain §4.5, ¥M in the year, against a static 43.2."""
    months = np.arange(1, 13)
    reached = np.ones(12) if ramp is None else np.clip((months - ramp[0]) / (ramp[1] - ramp[0]), 0, 1)

    lifted = run(SAMPLE, times={lever: 1 + 0.05 * reached})

    assert (lifted.kgi - YEAR.kgi) / 1e6 == pytest.approx(gain, abs=0.005)


@pytest.mark.parametrize(
    ("lever", "step", "gain"),
    [
        ("cvr", 0.001, 44.72),
        ("appt_rate", 0.01, 35.77),
        ("meeting_rate", 0.01, 7.64),
        ("proposal_rate", 0.01, 11.90),
        ("proposal_win_rate", 0.01, 15.97),
    ],
)
def test_a_point_more_from_april_brings_in_the_year_what_the_reference_says(lever, step, gain):
    """Domain §6.2 in-FY column (T-S1: 7.64); the months before April stay as they were."""
    now = SAMPLE.tree.now(lever)

    moved = run(SAMPLE.replace({f"metrics.{lever}.value": now + step}), before=SAMPLE)

    assert (moved.kgi - YEAR.kgi) / 1e6 == pytest.approx(gain, abs=0.005)


def test_six_ksfs_bring_this_year_what_full_convolution_says():
    """T-K5: ¥971.45M, same optimum as at the average, ¥6.55M before the runner-up; ¥1,097.7M at full effect."""
    found = choose(SAMPLE, objective="year", exactly=2)

    assert found.chosen == SIX
    assert found.kgi / 1e6 == pytest.approx(971.45, abs=0.005)
    assert found.margin / 1e6 == pytest.approx(6.55, abs=0.005)
    assert [round(other.kgi / 1e6, 2) for other in found.next_best[:2]] == [964.90, 960.14]
    assert run(SAMPLE, SIX).kgi == pytest.approx(found.kgi, rel=1e-12)
    assert choose(SAMPLE, objective="run_rate", exactly=2).kgi / 1e6 == pytest.approx(1_097.7, abs=0.05)


def test_the_ledger_of_a_year_counts_what_arrives_in_it():
    """Product by product: CVR of M2 ramps 2 → 8 and 26 % of a permanent change arrive (11.36 of 43.2)."""
    found = choose(SAMPLE, objective="year")
    entry = next(entry for entry in found.ledger if (entry.ksf, entry.metric) == ("M2", "cvr"))

    assert entry.factors["ramp"] == pytest.approx(11.36 / 43.2, abs=2e-3)


def test_cash_comes_later_than_revenue():
    """Domain §4.2: 98 % arrive, .85 after one month, .12 after two, .03 after three. By hand for June."""
    june = 0.98 * sum(share * YEAR.year("revenue")[2 - month] for month, share in ((1, 0.85), (2, 0.12)))
    june += 0.98 * 0.03 * YEAR.values["revenue"][YEAR.setting.axis.past - 1]

    assert YEAR.cash[2] == pytest.approx(june, rel=1e-12)


def test_cash_without_months_arrives_at_once_and_a_file_says_so():
    plan = SAMPLE.replace({"cash": {"rate": 0.5, "lag": []}})

    assert Plan.from_text(plan.to_yaml()) == plan
    assert run(plan).cash == pytest.approx(0.5 * YEAR.year("revenue"), rel=1e-12)


def test_a_fiscal_year_may_begin_in_any_month():
    """October: the season's weights move along (visitors in October run 10 % above the mean)."""
    autumn = run(SAMPLE.replace({"fiscal_year": {"starts": "2026-10"}}))

    assert autumn.months[autumn.setting.axis.past] == "2026-10"
    assert autumn.year("visitors")[0] == pytest.approx(400_000 / 12 * 1.10)
    assert autumn.kgi == pytest.approx(864e6, rel=1e-12)


def test_quarters_and_halves_sum_flows_and_average_levels():
    quarters, halves = YEAR.parts("visitors", 4), YEAR.parts("cvr", 2)

    assert quarters[0] == pytest.approx(400_000 / 12 * (0.95 + 0.90 + 1.05))
    assert sum(quarters) == pytest.approx(400_000)
    assert halves == pytest.approx((0.012, 0.012))


def test_revenue_spread_over_months_is_a_lead_time_like_any_other():
    """A subscription: twelve equal parts from two months after the win on. In a steady year all is the same."""
    steady = SAMPLE.replace({"metrics.visitors.season": [1] * 12, "metrics.revenue.lag": [0, 0] + [1 / 12] * 12})

    found = run(steady)

    assert found.kgi == pytest.approx(864e6, rel=1e-9)
    assert found.deadlines["wins"].ninety is None
    assert found.deadlines["wins"].worth[0] == pytest.approx(8e6 * 10 / 12)


def test_known_months_replace_what_was_assumed_of_them():
    """Twice the leads in March: in April .6·.7·.5·.3 = 6.3 % of the extra wins would have come in March."""
    march = SAMPLE.replace({"metrics.leads.history": [800.0]})
    extra = 800.0 - YEAR.values["leads"][YEAR.setting.axis.past - 1]

    found = run(march)

    assert found.values["leads"][found.setting.axis.past - 1] == pytest.approx(800)
    assert found.kgi - YEAR.kgi == pytest.approx(extra * YEAR.worth["leads"][YEAR.setting.axis.past - 1], rel=1e-9)
    assert found.worth["leads"] == pytest.approx(YEAR.worth["leads"])


def test_open_meetings_and_proposals_come_in_as_the_reference_says():
    """T-B5 through the whole engine: 34 and 6 proposals from the meetings, 14.857, 5.829, 1.714 wins from those."""
    nothing = {f"opening.stock.{stage}": [0.0] for stage in ("leads", "appointments")}
    none_else = {"metrics.visitors.value": 0.0, "metrics.visitors.low": 0.0, **nothing}
    meetings = SAMPLE.replace({**none_else, "opening.stock.meetings": [60, 20], "opening.stock.proposals": [0.0]})
    proposals = SAMPLE.replace({**none_else, "opening.stock.meetings": [0.0], "opening.stock.proposals": [30, 18, 8]})

    before_wins = run(meetings, before=SAMPLE).year("proposals")
    wins = run(proposals, before=SAMPLE).year("wins")

    assert before_wins[:3] == pytest.approx([34, 6, 0], abs=1e-9)
    assert wins[:4] == pytest.approx([14.857, 5.829, 1.714, 0], abs=5e-4)


def test_a_stock_that_nothing_waits_for_is_refused_with_the_cure():
    with pytest.raises(KpiError) as refused:
        run(SAMPLE.replace({"opening.stock.visitors": [5.0]}))

    assert refused.value.code == "stock_not_waiting"
    assert refused.value.facts["metric"] == "visitors"


def test_the_month_in_which_a_team_has_too_much_work_is_named():
    """By hand: 3 people · 20 days · 480 min · .85 = 24,480; leads of October 400·1.1 = 440 at 60 min = 26,400."""
    busy = run(SAMPLE.replace({"metrics.leads.work.inside_sales": 60.0}))
    (load,) = [load for load in busy.loads if load.team == "inside_sales"]

    assert load.room == pytest.approx(24_480)
    assert load.minutes[6] == pytest.approx(26_400 + _others(busy, 6))
    assert 7 in load.binding
    assert 2 not in load.binding


def _others(found, month):
    return sum(
        entry.work.get("inside_sales", 0.0) * found.year(metric)[month]
        for metric, entry in SAMPLE.metrics.items()
        if metric != "leads" and entry.work
    )


def test_a_ksf_may_lift_what_is_computed():
    """Leads ×(1 + g): the same as lifting the conversion rate that makes them."""
    lift = {"team": "marketing", "moves": {"leads": [0.1, 0.1, 0.1]}, "ramp": [0.0, 1.0]}
    both = SAMPLE.replace(
        {
            "ksfs.Z1": {**lift, "name": "リード"},
            "ksfs.Z2": {**lift, "name": "CVR", "moves": {"cvr": [0.1, 0.1, 0.1]}},
        }
    )

    assert run(both, ["Z1"]).kgi == pytest.approx(run(both, ["Z2"]).kgi, rel=1e-12)
    assert choose(both, objective="year", lock=["Z1"]).kgi == pytest.approx(
        run(both, choose(both, objective="year", lock=["Z1"]).chosen).kgi, rel=1e-12
    )


def test_an_unknown_ksf_is_named():
    with pytest.raises(KpiError) as refused:
        run(SAMPLE, ["F9"])

    assert refused.value.code == "unknown_ksf"


# Random trees: flows from several sources through rates and sums, each step with a random lead time.


class Grown:
    """A random tree, its formulas kept as data so that plain Python can run it too."""

    def __init__(self, seed):
        chance = random.Random(seed)
        self.steps, self.values, self.lags = {}, {}, {}
        flows = [self._input(f"s{at}", chance.uniform(10, 1000)) for at in range(chance.randint(1, 3))]
        for at in range(chance.randint(2, 9)):
            kind = chance.choice(["rate", "rate", "sum", "share"])
            one, other = chance.choice(flows), chance.choice(flows)
            if kind == "sum":
                self.steps[f"f{at}"] = ("+", one, other)
            else:
                rate = self._input(f"r{at}", chance.uniform(0.1, 3.0))
                self.steps[f"f{at}"] = ("*" if kind == "rate" else "/", one, rate)
            weights = [chance.random() for _ in range(chance.randint(1, 5))]
            self.lags[f"f{at}"] = [weight / sum(weights) for weight in weights]
            flows.append(f"f{at}")
        self.kgi = flows[-1]
        self.sources = [name for name in self.values if name.startswith("s")]

    def _input(self, name, value):
        self.values[name] = value
        return name

    def tree(self):
        entries = {name: Metric(name=Text(en=name), kind="money", value=value) for name, value in self.values.items()}
        for name, (sign, one, other) in self.steps.items():
            entries[name] = Metric(
                name=Text(en=name), kind="money", formula=f"{one} {sign} {other}", lag=tuple(self.lags[name])
            )
        return Tree(entries)

    def by_hand(self, inputs, count):
        """Run month by month in plain Python."""
        found = {name: list(months) for name, months in inputs.items()}
        for name, (sign, one, other) in self.steps.items():
            entered = []
            for month in range(count):
                a, b = found[one][month], found[other][month]
                entered.append({"+": a + b, "*": a * b, "/": a / b}[sign])
            found[name] = [
                sum(share * entered[month - j] for j, share in enumerate(self.lags[name]) if month - j >= 0)
                for month in range(count)
            ]
        return found


@pytest.mark.parametrize("seed", range(200))
def test_random_trees_run_as_plain_python_does_and_backward_meets_forward(seed):
    grown, count = Grown(seed), 30
    shake = np.random.default_rng(seed)
    inputs = {name: value * shake.uniform(0.5, 1.5, count) for name, value in grown.values.items()}
    counted = np.concatenate([np.zeros(18), np.ones(12)])

    found = evaluate(grown.tree(), inputs, months=Months(count))
    worth = slopes(grown.tree(), grown.kgi, inputs, months=Months(count), weights=counted)

    by_hand = grown.by_hand(inputs, count)
    for name, months in by_hand.items():
        assert found[name] == pytest.approx(months, rel=1e-9)
    year = sum(by_hand[grown.kgi][18:])
    assert sum(float((inputs[name] * worth[name]).sum()) for name in grown.sources) == pytest.approx(year, rel=1e-9)


def test_the_sample_plan_runs_as_plain_python_does():
    """Forty-eight lines that know nothing of trees: domain §4.9, with the season and the six KSFs' ramps."""
    axis = YEAR.setting.axis
    given = {lever: np.broadcast_to(pace, axis.count) for lever, pace in run(SAMPLE, SIX).setting.values.items()}

    def step(values, rates, lag):
        entered = [value * rate for value, rate in zip(values, rates, strict=True)]
        return [sum(k * entered[t - j] for j, k in enumerate(lag) if t >= j) for t in range(axis.count)]

    leads = step(given["visitors"] / 12, given["cvr"], [1])
    appointments = step(leads, given["appt_rate"], [0.6, 0.3, 0.1])
    meetings = step(appointments, given["meeting_rate"], [0.7, 0.3])
    proposals = step(meetings, given["proposal_rate"], [0.5, 0.4, 0.1])
    wins = step(proposals, given["proposal_win_rate"], [0.3, 0.4, 0.2, 0.1])
    revenue = step(wins, given["unit_price"], [0, 0, 1])

    found = run(SAMPLE, SIX)
    for name, months in (("leads", leads), ("proposals", proposals), ("wins", wins), ("revenue", revenue)):
        assert found.values[name] == pytest.approx(months, rel=1e-9)


@pytest.mark.parametrize("count", [1, 40, 3_000, 30_000])
def test_many_draws_of_months_are_what_each_draw_is_by_itself(count):
    """Long ones are cut into blocks; the answer may not show it, nor how the memory lies."""
    shake, axis = np.random.default_rng(count), YEAR.setting.axis
    rates = shake.uniform(0.1, 0.2, count)
    here = axis.numbers >= 1
    draws = np.where(here[:, None], rates[None, :], 0.15).T

    found = evaluate(
        SAMPLE.tree_by_month, {**YEAR.setting.values, "appt_rate": draws}, only=["revenue"], months=Months(axis.count)
    )["revenue"]

    for at in {0, count // 2, count - 1}:
        alone = {**YEAR.setting.values, "appt_rate": draws[at]}
        one = evaluate(SAMPLE.tree_by_month, alone, months=Months(axis.count))["revenue"]
        assert found[at] == pytest.approx(one, rel=1e-12)


@pytest.mark.parametrize(
    "adjust",
    [{}, {"meetings": (1.1, 2.0)}, {"leads": (np.linspace(1, 2, 24), 0.0)}, {"wins": (1.0, np.arange(24.0))}],
)
@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("count", [3_000, 30_000])
def test_what_lasts_has_always_been_so_however_many_draws_there_are(adjust, lasting, count):
    """One value for all months has no first month before which nothing was put in, in blocks neither."""
    tree, months = SAMPLE.tree_by_month, Months(24, adjust)
    shake = np.random.default_rng(5)
    draws = {lever: tree.now(lever) * shake.uniform(0.5, 1.0, (count, 1)) for lever in tree.inputs}
    if not lasting:
        draws["appt_rate"] = draws["appt_rate"] * np.linspace(0.5, 1, 24)

    found = evaluate(tree, draws, months=months)

    for at in (0, count // 2, count - 1):
        alone = evaluate(tree, {lever: values[at] for lever, values in draws.items()}, months=months)
        for metric, values in alone.items():
            assert np.broadcast_to(found[metric][at], 24) == pytest.approx(np.broadcast_to(values, 24), rel=1e-12)
    if not adjust and lasting:
        assert np.ptp(found["revenue"], axis=1).max() == 0


def test_a_rate_that_a_month_makes_impossible_is_refused_in_blocks_as_well():
    axis = YEAR.setting.axis
    draws = np.full((30_000, axis.count), 0.5)
    draws[29_000, 20] = 1.2

    with pytest.raises(KpiError) as refused:
        evaluate(
            SAMPLE.tree_by_month,
            {**YEAR.setting.values, "appt_rate": draws},
            only=["revenue"],
            months=Months(axis.count),
        )

    assert refused.value.code == "rate_out_of_range"
    assert refused.value.facts["metric"] == "appt_rate"


def test_a_monthly_plan_counts_a_unit_over_the_whole_year():
    """A call of April is worth what the tree says, a call of March what still comes in its own month: .7 of .3."""
    monthly = Plan.from_text((ROOT / "sample_data/templates/is_phase.yaml").read_text(encoding="utf-8"))

    found = run(monthly)

    calls = found.deadlines["calls"]
    assert found.kgi == pytest.approx(monthly.tree.now("booked"), rel=1e-12)
    assert calls.worth[0] == pytest.approx(calls.full, rel=1e-12)
    assert calls.worth[-1] == pytest.approx(calls.full * 0.7 * 0.3, rel=1e-12)


def test_with_ksfs_at_work_a_unit_never_has_more_than_its_complete_worth():
    """The rates rise while it is under way: complete is what it is worth if the year went on, at most 100 % of it."""
    helped = run(SAMPLE, SIX)

    for deadline in helped.deadlines.values():
        assert (deadline.share <= 1 + 1e-12).all()
        assert deadline.share[0] == pytest.approx(1)
        assert deadline.complete[-1] > deadline.full
    assert helped.deadlines["wins"].complete[0] == pytest.approx(8e6)


def test_what_a_point_more_brings_this_year_falls_the_later_it_comes():
    """T-S1: ¥7.64M of ¥11.52M from April; nothing from February on."""
    gains = [gain(SAMPLE, "meeting_rate", 0.01, start=month) for month in range(1, 13)]

    assert gains[0] / 1e6 == pytest.approx(7.64, abs=0.005)
    assert gains == sorted(gains, reverse=True)
    assert gains[10] == pytest.approx(0, abs=1e-6)
    with pytest.raises(KpiError, match="not an input"):
        gain(SAMPLE, "leads", 1.0)


def test_a_levers_reach_is_the_part_of_its_yearly_effect_that_still_arrives():
    """Domain §4.5: 26.83 of 43.2 (62 %) for the appointment rate, 31.94 of 43.2 (74 %) for the proposal win rate."""
    assert YEAR.reach("appt_rate")[0] == pytest.approx(26.83 / 43.2, abs=2e-4)
    assert YEAR.reach("proposal_win_rate")[0] == pytest.approx(31.94 / 43.2, abs=2e-4)
    assert YEAR.alive("appt_rate")[10] == 0


def test_a_rate_that_is_computed_stops_at_its_cap_through_the_months_too():
    """契約率 lifted by 500 % would be 120 %: it stays at the cap of 95 %, by month as in the choice of KSFs."""
    bold = SAMPLE.replace(
        {
            "metrics.wins.by_month": None,
            "ksfs.Z1": {
                "name": "大胆",
                "team": "field_sales",
                "moves": {"close_rate": [9.0, 9.0, 9.0]},
                "ramp": [0.0, 1.0],
            },
        }
    )

    found = run(bold, ["Z1"])

    assert found.kgi == pytest.approx(choose(bold, objective="year", lock=["Z1"], rule_out=list(SAMPLE.ksfs)).kgi)
    last = found.setting.axis.count - 1
    assert found.values["wins"][last] == pytest.approx(
        sum(k * found.values["meetings"][last - j] * 0.95 for j, k in enumerate([0.3, 0.4, 0.2, 0.1])), rel=1e-9
    )


def test_what_is_there_all_year_has_no_month_in_which_it_comes_in():
    """Web basics: 250 · .92 + 70 = 300 customers are about 300 in every month, and no stage of the calendar."""
    web = Plan.from_text((ROOT / "sample_data/templates/web_basic.yaml").read_text(encoding="utf-8"))

    found = run(web)

    assert "customers" not in found.deadlines
    assert found.total("customers") == pytest.approx(300, rel=1e-9)
    assert found.year("customers")[0] == pytest.approx(300, rel=0.05)
