"""The waterfall on `What if`: it starts at the baseline, its bars lead to now, and it says what it cannot split."""

import pytest

from kpi_core.attribution import explain_plans
from kpi_core.plan import Plan
from workbench import samples, sentences, words
from workbench.rows import whatif


def plan_of(kgi: str = "a * b", **inputs: float) -> Plan:
    metrics = {"kgi": {"name": "Result", "kind": "count", "unit": "件", "formula": kgi}}
    metrics |= {name: {"name": f"Lever {name}", "kind": "count", "value": value} for name, value in inputs.items()}
    return Plan.from_data(
        {
            "schema": 1,
            "name": "t",
            "fiscal_year": {"starts": "2026-04"},
            "kgi": {"metric": "kgi", "target": 1000},
            "teams": {"t": {"name": "t"}},
            "metrics": metrics,
        }
    )


def drawn(plan: Plan, before: Plan) -> tuple[list[tuple[str, float, float]], str]:
    """Return the bars, and what is said of them."""
    with words.speaking("en"):
        data = whatif.bridge(plan, before).data
        aloud = sentences.bridge(plan, before, whatif.changed(plan, before))
    return list(zip(data["name"], data["start"], data["end"], strict=True)), aloud


def test_the_bars_lead_from_the_baseline_to_now():
    before = samples.sample_plan()
    plan = before.replace({"metrics.cvr.value": 0.013, "metrics.visitors.value": 410_000})

    bars, aloud = drawn(plan, before)

    assert bars[0][1:] == (0, before.tree.now("revenue"))
    assert bars[-1][1:] == (0, plan.tree.now("revenue"))
    ends = [bars[0][2], *(bar[2] for bar in bars[1:-1])]
    assert [bar[1] for bar in bars[1:-1]] == pytest.approx(ends[:-1])
    assert ends[-1] == pytest.approx(plan.tree.now("revenue"), rel=1e-12)
    assert "split over 2 levers; the parts sum exactly" in aloud


def test_a_changed_formula_has_a_bar_of_its_own_and_the_baseline_stays_where_it_was():
    """2 × 3 = 6 was; a × b + 1 at the same levers is 7; with a = 4 it is 13."""
    before = plan_of(a=2, b=3)
    plan = before.replace({"metrics.kgi.formula": "a * b + 1"})

    assert drawn(plan, before) == (
        [("Baseline", 0, 6), ("Formulas", 6, 7), ("Now", 0, 7)],
        "From the baseline to now +1, all of it from changed formulas.",
    )
    assert drawn(plan.replace({"metrics.a.value": 4}), before) == (
        [("Baseline", 0, 6), ("Formulas", 6, 7), ("Lever a", 7, 13), ("Now", 0, 13)],
        "From the baseline to now +7: +1 from changed formulas, +6 from levers.",
    )


@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_has_no_split_is_one_bar_with_a_reason(language):
    """b/(a − 15): 3/5 − 10/(−5) = 2.6, through infinity."""
    before = plan_of("b / (a - 15)", a=10, b=10)
    plan = before.replace({"metrics.a.value": 20, "metrics.b.value": 3})

    bars, aloud = drawn(plan, before)

    assert [bar[0] for bar in bars] == ["Baseline", "2 levers together", "Now"]
    assert [bar[1:] for bar in bars] == [(0, -2), (-2, pytest.approx(0.6)), (0, 0.6)]
    assert aloud.startswith(
        "From the baseline to now +2.6, all of it from 2 levers. Between before and after Result has"
    )
    with words.speaking(language):
        assert "kgi" not in sentences.bridge(plan, before, whatif.changed(plan, before))


def test_one_lever_alone_brings_all_of_it_wherever_it_passes():
    before = plan_of("b / (a - 15)", a=10, b=10)

    bars, aloud = drawn(before.replace({"metrics.a.value": 20}), before)

    assert bars == [("Baseline", 0, -2), ("Lever a", -2, 2), ("Now", 0, 2)]
    assert aloud.endswith("all of it from one lever: Lever a.")


def test_a_baseline_without_this_kgi_is_not_compared_with():
    before = plan_of(a=2, b=3)
    plan = before.replace(
        {"metrics.extra": {"name": "Extra", "kind": "count", "formula": "a + b"}, "kgi.metric": "extra"}
    )

    bars, aloud = drawn(plan, before)

    assert bars == [("Now", 0, 5)]
    assert aloud == "The baseline has no Extra, so there is nothing to compare with."


def test_formulas_without_a_value_at_the_old_levers_leave_the_change_in_one():
    """1/(a − 2) has none where a was; the change is still what it is."""
    before = plan_of(a=2, b=3)
    plan = before.replace({"metrics.kgi.formula": "b / (a - 2)", "metrics.a.value": 4, "metrics.b.value": 8})

    change = explain_plans(before, plan)

    assert change.refused is not None
    assert change.refused.code == "division_by_zero"
    assert (change.before, change.after, change.moved, dict(change.shares)) == (6, 4, -2, {})
    assert drawn(plan, before)[0] == [("Baseline", 0, 6), ("2 levers together", 6, 4), ("Now", 0, 4)]
