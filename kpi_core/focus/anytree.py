"""The best sets among too many to look at one by one, whatever the tree: `min`, `if`, fractions of sums, months.

    KGI ≤ height + slope · z      z = Σ over the teams' bundles of the log of what they multiply, in a box

The tree itself is read as lines (`envelope`): of log KGI where the sets wanted are above 0, else of the KGI. A box is
given by one side per metric; by month a side is the mean of the metric's logs, weighed by what each month decides,
and what a month may differ from that is what its bundles differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from kpi_core.focus import envelope, lines
from kpi_core.focus.boxes import ALL, Box, Boxes, Roofed
from kpi_core.focus.effects import Effects
from kpi_core.focus.envelope import RULES
from kpi_core.focus.hunting import HAIR, NEVER, ThroughTree
from kpi_core.focus.knapsack import Knapsack, Relaxed, relaxed, taken_over
from kpi_core.focus.lines import Between, Choices, Line
from kpi_core.focus.search import Picks
from kpi_core.readings import Array

_ROUNDS = 4
_STEP = 1e-4
_TURNED = 8  # roofs at most beside the first
_SHARE = 0.1  # of what the roof is too high by that is put down to slopes, where curvature does not say whose it is


@dataclass(eq=False)
class AnyTree(ThroughTree, Boxes):
    """The search through any tree."""

    logs_scale: bool = field(default=False, init=False)

    def search(self) -> float:
        """Find good sets by what each metric adds at the best one known, then work through the boxes."""
        self._first()
        self.logs_scale = self.last > 0
        return self.boxes()

    @property
    def threshold(self) -> float:
        """Return what a set must reach to be among the wanted: its logarithm, or its share of the KGI as it is."""
        if self.last == NEVER:
            return NEVER
        return float(np.log(self.last)) - HAIR if self.logs_scale else self.last / self._unit - HAIR

    def told(self, bound: float) -> float:
        """Return the KGI at such a height."""
        if self.logs_scale:
            return float(np.exp(bound)) if bound < ALL else np.inf
        return bound * self._unit

    @cached_property
    def _unit(self) -> float:
        return max(abs(self.effects.baseline), abs(self.known) if len(self.best) else 0.0) or 1.0

    def _first(self) -> None:
        middle = np.zeros(self.parts[0].logs.shape[1])
        for _ in range(_ROUNDS):
            slope = self._slope(middle)
            problem = Knapsack([part.logs @ slope for part in self.parts], self.uses, self.limits)
            known = self.known
            self.reach(problem, relaxed(problem))
            if not len(self.best):
                self.look_at(taken_over(problem, self.wanted, alive=self.alive).picks)
            if not len(self.best) or self.known == known:
                return
            middle = self.logs(self.picks[:1])[0]

    def look_further(self, problem: Knapsack, seen: Relaxed, kept: Sequence[Picks]) -> None:
        """List what lies highest under the roof: at a kink of the tree the first sets were found by one side of it."""
        self.reach(problem, seen, kept)

    def _slope(self, at: Array) -> Array:
        """Return by which share the KGI changes with each log: differences either way, all at once."""
        steps = _STEP * np.eye(len(at))
        worth = self.value(np.concatenate((at + steps, at - steps)))
        return np.asarray((worth[: len(at)] - worth[len(at) :]) / (2 * _STEP * self._unit))

    @cached_property
    def _months(self) -> int:
        return int(self.parts[0].logs.shape[1]) // len(self.effects.metrics)

    @cached_property
    def _weights(self) -> Array:
        """Return how much each log counts for the side of its metric, (metrics, logs)."""
        found = np.zeros((len(self.effects.metrics), len(self.effects.metrics) * self._months))
        for at, metric in enumerate(self.effects.metrics):
            here = slice(at * self._months, (at + 1) * self._months)
            decided = np.abs(self.effects.decided_by(metric)) if self._months > 1 else np.ones(1)
            found[at, here] = decided / decided.sum() if decided.sum() else 1 / self._months
        return found

    @cached_property
    def sides(self) -> Sequence[Array]:
        """Return where each bundle lies: one side per metric."""
        return [part.logs if self._months == 1 else part.logs @ self._weights.T for part in self.parts]

    def _logs_in(self, box: Box) -> lines.Box:
        """Return between which values the logs lie in a box of sides."""
        if self._months == 1:
            return lines.Box(box.low, box.high)
        kept = [part.logs[rows] for part, rows in zip(self.parts, box.kept, strict=True)]
        metric = np.repeat(np.arange(len(self.effects.metrics)), self._months)
        low, high = (sum(pick(logs, axis=0) for logs in kept) for pick in (np.min, np.max))
        ratio = self._ratios
        apart = [
            logs - side[rows][:, metric] * ratio for logs, side, rows in zip(kept, self.sides, box.kept, strict=True)
        ]
        below, above = (sum(pick(rows, axis=0) for rows in apart) for pick in (np.min, np.max))
        low = np.maximum(low, ratio * box.low[metric] + below)
        high = np.minimum(high, ratio * box.high[metric] + above)
        return lines.Box(np.minimum(low, high), high)

    @cached_property
    def _ratios(self) -> Array:
        """Return how large each month's log is beside its metric's side in the best set; 1 where nothing is known."""
        logs = self.logs(self.picks[:1])[0] if len(self.best) else np.ones(self._weights.shape[1])
        side = np.repeat(self._weights @ logs, self._months)
        return np.where(np.abs(side) > HAIR, np.maximum(logs / np.where(side == 0, 1.0, side), 0.0), 1.0)

    def roofed(self, box: Box) -> Roofed | None:
        """Return the linear roof over the tree in a box."""
        where = self._logs_in(box)
        line, places = self._line(where)
        if line is None:
            return None
        turned = (self._line(replace(where, choices=Choices(at)))[0] for at in range(min(places, _TURNED)))
        (height, values), *others = [self._told_by(one, box) for one in (line, *turned) if one is not None]
        doubt = self._doubt(box, where, height, line.slope[0])
        others = [(high, brings) for high, brings in others if np.isfinite([height, high]).all()]
        return Roofed(height, values, doubt, box.low / 2 + box.high / 2, others)

    def _line(self, where: lines.Box) -> tuple[Line | None, int]:
        """Return the line above the KGI on the scale of the search, and how many lines could be chosen otherwise.

        None if no set that is wanted lies in the box. Of a KGI that may be below 0 the log is its positive part's.
        """
        with np.errstate(all="ignore"):
            held = kgi_between(self.effects, where)
            if not self.logs_scale:
                return held.plain[1].times(1 / self._unit), where.choices.met
            if held.most[0] <= 0:
                return None, 0
            above = held if held.positive else RULES["max"](held, lines.known(0.0, where))
            return above.log[1], where.choices.met

    def _told_by(self, line: Line, box: Box) -> tuple[float, list[Array]]:
        """Return the height of a line, and what each bundle adds to it; of one that says nothing infinity and 0."""
        known = np.isfinite(line.at[0])
        slope = line.slope[0] if known else np.zeros(line.slope.shape[1])
        values = [part.logs[rows] @ slope for part, rows in zip(self.parts, box.kept, strict=True)]
        return float(line.at[0]) if known else np.inf, values

    def _doubt(self, box: Box, where: lines.Box, height: float, slope: Array) -> Array:
        """Return how much the roof is too high by on account of each side: its curvature, else its slope's share."""
        sides = len(box.low)
        width = box.high - box.low
        if not np.isfinite(height):
            return np.where(width > HAIR, width + 1.0, 0.0)
        low, high = ((end - where.middle) * (self._weights > 0) for end in (where.low, where.high))
        points = np.concatenate((np.zeros((1, len(slope))), low, high)) + where.middle
        with np.errstate(all="ignore"):
            worth = self.value(points) / self._unit
            worth = np.log(np.maximum(worth * self._unit, np.finfo(float).tiny)) if self.logs_scale else worth
        over = float(height + where.middle @ slope - worth[0])
        bent = np.abs(worth[1 : 1 + sides] + worth[1 + sides :] - 2 * worth[0]) / 2
        rises = (np.abs(slope) * (where.high - where.low)) @ (self._weights > 0).T
        share = rises / rises.sum() if rises.sum() else np.full(sides, 1 / sides)
        return np.where(width > HAIR, bent + _SHARE * max(over, 0.0) * share, 0.0)


def kgi_between(effects: Effects, box: lines.Box) -> Between:
    """Return the lines that hold the KGI while the logs of what each metric is multiplied by lie in a box.

    Logs are by metric, for the year by metric and month. As `Effects.moved`, line for line.
    """
    by_month = effects.objective == "year"
    tree = effects.carrying_by_month if by_month else effects.carrying
    setting = effects.setting if by_month else None
    months = setting.axis.count if setting else 1
    held: dict[str, Between] = {}
    for metric in tree.order:
        if metric in tree.expressions:
            now = envelope.between(tree.expressions[metric], held.__getitem__, box)
            if setting:
                opening = setting.months.openings.get(metric)
                now = envelope.later(
                    now,
                    tree.metrics[metric].lag,
                    *setting.months.adjust.get(metric, ()),
                    waits=opening.entered if opening else None,
                    count=months,
                )
        else:
            now = lines.known(setting.values[metric] if setting else tree.baseline[metric], box)
        if metric in effects.metrics:
            now = _moved(effects, metric, now, months)
        held[metric] = now.kept(0.0, 1.0) if effects.plan.metrics[metric].is_share else now
    kgi = held[effects.plan.kgi.metric]
    return envelope.mean(kgi, setting.axis.year) if setting else kgi


def _moved(effects: Effects, metric: str, now: Between, months: int) -> Between:
    """Return what KSFs make of a metric; rates stop at the cap, or where they are already if that is above it."""
    first = effects.metrics.index(metric) * months
    moved = envelope.lifted(now, range(first, first + months))
    if not effects.plan.metrics[metric].is_share:
        return moved
    cap = RULES["max"](now, lines.known(effects.plan.assumptions.rate_cap, now.box))
    return RULES["min"](moved, cap)
