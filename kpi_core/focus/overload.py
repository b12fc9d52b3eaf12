"""How many KSFs a team can carry: few for people who are new to it, and what is said when it is asked for more.

usual      assumptions.free_ksfs, by skill: two for beginners, more for those who know the work (domain S0.30)
too many   a team of skill 1 or 2 with more than three KSFs: overload takes the heart out of people (S0.31, S0.33)
"""

from __future__ import annotations

from dataclasses import dataclass

from kpi_core.focus.explain import Focus
from kpi_core.plan import Plan

BEGINNER = 2
MOST = 3


@dataclass(frozen=True, kw_only=True)
class Overload:
    """A team of little experience that takes on, or may take on, `count` KSFs."""

    team: str
    skill: int
    count: int
    chosen: bool


def usual(plan: Plan, team: str) -> int:
    """Return how many KSFs a team of this skill can run at once before they dilute."""
    return plan.assumptions.free_ksfs[plan.teams[team].skill - 1]


def overloads(found: Focus) -> tuple[Overload, ...]:
    """Return the teams of little experience with more than three KSFs, in the plan's order.

    What is chosen counts; a team that is only allowed more is told before it happens.
    """
    plan = found.plan
    owners = {entry.team for entry in plan.ksfs.values()}
    seen = []
    for team, part in plan.teams.items():
        if team not in owners or part.skill > BEGINNER:
            continue
        taken = sum(plan.ksfs[ksf].team == team for ksf in found.chosen)
        if taken > MOST or (part.max_ksfs or 0) > MOST:
            count = taken if taken > MOST else part.max_ksfs or 0
            seen.append(Overload(team=team, skill=part.skill, count=count, chosen=taken > MOST))
    return tuple(seen)
