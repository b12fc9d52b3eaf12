"""Random cases for the choice of KSFs: small plans of every shape, with limits and wishes, as the oracle reads them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tests.core.focus_oracle import Case, Step, Values

# How many KSFs each team has and how many it may take: 10^5 sets and more before money and hours.
LARGE = (
    ((17,), None),
    ((9, 8), None),
    ((6, 6, 6), None),
    ((5, 4, 5, 4), None),
    ((10, 10, 10), 2),
    ((10, 9, 4), 3),
    ((6, 6, 5, 5), 3),
    ((7, 7, 7), 4),
)
LARGEST = ((5, 5, 5, 5), None)  # 2^20 = 1,048,576
YEARS = ((4, 4, 4), None)  # every set through every month: 4,096


class Trunk:
    """A tree that grows: its inputs, and its steps with the text and the meaning of each."""

    def __init__(self, random: np.random.Generator):
        self.random = random
        self.metrics: dict[str, Any] = {}
        self.steps: list[Step] = []

    def given(self, name: str, low: float, high: float, kind: str = "count") -> str:
        unit = "%" if kind == "rate" else ""
        self.metrics[name] = {"name": name, "kind": kind, "unit": unit, "value": float(self.random.uniform(low, high))}
        if kind == "count" and self.random.random() < 0.3:
            self.metrics[name]["season"] = self.random.uniform(0.5, 1.5, 12).tolist()
        return name

    def rate(self, name: str) -> str:
        return self.given(name, 0.1, 0.9, "rate")

    def step(self, name: str, formula: str, means: Callable[[Values], Any], kind: str = "count") -> str:
        self.metrics[name] = {"name": name, "kind": kind, "unit": "%" if kind == "rate" else "", "formula": formula}
        if kind == "count" and self.random.random() < 0.5:
            weights = self.random.uniform(0, 1, self.random.integers(1, 4))
            self.metrics[name]["lag"] = (weights / weights.sum()).tolist()
        self.steps.append(Step(name, formula, means))
        return name

    def product(self, name: str, *of: str, kind: str = "count") -> str:
        return self.step(name, " * ".join(of), lambda at: math.prod(at[one] for one in of), kind)

    def total(self, name: str, *of: str) -> str:
        return self.step(name, " + ".join(of), lambda at: sum(at[one] for one in of))


def chain(trunk: Trunk) -> None:
    """visits · rate · rate … · price; sometimes the last two rates are one computed rate."""
    last = trunk.given("visits", 500, 5000)
    for at in range(trunk.random.integers(1, 4)):
        last = trunk.product(f"n{at}", last, trunk.rate(f"r{at}"))
    if trunk.random.random() < 0.5:
        last = trunk.product("won", last, trunk.product("close", trunk.rate("offer"), trunk.rate("win"), kind="rate"))
    trunk.product("kgi", last, trunk.given("price", 5, 50, "money"))


def shared_bottom(trunk: Trunk) -> None:
    """(Σ channels visits · rate) · rate · price."""
    channels = [
        trunk.product(f"leads{at}", trunk.given(f"visits{at}", 100, 3000), trunk.rate(f"cvr{at}"))
        for at in range(trunk.random.integers(2, 5))
    ]
    won = trunk.product("won", trunk.total("leads", *channels), trunk.rate("win"))
    trunk.product("kgi", won, trunk.given("price", 5, 50, "money"))


def shared_top(trunk: Trunk) -> None:
    """visits · rate, then Σ channels share · rate · price."""
    leads = trunk.product("leads", trunk.given("visits", 500, 5000), trunk.rate("cvr"))
    channels = [
        trunk.product(
            f"sales{at}",
            leads,
            trunk.given(f"part{at}", 0.1, 0.9),
            trunk.rate(f"win{at}"),
            trunk.given(f"price{at}", 5, 50, "money"),
        )
        for at in range(trunk.random.integers(2, 5))
    ]
    trunk.total("kgi", *channels)


def ceiling(trunk: Trunk) -> None:
    """What is made is at most what there is room for."""
    made = trunk.product("made", trunk.given("visits", 500, 5000), trunk.rate("cvr"), trunk.rate("win"))
    now = math.prod(trunk.metrics[one]["value"] for one in ("visits", "cvr", "win"))
    room = trunk.given("room", 0.9 * now, 1.4 * now)
    base = trunk.given("base", 0, 0.3 * now)
    trunk.step("kgi", f"min({made}, {room}) + {base}", lambda at: np.minimum(at[made], at[room]) + at[base])


def threshold(trunk: Trunk) -> None:
    """Deals beyond a number bring a better price."""
    won = trunk.product("won", trunk.given("visits", 500, 5000), trunk.rate("cvr"), trunk.rate("win"))
    now = math.prod(trunk.metrics[one]["value"] for one in ("visits", "cvr", "win"))
    enough = trunk.given("enough", 0.9 * now, 1.4 * now, "money")
    price = trunk.given("price", 5, 50, "money")
    trunk.step(
        "kgi",
        f"if({won} > {enough}, {won} * {price}, {won} * {price} * 0.8)",
        lambda at: at[won] * at[price] * np.where(at[won] > at[enough], 1.0, 0.8),
    )


def ratio(trunk: Trunk) -> None:
    """Revenue per unit of cost."""
    won = trunk.product(
        "won", trunk.given("visits", 500, 5000), trunk.rate("cvr"), trunk.given("price", 5, 50, "money")
    )
    fixed, per_visit = trunk.given("fixed", 500, 5000, "money"), trunk.given("per_visit", 0.1, 2, "money")
    trunk.step("kgi", f"{won} / ({fixed} + {per_visit})", lambda at: at[won] / (at[fixed] + at[per_visit]))


def profit(trunk: Trunk) -> None:
    """Less what it costs: the KGI may be below 0."""
    leads = trunk.product("leads", trunk.given("visits", 500, 5000), trunk.rate("cvr"))
    price, cost = trunk.given("price", 5, 50, "money"), trunk.given("cost", 1, 30, "money")
    trunk.step("kgi", f"{leads} * ({price} - {cost})", lambda at: at[leads] * (at[price] - at[cost]))


SHAPES = (chain, chain, chain, shared_bottom, shared_bottom, shared_top, shared_top, ceiling, threshold, ratio, profit)


def case(
    seed: int,
    sizes: tuple[tuple[int, ...], int | None] | None = None,
    *,
    objective: str | None = None,
    shape: Callable[[Trunk], None] | None = None,
) -> Case:
    """Return the case of a seed; `sizes` says how many KSFs each team has and how many it may take."""
    random = np.random.default_rng(seed)
    trunk = Trunk(random)
    (shape or SHAPES[random.integers(len(SHAPES))])(trunk)
    counts, most = sizes or (
        tuple(random.integers(1, 4 if objective == "year" else 5, random.integers(1, 5)).tolist()),
        None,
    )
    teams = {f"t{at}": {"name": f"t{at}", "skill": int(random.integers(1, 6))} for at in range(len(counts))}
    owners = [team for team, count in zip(teams, counts, strict=True) for _ in range(count)]
    random.shuffle(owners)
    names = [f"K{at}" for at in range(len(owners))]
    movable = [*trunk.metrics] if random.random() < 0.5 else [name for name in trunk.metrics if name != "kgi"]
    ksfs: dict[str, Any] = {}
    for name, owner in zip(names, owners, strict=True):
        ksfs[name] = _ksf(random, owner, [*teams], movable, before=ksfs)
    data = {
        "schema": 1,
        "name": "random",
        "fiscal_year": {"starts": f"2026-{random.integers(1, 13):02d}"},
        "kgi": {"metric": "kgi", "target": 1e6},
        "teams": teams,
        "metrics": {
            **trunk.metrics,
            "kgi": {**trunk.metrics["kgi"], "kind": "kgi"},
            "side": {"name": "side", "kind": "count", "value": 1.0},
        },
        "ksfs": ksfs,
        "assumptions": _assumptions(random, names),
    }
    loose = sizes is not None
    wishes = random.permutation(names).tolist()
    locked, out = int(random.random() < 0.2), int(random.random() < 0.3)
    return Case(
        data,
        tuple(trunk.steps),
        objective=objective or str(random.choice(["average", "average", "average", "run_rate"])),
        budget=None if random.random() < 0.2 else _room(random, data, "budget", loose),
        hours={team: _room(random, data, team, loose) for team in teams if random.random() < 0.7},
        most=dict.fromkeys(teams, most)
        if most
        else {team: int(random.integers(1, 4)) for team in teams if not loose and random.random() < 0.5},
        exactly=int(random.integers(1, 3)) if not loose and random.random() < 0.15 else None,
        lock=tuple(wishes[:locked]),
        rule_out=tuple(wishes[locked : locked + out]),
    )


def teams_apart(seed: int) -> Case:
    """Return a case of 176^6 = 3·10^13 sets that comes apart by team but for the money.

    A chain far from its caps, no computed rate moved (of so many sets that is refused), six teams of ten KSFs that may
    take three each; links and hours stay within a team.
    """
    random = np.random.default_rng(seed)
    found = case(seed, ((10,) * 6, 3), shape=chain)
    for entry in found.data["metrics"].values():
        if entry["kind"] == "rate" and "value" in entry:
            entry["value"] /= 6
    for ksf, entry in found.ksfs.items():
        team = entry["team"]
        mine = [other for other in found.ksfs if found.ksfs[other]["team"] == team and other != ksf]
        entry["hours"] = {team: entry["hours"][team]}
        entry["moves"] = {"offer" if metric == "close" else metric: lift for metric, lift in entry["moves"].items()}
        for link in ("depends_on", "excludes"):
            entry[link] = [other for other in entry[link] if other in mine]
        if random.random() < 0.2 and not found.ksfs[mine[0]]["depends_on"]:
            found.assume["synergies"].append({"pair": [ksf, mine[0]], "bonus": 0.2})
    found.assume["rate_cap"] = 1.0
    for links in ("synergies", "spillovers"):
        found.assume[links][:] = [link for link in found.assume[links] if _within_a_team(found, link)]
    return replace(found, budget=found.budget or _room(random, dict(found.data), "budget", loose=True), lock=())


def _within_a_team(found: Case, link: dict[str, Any]) -> bool:
    one, other = link.get("pair") or (link["source"], link["target"])
    return bool(found.ksfs[one]["team"] == found.ksfs[other]["team"])


def _room(random: np.random.Generator, data: dict[str, Any], resource: str, loose: bool) -> float:
    """Return a limit that binds more or less often: a share of what all KSFs together would take."""
    ksfs = data["ksfs"].values()
    whole = sum(entry["cost"] if resource == "budget" else entry["hours"].get(resource, 0) for entry in ksfs)
    return float(round(whole * random.uniform(0.3, 0.7 if loose else 1.1), -1))


def _ksf(
    random: np.random.Generator, owner: str, teams: list[str], movable: list[str], *, before: dict[str, Any]
) -> dict[str, Any]:
    """Return a KSF; one of thirty moves nothing of this KGI, and keeps to itself."""
    moved = random.choice(movable, min(len(movable), random.integers(1, 4)), replace=False).tolist()
    rivals = [ksf for ksf, entry in before.items() if "side" not in entry["moves"]]
    chances = random.random(3) < (0.25, 0.08, 0.15)
    if random.random() < 0.03:
        moved, chances = ["side"], (False, False, False)
    low, high = (-0.99, -0.7) if random.random() < 0.04 else (-0.06, 0.25)  # at times more than all is lost
    start = float(random.integers(-2, 12)) / 2
    workers = {owner, *random.choice(teams, random.integers(1, 3)).tolist()}
    return {
        "name": "ksf",
        "team": owner,
        "moves": {metric: sorted(random.uniform(low, high, 3).tolist()) for metric in moved},
        "cost": float(10 * random.integers(0, 60)),
        "hours": {team: float(10 * random.integers(0, 30)) for team in sorted(workers)},
        "ramp": [start, start + float(random.integers(1, 18)) / 2],
        "skill": int(random.integers(1, 6)),
        "layer": str(random.choice(["basic", "advanced"])),
        "depends_on": random.choice([*before], 1).tolist() if before and chances[0] else [],
        "excludes": random.choice(rivals, 1).tolist() if rivals and chances[1] else [],
        "needs": {str(random.choice(movable)): float(random.uniform(1, 200))} if chances[2] else {},
    }


def _assumptions(random: np.random.Generator, names: list[str]) -> dict[str, Any]:
    """Constants from all over their ranges; helpers and spill-overs between any two KSFs, whatever their teams."""
    pairs = [random.choice(names, 2, replace=False).tolist() for _ in range(random.integers(0, 4)) if len(names) > 1]
    once = {tuple(sorted(pair)): pair for pair in pairs}
    flows = [random.choice(names, 2, replace=False).tolist() for _ in range(random.integers(0, 3)) if len(names) > 1]
    return {
        "execution": float(random.choice([1.0, random.uniform(0.4, 1)])),
        "skill_slope": float(random.uniform(0.2, 0.7)),
        "headroom_basic": float(random.uniform(0.1, 0.5)),
        "headroom_advanced": float(random.uniform(0, 0.2)),
        "headroom_floor": float(random.uniform(0, 0.3)),
        "headroom_skill": int(random.integers(1, 4)),
        "prerequisite": float(random.uniform(0.2, 0.9)),
        "prerequisite_skill": int(random.integers(2, 6)),
        "dilution": float(random.uniform(0, 0.6)),
        "free_ksfs": sorted(random.integers(1, 5, 5).tolist()),
        "rate_cap": float(random.uniform(0.4, 1)),
        "horizon_months": int(random.choice([6, 12, 12, 18])),
        "synergies": [
            {"pair": pair, "bonus": float(random.uniform(0, random.choice([0.3, 1])))} for pair in once.values()
        ],
        "spillovers": [
            {"source": source, "target": target, "share": float(random.uniform(0, 0.5))} for source, target in flows
        ],
    }
