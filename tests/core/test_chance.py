"""Achievability against the domain's table, a sum by hand, scipy's own tail and random draws."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, betabinom, binom, nbinom, poisson

from kpi_core.chance import achievability, buffered, count_achievability, verdict
from kpi_core.errors import KpiError


def test_last_years_close_rate_reaches_125_wins_about_one_time_in_ten():
    """T-P1: 108 of 540 then, 125 of 540 wanted."""
    found = achievability(108, 540, needed=125, of=540)

    assert found.probability == pytest.approx(0.11091195673975585, abs=1e-12)
    assert found.posterior == (108.5, 432.5)


@pytest.mark.parametrize(
    ("successes", "trials", "needed", "of", "printed"),
    [
        (108, 540, 125, 600, 0.3771),
        (108, 540, 125, 625, 0.5140),
        (8, 40, 18, 60, 0.1513),
        (0, 10, 6, 60, 0.1690),
        (720, 4800, 738, 4800, 0.3093),
        (540, 720, 554, 720, 0.2026),
        (270, 540, 277, 540, 0.3462),
        (108, 270, 110, 270, 0.4477),
    ],
)
def test_the_table_of_the_specification(successes, trials, needed, of, printed):
    """Domain §5.1 and §5.4."""
    found = achievability(successes, trials, needed=needed, of=of)

    assert found.probability == pytest.approx(printed, abs=6e-5)


def test_one_more_trial_after_one_success_by_hand():
    """Beta(1.5, 0.5): the next one succeeds with 1.5/2."""
    assert achievability(1, 1, needed=1, of=1).probability == pytest.approx(0.75, rel=1e-14)


@settings(max_examples=60)
@given(st.data(), st.integers(1, 400), st.integers(1, 400))
def test_the_sum_is_the_average_of_binomial_tails_over_the_posterior(data, trials, of):
    successes, needed = data.draw(st.integers(0, trials)), data.draw(st.integers(0, of))
    a, b = successes + 0.5, trials - successes + 0.5

    found = achievability(successes, trials, needed=needed, of=of).probability

    cuts = beta.ppf(np.linspace(0, 1, 33), a, b)
    by_parts = sum(
        quad(lambda p: beta.pdf(p, a, b) * binom.sf(needed - 1, of, p), low, high, epsabs=1e-7)[0]
        for low, high in pairwise(cuts)
        if high > low
    )
    assert found == pytest.approx(by_parts, abs=1e-6)


def test_a_very_small_chance_does_not_become_zero():
    """All of 200 after half of 1,000: about 1e-56, where 1 − cdf would say 0 or worse."""
    found = achievability(500, 1000, needed=200, of=200).probability

    logs = sum(math.log((500.5 + i) / (1001 + i)) for i in range(200))
    assert found == pytest.approx(math.exp(logs), rel=1e-9)


def test_needing_nothing_is_certain():
    assert achievability(3, 10, needed=0, of=100_000).probability == pytest.approx(1, abs=1e-9)


def test_more_needed_is_never_more_likely():
    chances = [achievability(108, 540, needed=k, of=540).probability for k in range(0, 541, 20)]

    assert chances == sorted(chances, reverse=True)


def test_a_fraction_of_a_win_that_is_needed_is_a_whole_win():
    """15.370 % of 4,800 leads is 737.76 appointments: 738."""
    found = achievability(720, 4800, needed=0.15369944595 * 4800, of=4800)

    assert found.needed == 738
    assert achievability(1, 10, needed=5.0000000001, of=10).needed == 5, "rounding noise is no win"


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ((0, 0, 5, 10), "no_history"),
        ((5, 10, 0, 0), "no_trials"),
        ((11, 10, 5, 10), "more_than_tried"),
        ((5, 10, 11, 10), "more_than_tried"),
        ((-1, 10, 5, 10), "not_a_count"),
        ((5, 10.5, 5, 10), "not_a_count"),
        ((5, 10, math.nan, 10), "not_a_count"),
        ((5, 10, math.inf, 10), "not_a_count"),
        ((5, 10, 5, 10**9), "not_a_count"),
    ],
)
def test_nonsense_is_refused_by_code(numbers, code):
    successes, trials, needed, of = numbers

    with pytest.raises(KpiError) as refused:
        achievability(successes, trials, needed=needed, of=of)

    assert refused.value.code == code


MONTHS = [380, 360, 420, 421, 340, 419, 440, 441, 360, 400, 419, 400]


@pytest.mark.parametrize(
    ("history", "needed", "of", "more", "ability", "expected", "spread", "safe"),
    [
        ((108, 540), 125, 540, {}, 0.0397, 108.30, 13.14, 97),
        ((108, 540), 125, 540, {"weight": 0.5}, 0.1086, 108.60, 16.08, 95),
        ((108, 540), 125, 600, {}, 0.3196, 120.33, 14.23, 108),
        ((108, 540), 125, 625, {}, 0.5043, 125.35, 14.68, 113),
        ((8, 40), 18, 60, {}, 0.0797, 12.44, 4.87, 8),
        ((0, 10), 6, 60, {}, 0.1416, 2.73, 3.92, 0),
    ],
)
def test_ability_spread_and_the_safe_target_of_the_specification(
    history, needed, of, more, ability, expected, spread, safe
):
    """Domain §5.1, the table."""
    found = achievability(*history, needed=needed, of=of, **more)

    assert found.ability == pytest.approx(ability, abs=6e-5)
    assert found.expected == pytest.approx(expected, abs=6e-3)
    assert found.spread == pytest.approx(spread, abs=6e-3)
    assert found.safe() == safe


def test_a_prior_of_ones_own_and_half_the_weight_of_the_past():
    """Domain §5.1: 8/40 with prior Beta(4, 16) is Beta(12, 48), 18 of 60 at .1093; 108/540 at half weight .1614."""
    assert achievability(8, 40, 18, 60, prior=(4, 16)).probability == pytest.approx(0.1093, abs=6e-5)
    assert achievability(108, 540, 125, 540, weight=0.5).probability == pytest.approx(0.1614, abs=6e-5)


def test_how_far_a_rate_is_stretched():
    """Domain §5.3: 23.148 % against 108 of 540 is 1.732 standard deviations of the log-odds."""
    assert achievability(108, 540, 125, 540).stretch == pytest.approx(1.732, abs=6e-4)


@pytest.mark.parametrize(("needed", "printed"), [(4800, 0.4971), (5000, 0.1102), (5200, 0.0079), (5556, 0.0)])
def test_counts_without_a_denominator(needed, printed):
    """Domain §5.2; the tail itself by scipy's negative binomial."""
    found = count_achievability(MONTHS, needed)

    assert found.probability == pytest.approx(printed, abs=6e-5)
    size = 4800**2 / (found.spread**2 - 4800)
    assert found.probability == pytest.approx(nbinom.sf(needed - 1, size, size / (size + 4800)), rel=1e-9, abs=1e-15)
    assert found.spread**2 == pytest.approx(26_277.82, abs=0.01)


@pytest.mark.parametrize(("chance", "printed"), [(0.7, 130.61), (0.8, 134.30), (0.9, 139.53)])
def test_what_must_be_planned_for_a_chance(chance, printed):
    """T-B4; put back, a Poisson of that mean reaches 125 with just that chance."""
    mean = buffered(125, chance)

    assert mean == pytest.approx(printed, abs=6e-3)
    assert poisson.sf(124, mean) == pytest.approx(chance, rel=1e-9)


def test_planning_for_the_number_itself_is_a_coin_toss():
    """T-B4: P(at least 125 | 125) = .5119."""
    assert poisson.sf(124, 125) == pytest.approx(0.511894679952171, rel=1e-12)
    assert buffered(125, 0.511894679952171) == pytest.approx(125, rel=1e-9)


@settings(max_examples=80)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 300), st.floats(0.05, 0.95))
def test_the_safe_target_is_the_largest_with_that_chance(successes, failures, of, chance):
    found = achievability(successes, successes + failures + 1, needed=0, of=of)

    safe = found.safe(chance)

    a, b = found.posterior
    assert betabinom.sf(safe - 1, of, a, b) >= chance - 1e-9
    assert safe == of or betabinom.sf(safe, of, a, b) < chance + 1e-9


@pytest.mark.parametrize(
    ("chance", "name"),
    [
        (1.0, "comfortable"),
        (0.8, "comfortable"),
        (0.79, "likely"),
        (0.5, "likely"),
        (0.2, "stretch"),
        (0.19, "reckless"),
    ],
)
def test_what_a_chance_is_called(chance, name):
    assert verdict(chance) == name


@pytest.mark.parametrize("history", [[], [400], [0, 0, 0], [400, math.nan], [400, -1]])
def test_months_that_say_nothing_are_refused(history):
    with pytest.raises(KpiError) as raised:
        count_achievability(history, 100)

    assert raised.value.code == "no_history"


@pytest.mark.parametrize("chance", [0, 1, -0.1, 1.1, math.nan])
def test_a_chance_that_is_none_is_refused(chance):
    with pytest.raises(KpiError) as raised:
        buffered(125, chance)

    assert raised.value.code == "bad_chance"


@pytest.mark.parametrize("more", [{"weight": 0}, {"weight": 1.1}, {"prior": (0, 1)}, {"prior": (1, math.inf)}])
def test_a_weight_or_prior_that_is_none_is_refused(more):
    with pytest.raises(KpiError) as raised:
        achievability(108, 540, 125, 540, **more)

    assert raised.value.code == "bad_weight"
