"""Numbers are written as the specification says, and what is typed back is the same number."""

import json
import math
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from kpi_core.errors import KpiError
from workbench import formats

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "format_vectors.json").read_text(encoding="utf-8"))
UNIT_OF = {"deal": "件", "person": "人", "account": "社"}  # the vectors name units by id

UNITS = [
    "%", "円", "円/件", "円/社", "件", "人", "社", "回", "通", "PV", "日", "時間", "年", "点", "倍", "比",
    "人/社", "社/人", "件/社", "件/回", "件/人日", "分/件", "",
]  # fmt: skip
LANGUAGES = ["ja", "en"]
numbers = some.floats(-1e13, 1e13, allow_nan=False, allow_infinity=False)


def written(vector: dict) -> str:
    args = vector["args"]
    match vector["format"]:
        case "money_ja":
            return formats.money(args[0], "ja", *args[1:])
        case "money_en":
            return formats.money(args[0], "en")
        case "percent":
            return formats.percent(*args)
        case "point_difference":
            return formats.points(*args)
        case "count":
            flags = dict(zip(("expected", "round_up"), args[3:], strict=False))
            return formats.count(args[0], UNIT_OF[args[1]], *args[2:3], **flags)
    raise AssertionError(vector["format"])


def test_the_specification_has_33_vectors():
    assert len(VECTORS) == 33


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["text"])
def test_numbers_are_written_as_specified(vector):
    assert written(vector) == vector["text"]


@pytest.mark.parametrize(
    ("amount", "ja", "en"),
    [
        (9_999.4, "9,999円", "¥10K"),
        (999.4, "999円", "¥999"),
        (999.5, "1,000円", "¥1K"),
        (999_499, "100万円", "¥999K"),
        (999_500, "100万円", "¥1.0M"),
        (14_999, "1万円", "¥15K"),
        (15_000, "2万円", "¥15K"),
        (-0.4, "0円", "¥0"),
        (-12_345, "−1万円", "-¥12K"),
        (105_000_000, "1.05億円", "¥105.0M"),
        (100_500_000, "1.01億円", "¥100.5M"),
        (120_000_000, "1.2億円", "¥120.0M"),
        (999_949_999, "10億円", "¥999.9M"),
    ],
)
def test_money_is_promoted_at_the_boundary_and_rounded_half_up(amount, ja, en):
    assert (formats.money(amount, "ja"), formats.money(amount, "en")) == (ja, en)


@pytest.mark.parametrize(
    ("amount", "ja", "en"), [(0, "0円", "¥0"), (-123_456_789, "−1億2,345万6,789円", "-¥123,456,789")]
)
def test_exact_money_keeps_every_yen(amount, ja, en):
    assert (formats.money(amount, "ja", "exact"), formats.money(amount, "en", "exact")) == (ja, en)


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0, "0.0%"), (1, "100.0%"), (12.345, "1,234.5%"), (-0.012, "−1.20%"),
        (0.09994, "9.99%"), (0.09995, "10.0%"), (0.0009949, "0.099%"), (0.000995, "0.10%"), (-1e-9, "0.0%"),
        (0.1005, "10.1%"), (0.1115, "11.2%"), (0.01005, "1.01%"),
    ],
)  # fmt: skip
def test_percent_changes_its_decimals_where_the_rounded_number_does(fraction, text):
    assert formats.percent(fraction) == text


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (0, "0.0pt"),
        (1e-9, "0.0pt"),
        (0.00005, "+0.005pt"),
        (-0.0105, "−1.05pt"),
        (0.123456, "+12.3pt"),
        (0.1, "+10.0pt"),
    ],
)
def test_points_carry_a_sign_unless_nothing_is_shown(difference, text):
    assert formats.points(difference) == text


@pytest.mark.parametrize(
    ("x", "unit", "kind", "ja", "en"),
    [
        (0.75, "%", "rate", "75.0%", "75.0%"),
        (8e6, "円/件", "money", "800万円/件", "¥8.0M per deal"),
        (2.4e6, "円/社", "result", "240万円/社", "¥2.4M per account"),
        (4800, "件", "count", "4,800件", "4,800"),
        (10.48, "件", "count", "10.5件", "10.5"),
        (99.96, "件", "count", "100件", "100"),
        (0.042, "件", "count", "0.042件", "0.042"),
        (1, "人", "count", "1人", "1 person"),
        (450, "人", "count", "450人", "450 people"),
        (150, "社", "count", "150社", "150 accounts"),
        (4.375, "人/社", "rate", "4.38人/社", "4.38 people per account"),
        (0.8, "社/人", "rate", "0.8社/人", "0.8 accounts per person"),
        (0.004, "件/社", "rate", "0.004件/社", "0.004 per account"),
        (40, "件/人日", "activity", "40件/人日", "40 per person-day"),
        (12, "分/件", "activity", "12分/件", "12 minutes each"),
        (20, "件/回", "rate", "20件/回", "20 per event"),
        (3.2, "倍", "monitor", "3.2倍", "3.2×"),
        (0.82, "比", "rate", "0.82", "0.82"),
        (1234567, "PV", "monitor", "1,234,567PV", "1,234,567 PV"),
        (-3, "社", "count", "−3社", "−3 accounts"),
        (7, "", "count", "7", "7"),
    ],
)
def test_a_value_is_written_by_its_unit_in_both_languages(x, unit, kind, ja, en):
    assert (formats.value(x, unit, kind, "ja"), formats.value(x, unit, kind, "en")) == (ja, en)


@pytest.mark.parametrize(
    ("x", "unit", "kind", "text"),
    [
        (5555.56, "件", "count", "5,556件"),
        (0, "件", "count", "0件"),
        (5556.000000001, "件", "count", "5,556件"),
        (1e8 + 1.5e-8, "件", "count", "100,000,000件"),
        (0.2, "人", "count", "1人"),
        (4.375, "人/社", "rate", "4.38人/社"),
        (0.123, "%", "rate", "12.3%"),
    ],
)
def test_needs_are_rounded_up_but_only_whole_things(x, unit, kind, text):
    assert formats.value(x, unit, kind, "ja", round_up=True) == text


@pytest.mark.parametrize(
    ("dx", "unit", "ja", "en"),
    [
        (0.01, "%", "+1.0pt", "+1.0pt"),
        (-136e6, "円", "−1.36億円", "−¥136.0M"),
        (25, "件", "+25件", "+25"),
        (-1.5, "人/社", "−1.5人/社", "−1.5 people per account"),
        (0, "円", "0円", "¥0"),
        (-0.2, "円", "0円", "¥0"),
    ],
)
def test_a_difference_has_a_sign_unless_nothing_is_shown(dx, unit, ja, en):
    assert (formats.difference(dx, unit, "count", "ja"), formats.difference(dx, unit, "count", "en")) == (ja, en)


@pytest.mark.parametrize(
    ("p", "ja", "en"),
    [
        (0.31, "10回に3回", "3 times in 10"),
        (0.1, "10回に1回", "once in 10"),
        (0.9, "10回に9回", "9 times in 10"),
        (0.95, "100回に95回", "95 times in 100"),
        (0.014, "100回に1回", "once in 100"),
        (0.004, "100回に1回未満", "less than once in 100"),
        (0, "100回に1回未満", "less than once in 100"),
        (0.996, "100回に99回以上", "more than 99 times in 100"),
        (1, "100回に99回以上", "more than 99 times in 100"),
        (1.2, "–", "–"),
    ],
)
def test_a_chance_is_a_natural_frequency_and_never_certain(p, ja, en):
    assert (formats.chance(p, "ja"), formats.chance(p, "en")) == (ja, en)


@pytest.mark.parametrize("unit", UNITS)
def test_english_has_no_japanese_unit_left(unit):
    shown = [
        formats.unit_label(unit, "en"),
        formats.value(1234.5, unit, "count", "en"),
        formats.value(1, unit, "x", "en"),
    ]

    assert all(text.isascii() or set(text) <= set("¥×−0123456789.,BMK perdalcountps") for text in shown), shown


@pytest.mark.parametrize("nothing", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_dash(nothing):
    shown = {formats.money(nothing), formats.percent(nothing), formats.points(nothing), formats.chance(nothing, "en")}
    shown |= {formats.value(nothing, unit, "count", "ja") for unit in UNITS}
    shown |= {formats.difference(nothing, unit, "count", "en") for unit in UNITS}
    shown |= {formats.count(nothing, "件", round_up=True), formats.plain_number(nothing)}

    assert shown == {"–"}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("huge", [1e30, -1e300, 5e-324, np.float64(8e6), np.float32(0.5), np.array(3.0), 7])
def test_every_kind_of_number_can_be_written(unit, huge):
    for language in LANGUAGES:
        assert formats.value(huge, unit, "count", language)
        assert formats.difference(huge, unit, "count", language)


@given(some.integers(-(10**7), 10**7))
def test_a_half_is_rounded_away_from_zero(halves):
    """Against Decimal's own half-up; Python's round() would give 0 for 0.5 and 2 for 2.5."""
    x = halves + 0.5
    whole = Decimal(str(x)).quantize(Decimal(1), ROUND_HALF_UP)

    assert formats.count(x, "").replace("−", "-").replace(",", "") == str(whole)
    assert formats.parse(formats.money(x, "ja", "exact")) == whole


@pytest.mark.parametrize(
    ("typed", "unit", "number"),
    [
        ("10億", "", 1e9), ("１０億", "円", 1e9), ("1.2億", "", 1.2e8), ("8億6,400万円", "円", 8.64e8),
        ("800万", "", 8e6), ("800万円/件", "円/件", 8e6), ("3千万", "円", 3e7), ("5百万円", "円", 5e6),
        ("98千", "", 98_000),
        ("12.5%", "%", 0.125), ("１２．５％", "%", 0.125), ("15", "%", 0.15), ("15%", "%", 0.15),
        ("0.087", "%", 0.00087),
        ("+1.0pt", "%", 0.01), ("15%", "", 0.15), ("0.29", "%", 0.0029),
        ("¥864.0M", "円", 8.64e8), ("1.0B", "", 1e9), ("98K", "", 98_000), ("98k", "", 98_000), ("￥1,000", "円", 1000),
        ("-5", "", -5), ("−5", "", -5), ("▲1.2億", "円", -1.2e8), ("△5", "", -5),
        ("－５", "", -5), ("-¥99.3M", "円", -9.93e7),
        ("¥-5", "円", -5), ("+5", "", 5), ("-0", "", 0),
        ("4,800件", "件", 4800), ("150 accounts", "社", 150), ("1 person", "人", 1), ("4.4", "人/社", 4.4),
        ("4.38 people per account", "人/社", 4.38), ("3.2×", "倍", 3.2), ("12 minutes each", "分/件", 12),
        ("¥2.4M per account", "円/社", 2.4e6), ("1234 PV", "PV", 1234),
        ("12 h", "時間", 12), ("12時間", "時間", 12), ("15%", "比", 0.15),
        (" 10 億\n", "", 1e9), ("１０　億", "", 1e9), (".5", "", 0.5), ("1234567", "", 1234567), ("5m2", "m2", 5),
    ],
)  # fmt: skip
def test_a_typed_number_is_understood(typed, unit, number):
    assert formats.parse(typed, unit) == number


@pytest.mark.parametrize(
    "junk",
    [
        "", " ", "　", "nan", "inf", "-inf", "Infinity", "1e400", "1e5", "1_000", "٣", "१२", "1O", "l0", "abc",
        "億", "十億",
        "1,00", "1,0000", "1234,567", "1.2.3", "1..2", "5.", "--5", "-+5", "-¥-5", "¥¥5", "5%%", "%", "件", "-", "¥",
        "1万2億", "1万2万", "1億円5", "1 2", "1, 000", "0x10", "½", "①", "²", "m²",
        "1\u200b0", "1\x000", "5-3", "1/2", "=1+1",
        "9" * 61, "9" * 1_000_000, "9999兆", "1000000000000001", "5億%%",
    ],
)  # fmt: skip
@pytest.mark.parametrize("unit", ["", "%", "件", "円/件"])
def test_junk_is_refused_with_what_was_typed(junk, unit):
    with pytest.raises(KpiError) as refused:
        formats.parse(junk, unit)

    assert refused.value.code == ("not_a_number" if junk.strip() else "number_missing")
    assert refused.value.facts == ({"typed": junk[:40]} if junk.strip() else {})
    assert junk[:40].strip() in str(refused.value)


@pytest.mark.parametrize("unit", ["時間", "円", "円/件", "件", "人日", "か月"])
@pytest.mark.parametrize("typed", ["15%", "１５％", "-3%", "0%"])
def test_a_share_is_no_amount(typed, unit):
    with pytest.raises(KpiError) as refused:
        formats.parse(typed, unit)

    assert refused.value.code == "share_for_amount"
    assert refused.value.facts == {"typed": typed}


@given(some.text(max_size=70), some.sampled_from(UNITS))
def test_whatever_is_typed_gives_a_finite_number_or_a_sentence(typed, unit):
    try:
        number = formats.parse(typed, unit)
    except KpiError:
        return

    assert math.isfinite(number)
    assert abs(number) <= 1e15


@given(numbers, some.sampled_from(UNITS), some.sampled_from(LANGUAGES))
def test_what_is_shown_can_be_typed_back_and_is_shown_the_same(x, unit, language):
    shown = formats.value(x, unit, "count", language)
    typed = formats.parse(shown, unit)

    assert formats.value(typed, unit, "count", language) == shown


@given(some.integers(-(10**13), 10**13), some.sampled_from(LANGUAGES))
def test_exact_money_typed_back_is_the_same_yen(yen, language):
    assert formats.parse(formats.money(yen, language, "exact"), "円") == yen


@given(
    some.integers(-(10**12), 10**12), some.sampled_from(["件", "人", "社", "PV", "人/社"]), some.sampled_from(LANGUAGES)
)
def test_a_whole_count_typed_back_is_the_same_count(number, unit, language):
    assert formats.parse(formats.value(number, unit, "count", language), unit) == number


@given(some.integers(100, 10**6))
def test_a_rate_in_tenths_of_a_percent_typed_back_is_the_same_rate(tenths):
    assert formats.parse(formats.percent(tenths / 1000), "%") == tenths / 1000


@given(some.floats(1e3, 1e13), some.sampled_from(LANGUAGES))
def test_short_money_is_off_by_at_most_half_its_last_digit(amount, language):
    step = {"ja": (1, 1e4, 1e6), "en": (1e3, 1e5, 1e7)}[language]
    limits = {"ja": (1e4, 1e8), "en": (1e6, 1e9)}[language]
    assume(all(abs(amount / limit - 1) > 1e-2 for limit in limits))

    typed = formats.parse(formats.money(amount, language), "円")

    assert abs(typed - amount) <= step[sum(amount >= limit for limit in limits)] / 2 * (1 + 1e-9)


@given(numbers)
def test_a_plain_number_is_typed_without_exponent_and_means_the_same(number):
    plain = formats.plain_number(number)

    assert "e" not in plain.lower()
    assert float(plain) == pytest.approx(number, rel=1e-11)
