"""Why not the others: for every KSF left out the one thing that decides, checked by forcing it in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from kpi_core.errors import KpiError
from kpi_core.focus.choosing import Alternative, Choosing, choosing
from kpi_core.focus.conflict import conflict
from kpi_core.focus.effects import Effects
from kpi_core.focus.search import SAME, FocusLimits, exclusions, usage, used_by
from kpi_core.plan import Plan

# A ramp this slow within the horizon is worth naming as the reason.
_SLOW = 0.5
_HANDICAPS = {"skill": "skill_gap", "flow": "flow", "prerequisites": "prerequisite", "ramp": "slow_ramp"}


@dataclass(frozen=True)
class Reason:
    """Why a KSF is not in the set: the one thing that decides.

    `ruled_out`; `no_effect`: it moves nothing the KGI depends on.
    `over_hours`, `over_budget`, `team_full`: room for it beside the chosen ones is missing, and it
    would be the best use of that much more room (`over_quarter`: hours of a quarter; `excluded`: it
    cannot be chosen together with one that is). `short` is how much more; `alone` says that so
    much is missing even with only what must be in beside it.
    `skill_gap`, `flow`, `prerequisite`, `slow_ramp`: more room would not do, and this is its largest
    handicap; `lower_effect`: it has none.
    `adds` is what it would add to the chosen set, as a share of the KGI; `later` what in a year in which
    every effect is full. `loses` is what the KGI would lose if it were forced in (None: it cannot be),
    `replaces` what would then go.
    """

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    loses: float | None = None
    replaces: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Return the code, under the name it is asked by: `found.left_out["M4"].reason`."""
        return self.code


@dataclass(frozen=True, eq=False)
class Reasons(Mapping[str, Reason]):
    """Why each KSF left out is left out, in the plan's order; found when it is asked for, by choosing again."""

    way: Choosing
    limits: FocusLimits
    best: Alternative
    lock: frozenset[str]
    rule_out: frozenset[str]
    _known: dict[str, Reason] = field(default_factory=dict)

    def __getitem__(self, ksf: str) -> Reason:
        if ksf not in self.out:
            raise KeyError(ksf)
        if ksf not in self._known:
            self._known[ksf] = self._of(ksf)
        return self._known[ksf]

    def __iter__(self) -> Iterator[str]:
        return iter(self.out)

    def __len__(self) -> int:
        return len(self.out)

    @property
    def known(self) -> dict[str, Reason]:
        """Return the reasons asked for so far, in the plan's order."""
        return {ksf: self._known[ksf] for ksf in self.out if ksf in self._known}

    @property
    def effects(self) -> Effects:
        """Return what sets do."""
        return self.way.effects

    @property
    def plan(self) -> Plan:
        """Return the plan."""
        return self.effects.plan

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the best set."""
        return self.best.chosen

    @cached_property
    def out(self) -> list[str]:
        """Return the KSFs left out."""
        return [ksf for ksf in self.effects.ksfs if ksf not in self.chosen]

    def _of(self, ksf: str) -> Reason:
        if ksf in self.rule_out:
            return Reason("ruled_out")
        if not self.effects.acts(ksf):
            return Reason("no_effect")
        forced = self._forced(ksf)
        if not forced:
            return self._no_room({*self.lock, ksf}, ksf, alone=True) or self._beside(ksf)
        kept = forced[0].chosen
        if (rivals := self._rivals(ksf, self.chosen)) and self._comes_in_beside(ksf):
            why = Reason("excluded", {"by": rivals})
        elif ksf in self._would_help and self._comes_in(ksf):
            why = self._beside(ksf)
        else:
            why = self._handicap(ksf, kept)
        replaced = tuple(other for other in self.chosen if other not in kept)
        return replace(why, loses=self.best.kgi - forced[0].kgi, replaces=replaced)

    def _forced(self, ksf: str) -> tuple[Alternative, ...]:
        """Return the best set with a KSF; one that does nothing in the time that counts is in no set unless it must."""
        if ksf not in self.effects.idle or self.limits.exactly is not None:
            return self.way.best(having=ksf).sets
        return choosing(self.effects, self.limits, lock={*self.lock, ksf}, rule_out=self.rule_out).best().sets

    @cached_property
    def _would_help(self) -> frozenset[str]:
        """Return the KSFs that are the best use of just the room they need beside the chosen ones."""
        ksfs, plan = self.effects.ksfs, self.plan
        rows = np.array([[ksf in self.chosen or ksf == more for ksf in ksfs] for more in self.out], dtype=np.float64)
        if not len(rows):
            return frozenset()
        kgi, best = self.effects.kgi(rows), self.best.kgi
        teams = list(dict.fromkeys(entry.team for entry in plan.ksfs.values()))
        most = [self.limits.most(team, sum(entry.team == team for entry in plan.ksfs.values())) for team in teams]
        room = dict(zip((f"ksfs.{team}" for team in teams), most, strict=True)) | self.limits.resources
        needs = rows @ np.column_stack([usage(plan.ksfs, resource) for resource in room])
        given = np.maximum(needs, list(room.values())) * (1 + SAME)  # to each just the room it needs
        allowed = np.array([ksf not in self.rule_out and not self._rivals(ksf, self.chosen) for ksf in self.out])
        helps = allowed & (kgi > best + SAME * abs(best))
        fits = (needs[None, :, :] <= given[:, None, :]).all(axis=2)  # [who is given room, who fits into it]
        beaten = (fits & helps & (kgi[None, :] > kgi[:, None])).any(axis=1)
        return frozenset(ksf for ksf, yes in zip(self.out, helps & ~beaten, strict=True) if yes)

    def _comes_in_beside(self, ksf: str) -> bool:
        """Choose again as if the KSF excluded none."""
        changes: dict[str, list[str]] = {f"ksfs.{ksf}.excludes": []}
        for other, entry in self.plan.ksfs.items():
            if ksf in entry.excludes:
                changes[f"ksfs.{other}.excludes"] = [one for one in entry.excludes if one != ksf]
        effects = replace(self.effects, plan=self.plan.replace(changes))
        again = choosing(effects, self.limits, lock=self.lock, rule_out=self.rule_out).best().sets
        return bool(again) and ksf in again[0].chosen

    def _comes_in(self, ksf: str) -> bool:
        """Choose again with just the room the KSF needs beside the chosen ones."""
        if self.limits.exactly is not None:
            return True
        used = used_by(self.plan, self.limits, {*self.chosen, ksf})
        more = FocusLimits(
            budget=None if self.limits.budget is None else max(self.limits.budget, used["budget"]),
            hours={team: max(limit, used[f"hours.{team}"]) for team, limit in self.limits.hours.items()},
            quarters={
                team: [max(limit, used[f"q{at}.{team}"]) for at, limit in enumerate(quarters, 1)]
                for team, quarters in self.limits.quarters.items()
            },
            max_ksfs={team: max(most, int(used.get(f"ksfs.{team}", 0))) for team, most in self.limits.max_ksfs.items()},
        )
        again = choosing(self.effects, more, lock=self.lock, rule_out=self.rule_out).best().sets
        return bool(again) and ksf in again[0].chosen

    def _rivals(self, ksf: str, among: Collection[str]) -> tuple[str, ...]:
        """Return which of some KSFs this one cannot be chosen with."""
        return tuple(
            self.effects.ksfs[at]
            for at in self._excluded[self.effects.ksfs.index(ksf)]
            if self.effects.ksfs[at] in among
        )

    @cached_property
    def _excluded(self) -> list[list[int]]:
        return exclusions(self.plan.ksfs)

    def _beside(self, ksf: str) -> Reason:
        """Return what keeps a KSF from joining the chosen ones."""
        return self._no_room({*self.chosen, ksf}, ksf) or self._handicap(ksf, {*self.chosen, ksf})

    def _no_room(self, among: Collection[str], ksf: str, *, alone: bool = False) -> Reason | None:
        """Return the limit that a set with this KSF breaks: whom it excludes, its team's places, what is most short."""
        if rivals := self._rivals(ksf, among):
            return Reason("excluded", {"by": rivals})
        team = self.plan.ksfs[ksf].team
        mine = [other for other in self.effects.ksfs if self.plan.ksfs[other].team == team]
        most = self.limits.most(team, len(mine))
        if sum(other in among for other in mine) > most:
            return Reason("team_full", {"team": team, "most": most})
        used = used_by(self.plan, self.limits, among)
        ends = {resource: limit for resource, limit in self.limits.resources.items() if limit < np.inf}
        over = {resource: used[resource] - limit for resource, limit in ends.items()}
        worst = max(over, key=lambda one: over[one] / max(self.limits.resources[one], 1e-9), default=None)
        if worst is None or over[worst] <= SAME * max(1.0, used[worst]):
            return None
        kind, _, team = worst.partition(".")
        facts: dict[str, object] = {"team": team, "short": over[worst], "alone": alone}
        if kind[0] == "q":
            return Reason("over_quarter", {**facts, "quarter": int(kind[1:])})
        return Reason("over_hours" if team else "over_budget", facts)

    def _beside_the_set(self, ksf: str, effects: Effects) -> float:
        """Return what a KSF would add to the KGI of the chosen set if it simply came along."""
        rows = [[other in self.chosen or other == more for other in effects.ksfs] for more in ("", ksf)]
        without, with_it = effects.kgi(np.array(rows, dtype=np.float64))
        return float(with_it - without)

    def _handicap(self, ksf: str, among: Collection[str]) -> Reason:
        """Return the largest handicap of a KSF among those it would be chosen with."""
        effects, plan, entry = self.effects, self.plan, self.plan.ksfs[ksf]
        row = np.array([[1.0 if other in among else 0.0 for other in effects.ksfs]])
        factors = {**effects.own[ksf], "prerequisites": float(effects.prerequisites(row, ksf)[0])}
        bad = {step: factors[step] for step in _HANDICAPS if factors[step] < (_SLOW if step == "ramp" else 1)}
        if not bad:
            return Reason("lower_effect", {"adds": self._beside_the_set(ksf, self.effects) / abs(self.best.kgi or 1.0)})
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
            later = self._beside_the_set(ksf, replace(self.effects, objective="run_rate"))
            facts |= {"start": entry.ramp[0], "full": entry.ramp[1], "later": later}
        return Reason(_HANDICAPS[worst], facts)


def nothing_fits(plan: Plan, limits: FocusLimits, lock: Collection[str], rule_out: Collection[str]) -> KpiError:
    """Return the error for wishes that cannot be met: it names what is in the way, and as `conflict` what clashes."""
    error = _nothing_fits(plan, limits, lock, rule_out)
    return KpiError(error.code, error.message, **error.facts, conflict=conflict(plan, limits, lock, rule_out))


def _nothing_fits(plan: Plan, limits: FocusLimits, lock: Collection[str], rule_out: Collection[str]) -> KpiError:
    for ksf in plan.ksfs:
        if ksf in lock and ksf in rule_out:
            return KpiError(
                "locks_infeasible",
                "{ksf} must be in and is ruled out as well. Choose one of the two.",
                limit="rule_out",
                ksf=ksf,
            )
    used = used_by(plan, limits, lock)
    for resource, limit in limits.resources.items():
        if used[resource] > limit and (team := resource.partition(".")[2]):
            return KpiError(
                "locks_infeasible",
                "The KSFs that must be in take {used} hours of {team}, which has {has}. "
                "Let one go, or give more hours.",
                limit=resource,
                used=used[resource],
                team=team,
                has=limit,
            )
        if used[resource] > limit:
            return KpiError(
                "locks_infeasible",
                "The KSFs that must be in cost {used} yen; the budget is {has}. Let one go, or raise the budget.",
                limit=resource,
                used=used[resource],
                has=limit,
            )
    for ksf, others in zip(plan.ksfs, exclusions(plan.ksfs), strict=True):
        rival = next((other for at, other in enumerate(plan.ksfs) if at in others and other in lock), None)
        if ksf in lock and rival is not None:
            return KpiError(
                "locks_infeasible",
                "{ksf} and {other} must be in and exclude each other. Let one of them go.",
                limit="excludes",
                ksf=ksf,
                other=rival,
            )
    for team in plan.teams:
        mine = [ksf for ksf, entry in plan.ksfs.items() if entry.team == team]
        if sum(ksf in lock for ksf in mine) > limits.most(team, len(mine)):
            return KpiError(
                "locks_infeasible",
                "More KSFs must be in than a team may take on. Let one go, or allow more.",
                limit=f"max_ksfs.{team}",
                team=team,
                has=limits.most(team, len(mine)),
            )
    return KpiError(
        "exactly_infeasible",
        "No set with exactly {count} KSFs in every team keeps the limits. Ask for fewer, or give more.",
        count=limits.exactly,
    )
