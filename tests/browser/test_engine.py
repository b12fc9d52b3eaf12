"""The board calculates as the core does: the JavaScript against `tree` and `goal`, on templates and random trees."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from kpi_core import goal, readings
from kpi_core.document import Metric, Text
from kpi_core.errors import KpiError
from kpi_core.program import compile_tree
from kpi_core.tree import Tree
from workbench import samples

pytestmark = pytest.mark.browser

ENGINE = (Path(__file__).parents[2] / "workbench/tree_board/engine.js").read_text(encoding="utf-8")
PUBLIC = "OPERATIONS, COURSES, newModel, evaluateAll, evaluateFrom, requiredAlone"
HOST = f"""
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'nonce-board'">
<script nonce="board" type="module">{ENGINE}
Object.assign(globalThis, {{ {PUBLIC} }});
try {{ eval("1"); }} catch (error) {{ globalThis.refused = error.name; }}
</script>
"""
RUN = """(cases) => JSON.parse(cases).map(({ program, shares, inputs, changes, asks }) => {
  const model = newModel(program, shares), values = evaluateAll(model, new Map(inputs));
  return {
    values: Array.from(values),
    changed: (changes ?? []).map((change) => Array.from(evaluateFrom(model, values, new Map(change)))),
    needed: (asks ?? []).map(([metric, asked]) => requiredAlone(model, values, metric, asked)),
  };
})"""
OPERATORS = [op for op in readings.VALUE if op not in ("neg", "^", "sum", "min", "max", "if")]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page that refuses to run text as code, as strict hosts do."""
    page = browser.new_page()
    page.set_content(HOST)
    page.wait_for_function("globalThis.newModel !== undefined")
    yield page
    page.close()


def run(page: Page, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(RUN, json.dumps(cases, allow_nan=False))
    return found


def case(tree: Tree, values: Mapping[str, float], **more: Any) -> dict[str, Any]:
    """Return a tree and its inputs as the browser gets them."""
    place = {metric: at for at, metric in enumerate(tree.order)}
    return {
        "program": compile_tree(tree),
        "shares": [tree.metrics[metric].is_share for metric in tree.order],
        "inputs": [[place[metric], x] for metric, x in values.items()],
        **more,
    }


# Values


def formula(random: np.random.Generator, names: list[str], depth: int = 0) -> str:
    """Return a random formula over all operators."""
    if depth == 3 or (depth and random.random() < 0.3):
        return str(random.choice(names)) if random.random() < 0.75 else f"{random.uniform(0, 20):.3g}"

    def part() -> str:
        return formula(random, names, depth + 1)

    kind = random.integers(0, 10)
    if kind == 9:
        return f"({part()}) < ({part()}) <= ({part()})"
    if kind == 0:
        return f"-({part()})"
    if kind == 1:
        return f"if({part()}, {part()}, {part()})"
    if kind <= 3:
        parts = [part() for _ in range(random.integers(1, 5))]
        return f"{random.choice(['sum', 'min', 'max'])}({', '.join(parts)})"
    if kind == 4:
        return f"({part()}) ^ {random.choice(['2', '0.5', '(-1)', '3', *names])}"
    return f"({part()}) {random.choice(OPERATORS)} ({part()})"


def random_tree(random: np.random.Generator) -> tuple[Tree, dict[str, float]]:
    """Return a tree of four inputs and five formulas, and values of every size for the inputs."""
    metrics: dict[str, str | float] = dict.fromkeys(["a", "b", "c", "d"], 1.0)
    for name in ["p", "q", "r", "s", "t"]:
        metrics[name] = formula(random, list(metrics))
    usual, odd = random.uniform(-3, 30, 4), random.choice([0.0, 1.0, -1.0, 0.5, 1e-9, 1e15, -1e8, 3.0], 4)
    values = np.where(random.random(4) < 0.7, usual, odd)
    return Tree.of(**metrics), dict(zip("abcd", values.tolist(), strict=True))


def bare(tree: Tree, values: Mapping[str, float]) -> list[float]:
    """Return every value in the tree's order, whatever it is: `evaluate` without its judgement."""
    known: dict[str, Any] = {metric: np.float64(x) for metric, x in values.items()}
    with np.errstate(all="ignore"):
        for metric in tree.order:
            if metric not in known:
                known[metric] = readings.value(tree.expressions[metric], known)
    return [float(known[metric]) for metric in tree.order]


def test_a_thousand_random_trees_have_the_values_that_numpy_gives_them(page: Page) -> None:
    """To 1e-12; powers may differ in their last digit, which shows where almost all of a number cancels out."""
    random = np.random.default_rng(8)
    trees = [random_tree(random) for _ in range(1_000)]

    found = np.array([each["values"] for each in run(page, [case(*tree) for tree in trees])], dtype=float)

    expected = np.array([bare(*tree) for tree in trees])
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert 0.02 < np.mean(~np.isfinite(expected)) < 0.5, "what has no value is seen as well"
    used = {step.op for tree, _ in trees for expression in tree.expressions.values() for step in expression.steps}
    assert used == {"number", "name", *readings.VALUE}


def test_nan_and_infinity_go_through_every_operator_as_in_numpy(page: Page) -> None:
    odd = [0.0, 1.0, -1.0, 2.0, -3.0, 0.5, math.nan, math.inf, -math.inf]
    pairs = [(a, b) for a in odd for b in odd]
    two = [op for op in readings.VALUE if op not in ("neg", "if")]

    found = page.evaluate(
        "([two, pairs]) => [two.map((op) => pairs.map(([a, b]) => OPERATIONS[op](a, b))),"
        " pairs.map(([a, b]) => OPERATIONS.if(a, b, 7)), pairs.map(([a]) => OPERATIONS.neg(a))]",
        [two, pairs],
    )

    left, right = np.array(pairs).T
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(found[0], [readings.VALUE[op](left, right) for op in two])
        np.testing.assert_array_equal(found[1], readings.VALUE["if"](left, right, np.full_like(left, 7)))
        np.testing.assert_array_equal(found[2], -left)


def test_every_reading_knows_the_same_operators(page: Page) -> None:
    tables = {"value": readings.VALUE, "slope": readings.SLOPE, "text": readings.TEXT, **readings.SENTENCE}
    tables |= {"browser": page.evaluate("Object.keys(OPERATIONS)"), "course": page.evaluate("Object.keys(COURSES)")}

    assert {name: sorted(table) for name, table in tables.items()} == dict.fromkeys(tables, sorted(readings.VALUE))


def test_an_operator_the_board_does_not_know_is_refused_by_name(page: Page) -> None:
    program = {"metrics": ["a", "b"], "steps": [None, [["name", 0], ["constructor", 1]]]}

    said = page.evaluate("(program) => { try { newModel(program); } catch (error) { return error.message; } }", program)

    assert said == "no operator constructor"


def test_no_formula_is_ever_run_as_code(page: Page) -> None:
    """The page of all these tests refuses `eval`, as a strict host would."""
    assert page.evaluate("refused") == "EvalError"
    assert not re.search(r"\beval\b|\bFunction\b|\bimport\b|\bexport\b|setTimeout|innerHTML", ENGINE)


def test_the_steps_of_a_tree_are_plain_data_in_the_order_of_evaluation() -> None:
    program = compile_tree(Tree.of(wins="max(-leads, 3)", leads="visits * 20%", visits=540))

    assert json.loads(json.dumps(program)) == program
    assert program == {
        "metrics": ["visits", "leads", "wins"],
        "steps": [
            None,
            [["name", 0], ["number", 0.2], ["*", 2]],
            [["name", 1], ["neg", 1], ["number", 3.0], ["max", 2]],
        ],
    }


# Changes


def test_after_a_change_only_its_dependents_are_new_and_all_is_as_if_evaluated_anew(page: Page) -> None:
    """Inputs and computed metrics are changed, alone and together; a formula that is set aside stays so."""
    random = np.random.default_rng(9)
    trees = [random_tree(random) for _ in range(200)]
    changes = [
        {str(m): float(random.uniform(-5, 30)) for m in random.choice(tree.order, random.integers(1, 4), replace=False)}
        for tree, _ in trees
    ]

    found = run(
        page,
        [
            case(tree, values, changes=[[[tree.order.index(m), x] for m, x in change.items()]])
            for (tree, values), change in zip(trees, changes, strict=True)
        ],
    )
    anew = run(page, [case(tree, {**values, **change}) for (tree, values), change in zip(trees, changes, strict=True)])

    changed = np.array([each["changed"][0] for each in found], dtype=float)
    np.testing.assert_array_equal(changed, np.array([each["values"] for each in anew], dtype=float))


def test_a_change_leaves_the_values_it_starts_from_alone_and_may_write_to_a_spare_array(page: Page) -> None:
    program = compile_tree(Tree.of(kgi="a * b", a=2, b=3, aside="a + 1"))

    found = page.evaluate(
        """(program) => {
          const model = newModel(program), values = evaluateAll(model, program.steps.map((steps) => (steps ? 0 : 5)));
          const spare = new Float64Array(values.length), before = [...values], first = program.metrics.indexOf("a");
          const changed = evaluateFrom(model, values, new Map([[first, 7]]), spare);
          const named = Object.fromEntries(program.metrics.map((metric, at) => [metric, spare[at]]));
          return [changed === spare, before.join() === values.join(), named];
        }""",
        program,
    )

    assert found == [True, True, {"a": 7, "b": 5, "kgi": 35, "aside": 8}]


# What a metric alone must be


class Question(NamedTuple):
    """A tree, its root and the goal, and which metrics are asked for."""

    tree: Tree
    root: str
    target: float
    metrics: Sequence[str]

    def told(self) -> dict[str, Any]:
        """Return the question as the browser gets it."""
        place = {metric: at for at, metric in enumerate(self.tree.order)}
        asks = [
            [place[metric], {"root": place[self.root], "target": self.target, "low": entry.low, "high": entry.high}]
            for metric in self.metrics
            for entry in [self.tree.metrics[metric]]
        ]
        return case(self.tree, {metric: self.tree.now(metric) for metric in self.tree.inputs}, asks=asks)

    def answers(self) -> list[goal.Required]:
        """Return what the core says."""
        plan: Any = SimpleNamespace(tree=self.tree, kgi=SimpleNamespace(metric=self.root, target=self.target))
        return [goal.required(plan, metric) for metric in self.metrics]


def agree(page: Page, questions: Sequence[Question]) -> list[goal.Required]:
    """Check that browser and core answer alike, and return the answers."""
    found = run(page, [question.told() for question in questions])
    answered = []
    for question, told in zip(questions, found, strict=True):
        formulas = {metric: entry.formula or entry.value for metric, entry in question.tree.metrics.items()}
        for core, board in zip(question.answers(), told["needed"], strict=True):
            said = f"{core} but {board}: {question.target} = {formulas}"
            assert board["limit"] == core.limit, said
            assert board["value"] == (None if core.value is None else pytest.approx(core.value, rel=1e-9, abs=0)), said
            answered.append(core)
    return answered


def moved(tree: Tree, random: np.random.Generator) -> Tree:
    """Return the tree with its inputs anywhere within their ranges."""
    metrics = dict(tree.metrics)
    for metric in tree.inputs:
        low, high = metrics[metric].span
        metrics[metric] = metrics[metric].model_copy(update={"value": float(random.uniform(low, high))})
    return Tree(metrics)


@pytest.mark.parametrize("template", samples.TEMPLATES)
def test_what_each_metric_of_a_template_must_be_is_what_the_core_says(page: Page, template: str) -> None:
    """As it comes and with its inputs elsewhere in their ranges; some metrics of each, for the core takes its time."""
    plan, random = samples.template(template), np.random.default_rng(10)
    root, questions = plan.kgi.metric, [Question(plan.tree, plan.kgi.metric, plan.kgi.target, plan.tree.order)]
    for factor in (0.9, 1.001, 1.2, 30.0):
        tree = moved(plan.tree, random)
        metrics = random.choice(tree.carriers(root), 3, replace=False).tolist()
        questions.append(Question(tree, root, tree.now(root) * factor, metrics))

    answered = agree(page, questions)

    assert {None, "already"} <= {answer.limit for answer in answered}


def entry(random: np.random.Generator, name: str) -> Metric:
    """Return a random input: a share or not, with or without a range, sometimes one it cannot leave."""
    is_share = random.random() < 0.4
    low, value, high = np.sort(random.uniform(0.01, 1, 3) if is_share else random.uniform(0.5, 40, 3) - 2).tolist()
    value = 0.0 if random.random() < 0.05 and low <= 0 else value
    ranges = [{}, {"low": low}, {"high": high}, {"low": low, "high": high}, {"low": value, "high": value}]
    limits: Any = ranges[random.choice(5, p=[0.2, 0.1, 0.1, 0.55, 0.05])]
    kind: Any = {"kind": "rate", "unit": "%"} if is_share else {"kind": "count"}
    return Metric(name=Text(en=name), value=value, **kind, **limits)


def question(random: np.random.Generator, shapes: list[str]) -> Question:
    """Return a random tree that has a value, its root and a goal that lies anywhere from below to far above it."""
    while True:
        metrics = {name: entry(random, name) for name in "abcd"}
        for name in ["p", "q", "r", "kgi", "aside"]:
            text = formula(random, list(metrics)) if random.random() < 0.4 else str(random.choice(shapes))
            names = list(map(str, random.permutation([*metrics, *list(metrics)[-3:]])))
            said = re.sub(r"\b[xyz]\b", lambda found, names=names: names["xyz".index(found[0])], text)
            is_share: Any = {"kind": "rate", "unit": "%"} if random.random() < 0.15 else {"kind": "count"}
            metrics[name] = Metric(name=Text(en=name), formula=said, **is_share)
        tree = Tree(metrics)
        try:
            now = tree.now("kgi")
        except KpiError:
            continue
        away = random.choice([-0.1, 0.003, 0.1, 0.5, 3.0, 40.0], p=[0.05, 0.19, 0.19, 0.19, 0.19, 0.19]) * (
            abs(now) or 1
        )
        return Question(tree, "kgi", float(now + away), random.choice([*tree.carriers("kgi"), "aside"], 4).tolist())


def test_what_metrics_of_random_trees_must_be_is_what_the_core_says(page: Page) -> None:
    """Bent, broken and flat ways: products with themselves, poles, caps, jumps, powers, shares that end at 100 %."""
    random = np.random.default_rng(11)
    shapes = [
        "x * y", "x * y + z", "x + y", "x - y", "x / y", "x / (x + y)", "min(x, y)", "max(x, y) * z", "if(x > y, z, x)",
        "1 - x", "x * x", "sum(x, y, z)", "x / (y - z)", "(x + 2)^2", "x^0.5", "100 * x - 3", "y * 1000000",
        "x * (1 - y)", "if(x < 5, x, 1 / 0)", "min(x, 1)", "max(0, x - y)",
    ]  # fmt: skip

    answered = agree(page, [question(random, shapes) for _ in range(110)])

    assert {answer.limit for answer in answered} == {None, *goal.Limit.__args__}


def test_a_formula_set_aside_is_not_run_when_calculating_back(page: Page) -> None:
    """With wins held at 50, leads no longer matter; the price does."""
    tree = Tree.of(revenue="wins * price", wins="leads * 10%", leads=1_000, price=8)
    place = {metric: at for at, metric in enumerate(tree.order)}
    call = """([program, place]) => {
      const model = newModel(program), held = new Map([[place.wins, 50]]);
      const values = evaluateFrom(model, evaluateAll(model, new Map([[place.leads, 1000], [place.price, 8]])), held);
      return ["wins", "leads", "price"].map((metric) =>
        requiredAlone(model, values, place[metric], { root: place.revenue, target: 1000, held }));
    }"""

    found = page.evaluate(call, [compile_tree(tree), place])

    assert found == [
        {"value": 125, "limit": None},
        {"value": None, "limit": "no_effect"},
        {"value": 20, "limit": None},
    ]


def test_where_there_are_no_numbers_nothing_is_required(page: Page) -> None:
    """Cost per win divides by 0 wins; the core refuses the plan, the board has to show something meanwhile."""
    tree = Tree.of(kgi="leads * rate", cost="100 / kgi", leads=10, rate=0.1)
    place = {metric: at for at, metric in enumerate(tree.order)}
    asks = [[place[metric], {"root": place["kgi"], "target": 5}] for metric in tree.order]

    found = run(page, [case(tree, {"leads": 10, "rate": 0}, asks=asks)])

    assert found[0]["needed"] == [{"value": None, "limit": None}] * 4
