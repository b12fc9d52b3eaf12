"""Robustness: in how many plausible futures a KSF is in the best set, and what choosing now may cost.

In each future every KSF works by some factor better or worse than stated (lognormal), starts and is full a
little earlier or later, and the constants of the ledger lie elsewhere in their ranges. The sets within the limits
stay the same; which of them is best may not.

    share      of futures in which a KSF is in the best set
    regret     KGI of that future's best set − KGI of the set chosen today
    learning   E[max over sets of E[KGI | one KSF's error]] − max over sets of E[KGI]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType

import numpy as np
from scipy.special import ndtri

from kpi_core import draws
from kpi_core.focus.effects import Altered, Effects
from kpi_core.focus.explain import Focus
from kpi_core.focus.search import Sets, feasible
from kpi_core.readings import Array
from kpi_core.shares import value_of_knowing

DRAWS = 2**10
ERROR = 0.3
# The ranges the constants are taken from (domain §3.5); what a plan says is moved by as much as the default would be.
_RANGES = ((0.25, 0.65), (0.4, 0.8), (0.35, 0.75))  # skill slope, execution, a missing prerequisite
_DEFAULTS = (0.45, 0.6, 0.5)
_START, _FULL, _SHORTEST = 1.0, 1.5, 0.25  # months, either way; the shortest ramp
_TOSS_UP = 0.75


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """How a choice holds up in `futures` drawn: shares in [0, 1], regret and learning in the KGI's unit.

    `same` is the share of futures with exactly today's set; `kgi` holds today's set in each of them.
    """

    futures: int
    share: Mapping[str, float]
    same: float
    mean_regret: float
    regret: float
    learning: Mapping[str, float]
    kgi: Array

    def toss_ups(self, chosen: tuple[str, ...]) -> tuple[str, ...]:
        """Return the chosen KSFs that are in the best set in fewer than three of four futures."""
        return tuple(ksf for ksf in chosen if self.share[ksf] < _TOSS_UP)


def robustness(found: Focus, *, futures: int = DRAWS, error: float = ERROR, seed: int = 0) -> Robustness:
    """Return how the choice holds up when effects and constants are drawn; the same seed, the same futures.

    `error` is the standard deviation of each effect's logarithm: 0.3 is about ±30 %. `regret` is its 95 % point.

    Raises
    ------
    KpiError
        `bad_draws`; as `choose`.
    """
    *_steps, last = steps(found, futures=futures, error=error, seed=seed)
    return last


def steps(
    found: Focus, *, futures: int = DRAWS, error: float = ERROR, seed: int = 0, each: int = 64
) -> Iterator[Robustness]:
    """Yield what is known after every `each` futures, so that one may watch and stop."""
    ksfs = tuple(found.plan.ksfs)
    sets = feasible(
        Effects(found.plan, found.objective, found.before), found.limits, lock=found.lock, rule_out=found.rule_out
    )
    uniform = draws.points(futures, 3 * len(ksfs) + 3, seed)
    errors = np.exp(error * ndtri(uniform[:, : len(ksfs)]))
    today = _row(sets, found.chosen)
    payoffs = np.empty((len(sets), futures))
    for future in range(futures):
        payoffs[:, future] = _kgi(sets, _drawn(found, uniform[future, len(ksfs) :], errors[future]))
        if (future + 1) % each == 0 or future + 1 == futures:
            yield _known(sets, ksfs, today, payoffs[:, : future + 1], uniform[: future + 1, : len(ksfs)])


def _drawn(found: Focus, uniform: Array, errors: Array) -> Effects:
    """Return the ledger of one future: constants as far from the plan's as the default ones would be."""
    plan, assume, count = found.plan, found.plan.assumptions, len(errors)
    drawn = [low + (high - low) * u for (low, high), u in zip(_RANGES, uniform[:3].tolist(), strict=True)]
    slope, execution, prerequisite = (one / usual for one, usual in zip(drawn, _DEFAULTS, strict=True))
    missing = np.array([min(0, plan.teams[ksf.team].skill - ksf.skill) for ksf in plan.ksfs.values()])
    ramps = np.array([ksf.ramp for ksf in plan.ksfs.values()]).reshape(-1, 2)
    starts = ramps[:, 0] + _START * (2 * uniform[3 : 3 + count] - 1)
    fulls = ramps[:, 1] + _FULL * (2 * uniform[3 + count :] - 1)
    altered = Altered(
        times=errors * execution * np.exp(assume.skill_slope * (slope - 1) * missing),
        ramps=np.column_stack([starts, np.maximum(fulls, starts + _SHORTEST)]),
        prerequisite=min(1.0, assume.prerequisite * prerequisite),
    )
    return Effects(plan, found.objective, found.before, altered)


def _kgi(sets: Sets, effects: Effects) -> Array:
    factors = [effects.multipliers(block.chosen.astype(np.float64)) for block in sets.blocks]
    return effects.kgi_at(reduce(np.multiply, [one[rows] for one, rows in zip(factors, sets.rows, strict=True)]))


def _row(sets: Sets, chosen: tuple[str, ...]) -> int:
    wanted = np.array([ksf in chosen for ksf in sets.effects.ksfs])
    return int(np.flatnonzero((sets.chosen(np.arange(len(sets))) == wanted).all(axis=1))[0])


def _known(sets: Sets, ksfs: tuple[str, ...], today: int, payoffs: Array, uniform: Array) -> Robustness:
    best = payoffs.argmax(axis=0)
    inside = sets.chosen(best)
    regrets = payoffs.max(axis=0) - payoffs[today]
    return Robustness(
        futures=payoffs.shape[1],
        share=MappingProxyType(dict(zip(ksfs, inside.mean(axis=0).tolist(), strict=True))),
        same=float((best == today).mean()),
        mean_regret=float(regrets.mean()),
        regret=float(np.quantile(regrets, 0.95)),
        learning=MappingProxyType(value_of_knowing(payoffs, {ksf: uniform[:, at] for at, ksf in enumerate(ksfs)})),
        kgi=payoffs[today],
    )
