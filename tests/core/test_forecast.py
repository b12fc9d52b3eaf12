"""The forecast against closed forms, SciPy and plain random draws. Figures of the reference: domain §6.5 (T-S3)."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from kpi_core.chance import at_least
from kpi_core.errors import KpiError
from kpi_core.forecast import fan, forecast, lucky, uncertain
from kpi_core.plan import Plan
from kpi_core.ranges import moments
from kpi_core.timeline import run

ROOT = Path(__file__).parents[2]
SAMPLE = Plan.from_text((ROOT / "sample_data/sample_plan.yaml").read_text(encoding="utf-8"))
SIX = ("F1", "F3", "I1", "I2", "M1", "M2")
LEVERS = [SAMPLE.metrics[lever] for lever in SAMPLE.tree.inputs]


def plainly(count, seed):
    """Draw with NumPy's own triangular generator and multiply by hand."""
    random = np.random.default_rng(seed)
    kgi = np.ones(count)
    for entry in LEVERS:
        kgi *= random.triangular(entry.low, entry.value, entry.high, count)
    return kgi


def test_the_chance_of_the_goal_is_that_of_the_reference():
    """T-S3: .306 ± .005; mean 882.7M, cv .3429, P10/50/90 531.5/840.8/1,288.4 within its own sampling error."""
    found = forecast(SAMPLE)

    assert found.p_goal == pytest.approx(0.306, abs=0.005)
    assert found.mean / 1e6 == pytest.approx(882.7, abs=0.05)
    assert found.draws.std() / found.mean == pytest.approx(0.3429, abs=2e-4)
    assert [found.quantiles[share] / 1e6 for share in (0.1, 0.5, 0.9)] == pytest.approx(
        [531.5, 840.8, 1288.4], rel=5e-3
    )


def test_mean_and_variance_are_those_of_the_product():
    """Independent factors: E = Π means, E² + Var = Π (mean² + variance)."""
    pairs = [moments(entry) for entry in LEVERS]
    mean = np.prod([mean for mean, _ in pairs])
    square = np.prod([mean**2 + variance for mean, variance in pairs])

    found = forecast(SAMPLE, draws=2**16)

    assert found.mean == pytest.approx(mean, rel=1e-5)
    assert found.draws.var() == pytest.approx(square - mean**2, rel=2e-3)


def test_a_million_plain_draws_lie_within_the_printed_error():
    """For 99 of 100 seeds, ours and theirs: each pair differs by no more than our printed error."""
    inside = [
        abs(found.p_goal - np.mean(plainly(1_000_000, seed) >= 1e9)) <= found.error
        for seed, found in ((seed, forecast(SAMPLE, seed=seed)) for seed in range(100))
    ]

    assert sum(inside) >= 99


def test_sixteen_thousand_sobol_points_err_no_more_on_the_mean_than_a_million_plain_draws():
    truth = np.prod([moments(entry)[0] for entry in LEVERS])

    ours = [abs(forecast(SAMPLE, seed=seed).mean - truth) for seed in range(10)]
    theirs = [abs(plainly(1_000_000, seed).mean() - truth) for seed in range(10)]

    assert np.median(ours) <= np.median(theirs)
    assert np.max(ours) <= np.max(theirs)


def test_the_same_plan_gives_the_same_digits_whatever_came_between():
    first = forecast(SAMPLE)
    moved = forecast(SAMPLE.replace({"metrics.cvr.value": 0.013}))
    again = forecast(SAMPLE.replace({"metrics.cvr.value": 0.013}).replace({"metrics.cvr.value": 0.012}))

    assert moved.p_goal != first.p_goal
    assert np.array_equal(again.draws, first.draws)
    assert np.array_equal(moved.levers["visitors"], first.levers["visitors"])  # common random numbers


def test_without_ranges_all_draws_are_the_plan():
    still = SAMPLE
    for lever in SAMPLE.tree.inputs:
        still = still.replace({f"metrics.{lever}.low": None, f"metrics.{lever}.high": None})

    found = forecast(still, draws=2**6)

    assert uncertain(still) == ()
    assert found.draws == pytest.approx(np.full(64, 864e6))
    assert found.p_goal == 0
    assert found.error == 3 / 64


def test_luck_alone_is_a_poisson_count():
    """108 expected, 125 needed: 5.88 % (domain §4.6), all levers known."""
    still = SAMPLE
    for lever in SAMPLE.tree.inputs:
        still = still.replace({f"metrics.{lever}.low": None, f"metrics.{lever}.high": None})

    found = forecast(still, draws=2**16, with_luck=True)

    assert found.p_goal == pytest.approx(0.0588, abs=5e-4)
    assert found.luck.metric == "wins"
    assert found.mean == pytest.approx(864e6, rel=1e-4)


@pytest.mark.parametrize(("mean", "scatter", "chance"), [(0.3, 3.0, 0.152), (0.1, 1.0, 0.095)])
def test_the_chance_of_any_deal_at_all_is_exact_where_hardly_one_is_expected(mean, scatter, chance):
    """By hand: 1 − (1/3)^(.3/2) = .1519 and 1 − e^−.1 = .0952."""
    u = (np.arange(100_000) + 0.5) / 100_000

    assert np.mean(lucky(np.float64(mean), u, scatter=scatter) >= 1) == pytest.approx(chance, abs=5e-4)


def _at_most(count, mean, scatter):
    """Sum the probabilities one by one."""
    size = None if scatter == 1 else mean / (scatter - 1)
    one, found = math.exp(-mean) if size is None else scatter**-size, []
    for j in range(int(count) + 1):
        found.append(one)
        one *= (mean if size is None else (size + j) * (1 - 1 / scatter)) / (j + 1)
    return math.fsum(found)


@given(
    st.floats(1e-3, 400) | st.floats(1e-3, 5),
    st.just(1.0) | st.floats(1.001, 100) | st.floats(1.001, 5),
    st.floats(1e-9, 1 - 1e-9),
)
@example(0.3, 3.0, 0.8)
@example(833.0, 10_000.0, 0.5)
def test_luck_is_the_quantile_of_the_count_whatever_is_expected(mean, scatter, u):
    """Exact where counts are skewed; where they are nearly even, no chance is off by 1e-4."""
    [found] = lucky(np.array([mean]), np.array([u]), scatter=scatter)

    off = 1e-11 if (2 * scatter - 1) ** 2 > 0.01 * scatter * mean else 1e-4
    assert _at_most(found, mean, scatter) >= u - off
    assert found == 0 or _at_most(found - 1, mean, scatter) < u + off
    more = at_least(int(found), mean, scatter=scatter)
    assert more == pytest.approx(1 - _at_most(found - 1, mean, scatter), abs=1e-9)


def test_draws_of_different_means_have_each_their_own_luck():
    """Means from nothing to many thousands side by side, by months as in a fan; against SciPy one by one."""
    random = np.random.default_rng(3)
    mean = np.concatenate([np.zeros(3), np.exp(random.uniform(-7, 4.6, 500)), [-2.0, 9e4]])
    u = random.uniform(size=(len(mean), 12))

    for scatter in (1.0, 1.7, 40.0):
        found = lucky(mean[:, None], u, scatter=scatter)
        spread = np.maximum(mean, 1e-9)[:, None]
        exact = poisson.ppf(u, spread) if scatter == 1 else nbinom.ppf(u, spread / (scatter - 1), 1 / scatter)
        assert np.array_equal(found[:-1], exact[:-1])
        assert np.abs(found[-1] - exact[-1]).max() <= 1


def test_a_year_keeps_what_entered_before_it():
    """By hand: with every lever at once at its high from April, the past brings what it brings all the same."""
    drawn = forecast(SAMPLE, objective="year", draws=2**6)
    at = int(np.argmax(drawn.draws))
    one = {f"metrics.{lever}.value": float(levels[at]) for lever, levels in drawn.levers.items()}

    alone = run(SAMPLE.replace(one), before=SAMPLE)

    assert drawn.draws[at] == pytest.approx(alone.kgi, rel=1e-9)
    assert np.std(drawn.draws) < np.std(forecast(SAMPLE, draws=2**6).draws)


@pytest.mark.parametrize("objective", ["average", "year", "run_rate"])
def test_ksfs_shift_every_draw(objective):
    """Common random numbers: each draw with the KSFs beats the same draw without (no cap is in reach here)."""
    without = forecast(SAMPLE, objective=objective, draws=2**8)
    with_six = forecast(SAMPLE, SIX, objective=objective, draws=2**8)

    assert (with_six.draws > without.draws).all()
    assert with_six.p_goal > without.p_goal


def test_ksfs_in_a_draw_are_the_ksfs_of_the_months():
    drawn = forecast(SAMPLE, SIX, objective="year", draws=2**4)
    one = {f"metrics.{lever}.value": float(levels[3]) for lever, levels in drawn.levers.items()}

    assert drawn.draws[3] == pytest.approx(run(SAMPLE.replace(one), SIX, before=SAMPLE).kgi, rel=1e-9)


def test_levers_that_rise_together_spread_the_outcome():
    linked = SAMPLE.replace({"assumptions.correlations": [{"pair": ["appt_rate", "cvr"], "rank": 0.8}]})
    against = SAMPLE.replace({"assumptions.correlations": [{"pair": ["appt_rate", "cvr"], "rank": -0.8}]})

    spreads = [forecast(plan).draws.std() for plan in (against, SAMPLE, linked)]

    assert spreads == sorted(spreads)


def test_the_fan_opens_month_by_month_and_ends_where_the_year_does():
    opened = fan(SAMPLE)
    year = forecast(SAMPLE, objective="year", with_luck=True)

    widths = opened.bands[0.9] - opened.bands[0.1]
    assert opened.months[0] == "2026-04"
    assert (np.diff(opened.bands[0.5]) > 0).all()
    assert (np.diff(widths[2:]) > 0).all()
    for share in (0.1, 0.5, 0.9):
        assert opened.bands[share][-1] == pytest.approx(year.quantiles[share], rel=1e-9)


def test_the_fans_first_months_hold_luck_alone():
    """What is delivered in April was won in February: 9.14 expected; Poisson says 5 to 13."""
    opened = fan(SAMPLE)

    assert opened.bands[0.5][0] / 8e6 == pytest.approx(9, abs=1.2)
    assert (opened.bands[0.1][0], opened.bands[0.9][0]) == pytest.approx(
        (poisson.ppf(0.1, 9.14) * 8e6, 13 * 8e6), rel=0.2
    )


@pytest.mark.parametrize("draws", [0, 15, 1000, 2**19, -4])
def test_draws_that_are_no_power_of_two_are_refused(draws):
    with pytest.raises(KpiError) as refused:
        forecast(SAMPLE, draws=draws)

    assert refused.value.code == "bad_draws"


def test_an_unknown_ksf_is_named():
    with pytest.raises(KpiError) as refused:
        forecast(SAMPLE, ["F9"])

    assert refused.value.code == "unknown_ksf"
