"""Where a plan's doubt comes from. Figures of the reference: domain §6.4 (T-S2)."""

from pathlib import Path

import numpy as np
import pytest

from kpi_core.plan import Plan
from kpi_core.ranges import moments
from kpi_core.uncertainty import finding_out, importance, uncertainty_shares

ROOT = Path(__file__).parents[2]
SAMPLE = Plan.from_text((ROOT / "sample_data/sample_plan.yaml").read_text(encoding="utf-8"))


def test_the_shares_of_the_funnel_are_those_of_the_reference():
    """T-S2: exact for a product, S = c²/V and T = c²·Π(1 + c²)/V with V = Π(1 + c²) − 1."""
    found = uncertainty_shares(SAMPLE, draws=2**14)

    squares = {
        lever: moments(SAMPLE.metrics[lever])[1] / moments(SAMPLE.metrics[lever])[0] ** 2 for lever in found.first
    }
    whole = np.prod([1 + square for square in squares.values()]) - 1
    for lever, square in squares.items():
        assert found.first[lever] == pytest.approx(square / whole, abs=3e-3)
        assert found.total[lever] == pytest.approx(square * (1 + whole) / (1 + square) / whole, abs=3e-3)
    assert found.first["appt_rate"] == pytest.approx(0.3087, abs=3e-3)
    assert found.total["appt_rate"] == pytest.approx(0.3329, abs=3e-3)
    assert sum(found.first.values()) == pytest.approx(0.9572, abs=5e-3)


def test_the_most_doubtful_levers_go_with_the_outcome_most():
    found = importance(SAMPLE)

    assert sorted(found, key=lambda lever: -found[lever])[:2] == ["appt_rate", "cvr"]
    assert all(0 < rank < 1 for rank in found.values())


def two_levers(low, high):
    """Return ¥ = a + b, a known to be 10 ± nothing much, b anywhere; people can lift either to 20 for good."""
    lever = {"unit": "円", "kind": "money", "controllability": 5}
    return Plan.from_data(
        {
            "schema": 1,
            "name": "二つ",
            "fiscal_year": {"starts": "2026-04"},
            "kgi": {"metric": "y", "target": 30},
            "teams": {"company": {"name": "全社"}},
            "metrics": {
                "a": {**lever, "name": "a", "value": 10.0, "low": 10.0, "high": 20.0, "shape": "triangular"},
                "b": {**lever, "name": "b", "value": (low + high) / 2, "low": low, "high": high},
                "y": {"name": "y", "unit": "円", "kind": "kgi", "formula": "a + b"},
            },
        }
    )


def test_what_finding_out_is_worth_is_what_brute_force_says():
    """Lifting a brings 20 − a, lifting b brings high − b: choose after one is known, against choosing at once."""
    plan = two_levers(0.0, 14.0)
    random = np.random.default_rng(1)
    a, b = random.triangular(10, 10, 20, 2_000_000), random.triangular(0, 7, 14, 2_000_000)
    gain_a, gain_b = (20 - a).mean(), (14 - b).mean()
    knowing_a = np.maximum(20 - a, gain_b).mean() - max(gain_a, gain_b)
    knowing_b = np.maximum(gain_a, 14 - b).mean() - max(gain_a, gain_b)

    found = finding_out(plan, draws=2**14)

    assert found.choice == ("a" if gain_a > gain_b else "b")
    assert found.gain == pytest.approx(max(gain_a, gain_b), rel=2e-3)
    assert found.worth["a"] == pytest.approx(knowing_a, rel=0.05, abs=0.01)
    assert found.worth["b"] == pytest.approx(knowing_b, rel=0.05, abs=0.01)


def test_what_cannot_change_the_choice_is_worth_nothing():
    """Lifting b brings at most 1, lifting a always more than that on average: nothing to find out."""
    found = finding_out(two_levers(0.0, 0.5))

    assert found.choice == "a"
    assert found.worth["b"] == pytest.approx(0, abs=1e-9)
    assert "b" not in found.changes


def test_in_the_sample_plan_two_rates_are_worth_finding_out_first():
    found = finding_out(SAMPLE)

    assert found.choice == "appt_rate"
    assert found.changes[:2] == ("appt_rate", "cvr")
    assert 0.05 < found.worth["appt_rate"] / found.gain < 0.25


def test_a_plan_without_ranges_has_no_doubt():
    still = SAMPLE
    for lever in SAMPLE.tree.inputs:
        still = still.replace({f"metrics.{lever}.low": None, f"metrics.{lever}.high": None})

    assert uncertainty_shares(still).total == {}
    assert finding_out(still).choice is None
