"""An oracle for the choice of KSFs: domain §3.3 written out once more, for every set there is.

    g(k, n) = ε · φ · h · q · δ · (1 + syn) · R · (low + mode + high) / 3
    KGI(S)  = tree( now · Π (1 + g), rates at most at the cap ),   hours, budget, at most so many per team

It shares nothing with `kpi_core.focus`: a case is a plan as plain data, and its tree a list of steps, each as the text
the plan has and as the Python it means. Sets are the columns of a 0/1 table, one row per KSF, so that a million of
them are arrays and no loop. A year is a loop over its months.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Sets = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Values = dict[str, Any]

_AT_ONCE = 32_768


class Step(NamedTuple):
    """A computed metric: the formula of the plan, and what it means."""

    metric: str
    formula: str
    means: Callable[[Values], Any]


@dataclass(frozen=True)
class Case:
    """A plan as data, its tree, and what is asked of the choice."""

    data: Mapping[str, Any]
    steps: tuple[Step, ...]
    objective: str = "average"
    budget: float | None = None
    hours: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)
    exactly: int | None = None
    lock: tuple[str, ...] = ()
    rule_out: tuple[str, ...] = ()

    @property
    def ksfs(self) -> dict[str, Any]:
        return self.data["ksfs"]

    @property
    def assume(self) -> dict[str, Any]:
        return self.data["assumptions"]

    def skill(self, ksf: str) -> int:
        return self.data["teams"][self.ksfs[ksf]["team"]]["skill"]

    def row(self, ksf: str) -> int:
        return list(self.ksfs).index(ksf)

    def names(self, column: Sets) -> tuple[str, ...]:
        return tuple(ksf for ksf, here in zip(self.ksfs, column, strict=True) if here)

    def columns(self, *sets: tuple[str, ...]) -> Sets:
        return np.array([[ksf in chosen for chosen in sets] for ksf in self.ksfs], dtype=np.bool_)


# Which sets there are.


def allowed(case: Case) -> Sets:
    """Return every set that holds the locks and keeps the limits, one column each."""
    found = np.zeros((len(case.ksfs), 1), dtype=np.bool_)
    for team in case.data["teams"]:
        choices = _choices(case, team)
        found = np.repeat(found, choices.shape[1], axis=1) | np.tile(choices, found.shape[1])
    return found[:, keeps(case, found)]


def keeps(case: Case, sets: Sets) -> npt.NDArray[np.bool_]:
    """Return which sets keep all that is asked."""
    fine = np.ones(sets.shape[1], dtype=np.bool_)
    entries = list(enumerate(case.ksfs.items()))
    for row, (ksf, _) in entries:
        fine &= sets[row] if ksf in case.lock else True
        fine &= ~sets[row] if ksf in case.rule_out else True
        for other in case.ksfs[ksf].get("excludes", ()):
            fine &= ~(sets[row] & sets[case.row(other)])
    if case.budget is not None:
        fine &= sum(sets[row] * entry["cost"] for row, (_, entry) in entries) <= case.budget
    for team, hours in case.hours.items():
        fine &= sum(sets[row] * entry["hours"].get(team, 0) for row, (_, entry) in entries) <= hours
    for team in case.data["teams"]:
        count = sum(sets[row].astype(int) for row, (_, entry) in entries if entry["team"] == team)
        able = sum(entry["team"] == team and ksf not in case.rule_out for _, (ksf, entry) in entries)
        fine &= count <= case.most.get(team, able)
        fine &= count == min(able, case.exactly) if case.exactly is not None else True
    return fine


def idle(case: Case) -> set[str]:
    """Return the KSFs that move nothing below the KGI and help none that does: they are in no set unless asked for."""
    acting = {ksf for ksf in case.ksfs if acts(case, ksf)}
    helping = {ksf for link in case.assume["synergies"] if acting & {*link["pair"]} for ksf in link["pair"]}
    helping |= {link["source"] for link in case.assume["spillovers"] if link["target"] in acting}
    enough = case.assume["prerequisite_skill"]
    unskilled = {ksf for ksf in acting if case.data["teams"][case.ksfs[ksf]["team"]]["skill"] < enough}
    helping |= {other for ksf in unskilled for other in case.ksfs[ksf]["depends_on"]}
    return {*case.ksfs} - acting - helping


def acts(case: Case, ksf: str) -> bool:
    """Return whether a KSF moves anything of this KGI, for which its flow must be there too.

    In these cases all metrics but `side` lie below the KGI.
    """
    moves = case.ksfs[ksf]["moves"].items()
    return _own(case, ksf) > 0 and any(any(lift) for metric, lift in moves if metric != "side")


def _choices(case: Case, team: str) -> Sets:
    out = {*case.rule_out} | (idle(case) - {*case.lock} if case.exactly is None else set())
    mine = [ksf for ksf, entry in case.ksfs.items() if entry["team"] == team and ksf not in out]
    most = min(len(mine), case.most.get(team, len(mine)), len(mine) if case.exactly is None else case.exactly)
    return case.columns(*(chosen for size in range(most + 1) for chosen in combinations(mine, size)))


# What a set does.


def kgis(case: Case, sets: Sets) -> Numbers:
    """Return the KGI of every set."""
    at_once = max(1, _AT_ONCE // (len(_months(case)) if case.objective == "year" else 1))
    parts = [sets[:, start : start + at_once] for start in range(0, sets.shape[1], at_once)]
    of = _year if case.objective == "year" else _whole
    return np.concatenate([of(case, part) for part in parts]) if parts else np.zeros(0)


def _whole(case: Case, sets: Sets) -> Numbers:
    """Return the tree's own total: every input, then every step, each times what the set does to it."""
    factors = _factors(case, sets)
    values: Values = {}
    for metric, entry in case.data["metrics"].items():
        if "formula" not in entry:
            values[metric] = _lifted(case, metric, entry["value"], factors.get(metric, 1.0))
    for step in case.steps:
        values[step.metric] = _lifted(case, step.metric, step.means(values), factors.get(step.metric, 1.0))
    return np.broadcast_to(values[case.data["kgi"]["metric"]], sets.shape[1])


def _year(case: Case, sets: Sets) -> Numbers:
    """Return the mean of the year's twelve paces, month by month from long before it."""
    months, factors = _months(case), _factors(case, sets)
    entered: dict[str, list[Any]] = {step.metric: [] for step in case.steps}
    total = np.zeros(sets.shape[1])
    for at, month in enumerate(months):
        values: Values = {}
        here = {metric: factor[at] for metric, factor in factors.items()}
        for metric, entry in case.data["metrics"].items():
            if "formula" not in entry:
                pace = entry["value"] * _season(case, entry, month)
                values[metric] = _lifted(case, metric, pace, here.get(metric, 1.0))
        for step in case.steps:
            entered[step.metric].append(step.means(values))
            lag = case.data["metrics"][step.metric].get("lag", [1.0])
            arrived = sum(share * entered[step.metric][at - j] for j, share in enumerate(lag) if at >= j)
            values[step.metric] = _lifted(case, step.metric, arrived, here.get(step.metric, 1.0))
        if month >= 1:
            total = total + values[case.data["kgi"]["metric"]] / 12
    return total


def _months(case: Case) -> list[int]:
    """Return the months, 1 the first of the year, from before anything that can still arrive in it."""
    longest = sum(len(case.data["metrics"][step.metric].get("lag", [1.0])) for step in case.steps)
    return list(range(1 - longest, 13))


def _season(case: Case, entry: Mapping[str, Any], month: int) -> float:
    season = entry.get("season") or [1.0] * 12
    first = int(case.data["fiscal_year"]["starts"][-2:])
    return season[(first + month - 2) % 12] / (sum(season) / 12)


def _lifted(case: Case, metric: str, now: Any, factor: Any) -> Any:
    entry = case.data["metrics"][metric]
    if entry["kind"] == "rate" and entry.get("unit") == "%":
        return np.minimum(now * factor, np.maximum(now, case.assume["rate_cap"]))
    return now * factor


def _factors(case: Case, sets: Sets) -> dict[str, Numbers]:
    """Return by how much each metric is multiplied: by set, in a year by month and set."""
    found: dict[str, Numbers] = {}

    def lift(ksf: str, effect: Any) -> None:
        for metric, (low, mode, high) in case.ksfs[ksf]["moves"].items():
            times = np.maximum(0.0, 1 + effect * _reached(case, ksf) * (low + mode + high) / 3)
            found[metric] = found[metric] * times if metric in found else times

    for ksf in case.ksfs:
        here = sets[case.row(ksf)]
        lift(ksf, here * _own(case, ksf) * _q(case, ksf, sets) * _delta(case, ksf, sets) * _syn(case, ksf, sets))
    for link in case.assume["spillovers"]:
        brought = sets[case.row(link["source"])] & ~sets[case.row(link["target"])]
        lift(link["target"], brought * link["share"] * _own(case, link["target"]) * _q(case, link["target"], sets))
    return found


def _own(case: Case, ksf: str) -> float:
    """Return ε · φ · h · flow."""
    assume, entry, skill = case.assume, case.ksfs[ksf], case.skill(ksf)
    phi = math.exp(assume["skill_slope"] * min(0, skill - entry["skill"]))
    eta = assume["headroom_" + entry["layer"]]
    headroom = max(assume["headroom_floor"], 1 - eta * max(0, skill - assume["headroom_skill"]))
    flow = 1.0
    if skill < assume["prerequisite_skill"]:
        for metric, needed in entry.get("needs", {}).items():
            flow *= min(1.0, max(0.0, _baseline(case)[metric] / 12 / needed))  # a loss is no flow either
    return assume["execution"] * phi * headroom * flow


def _baseline(case: Case) -> Values:
    values = {metric: entry["value"] for metric, entry in case.data["metrics"].items() if "formula" not in entry}
    for step in case.steps:
        values[step.metric] = step.means(values)
    return values


def _q(case: Case, ksf: str, sets: Sets) -> Any:
    """Return the factor for what the KSF builds on and is not there."""
    if case.skill(ksf) >= case.assume["prerequisite_skill"]:
        return 1.0
    missing = sum((~sets[case.row(other)]).astype(int) for other in case.ksfs[ksf].get("depends_on", ()))
    return case.assume["prerequisite"] ** missing


def _delta(case: Case, ksf: str, sets: Sets) -> Any:
    """Return how thinly the team is spread."""
    team = case.ksfs[ksf]["team"]
    count = sum(sets[row].astype(int) for row, entry in enumerate(case.ksfs.values()) if entry["team"] == team)
    return 1 / (1 + case.assume["dilution"] * np.maximum(0, count - case.assume["free_ksfs"][case.skill(ksf) - 1]))


def _syn(case: Case, ksf: str, sets: Sets) -> Any:
    """Return 1 plus the bonus of each partner that is there."""
    partners = [(link, set(link["pair"]) - {ksf}) for link in case.assume["synergies"] if ksf in link["pair"]]
    return 1 + sum(link["bonus"] * sets[case.row(partner)] for link, (partner,) in partners)


def _reached(case: Case, ksf: str) -> Any:
    """Return R: the mean of the ramp over the horizon, 1 at full effect, in a year its course by month."""
    start, full = case.ksfs[ksf]["ramp"]
    if case.objective == "run_rate":
        return 1.0
    year = case.objective == "year"
    months = _months(case) if year else range(1, case.assume["horizon_months"] + 1)
    course = [min(1.0, max(0.0, (month - start) / (full - start))) if month >= 1 else 0.0 for month in months]
    return np.array(course)[:, None] if year else sum(course) / len(course)
