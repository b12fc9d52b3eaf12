"""Lines around a formula: they hold it everywhere in the box, for every operator, and close on it as the box closes."""

import numpy as np
import pytest

from kpi_core.errors import KpiError
from kpi_core.focus import envelope, lines
from kpi_core.focus.anytree import kgi_between
from kpi_core.focus.effects import Effects
from kpi_core.formula import parse
from kpi_core.plan import Plan
from kpi_core.readings import VALUE, value
from tests.core import focus_cases

NAMES = "abcd"


def _formula(random, depth):
    """A random formula over a to d with every operator there is."""
    if depth == 0 or random.random() < 0.15:
        return str(random.choice([*NAMES, "0.5", "2", "3"]))
    one, other, third = (_formula(random, depth - 1) for _ in range(3))
    relation = str(random.choice(["<", ">", "<=", ">=", "=", "<>"]))
    return str(
        random.choice(
            [
                f"({one} + {other})",
                f"({one} - {other})",
                f"({one} * {other})",
                f"({one} / {other})",
                f"({one} ^ {random.choice(['0.5', '2', '-1', '3', other])})",
                f"(-{one})",
                f"sum({one}, {other}, {third})",
                f"min({one}, {other})",
                f"max({one}, {other}, {third})",
                f"if({one} {relation} {other}, {third}, {one})",
            ]
        )
    )


def _held(formula, now, box):
    with np.errstate(all="ignore"):
        held = envelope.between(parse(formula), lambda name: envelope.lifted(now[name], [NAMES.index(name)]), box)
        _ = held.least, held.most
        return held, held.plain, held.log if held.positive else None


def _box(random, width):
    low = random.uniform(-0.3, 0.3, len(NAMES))
    return lines.Box(low, low + random.uniform(0, width, len(NAMES)))


def _points(random, box):
    ends = np.where(random.random((100, len(NAMES))) < 0.5, box.low, box.high)
    return np.vstack((random.uniform(box.low, box.high, (300, len(NAMES))), ends))


@pytest.mark.parametrize("group", range(20))
def test_the_lines_hold_every_formula_everywhere_in_the_box(group):
    told = 0
    for seed in range(60):
        random = np.random.default_rng(1000 * group + seed)
        formula, box = _formula(random, 3), _box(random, float(random.choice([0.0, 0.05, 0.8])))
        start = dict(zip(NAMES, random.choice([0.0, 0.3, 1.0, 4.0, -2.0], len(NAMES)).tolist(), strict=True))
        z = _points(random, box)
        with np.errstate(all="ignore"):
            true = np.broadcast_to(
                value(parse(formula), {n: start[n] * np.exp(z[:, at]) for at, n in enumerate(NAMES)}), len(z)
            )

        held, plain, logs = _held(formula, {n: lines.known(start[n], box) for n in NAMES}, box)

        fine = np.isfinite(true)
        low, high = (line.at + z @ line.slope[0] for line in plain)
        slack = 1e-9 * (1 + np.abs(true[fine]))
        assert (low[fine] <= true[fine] + slack).all(), formula
        assert (true[fine] <= high[fine] + slack).all(), formula
        assert (held.least <= true[fine] + slack).all(), formula
        assert (true[fine] <= held.most + slack).all(), formula
        if logs is not None and fine.any():
            with np.errstate(all="ignore"):
                log = np.log(true[fine])
            low, high = (line.at + z[fine] @ line.slope[0] for line in logs)
            assert (low <= log + 1e-9).all(), formula
            assert (log <= high + 1e-9).all(), formula
        told += bool(np.isfinite(held.most).all())
    assert told > 20  # most boxes say something


def test_every_operator_has_its_row():
    assert set(envelope.RULES) == set(VALUE)


@pytest.mark.parametrize(
    "formula", ["a * b", "a / b", "a + b * c", "a * b / (c + d)", "min(a, b) + c", "max(a * b, c)", "(a + b) ^ 2 - c"]
)
def test_the_lines_close_on_the_formula_as_the_box_closes(formula):
    """Each halving at least halves what lies between the lines (a quarter where they touch)."""
    between = []
    for half in (0.2, 0.1, 0.05):
        box = lines.Box(np.full(4, -half), np.full(4, half))
        _, (low, high), _ = _held(formula, {n: lines.known(1.0 + at, box) for at, n in enumerate(NAMES)}, box)
        between.append(float(high.over(box.middle)[0] - low.over(box.middle)[0]))

    assert between[1] <= between[0] / 2 + 1e-12
    assert between[2] <= between[1] / 2 + 1e-12


def test_a_product_is_exact_in_logarithms():
    box = lines.Box(np.full(4, -1.0), np.full(4, 1.0))

    held, _, (low, high) = _held("a * b / c ^ 2", {n: lines.known(3.0, box) for n in NAMES}, box)

    assert low.slope == pytest.approx(high.slope)
    assert low.slope[0] == pytest.approx([1, 1, -2, 0])
    assert low.at == pytest.approx(high.at)
    assert held.most == pytest.approx(np.exp(4))


def _opened(plan, random):
    """Return the plan with something open wherever a step takes time, in a stage that is no rate."""
    stock = {}
    for step in plan.tree_by_month.carriers(plan.kgi.metric):
        stage, lag = next(iter(plan.tree_by_month.parts(step)), ""), plan.metrics[step].lag
        if len(lag) > 1 and plan.metrics[stage].kind == "count":
            now = plan.tree.now(stage) / plan.kgi.months
            stock[stage] = [float(random.uniform(0, 2 * now)) for _ in lag[1:]]
    return plan.replace({f"opening.stock.{stage}": ages for stage, ages in stock.items()}) if stock else plan


@pytest.mark.parametrize("objective", ["average", "year", "year, with stocks"])
@pytest.mark.parametrize("group", range(6))
def test_the_lines_hold_the_kgi_of_random_plans_with_caps_lags_and_seasons(group, objective):
    objective, _, with_stocks = objective.partition(", ")
    opened = 0
    for seed in range(12):
        case = focus_cases.case(500_000 + 100 * group + seed, objective=objective)
        random = np.random.default_rng(seed)
        plan = Plan.from_data(case.data)
        effects = Effects(_opened(plan, random) if with_stocks else plan, objective)
        opened += bool(effects.setting.months.openings)
        months = effects.setting.axis.count if objective == "year" else 1
        sides = len(effects.metrics) * months
        low = random.uniform(-0.3, 0.1, sides)
        box = lines.Box(low, low + random.uniform(0, 0.5, sides))
        z = random.uniform(box.low, box.high, (50, sides))
        shape = (len(z), len(effects.metrics), months) if objective == "year" else (len(z), len(effects.metrics))
        try:
            true = effects.kgi_at(np.exp(z).reshape(shape))
        except KpiError:  # a computed rate beyond 100 %
            continue

        with np.errstate(all="ignore"):
            held = kgi_between(effects, box)
            low, high = (line.at + z @ line.slope[0] for line in held.plain)

        assert (low <= true + 1e-9 * (1 + np.abs(true))).all()
        assert (true <= high + 1e-9 * (1 + np.abs(true))).all()
    assert opened > 3 or not with_stocks
