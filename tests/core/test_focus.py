"""The choice: the spec's scenarios, brute force written from the formulas, limits, reasons re-solved."""

import json
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from kpi_core.errors import KpiError
from kpi_core.focus import Effects, FocusLimits, choose, ledger
from kpi_core.plan import Plan
from kpi_core.tree import evaluate

SAMPLE = Plan.from_text((Path(__file__).parents[2] / "sample_data/sample_plan.yaml").read_text("utf-8"))
TEAMS = ("marketing", "inside_sales", "field_sales")
EXPERIENCED = SAMPLE.replace(
    {f"teams.{team}.skill": 4 for team in TEAMS}
    | {"teams.marketing.hours": 1500, "teams.inside_sales.hours": 900, "teams.field_sales.hours": 1200}
    | {"limits.budget": 60_000_000}
)
SEED = ("F1", "F3", "I1", "I2", "M1", "M2")
UNLIMITED = FocusLimits()


@pytest.mark.parametrize(
    "limits",
    [
        None,
        FocusLimits.of(SAMPLE, exactly=2),
        FocusLimits(exactly=2),
        FocusLimits(budget=18_000_000, hours=FocusLimits.of(SAMPLE).hours),
    ],
    ids=["at most 2", "exactly 2", "2 per team and no other limit", "hours and budget only"],
)
def test_inexperienced_and_scarce_teams_get_the_articles_own_six(limits):
    """T-K1 and domain §3.5 A, A′, A″."""
    found = choose(SAMPLE, limits)

    assert found.chosen == SEED
    assert found.kgi == pytest.approx(1_045_872_532.8587682, rel=1e-12)
    assert found.runner_up.chosen == ("F1", "F3", "I1", "I2", "M1", "M4")
    assert found.margin == pytest.approx(18_055_730.896422745, rel=1e-9)
    assert not found.tie


def test_what_the_six_use_and_leave():
    """Domain §3.5 A: FS 360 h, IS 260 h, MK 510 h, ¥14.7M."""
    found = choose(SAMPLE)

    assert found.used == {
        "budget": 14_700_000,
        "hours.marketing": 510,
        "hours.inside_sales": 260,
        "hours.field_sales": 360,
        "ksfs.marketing": 2,
        "ksfs.inside_sales": 2,
        "ksfs.field_sales": 2,
    }
    assert found.slack == {
        "budget": 3_300_000,
        "hours.marketing": 50,
        "hours.inside_sales": 40,
        "hours.field_sales": 40,
        "ksfs.marketing": 0,
        "ksfs.inside_sales": 0,
        "ksfs.field_sales": 0,
    }


def test_experienced_teams_with_ample_means_get_exactly_the_six_postponed():
    """T-K2; a thin margin of ¥2.0M is a tie."""
    found = choose(EXPERIENCED, FocusLimits.of(EXPERIENCED, exactly=2))

    assert found.chosen == ("F2", "F4", "I3", "I4", "M3", "M4")
    assert found.kgi == pytest.approx(958_037_384.6370648, rel=1e-12)
    assert found.runner_up.chosen == ("F2", "F4", "I3", "I4", "M2", "M3")
    assert found.tie


def test_without_a_number_per_team_experienced_teams_take_all_twelve():
    """Domain §3.5 B: ¥1,019.5M."""
    found = choose(EXPERIENCED, FocusLimits(budget=60_000_000, hours=FocusLimits.of(EXPERIENCED).hours))

    assert found.chosen == tuple(SAMPLE.ksfs)
    assert found.kgi == pytest.approx(1_019.5e6, abs=0.05e6)


def test_skill_three_and_more_hours_give_three_each_and_a_tie():
    """Domain §3.5 C: F4 instead of F2 is equal to four digits."""
    able = SAMPLE.replace({f"teams.{team}.skill": 3 for team in TEAMS})
    hours = {team: 1.75 * hours for team, hours in FocusLimits.of(SAMPLE).hours.items()}

    found = choose(able, FocusLimits(budget=1.75 * 18_000_000, hours=hours))

    assert found.chosen == ("F1", "F2", "F3", "I1", "I2", "I3", "M1", "M2", "M4")
    assert found.kgi == pytest.approx(1_023.5e6, abs=0.05e6)
    assert found.runner_up.chosen == ("F1", "F3", "F4", "I1", "I2", "I3", "M1", "M2", "M4")
    assert found.tie


def test_only_marketing_experienced_changes_only_its_pair():
    """T-K3: ¥1,017.4M, M1 M3 next with ¥6.0M less."""
    found = choose(SAMPLE.replace({"teams.marketing.skill": 4}))

    assert found.chosen == ("F1", "F3", "I1", "I2", "M3", "M4")
    assert found.kgi == pytest.approx(1_017.4e6, abs=0.05e6)
    assert found.runner_up.chosen == ("F1", "F3", "I1", "I2", "M1", "M3")
    assert found.margin == pytest.approx(6.0e6, abs=0.1e6)


def test_less_money_drops_m1_and_fewer_marketing_hours_drop_m2():
    """T-K4 (domain §3.5 E and F)."""
    poor = choose(SAMPLE.replace({"limits.budget": 9_000_000}))
    busy = choose(SAMPLE.replace({"teams.marketing.hours": 380}))

    assert poor.chosen == ("F1", "F3", "I1", "I2", "M2")
    assert poor.kgi == pytest.approx(1_013.7e6, abs=0.05e6)
    assert busy.chosen == ("F1", "F3", "I1", "I2", "M1")
    assert busy.kgi == pytest.approx(1_014.5e6, abs=0.05e6)
    assert busy.runner_up.chosen == ("F1", "F3", "I1", "I2", "M2")


@pytest.mark.parametrize(("plan", "column"), [(SAMPLE, 0), (EXPERIENCED, 2)], ids=["base", "experienced"])
def test_each_ksf_alone_has_the_log_effect_of_the_catalogue(plan, column):
    """Domain §3.4, last column, from a separate implementation (spill-overs included)."""
    expected = json.loads((Path(__file__).parents[1] / "data/ksf_single.json").read_text())
    effects = Effects(plan, "average")

    alone = np.log(effects.kgi(np.eye(len(effects.ksfs))) / effects.kgi(np.zeros((1, len(effects.ksfs)))))

    assert dict(zip(effects.ksfs, alone.tolist(), strict=True)) == pytest.approx(
        {ksf: expected[ksf][column] for ksf in effects.ksfs}, rel=1e-9
    )


def test_the_ledger_of_f1_by_hand():
    """2 % stated · 0.6 · skill 1 · headroom 1 · ramp 10.5/12 = 0.875, synergy with F3 1.1: 1.155 %."""
    entry = next(entry for entry in ledger(SAMPLE, SEED) if (entry.ksf, entry.metric) == ("F1", "proposal_rate"))

    assert entry.stated == pytest.approx(0.02)
    assert entry.factors == pytest.approx(
        {
            "execution": 0.6,
            "skill": 1,
            "headroom": 1,
            "flow": 1,
            "prerequisites": 1,
            "dilution": 1,
            "synergy": 1.1,
            "ramp": 0.875,
        }
    )
    assert entry.effective == pytest.approx(0.02 * 0.6 * 1.1 * 0.875)
    assert entry.running()[-1] == ("ramp", pytest.approx(entry.effective))


@pytest.mark.parametrize("plan", [SAMPLE, EXPERIENCED], ids=["base", "experienced"])
def test_the_ledger_explains_the_whole_gain(plan):
    """The funnel only multiplies and no rate reaches its cap: Π (1 + effective), spill-overs too, is the whole KGI."""
    found = choose(plan)

    product = math.prod(1 + entry.effective for entry in found.ledger)

    assert found.baseline * product == pytest.approx(found.kgi, rel=1e-12)
    assert found.gain == found.kgi - 864e6


def test_what_is_brought_along_without_being_chosen_stands_last_in_the_ledger():
    """S0.37: F1 and F3 bring along 10 % of F2 and 5 % of F4, each on two metrics."""
    spilt = [(entry.spills_from, entry.ksf, entry.share) for entry in ledger(SAMPLE, SEED) if entry.spills_from]

    assert spilt == [
        (source, target, share)
        for source in ("F1", "F3")
        for target, share in (("F2", 0.1), ("F4", 0.05))
        for _ in "12"
    ]
    assert ledger(SAMPLE, SEED)[-1].running()[-1] == ("spill_over", pytest.approx(ledger(SAMPLE, SEED)[-1].effective))


def test_m3_lacks_leads_and_skill():
    """400 of 600 leads a month: 0.667; two levels missing: exp(-0.9) = 0.407."""
    entry = ledger(SAMPLE, ["M3"])[0]

    assert entry.factors["flow"] == pytest.approx(2 / 3)
    assert entry.factors["skill"] == pytest.approx(math.exp(-0.9))


def test_full_effect_counts_no_ramp():
    """Domain §3.5, realism check: ¥1,097.7M."""
    assert choose(SAMPLE, objective="run_rate").kgi == pytest.approx(1_097.7e6, abs=0.05e6)


@pytest.mark.parametrize("seed", range(500))
def test_the_search_equals_brute_force_and_keeps_every_limit(seed):
    plan, limits = _instance(np.random.default_rng(seed))

    found = choose(plan, limits)

    sets = [set_ for size in range(len(plan.ksfs) + 1) for set_ in combinations(plan.ksfs, size)]
    allowed = [set_ for set_ in sets if _keeps(plan, limits, set_)]
    best = max(_kgi(plan, set_) for set_ in allowed)
    assert found.kgi == pytest.approx(best, rel=1e-11)
    assert _kgi(plan, found.chosen) == pytest.approx(found.kgi, rel=1e-11)
    assert _keeps(plan, limits, found.chosen)
    assert found.proof.evaluated == len(allowed)
    for ksf, why in found.left_out.items():
        forced = [set_ for set_ in allowed if ksf in set_]
        if why.loses is None:
            assert not forced or why.code in ("no_effect", "ruled_out")
        else:
            assert why.loses == pytest.approx(best - max(_kgi(plan, set_) for set_ in forced), abs=1e-6 * abs(best))


def test_locked_and_ruled_out_ksfs_are_obeyed():
    found = choose(SAMPLE, lock=["M4"], rule_out=["F1"])

    assert "M4" in found.chosen
    assert "F1" not in found.chosen
    assert found.left_out["F1"].code == "ruled_out"


def test_locks_that_break_a_limit_are_an_error_that_names_it():
    with pytest.raises(KpiError) as caught:
        choose(SAMPLE, lock=["F2", "F3"])

    assert caught.value.code == "locks_infeasible"
    assert caught.value.facts["team"] == "field_sales"


def test_every_ksf_left_out_has_one_reason():
    found = choose(SAMPLE)

    assert {ksf: why.code for ksf, why in found.left_out.items()} == {
        "F2": "skill_gap",
        "F4": "slow_ramp",
        "I3": "skill_gap",
        "I4": "skill_gap",
        "M3": "skill_gap",
        "M4": "skill_gap",
    }
    assert found.left_out["M4"].replaces == ("M2",)
    assert found.left_out["M4"].loses == pytest.approx(found.margin)


def test_a_set_too_large_to_compare_one_by_one_is_refused_with_a_cure():
    many = {
        f"ksfs.K{at}": {"name": f"K{at}", "team": "marketing", "moves": {"cvr": [0, 0.01, 0.02]}} for at in range(40)
    }
    plan = SAMPLE.replace(many | {"teams.marketing.max_ksfs": None})

    with pytest.raises(KpiError) as caught:
        choose(plan)

    assert caught.value.code == "too_many_sets"


def _instance(random: np.random.Generator) -> tuple[Plan, FocusLimits]:
    """A small random plan: products or sums of products, caps, synergies, spill-overs, prerequisites, flows."""
    formulas = ["a * b * c * d", "a * b + c * d", "(a + b) * c * d", "a * b / c + d * 50"]
    metrics = {
        name: {"name": name, "kind": kind, "unit": unit, "value": float(value)}
        for name, kind, unit, value in zip(
            "abcd",
            ("count", "rate", "rate", "count"),
            ("", "%", "%", ""),
            (random.uniform(50, 500), random.uniform(0.3, 0.93), random.uniform(0.3, 0.93), random.uniform(1, 9)),
            strict=True,
        )
    }
    teams = ["t1", "t2", "t3"][: random.integers(1, 4)]
    names = [f"K{at}" for at in range(random.integers(2, 8))]
    ksfs = {name: _ksf(random, teams, names[:at]) for at, name in enumerate(names)}
    pairs = [sorted(random.choice(names, 2, replace=False).tolist()) for _ in range(2)]
    plan = Plan.from_data(
        {
            "schema": 1,
            "name": "random",
            "fiscal_year": {"starts": "2026-04"},
            "kgi": {"metric": "kgi", "target": 1e6},
            "teams": {team: {"name": team, "skill": int(random.integers(1, 6))} for team in teams},
            "metrics": {
                **metrics,
                "kgi": {"name": "kgi", "kind": "kgi", "formula": formulas[random.integers(len(formulas))]},
            },
            "ksfs": ksfs,
            "assumptions": {
                "execution": 1.0,
                "synergies": [{"pair": pair, "bonus": 0.15} for pair in pairs],
                "spillovers": [{"source": pairs[0][0], "target": pairs[0][1], "share": 0.2}],
            },
        }
    )
    hours = {team: float(random.uniform(100, 600)) for team in teams}
    most = {team: int(random.integers(1, 4)) for team in teams}
    return plan, FocusLimits(budget=float(random.uniform(5, 30)), hours=hours, max_ksfs=most)


def _ksf(random: np.random.Generator, teams: list[str], before: list[str]) -> dict[str, object]:
    moves = {}
    for metric in random.choice(list("abcd"), random.integers(1, 4), replace=False):
        low, mode, high = sorted(random.uniform(-0.02, 0.3, 3).tolist())
        moves[str(metric)] = [low, mode, high]
    return {
        "name": "k",
        "team": str(random.choice(teams)),
        "moves": moves,
        "cost": float(random.uniform(0, 12)),
        "hours": {str(team): float(random.uniform(0, 250)) for team in teams},
        "ramp": [float(random.integers(0, 4)), float(random.integers(4, 12))],
        "skill": int(random.integers(1, 6)),
        "layer": str(random.choice(["basic", "advanced"])),
        "depends_on": [str(random.choice(before))] if before and random.random() < 0.3 else [],
        "needs": {"a": 30.0} if random.random() < 0.3 else {},
    }


def _keeps(plan: Plan, limits: FocusLimits, chosen: tuple[str, ...]) -> bool:
    ksfs = [plan.ksfs[ksf] for ksf in chosen]
    return (
        sum(ksf.cost for ksf in ksfs) <= limits.budget
        and all(sum(ksf.hours.get(team, 0) for ksf in ksfs) <= most for team, most in limits.hours.items())
        and all(sum(ksf.team == team for ksf in ksfs) <= most for team, most in limits.max_ksfs.items())
    )


def _kgi(plan: Plan, chosen: tuple[str, ...]) -> float:
    """Domain §3.3, written plainly for one set."""
    assume = plan.assumptions
    factors = dict.fromkeys(plan.metrics, 1.0)
    for ksf in chosen:
        team = plan.ksfs[ksf].team
        count = sum(plan.ksfs[other].team == team for other in chosen)
        free = {1: 2, 2: 2, 3: 3, 4: 4, 5: 4}[plan.teams[team].skill]
        together = 1 / (1 + 0.25 * max(0, count - free))
        bonus = 1 + sum(
            link.bonus for link in assume.synergies if ksf in link.pair and set(link.pair) - {ksf} <= set(chosen)
        )
        for metric, (low, mode, high) in plan.ksfs[ksf].moves.items():
            factors[metric] *= 1 + (low + mode + high) / 3 * _alone(plan, ksf, chosen) * together * bonus
    for link in assume.spillovers:
        if link.source in chosen and link.target not in chosen:
            for metric, (low, mode, high) in plan.ksfs[link.target].moves.items():
                factors[metric] *= 1 + link.share * (low + mode + high) / 3 * _alone(plan, link.target, chosen)
    values = {}
    for metric in plan.tree.inputs:
        now = plan.tree.now(metric)
        cap = 0.95 if plan.metrics[metric].is_share else math.inf
        values[metric] = min(now * factors[metric], max(cap, now))
    return float(evaluate(plan.tree, values)[plan.kgi.metric])


def _alone(plan: Plan, ksf: str, chosen: tuple[str, ...]) -> float:
    entry, skill = plan.ksfs[ksf], plan.teams[plan.ksfs[ksf].team].skill
    phi = math.exp(0.45 * min(0, skill - entry.skill))
    eta = 0.35 if entry.layer == "basic" else 0.05
    headroom = max(0.1, 1 - eta * max(0, skill - 2))
    q = 1.0
    if skill < 4:
        q *= 0.5 ** sum(other not in chosen for other in entry.depends_on)
        for metric, needed in entry.needs.items():
            q *= min(1, plan.tree.now(metric) / 12 / needed)
    start, full = entry.ramp
    ramp = sum(min(max((month - start) / (full - start), 0), 1) for month in range(1, 13)) / 12
    return plan.assumptions.execution * phi * headroom * q * ramp
