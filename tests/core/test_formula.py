"""Formulas: what people type becomes the right expression, or an error that points at the character."""

import math
import random
import string
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from kpi_core import readings
from kpi_core.document import Metric, Text
from kpi_core.errors import KpiError
from kpi_core.formula import Expression, Names, parse
from kpi_core.tree import Tree, evaluate, slopes
from workbench import samples

NAMES = Names(
    {
        "leads": "leads",
        "リード数": "leads",
        "アポ率": "rate",
        "rate": "rate",
        "売上（円）": "sales",
        "Close / win rate (meeting→win)": "close",
        "Website visitors": "visitors",
    }
)


def value(text: str, **names: float) -> float:
    known = Names({name: name for name in names})
    return float(readings.value(parse(text, known), {name: float(number) for name, number in names.items()}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("8 - 3 - 2", 3),
        ("8 / 4 / 2", 1),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("2 ^ -1", 0.5),
        ("--2", 2),
        ("2 * -3", -6),
        ("１２ ＋ ３ × （４ − １） ÷ ２", 16.5),
        ("１５％", 0.15),
        ("10億 / 800万", 125),
        ("2千", 2000),
        ("1.5e3", 1500),
        (".5", 0.5),
        ("sum(1, 2, 3)", 6),
        ("min(3, 1, 2)", 1),
        ("max(3, 1, 2)", 3),
        ("合計(1、2)", 3),
        ("if(2 > 1, 10, 20)", 10),
        ("もし(2 ≤ 1, 10, 20)", 20),
        ("if(1 = 1, 1, 0) + if(1 <> 1, 1, 0)", 1),
        ("1 - (1 - 0.1) ^ (1 / 12)", 1 - 0.9 ** (1 / 12)),
        ("if(0 < 50 < 10, 1, 2)", 2),
        ("if(0 < 5 < 10, 1, 2)", 1),
        ("もし(１０≧５＞０、1、2)", 1),
        ("3 = 3 = 3", 1),
        ("2 = 2 = 1", 0),
        ("1 < 2 <= 2 = 2 < 3", 1),
        ("3 > 2 > 2", 0),
        ("if(5>1,100,200)", 100),
        ("max(0,100)", 100),
        ("min(100%,200)", 1),
        ("min(1,0000)", 0),
        ("min(1, 100)", 1),
    ],
)
def test_arithmetic_by_hand(text, expected):
    assert value(text) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "leads * rate",
        "リード数 × アポ率",
        "ﾘｰﾄﾞ数×ｱﾎﾟ率",
        "ＬＥＡＤＳ＊rate",
        "`リード数` * `アポ率`",
        "　リード数　×　アポ率　",
    ],
)
def test_names_are_understood_in_every_spelling(text):
    assert parse(text, NAMES).names == ("leads", "rate")


def test_names_with_signs_brackets_and_spaces_are_one_name():
    expression = parse("Website visitors * Close / win rate (meeting→win) - 売上（円）", NAMES)

    assert expression.names == ("visitors", "close", "sales")


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("template", samples.TEMPLATES)
def test_every_name_of_every_template_binds_to_its_metric(template, language):
    tree = samples.template(template).tree

    for metric, entry in tree.metrics.items():
        assert parse(getattr(entry.name, language), tree.names).names == (metric,)
        assert parse(f"2 * {metric} + 1", tree.names).names == (metric,)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("template", samples.TEMPLATES)
def test_a_formula_read_aloud_can_be_typed_back(template, language):
    tree = samples.template(template).tree
    names = {metric: getattr(entry.name, language) for metric, entry in tree.metrics.items()}

    for expression in tree.expressions.values():
        assert parse(readings.sentence(expression, names, language), tree.names) == expression
        assert parse(readings.text(expression), tree.names) == expression


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("", "formula_empty", 0),
        ("leads *", "formula_unfinished", 7),
        ("leads * * rate", "formula_syntax", 8),
        ("(leads", "formula_unfinished", 0),
        ("leads)", "formula_syntax", 5),
        ("leads rate", "formula_syntax", 6),
        ("ﾘｰﾄﾞ数 × ?", "formula_syntax", 8),
        ("リード数 × アポ率率", "formula_unknown_name", 7),
        ("lead * 2", "formula_unknown_name", 0),
        ("2 ^ 99", "formula_exponent", 2),
        ("9^9^9", "formula_exponent", 1),
        ("2 ^ (10 * 10)", "formula_exponent", 2),
        ("1e999", "formula_number", 0),
        ("if(1, 2)", "formula_arguments", 0),
        ("sum()", "formula_syntax", 4),
        ("leads * ٣", "formula_unknown_name", 8),
        ("__import__('os')", "formula_syntax", 11),
        ("leads\0", "formula_syntax", 5),
        ("m²", "formula_unknown_name", 0),
        ("x" * 2_001, "formula_too_long", 2_000),
        ("(" * 100 + "1", "formula_too_deep", 40),
        ("-" * 100 + "1", "formula_too_deep", 40),
        ("0 < leads > 2", "formula_comparisons", 10),
        ("1 <> leads <> 2", "formula_comparisons", 11),
        ("if(1 = leads ≠ 2, 1, 2)", "formula_comparisons", 13),
        ("0 < " * 20 + "1 > 2", "formula_comparisons", 82),
        ("max(1,000, leads)", "formula_grouping", 4),
        ("max(leads, １２，５００)", "formula_grouping", 11),
        ("sum(1,000,000)", "formula_grouping", 4),
        ("min(1,100)", "formula_grouping", 4),
        ("if(leads>1,000,200)", "formula_grouping", 9),
        ("if(leads > 1,500,200,100)", "formula_grouping", 11),
        ("leads * 1,000", "formula_grouping", 8),
        ("leads * (1,500 + 2)", "formula_grouping", 9),
        ("leads, 2", "formula_syntax", 5),
    ],
)
def test_an_error_points_at_the_character(text, code, position):
    with pytest.raises(KpiError) as caught:
        parse(text, NAMES)

    assert (caught.value.code, caught.value.facts["position"]) == (code, position)
    assert str(caught.value)


def test_an_unknown_name_comes_with_the_nearest_ones():
    with pytest.raises(KpiError) as caught:
        parse("リード * 2", NAMES)

    assert "リード数" in caught.value.facts["nearest"]


def test_a_comparison_inside_a_comparison_inside_a_comparison_does_not_grow_without_end():
    """Each middle is compared twice: forty deep that would be 2^40 comparisons."""
    with pytest.raises(KpiError) as caught:
        parse("0<(" * 30 + "1" + ")<9" * 30)

    assert caught.value.code == "formula_too_long"


@pytest.mark.parametrize("text", ["0 < a < 10", "0 < a <= b < c", "(0 < a < 10) * b", "a * (0 < a) * (a < 10)"])
def test_comparisons_in_a_row_are_spelt_in_a_row(text):
    assert readings.text(parse(text)) == text
    assert readings.text(parse("(0 < a) * (a < 10)")) == "0 < a < 10"
    assert readings.sentence(parse("0 < a <= 10"), {"a": "受注数"}, "ja") == "0 < 受注数 ≤ 10"


@pytest.mark.parametrize(("a", "slope"), [(-1, 5), (0, 5), (4, 2), (10, 2), (50, 5)])
def test_a_chain_of_comparisons_takes_the_branch_whose_slope_counts(a, slope):
    assert slopes(Tree.of(kgi="if(0 < a <= 10, 2 * a, 5 * a)", a=a), "kgi")["a"] == slope


def test_a_short_name_that_fits_two_metrics_is_asked_about():
    """Both are called 商談化率 for short: neither is meant without a word."""
    tree = Tree(
        {
            "fair": Metric(name=Text(ja="商談化率（展示会）"), kind="count", value=1),
            "web": Metric(name=Text(ja="商談化率（Web）"), kind="count", value=2, short=("CVR",)),
            "seminar": Metric(name=Text(ja="参加率（セミナー）"), kind="count", value=3, short=("cvr",)),
        }
    )

    assert parse("参加率", tree.names).names == ("seminar",)
    for text in ("商談化率", "ＣＶＲ"):
        with pytest.raises(KpiError) as caught:
            parse(text, tree.names)
        assert caught.value.code == "formula_unknown_name"
    assert "商談化率（展示会）" in parse_error("商談化率", tree.names).facts["nearest"]


def test_a_metric_called_like_a_number_is_meant_in_back_ticks_only():
    names = Names({"3万": "thirty", "leads": "leads"})

    assert parse("leads + 3万", names).names == ("leads",)
    assert parse("leads + `3万`", names).names == ("leads", "thirty")


def parse_error(text: str, names: Names) -> KpiError:
    with pytest.raises(KpiError) as caught:
        parse(text, names)
    return caught.value


class Written:
    """A formula as a person may write it, hardly a bracket, beside the same in Python's spelling."""

    def __init__(self, seed: random.Random) -> None:
        self.seed = seed

    def condition(self, depth: int) -> tuple[str, str]:
        signs = self.seed.choice([[], [], ["<", "<=", "="], [">", ">=", "="], ["<>"]])
        count = self.seed.choice([1, 1, 2, 3]) if signs and signs != ["<>"] else len(signs)
        parts = [self.sum(depth)]
        for sign in self.seed.choices(signs or [""], k=count):
            python = {"=": "==", "<>": "!="}.get(sign, sign)
            right = self.sum(depth)
            parts.append((f"{self.gap()}{sign}{self.gap()}{right[0]}", f" {python} {right[1]}"))
        return "".join(ours for ours, _ in parts), "".join(python for _, python in parts)

    def sum(self, depth: int) -> tuple[str, str]:
        parts = [self.term(depth)]
        for sign in self.seed.choices("+-*/", k=self.seed.choice([0, 0, 1, 1, 2, 3])):
            right = self.term(depth)
            parts.append((f"{self.gap()}{sign}{self.gap()}{right[0]}", f" {sign} {right[1]}"))
        return "".join(ours for ours, _ in parts), "".join(python for _, python in parts)

    def term(self, depth: int) -> tuple[str, str]:
        sign = self.seed.choice(["", "", "", "-", "+", "--", "-+-"])
        base = self.atom(depth)
        if self.seed.random() < 0.25:
            power, small = self.seed.choice(["", "-"]), self.seed.choice(["2", "3", "0.5", "b", "2 ^ 2", "-b ^ 2"])
            return (
                f"{sign}{base[0]}{self.gap()}^{power}{small}",
                f"{sign}{base[1]} ** {power}{small.replace('^', '**')}",
            )
        return f"{sign}{base[0]}", f"{sign}{base[1]}"

    def atom(self, depth: int) -> tuple[str, str]:
        kind = self.seed.randrange(10 if depth < 2 else 6)
        if kind < 3:
            name = self.seed.choice("abc")
            return name, name
        if kind == 3:
            percent = self.seed.randrange(200)
            return f"{percent}%", f"({percent} / 100)"
        if kind < 6:
            number = f"{self.seed.uniform(0, 12):.3g}"
            return number, number
        if kind < 8:
            inside = self.condition(depth + 1)
            return f"({inside[0]})", f"({inside[1]})"
        parts = [self.condition(depth + 1) for _ in range(3)]
        function = self.seed.choice(["if", "min", "max", "sum"])
        inside_python = ", ".join(python for _, python in parts)
        return (
            f"{function}({', '.join(ours for ours, _ in parts)})",
            f"{'total' if function == 'sum' else 'choose' if function == 'if' else function}({inside_python})",
        )

    def gap(self) -> str:
        return self.seed.choice(["", " "])


def pythons(text: str, names: dict[str, float]) -> float | None:
    """Return what Python makes of it, or None where it has no real number; only generated text gets here."""
    functions = {"total": lambda *args: sum(args), "choose": lambda condition, a, b: a if condition else b}
    try:
        number = eval(text, {"min": min, "max": max, **functions, **names})
    except (ZeroDivisionError, OverflowError, TypeError):  # a complex number has no order
        return None
    return None if isinstance(number, complex) or not math.isfinite(number) else float(number)


@pytest.mark.parametrize("count", [1_000, pytest.param(30_000, marks=pytest.mark.long)])
def test_every_reading_of_what_people_write_agrees_with_python(count):
    """Value, canonical text, both languages and the browser's program, of formulas with hardly a bracket."""
    seed, compared = random.Random(20261130), 0
    names = {"a": 3.5, "b": 0.25, "c": 2.0}
    spelt = Names({"訪問者数": "a", "成約 率": "b", "Unit price / deal": "c", **{name: name for name in names}})
    words = {"ja": {"a": "訪問者数", "b": "成約 率", "c": "c"}, "en": {"a": "a", "b": "b", "c": "Unit price / deal"}}
    arrays = {name: np.float64(number) for name, number in names.items()}

    for _ in range(count):
        ours, python = Written(seed).condition(0)
        if len(ours) > 600:  # in full it may be longer than a formula may be
            continue
        expected = pythons(python, names)
        try:
            expression = parse(ours, spelt)
        except KpiError as error:
            assert error.code in ("formula_exponent", "formula_too_long", "formula_too_deep"), ours
            continue
        for language in ("ja", "en"):
            aloud = readings.sentence(expression, words[language], language)
            assert parse(aloud, spelt) == expression, ours
        assert parse(readings.text(expression)) == expression, ours
        if expected is None:
            continue
        with np.errstate(all="ignore"):
            value_ = float(readings.value(expression, arrays))
        if math.isfinite(value_):  # Python stops where a discarded branch has no value, NumPy may not
            compared += 1
            assert value_ == pytest.approx(expected, rel=1e-9, abs=1e-9), ours
            assert ran(readings.program(expression, {"a": 0, "b": 1, "c": 2}), names) == value_, ours

    assert compared > 0.5 * count


def ran(program: list[list[str | float]], names: dict[str, float]) -> float:
    """Run the browser's program with its operators looked up by sign, as the browser does."""
    stack: list[float] = []
    for op, operand in program:
        if op in ("name", "number"):
            stack.append(list(names.values())[int(operand)] if op == "name" else float(operand))
        else:
            arguments = [np.float64(stack.pop()) for _ in range(int(operand))][::-1]
            with np.errstate(all="ignore"):
                stack.append(float(readings.VALUE[str(op)](*arguments)))
    return stack[0]


numbers = some.floats(0.01, 100).map(lambda number: round(number, 3))
expressions = some.recursive(
    numbers.map(str) | some.sampled_from("abc"),
    lambda inner: some.one_of(
        some.tuples(inner, some.sampled_from("+-*/"), inner).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        inner.map(lambda part: f"-({part})"),
        some.tuples(inner, inner).map(lambda parts: f"max({parts[0]}, {parts[1]})"),
    ),
    max_leaves=12,
)


@given(expressions)
def test_the_same_number_as_pythons_own_arithmetic(text):
    """Python's parser and floats are the independent evaluator; only generated text is ever given to it."""
    names = {"a": 3.5, "b": 0.25, "c": 12.0}
    try:
        expected = eval(text, {"max": max, **names})
    except ZeroDivisionError:
        return

    found = value(text, **names)

    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(expressions)
def test_the_canonical_spelling_reads_back_as_the_same_expression(text):
    expression = parse(text)

    assert parse(readings.text(expression)) == expression


def hostile(seed: random.Random) -> str:
    """Text made to break a parser: soups of signs, deep nests, long chains, odd letters."""
    letters = "()+-*/^,<>=!`%.0123456789eE億万千リ数ー・ａ１＋×÷（）" + "\0\u202e\ud800²٣ﷺ🙂 \n" + string.ascii_letters
    kinds = [
        lambda: "".join(seed.choices(letters, k=seed.randrange(60))),
        lambda: "(" * seed.randrange(3_000) + "1",
        lambda: seed.choice("-+") * seed.randrange(2_500) + "1",
        lambda: seed.choice(["1+", "1*", "1^", "a,", "leads ", "`"]) * seed.randrange(1_500) + "1",
        lambda: "9" * seed.randrange(400) + seed.choice(["", "e", "e9", "e999", ".", "%", "億億"]),
        lambda: seed.choice(["sum(", "if(", "min("]) * seed.randrange(60) + "1" + ")" * seed.randrange(60),
        lambda: "leads * rate"[: seed.randrange(13)] + chr(seed.randrange(0x110000)) + "2",
    ]
    return seed.choice(kinds)()


@pytest.mark.parametrize("count", [3_000, pytest.param(30_000, marks=pytest.mark.long)])
def test_thousands_of_hostile_inputs_give_an_expression_or_a_sentence(count):
    seed = random.Random(20261124)
    slowest = (0.0, "")

    for _ in range(count):
        text = hostile(seed)
        start = time.process_time()
        try:
            assert isinstance(parse(text, NAMES), Expression)
        except KpiError as error:
            assert str(error)
        slowest = max(slowest, (time.process_time() - start, text[:80]))

    assert slowest[0] < 1, slowest  # the promise of 50 ms is held in `make bench`; this only sees a hang


@given(some.text(max_size=200))
def test_any_text_at_all_gives_an_expression_or_a_sentence(text):
    try:
        parse(text, NAMES)
    except KpiError as error:
        assert 0 <= error.facts["position"] <= len(text)


@given(expressions)
def test_a_tree_never_holds_a_number_that_is_none(text):
    tree = Tree.of(kgi=text, a=0, b=-1, c=1e15)
    try:
        found = evaluate(tree)["kgi"]
    except KpiError as error:
        assert error.code in ("division_by_zero", "not_finite")
    else:
        assert math.isfinite(found)
