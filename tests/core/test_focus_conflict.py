"""What is in the way when nothing fits: the smallest group of limits, and how much each would have to give."""

from dataclasses import replace
from pathlib import Path

import pytest

from kpi_core.errors import KpiError
from kpi_core.focus import FocusLimits, choose, conflict
from kpi_core.plan import Plan

SAMPLE = Plan.from_text((Path(__file__).parents[2] / "sample_data/sample_plan.yaml").read_text("utf-8"))
LIMITS = FocusLimits.of(SAMPLE)


def test_one_limit_that_is_too_tight_is_named_alone_with_what_it_lacks():
    """F1 to F4 take 860 h of field sales, which has 400, and four places of two."""
    clashes = conflict(SAMPLE, replace(LIMITS, max_ksfs={}), ("F1", "F2", "F3", "F4"), ())

    assert [(clash.limit, clash.has, clash.short) for clash in clashes] == [("hours.field_sales", 400.0, 460.0)]


def test_limits_that_are_too_tight_only_together_are_all_named():
    """Two of each team: the dear ones fit the hours, the light ones the money, none both."""
    tight = FocusLimits(budget=6_000_000.0, hours={"marketing": 360.0}, exactly=2)
    marketing = [ksf for ksf, entry in SAMPLE.ksfs.items() if entry.team != "marketing"]

    clashes = conflict(SAMPLE, tight, (), marketing)

    assert {clash.limit for clash in clashes} <= {"budget", "hours.marketing"}
    with pytest.raises(KpiError) as caught:
        choose(SAMPLE, tight, rule_out=marketing)
    assert caught.value.facts["conflict"] == clashes


@pytest.mark.parametrize(
    "limits",
    [
        FocusLimits(budget=9_500_000.0, hours={"marketing": 390.0}, exactly=2),
        FocusLimits(budget=4_000_000.0, hours={"field_sales": 250.0, "inside_sales": 200.0}, exactly=1),
        FocusLimits(budget=2_000_000.0, hours={"field_sales": 100.0, "inside_sales": 90.0}, exactly=2),
        FocusLimits(max_ksfs={"marketing": 1}, hours={"marketing": 600.0}),
    ],
)
def test_giving_what_is_short_makes_it_possible_and_a_little_less_does_not(limits):
    lock = ("M1", "M2") if limits.max_ksfs else ()
    clashes = conflict(SAMPLE, limits, lock, ())

    assert clashes
    only = FocusLimits(exactly=limits.exactly)
    for clash in clashes:
        only = _with(only, clash.limit, clash.has)
    assert not _possible(only, lock)
    for clash in clashes:
        assert _possible(_with(only, clash.limit, clash.has + clash.short), lock)
        assert not _possible(_with(only, clash.limit, clash.has + clash.short * 0.99), lock)


def test_where_limits_are_not_in_the_way_none_is_named():
    assert conflict(SAMPLE, LIMITS, ("F1",), ("F1",)) == ()
    assert conflict(SAMPLE, LIMITS, (), ()) == ()
    apart = SAMPLE.replace({"ksfs.F1.excludes": ["F3"]})
    with pytest.raises(KpiError) as caught:
        choose(apart, lock=("F1", "F3"))
    assert (caught.value.code, caught.value.facts["limit"]) == ("locks_infeasible", "excludes")


def _possible(limits, lock):
    try:
        choose(SAMPLE, limits, lock=lock)
    except KpiError:
        return False
    return True


def _with(limits, name, amount):
    kind, _, team = name.partition(".")
    if kind == "budget":
        return replace(limits, budget=amount)
    if kind == "hours":
        return replace(limits, hours={**limits.hours, team: amount})
    return replace(limits, max_ksfs={**limits.max_ksfs, team: int(amount)})
