"""A look at the year: everything the page of deadlines shows, worked out once for what people chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpi_core import pacing
from kpi_core.document import MONTHS_A_YEAR
from kpi_core.errors import KpiError
from kpi_core.luck import luck
from kpi_core.pacing import Profile
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.scaling import Multiplier
from kpi_core.timeline import Timeline, run


@dataclass(frozen=True)
class Look:
    """The year as planned and as needed.

    `exact` adds up, `wanted` reaches the goal with `confidence` (the same where none is chosen); `past` is the
    KGI by month of what entered before the start, None where that cannot be told.
    """

    plan: Plan
    ksfs: Sequence[str]
    confidence: float | None
    exact: Multiplier
    wanted: Multiplier
    planned: Timeline
    needed: Timeline
    past: Array | None

    @classmethod
    def at(
        cls,
        plan: Plan,
        before: Plan,
        *,
        levers: Sequence[str],
        start: int,
        confidence: float | None,
        ksfs: Sequence[str],
    ) -> Look:
        """Work out what is needed from month `start` on."""
        exact = pacing.volume(plan, levers, start=start, ksfs=ksfs, before=before)
        wanted = exact
        if confidence is not None:
            wanted = pacing.volume(plan, levers, start=start, ksfs=ksfs, before=before, confidence=confidence)
        return cls(
            plan=plan,
            ksfs=ksfs,
            confidence=confidence,
            exact=exact,
            wanted=wanted,
            planned=run(plan, ksfs, before=before),
            needed=pacing.with_volume(plan, wanted, ksfs, before=before),
            past=pacing.underway(plan, wanted, ksfs, before=before),
        )

    @property
    def start(self) -> int:
        """Return the first month in which more can be done."""
        return self.exact.start

    def by_start(self, before: Plan) -> list[Multiplier]:
        """Return the same question asked for every month of the year."""
        return [self.starting(start, before) for start in range(1, MONTHS_A_YEAR + 1)]

    def starting(self, start: int, before: Plan) -> Multiplier:
        """Return the same question asked for another month."""
        return pacing.volume(
            self.plan, self.exact.levers, start=start, ksfs=self.ksfs, before=before, confidence=self.confidence
        )

    def chance(self, timeline: Timeline) -> float | None:
        """Return the chance of the goal by the luck of the deals alone; None where none is to be counted."""
        found = luck(self.plan)
        return None if found is None else found.chance_of(timeline.kgi / found.each)

    def evened(self, before: Plan) -> Profile | None:
        """Return the even month-by-month profile of a single flow; None where there is none or nothing is needed."""
        lever, done = self.exact.levers[0], self.wanted.limit == "already"
        if len(self.exact.levers) != 1 or done or not self.plan.metrics[lever].is_flow:
            return None
        try:
            return pacing.profile(
                self.plan,
                lever,
                start=self.start,
                confidence=self.confidence,
                ksfs=self.ksfs,
                before=before,
            )
        except KpiError as error:
            if error.code not in ("too_late", "not_a_line"):
                raise
            return None
