"""Achievability against the domain's table, a sum by hand, scipy's own tail and random draws."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, binom

from kpi_core.chance import achievability
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


@settings(max_examples=60, deadline=None)
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
