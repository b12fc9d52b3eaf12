"""Search the box of all levers for a small effort that reaches a goal, where following the slopes is not enough.

Slopes lead astray at a `max` (the operand that is not taken has none), over a dip, and along the edge of a `min`.
So points all over the box are tried at once as samples, those that reach the goal are drawn back towards today,
and the best are improved nearby. In a small tree this usually finds the least; it proves nothing.
`is_out_of_reach` does: it bounds the KGI over the whole box (`focus.envelope`).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from kpi_core import readings
from kpi_core.focus import envelope, lines
from kpi_core.formula import COMPARISONS
from kpi_core.plan import Plan
from kpi_core.readings import Array

Places = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

_SAME, _ROUNDING = 1e-12, 1e-14
_FARTHEST = 1e6
_BENDING = frozenset({"min", "max", "if", *COMPARISONS})
_FRACTIONS = 2.0 ** (-np.arange(24) / 2)  # of a ray, from its end to 1/3,000 of it
_FEW, _CORNERS = 12, 6  # levers
_SAMPLES, _SAMPLES_OF_MANY = 512, 64
_BEST = 3
_GRID = np.linspace(0.0, 1.0, 33)
_ROUNDS, _TRIALS, _SMALLEST = 60, 96, 1e-5
_NARROW = 1e-3
_BOXES = 1_500  # steps of formulas bounded, over all boxes


@dataclass(frozen=True)
class EffortSearch:
    """The levers that may move, how far (`room`: least and most log change, as rows), and the goal.

    Changes are logs of value/now, one per lever in the order of `names`; the effort is Σ change²/ease.
    """

    plan: Plan
    names: tuple[str, ...]
    now: Array
    ease: Array
    bounds: Array
    room: Array
    goal: float

    @cached_property
    def operators(self) -> set[str]:
        """Return the operators of all formulas that carry the KGI."""
        tree = self.plan.tree
        carriers = tree.carriers(self.plan.kgi.metric)
        return {step.op for metric in carriers if metric in tree.expressions for step in tree.expressions[metric].steps}

    @property
    def bends(self) -> bool:
        """Return whether a formula has a corner or a jump."""
        return bool(self.operators & _BENDING)

    @property
    def turns(self) -> bool:
        """Return whether the KGI may rise and fall with a lever, as far as operators tell."""
        return bool(self.operators & {"-", "neg"})

    @property
    def is_small(self) -> bool:
        """Return whether so few levers move that the whole box can be looked at."""
        return len(self.moving) <= _FEW

    @cached_property
    def moving(self) -> Places:
        """Return the places of the levers that may move."""
        return np.flatnonzero(self.room[0] != self.room[1])

    @cached_property
    def enough(self) -> float:
        """Return the KGI that counts as the goal: rounding apart."""
        return self.goal - _SAME * abs(self.goal)

    @cached_property
    def farthest(self) -> float:
        """Return the largest KGI that counts: what is a million times the goal and today stands beside a pole."""
        return _FARTHEST * (abs(self.goal) + abs(self.plan.tree.now(self.plan.kgi.metric)))

    def effort(self, changes: Array) -> Array:
        """Return Σ change²/ease of each row."""
        return np.asarray(np.sum(changes**2 / self.ease, axis=-1))

    def kgis(self, changes: Array) -> Array:
        """Return the KGI of each row of changes, NaN where the tree has no value or none that counts."""
        tree = self.plan.tree
        moved = np.clip(self.now * np.exp(changes), *self.bounds.T)
        for bound in self.bounds.T:
            moved = np.where(np.abs(moved - bound) <= _SAME * np.abs(bound), bound, moved)
        moved = np.where(changes == 0, self.now, moved)
        known = {**tree.baseline, **dict(zip(self.names, moved.T, strict=True))}
        follows = set(self.names)
        fine = np.ones(len(changes), dtype=np.bool_)
        with np.errstate(all="ignore"):
            for metric in tree.order:
                if metric in tree.expressions and follows.intersection(tree.parts(metric)):
                    known[metric] = readings.value(tree.expressions[metric], known)
                    follows.add(metric)
                if metric in follows:
                    fine &= np.isfinite(known[metric])
                    if tree.metrics[metric].is_share:
                        fine &= (known[metric] >= 0) & (known[metric] <= 1 + _ROUNDING)
        kgi = known[self.plan.kgi.metric]
        return np.where(fine & (np.abs(kgi) <= self.farthest), kgi, np.nan)

    def best(self, *starts: Array) -> Array:
        """Return the changes of least effort that reach the goal, or else those of the highest KGI; 0 at worst."""
        if not len(self.moving):
            return np.zeros(len(self.names))
        rays = self.rays()
        kgis = self.kgis((rays[:, None] * _FRACTIONS[:, None]).reshape(-1, len(self.names)))
        kgis = kgis.reshape(len(rays), len(_FRACTIONS))
        reaches = np.nan_to_num(kgis, nan=-np.inf) >= self.enough
        pool = [start for start in starts if self.reaches(start)]
        if reaches.any():
            pool += list(self.drawn_back(rays[reaches.any(1)], reaches[reaches.any(1)]))
        if not pool:
            top = np.unravel_index(np.argmax(np.nan_to_num(kgis, nan=-np.inf)), kgis.shape)
            candidates = np.array([np.zeros(len(self.names)), rays[top[0]] * _FRACTIONS[top[1]], *starts])
            highest = self.climbed(candidates[int(np.argmax(np.nan_to_num(self.kgis(candidates), nan=-np.inf)))])
            if not self.reaches(highest):
                return self.nearest_of_highest(highest)
            pool = list(self.drawn_back(highest[None], self.on_ray(highest)[None]))
        pool.sort(key=lambda changes: float(self.effort(changes)))
        if not self.bends and starts and self.reaches(starts[0]):  # slopes lead to the least nearby
            pool = [changes for changes in pool if self.effort(changes) < self.effort(starts[0])]
        improved = [self.improved(changes) for changes in pool[:_BEST]]
        return min([*improved, *filter(self.reaches, starts)], key=lambda changes: float(self.effort(changes)))

    def nearest_of_highest(self, highest: Array) -> Array:
        """Return the changes that bring as much as these, the highest there are, with the least effort."""
        most = float(self.kgis(highest[None])[0])
        highest = self.pulled_back(highest, most)
        nearer = replace(self, goal=most).best(highest) if self.is_small and highest.any() else highest
        return nearer if self.effort(nearer) < 0.99 * self.effort(highest) else highest

    def reaches(self, changes: Array) -> bool:
        """Return whether the goal is reached."""
        return bool(self.kgis(changes[None])[0] >= self.enough)

    def on_ray(self, changes: Array) -> Mask:
        """Return for each fraction of the changes whether it reaches the goal."""
        return np.asarray(self.kgis(changes * _FRACTIONS[:, None]) >= self.enough)

    def rays(self) -> Array:
        """Return the ends of the ways to look along: each lever alone, corners of the box, points all over it."""
        count = len(self.names)
        alone = np.zeros((2 * len(self.moving), count))
        for row, place in enumerate(self.moving):
            alone[2 * row, place], alone[2 * row + 1, place] = self.room[:, place]
        corners = np.zeros((0, count))
        if len(self.moving) <= _CORNERS:
            choices = np.array(list(itertools.product((0, 1), repeat=len(self.moving))))
            corners = np.zeros((len(choices), count))
            corners[:, self.moving] = np.where(choices, self.room[1, self.moving], self.room[0, self.moving])
        size = _SAMPLES if self.is_small else _SAMPLES_OF_MANY
        random = np.random.default_rng(0)
        even = qmc.Sobol(len(self.moving), rng=random).random(size)
        spread = np.zeros((size, count))
        spread[:, self.moving] = self.room[0, self.moving] + even * (self.room[1] - self.room[0])[self.moving]
        few = spread * (random.random(spread.shape) < 0.4)  # most goals need some levers only
        return np.concatenate([alone, corners, spread, few])

    def drawn_back(self, rays: Array, reaches: Mask) -> Array:
        """Return for each ray the point nearest to today that reaches the goal; `reaches` is `on_ray` of each."""
        last = reaches.shape[1] - 1 - np.argmax(reaches[:, ::-1], axis=1)
        good = _FRACTIONS[last]
        short = np.where(last == len(_FRACTIONS) - 1, 0.0, _FRACTIONS[np.minimum(last + 1, len(_FRACTIONS) - 1)])
        order = np.argsort(self.effort(rays * good[:, None]))[:32]
        rays, good, short = rays[order], good[order], short[order]
        for _turn in range(45):
            middle = (good + short) / 2
            enough = self.kgis(rays * middle[:, None]) >= self.enough
            good, short = np.where(enough, middle, good), np.where(enough, short, middle)
        return np.asarray(rays * good[:, None])

    def improved(self, changes: Array) -> Array:
        """Return changes nearby that reach the goal with less effort: pulled back, then by trials ever closer."""
        changes = self.pulled_back(changes, self.enough)
        random = np.random.default_rng(1)
        reach = 0.3 * float(np.sqrt(self.effort(changes)))
        smallest = _SMALLEST * reach
        width = np.sqrt(self.ease) * (self.room[0] != self.room[1])
        for _round in range(_ROUNDS if self.is_small else 0):
            if reach <= smallest:
                break
            trials = changes * (1 - 0.3 * random.random((_TRIALS, 1)) * reach / np.sqrt(self.effort(changes)))
            trials = np.clip(trials + reach * width * random.normal(size=trials.shape), *self.room)
            efforts = np.where(self.kgis(trials) >= self.enough, self.effort(trials), np.inf)
            if float(np.min(efforts)) < float(self.effort(changes)) * (1 - 1e-9):
                changes = trials[int(np.argmin(efforts))]
            else:
                reach /= 2
        return self.pulled_back(changes, self.enough)

    def pulled_back(self, changes: Array, enough: float) -> Array:
        """Return the changes with each lever as near to today as the others allow, the costliest first."""
        closer = np.repeat(changes[None], len(changes), axis=0) - 1e-7 * np.diag(changes)
        loose = self.kgis(closer) >= enough
        for place in np.argsort(-(changes**2) / self.ease):
            if changes[place] and (loose[place] or self.is_small):
                changes = self.pulled(changes, int(place), enough)
        return changes

    def pulled(self, changes: Array, place: int, enough: float) -> Array:
        """Return the changes with one lever as near to today as the others allow."""
        trials = np.repeat(changes[None], len(_GRID), axis=0)
        trials[:, place] = changes[place] * _GRID
        reaching = np.flatnonzero(self.kgis(trials) >= enough)
        if not len(reaching):
            return changes
        nearest: Array = trials[reaching[0]]
        good, short = nearest[place], trials[max(reaching[0] - 1, 0), place]
        if reaching[0] == len(_GRID) - 1:
            short = changes[place] * (1 - 1e-7)  # most levers are at their place: one look, very close, tells
            nearest[place] = short
            if not self.kgis(nearest[None])[0] >= enough:
                return changes
            good, short = short, trials[-2, place]
        for _turn in range(50 if reaching[0] else 0):
            middle = (good + short) / 2
            nearest[place] = middle
            good, short = (middle, short) if self.kgis(nearest[None])[0] >= enough else (good, middle)
        nearest[place] = good
        return nearest

    def climbed(self, changes: Array) -> Array:
        """Return changes from which no lever alone gets the KGI higher, as far as ever finer grids tell."""
        highest = float(self.kgis(changes[None])[0])
        width = self.room[1] - self.room[0]
        for _round in range(40 if self.is_small else 3):
            before = highest
            for place in self.moving:
                trials = np.repeat(changes[None], 2 * len(_GRID), axis=0)
                window = np.concatenate([_GRID, _GRID - 1]) * width[place]
                trials[:, place] = np.clip(changes[place] + window, *self.room[:, place])
                kgis = np.nan_to_num(self.kgis(trials), nan=-np.inf)
                if kgis.max() > highest:
                    changes, highest = trials[int(np.argmax(kgis))], float(kgis.max())
            if highest >= self.enough:
                break
            if highest <= before:
                width = width / 16
        return changes

    @cached_property
    def ceiling(self) -> float:
        """Return what the KGI never exceeds within the room; infinite where a lever might change its sign."""
        if ((self.bounds[:, 0] < 0) & (self.bounds[:, 1] > 0)).any():
            return np.inf  # logs know nothing of the other side
        with np.errstate(all="ignore"):
            return self.most(*self.room[:, self.moving])

    def is_highest(self, changes: Array) -> bool:
        """Return whether it is certain that no values within the bounds bring more."""
        return bool(self.kgis(changes[None])[0] >= self.ceiling - _SAME * abs(self.ceiling))

    def is_out_of_reach(self) -> bool:
        """Return whether it is certain that no values within the bounds reach the goal."""
        if self.ceiling < self.goal or not np.isfinite(self.ceiling) or not len(self.moving):
            return self.ceiling < self.goal
        tree = self.plan.tree
        size = sum(len(tree.expressions[metric].steps) for metric in tree.expressions)
        boxes = _halved(self.room[:, self.moving])
        with np.errstate(all="ignore"):
            for _box in range(_BOXES // max(size, 1)):
                box = boxes.pop()
                if not self.most(*box) < self.goal:
                    if (box[1] - box[0]).max() < _NARROW:
                        return False
                    boxes += _halved(box)
                if not boxes:
                    return True
        return False

    def most(self, low: Array, high: Array) -> float:
        """Return what the KGI never exceeds while the changes of the moving levers lie between these."""
        tree, box = self.plan.tree, lines.Box(low, high)
        sides = {self.names[place]: side for side, place in enumerate(self.moving)}
        held: dict[str, lines.Between] = {}
        for metric in tree.carriers(self.plan.kgi.metric):
            if metric in tree.expressions:
                between = envelope.between(tree.expressions[metric], held.__getitem__, box)
            else:
                between = lines.known(tree.now(metric), box)
                between = envelope.lifted(between, [sides[metric]]) if metric in sides else between
            held[metric] = between.kept(0.0, 1.0) if tree.metrics[metric].is_share else between
        return float(held[self.plan.kgi.metric].most[0])


def _halved(box: Array) -> list[Array]:
    """Return the two halves of a box across its longest side."""
    low, high = box
    longest = np.arange(len(low)) == int(np.argmax(high - low))
    middle = (low + high) / 2
    return [np.array([low, np.where(longest, middle, high)]), np.array([np.where(longest, middle, low), high])]
