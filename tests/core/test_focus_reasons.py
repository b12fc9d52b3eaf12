"""Why the others are left out: each reason put to the test by lifting what it names and choosing again."""

from pathlib import Path

import pytest

from kpi_core.errors import KpiError
from kpi_core.focus import FocusLimits, choose
from kpi_core.plan import Plan

SAMPLE = Plan.from_text((Path(__file__).parents[2] / "sample_data/sample_plan.yaml").read_text("utf-8"))
TEAMS = ("marketing", "inside_sales", "field_sales")
POOR = SAMPLE.replace({"limits.budget": 9_000_000})
BUSY = SAMPLE.replace({"teams.marketing.hours": 380})
ABLE = SAMPLE.replace({f"teams.{team}.skill": 4 for team in TEAMS} | {f"teams.{team}.hours": 1500 for team in TEAMS})
RICH = ABLE.replace({"limits.budget": 60_000_000})


@pytest.mark.parametrize("plan", [SAMPLE, POOR, BUSY, RICH], ids=["sample", "poor", "busy", "rich"])
def test_what_a_ksf_loses_is_what_choosing_again_with_it_forced_in_loses(plan):
    found = choose(plan)

    for ksf, why in found.left_out.items():
        forced = choose(plan, lock=[ksf])

        assert why.loses == pytest.approx(found.kgi - forced.kgi, abs=1e-3)
        assert why.loses >= 0
        assert set(why.replaces) == set(found.chosen) - set(forced.chosen)


@pytest.mark.parametrize("ksf", ["M1", "M4"])
def test_a_budget_that_decides_lets_the_ksf_in_once_it_is_raised_by_what_is_short(ksf):
    """T-K4, ¥9M: ¥8.7M are spent without M1, so M1's ¥6M miss ¥5.7M."""
    why = choose(POOR).left_out[ksf]
    raised = POOR.replace({"limits.budget": 9_000_000 + why.facts["short"]})

    assert why.reason == why.code == "over_budget"
    assert why.facts["short"] == {"M1": 5_700_000, "M4": 4_700_000}[ksf]
    assert not why.facts["alone"]
    assert ksf in choose(raised).chosen


@pytest.mark.parametrize(("ksf", "short"), [("M2", 130), ("M4", 10)])
def test_hours_that_decide_let_the_ksf_in_once_there_are_as_many_more(ksf, short):
    """T-K4, marketing 380 h: 40 for F1 and 150 for M1 are used, M2 takes 320: 130 too many; M4 takes 200: 10."""
    why = choose(BUSY).left_out[ksf]

    assert (why.code, dict(why.facts)) == ("over_hours", {"team": "marketing", "short": short, "alone": False})
    assert ksf in choose(BUSY.replace({"teams.marketing.hours": 380 + short})).chosen


def test_hours_that_would_go_to_a_better_ksf_are_not_the_reason():
    """70 h more would fit M3 beside M1, but M4 needs only 10 and brings more; what M3 lacks is skill."""
    assert choose(BUSY).left_out["M3"].code == "skill_gap"
    assert "M3" not in choose(BUSY.replace({"teams.marketing.hours": 450})).chosen


def test_a_full_team_is_the_reason_where_one_place_more_lets_the_ksf_in():
    found = choose(RICH)
    full = {ksf: why for ksf, why in found.left_out.items() if why.code == "team_full"}

    assert {RICH.ksfs[ksf].team for ksf in full} == set(TEAMS)
    for ksf, why in full.items():
        more = choose(RICH.replace({f"teams.{RICH.ksfs[ksf].team}.max_ksfs": 3}))
        assert why.facts == {"team": RICH.ksfs[ksf].team, "most": 2}
        assert len(why.replaces) == 1
        assert ksf in more.chosen


def test_more_room_would_not_bring_the_six_postponed_in():
    """Domain §3.5 A′: their own handicaps decide, not hours or places. A third KSF of marketing dilutes.

    By hand, in log effects alone: M1 .03125, M2 .03045, M4 .01094; with M4 as a third each counts 1/1.25, M1 and M4
    5 % more: .8 · (1.05 · .03125 + .03045 + 1.05 · .01094) = .0598 instead of .0617, so ¥1.9M to ¥2.0M less.
    """
    roomy = choose(SAMPLE, FocusLimits())
    third = choose(SAMPLE, FocusLimits(), lock=[*roomy.chosen, "M4"])

    assert roomy.chosen == choose(SAMPLE).chosen
    assert roomy.kgi - third.kgi == pytest.approx(1_914_759, abs=1)


def test_a_ksf_too_big_by_itself_is_told_so():
    """I1 takes 100 h of inside sales, which has 10; nothing can be forced."""
    why = choose(SAMPLE.replace({"teams.inside_sales.hours": 10})).left_out["I1"]

    assert (why.code, dict(why.facts)) == ("over_hours", {"team": "inside_sales", "short": 90, "alone": True})
    assert why.loses is None


def test_a_ksf_that_does_not_fit_beside_what_must_be_in_is_told_how_much_is_missing():
    """F4 takes 300 h and F2 240 of field sales' 400: 140 too many."""
    why = choose(SAMPLE, lock=["F2"]).left_out["F4"]

    assert (why.code, dict(why.facts)) == ("over_hours", {"team": "field_sales", "short": 140, "alone": True})


def test_a_ksf_whose_flow_is_missing_altogether_lacks_flow_and_not_effect():
    dry = SAMPLE.replace({"ksfs.M3.needs": {"leads": 60_000}, "ksfs.M3.skill": 2})

    why = choose(dry).left_out["M3"]

    assert why.code == "flow"
    assert why.facts["has"] == pytest.approx(400)
    assert why.facts["factor"] == pytest.approx(400 / 60_000)


def test_a_prerequisite_that_is_not_chosen_is_the_reason_where_it_costs_most():
    """I4 builds on I3: without it half its effect, as its skill and ramp are no handicap here."""
    basic = SAMPLE.replace(
        {"ksfs.I4.skill": 2, "ksfs.I4.ramp": [0, 1], "ksfs.I4.moves": {"appt_rate": [0, 0.01, 0.02]}}
    )

    why = choose(basic).left_out["I4"]

    assert (why.code, dict(why.facts)) == ("prerequisite", {"factor": 0.5, "missing": ("I3",)})


def test_a_ksf_without_any_handicap_just_brings_less():
    small = SAMPLE.replace({"ksfs.I4.skill": 2, "ksfs.I4.depends_on": [], "ksfs.I4.ramp": [0, 1]})
    small = small.replace({"ksfs.I4.moves": {"appt_rate": [0, 0.01, 0.02]}})

    why = choose(small).left_out["I4"]

    assert why.code == "lower_effect"
    assert why.replaces == ("I2",)


@pytest.mark.parametrize(
    ("wishes", "limit"),
    [
        ({"lock": ["F2", "F3"]}, "hours.field_sales"),
        ({"lock": ["M1", "M2", "M4"]}, "hours.marketing"),
        ({"lock": ["F1"], "rule_out": ["F1", "F2"]}, "rule_out"),
    ],
)
def test_wishes_that_cannot_be_met_are_an_error_that_names_the_limit(wishes, limit):
    with pytest.raises(KpiError) as caught:
        choose(SAMPLE, **wishes)

    assert caught.value.code == "locks_infeasible"
    assert caught.value.facts["limit"] == limit
    assert str(caught.value)


def test_the_budget_and_the_places_are_named_too():
    with pytest.raises(KpiError) as money:
        choose(POOR, FocusLimits(budget=9_000_000), lock=["M1", "M2"])
    with pytest.raises(KpiError) as places:
        choose(SAMPLE, FocusLimits(max_ksfs={"marketing": 1}), lock=["M1", "M2"])

    assert money.value.facts["limit"] == "budget"
    assert places.value.facts["limit"] == "max_ksfs.marketing"


def test_exactly_so_many_never_breaks_a_limit():
    """Three each would pass the plan's two per team; two of field sales cannot be had in 300 h."""
    with pytest.raises(KpiError) as places:
        choose(SAMPLE, exactly=3)
    with pytest.raises(KpiError) as hours:
        choose(SAMPLE.replace({"teams.field_sales.hours": 300}), exactly=2)

    assert places.value.code == hours.value.code == "exactly_infeasible"


def test_a_ksf_kept_out_by_one_it_excludes_comes_in_once_it_does_not():
    apart = SAMPLE.replace({"ksfs.F1.excludes": ["F3"]})
    found = choose(apart)
    (out,) = {"F1", "F3"} - set(found.chosen)
    (rival,) = {"F1", "F3"} & set(found.chosen)

    why = found.left_out[out]

    assert (why.reason, why.facts["by"]) == ("excluded", (rival,))
    assert out in choose(SAMPLE).chosen
    assert why.loses == pytest.approx(found.kgi - choose(apart, lock=[out]).kgi)


def test_a_quarter_that_decides_lets_the_ksf_in_once_it_has_as_many_hours_more():
    tight = SAMPLE.replace({"teams.marketing.quarters": [150.0, 140.0, 100.0, 100.0]})
    found = choose(tight)
    out = next(ksf for ksf, why in found.left_out.items() if why.reason == "over_quarter")
    facts = found.left_out[out].facts
    quarters = list(tight.teams["marketing"].quarters)
    quarters[facts["quarter"] - 1] += facts["short"]

    again = choose(tight.replace({"teams.marketing.quarters": quarters}))

    assert out in again.chosen
    assert again.used[f"q{facts['quarter']}.marketing"] == pytest.approx(quarters[facts["quarter"] - 1])


def test_a_slow_ksf_says_what_it_adds_in_a_year_in_which_all_is_full():
    """F4 rises from month 4 to 10: 5.5 of 12 months' effect, §3.5; once full it would add to the six at run rate."""
    found = choose(SAMPLE)
    full = choose(SAMPLE, FocusLimits(), objective="run_rate", lock=found.chosen, rule_out=found.left_out)
    with_it = choose(
        SAMPLE, FocusLimits(), objective="run_rate", lock=(*found.chosen, "F4"),
        rule_out=[ksf for ksf in found.left_out if ksf != "F4"],
    )  # fmt: skip

    why = found.left_out["F4"]

    assert why.reason == "slow_ramp"
    assert why.facts["later"] == pytest.approx(with_it.kgi - full.kgi)


def test_a_ksf_without_a_handicap_says_what_it_would_add():
    easy = {f"ksfs.{ksf}.{field}": value for ksf in ("F2",) for field, value in (("skill", 1), ("ramp", [1, 3]))}
    weak = SAMPLE.replace({**easy, "ksfs.F2.moves": {"proposal_rate": [0.001, 0.002, 0.003]}})
    found = choose(weak)

    why = found.left_out["F2"]

    assert why.reason == "lower_effect"
    beside = choose(weak, FocusLimits(), lock=(*found.chosen, "F2"), rule_out=[k for k in found.left_out if k != "F2"])
    assert why.facts["adds"] == pytest.approx(beside.kgi / found.kgi - 1)
