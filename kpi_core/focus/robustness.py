"""Robustness: in how many plausible futures a KSF is in the best set, and what choosing now may cost.

In each future every KSF works by some factor better or worse than stated (lognormal), starts and is full a
little earlier or later, and the constants of the ledger lie elsewhere in their ranges. The sets within the limits
stay the same; which of them is best may not.

    share      of futures in which a KSF is in the best set
    regret     KGI of that future's best set − KGI of the set chosen today
    learning   E[max over sets of E[KGI | one KSF's error]] − max over sets of E[KGI]
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType

import numpy as np
from scipy.special import ndtri

from kpi_core import draws
from kpi_core.focus.choosing import Alternative, Choosing, choosing
from kpi_core.focus.effects import Altered, Effects
from kpi_core.focus.explain import Focus, choose
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.shares import value_of_knowing

DRAWS = 2**10
ERROR = 0.3
# The ranges the constants are taken from (domain §3.5); what a plan says is moved by as much as the default would be.
_RANGES = ((0.25, 0.65), (0.4, 0.8), (0.35, 0.75))  # skill slope, execution, a missing prerequisite
_DEFAULTS = (0.45, 0.6, 0.5)
_START, _FULL, _SHORTEST = 1.0, 1.5, 0.25  # months, either way; the shortest ramp
_TOSS_UP = 0.75


@dataclass(frozen=True, kw_only=True, eq=False)
class Robustness(Mapping[str, float]):
    """How a choice holds up in `futures` drawn: for each KSF the share of them in which it is in the best set.

    `same` is the share of futures with exactly today's set; `kgi` holds today's set in each of them. Regret is
    in the KGI's unit, `regret` its 95 % point.
    """

    futures: int
    share: Mapping[str, float]
    same: float
    mean_regret: float
    regret: float
    kgi: Array
    _learning: Callable[[], Mapping[str, float]] = field(repr=False)

    def __getitem__(self, ksf: str) -> float:
        return self.share[ksf]

    def __iter__(self) -> Iterator[str]:
        return iter(self.share)

    def __len__(self) -> int:
        return len(self.share)

    @cached_property
    def learning(self) -> Mapping[str, float]:
        """Return, in the KGI's unit, what finding out each KSF's effect before choosing is worth."""
        return MappingProxyType(dict(self._learning()))

    def toss_ups(self, chosen: tuple[str, ...]) -> tuple[str, ...]:
        """Return the chosen KSFs that are in the best set in fewer than three of four futures."""
        return tuple(ksf for ksf in chosen if self.share[ksf] < _TOSS_UP)


def robustness(found: Focus | Plan, futures: int = DRAWS, *, error: float = ERROR, seed: int = 0) -> Robustness:
    """Return how a choice (of a plan: the best one) holds up when effects and constants are drawn.

    The same seed, the same futures. `error` is the standard deviation of each effect's logarithm: 0.3 is about ±30 %.

    Raises
    ------
    KpiError
        `bad_draws`; as `choose`.
    """
    found = choose(found) if isinstance(found, Plan) else found
    *_steps, last = steps(found, futures=futures, error=error, seed=seed)
    return last


def steps(
    found: Focus,
    *,
    futures: int = DRAWS,
    error: float = ERROR,
    seed: int = 0,
    each: int = 64,
    go_on: Callable[[], bool] = lambda: True,
) -> Iterator[Robustness]:
    """Yield what is known after every `each` futures, so that one may watch; as long as `go_on` says so."""
    count = len(found.plan.ksfs)
    uniform = draws.points(futures, 3 * count + 3, seed)
    errors = np.exp(error * ndtri(uniform[:, :count]))
    trial = _Trial(
        found, [_drawn(found, uniform[at, count:], errors[at]) for at in range(futures)], uniform[:, :count], go_on
    )
    for done in range(1, futures + 1):
        trial.next()
        if not go_on():  # what a search that was stopped came to is no best set
            return
        if done % each == 0 or done == futures:
            yield trial.known()


@dataclass(eq=False)
class _Trial:
    """The futures tried so far: the best set of each, and its KGI beside that of today's set."""

    found: Focus
    ledgers: Sequence[Effects]
    uniform: Array
    go_on: Callable[[], bool]
    best: list[Alternative] = field(default_factory=list)
    today: list[float] = field(default_factory=list)

    @cached_property
    def way(self) -> Choosing:
        """Return the way to the best sets by the ledger of today."""
        found = self.found
        effects = Effects(found.plan, found.objective, found.before)
        wishes = {"lock": found.lock, "rule_out": found.rule_out, "idle": effects.inert}
        return choosing(effects, found.limits, **wishes, watch=lambda _best, _bound: self.go_on())

    def next(self) -> None:
        """Try one more future."""
        ledger = self.ledgers[len(self.best)]
        best = self.way.by(ledger).best().sets[0]
        same = best.chosen == self.found.chosen
        self.best.append(best)
        self.today.append(best.kgi if same else self._kgi(ledger, [self.found.chosen])[0])

    def known(self) -> Robustness:
        """Return what is known so far."""
        count, ksfs = len(self.best), self.found.plan.ksfs
        inside = {ksf: sum(ksf in one.chosen for one in self.best) / count for ksf in ksfs}
        today = np.array(self.today)
        regrets = np.maximum(0.0, np.array([one.kgi for one in self.best]) - today)
        return Robustness(
            futures=count,
            share=MappingProxyType(inside),
            same=sum(one.chosen == self.found.chosen for one in self.best) / count,
            mean_regret=float(regrets.mean()),
            regret=float(np.quantile(regrets, 0.95)),
            kgi=today,
            _learning=partial(self._learning, count),
        )

    def _learning(self, count: int) -> dict[str, float]:
        """Compare the sets that are best in any of the futures, in all of them."""
        sets = list(dict.fromkeys([self.found.chosen, *(one.chosen for one in self.best[:count])]))
        payoffs = np.array([self._kgi(ledger, sets) for ledger in self.ledgers[:count]]).T
        return value_of_knowing(payoffs, {ksf: self.uniform[:count, at] for at, ksf in enumerate(self.found.plan.ksfs)})

    def _kgi(self, ledger: Effects, sets: Sequence[Collection[str]]) -> list[float]:
        rows = np.array([[ksf in chosen for ksf in ledger.ksfs] for chosen in sets], dtype=np.float64)
        return [float(kgi) for kgi in ledger.kgi(rows)]


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
