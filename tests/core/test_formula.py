"""Formulas: what people type becomes the right expression, or an error that points at the character."""

import math
import random
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kpi_core import readings
from kpi_core.errors import KpiError
from kpi_core.formula import Expression, Names, parse
from kpi_core.tree import Tree, evaluate
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
