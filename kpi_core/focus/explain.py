"""The choice and its reasons: the best set, the runner-up, and one reason for every KSF left out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from kpi_core.errors import KpiError
from kpi_core.focus.effects import Effects, Entry, Objective, ledger
from kpi_core.focus.search import FocusLimits, Sets, feasible, usage
from kpi_core.plan import Plan

# A ramp this slow within the horizon is worth naming as the reason.
_SLOW = 0.5
_HANDICAPS = {"skill": "skill_gap", "flow": "flow", "prerequisites": "prerequisite", "ramp": "slow_ramp"}


@dataclass(frozen=True)
class Reason:
    """Why a KSF is not in the set.

    `code`: `ruled_out`, `no_effect`, `over_budget`, `over_hours`, `team_full` (it cannot be in at all),
    `skill_gap`, `flow`, `prerequisite`, `slow_ramp` (its largest handicap), `lower_effect`.
    `loses` is what the KGI would lose if it were forced in, `replaces` what would then go.
    """

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    loses: float | None = None
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proof:
    """How sure the choice is: sets possible, sets within the limits and evaluated, and the gap left."""

    considered: int
    evaluated: int
    gap: float
    bound: float


@dataclass(frozen=True)
class Alternative:
    """Another set, and its KGI."""

    chosen: tuple[str, ...]
    kgi: float


@dataclass(frozen=True)
class Focus:
    """The best set of KSFs within the limits. Amounts are in the KGI's unit, the plan's currency and hours.

    `used` and `slack` are by resource: `budget` and `hours.<team>`. `brings` is what the KGI would
    lose without each chosen KSF, the others kept. `tie`: the runner-up is as good for all purposes.
    """

    plan: Plan
    limits: FocusLimits
    objective: Objective
    chosen: tuple[str, ...]
    kgi: float
    baseline: float
    used: Mapping[str, float]
    slack: Mapping[str, float]
    brings: Mapping[str, float]
    next_best: tuple[Alternative, ...]
    left_out: Mapping[str, Reason]
    proof: Proof

    @property
    def gain(self) -> float:
        """Return what the set adds to the KGI."""
        return self.kgi - self.baseline

    @property
    def runner_up(self) -> Alternative | None:
        """Return the second-best set; None if there is only one."""
        return self.next_best[0] if self.next_best else None

    @property
    def margin(self) -> float | None:
        """Return by how much the best set beats the runner-up."""
        return None if self.runner_up is None else self.kgi - self.runner_up.kgi

    @property
    def tie(self) -> bool:
        """Return whether best and runner-up are nearly equal: their log effects differ by less than assumed."""
        if self.runner_up is None or self.baseline <= 0 or self.runner_up.kgi <= self.baseline:
            return False
        ratio = math.log(self.kgi / self.baseline) / math.log(self.runner_up.kgi / self.baseline)
        return ratio < self.plan.assumptions.near_tie

    @cached_property
    def ledger(self) -> tuple[Entry, ...]:
        """Return every effect of the set, step by step."""
        return ledger(self.plan, self.chosen, objective=self.objective)


def choose(
    plan: Plan,
    limits: FocusLimits | None = None,
    *,
    objective: Objective = "average",
    lock: Collection[str] = (),
    rule_out: Collection[str] = (),
) -> Focus:
    """Return the best set of KSFs: no set within the limits has a higher KGI.

    `lock` must be in, `rule_out` must not. `average` counts ramps averaged over the horizon,
    `run_rate` counts every effect as full. Equal sets: fewer KSFs, then the plan's order.

    Raises
    ------
    KpiError
        `nothing_fits` (with `limit`): the KSFs that must be in break a limit; `too_many_sets`; `unknown_ksf`.
    """
    limits = FocusLimits.of(plan) if limits is None else limits
    effects = Effects(plan, objective)
    sets = feasible(effects, limits, lock=lock, rule_out=rule_out)
    best = sets.best()
    if best is None:
        raise _nothing_fits(plan, limits, lock)
    chosen, kgi = sets.names(best), float(sets.kgi[best])
    used = _used(plan, limits, chosen)
    return Focus(
        plan=plan,
        limits=limits,
        objective=objective,
        chosen=chosen,
        kgi=kgi,
        baseline=plan.tree.now(plan.kgi.metric),
        used=used,
        slack={resource: limit - used[resource] for resource, limit in limits.resources.items()},
        brings=_brings(effects, chosen, kgi),
        next_best=_next_best(sets, best),
        left_out={ksf: _reason(sets, limits, best, ksf, rule_out) for ksf in plan.ksfs if ksf not in chosen},
        proof=Proof(considered=sets.considered, evaluated=len(sets.chosen), gap=0.0, bound=kgi),
    )


def _used(plan: Plan, limits: FocusLimits, chosen: Collection[str]) -> dict[str, float]:
    row = np.array([ksf in chosen for ksf in plan.ksfs])
    teams = {team for ksf in plan.ksfs.values() for team in ksf.hours}
    resources = dict.fromkeys(["budget", *limits.resources, *(f"hours.{team}" for team in plan.teams if team in teams)])
    return {resource: float(row @ usage(plan.ksfs, resource)) for resource in resources}


def _brings(effects: Effects, chosen: tuple[str, ...], kgi: float) -> dict[str, float]:
    rows = np.array(
        [[ksf in chosen and ksf != without for ksf in effects.ksfs] for without in chosen], dtype=np.float64
    )
    if not len(rows):
        return {}
    return {ksf: kgi - float(lost) for ksf, lost in zip(chosen, effects.kgi(rows), strict=True)}


def _next_best(sets: Sets, best: int, count: int = 5) -> tuple[Alternative, ...]:
    order = np.argsort(-sets.kgi, kind="stable")
    rows = [int(row) for row in order[: count + 1] if row != best][:count]
    return tuple(Alternative(sets.names(row), float(sets.kgi[row])) for row in rows)


def _reason(sets: Sets, limits: FocusLimits, best: int, ksf: str, rule_out: Collection[str]) -> Reason:
    if ksf in rule_out:
        return Reason("ruled_out")
    if not sets.effects.lifts[sets.effects.ksfs.index(ksf)].any() or _moves_nothing(sets.effects, ksf):
        return Reason("no_effect")
    forced = sets.best(sets.with_ksf(ksf))
    if forced is None:
        return _impossible(sets.effects.plan, limits, ksf)
    kept = set(sets.names(forced))
    loses = float(sets.kgi[best] - sets.kgi[forced])
    replaces = tuple(other for other in sets.names(best) if other not in kept)
    code, facts = _handicap(sets.effects, sets.names(forced), ksf)
    return Reason(code, facts, loses, replaces)


def _moves_nothing(effects: Effects, ksf: str) -> bool:
    carriers = set(effects.plan.tree.carriers(effects.plan.kgi.metric))
    return not carriers & set(effects.plan.ksfs[ksf].moves)


def _impossible(plan: Plan, limits: FocusLimits, ksf: str) -> Reason:
    """Say which limit a KSF breaks, even with only what must be in beside it."""
    entry = plan.ksfs[ksf]
    for resource, limit in limits.resources.items():
        short = float(usage({ksf: entry}, resource)[0]) - limit
        if short > 0:
            team = resource.partition(".")[2]
            return Reason("over_hours" if team else "over_budget", {"team": team, "short": short})
    return Reason("team_full", {"team": entry.team, "most": limits.max_ksfs.get(entry.team)})


def _handicap(effects: Effects, among: Collection[str], ksf: str) -> tuple[str, dict[str, object]]:
    """Return the largest handicap of a KSF among those it would be chosen with."""
    entry, plan = effects.plan.ksfs[ksf], effects.plan
    row = np.array([[1.0 if other in among else 0.0 for other in effects.ksfs]])
    factors = {**effects.own[ksf], "prerequisites": float(effects.prerequisites(row, ksf)[0])}
    bad = {step: factors[step] for step in _HANDICAPS if factors[step] < (_SLOW if step == "ramp" else 1)}
    if not bad:
        return "lower_effect", {}
    worst = min(bad, key=bad.__getitem__)
    facts: dict[str, object] = {"factor": bad[worst]}
    if worst == "skill":
        facts |= {"needed": entry.skill, "has": plan.teams[entry.team].skill, "team": entry.team}
    elif worst == "flow":
        metric = min(entry.needs, key=lambda one: plan.tree.now(one) / max(entry.needs[one], 1e-300))
        facts |= {"metric": metric, "needed": entry.needs[metric], "has": plan.tree.now(metric) / plan.kgi.months}
    elif worst == "prerequisites":
        facts |= {"missing": tuple(other for other in entry.depends_on if other not in among)}
    else:
        facts |= {"start": entry.ramp[0], "full": entry.ramp[1]}
    return _HANDICAPS[worst], facts


def _nothing_fits(plan: Plan, limits: FocusLimits, lock: Collection[str]) -> KpiError:
    used = _used(plan, limits, lock)
    for resource, limit in limits.resources.items():
        if used[resource] > limit and (team := resource.partition(".")[2]):
            return KpiError(
                "nothing_fits",
                "The KSFs that must be in take {used} hours of {team}, which has {has}."
                " Let one go, or give more hours.",
                used=used[resource],
                team=team,
                has=limit,
            )
        if used[resource] > limit:
            return KpiError(
                "nothing_fits",
                "The KSFs that must be in cost {used} yen; the budget is {has}. Let one go, or raise the budget.",
                used=used[resource],
                has=limit,
            )
    return KpiError("nothing_fits", "More KSFs must be in than a team may take on. Let one go, or allow more.")
