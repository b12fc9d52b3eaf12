"""The chance beside a target. Figures of the reference: domain §5.4 (individual probabilities), T-P1."""

from pathlib import Path

import pytest
from scipy.stats import betabinom

from kpi_core.goal import least_effort
from kpi_core.plan import Plan
from kpi_core.targets import happens, target_chances, tries

ROOT = Path(__file__).parents[2]
SAMPLE = Plan.from_text((ROOT / "sample_data/sample_plan.yaml").read_text(encoding="utf-8"))


def template(name):
    return Plan.from_text((ROOT / f"sample_data/templates/{name}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("rate", "chance"),
    [("appt_rate", 0.309), ("meeting_rate", 0.203), ("proposal_rate", 0.346), ("proposal_win_rate", 0.448)],
)
def test_each_part_of_the_least_effort_spread_has_the_chance_of_the_reference(rate, chance):
    """Domain §5.4: 738 of 4,800, 554 of 720, 277 of 540, 110 of 270, judged by last year's numbers."""
    spread = least_effort(SAMPLE)

    found = target_chances(SAMPLE, {rate: spread[rate].value})[rate]

    assert found.probability == pytest.approx(chance, abs=5e-4)
    assert found.assumed


def test_a_rate_with_a_history_of_its_own_is_judged_by_that():
    """T-P1: 108 of 540 before, 125 of 540 needed: .1109, reckless."""
    known = SAMPLE.replace({"metrics.close_rate.tried": [108, 540]})

    found = target_chances(known, {"close_rate": 125 / 540})["close_rate"]

    assert found.probability == pytest.approx(0.1109, abs=5e-5)
    assert found.verdict == "reckless"
    assert not found.assumed


def test_a_past_that_counts_half_leaves_more_doubt():
    """Domain §5.1: the same with δ = 0.5 is .1614."""
    half = SAMPLE.replace({"metrics.close_rate.tried": [108, 540], "assumptions.history_weight": 0.5})

    assert target_chances(half, {"close_rate": 125 / 540})["close_rate"].probability == pytest.approx(0.1614, abs=5e-5)


def test_a_count_with_known_months_is_judged_by_them():
    """Domain §5.2: 5,000 of the reference's twelve months of leads: .1102."""
    months = [380, 360, 420, 421, 340, 419, 440, 441, 360, 400, 419, 400]
    known = SAMPLE.replace({"metrics.leads.history": months})

    found = target_chances(known, {"leads": 5_000})["leads"]

    assert found.probability == pytest.approx(0.1102, abs=5e-5)
    assert not found.assumed


def test_what_was_before_is_the_history_even_when_the_plan_has_moved():
    moved = SAMPLE.replace({"metrics.meeting_rate.value": 0.85})

    judged = target_chances(moved, {"meeting_rate": 0.7685}, before=SAMPLE)

    assert judged["meeting_rate"].probability == pytest.approx(0.203, abs=5e-4)


def test_of_a_rate_that_should_fall_the_chance_is_to_stay_below():
    """Churn: 20 of 200 were lost; at most 8 % are 16 of 200: against SciPy. What is above last year's is easy."""
    churn = template("keypoint").replace({"metrics.churn.tried": [20, 200]})

    found, easy = (target_chances(churn, {"churn": needed})["churn"] for needed in (0.08, 0.2))

    assert found.probability == pytest.approx(betabinom.cdf(16, 200, 20.5, 180.5), rel=1e-9)
    assert easy.probability > 0.99


@pytest.mark.parametrize(
    ("plan", "metric", "trials"),
    [
        ("funnel", "cvr", 400_000),
        ("funnel", "close_rate", 540),
        ("funnel", "proposal_win_rate", 270),
        ("funnel", "unit_price", None),
        ("abm", "key_page_cv", 300 * 0.6 * 0.5),
        ("is_phase", "connect_rate", 1_200 * 12),
        ("keypoint", "churn", None),
    ],
)
def test_trials_are_what_a_rate_is_multiplied_onto(plan, metric, trials):
    found = tries(template(plan), metric)

    assert found == (None if trials is None else pytest.approx(trials))


def test_what_a_team_decides_or_keeps_has_no_chance():
    abm, web = template("abm"), template("web_basic")

    assert not happens(abm, "target_accounts")
    assert not happens(abm, "is_headcount")
    assert not happens(web, "customers")
    assert happens(SAMPLE, "visitors")
    assert happens(SAMPLE, "wins")
    assert target_chances(abm, {"is_headcount": 6, "unit_price": 4e7, "workdays": 250}) == {}


def test_a_target_beyond_all_trials_has_no_chance_at_all():
    sure = SAMPLE.replace({"metrics.close_rate.tried": [0, 1]})

    assert 0 <= target_chances(sure, {"close_rate": 1.0})["close_rate"].probability < 1
    assert target_chances(SAMPLE, {"meeting_rate": 1.4}) == {}


def test_nothing_to_judge_by_is_said_by_leaving_it_out():
    none = SAMPLE.replace({"metrics.visitors.value": 0.0, "metrics.visitors.low": 0.0})

    assert target_chances(none, {"visitors": 100.0, "appt_rate": 0.2}) == {}
