"""A set over both horizons: what it brings this fiscal year, what at full effect, and what is then still missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpi_core import pacing
from kpi_core.errors import KpiError
from kpi_core.focus.effects import Effects
from kpi_core.focus.explain import Focus
from kpi_core.luck import luck
from kpi_core.scaling import Multiplier
from kpi_core.timeline import run


@dataclass(frozen=True, kw_only=True)
class Horizons:
    """The KGI of this `year` and at full effect (`run_rate`), in its unit.

    `chance` is how likely the year's goal is by luck alone (None: no luck to count); `rest` is by what the entry
    lever must rise on top of the set from the first month on (None: the KGI has no lever).
    """

    year: float
    run_rate: float
    chance: float | None
    rest: Multiplier | None


def horizons(found: Focus) -> Horizons:
    """Return what a chosen set brings over both horizons, however it was chosen.

    Raises
    ------
    KpiError
        As `timeline.run`.
    """
    plan = found.plan
    effects = Effects(plan, "run_rate")
    row = [[1.0 if ksf in found.chosen else 0.0 for ksf in effects.ksfs]]
    year = run(plan, found.chosen, before=found.before).kgi
    deals = luck(plan)
    try:
        rest = pacing.volume(plan, ksfs=found.chosen, before=found.before)
    except KpiError as error:
        if error.code != "no_lever":
            raise
        rest = None
    return Horizons(
        year=year,
        run_rate=float(effects.kgi(np.array(row))[0]),
        chance=None if deals is None else deals.chance_of(year / deals.each),
        rest=rest,
    )
