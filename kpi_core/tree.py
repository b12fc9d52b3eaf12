"""Metric trees: a KGI written as sums, products and ratios of its drivers.

    revenue = wins * unit_price        wins = close_rate * meetings

A `Tree` is frozen data; everything below is a pure function of it.
Rates are fractions in [0, 1], never percent; money is in the plan's one currency.
Values may be scalars or arrays of samples of any shapes that broadcast. With `months`, the last axis is
months and metrics with a lead time appear later (`lags`, `timeline`): the same rules, one evaluator.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from kpi_core import readings
from kpi_core.document import Metric, Text
from kpi_core.errors import KpiError
from kpi_core.formula import Expression, Names, fold_name, parse
from kpi_core.lags import Months
from kpi_core.readings import Array

Values = Mapping[str, npt.ArrayLike]

# Long arrays are evaluated in pieces that stay in the processor's cache.
_BLOCK = 16_384
_MONTHS_BLOCK = 262_144  # of months of draws a smaller piece would be many short rows

_ONE_BITS, _LARGEST_BITS = np.array([1.0, np.finfo(np.float64).max]).view(np.uint64)

_MOST_NAMED = 12  # of the metrics in a circle
_LAST_BRACKET = re.compile(r"\s*[(\uff08][^()\uff08\uff09]*[)\uff09]\s*$")


@dataclass(frozen=True)
class Tree:
    """Metrics by id; those with a formula are computed, the others are inputs.

    Raises
    ------
    KpiError
        `cycle`: a metric depends on itself (`path` shows the loop); the codes of `formula.parse`.
    """

    metrics: Mapping[str, Metric]

    def __post_init__(self) -> None:
        object.__setattr__(self, "metrics", MappingProxyType(dict(self.metrics)))
        _ = self.order

    @classmethod
    def of(cls, **metrics: str | float) -> Tree:
        """Return a small tree from formulas and numbers, for examples and tests.

        >>> Tree.of(wins="meetings * rate", meetings=540, rate=0.2).order
        ('meetings', 'rate', 'wins')
        """
        return cls(
            {
                name: Metric(
                    name=Text(en=name),
                    kind="count",
                    formula=said if isinstance(said, str) else None,
                    value=None if isinstance(said, str) else float(said),
                )
                for name, said in metrics.items()
            }
        )

    @cached_property
    def names(self) -> Names:
        """Return what each metric may be called in a formula."""
        return names_of(self.metrics)

    @cached_property
    def expressions(self) -> Mapping[str, Expression]:
        """Return the expression of each computed metric."""
        return MappingProxyType(
            {
                metric: parse(entry.formula, self.names)
                for metric, entry in self.metrics.items()
                if entry.formula is not None
            }
        )

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Return every metric, each after all that it is computed from."""
        return _sorted(self.expressions, self.metrics)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Return the metrics without a formula, in the plan's order."""
        return tuple(metric for metric in self.metrics if metric not in self.expressions)

    def parts(self, metric: str) -> tuple[str, ...]:
        """Return what `metric` is computed from, in the order its formula names them."""
        return self.expressions[metric].names if metric in self.expressions else ()

    def carriers(self, *of: str) -> tuple[str, ...]:
        """Return these metrics and every one they depend on, each after all that it is computed from."""
        found = set(of)
        for metric in reversed(self.order):
            if metric in found:
                found.update(self.parts(metric))
        return tuple(metric for metric in self.order if metric in found)

    def levers(self, of: str) -> tuple[str, ...]:
        """Return the inputs that `of` depends on, in the plan's order."""
        carriers = set(self.carriers(of))
        return tuple(metric for metric in self.inputs if metric in carriers)

    def now(self, metric: str) -> float:
        """Return the metric's value as the plan has it."""
        return float(self.baseline[metric])

    @cached_property
    def baseline(self) -> Mapping[str, Array]:
        """Return every metric's value as the plan has it."""
        return MappingProxyType(evaluate(self))


def evaluate(
    tree: Tree,
    values: Values | None = None,
    *,
    only: Collection[str] | None = None,
    months: Months | None = None,
) -> dict[str, Array]:
    """Return the value of every metric, in the broadcast shape of what it depends on.

    With `only`, just these metrics are returned and just what carries them is evaluated: many
    samples of one KGI cost less than half, because nothing else is written to memory.

    `values` replaces inputs; a computed metric given here is taken as it is, its formula aside.
    With `months` the last axis of every array is that many months, or one for all of them.

    Raises
    ------
    KpiError
        with `metric`: `unknown_metric`, `no_value`, `rate_out_of_range`, `division_by_zero`, `not_finite`.

    >>> evaluate(Tree.of(wins="meetings * rate", meetings=540, rate=0.2))["wins"]
    np.float64(108.0)
    """
    given = _given(tree, values)
    wanted = tuple(tree.metrics) if only is None else tuple(_known(tree, metric) for metric in only)
    needed = tree.order if only is None else tree.carriers(*wanted)
    length = _long_samples(given) if months is None else _many_draws(given, months)
    with np.errstate(all="ignore"):
        if length:
            return _evaluate_blocks(tree, needed, wanted, given, length, months=months)
        known, fine = _evaluate(tree, needed, given, highest=_highest_bits(tree, needed, given), months=months)
        if not fine:
            _judge(tree, needed, known, given)
    return {metric: known[metric] for metric in wanted}


def slopes(
    tree: Tree,
    of: str,
    values: Values | None = None,
    *,
    months: Months | None = None,
    weights: Array | float = 1.0,
) -> dict[str, Array]:
    """Return ∂of/∂metric for every metric: what one more unit of it adds to `of`.

    One backward pass gives them all. For a computed metric it is the worth of one more unit
    of it from nowhere (one more lead), its own drivers held still. Sample by sample for arrays.
    With `months`, of Σₜ weights(t)·of(t): what one more unit in each month adds to that sum. What an opening stock
    brings is divided among the months before the year in which it entered, in proportion to what entered there.

    Raises
    ------
    KpiError
        As `evaluate`; `no_slope` (with `metric`) where a power has no tangent.
    """
    needed = tree.carriers(_known(tree, of))
    known = evaluate(tree, values, months=months, only=None if months is None else needed)
    given = set(values or ())
    along = () if months is None else (months.count,)
    zero = np.zeros(np.broadcast_shapes(along, *(np.shape(known[metric]) for metric in needed)))
    worth: dict[str, Array] = dict.fromkeys(tree.metrics, zero) | {of: zero + weights}
    with np.errstate(all="ignore"):
        for metric in reversed(needed):
            if metric in tree.expressions and metric not in given:
                for part, share in _shares(tree, metric, known, worth[metric], months):
                    worth[part] = worth[part] + share
    for metric, slope in worth.items():
        if not np.isfinite(slope).all():
            raise KpiError("no_slope", "{metric} sits at a point where its effect has no slope.", metric=metric)
    return worth


def _shares(
    tree: Tree, metric: str, known: Mapping[str, Array], worth: Array, months: Months | None
) -> Iterator[tuple[str, Array]]:
    """Yield what each part of a metric is worth by way of it."""
    expression = tree.expressions[metric]
    if months is None:
        yield from readings.slopes(expression, known, worth).items()
        return
    here, waits = months.back(metric, tree.metrics[metric].lag, worth)
    yield from readings.slopes(expression, known, here).items()
    if waits is None:
        return
    opening = months.openings[metric]
    for part, share in readings.slopes(expression, opening.known(known, months.count), waits).items():
        ratio = opening.ratios.get(part, np.ones(0))
        yield part, share * np.pad(ratio, (0, months.count - len(ratio)), constant_values=1.0)


def elasticities(tree: Tree, of: str, values: Values | None = None) -> dict[str, float]:
    """Return the % change of `of` per 1 % change of each input.

    E = (∂of/∂x)·(x/of): dimensionless, exact for small changes.
    Inputs that only multiply one another all score exactly 1, however hard they are to move;
    compare those by their own range instead (`sensitivity.tornado`).

    Raises
    ------
    KpiError
        `zero_kgi`: `of` is 0, so no change of it has a percentage. Also as `slopes`.
    """
    known, worth = evaluate(tree, values), slopes(tree, of, values)
    total = float(known[of])
    if total == 0:
        raise KpiError("zero_kgi", "{metric} is 0 now, so no change of it has a percentage.", metric=of)
    return {metric: float(worth[metric] * known[metric] / total) for metric in tree.inputs}


def names_of(metrics: Mapping[str, Metric]) -> Names:
    """Return what the metrics may be called: id, names, short names, and a name without its last bracket.

    契約率(受注率) may be written 契約率 as long as no other metric is called that. What could be two metrics is
    neither: a short name counts only where one metric alone has it and none has it as its id or in full.
    """
    return _names_of(
        tuple(
            (metric, tuple(name for name in (entry.name.ja, entry.name.en) if name), tuple(entry.short))
            for metric, entry in metrics.items()
        )
    )


@lru_cache(maxsize=4)
def _names_of(metrics: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]) -> Names:
    """Return the names of metrics by id: a plan that is read, checked and evaluated asks for the same ones again."""
    full = [(name, metric) for metric, names, _short in metrics for name in names]
    short = [(name, metric) for metric, _names, called in metrics for name in called]
    without_bracket = [(_LAST_BRACKET.sub("", name), metric) for name, metric in (*full, *short)]
    spelt = {metric: metric for metric, _names, _short in metrics}
    owners = {fold_name(metric): metric for metric, _names, _short in metrics}
    for called in (full, _of_one(short), _of_one(without_bracket)):
        free = [(name, metric) for name, metric in called if owners.get(fold_name(name), metric) == metric]
        spelt.update(free)
        owners.update((fold_name(name), metric) for name, metric in free)
    return Names(spelt)


def _of_one(called: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the names that only one metric has, each with that metric."""
    owners: dict[str, set[str]] = {}
    for name, metric in called:
        owners.setdefault(fold_name(name), set()).add(metric)
    return [(name, metric) for name, metric in called if len(owners[fold_name(name)]) == 1]


def _sorted(expressions: Mapping[str, Expression], metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    """Sort by dependency without recursion; a loop is an error that shows it."""
    done: dict[str, None] = {}
    for start in metrics:
        path: dict[str, Iterator[str]] = {start: iter(_parts(expressions, start))} if start not in done else {}
        while path:
            metric = next(reversed(path))
            part = next(path[metric], None)
            if part is None:
                path.popitem()
                done[metric] = None
            elif part in path:
                loop = [*list(path)[list(path).index(part) :], part]
                raise KpiError(
                    "cycle",
                    "This goes round in a circle: {loop}. Remove one of these links.",
                    loop=" → ".join(loop if len(loop) <= _MOST_NAMED else [*loop[:_MOST_NAMED], "…", part]),
                    metrics=tuple(loop),
                    metric=metric,
                )
            elif part not in done:
                path[part] = iter(_parts(expressions, part))
    return tuple(done)


def _parts(expressions: Mapping[str, Expression], metric: str) -> tuple[str, ...]:
    return expressions[metric].names if metric in expressions else ()


def _known(tree: Tree, metric: str) -> str:
    if metric not in tree.metrics:
        raise KpiError("unknown_metric", "There is no metric called {metric}.", metric=metric)
    return metric


def _given(tree: Tree, values: Values | None) -> dict[str, Array]:
    """Return the inputs' values, the plan's own or the ones given."""
    given: dict[str, Array] = {}
    for metric in tree.inputs:
        if values is None or metric not in values:
            number = tree.metrics[metric].value
            if number is None:
                raise KpiError("no_value", "{metric} has neither a value nor a formula.", metric=metric)
            given[metric] = np.float64(number)  # type: ignore[assignment]  # a scalar is a 0-d array here
    for metric, samples in (values or {}).items():
        number_ = np.asarray(samples, dtype=np.float64)[()]
        given[_known(tree, metric)] = number_
    return given


def _long_samples(given: Mapping[str, Array]) -> int:
    """Return the one length of all arrays if it is worth cutting into blocks, else 0."""
    shapes = {np.shape(samples) for samples in given.values()} - {()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1:
        return 0
    return shape[0] if shape[0] > 2 * _BLOCK else 0


def _many_draws(given: Mapping[str, Array], months: Months) -> int:
    """Return how many draws of months there are if they are worth cutting into blocks, else 0."""
    lengths = {np.shape(samples)[0] for samples in given.values() if np.ndim(samples) == 2} - {1}
    if len(lengths) != 1 or any(np.ndim(samples) > 2 for samples in given.values()):
        return 0
    return length if (length := lengths.pop()) * months.count > 2 * _BLOCK else 0


def _evaluate(
    tree: Tree,
    needed: Iterable[str],
    given: Mapping[str, Array],
    *,
    into: Mapping[str, Array] = MappingProxyType({}),
    highest: Mapping[str, np.uint64] = MappingProxyType({}),
    months: Months | None = None,
) -> tuple[dict[str, Array], bool]:
    """Return the given and the needed values, and whether none of `highest` has bits above those named there.

    Those named in `into` are written to the arrays there. Values are looked at while they are still in the cache.
    """
    known, fine = dict(given), True
    for metric in needed:
        if metric not in known:
            expression, lag, place = tree.expressions[metric], tree.metrics[metric].lag, into.get(metric)
            if months is None or not months.changes(metric, lag):
                known[metric] = readings.value(expression, known, out=place)
            else:
                known[metric] = months.out(metric, lag, readings.value(expression, known), into=place)
        if metric in highest:
            fine = fine and bool(
                np.maximum.reduce(known[metric].view(np.uint64), axis=None, initial=0) <= highest[metric]
            )
    return known, fine


def _evaluate_blocks(
    tree: Tree,
    needed: Sequence[str],
    wanted: Sequence[str],
    given: Mapping[str, Array],
    length: int,
    *,
    months: Months | None = None,
) -> dict[str, Array]:
    """Evaluate long samples piece by piece, each piece straight into its place in the results."""
    draws = 1 if months is None else 2
    long = {metric for metric, samples in given.items() if np.ndim(samples) == draws and len(samples) == length}
    for metric in needed:
        if metric not in given and long.intersection(tree.parts(metric)):
            long.add(metric)
    computed = [metric for metric in wanted if metric in long and metric not in given]
    results = _room(computed, length, months)
    straight = results.keys() if months is None else _by_month(tree, needed, given, months)
    highest = _highest_bits(tree, needed, given)
    known: dict[str, Array] = {}
    step = _BLOCK if months is None else max(1, _MONTHS_BLOCK // months.count)
    for start in range(0, length, step):
        here = slice(start, start + step)
        pieces = {metric: samples[here] if metric in long else samples for metric, samples in given.items()}
        places = {metric: whole[here] for metric, whole in results.items()}
        into = {metric: place for metric, place in places.items() if metric in straight}
        known, fine = _evaluate(tree, needed, pieces, into=into, highest=highest, months=months)
        if not fine:
            _judge(tree, needed, known, given)
        for metric in places.keys() - straight:
            places[metric][...] = known[metric]
    found = {**known, **given, **results}
    return {metric: found[metric] for metric in wanted}


def _by_month(tree: Tree, needed: Iterable[str], given: Mapping[str, Array], months: Months) -> set[str]:
    """Return the metrics whose formulas give a value for each month.

    The others have one for all months, and have always had: written for each month it would have a first one.
    """
    found = {metric for metric, samples in given.items() if np.shape(samples)[-1:] == (months.count,)}
    for metric in needed:
        if metric not in given and found.intersection(tree.parts(metric)):
            found.add(metric)
    return found


def _room(metrics: Sequence[str], length: int, months: Months | None) -> dict[str, Array]:
    """Return one piece of memory for all results: fewer pages. Months lie outermost, so that draws stay together."""
    if months is None:
        return dict(zip(metrics, np.empty((len(metrics), length)), strict=True))
    return {
        metric: room.T for metric, room in zip(metrics, np.empty((len(metrics), months.count, length)), strict=True)
    }


def _highest_bits(tree: Tree, needed: Iterable[str], given: Collection[str]) -> dict[str, np.uint64]:
    """Return, for the metrics that have to be looked at, the highest bits a value has that is surely fine.

    Those are shares, and metrics whose NaN or infinity no other metric would pass on. Read as a whole number
    without sign, a positive float sorts as it does, and negative ones, infinity and NaN come after: one pass
    tells that all is well. If it does not, nothing is proven and `_judge` looks again.
    """
    computed = [metric for metric in needed if metric not in given]
    passed_on = {
        part
        for metric in computed
        if all(step.op in readings.PASSES_ON for step in tree.expressions[metric].steps)
        for part in tree.parts(metric)
    }
    shares = {metric for metric in needed if tree.metrics[metric].is_share}
    return {
        metric: _ONE_BITS if metric in shares else _LARGEST_BITS
        for metric in needed
        if metric in shares or metric not in passed_on
    }


def _judge(tree: Tree, needed: Iterable[str], known: Mapping[str, Array], given: Collection[str]) -> None:
    """Refuse NaN, infinity and rates that are none; the first metric that has such a value is named."""
    for metric in needed:
        found = known[metric]
        if np.ndim(found):
            low, high = float(np.min(found, initial=np.inf)), float(np.max(found, initial=-np.inf))
        else:
            low = high = float(found)
        finite = not np.size(found) or (-np.inf < low and high < np.inf)
        if finite and (not tree.metrics[metric].is_share or (low >= 0 and high <= 1 + 1e-12)):
            continue
        if finite:
            worst = low if low < 0 else high
            raise KpiError(
                "rate_out_of_range",
                "{metric} would be {percent}%; a rate lies between 0% and 100%.",
                metric=metric,
                value=worst,
                percent=f"{100 * worst:.1f}",
            )
        if metric not in given and _divides_by_zero(tree.expressions[metric], known):
            raise KpiError(
                "division_by_zero",
                "{metric} divides by zero. Give what it divides by a value other than 0.",
                metric=metric,
            )
        raise KpiError("not_finite", "{metric} has no finite value. Check its formula and inputs.", metric=metric)


def _divides_by_zero(expression: Expression, known: Mapping[str, Array]) -> bool:
    return any(
        step.op in ("/", "^") and bool(np.any(np.asarray(args[1] if step.op == "/" else args[0]) == 0))
        for step, args, _ in readings.tape(expression, known)
    )
