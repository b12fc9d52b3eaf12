"""Back-calculation through time. Figures of the reference: domain §4.1, §4.3, §4.6, §4.8, T-B1, T-B2, T-B4."""

from pathlib import Path

import numpy as np
import pytest

from kpi_core.errors import KpiError
from kpi_core.luck import luck, planned_target
from kpi_core.pacing import (
    equal_lift,
    profile,
    rate_levers,
    smooth,
    volume,
    with_volume,
)
from kpi_core.plan import Plan
from kpi_core.timeline import run
from tests.plans import channels

ROOT = Path(__file__).parents[2]
SAMPLE = Plan.from_text((ROOT / "sample_data/sample_plan.yaml").read_text(encoding="utf-8"))
SIX = ("F1", "F3", "I1", "I2", "M1", "M2")
LEAD_TO_WIN = np.convolve(np.convolve([0.6, 0.3, 0.1], [0.7, 0.3]), np.convolve([0.5, 0.4, 0.1], [0.3, 0.4, 0.2, 0.1]))


@pytest.mark.parametrize(("start", "factor"), [(1, 1.2535), (3, 1.3371), (5, 1.5386), (7, 2.1009)])
def test_visitors_must_rise_the_more_the_later_one_starts(start, factor):
    """T-B2. By hand for April: (1,000 − 327.4)/(864 − 327.4) = 1.2535, not the 1.1574 of a division."""
    found = volume(SAMPLE, start=start)

    assert found.levers == ("visitors",)
    assert found.factor == pytest.approx(factor, abs=5e-5)
    assert with_volume(SAMPLE, found).kgi == pytest.approx(1e9, rel=1e-9)


def test_what_entered_before_april_brings_what_the_reference_says():
    assert volume(SAMPLE).past / 1e6 == pytest.approx(327.4, abs=0.05)
    assert volume(SAMPLE).base == pytest.approx(864e6)


def test_an_equal_lift_of_all_rates_from_april_is_that_of_the_reference():
    """+4.35 %, against +2.97 % when time is left out of account."""
    found = equal_lift(SAMPLE)

    assert rate_levers(SAMPLE) == ("cvr", "appt_rate", "meeting_rate", "proposal_rate", "proposal_win_rate")
    assert found.factor == pytest.approx(1.0435, abs=5e-5)
    assert with_volume(SAMPLE, found).kgi == pytest.approx(1e9, rel=1e-9)


def test_the_required_plan_is_the_table_of_the_reference():
    """Domain §4.3; T-B1: open on 1 April 18.20, and with the wins until 31 January 125.00."""
    needed = with_volume(SAMPLE, volume(SAMPLE))
    rows = {
        "visitors": "39693 37604 43871 43871 35515 43871 45960 45960 37604 41782 43871 41782",
        "leads": "476.3 451.2 526.5 526.5 426.2 526.5 551.5 551.5 451.2 501.4 526.5 501.4",
        "appointments": "67.17 68.05 74.83 77.84 69.94 74.46 79.72 82.35 73.70 73.70 76.71 76.34",
        "meetings": "48.97 50.84 54.60 57.70 54.23 54.83 58.61 61.17 57.22 55.28 56.86 57.34",
        "proposals": "23.66 24.79 26.26 27.89 27.83 27.44 28.33 29.76 29.47 28.32 28.13 28.47",
        "wins": "9.17 9.47 9.92 10.48 10.89 11.03 11.13 11.41 11.66 11.63 11.46 11.36",
    }

    for stage, printed in rows.items():
        digits = 10.0 ** -len(printed.split()[0].partition(".")[2])
        assert needed.year(stage) == pytest.approx([float(one) for one in printed.split()], abs=0.51 * digits)
    assert needed.year("revenue") / 1e6 == pytest.approx(
        [73.1, 72.5, 73.4, 75.8, 79.4, 83.8, 87.2, 88.2, 89.1, 91.3, 93.3, 93.0], abs=0.051
    )
    assert needed.cash / 1e6 == pytest.approx(
        [72.7, 71.8, 71.2, 71.8, 73.9, 77.2, 81.4, 84.8, 86.2, 87.1, 89.1, 91.1], abs=0.051
    )
    assert needed.cash.sum() / 1e6 == pytest.approx(958.3, abs=0.05)
    assert needed.uncollected / 1e6 == pytest.approx(109.8, abs=0.05)
    assert needed.total("leads") == pytest.approx(6_016.6, abs=0.05)
    already_won = needed.values["wins"][needed.setting.axis.past - 2 : needed.setting.axis.past].sum()
    assert already_won == pytest.approx(18.20, abs=0.005)
    assert already_won + needed.year("wins")[:10].sum() == pytest.approx(125.00, rel=1e-9)


def test_it_takes_125_wins():
    """T-B1, domain §4.1: ⌈1,000M/8M⌉; and a price of 7M takes 143 of them, the rest rounded up."""
    dearer = SAMPLE.replace({"metrics.unit_price.value": 7e6})

    assert luck(SAMPLE).needed == 125
    assert luck(SAMPLE).metric == "wins"
    assert luck(dearer).needed == 143


@pytest.mark.parametrize(("chance", "wins"), [(0.7, 130.61), (0.8, 134.30), (0.9, 139.53)])
def test_to_be_surer_more_must_be_expected(chance, wins):
    """T-B4: 130.61, 134.30, 139.53 expected deliveries for 70, 80 and 90 %."""
    assert planned_target(SAMPLE, chance) / 8e6 == pytest.approx(wins, abs=0.005)


def test_a_chosen_chance_raises_what_is_needed_everywhere():
    """By hand for 80 %: (134.30·8 − 327.41)/(864 − 327.41) = 1.3921."""
    found = volume(SAMPLE, confidence=0.8)

    assert found.factor == pytest.approx((134.2993 * 8 - 327.41388) / (864 - 327.41388), abs=1e-5)
    assert equal_lift(SAMPLE, confidence=0.8).factor > equal_lift(SAMPLE).factor
    assert profile(SAMPLE, confidence=0.8).kgi.sum() == pytest.approx(134.2993e0 * 8e6, rel=1e-5)


@pytest.mark.parametrize(("expected", "chance"), [(125, 0.5119), (108, 0.0588), (971.45 / 8, 0.3850)])
def test_the_chance_of_125_deliveries_is_that_of_the_reference(expected, chance):
    """Domain §4.6: planned exactly 51 %, as it is 6 %, with six KSFs 38.5 %."""
    assert luck(SAMPLE).chance_of(expected) == pytest.approx(chance, abs=5e-5)


def test_six_ksfs_and_four_percent_more_visitors_reach_the_goal():
    """Domain §3.5: the remaining lever is visitors ×1.0444 from April."""
    found = volume(SAMPLE, ksfs=SIX)

    assert found.factor == pytest.approx(1.0444, abs=5e-5)
    assert with_volume(SAMPLE, found, SIX).kgi == pytest.approx(1e9, rel=1e-9)


def test_more_scatter_than_poisson_asks_for_a_larger_buffer():
    """Against SciPy's negative binomial with variance 2·mean."""
    from scipy.stats import nbinom

    wild = luck(SAMPLE.replace({"assumptions.scatter": 2.0}))
    mean = wild.mean_for(0.8)

    assert mean > luck(SAMPLE).mean_for(0.8)
    assert nbinom.sf(124, mean, 0.5) == pytest.approx(0.8, abs=1e-9)


def test_customers_who_stay_are_no_luck():
    """A sum of customers kept and won varies far less than a Poisson count: no buffer is claimed."""
    template = Plan.from_text((ROOT / "sample_data/templates/web_basic.yaml").read_text(encoding="utf-8"))

    assert luck(template) is None
    assert planned_target(template, 0.9) == template.kgi.target


@pytest.mark.parametrize("chance", [0.0, 1.0, -0.5, 7.0])
def test_a_chance_that_is_none_is_refused(chance):
    with pytest.raises(KpiError) as refused:
        planned_target(SAMPLE, chance)

    assert refused.value.code == "bad_chance"


def test_a_start_after_which_nothing_arrives_says_so():
    """A visitor of February is delivered in April at the earliest."""
    assert volume(SAMPLE, start=11).limit == "too_late"
    assert volume(SAMPLE, start=11).factor is None
    with pytest.raises(KpiError) as refused:
        profile(SAMPLE, start=11)
    assert refused.value.code == "too_late"


def test_a_goal_that_is_passed_already_says_so():
    found = volume(SAMPLE.replace({"kgi.target": 500_000_000}))

    assert found.limit == "already"
    assert found.reachable
    assert found.factor == pytest.approx((500 - 327.41388) / (864 - 327.41388), abs=1e-6)


def test_rates_that_would_have_to_pass_100_percent_say_so():
    found = equal_lift(SAMPLE.replace({"kgi.target": 5_000_000_000}))

    assert found.limit == "natural"
    assert found.factor is None


def test_a_factor_beyond_a_levers_own_range_is_found_and_doubted():
    """Visitors ×2.1 from October are 840,000 a year; their plausible end is 520,000."""
    assert volume(SAMPLE, start=7).limit == "plausible"
    assert volume(SAMPLE, start=1).limit is None


@pytest.mark.parametrize("start", [0, 13, -1])
def test_a_month_that_is_none_is_refused(start):
    with pytest.raises(KpiError) as refused:
        volume(SAMPLE, start=start)

    assert refused.value.code == "bad_month"


def test_what_is_no_lever_is_refused():
    with pytest.raises(KpiError) as refused:
        volume(SAMPLE, ["leads"])

    assert refused.value.code == "not_a_lever"


def test_without_lead_times_the_answer_is_the_plain_division():
    """No lags: (target − 0)/base from April is what a spreadsheet says."""
    plain = channels(2, 1)

    found = volume(plain, [lever for lever in plan_levers(plain) if lever.startswith("visitors")])

    assert found.factor == pytest.approx(plain.kgi.target / plain.tree.now(plain.kgi.metric), rel=1e-9)


def plan_levers(plan):
    return plan.tree.levers(plan.kgi.metric)


def test_even_wins_need_463_leads_every_month():
    """Domain §4.8: W = 125/12, r = .0225: 462.96 in every month, those before the year included."""
    count, back = 24, len(LEAD_TO_WIN) - 1
    response = np.zeros((count, count + back))
    for month in range(count):
        for entered in range(month, month + back + 1):
            response[month, entered] = 0.0225 * LEAD_TO_WIN[month + back - entered]

    leads = smooth(response, np.full(count, 125 / 12), unit=0.0225)

    assert leads == pytest.approx(np.full(count + back, 125 / 12 / 0.0225), rel=1e-6)


def test_a_profile_never_oscillates():
    """Wins that jump by a third in July: unsmoothed, leads swing from 0 to over a thousand; smoothed they do not."""
    from scipy.optimize import nnls

    count = 12
    response = np.array(
        [
            [0.0225 * LEAD_TO_WIN[t - u] if 0 <= t - u < len(LEAD_TO_WIN) else 0.0 for u in range(count)]
            for t in range(count)
        ]
    )
    wanted = np.where(np.arange(count) < 3, 9.0, 12.0)

    rough = nnls(response, wanted)[0]
    even = smooth(response, wanted, unit=0.0225)

    def swings(x):
        turns = np.diff(x)
        return np.abs(turns).sum() / x.mean()

    assert swings(rough) > 10
    assert swings(even) < 4
    assert even.min() >= 0


@pytest.mark.parametrize("start", [1, 3, 5, 7])
def test_the_profile_reaches_the_goal_and_is_what_the_engine_makes_of_it(start):
    found = profile(SAMPLE, start=start)

    again = run(SAMPLE, times={"visitors": found.needed / found.planned})
    assert again.year("revenue") == pytest.approx(found.kgi, rel=1e-9)
    assert again.kgi == pytest.approx(1e9, rel=1e-6)
    assert (found.needed >= 0).all()
    assert found.needed[: start - 1] == pytest.approx(found.planned[: start - 1])
    assert found.idle == (11, 12)


def test_with_a_jump_in_the_tree_the_first_factor_that_reaches_the_goal_is_found():
    """Visitors above 450,000 a year bring a tenth more: not a straight line, so it is searched."""
    jumpy = SAMPLE.replace({"metrics.leads.formula": "visitors * cvr * if(visitors > 450000, 1.1, 1)"})

    found = volume(jumpy)

    assert with_volume(jumpy, found).kgi >= 1e9 * (1 - 1e-6)
    less = run(jumpy, times={"visitors": np.full(12, found.factor * 0.999)})
    assert less.kgi < 1e9


def test_a_rate_of_which_less_is_better_is_not_lifted():
    """More churn is no lift; without it (÷ 0) the KGI has no value, and the answer is found all the same."""
    template = Plan.from_text((ROOT / "sample_data/templates/keypoint.yaml").read_text(encoding="utf-8"))

    lifted, churn = equal_lift(template), volume(template, ["churn"])

    assert "churn" not in lifted.levers
    assert with_volume(template, lifted).kgi == pytest.approx(template.kgi.target, rel=1e-9)
    assert churn.past is None
