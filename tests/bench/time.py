"""What may happen and by when: the forecast, the months, others' Monte Carlo, shares of doubt, a look at the year."""
# mypy: disable-error-code=import-untyped
# (monaco, SALib and squigglepy have no types of their own)

from __future__ import annotations

import math
import statistics
import tempfile
import warnings
from collections.abc import Iterator

import monaco
import numpy as np
import squigglepy
from monaco.mc_enums import SimFunctions
from SALib.analyze import sobol as salib_analyze
from SALib.sample import sobol as salib_sample
from scipy import stats

from kpi_core import draws, pacing, ranges
from kpi_core.calendar import Axis
from kpi_core.forecast import DRAWS, forecast
from kpi_core.lags import Months
from kpi_core.readings import Array
from kpi_core.tree import evaluate
from kpi_core.uncertainty import uncertainty_shares
from tests.bench.core import PLAN
from tests.bench.timing import line, medians
from workbench.look import Look

KGI = PLAN.kgi.metric
LEVERS = {lever: PLAN.metrics[lever] for lever in PLAN.tree.levers(KGI)}
ENDS = [(entry.low or 0.0, entry.value or 0.0, entry.high or 1.0) for entry in LEVERS.values()]
MOMENTS = [ranges.moments(entry) for entry in LEVERS.values()]
MEAN = math.prod(mean for mean, _ in MOMENTS)
VARIANCE = math.prod(mean**2 + variance for mean, variance in MOMENTS) - MEAN**2

PLAIN = 1_000_000
MONTHS, DRAWN = 24, 10_000
Q99 = 2.5758


def lines() -> Iterator[str]:
    """Yield the report's lines."""
    yield from _forecast()
    yield _accuracy()
    yield _months()
    yield from _others()
    yield _shares()
    yield from _look()


def _forecast() -> Iterator[str]:
    """The rival draws a million plain ones, multiplies and reads off the same figures: no tree, nothing checked."""
    for what, make in (("drawing included", _cold), ("points kept, as when a slider moves", _answers)):
        ours, rival = medians(make, lambda: _plain_answers(_plainly(0)))
        yield (
            f"forecast, 2^14 draws, {what}: {ours * 1e3:.1f} ms; 10^6 plain NumPy draws:"
            f" {rival * 1e3:.1f} ms; ratio 1/{rival / ours:.0f} (promise: <= 1/50)"
        )


def _answers() -> tuple[object, ...]:
    found = forecast(PLAN)
    return found.quantiles, found.p_goal, found.error


def _cold() -> tuple[object, ...]:
    draws._points.cache_clear()
    return _answers()


def _plainly(seed: int) -> Array:
    random = np.random.default_rng(seed)
    kgi = np.ones(PLAIN)
    for ends in ENDS:
        kgi *= random.triangular(*ends, PLAIN)
    return kgi


def _plain_answers(kgi: Array) -> tuple[object, ...]:
    chance = _chance(kgi)
    return np.quantile(kgi, (0.1, 0.5, 0.9)), chance, Q99 * math.sqrt(chance * (1 - chance) / PLAIN)


def _chance(kgi: Array) -> float:
    return np.count_nonzero(kgi >= PLAN.kgi.target) / len(kgi)


def _accuracy() -> str:
    """The truth is the product of the triangular means, and for the chance 2^22 Sobol points taken straight from SciPy.

    What each prints as its error of P(goal) stands beside how far it was off.
    """
    mean, chance = _very_many()
    ours = [forecast(PLAN, seed=seed) for seed in range(9)]
    rival = [_plainly(seed) for seed in range(9)]
    off = [_median_off([found.mean for found in ours], MEAN), _median_off([float(kgi.mean()) for kgi in rival], MEAN)]
    missed = [
        _median_off([found.p_goal for found in ours], chance),
        _median_off([_chance(kgi) for kgi in rival], chance),
    ]
    says = [statistics.median(found.error for found in ours), Q99 * math.sqrt(chance * (1 - chance) / PLAIN)]
    return (
        f"forecast, error on the mean, median of 9 seeds: 2^14 Sobol points {off[0] / MEAN:.1e};"
        f" 10^6 plain draws {off[1] / MEAN:.1e}; ratio {off[0] / off[1]:.3f} (promise: <= 1.00;"
        f" 2^22 Sobol points lie {abs(mean / MEAN - 1):.0e} from the exact product used);"
        f" P(goal) {100 * chance:.2f} %: ours says ± {100 * says[0]:.2f} pt and is {100 * missed[0]:.2f} off,"
        f" plain says ± {100 * says[1]:.2f} pt and is {100 * missed[1]:.2f} off"
    )


def _median_off(found: list[float], truth: float) -> float:
    return statistics.median(abs(one - truth) for one in found)


def _very_many() -> tuple[float, float]:
    """Return mean and chance from 2^22 Sobol points, through SciPy's own triangular distribution in pieces."""
    engine, sums, reached = stats.qmc.Sobol(len(ENDS), rng=20_240_401), [], 0
    shapes = [stats.triang((base - low) / (high - low), low, high - low) for low, base, high in ENDS]
    for _ in range(2**6):
        uniform = engine.random(2**16)
        kgi = np.prod([shape.ppf(uniform[:, at]) for at, shape in enumerate(shapes)], axis=0)
        sums.append(float(kgi.mean()))
        reached += int(np.count_nonzero(kgi >= PLAN.kgi.target))
    return statistics.fmean(sums), reached / 2**22


def _months() -> str:
    """The rival runs over the months by hand, rows of draws in one piece, lags summed from the months before.

    Both are given the same 24 months of seven levers, in the layout each likes, and keep all 14 metrics. The rival
    looks at nothing; ours refuses what is no number or no rate.
    """
    axis, tree, random = Axis(PLAN, MONTHS - 12), PLAN.tree_by_month, np.random.default_rng(0)
    paces = {
        lever: axis.from_now_on(
            np.asarray(PLAN.tree.now(lever)), entry, ranges.quantile(entry, random.uniform(size=DRAWN))
        )
        for lever, entry in LEVERS.items()
    }
    rows = {lever: pace.T for lever, pace in paces.items()}

    def through_the_tree() -> dict[str, Array]:
        return evaluate(tree, paces, months=Months(MONTHS))

    found, expected = through_the_tree(), _month_by_month(rows)
    assert set(found) == set(expected)
    assert len(found) == 14
    for metric, months in expected.items():
        np.testing.assert_allclose(found[metric].T, months, rtol=1e-9)
    ours, rival = medians(through_the_tree, lambda: _month_by_month(rows), rounds=25)
    return line(
        "24 months x 14 metrics x 10^4 draws", ours, rival, against="NumPy by hand, month by month", promise="<= 1.50"
    )


def _month_by_month(rows: dict[str, Array]) -> dict[str, Array]:
    lags = {metric: entry.lag for metric, entry in PLAN.metrics.items() if entry.lag}
    computed = {metric: np.empty((MONTHS, DRAWN)) for metric in ("leads", "close_rate", *lags)}
    known = rows | computed
    entered = dict[str, list[Array]]((metric, []) for metric in lags)

    def late(metric: str, month: int, amount: Array) -> None:
        entered[metric].append(amount)
        out = np.multiply(amount, lags[metric][0], out=known[metric][month])
        for age, share in enumerate(lags[metric][1 : month + 1], 1):
            if share:
                out += share * entered[metric][month - age]

    for at in range(MONTHS):
        now = {metric: months[at] for metric, months in known.items()}
        np.multiply(now["visitors"], now["cvr"], out=now["leads"])
        np.multiply(now["proposal_rate"], now["proposal_win_rate"], out=now["close_rate"])
        late("appointments", at, now["leads"] * now["appt_rate"])
        late("meetings", at, now["appointments"] * now["meeting_rate"])
        late("proposals", at, now["meetings"] * now["proposal_rate"])
        late("wins", at, now["proposals"] * now["proposal_win_rate"])
        late("revenue", at, now["wins"] * now["unit_price"])
    return known


def _others() -> Iterator[str]:
    """Others' Monte Carlo of the same funnel.

    squigglepy draws plainly, so equal accuracy is as many draws as have our standard error, measured over 64 seeds:
    many for the mean, which Sobol points are good at, few for a chance. monaco takes scrambled Sobol points itself,
    one case after the other: the same number of them is as accurate.
    """
    seeds = [forecast(PLAN, seed=seed) for seed in range(64)]
    chance = statistics.fmean(found.p_goal for found in seeds)
    ours, squiggle = medians(_cold, lambda: _squigglepy(PLAIN), rounds=9)
    needed = {
        "mean": VARIANCE / _squared_error([found.mean for found in seeds], MEAN),
        "P(goal)": chance * (1 - chance) / _squared_error([found.p_goal for found in seeds], chance),
    }
    takes = {of: squiggle * count / PLAIN for of, count in needed.items()}
    yield (
        f"funnel as exactly as 2^14 draws of ours, {ours * 1e3:.1f} ms: squigglepy, 10^6 draws {squiggle * 1e3:.0f} ms,"
        f" scaled to {needed['mean']:.1e} draws for the mean {takes['mean']:.0f} s,"
        f" ratio 1/{takes['mean'] / ours:.0f}; to {needed['P(goal)']:.1e} draws for P(goal)"
        f" {takes['P(goal)'] * 1e3:.1f} ms, ratio 1/{takes['P(goal)'] / ours:.1f} (promise: none, ratio printed)"
    )
    ours, theirs = medians(_cold, _monaco, rounds=3)
    yield (
        f"funnel, 2^14 draws: {ours * 1e3:.1f} ms; monaco, its own 2^14 Sobol points: {theirs * 1e3:.0f} ms;"
        f" ratio 1/{theirs / ours:.0f} (promise: none, ratio printed)"
    )


def _squared_error(found: list[float], truth: float) -> float:
    return statistics.fmean((one - truth) ** 2 for one in found)


def _squigglepy(count: int) -> tuple[object, ...]:
    first, *rest = [squigglepy.triangular(*ends) for ends in ENDS]
    kgi = squigglepy.sample(math.prod(rest, start=first), n=count, verbose=False)
    return np.quantile(kgi, (0.1, 0.5, 0.9)), _chance(kgi)


def _monaco() -> tuple[object, ...]:
    steps = {
        SimFunctions.PREPROCESS: lambda case: tuple(case.invals[lever].val for lever in LEVERS),
        SimFunctions.RUN: lambda *levels: (math.prod(levels),),
        SimFunctions.POSTPROCESS: lambda case, kgi: case.addOutVal(KGI, kgi),
    }
    run = monaco.Sim("funnel", DRAWS, steps, seed=1, verbose=False, debug=True, resultsdir=tempfile.gettempdir())
    for lever, (low, base, high) in zip(LEVERS, ENDS, strict=True):
        shape = {"c": (base - low) / (high - low), "loc": low, "scale": high - low}
        run.addInVar(lever, stats.triang, shape)
    run.runSim()
    kgi = np.array(run.outvars[KGI].nums)
    return np.quantile(kgi, (0.1, 0.5, 0.9)), _chance(kgi)


def _shares() -> str:
    """SALib's sample by Saltelli's scheme, its own triangular scaling, the product by hand, two resamples at least.

    It needs a power of two, so it is given the next one: an eighth more evaluations than ours.
    """
    spread = [variance / mean**2 for mean, variance in MOMENTS]
    growth = math.prod(1 + size for size in spread)
    exact = np.array([[size, size * growth / (1 + size)] for size in spread]) / (growth - 1)

    def ours(seed: int = 0) -> Array:
        draws._points.cache_clear()
        found = uncertainty_shares(PLAN, draws=2**12, seed=seed)
        return np.array([[found.first[lever], found.total[lever]] for lever in LEVERS])

    took, rival = medians(ours, _salib, rounds=7)
    off = [
        statistics.median(float(np.abs(share(seed) - exact).max()) for seed in range(1, 6)) for share in (ours, _salib)
    ]
    return (
        f"shares of doubt, 65,536 evaluations: {took * 1e3:.1f} ms; SALib, 73,728: {rival * 1e3:.1f} ms;"
        f" ratio 1/{rival / took:.0f} (promise: none, ratio printed);"
        f" furthest from the exact product, median of 5 seeds: {off[0]:.5f} and {off[1]:.5f}"
    )


def _salib(seed: int = 1) -> Array:
    problem = {
        "num_vars": len(LEVERS),
        "names": [*LEVERS],
        "bounds": [[low, high, (base - low) / (high - low)] for low, base, high in ENDS],
        "dists": ["triang"] * len(LEVERS),
    }
    with warnings.catch_warnings(action="ignore"):
        levels = salib_sample.sample(problem, 2**13, calc_second_order=False, seed=seed)
        kgi = np.prod(levels, axis=1)
        found = salib_analyze.analyze(problem, kgi, calc_second_order=False, num_resamples=2, seed=seed)
    return np.column_stack([found["S1"], found["ST"]])


def _look() -> Iterator[str]:
    """The rival only evaluates the tree without months, once."""
    lever = pacing.entry_lever(PLAN)

    def look() -> Look:
        return Look.at(PLAN, PLAN, levers=[lever], start=1, confidence=None, ksfs=())

    def page() -> None:
        seen = look()
        _ = seen.by_start(PLAN), seen.evened(PLAN), seen.chance(seen.planned)
        for timeline in (seen.planned, seen.needed):
            _ = timeline.deadlines, timeline.cash, timeline.loads

    for what, ask in (("Look.at", look), ("Look.at and all that the page asks of it", page)):
        ours, rival = medians(ask, lambda: evaluate(PLAN.tree))
        yield line(f"deadlines, {what}", ours, rival, against="the tree without months, once", promise="< 50 ms")
