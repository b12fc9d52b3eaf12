"""One option of every group, the largest sum of values that fits: bounds, everything near a bound, a takeover.

    maximise Σ_g value(option of g)   subject to   Σ_g use(option of g) ≤ room, for every resource

    prices    λ ≥ 0 for the resources            bound   λ·room + Σ_g max (value − λ·use) ≥ every sum that fits
    behind    of an option: by how much its value − λ·use falls short of its group's best

A choice is below the bound by just what its options are behind and what it leaves unused at these prices, so
everything within a gap of the bound is found by adding up: no option further behind can be part of it.
Where too much lies within the gap, HiGHS takes over with the options that are left.

Source: Kellerer, Pferschy and Pisinger, Knapsack Problems (2004), chapter 11; Martello and Toth (1990) for the
reduction by bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Thread

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import coo_array, csr_array, vstack

from kpi_core.focus.search import Picks
from kpi_core.readings import Array

_ROUNDS = 100
_PIECE = 2**17
_HAIR = 1e-11
# HiGHS stops at an absolute gap of 1e-6 that SciPy does not let one set: values are scaled so that it means nothing.
_SCALE = 1e4
TAKEOVER_SECONDS = 120.0
_NOTHING_ELSE = 2
_TICK = 0.2
_SPARE = 50  # answers that may break a limit by a hair


@dataclass(frozen=True, eq=False)
class Knapsack:
    """Values (options,) and uses (options, resources) of every group, and the room of each resource.

    Uses and room should be of the order of 1. A use below 0 gives room. The last `soft` rooms may be exceeded:
    by how much the most exceeded one is, is taken off the sum of values.
    """

    values: Sequence[Array]
    uses: Sequence[Array]
    room: Array
    soft: int = 0

    @property
    def hard(self) -> int:
        """Return how many rooms may not be exceeded: the first ones."""
        return len(self.room) - self.soft

    def among(self, kept: Sequence[Picks]) -> Knapsack:
        """Return the same with these options only."""
        pairs = list(zip(self.values, self.uses, kept, strict=True))
        values, uses = [values[here] for values, _, here in pairs], [uses[here] for _, uses, here in pairs]
        return Knapsack(values, uses, self.room, self.soft)

    def fits(self, picks: Picks) -> bool:
        """Return whether a choice, one option of each group, keeps to the room."""
        uses = sum(uses[at] for uses, at in zip(self.uses, picks.tolist(), strict=True))
        return bool((uses <= self.room + _HAIR)[: self.hard].all())

    def value(self, picks: Picks) -> Array:
        """Return the sums of values of choices, one option of each group per row."""
        return np.asarray(sum(values[picks[:, at]] for at, values in enumerate(self.values)))


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A bound that no choice exceeds, the prices it comes from, and how far behind each option is."""

    bound: float
    prices: Array
    behind: Sequence[Array]

    def among(self, kept: Sequence[Picks]) -> Relaxed:
        """Return the same for these options only."""
        return Relaxed(self.bound, self.prices, [behind[here] for behind, here in zip(self.behind, kept, strict=True)])


def relaxed(problem: Knapsack, prices: Array | None = None) -> Relaxed:
    """Return the bound of the linear relaxation, found column by column from `prices` on.

    >>> two = Knapsack([np.array([0.0, 3.0]), np.array([0.0, 2.0])], [np.array([[0.0], [1.0]])] * 2, np.array([1.0]))
    >>> relaxed(two).bound
    3.0
    """
    prices = np.zeros(len(problem.room)) if prices is None else prices
    span = sum(float(values.max() - values.min()) for values in problem.values)
    columns: dict[tuple[int, int], None] = {}
    best = (np.inf, prices)
    for _ in range(_ROUNDS):
        gains = [values - uses @ prices for values, uses in zip(problem.values, problem.uses, strict=True)]
        tops = [int(gain.argmax()) for gain in gains]
        bound = float(prices @ problem.room) + sum(float(gain[top]) for gain, top in zip(gains, tops, strict=True))
        best = min(best, (bound, prices), key=lambda one: one[0])
        new = dict.fromkeys(enumerate(tops))
        if not len(problem.room) or new.keys() <= columns.keys():
            break
        columns |= new
        value, prices = _master(problem, list(columns), 100 * span + 1)
        if value is None:
            break
        if best[0] - value <= 1e-12 * max(1.0, abs(value)):
            break
    bound, prices = best
    gains = [values - uses @ prices for values, uses in zip(problem.values, problem.uses, strict=True)]
    return Relaxed(bound, prices, [gain.max() - gain for gain in gains])


def _master(problem: Knapsack, columns: Sequence[tuple[int, int]], penalty: float) -> tuple[float | None, Array]:
    """Solve the linear program over some options; missing room costs `penalty`. Return its value and the prices.

    There is no value where its numbers lie too far apart to be solved; any prices give a bound all the same.
    """
    groups = len(problem.values)
    values = np.array([problem.values[group][option] for group, option in columns])
    uses = np.array([problem.uses[group][option] for group, option in columns])
    more = _exceeding(problem)
    one_each = np.zeros((groups, len(columns) + len(more)))
    one_each[[group for group, _ in columns], range(len(columns))] = 1.0
    found = linprog(
        np.concatenate((-values, np.full(problem.hard, penalty), np.ones(len(more) - problem.hard))),
        A_ub=np.hstack((uses.T, -more.T)),
        b_ub=problem.room,
        A_eq=one_each,
        b_eq=np.ones(groups),
        method="highs-ds",
    )
    if found.fun is None:
        return None, np.zeros(len(problem.room))
    prices = np.maximum(0.0, -found.ineqlin.marginals)
    prices[problem.hard :] /= max(1.0, prices[problem.hard :].sum())  # a price of all soft rooms above 1 is no bound
    return -float(found.fun), prices


def _exceeding(problem: Knapsack) -> Array:
    """Return which rooms each way of exceeding widens: a hard one each, all soft ones together."""
    hard = np.eye(problem.hard, len(problem.room))
    together = (np.arange(len(problem.room)) >= problem.hard).astype(np.float64)
    return np.vstack((hard, together[None])) if problem.soft else hard


def near(problem: Knapsack, seen: Relaxed, gap: float, most: int) -> Picks | None:
    """Return every choice that fits and lies within `gap` of the bound; None if more than `most` steps were needed."""
    kept = [np.flatnonzero(behind <= gap) for behind in seen.behind]
    if not all(len(here) for here in kept):
        return np.zeros((0, len(kept)), dtype=np.intp)
    order = sorted(range(len(kept)), key=lambda group: len(kept[group]))
    sorted_ = [kept[group][np.argsort(seen.behind[group][kept[group]])] for group in order]
    behind = [seen.behind[group][here] for group, here in zip(order, sorted_, strict=True)]
    uses = [problem.uses[group][here] for group, here in zip(order, sorted_, strict=True)]
    least, greatest = (_from_here([pick(use, axis=0) for use in uses]) for pick in (np.min, np.max))
    room = np.where(np.arange(len(problem.room)) < problem.hard, problem.room + _HAIR, np.inf)
    stack = [(0, np.zeros(1), np.zeros((1, len(room))), np.zeros((1, 0), dtype=np.intp))]
    found, steps = [np.zeros((0, len(order)), dtype=np.intp)], 0
    while stack:
        level, lost, used, picks = stack.pop()
        if level == len(order):
            found.append(picks)
            continue
        counts = np.searchsorted(behind[level], gap - lost, "right")
        total = int(counts.sum())
        if total > _PIECE and len(lost) > 1:
            half = len(lost) // 2
            stack += [(level, lost[part], used[part], picks[part]) for part in (slice(half, None), slice(half))]
            continue
        steps += total
        if steps > most:
            return None
        rows = np.repeat(np.arange(len(lost)), counts)
        option = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        used, lost = used[rows] + uses[level][option], lost[rows] + behind[level][option]
        fits = (used + least[level + 1] <= room).all(axis=1)
        fits &= lost + np.maximum(0.0, problem.room - used - greatest[level + 1]) @ seen.prices <= gap
        picks = np.column_stack((picks[rows[fits]], sorted_[level][option[fits]]))
        if fits.any():
            stack.append((level + 1, lost[fits], used[fits], picks))
    whole = np.concatenate(found)
    return np.asarray(whole[:, np.argsort(order)])


def _from_here(parts: Sequence[Array]) -> Array:
    """Return the sums of the parts from each place on, and 0 behind the last."""
    sums = np.cumsum(parts[::-1], axis=0)[::-1]
    return np.vstack((sums, np.zeros_like(sums[:1])))


@dataclass(frozen=True, eq=False)
class Taken:
    """The choices HiGHS found, best first, and what no further choice can exceed."""

    picks: Picks
    bound: float


def taken_over(problem: Knapsack, count: int, *, alive: Callable[[], bool] = lambda: True) -> Taken:
    """Return the best `count` choices by mixed-integer programming, each time without those found before.

    As soon as `alive` says no it ends with what it has; the bound is then what was proven before.
    """
    program, found, bound = _Program(problem), list[Picks](), np.inf
    for _ in range(count + _SPARE):
        if len(found) == count:
            break
        answer = program.solved_while(alive)
        if answer is None:
            break
        if answer.status == _NOTHING_ELSE:
            bound = -np.inf
            break
        bound = min(bound, -answer.mip_dual_bound / _SCALE) if answer.mip_dual_bound is not None else bound
        if answer.x is None:
            break
        picks = program.without(answer.x)
        if problem.fits(picks):  # HiGHS lets a limit be broken by a hair
            found.append(picks)
        if answer.status != 0:
            break
    return Taken(np.array(found, dtype=np.intp).reshape(-1, len(problem.values)), bound)


@dataclass(eq=False)
class _Program:
    """The knapsack as a mixed-integer program; choices that were found are cut off one by one."""

    problem: Knapsack
    cuts: list[csr_array] = field(default_factory=list)

    @cached_property
    def starts(self) -> Picks:
        """Return where each group's options begin."""
        return np.cumsum([0, *(len(values) for values in self.problem.values)])

    @cached_property
    def limits(self) -> list[LinearConstraint]:
        """Return one option of each group, within the room; the last column is by how much soft rooms are exceeded."""
        count = int(self.starts[-1])
        groups = np.repeat(np.arange(len(self.problem.values)), np.diff(self.starts))
        shape = (len(self.problem.values), count + 1)
        one_each = coo_array((np.ones(count), (groups, np.arange(count))), shape=shape).tocsr()
        soft = np.arange(len(self.problem.room)) >= self.problem.hard
        fits = np.column_stack((np.concatenate(self.problem.uses).T, -soft.astype(np.float64)))
        rooms = [LinearConstraint(fits, ub=self.problem.room)] if len(self.problem.room) else []
        return [LinearConstraint(one_each, lb=1, ub=1), *rooms]

    def solved(self) -> OptimizeResult:
        """Return HiGHS' answer."""
        count = int(self.starts[-1])
        cuts = [LinearConstraint(vstack(self.cuts), ub=len(self.problem.values) - 1)] if self.cuts else []
        return milp(
            _SCALE * np.append(-np.concatenate(self.problem.values), 1.0),
            constraints=[*self.limits, *cuts],
            integrality=np.append(np.ones(count), 0.0),
            bounds=Bounds(0.0, np.append(np.ones(count), np.inf if self.problem.soft else 0.0)),
            options={"mip_rel_gap": 0.0, "time_limit": TAKEOVER_SECONDS},
        )

    def solved_while(self, alive: Callable[[], bool]) -> OptimizeResult | None:
        """Return the same, or None as soon as `alive` says no: HiGHS hears nothing, and ends at its own time limit."""
        answers: list[OptimizeResult] = []
        work = Thread(target=lambda: answers.append(self.solved()), daemon=True)
        work.start()
        while work.is_alive():
            work.join(_TICK)
            if work.is_alive() and not alive():
                return None
        return answers[0]

    def without(self, answer: Array) -> Picks:
        """Return the options chosen in an answer, and cut them off."""
        starts, ends = self.starts[:-1], self.starts[1:]
        picks = np.array([int(answer[start:end].argmax()) for start, end in zip(starts, ends, strict=True)])
        places = starts + picks
        row = (np.ones(len(places)), (np.zeros_like(places), places))
        self.cuts.append(coo_array(row, shape=(1, int(self.starts[-1]) + 1)).tocsr())
        return picks
