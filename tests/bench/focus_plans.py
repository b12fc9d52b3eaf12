"""Plans to choose KSFs for: as many as one likes, with costs, links and limits in the shape of real ones.

One channel is a chain, revenue = visitors · cvr · appt_rate · meeting_rate · close_rate · unit_price. Of more
channels, each has its own four rates between the visitors and the price that all share.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from kpi_core import plan_text
from kpi_core.focus import Effects
from kpi_core.plan import Plan
from kpi_core.readings import Array

SAMPLES = Path(__file__).parents[2] / "sample_data"
RATES = {"cvr": 0.012, "appt_rate": 0.15, "meeting_rate": 0.65, "close_rate": 0.2}
FLOWS = ("visitors", "leads", "appointments", "meetings", "won")
LIFTS = (0.005, 0.07)
TEAMS_WITH_HOURS = 4
TIGHTNESS = 0.5


def plan_of(
    teams: int, ksfs_each: int, *, channels: int = 1, seed: int = 0, per_team: int = 3, plain: bool = False
) -> Plan:
    """Return a plan with `teams` · `ksfs_each` KSFs, whose budget and hours are half of what the best would use.

    Hours are limited for the first four teams. `plain`: no KSF acts on another and no rate has a cap, so that
    with one channel the log of the KGI is a sum over the KSFs.
    """
    random = np.random.default_rng(seed)
    metrics = _metrics(random, channels)
    names = [f"team_{at + 1}" for at in range(teams)]
    skills = [int(random.choice([2, 2, 3, 3, 4])) for _ in names]
    ksfs = {
        f"T{team + 1}_{at + 1:02}": _ksf(random, names, team, metrics)
        for team in range(teams)
        for at in range(ksfs_each)
    }
    links = _links(random, ksfs)
    if not plain:
        for ksf, other in _pairs(random, ksfs, each=ksfs_each // 12):
            ksfs[ksf]["depends_on"] = [other]
    plan = Plan.from_data(
        {
            "schema": 1,
            "name": {"en": f"{teams} teams with {ksfs_each} KSFs each"},
            "fiscal_year": {"starts": "2026-04"},
            "kgi": {"metric": "revenue", "target": 1e9},
            "teams": {
                team: {"name": {"en": team.replace("_", " ")}, "skill": skill, "max_ksfs": per_team}
                for team, skill in zip(names, skills, strict=True)
            },
            "metrics": metrics,
            "ksfs": ksfs,
            "assumptions": {"dilution": 0.0, "rate_cap": 1.0} if plain else links,
        }
    )
    return _limited(plan, per_team)


def catalogue(sample: Plan) -> Plan:
    """Return the sample plan with all 49 KSFs of the catalogue; those that the article does not know are ruled out."""
    data = plan_text.read((SAMPLES / "ksf_catalogue.yaml").read_text(encoding="utf-8"))
    teams = {f"teams.{team}": {"name": team, "skill": 2} for team in ("revops", "customer_success")}
    ksfs = {f"ksfs.{ksf}": {**said, "moves": said["moves"].get("funnel", {})} for ksf, said in data["ksfs"].items()}
    plan = sample.replace(teams | ksfs | {"assumptions.synergies": data["synergies"]})
    beyond = [ksf for ksf, entry in plan.ksfs.items() if entry.team in ("revops", "customer_success")]
    return plan.replace({"limits.rule_out": beyond})


def needs(plan: Plan, resource: str) -> Array:
    """Return how much of `budget`, `hours.<team>` or `ksfs.<team>` each KSF takes."""
    kind, _, team = resource.partition(".")
    if kind == "budget":
        return np.array([ksf.cost for ksf in plan.ksfs.values()])
    if kind == "hours":
        return np.array([ksf.hours.get(team, 0.0) for ksf in plan.ksfs.values()])
    return np.array([float(ksf.team == team) for ksf in plan.ksfs.values()])


def _metrics(random: np.random.Generator, channels: int) -> dict[str, Any]:
    metrics = {
        "visitors": {"kind": "count", "unit": "人", "value": 400_000.0},
        "unit_price": {"kind": "money", "unit": "円/件", "value": 8_000_000.0},
    }
    for suffix in [""] if channels == 1 else [f"_{channel + 1}" for channel in range(channels)]:
        flows = [FLOWS[0], *(f"{flow}{suffix}" for flow in FLOWS[1:])]
        for before, flow, (rate, base) in zip(flows, flows[1:], RATES.items(), strict=False):
            value = base * (random.uniform(0.7, 1.3) if suffix else 1.0)
            metrics[f"{rate}{suffix}"] = {"kind": "rate", "unit": "%", "value": float(value)}
            metrics[flow] = {"kind": "count", "unit": "件", "formula": f"{before} * {rate}{suffix}"}
    won = " + ".join(metric for metric in metrics if metric.startswith("won"))
    metrics["wins"] = {"kind": "count", "unit": "件", "formula": won}
    metrics["revenue"] = {"kind": "kgi", "unit": "円", "formula": "wins * unit_price"}
    return {metric: {"name": {"en": metric.replace("_", " ")}, **entry} for metric, entry in metrics.items()}


def _ksf(random: np.random.Generator, names: list[str], team: int, metrics: dict[str, Any]) -> dict[str, Any]:
    inputs = [metric for metric, entry in metrics.items() if "value" in entry]
    stages = [*RATES, "visitors", "unit_price"]
    home = (stages[team % 6], stages[(team + 1) % 6])
    weights = np.array([5.0 if metric.startswith(home) else 1.0 for metric in inputs])
    moved = random.choice(inputs, random.integers(1, 4), replace=False, p=weights / weights.sum()).tolist()
    modes = np.exp(random.uniform(math.log(LIFTS[0]), math.log(LIFTS[1]), len(moved)))
    lifts = [[mode * share for share in (random.uniform(0.2, 0.8), 1, random.uniform(1.2, 2))] for mode in modes]
    if len(moved) > 1 and random.random() < 0.15:
        lifts[-1] = [-0.015, -0.005, 0.0]
    size = sum(map(sum, lifts)) / 3
    hours = {names[team]: 10.0 * max(2, round(random.uniform(5, 22) * (0.6 + 8 * size)))}
    if len(names) > 1 and random.random() < 0.45:  # as in the catalogue
        hours[names[(team + int(random.integers(1, len(names)))) % len(names)]] = 10.0 * int(random.integers(1, 7))
    skill = int(random.choice([1, 2, 3, 4, 5], p=[0.1, 0.3, 0.3, 0.25, 0.05]))
    start = float(random.integers(1, 5))
    free = random.random() < 0.08
    cost = 100_000.0 * round(10 * math.exp(random.normal(0, 0.8)) * (0.5 + 8 * size))
    return {
        "name": {"en": f"KSF of {names[team]}"},
        "team": names[team],
        "moves": {metric: [float(end) for end in lift] for metric, lift in zip(moved, lifts, strict=True)},
        "cost": 0.0 if free else cost,
        "hours": hours,
        "ramp": [start, start + float(random.integers(1, 7))],
        "skill": skill,
        "layer": "basic" if skill <= 2 or random.random() < 0.1 else "advanced",
        "controllability": int(random.integers(2, 6)),
    }


def _links(random: np.random.Generator, ksfs: dict[str, Any]) -> dict[str, Any]:
    """Return synergies and spill-overs within the teams, and one of each across two."""
    teams = {entry["team"] for entry in ksfs.values()}
    each = len(ksfs) // max(1, len(teams))
    helping = _pairs(random, ksfs, each=each // 10) + _across(random, ksfs)
    spilling = _pairs(random, ksfs, each=each // 12) + _across(random, ksfs)
    return {
        "synergies": [{"pair": list(pair), "bonus": round(random.uniform(0.05, 0.15), 2)} for pair in helping],
        "spillovers": [
            {"source": source, "target": target, "share": round(random.uniform(0.05, 0.1), 2)}
            for source, target in spilling
        ],
    }


def _pairs(random: np.random.Generator, ksfs: dict[str, Any], *, each: int) -> list[tuple[str, str]]:
    """Return pairs of KSFs of one team, at least one for each team; no KSF is the first of two pairs."""
    found = []
    for team in dict.fromkeys(entry["team"] for entry in ksfs.values()):
        mine = random.permutation([ksf for ksf, entry in ksfs.items() if entry["team"] == team]).tolist()
        found += list(pairwise(mine))[: 2 * max(1, each) : 2]
    return found


def _across(random: np.random.Generator, ksfs: dict[str, Any]) -> list[tuple[str, str]]:
    first, *others = random.permutation(list(ksfs)).tolist()
    return [(first, other) for other in others if ksfs[other]["team"] != ksfs[first]["team"]][:1]


def _limited(plan: Plan, per_team: int) -> Plan:
    """Limit the plan to half of what the KSFs with the highest gain alone, so many of each team, would use."""
    alone = Effects(plan, "run_rate").kgi(np.eye(len(plan.ksfs)))
    best = np.zeros(len(plan.ksfs))
    for team in plan.teams:
        mine = np.flatnonzero([entry.team == team for entry in plan.ksfs.values()])
        best[mine[np.argsort(-alone[mine], kind="stable")[:per_team]]] = 1
    limits = {f"teams.{team}.hours": f"hours.{team}" for team in list(plan.teams)[:TEAMS_WITH_HOURS]}
    limits["limits.budget"] = "budget"
    return plan.replace(
        {path: round(TIGHTNESS * float(best @ needs(plan, resource))) for path, resource in limits.items()}
    )
