"""The choice of KSFs: how fast the best set is proven, beside other exact solvers, and what rankings miss of it."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations, count, product

import numpy as np
from streamlit.testing.v1 import AppTest

from kpi_core.errors import KpiError
from kpi_core.focus import Effects, Focus, FocusLimits, choose
from kpi_core.focus.effects import Objective
from kpi_core.plan import Plan
from kpi_core.readings import Array
from kpi_core.tree import elasticities
from tests.bench.core import PLAN
from tests.bench.focus_milp import SOLVERS, Items
from tests.bench.focus_plans import TEAMS_WITH_HOURS, catalogue, plan_of
from tests.bench.timing import line, medians
from workbench.desk import Desk
from workbench.words import speaking

SEEDS = range(5)
PER_TEAM = 3
LARGE = (8, 50)
CANDIDATES = ((4, 5), (8, 25), LARGE)


def lines(large: tuple[int, int] = LARGE, candidates: Sequence[tuple[int, int]] = CANDIDATES) -> Iterator[str]:
    """Yield the report's lines; `large` and each of `candidates` are how many teams, and how many KSFs of each."""
    yield _twelve()
    yield _forty_nine()
    yield _page()
    yield _proven(large, channels=1, tree="single chain", promise="<= 5 s")
    yield _proven(large, channels=3, tree="three channels", promise="<= 30 s")
    yield _this_year(large)
    yield _beside_solvers(large)
    for size in candidates:
        yield _beside_rankings(size)


def _twelve() -> str:
    """The rival looks at every set of at most two per team, one after the other, without giving reasons."""
    ours, rival = medians(lambda: dict(choose(PLAN).left_out), lambda: _one_by_one(PLAN, (0, 1, 2)), rounds=15)
    return line(
        "12 KSFs proven, with every reason", ours, rival, against="only listing the sets in Python", promise="<= 20 ms"
    )


def _forty_nine() -> str:
    """Exactly two of each of three teams and no other limit (domain §3.5): 45 · 91 · 105 = 429,975 sets."""
    plan = catalogue(PLAN).replace({"limits.budget": None})
    ours, rival = medians(lambda: choose(plan, FocusLimits(), exactly=2), lambda: _one_by_one(plan, (2,)), rounds=3)
    reasons, _ = medians(lambda: dict(choose(plan, FocusLimits(), exactly=2).left_out), lambda: None, rounds=3)
    told = line(
        "49 KSFs proven, 2 per team", ours, rival, against="only listing the sets in Python", promise="<= 300 ms"
    )
    return f"{told}; with every reason {reasons * 1e3:.1f} ms"


def _page() -> str:
    """The whole page of the sample plan after a team's hours were changed, run by Streamlit's own test harness."""
    with speaking("en"):
        page, bare = _opened(), AppTest.from_file("bare_app.py", default_timeout=30).run()
        hours = count(500)
        ours, rival = medians(
            lambda: page.text_input("teams.marketing.hours").set_value(str(next(hours))).run(),
            lambda: bare.slider[0].set_value(next(hours) % 100).run(),
            rounds=9,
        )
    return line("focus page after an edit", ours, rival, against="a bare one-slider-one-chart app", promise="<= 1 s")


def _opened() -> AppTest:
    page = AppTest.from_file("../../workbench/shell.py", default_timeout=30)
    desk = Desk.holding(PLAN)
    desk.language = "en"
    page.session_state["visit"] = {"session_desk": desk}
    return page.run().switch_page("../pages/focus.py").run()


def _this_year(size: tuple[int, int]) -> str:
    """The same chain by what arrives in the fiscal year, every KSF with its own ramp."""
    found = [_choice(_plan(size, 1, seed), "year") for seed in SEEDS]
    return f"{_named(size)}, single chain, this fiscal year: {_told(found)} (promise: none)"


def _one_by_one(plan: Plan, sizes: Sequence[int]) -> int:
    free = [ksf for ksf in plan.ksfs if ksf not in plan.limits.rule_out]
    teams = [[ksf for ksf in free if plan.ksfs[ksf].team == team] for team in plan.teams]
    choices = [[set_ for size in sizes for set_ in combinations(team, size)] for team in teams if team]
    cost, budget = {ksf: plan.ksfs[ksf].cost for ksf in free}, plan.limits.budget
    if budget is None:
        return sum(1 for _ in product(*choices))
    return sum(1 for picked in product(*choices) if sum(cost[ksf] for some in picked for ksf in some) <= budget)


def _proven(size: tuple[int, int], *, channels: int, tree: str, promise: str) -> str:
    """No rival: none takes such a plan as it is, with what KSFs do to one another, a tree and caps of rates."""
    found = [_solved(size, channels, seed) for seed in SEEDS]
    return f"{_named(size)}, {tree}: {_told(found)} (promise: {promise})"


def _named(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]} KSFs, {PER_TEAM} per team, {1 + min(size[0], TEAMS_WITH_HOURS)} resources"


@cache
def _plan(size: tuple[int, int], channels: int, seed: int) -> Plan:
    return plan_of(*size, channels=channels, seed=seed, per_team=PER_TEAM)


@cache
def _solved(size: tuple[int, int], channels: int, seed: int) -> tuple[Focus | None, float]:
    return _choice(_plan(size, channels, seed), "average")


def _choice(plan: Plan, objective: Objective) -> tuple[Focus | None, float]:
    """Return our answer and the seconds it took; None if the plan is too large for us."""
    start = time.perf_counter()
    try:
        found = choose(plan, objective=objective)
    except KpiError as error:
        if error.code != "too_many_sets":
            raise
        found = None
    return found, time.perf_counter() - start


def _told(found: Sequence[tuple[Focus | None, float]]) -> str:
    proofs = [focus.proof for focus, _ in found if focus]
    if len(proofs) < len(found):
        return f"too many sets in {len(found) - len(proofs)} of {len(found)} plans"
    times = [seconds for _, seconds in found]
    return (
        f"median {statistics.median(times):.2f} s, worst {max(times):.2f} s over {len(found)} plans,"
        f" gaps {', '.join(f'{proof.gap:.1g}' for proof in proofs)};"
        f" sets evaluated {', '.join(f'{proof.evaluated:,}' for proof in proofs)}"
    )


def _beside_solvers(size: tuple[int, int]) -> str:
    """Plans that are a sum over the KSFs. The rivals are given the sums and give no reasons."""
    ours: list[tuple[Focus | None, float]] = []
    theirs: dict[str, list[float]] = {name: [] for name in SOLVERS}
    apart = 0.0
    for seed in SEEDS:
        plan = plan_of(*size, seed=seed, per_team=PER_TEAM, plain=True)
        items, optima = Items.of(plan, "run_rate"), []
        for name, solve in SOLVERS.items():
            best, seconds = _timed(solve, items)
            theirs[name].append(seconds)
            optima += [_log_gain(plan, best), float(items.values @ best)]
        focus, seconds = _choice(plan, "run_rate")
        ours.append((focus, seconds))
        optima += [math.log(focus.kgi / focus.baseline)] if focus else []
        apart = max(apart, max(optima) - min(optima))
    assert apart <= 1e-9, f"the solvers' optima lie {apart} apart"
    medians_of = {name: statistics.median(times) for name, times in theirs.items()}
    mine = statistics.median(seconds for _, seconds in ours)
    return (
        f"{_named(size)}, chain without links: {_told(ours)}; "
        + "; ".join(
            f"{name}: median {median:.2f} s, worst {max(theirs[name]):.2f} s"
            + (f", ratio {mine / median:.2f}" if all(focus for focus, _ in ours) else "")
            for name, median in medians_of.items()
        )
        + f"; log of the best KGI the same to {apart:.0e} (promise: none, ratio printed)"
    )


def _timed(solve: Callable[[Items], Array], items: Items) -> tuple[Array, float]:
    start = time.perf_counter()
    return solve(items), time.perf_counter() - start


def _log_gain(plan: Plan, chosen: Array) -> float:
    effects = Effects(plan, "run_rate")
    return math.log(effects.kgi(chosen[None])[0] / effects.baseline)


def _beside_rankings(size: tuple[int, int]) -> str:
    """How much of the proven set's gain others' ways to rank come to, all measured through the tree."""
    shares: dict[str, list[float]] = {}
    for seed in SEEDS:
        plan, (focus, _) = _plan(size, 3, seed), _solved(size, 3, seed)
        if focus is None:
            return f"rankings of {size[0] * size[1]} KSFs: the reachable gain is not known (too many sets)"
        for name, share in captured(plan, "average", focus.gain).items():
            shares.setdefault(name, []).append(share)
    return (
        f"share of the reachable gain, {size[0] * size[1]} KSFs ({_named(size)}, three channels): "
        + "; ".join(
            f"{name} {100 * statistics.median(of):.0f} % ({100 * min(of):.0f}–{100 * max(of):.0f})"
            for name, of in shares.items()
        )
        + f", median and range of {len(SEEDS)} plans; proven 100 % (promise: 100 %)"
    )


def captured(plan: Plan, objective: Objective, reachable: float) -> dict[str, float]:
    """Return which share of the reachable gain each way to rank comes to."""
    effects, items = Effects(plan, objective), Items.of(plan, objective)
    sets = np.array([_filled(_rice(plan), items), _filled(_roi(plan, items), items), _greedy(effects, items)])
    gains = effects.kgi(sets) - effects.baseline
    return dict(zip(("RICE", "ROI", "greedy gain"), (gains / reachable).tolist(), strict=True))


def _rice(plan: Plan) -> Array:
    """Reach · impact · confidence / effort: stated lifts by the share of the KGI they reach, how sure, hours."""
    reach = elasticities(plan.tree, plan.kgi.metric)
    impact = [
        sum(reach.get(metric, 0.0) * sum(lift) / 3 for metric, lift in ksf.moves.items()) for ksf in plan.ksfs.values()
    ]
    sure = [ksf.controllability / 5 for ksf in plan.ksfs.values()]
    effort = [sum(ksf.hours.values()) for ksf in plan.ksfs.values()]
    return np.asarray(np.array(impact) * sure / effort)


def _roi(plan: Plan, items: Items) -> Array:
    """Return the gain alone for the largest share it takes of the budget or of a team's hours."""
    limited = len(FocusLimits.of(plan).resources)
    share = (items.needs[:limited] / items.limits[:limited, None]).max(axis=0)
    return np.asarray(np.expm1(items.values) / np.maximum(share, 1e-9))


def _filled(score: Array, items: Items) -> Array:
    """Take one after the other, the highest score first, whatever still fits."""
    chosen, left = np.zeros(len(score)), items.limits.copy()
    for at in np.argsort(-score, kind="stable"):
        if score[at] > 0 and (items.needs[:, at] <= left).all():
            chosen[at] = 1
            left -= items.needs[:, at]
    return chosen


def _greedy(effects: Effects, items: Items) -> Array:
    """Add what adds most to the KGI beside what is in already, again and again."""
    chosen, reached = np.zeros(len(items.values)), effects.baseline
    while True:
        left = items.limits - items.needs @ chosen
        fits = np.flatnonzero((chosen == 0) & (items.needs <= left[:, None]).all(axis=0))
        rows = np.tile(chosen, (len(fits), 1))
        rows[np.arange(len(fits)), fits] = 1
        kgi = effects.kgi(rows) if len(fits) else np.zeros(1)
        if kgi.max() <= reached:
            return chosen
        chosen, reached = rows[kgi.argmax()], float(kgi.max())
