"""Numbers held between two lines within a box: what `envelope` reads an expression as.

    low(z) ≤ x(z) ≤ high(z)      z in the box, low and high linear: of x itself, or of log x where x is never below 0

From one form to the other: exp lies below its chord and above its tangents, log above its chord and below its
tangents. With months, numbers have a first axis of months, or of one for all of them. Infinity and NaN come up on
the way and are dealt with (`sound`): callers silence NumPy's warnings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kpi_core.readings import Array

Mask = npt.NDArray[np.bool_]

_FLAT = 1e-12


@dataclass(eq=False)
class Choices:
    """Which of two lines is taken where either will do: the closer one in the middle, but at one place (`turned`)."""

    turned: int | None = None
    met: int = 0

    def first(self, closer: Mask, free: Mask) -> Mask:
        """Return where the first of two lines is taken; where it is `free`, this is a place that can be turned."""
        if not free.any():
            return closer
        self.met += 1
        return closer ^ free if self.turned == self.met - 1 else closer


@dataclass(frozen=True, eq=False)
class Box:
    """Where z may lie: between `low` and `high`, one number per side."""

    low: Array
    high: Array
    choices: Choices = field(default_factory=Choices)

    @cached_property
    def middle(self) -> Array:
        """Return the middle."""
        return self.low / 2 + self.high / 2


@dataclass(frozen=True, eq=False)
class Line:
    """A linear function of z: `at` (months,) where z is 0, and its slopes (months, sides)."""

    at: Array
    slope: Array

    def __add__(self, other: Line) -> Line:
        return Line(self.at + other.at, self.slope + other.slope)

    def times(self, factor: Array | float) -> Line:
        """Return the line multiplied by a number, or a number per month; 0 times infinity is 0."""
        many = np.atleast_1d(np.asarray(factor, dtype=np.float64))
        return Line(np.where(many == 0, 0.0, self.at * many), self.slope * many[:, None])

    def over(self, z: Array) -> Array:
        """Return its value at a point."""
        return np.asarray(self.at + self.slope @ z)

    def least(self, box: Box) -> Array:
        """Return its smallest value in the box."""
        return np.asarray(self.at + np.maximum(self.slope, 0) @ box.low + np.minimum(self.slope, 0) @ box.high)

    def most(self, box: Box) -> Array:
        """Return its largest value in the box."""
        return np.asarray(self.at + np.maximum(self.slope, 0) @ box.high + np.minimum(self.slope, 0) @ box.low)


def level(at: Array, sides: int) -> Line:
    """Return the line that has the same value everywhere."""
    return Line(at, np.zeros((len(at), sides)))


@dataclass(frozen=True, eq=False)
class Between:
    """Two lines that hold a number, in its plain form or in logarithms, or both, and its range `least` to `most`."""

    box: Box
    given: tuple[Line, Line] | None
    logs: tuple[Line, Line] | None
    range: tuple[Array, Array]

    @cached_property
    def least(self) -> Array:
        """Return what it never lies below: by its range, and by its lines."""
        low = self.given[0].least(self.box) if self.given else np.exp(self._logs[0].least(self.box))
        return np.fmax(self.range[0], low)

    @cached_property
    def most(self) -> Array:
        """Return what it never exceeds."""
        high = self.given[1].most(self.box) if self.given else np.exp(self._logs[1].most(self.box))
        return np.fmin(self.range[1], high)

    @cached_property
    def positive(self) -> bool:
        """Return whether it is never below 0."""
        return bool((self.least >= 0).all())

    @cached_property
    def plain(self) -> tuple[Line, Line]:
        """Return the lines of the number itself."""
        if self.given is not None:
            return self.given
        low, high = self._logs
        touch, top, bottom = low.over(self.box.middle), high.most(self.box), high.least(self.box)
        chord = np.where(top - bottom > _FLAT, (np.exp(top) - np.exp(bottom)) / np.maximum(top - bottom, _FLAT), 0.0)
        over = high.times(chord) + level(np.exp(top) - np.where(chord == 0, 0.0, chord * top), len(self.box.low))
        below = np.exp(touch)
        under = low.times(below) + level(below - np.where(below == 0, 0.0, below * touch), len(self.box.low))
        return sound(under, over)

    @cached_property
    def log(self) -> tuple[Line, Line]:
        """Return the lines of its logarithm; only where it is `positive`."""
        return self._logs if self.logs is not None else sound(self._log_low, self._log_high)

    @property
    def _logs(self) -> tuple[Line, Line]:
        assert self.logs is not None  # there is always one of the two forms
        return self.logs

    @cached_property
    def _log_high(self) -> Line:
        """Return the tangent of the logarithm where the upper line is in the middle of the box, or at its most."""
        high = self.plain[1]
        middle = high.over(self.box.middle)
        touch = np.minimum(np.where(middle > 0, middle, high.most(self.box)), self.most)
        known = (touch > 0) & np.isfinite(touch) & np.isfinite(high.at)
        safe = np.where(known, touch, 1.0)
        line = high.times(1 / safe) + level(np.log(safe) - 1, len(self.box.low))
        bare = np.where(self.most > 0, np.log(np.maximum(self.most, np.finfo(float).tiny)), -np.inf)
        return either(known, line, level(bare, len(self.box.low)))

    @cached_property
    def _log_low(self) -> Line:
        """Return the chord of the logarithm over the lower line; where that is not above 0, the log of the least."""
        low = self.plain[0]
        bottom, top = low.least(self.box), low.most(self.box)
        known = (bottom > 0) & np.isfinite(top)
        start, end = np.where(known, bottom, 1.0), np.where(known, top, 1.0)
        wide = end - start > _FLAT * end
        chord = np.where(wide, np.log(end / start) / np.where(wide, end - start, 1.0), 0.0)
        line = low.times(chord) + level(np.log(start) - chord * start, len(self.box.low))
        bare = np.log(np.maximum(self.least, 0.0))
        return either(known & (np.log(start) >= bare - _FLAT), line, level(bare, len(self.box.low)))

    def opposite(self) -> Between:
        """Return minus the number."""
        low, high = self.plain
        return Between(self.box, (high.times(-1), low.times(-1)), None, (-self.most, -self.least))

    def kept(self, least: float, most: float) -> Between:
        """Return the same number, known to lie in a range."""
        span = np.fmax(self.range[0], least), np.fmin(self.range[1], most)
        return Between(self.box, self.given, self.logs, span)


def known(number: Array | float, box: Box) -> Between:
    """Return what is the same everywhere in the box."""
    at = np.atleast_1d(np.asarray(number, dtype=np.float64))
    here = level(at, len(box.low))
    return Between(box, (here, here), None, (at, at))


def sound(low: Line, high: Line) -> tuple[Line, Line]:
    """Return lines of which nothing is said where arithmetic gave no number."""
    return without_nan(low, -np.inf), without_nan(high, np.inf)


def without_nan(line: Line, otherwise: float) -> Line:
    """Return the line, flat at `otherwise` where arithmetic gave no number."""
    fine = np.isfinite(line.slope).all(axis=1) & ~np.isnan(line.at)
    fine &= np.isfinite(line.at) | ~line.slope.any(axis=1)
    bare = np.where(np.isinf(line.at), line.at, otherwise)
    return line if fine.all() else either(fine, line, level(bare, line.slope.shape[1]))


def either(here: Mask, one: Line, other: Line) -> Line:
    """Return the one line in the months that are marked, the other in the others."""
    return Line(np.where(here, one.at, other.at), np.where(np.reshape(here, (-1, 1)), one.slope, other.slope))
