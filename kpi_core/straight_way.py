"""Integrate a tree's slopes along a straight way between two states of its inputs.

The way is a time t from 0 to 1; each input that differs moves evenly. Wherever `min` or `max` takes another
operand or a condition switches, the way is cut, to the last digit of t; each piece between is integrated by
Gauss–Legendre and halved until its parts sum to what the tree gives at its ends. What a condition's switch
makes jump goes to the inputs by how fast each moved the condition: the limit of an ever steeper slope. Of several
conditions that switch together each gets its Shapley value. Where the tree runs to infinity no split exists.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from kpi_core.errors import KpiError
from kpi_core.formula import COMPARISONS
from kpi_core.operations import is_tied, list_operations, places_that_move, tied_slopes
from kpi_core.readings import SLOPE, VALUE, Array
from kpi_core.tree import Tree

# Exact for products of up to 64 factors, 1e-12 for the usual ratios.
_AT, _WEIGHT = np.polynomial.legendre.leggauss(32)
_GRID = np.linspace(0.0, 1.0, 65)
_SECTIONS = np.linspace(0.0, 1.0, 33)
_CLOSE = 1e-12  # of the way: switches so close are one
_ROUNDING = 1e-15
_FINEST = 1e-15  # of the way
_STEEPEST = 1e-6  # of how far the tree goes: what leaps further within a finest piece has no finite slope
_FARTHEST = 1e9  # times as far as it goes at even points: on its way to infinity
_DEEPEST, _MOST_PIECES, _MOST_TOGETHER = 110, 512, 6
_EXTREMES = ("min", "max")

Values = list[Array]


class StraightWay:
    """The way of some metrics from one value each to another, and what it brings `of`."""

    def __init__(self, tree: Tree, of: str, ends: Mapping[str, tuple[float, float]]) -> None:
        self.of = of
        self.ends = {metric: pair for metric, pair in ends.items() if pair[0] != pair[1]}
        self.nodes = list_operations(tree, of, ends)
        self.moving = places_that_move(self.nodes, self.ends)
        self.steps = np.array([end - start for start, end in self.ends.values()])
        self.fixed: dict[int, Array] = {}
        with np.errstate(all="ignore"):
            self.fixed = {at: value for at, value in enumerate(self.values(_GRID[:1])) if at not in self.moving}
        moving = [(at, self.nodes[at].op) for at in sorted(self.moving)]
        self.extremes = [at for at, op in moving if op in _EXTREMES]
        self.conditions = [at for at, op in moving if op in COMPARISONS or op == "if"]

    def shares(self) -> dict[str, float]:
        """Return what each metric that moves brings; raises `no_split`."""
        with np.errstate(all="ignore"):
            values = self.values(_GRID)
            self.sizes = [float(np.max(np.abs(part), initial=0.0)) for part in values]
            self.start = float(values[-1][0])
            self.reach = float(np.max(np.abs(values[-1] - self.start)))
            if not math.isfinite(self.reach):
                raise self.no_value()
            total, pieces = self.cut(np.array([[0.0, 1.0]]))
            for level in range(_DEEPEST):
                parts, rest = self.integrated(pieces, last=level == _DEEPEST - 1)
                jumps, pieces = self.cut(_halves(rest))
                total = total + parts + jumps
                if not len(pieces):
                    break
        return dict(zip(self.ends, total.tolist(), strict=True))

    def values(self, at: Array, forced: Mapping[int, bool] | None = None) -> Values:
        """Return every node's value at these times; `forced` conditions are as given."""
        values: Values = []
        for place, node in enumerate(self.nodes):
            if place in self.fixed:
                values.append(self.fixed[place])
            elif node.op == "name" and node.name in self.ends:
                start, end = self.ends[node.name]
                values.append(np.where(at == 1, end, start + (end - start) * at))
            elif node.op in ("name", "number"):
                values.append(np.asarray(node.number))
            else:
                operands = [values[operand] for operand in node.operands]
                if forced and place in forced:
                    values.append(
                        operands[1 if forced[place] else 2] if node.op == "if" else np.asarray(forced[place] * 1.0)
                    )
                else:
                    values.append(VALUE[node.op](*operands))
        values[-1] = np.broadcast_to(values[-1], at.shape)
        return values

    def worths(self, values: Values, seeds: Mapping[int, float]) -> Values:
        """Return what one more of each node adds to the sum of the seeds: one pass backwards."""
        zero = np.zeros(np.shape(values[-1]))
        worths = [zero] * len(self.nodes)
        for place, seed in seeds.items():
            worths[place] = zero + seed
        for place in range(max(seeds), -1, -1):
            node, worth = self.nodes[place], worths[place]
            if place not in self.moving or not node.operands or worth is zero:
                continue
            operands = [values[operand] for operand in node.operands]
            slopes = tied_slopes if node.op in _EXTREMES else SLOPE[node.op]
            for operand, part in zip(node.operands, slopes(worth, operands, values[place]), strict=True):
                if operand in self.moving:
                    real = np.where(worth == 0, 0.0, part)
                    worths[operand] = real if worths[operand] is zero else worths[operand] + real
        return worths

    def by_metric(self, worths: Values) -> Array:
        """Return step · worth of each metric that moves, as rows."""
        places = {node.name: place for place, node in enumerate(self.nodes) if node.op == "name"}
        zero = np.zeros(np.shape(worths[-1]))
        rows = [worths[places[metric]] if metric in places else zero for metric in self.ends]
        parts: Array = np.asarray(rows) * self.steps.reshape(-1, *[1] * zero.ndim)
        return parts

    # Pieces

    def integrated(self, pieces: Array, *, last: bool) -> tuple[Array, Array]:
        """Return what the pieces bring that can be integrated as they are, and the others; of the `last` all."""
        low, high = pieces.T
        width = (high - low)[:, None]
        values = self.values(low[:, None] + width * (_AT + 1) / 2)
        ends = self.values(pieces)[-1]
        change = ends[:, 1] - ends[:, 0]
        if len(pieces) > _MOST_PIECES:
            raise self.no_value()
        self.check(values[-1], ends)
        worths = self.worths(values, {len(self.nodes) - 1: 1.0})
        noise = sum(np.max(np.abs(values[at] * worths[at]), axis=-1) for at in self.moving)
        noise = np.where(np.isfinite(noise), noise, 0.0)
        parts = np.sum(self.by_metric(worths) * _WEIGHT, axis=-1) * width.T / 2
        fits = np.abs(parts.sum(0) - change) <= _CLOSE * self.reach + _ROUNDING * noise
        finest = ~fits & (last | (high - low <= 2 * np.spacing(high)))
        if (np.abs(change[finest]) > _STEEPEST * self.reach).any():
            raise self.no_value()
        done = fits | finest
        return sum(map(_summing_to, parts[:, done].T, change[done]), np.zeros(len(self.ends))), pieces[~done]

    def check(self, *kgis: Array) -> None:
        """Raise an error where one of these is infinite, none, or on its way there."""
        for kgi in kgis:
            if not (np.abs(kgi - self.start) <= _FARTHEST * self.reach + _STEEPEST * abs(self.start)).all():
                raise self.no_value()

    def cut(self, pieces: Array) -> tuple[Array, Array]:
        """Return what the jumps inside the pieces bring, and the pieces between the switches inside them."""
        jumps = np.zeros(len(self.ends))
        if not (len(pieces) and (self.extremes or self.conditions)):
            return jumps, pieces
        smooth: list[tuple[float, float]] = []
        brackets = self.brackets(pieces)
        for low, high in pieces.tolist():
            start = low
            for before, behind in _joined([pair for pair in brackets if low <= pair[0] and pair[1] <= high]):
                if self.conditions and self.switched(before, behind):
                    jumps = jumps + self.jump(before, behind)
                    smooth.append((start, before))
                    start = behind
                else:
                    smooth.append((start, (before + behind) / 2))
                    start = (before + behind) / 2
            smooth.append((start, high))
        return jumps, np.array([piece for piece in smooth if piece[0] < piece[1]]).reshape(-1, 2)

    def brackets(self, pieces: Array) -> list[tuple[float, float]]:
        """Return each place of a switch as the last time before and the first behind."""
        points = pieces[:, :1] + (pieces[:, 1:] - pieces[:, :1]) * _GRID
        points[:, -1] = pieces[:, 1]
        while True:
            choices = self.choices(self.values(points))
            row, column = np.nonzero((choices[..., 1:] != choices[..., :-1]).any(axis=0))
            low, high = points[row, column], points[row, column + 1]
            if len(low) > _MOST_PIECES:
                raise KpiError(
                    "no_split",
                    "Between before and after {metric} switches back and forth too often for its change to be split.",
                    metric=self.of,
                )
            if not len(low) or np.max(high - low) <= _FINEST:
                return sorted(zip(low.tolist(), high.tolist(), strict=True))
            points = low[:, None] + (high - low)[:, None] * _SECTIONS
            points[:, -1] = high

    def choices(self, values: Values) -> Array:
        """Return which operand each `min` and `max` takes and whether each condition holds, as rows."""
        rows = [self.holds(values, place) for place in self.conditions]
        for place in self.extremes:
            operands = [values[operand] for operand in self.nodes[place].operands]
            rows.append(
                np.argmax(
                    [is_tied(operand, values[place]) + np.zeros(values[-1].shape) for operand in operands], axis=0
                )
            )
        return np.array([np.broadcast_to(row, values[-1].shape) for row in rows])

    def holds(self, values: Values, place: int) -> Array:
        """Return whether a condition holds: a comparison, or the number that an `if` decides by."""
        node = self.nodes[place]
        return np.asarray(values[node.operands[0] if node.op == "if" else place] != 0)

    # Jumps

    def switched(self, before: float, behind: float) -> list[int]:
        """Return the conditions that hold on one side only."""
        values = self.values(np.array([before, behind]))
        return [
            place
            for place in self.conditions
            if (holds := np.broadcast_to(self.holds(values, place), 2))[0] != holds[1]
        ]

    def jump(self, before: float, behind: float) -> Array:
        """Return what each metric brings of the jump between two times next to each other."""
        values = self.values(np.array([before, behind]))
        change = float(values[-1][1] - values[-1][0])
        self.check(values[-1])
        causes = self.causes(values, self.switched(before, behind))
        after = {place: bool(np.broadcast_to(self.holds(values, place), 2)[1]) for place in causes}
        worth = self.shapley(before, after, change)
        return sum((worth[place] * self.movers(values, place) for place in causes), np.zeros(len(self.ends)))

    def causes(self, values: Values, switched: Sequence[int]) -> list[int]:
        """Return the conditions that switched because their operands moved evenly, not because those jumped."""

        def is_even(place: int) -> bool:
            size = max(self.sizes[operand] for operand in self.nodes[place].operands[:2])
            gap = np.broadcast_to(self.gap(values, place), 2)
            return bool(abs(gap[1] - gap[0]) <= _STEEPEST * size)

        return [place for place in switched if is_even(place)] or list(switched)

    def gap(self, values: Values, place: int) -> Array:
        """Return what has to cross 0 for a condition to switch."""
        first, second, *_ = self.nodes[place].operands
        return values[first] if self.nodes[place].op == "if" else values[first] - values[second]

    def movers(self, values: Values, place: int) -> Array:
        """Return how much of a condition's move towards its switch comes from each metric; they sum to 1."""
        node = self.nodes[place]
        first, second, *_ = node.operands
        seeds = {first: 1.0} if node.op == "if" or first == second else {first: 1.0, second: -1.0}
        speeds = self.by_metric(self.worths(values, seeds))
        steady = [speed for speed in speeds.T if abs(speed.sum()) > _CLOSE * np.abs(speed).sum()]
        return _summing_to(steady[0] / steady[0].sum() if steady else np.abs(speeds).sum(1), 1.0)

    def shapley(self, before: float, after: Mapping[int, bool], change: float) -> dict[int, float]:
        """Return what each of the conditions that switch together brings of the jump."""
        places = list(after)
        if not 1 < len(places) <= _MOST_TOGETHER:
            return dict.fromkeys(places, change / len(places))

        def kgi(switched: frozenset[int]) -> float:
            forced = {place: after[place] is (place in switched) for place in places}
            return float(self.values(np.array([before]), forced)[-1][0])

        groups = [frozenset(group) for size in range(len(places) + 1) for group in itertools.combinations(places, size)]
        kgis = {group: kgi(group) for group in groups}
        if not all(map(math.isfinite, kgis.values())):
            return dict.fromkeys(places, change / len(places))
        orders = math.factorial(len(places))
        worth = {
            place: sum(
                math.factorial(len(group))
                * math.factorial(len(places) - len(group) - 1)
                / orders
                * (kgis[group | {place}] - kgis[group])
                for group in groups
                if place not in group
            )
            for place in places
        }
        rest = (change - sum(worth.values())) / len(places)  # the step from one time to the next
        return {place: share + rest for place, share in worth.items()}

    def no_value(self) -> KpiError:
        """Return the error of a way that cannot be split."""
        return KpiError(
            "no_split",
            "Between before and after {metric} has a point without a finite value or slope, as where something is"
            " divided by 0. Its change cannot be split.",
            metric=self.of,
        )


def _summing_to(parts: Array, whole: float) -> Array:
    """Return the parts with what they lack of the whole added in proportion to their sizes, or else equally."""
    sizes = np.abs(parts)
    if not (np.isfinite(sizes).all() and sizes.any()):
        return np.full(len(parts), whole / len(parts))
    return np.asarray(parts + (whole - parts.sum()) * sizes / sizes.sum())


def _halves(pieces: Array) -> Array:
    low, high = pieces.T
    middle = (low + high) / 2
    return np.concatenate([np.column_stack([low, middle]), np.column_stack([middle, high])])


def _joined(brackets: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the brackets with those that are next to each other made one."""
    joined: list[tuple[float, float]] = []
    for low, high in brackets:
        if joined and low - joined[-1][1] <= _CLOSE:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined
