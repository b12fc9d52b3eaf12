"""The search against a brute force that shares nothing with it: its own trees, effects, limits and order of ties."""

import json
import math
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest

from kpi_core import plan_text
from kpi_core.errors import KpiError
from kpi_core.focus import Effects, FocusLimits, choose
from kpi_core.plan import Plan

ROOT = Path(__file__).parents[2]
SAMPLE = Plan.from_text((ROOT / "sample_data/sample_plan.yaml").read_text("utf-8"))
TEAMS = ("t1", "t2", "t3")

# Each tree twice: as the plan has it, and as plain Python; `lift` is what KSFs do to a computed metric.
TREES = {
    "a * b * mid": ("c * d", lambda a, b, c, d, lift: lift("kgi", a * b * lift("mid", c * d))),
    "a * mid + d * 40": ("b * c", lambda a, b, c, d, lift: lift("kgi", a * lift("mid", b * c) + d * 40)),
    "mid * c - 900 - 20 * d": (
        "a * b",
        lambda a, b, c, d, lift: lift("kgi", lift("mid", a * b) * c - 900 - 20 * d),
    ),
    "min(mid * d, 700) + a": (
        "a * b + a * c",
        lambda a, b, c, d, lift: lift("kgi", min(lift("mid", a * b + a * c) * d, 700) + a),
    ),
    "mid / d": ("sum(a * b, a * c)", lambda a, b, c, d, lift: lift("kgi", lift("mid", a * b + a * c) / d)),
}


@pytest.mark.parametrize("seed", range(300))
def test_the_choice_is_the_best_of_all_sets_whatever_the_tree_the_links_and_the_wishes(seed):
    case = _Case(np.random.default_rng(seed))
    allowed = [chosen for chosen in _subsets(case.data["ksfs"]) if case.keeps(chosen)]
    if not allowed:
        with pytest.raises(KpiError) as caught:
            case.choose()
        assert caught.value.code in ("locks_infeasible", "exactly_infeasible")
        return
    numbers = {chosen: case.kgi(chosen) for chosen in allowed}
    best = max(numbers.values())

    found = case.choose()

    assert case.keeps(found.chosen)
    assert found.kgi == pytest.approx(best, rel=1e-11)
    assert numbers[found.chosen] == pytest.approx(best, rel=1e-11)
    assert found.proof.evaluated == len(allowed)
    assert [other.kgi for other in found.next_best] == pytest.approx(
        sorted(numbers.values(), reverse=True)[1:6], rel=1e-11
    )
    assert all(numbers[other.chosen] == pytest.approx(other.kgi, rel=1e-11) for other in found.next_best)
    for ksf, why in found.left_out.items():
        forced = [numbers[chosen] for chosen in allowed if ksf in chosen]
        if why.code in ("ruled_out", "no_effect"):
            continue
        assert (why.loses is None) == (not forced)
        assert not forced or why.loses == pytest.approx(best - max(forced), abs=1e-9 * abs(best))


def test_a_kgi_below_zero_is_brought_up_as_far_as_it_goes():
    """Less a fixed cost the same six stay best, ¥2B lower."""
    loss = SAMPLE.replace(
        {"metrics.profit": {"name": "利益", "kind": "money", "formula": "revenue - 2000000000"}, "kgi.metric": "profit"}
    )

    found = choose(loss)

    assert found.chosen == ("F1", "F3", "I1", "I2", "M1", "M2")
    assert found.kgi == pytest.approx(1_045_872_532.8587682 - 2e9, rel=1e-12)


def test_a_lift_cannot_lose_more_than_all_of_a_metric():
    """-95 % doubled by a partner is -190 %: the price is 0 then, not below."""
    ruin = SAMPLE.replace(
        {
            "ksfs.F1.moves": {"unit_price": [-0.99, -0.95, -0.91]},
            "ksfs.F1.ramp": [-1, 0],
            "assumptions.execution": 1.0,
            "assumptions.synergies": [{"pair": ["F1", "F3"], "bonus": 1.0}],
        }
    )

    assert choose(ruin, lock=["F1", "F3"]).kgi == 0
    assert "F1" not in choose(ruin).chosen


def test_a_ksf_that_is_ruled_out_is_still_brought_along_with_what_it_builds_on():
    """M1 brings 50 % of I4 along, which counts half unless I3 is chosen: another team's KSF, tied by one set aside."""
    plan = SAMPLE.replace({"assumptions.spillovers": [{"source": "M1", "target": "I4", "share": 0.5}]})
    effects = Effects(plan, "average")
    row = np.array([[float(ksf in ("M1", "I3")) for ksf in effects.ksfs]])

    found = choose(plan, lock=["M1", "I3"], rule_out=[ksf for ksf in plan.ksfs if ksf not in ("M1", "I3")])

    assert found.chosen == ("I3", "M1")
    assert found.kgi == pytest.approx(effects.kgi(row)[0], rel=1e-12)
    assert found.baseline * math.prod(1 + entry.effective for entry in found.ledger) == pytest.approx(found.kgi)


def test_a_rate_stops_at_the_cap_and_one_above_it_stays():
    """meeting_rate 0.75 → at most 0.8; 0.9 is above that already and is not lowered."""
    capped = SAMPLE.replace({"assumptions.rate_cap": 0.8, "ksfs.I1.moves": {"meeting_rate": [1, 1, 1]}})
    above = capped.replace({"metrics.meeting_rate.value": 0.9, "metrics.meeting_rate.high": 0.95})

    assert choose(capped, lock=["I1"], exactly=1).kgi > 864e6
    assert _alone(capped, "I1") == pytest.approx(0.8 / 0.75)
    assert _alone(above, "I1") == 1


def test_a_number_beside_the_kgi_may_be_impossible_without_stopping_the_choice():
    """A rate that only stands beside the KGI would pass 100 %; nothing of the KGI depends on it."""
    side = SAMPLE.replace(
        {"metrics.side": {"name": "横", "kind": "rate", "unit": "%", "formula": "meeting_rate + 0.22"}}
    )

    assert choose(side).kgi == choose(SAMPLE).kgi


def test_ksfs_that_move_nothing_of_this_kgi_are_no_rivals():
    """Else the runner-up would be the best set with a KSF more that does nothing."""
    idle = {"name": "何もしない", "team": "company", "moves": {"other": [0.1, 0.2, 0.3]}}
    plan = SAMPLE.replace({"metrics.other": {"name": "他", "kind": "count", "value": 5.0}, "ksfs.Z": idle})

    found = choose(plan)

    assert found.left_out["Z"].code == "no_effect"
    assert found.margin == pytest.approx(choose(SAMPLE).margin)
    assert choose(plan, lock=["Z"]).chosen == (*choose(SAMPLE).chosen, "Z")


def test_equal_sets_are_settled_by_fewer_ksfs_and_then_the_plans_order():
    """A KGI that is full at ¥900M: F1 and F2 are the first pair that fills it; no single KSF does."""
    full = SAMPLE.replace({"metrics.revenue.formula": "min(wins * unit_price, 900000000)"})

    found = choose(full)

    assert found.chosen == ("F1", "F2")
    assert found.tie


def test_forty_nine_ksfs_are_proven():
    """Three teams, exactly two each: 45 · 91 · 105 = 429,975 sets, and still the article's six (domain §3.5)."""
    plan, company = _catalogue()

    found = choose(plan, FocusLimits(), exactly=2, rule_out=company)

    assert (found.proof.considered, found.proof.gap) == (429_975, 0)
    assert found.chosen == ("F1", "F3", "I1", "I2", "M1", "M2")


def test_every_ksf_of_the_catalogue_alone_has_the_log_effect_of_the_spec():
    expected = json.loads((ROOT / "tests/data/ksf_single.json").read_text())
    plan, _ = _catalogue()
    effects = Effects(plan, "average")

    alone = np.log(effects.kgi(np.eye(len(effects.ksfs))) / 864e6)

    # X13 moves the KGI itself, a computed metric; unmoved trees score 0.
    assert dict(zip(effects.ksfs, alone.tolist(), strict=True)) == pytest.approx(
        {ksf: expected[ksf][0] for ksf in effects.ksfs}, rel=1e-9, abs=1e-12
    )


def _catalogue() -> tuple[Plan, list[str]]:
    """All 49 KSFs on template (a), and those of the two teams that the article does not know."""
    data = plan_text.read((ROOT / "sample_data/ksf_catalogue.yaml").read_text("utf-8"))
    teams = {f"teams.{team}": {"name": team, "skill": 2} for team in ("revops", "customer_success")}
    ksfs = {f"ksfs.{ksf}": {**said, "moves": said["moves"].get("funnel", {})} for ksf, said in data["ksfs"].items()}
    plan = SAMPLE.replace(teams | ksfs | {"assumptions.synergies": data["synergies"]})
    return plan, [ksf for ksf, entry in plan.ksfs.items() if entry.team in ("revops", "customer_success")]


def _alone(plan: Plan, ksf: str) -> float:
    effects = Effects(plan, "run_rate")
    row = np.array([[float(one == ksf) for one in effects.ksfs]])
    return float(effects.kgi(row)[0]) / plan.tree.now(plan.kgi.metric)


def _subsets(ksfs):
    return chain.from_iterable(combinations(ksfs, size) for size in range(len(ksfs) + 1))


class _Case:
    """A random plan as plain data, what is asked of the choice, and domain §3.3 written out for one set."""

    def __init__(self, random):
        formula = str(random.choice(list(TREES)))
        mid, self.tree = TREES[formula]
        self.values = {
            "a": random.uniform(50, 500),
            "b": random.uniform(0.2, 0.45),
            "c": random.uniform(0.2, 0.45),
            "d": random.uniform(1, 9),
        }
        self.cap = float(random.uniform(0.3, 0.5))
        names = [f"K{at}" for at in range(random.integers(2, 9))]
        self.data = {
            "schema": 1,
            "name": "random",
            "fiscal_year": {"starts": "2026-04"},
            "kgi": {"metric": "kgi", "target": 1e6},
            "teams": {team: {"name": team, "skill": int(random.integers(1, 6))} for team in TEAMS},
            "metrics": {
                **{
                    name: {
                        "name": name,
                        "kind": "rate" if name in "bc" else "count",
                        "unit": "%" if name in "bc" else "",
                        "value": value,
                    }
                    for name, value in self.values.items()
                },
                "mid": {"name": "mid", "kind": "count", "formula": mid},
                "kgi": {"name": "kgi", "kind": "kgi", "formula": formula},
            },
            "ksfs": {name: self._ksf(random, names[:at]) for at, name in enumerate(names)},
            "assumptions": {
                "rate_cap": self.cap,
                "synergies": [
                    {"pair": random.choice(names, 2, replace=False).tolist(), "bonus": float(random.uniform(0, 0.5))}
                    for _ in range(3)
                ],
                "spillovers": [
                    {"source": source, "target": target, "share": float(random.uniform(0, 0.5))}
                    for source, target in [random.choice(names, 2, replace=False).tolist() for _ in range(2)]
                ],
            },
        }
        self.plan = Plan.from_data(self.data)
        self.budget = float(random.uniform(5, 40))
        self.hours = {team: float(random.uniform(150, 700)) for team in TEAMS}
        self.most = {team: int(random.integers(1, 4)) for team in TEAMS}
        self.exactly = int(random.integers(1, 3)) if random.random() < 0.25 else None
        picked = random.permutation(names).tolist()
        self.lock = picked[: int(random.random() < 0.3)]
        self.rule_out = picked[1 : 1 + int(random.random() < 0.3)]
        self.objective = str(random.choice(["average", "run_rate"]))

    @staticmethod
    def _ksf(random, before):
        moved = random.choice(["a", "b", "c", "d", "mid", "kgi"], random.integers(1, 4), replace=False)
        return {
            "name": "k",
            "team": str(random.choice(TEAMS)),
            "moves": {str(metric): sorted(random.uniform(-0.15, 0.4, 3).tolist()) for metric in moved},
            "cost": float(random.uniform(0, 12)),
            "hours": {team: float(random.uniform(0, 250)) for team in TEAMS},
            "ramp": [float(random.integers(0, 4)), float(random.integers(4, 15))],
            "skill": int(random.integers(1, 6)),
            "layer": str(random.choice(["basic", "advanced"])),
            "depends_on": [str(random.choice(before))] if before and random.random() < 0.4 else [],
            "needs": {"a": 30.0} if random.random() < 0.3 else {},
        }

    def choose(self):
        return choose(
            self.plan,
            FocusLimits(budget=self.budget, hours=self.hours, max_ksfs=self.most),
            objective=self.objective,
            lock=self.lock,
            rule_out=self.rule_out,
            exactly=self.exactly,
        )

    def keeps(self, chosen):
        ksfs = self.data["ksfs"]
        counts = {team: sum(ksfs[ksf]["team"] == team for ksf in chosen) for team in TEAMS}
        able = {
            team: sum(k["team"] == team and name not in self.rule_out for name, k in ksfs.items()) for team in TEAMS
        }
        return (
            set(self.lock) <= set(chosen)
            and not set(self.rule_out) & set(chosen)
            and sum(ksfs[ksf]["cost"] for ksf in chosen) <= self.budget
            and all(sum(ksfs[ksf]["hours"][team] for ksf in chosen) <= self.hours[team] for team in TEAMS)
            and all(counts[team] <= self.most[team] for team in TEAMS)
            and (self.exactly is None or all(counts[team] == min(self.exactly, able[team]) for team in TEAMS))
        )

    def kgi(self, chosen):
        factors = dict.fromkeys([*"abcd", "mid", "kgi"], 1.0)
        for ksf in chosen:
            for metric, lift in self.data["ksfs"][ksf]["moves"].items():
                factors[metric] *= 1 + sum(lift) / 3 * self.own(ksf, chosen) * self.together(ksf, chosen)
        for link in self.data["assumptions"]["spillovers"]:
            if link["source"] in chosen and link["target"] not in chosen:
                for metric, lift in self.data["ksfs"][link["target"]]["moves"].items():
                    factors[metric] *= 1 + link["share"] * sum(lift) / 3 * self.own(link["target"], chosen)
        a, d = (self.values[name] * factors[name] for name in "ad")
        b, c = (self.values[name] * (min(factors[name], max(1, self.cap / self.values[name]))) for name in "bc")
        return self.tree(a, b, c, d, lambda metric, value: value * factors[metric])

    def own(self, ksf, chosen):
        entry = self.data["ksfs"][ksf]
        skill = self.data["teams"][entry["team"]]["skill"]
        phi = math.exp(0.45 * min(0, skill - entry["skill"]))
        headroom = max(0.1, 1 - {"basic": 0.35, "advanced": 0.05}[entry["layer"]] * max(0, skill - 2))
        q = 1.0
        if skill < 4:
            q *= 0.5 ** sum(other not in chosen for other in entry["depends_on"])
            q *= min(1, self.values["a"] / 12 / 30) if entry["needs"] else 1
        start, full = entry["ramp"]
        ramp = sum(min(max((month - start) / (full - start), 0), 1) for month in range(1, 13)) / 12
        return 0.6 * phi * headroom * q * (ramp if self.objective == "average" else 1)

    def together(self, ksf, chosen):
        ksfs = self.data["ksfs"]
        team = ksfs[ksf]["team"]
        free = {1: 2, 2: 2, 3: 3, 4: 4, 5: 4}[self.data["teams"][team]["skill"]]
        dilution = 1 / (1 + 0.25 * max(0, sum(ksfs[other]["team"] == team for other in chosen) - free))
        partners = [link for link in self.data["assumptions"]["synergies"] if ksf in link["pair"]]
        return dilution * (1 + sum(link["bonus"] for link in partners if set(link["pair"]) <= set(chosen)))
