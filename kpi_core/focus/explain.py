"""The choice: the best set, what each of its KSFs brings, the runner-up and by how much it is behind."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from kpi_core.focus.choosing import Alternative, Best, Listed, choosing
from kpi_core.focus.effects import Effects, Entry, Objective, ledger
from kpi_core.focus.hunting import Watch
from kpi_core.focus.reasons import Reasons, nothing_fits
from kpi_core.focus.search import FocusLimits, used_by
from kpi_core.plan import Plan

_NEXT = 5
_NOTHING = 1e-6  # of the KGI: what changes it by less changes nothing that anybody would see


@dataclass(frozen=True)
class Proof:
    """How sure the choice is: sets possible, sets looked at, what no set exceeds, and the gap to it.

    The gap is a share of the KGI; 0 means that the choice is proven. `listed` says that every set within the
    limits was looked at.
    """

    considered: int
    evaluated: int
    gap: float
    bound: float
    listed: bool = True


@dataclass(frozen=True)
class Focus:
    """The best set of KSFs within the limits. Amounts are in the KGI's unit, the plan's currency and hours.

    `used` and `slack` are by resource: `budget`, `hours.<team>` and `ksfs.<team>` (how many of theirs).
    `brings` is what the KGI would lose without each chosen KSF, the others kept.
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
    left_out: Reasons
    proof: Proof
    before: Plan | None = None
    lock: tuple[str, ...] = ()
    rule_out: tuple[str, ...] = ()

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
        """Return whether best and runner-up are nearly equal: their log effects differ by less than assumed.

        Not if they are the same but for KSFs that change nothing: between those nobody has to decide.
        """
        if self.runner_up is None or self.idle_between(self.runner_up):
            return False
        best, second = self._effect(self.kgi), self._effect(self.runner_up.kgi)
        return best == second or 0 < second <= best < second * self.plan.assumptions.near_tie

    def idle_between(self, other: Alternative) -> tuple[str, ...]:
        """Return the KSFs that one of both sets has more than the other and that change nothing; () if they do."""
        more, less = set(other.chosen) - set(self.chosen), set(self.chosen) - set(other.chosen)
        is_same = abs(self.kgi - other.kgi) <= _NOTHING * max(abs(self.kgi), abs(self.baseline))
        return () if not is_same or (more and less) else tuple(ksf for ksf in self.plan.ksfs if ksf in more | less)

    def _effect(self, kgi: float) -> float:
        """Return the log effect; the plain one where the KGI is not above 0 and has no logarithm."""
        return math.log(kgi / self.baseline) if min(kgi, self.baseline) > 0 else kgi - self.baseline

    @cached_property
    def ledger(self) -> tuple[Entry, ...]:
        """Return every effect of the set, step by step."""
        return ledger(self.plan, self.chosen, objective=self.objective, before=self.before)


def choose(
    plan: Plan,
    limits: FocusLimits | None = None,
    *,
    objective: Objective = "average",
    lock: Collection[str] | None = None,
    rule_out: Collection[str] | None = None,
    exactly: int | None = None,
    before: Plan | None = None,
    watch: Watch | None = None,
) -> Focus:
    """Return the best set of KSFs: where `proof.gap` is 0, no set within the limits has a higher KGI.

    `lock` must be in, `rule_out` must not: those of the plan if none are given. `average` counts
    ramps averaged over the horizon, `year` what arrives in this fiscal year (the months before it as in
    `before`), `run_rate` counts every effect as full. `exactly` asks for just so many per team.
    Equal sets: fewer KSFs, then the plan's order. A long search tells `watch` the best KGI so far and the
    bound; if it returns False the search ends there, and the proof says by how much a set may still be better.

    Raises
    ------
    KpiError
        `locks_infeasible` (with `limit`): the KSFs that must be in break a limit or are ruled out;
        `exactly_infeasible`; `too_many_sets`; `nothing_found`; `unknown_ksf`; as `evaluate` if a set makes a rate
        impossible.
    """
    limits = FocusLimits.of(plan) if limits is None else limits
    limits = limits if exactly is None else replace(limits, exactly=exactly)
    lock = plan.limits.lock if lock is None else lock
    rule_out = plan.limits.rule_out if rule_out is None else rule_out
    effects = Effects(plan, objective, before)
    way = choosing(effects, limits, lock=lock, rule_out=rule_out, watch=watch)
    best = None if set(lock) & set(rule_out) else way.best(1 + _NEXT)
    if best is None or not best.sets:
        raise nothing_fits(plan, limits, lock, rule_out)
    first, *others = best.sets
    used = used_by(plan, limits, first.chosen)
    return Focus(
        plan=plan,
        limits=limits,
        objective=objective,
        chosen=first.chosen,
        kgi=first.kgi,
        baseline=effects.baseline,
        used=used,
        slack=_slack(limits, used),
        brings=_brings(effects, first.chosen, first.kgi),
        next_best=tuple(others),
        left_out=Reasons(way, limits, first, frozenset(lock), frozenset(rule_out)),
        proof=_proof(best, listed=isinstance(way, Listed)),
        before=before,
        lock=tuple(lock),
        rule_out=tuple(rule_out),
    )


def _proof(best: Best, *, listed: bool) -> Proof:
    gap = (best.bound - best.sets[0].kgi) / abs(best.sets[0].kgi) if best.sets[0].kgi else 0.0
    return Proof(considered=best.considered, evaluated=best.evaluated, gap=gap, bound=best.bound, listed=listed)


def _slack(limits: FocusLimits, used: Mapping[str, float]) -> dict[str, float]:
    counts = {f"ksfs.{team}": most for team, most in limits.max_ksfs.items()}
    return {
        resource: limit - used[resource] for resource, limit in (limits.resources | counts).items() if resource in used
    }


def _brings(effects: Effects, chosen: tuple[str, ...], kgi: float) -> dict[str, float]:
    rows = np.array(
        [[ksf in chosen and ksf != without for ksf in effects.ksfs] for without in chosen], dtype=np.float64
    )
    if not len(rows):
        return {}
    return {ksf: kgi - float(lost) for ksf, lost in zip(chosen, effects.kgi(rows), strict=True)}
