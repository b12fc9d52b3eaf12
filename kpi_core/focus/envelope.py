"""Lines between which a KGI lies within a box, whatever its formula: the reading of an expression that bounds it.

Products, fractions and powers are exact in logarithms, sums in the numbers themselves (`lines` has both forms).
`min` lies below either of its operands and above a line through the corners; `if` takes a branch where the box
decides it, else lies between both. What nothing is known of lies between minus infinity and infinity, which is a
bound too.

Source: McCormick (1976) for products; Tawarmalani and Sahinidis, Convexification and Global Optimization (2002).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from kpi_core.focus.lines import Between, Box, Line, Mask, either, known, level, sound, without_nan
from kpi_core.formula import Expression
from kpi_core.lags import delayed
from kpi_core.readings import Array

_HAIR = 1e-11
_ROUNDING = 1e-14


def lifted(now: Between, sides: Sequence[int]) -> Between:
    """Return `now` · exp(z of its side, one side per month): what KSFs make of it."""
    if not now.positive:
        if (now.most <= 0).all():
            return lifted(now.opposite(), sides).opposite()
        return _product(now, lifted(known(1.0, now.box), sides))
    slope = np.zeros((len(sides), len(now.box.low)))
    slope[np.arange(len(sides)), sides] = 1.0
    line = Line(np.zeros(len(sides)), slope)
    low, high = now.log
    box = now.box
    span = now.least * np.exp(box.low[list(sides)]), now.most * np.exp(box.high[list(sides)])
    return Between(box, None, (low + line, high + line), span)


def later(
    entered: Between,
    lag: Sequence[float],
    times: Array | float = 1.0,
    plus: Array | float = 0.0,
    *,
    waits: Array | None = None,
    count: int = 0,
) -> Between:
    """Return what comes out of a step that takes time, multiplied by what is known and that added to it.

    What `waits` when the year begins, by month before it, takes in the year the place of what entered in those
    months, of `count` in all (`lags.Opening`).
    """
    if waits is not None:
        past = np.arange(count) < len(waits)
        start = known(np.pad(waits, (0, count - len(waits))), entered.box)
        return _where(past, later(entered, lag, times, plus), later(_where(past, start, entered), lag, times, plus))
    changed = np.ndim(times) > 0 or np.ndim(plus) > 0 or times != 1.0 or plus != 0.0
    if not changed and (not lag or len(entered.least) == 1):
        return entered
    low, high = (_later(line, lag, times, plus) for line in entered.plain)
    some = np.broadcast_to(np.asarray(times, dtype=np.float64), low.at.shape) >= 0
    low, high = either(some, low, high), either(some, high, low)
    ends = [delayed(end, lag) * times + plus for end in (entered.least, entered.most)]
    return Between(entered.box, sound(low, high), None, (np.minimum(*ends), np.maximum(*ends)))


def _where(here: Mask, one: Between, other: Between) -> Between:
    """Return the one number in the months that are marked, the other in the others."""
    low, high = (either(here, *lines) for lines in zip(one.plain, other.plain, strict=True))
    return Between(
        one.box,
        (low, high),
        None,
        (np.where(here, one.least, other.least), np.where(here, one.most, other.most)),
    )


def _later(line: Line, lag: Sequence[float], times: Array | float, plus: Array | float) -> Line:
    at = np.asarray(delayed(line.at, lag) * times + plus)
    slope = np.ascontiguousarray(delayed(np.ascontiguousarray(line.slope.T), lag).T)
    return Line(at, np.broadcast_to(slope * np.reshape(times, (-1, 1)), (len(at), slope.shape[1])))


def mean(of: Between, months: slice) -> Between:
    """Return the mean over some months."""
    if len(of.least) == 1:
        return of
    low, high = (Line(line.at[months].mean(keepdims=True), line.slope[months].mean(0)[None]) for line in of.plain)
    span = of.least[months].mean(keepdims=True), of.most[months].mean(keepdims=True)
    return Between(of.box, (low, high), None, span)


def between(expression: Expression, names: Callable[[str], Between], box: Box) -> Between:
    """Return the lines that hold an expression, from those that hold what it reads.

    >>> from kpi_core.formula import parse
    >>> box = Box(np.array([0.0]), np.array([1.0]))
    >>> held = between(parse("min(a, 2)"), lambda name: lifted(known(1.0, box), [0]), box)
    >>> held.least, held.most
    (array([1.]), array([2.]))
    """
    stack: list[Between] = []
    for step in expression.steps:
        if step.op == "name":
            stack.append(names(step.name))
        elif step.op == "number":
            stack.append(known(step.number, box))
        else:
            args = stack[len(stack) - step.arity :]
            del stack[len(stack) - step.arity :]
            stack.append(RULES[step.op](*args))
    return stack[0]


def _sum(one: Between, other: Between) -> Between:
    lows, highs = zip(one.plain, other.plain, strict=True)
    lines = sound(lows[0] + lows[1], highs[0] + highs[1])
    span = one.least + other.least, one.most + other.most
    if not (one.positive and other.positive):
        return _blurred(one, other, lines, span)
    found = Between(one.box, lines, None, span)
    return Between(one.box, lines, (_log_of_sum(one, other, found), found.log[1]), span)


def _blurred(one: Between, other: Between, lines: tuple[Line, Line], span: tuple[Array, Array]) -> Between:
    """Return a difference with room for rounding: what cancels may be 0 or a hair beside it."""
    size = reduce(np.fmax, (np.abs(end) for part in (one, other) for end in (part.least, part.most)))
    hair = np.where(np.isfinite(size), _ROUNDING * size, 0.0)
    low, high = level(-hair, len(one.box.low)), level(hair, len(one.box.low))
    return Between(one.box, (lines[0] + low, lines[1] + high), None, (span[0] - hair, span[1] + hair))


def _log_of_sum(one: Between, other: Between, both: Between) -> Line:
    """Return the tangent of log(exp a + exp b), which is convex, below it; where a part is 0 at most, the chord."""
    a, b = one.log[0], other.log[0]
    left, right = a.over(one.box.middle), b.over(one.box.middle)
    whole = np.logaddexp(left, right)
    share = np.exp(left - whole)
    fine = np.isfinite(left) & np.isfinite(right) & np.isfinite(whole)
    share = np.where(fine, share, 0.5)
    start = whole - np.where(fine, share * left + (1 - share) * right, 0.0)
    line = a.times(share) + b.times(1 - share) + level(start, len(one.box.low))
    return without_nan(either(fine, line, both.log[0]), -np.inf)


def _product(one: Between, other: Between) -> Between:
    for first, second in ((one, other), (other, one)):
        if (first.most <= 0).all() and not first.positive:
            return _product(first.opposite(), second).opposite()
    ends = np.array([_times(a, b) for a in (one.least, one.most) for b in (other.least, other.most)])
    span = ends.min(axis=0), ends.max(axis=0)
    if one.positive and other.positive:
        lows, highs = zip(one.log, other.log, strict=True)
        return Between(one.box, None, sound(lows[0] + lows[1], highs[0] + highs[1]), span)
    over = [(one.most, other.least), (one.least, other.most)]
    under = [(one.least, other.least), (one.most, other.most)]
    high = _best(one, other, over, np.minimum, upper=True)
    low = _best(one, other, under, np.maximum, upper=False)
    return Between(one.box, sound(low, high), None, span)


def _best(
    one: Between, other: Between, planes: Sequence[tuple[Array, Array]], closer: np.ufunc, *, upper: bool
) -> Line:
    """Return, month by month, the plane x·v + u·y − u·v through two corners that is closer in the middle."""
    lines = []
    for u, v in planes:
        parts = []
        for part, factor in ((one, v), (other, u)):
            low, high = part.plain
            rises = (factor >= 0) == upper
            parts.append(either(rises, high, low).times(factor))
        corner = level(np.asarray(-_times(u, v)), len(one.box.low))
        lines.append(without_nan(parts[0] + parts[1] + corner, np.inf if upper else -np.inf))
    at = [line.over(one.box.middle) for line in lines]
    first = closer(*at) == at[0]
    return either(one.box.choices.first(first, np.isfinite(at[0]) & np.isfinite(at[1])) if upper else first, *lines)


def _times(a: Array, b: Array) -> Array:
    return np.where((a == 0) | (b == 0), 0.0, a * b)


def _reciprocal(of: Between) -> Between:
    """Return 1 / x of what is above 0."""
    low, high = of.log
    return Between(of.box, None, (high.times(-1), low.times(-1)), (1 / of.most, 1 / of.least))


def _fraction(one: Between, other: Between) -> Between:
    if (other.least > 0).all():
        return _product(one, _reciprocal(other))
    if (other.most < 0).all():
        return _product(one.opposite(), _reciprocal(other.opposite()))
    return _anything(one, other)


def _power(base: Between, exponent: Between) -> Between:
    constant = exponent.least if (exponent.least == exponent.most).all() else None
    if constant is not None and base.positive and ((constant > 0).all() or (base.least > 0).all()):
        low, high = base.log
        low, high = (either(constant >= 0, a, b).times(constant) for a, b in ((low, high), (high, low)))
        ends = base.least**constant, base.most**constant
        return Between(base.box, None, sound(low, high), (np.minimum(*ends), np.maximum(*ends)))
    if constant is not None and (constant == 2).all():
        ends = base.least**2, base.most**2
        across = (base.least < 0) & (base.most > 0)
        return _hull(base, np.where(across, 0.0, np.minimum(*ends)), np.maximum(*ends))
    if (base.least > 0).all():
        of_log = _product(exponent, Between(base.box, base.log, None, (np.log(base.least), np.log(base.most))))
        return Between(base.box, None, of_log.plain, (np.exp(of_log.least), np.exp(of_log.most)))
    return _anything(base, exponent)


def _hull(like: Between, least: Array, most: Array) -> Between:
    """Return what is only known to lie in a range."""
    lines = level(least, len(like.box.low)), level(most, len(like.box.low))
    return Between(like.box, lines, None, (least, most))


def _anything(*args: Between) -> Between:
    every = np.full(max(len(arg.least) for arg in args), np.inf)
    return _hull(args[0], -every, every)


def _smaller(one: Between, other: Between) -> Between:
    span = np.minimum(one.least, other.least), np.minimum(one.most, other.most)
    if one.positive and other.positive:
        return Between(one.box, None, _least_lines(one.log, other.log, one.box), span)
    return Between(one.box, _least_lines(one.plain, other.plain, one.box), None, span)


def _least_lines(one: tuple[Line, Line], other: tuple[Line, Line], box: Box) -> tuple[Line, Line]:
    """Return lines around the smaller of two: above, the one that is lower in the middle; below, through the corners.

    min(a, b) = a − max(0, a − b), and max(0, d) lies below its chord.
    """
    top = (one[1] + other[0].times(-1)).most(box)
    bottom = (one[0] + other[1].times(-1)).least(box)
    first, second = top <= 0, bottom >= 0
    told = np.isfinite(top) & np.isfinite(bottom)
    share = np.where(first, 0.0, np.where(second, 1.0, np.where(told, top / (top - bottom), 0.0)))
    drop = np.where(first | second | ~told, 0.0, share * bottom)
    low = one[0].times(1 - share) + other[0].times(share) + level(drop, len(box.low))
    both = level(np.minimum(one[0].least(box), other[0].least(box)), len(box.low))
    closer = first | (~second & (one[1].over(box.middle) <= other[1].over(box.middle)))
    closer = box.choices.first(closer, ~first & ~second)
    return sound(either(first | second | told, low, both), either(closer, one[1], other[1]))


def _larger(one: Between, other: Between) -> Between:
    span = np.maximum(one.least, other.least), np.maximum(one.most, other.most)
    logs = one.positive and other.positive
    lines = (one.log, other.log) if logs else (one.plain, other.plain)
    turned = [(high.times(-1), low.times(-1)) for low, high in lines]
    low, high = _least_lines(turned[0], turned[1], one.box)
    found = high.times(-1), low.times(-1)
    return Between(one.box, None if logs else found, found if logs else None, span)


def _differs(one: Between, other: Between) -> tuple[Array, Array]:
    """Return between which numbers one − other lies; of what is above 0, of the logarithms where that says more.

    What varies has a hair's breadth on either side: the sets are evaluated in another order of operations.
    """
    low, high = one.least - other.most, one.most - other.least
    if ((one.least == one.most) & (other.least == other.most)).all():
        return low, high
    hair = _HAIR * np.fmax(np.fmax(-one.least, one.most), np.fmax(-other.least, other.most))
    low, high = low - hair, high + hair
    forms = [(one.plain, other.plain, hair)]
    if one.positive and other.positive:
        forms.append((one.log, other.log, np.full_like(hair, _HAIR)))
    for a, b, slack in forms:
        low = np.fmax(low, (a[0] + b[1].times(-1)).least(one.box) - slack)
        high = np.fmin(high, (a[1] + b[0].times(-1)).most(one.box) + slack)
    return low, high


def _compare(surely: Callable[[Array, Array], Mask], surely_not: Callable[[Array, Array], Mask]) -> Rule:
    """Return the row of a relation: 1 where it surely holds, 0 where it surely does not, else anything between."""

    def held(one: Between, other: Between) -> Between:
        low, high = _differs(one, other)
        return _hull(one, np.where(surely(low, high), 1.0, 0.0), np.where(surely_not(low, high), 0.0, 1.0))

    return held


def _if(condition: Between, then: Between, otherwise: Between) -> Between:
    yes, no = (condition.least > 0) | (condition.most < 0), (condition.least == 0) & (condition.most == 0)
    if yes.all():
        return then
    if no.all():
        return otherwise
    least, most = _smaller(then, otherwise), _larger(then, otherwise)
    logs = then.positive and otherwise.positive
    first, second, under, over = (part.log if logs else part.plain for part in (then, otherwise, least, most))
    low = either(yes, first[0], either(no, second[0], under[0]))
    high = either(yes, first[1], either(no, second[1], over[1]))
    span = (
        np.where(yes, then.least, np.where(no, otherwise.least, least.least)),
        np.where(yes, then.most, np.where(no, otherwise.most, most.most)),
    )
    lines = sound(low, high)
    return Between(then.box, None if logs else lines, lines if logs else None, span)


Rule = Callable[..., Between]

RULES: dict[str, Rule] = {
    "+": _sum,
    "-": lambda one, other: _sum(one, other.opposite()),
    "*": _product,
    "/": _fraction,
    "^": _power,
    "neg": Between.opposite,
    "sum": lambda *args: reduce(_sum, args),
    "min": lambda *args: reduce(_smaller, args),
    "max": lambda *args: reduce(_larger, args),
    "if": _if,
    "<": _compare(lambda low, high: high < 0, lambda low, high: low >= 0),
    ">": _compare(lambda low, high: low > 0, lambda low, high: high <= 0),
    "<=": _compare(lambda low, high: high <= 0, lambda low, high: low > 0),
    ">=": _compare(lambda low, high: low >= 0, lambda low, high: high < 0),
    "=": _compare(lambda low, high: (low == 0) & (high == 0), lambda low, high: (low > 0) | (high < 0)),
    "<>": _compare(lambda low, high: (low > 0) | (high < 0), lambda low, high: (low == 0) & (high == 0)),
}
