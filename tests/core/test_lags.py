"""Lead times, and what is already under way. Figures of the reference: domain §4.2 and §4.7 (T-B5)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kpi_core.errors import KpiError
from kpi_core.lags import delayed, entered_before, foreseen, still_open

LEAD_TO_WIN = ([0.6, 0.3, 0.1], [0.7, 0.3], [0.5, 0.4, 0.1], [0.3, 0.4, 0.2, 0.1])


def test_four_steps_in_a_row_delay_a_lead_as_the_reference_says():
    """The shares of the months 0 … 8 after which a lead that is won has been won."""
    lead = np.eye(1, 9)[0]

    for lag in LEAD_TO_WIN:
        lead = delayed(lead, lag)

    assert lead == pytest.approx([0.0630, 0.1929, 0.2706, 0.2402, 0.1475, 0.0635, 0.0186, 0.0034, 0.0003], abs=5e-5)
    assert np.cumsum(lead)[:6] == pytest.approx([0.0630, 0.2559, 0.5265, 0.7667, 0.9142, 0.9777], abs=5e-5)


@pytest.mark.parametrize(
    ("stock", "rate", "lag", "expected"),
    [
        ([60, 20], 0.5, [0.5, 0.4, 0.1], [34, 6, 0]),
        ([30, 18, 8], 0.4, [0.3, 0.4, 0.2, 0.1], [104 / 7, 5.829, 12 / 7, 0]),
    ],
)
def test_what_is_open_comes_out_as_the_reference_says(stock, rate, lag, expected):
    """T-B5. By hand: 60·0.5·0.4/0.5 + 20·0.5·0.1/0.1 = 24 + 10 = 34."""
    entered = entered_before(stock, still_open(lag))

    months = np.concatenate([entered[::-1], np.zeros(len(expected))])
    assert delayed(rate * months, lag)[len(stock) :] == pytest.approx(expected, abs=5e-4)


def test_lost_ones_that_leave_sooner_leave_better_ones_behind():
    """r(1 − K)/(1 − rK − (1 − r)Λ) at age 1 with r = 0.2, K = 0.3, Λ = 0.8: 0.14/0.3 = 46.7 % are won."""
    share_open = still_open([0.3, 0.7], 0.2, [0.8, 0.2])
    entered = entered_before([10.0], share_open)

    won = 0.2 * 0.7 * entered[0]

    assert share_open[0] == pytest.approx(1 - 0.2 * 0.3 - 0.8 * 0.8)
    assert won / 10 == pytest.approx(0.14 / 0.3)


def test_without_a_clock_of_their_own_lost_ones_leave_like_won_ones():
    assert still_open([0.5, 0.4, 0.1], 0.3) == pytest.approx([0.5, 0.1, 0.0], abs=1e-12)


def test_what_has_been_open_for_longer_than_anything_can_be_is_refused():
    with pytest.raises(KpiError) as refused:
        entered_before([1, 0, 3], still_open([0.5, 0.5]))

    assert refused.value.code == "stock_too_old"
    assert refused.value.facts["age"] == 2


@given(
    arrays.arrays(np.float64, (3, 14), elements=st.floats(-1e6, 1e6)),
    arrays.arrays(np.float64, (14,), elements=st.floats(-1e3, 1e3)),
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
)
def test_backward_is_the_transpose_of_forward(entered, worth, lag):
    """⟨y, K·x⟩ = ⟨Kᵀ·y, x⟩, in whatever order the memory lies; numbers too small for their digits aside."""
    forward = (delayed(np.asfortranarray(entered), lag) * worth).sum()
    backward = (entered * foreseen(worth, lag)).sum()

    scale = np.abs(entered).sum() * (np.abs(worth).max() + 1) * sum(lag)
    assert abs(forward - backward) <= 1e-12 * scale + np.finfo(np.float64).tiny


@pytest.mark.parametrize("always", [np.float64(7.0), np.array([[7.0], [8.0]])])
def test_what_has_always_been_so_is_not_delayed(always):
    assert delayed(always, [0.2, 0.8]) is always
