"""Numbers as people write them, in Japanese and English: pure functions, half-up rounding.

Money 8.64億円 / ¥864.0M, rates 15.0%, differences of rates in points (pt), counts with their
unit. Values inside the app are never rounded; only what is shown is.
"""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from kpi_core.errors import KpiError

MINUS = "−"
NOTHING = "–"
OKU, MAN = 100_000_000, 10_000

# What a unit is called after a number in English; a metric's own name says what 件 are.
_UNIT_WORDS = {
    "人": ("person", "people"),
    "社": ("account", "accounts"),
    "回": ("time", "times"),
    "通": ("mail", "mails"),
    "日": ("day", "days"),
    "年": ("year", "years"),
    "時間": ("hour", "hours"),
    "か月": ("month", "months"),
    "分": ("minute", "minutes"),
    "点": ("point", "points"),
    "PV": ("PV", "PV"),
    "倍": ("×", "×"),
    "比": ("", ""),
    "件": ("", ""),
}
_PER_WORDS = {
    "件": "deal",
    "社": "account",
    "人": "person",
    "人日": "person-day",
    "回": "event",
    "日": "day",
}
_IDS = {"deal": "件", "person": "人", "account": "社", "session": "回"}
_SCALES = {"億": 1e8, "万": 1e4, "千": 1e3, "B": 1e9, "M": 1e6, "K": 1e3}
_PLAIN = re.compile(r"(\d+(?:,\d{3})*|\d+)?(\.\d+)?", re.ASCII)


def money(value: float, language: str = "ja", style: str = "auto") -> str:
    """Return an amount in yen.

    >>> money(864_000_000, "ja"), money(864_000_000, "en"), money(864_000_000, "ja", "exact")
    ('8.64億円', '¥864.0M', '8億6,400万円')
    """
    if not math.isfinite(value):
        return NOTHING
    sign = "" if value >= 0 else MINUS if language == "ja" else "-"
    amount = Decimal(repr(abs(value)))
    if language == "en":
        return sign + _money_en(amount)
    text = _money_exact(amount) if style == "exact" else _money_ja(amount)
    return text if text == "0円" else sign + text


def _money_ja(amount: Decimal) -> str:
    if amount >= OKU or _round(amount / MAN, 0) * MAN >= OKU:
        return f"{_trim(_round(amount / OKU, 2)):,}億円"
    if amount >= MAN or _round(amount, 0) >= MAN:
        return f"{_round(amount / MAN, 0):,}万円"
    return f"{_round(amount, 0):,}円"


def _money_exact(amount: Decimal) -> str:
    yen = int(_round(amount, 0))
    parts = [(yen // OKU, "億"), (yen % OKU // MAN, "万"), (yen % MAN, "")]
    return ("".join(f"{count:,}{name}" for count, name in parts if count) or "0") + "円"


def _money_en(amount: Decimal) -> str:
    steps = ((10**9, "B", 2, 10**6, 1), (10**6, "M", 1, 10**3, 0), (10**3, "K", 0, 1, 0))
    for size, letter, digits, smaller, smaller_digits in steps:
        if _round(amount / smaller, smaller_digits) >= 1000:  # ¥1.00B, not ¥1,000.0M
            return f"¥{_round(amount / size, digits):,}{letter}"
    return f"¥{_round(amount, 0):,}"


def percent(fraction: float) -> str:
    """Return a rate: one decimal from 10 %, two from 0.1 %, three below.

    >>> percent(0.15), percent(0.012), percent(0.00087)
    ('15.0%', '1.20%', '0.087%')
    """
    return NOTHING if not math.isfinite(fraction) else _signed(fraction, "") + _percent_digits(fraction) + "%"


def points(difference: float) -> str:
    """Return a difference of two rates in points, with its sign.

    >>> points(0.01), points(-0.0025)
    ('+1.0pt', '−0.25pt')
    """
    if not math.isfinite(difference):
        return NOTHING
    hundredth = Decimal(repr(abs(difference))) * 100
    digits = 1 if _round(hundredth, 2) == _round(hundredth, 1) or hundredth >= 10 else 2
    return f"{_signed(difference, '+')}{_round(hundredth, digits)}pt"


def count(value: float, unit: str, language: str = "ja", expected: bool = False, round_up: bool = False) -> str:
    """Return a count with its unit; `expected` keeps one decimal below 100, `round_up` is for needs.

    >>> count(5555.56, "件", round_up=True), count(10.48, "件", expected=True), count(150, "社", "en")
    ('5,556件', '10.5件', '150 accounts')
    """
    if not math.isfinite(value):
        return NOTHING
    amount = Decimal(repr(abs(value)))
    if round_up:
        number = f"{(amount - Decimal('1e-9')).to_integral_value(rounding=ROUND_CEILING):,}"
    else:
        number = f"{_round(amount, 1 if expected and amount < 100 else 0):,}"
    return _signed(value, "") + _with_unit(number, _IDS.get(unit, unit), language)


def value(x: float, unit: str, kind: str, language: str, *, round_up: bool = False) -> str:
    """Return a metric's value as people write it: rate, money or count, by the metric's unit.

    >>> value(0.75, "%", "rate", "ja"), value(8e6, "円/件", "money", "en"), value(108, "件", "count", "ja")
    ('75.0%', '¥8.0M per deal', '108件')
    """
    if not math.isfinite(x):
        return NOTHING
    if unit == "%":
        return percent(x)
    if unit == "円" or unit.startswith("円/"):
        return money(x, language) + _per(unit, language)
    small = abs(x) < 100 and not float(x).is_integer() and not round_up
    if small:
        return _signed(x, "") + _with_unit(_significant(abs(x)), unit, language)
    return count(x, unit, language, round_up=round_up and kind in ("count", "activity"))


def difference(dx: float, unit: str, kind: str, language: str) -> str:
    """Return a change with its sign: rates in points, money and counts in their own unit.

    >>> difference(0.01, "%", "rate", "ja"), difference(-2e6, "円", "money", "en")
    ('+1.0pt', '−¥2.0M')
    """
    if not math.isfinite(dx):
        return NOTHING
    if unit == "%":
        return points(dx)
    return _signed(dx, "+") + value(abs(dx), unit, kind, language)


def chance(p: float, language: str) -> str:
    """Return a probability as a natural frequency.

    >>> chance(0.31, "ja"), chance(0.31, "en")
    ('10回に3回', '3 times in 10')
    """
    of = 10 if 0.05 <= p <= 0.95 else 100
    times = int(_round(Decimal(repr(p)) * of, 0))
    return f"{of}回に{times}回" if language == "ja" else f"{times} times in {of}"


def unit_label(unit: str, language: str) -> str:
    """Return a unit for the head of a column.

    >>> unit_label("円/件", "en"), unit_label("件", "ja")
    ('¥ per deal', '件')
    """
    if language == "ja":
        return unit
    if unit.startswith("円"):
        return "¥" + _per(unit, language)
    return _UNIT_WORDS.get(unit, (unit, unit))[1]


def parse(text: str, unit: str = "") -> float:
    """Return the number a person typed: full-width digits, commas, 億 万 千, %, ¥, ▲ are understood.

    In a field whose unit is %, 15 and 15% are both 0.15.

    Raises
    ------
    KpiError
        `not_a_number`, with `typed`.

    >>> parse("１０億"), parse("8億6,400万円"), parse("12.5％", "%"), parse("▲1.2億")
    (1000000000.0, 864000000.0, 0.125, -120000000.0)
    """
    typed = unicodedata.normalize("NFKC", text) if text.isprintable() else ""
    rest = typed.replace(" ", "").removesuffix(unicodedata.normalize("NFKC", unit))
    rest = re.sub(r"円(/.*)?$", "", rest).removesuffix("pt")
    sign = -1.0 if rest[:1] in ("-", "−", "▲", "△") else 1.0
    rest = rest.lstrip("+") if sign > 0 else rest[1:]
    rest = rest.lstrip("¥\\￥")
    share = rest.endswith("%") or unit == "%"
    number = _amount(rest.removesuffix("%"))
    if number is None or number > 1e15:
        raise KpiError(
            "not_a_number", "“{typed}” is not a number. Write for example 120, 15% or 10億.", typed=text[:40]
        )
    return sign * (number / 100 if share else number)


def _amount(text: str) -> float | None:
    """Return what 8億6,400万 comes to; None if it is no amount."""
    total, last = 0.0, math.inf
    while text:
        found = _PLAIN.match(text)
        digits = found.group() if found else ""
        if not digits:
            return None
        text = text[len(digits) :]
        scale = _SCALES.get(text[:1], 1.0)
        if scale >= last:
            return None
        text = text[1:] if text[:1] in _SCALES else text
        total += float(digits.replace(",", "")) * scale
        last = scale
        if scale == 1.0 and text:
            return None
    return total if last < math.inf else None


def _round(number: Decimal, digits: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _trim(number: Decimal) -> Decimal:
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def _significant(amount: float) -> str:
    """Return a small number that is not whole: one decimal from 10, two below."""
    rounded = _round(Decimal(repr(amount)), 1 if amount >= 10 else 2)
    return f"{_trim(rounded)}"


def _percent_digits(fraction: float) -> str:
    hundredth = Decimal(repr(abs(fraction))) * 100
    digits = 1 if hundredth >= 10 else 2 if hundredth >= Decimal("0.1") or hundredth == 0 else 3
    return f"{_round(hundredth, digits):,}"


def _signed(number: float, plus: str) -> str:
    return MINUS if number < 0 else plus


def _per(unit: str, language: str) -> str:
    _yen, slash, per = unit.partition("/")
    if not slash:
        return ""
    return f"/{per}" if language == "ja" else f" per {_PER_WORDS.get(per, per)}"


def _with_unit(number: str, unit: str, language: str) -> str:
    if language == "ja":
        return number + ("" if unit == "比" else unit)
    head, slash, per = unit.partition("/")
    one, many = _UNIT_WORDS.get(head, (head, head))
    word = one if number == "1" else many
    per_words = f" per {_PER_WORDS.get(per, per)}" if slash else ""
    return f"{number} {word}".strip() + per_words if word != "×" else f"{number}×"


def plain_number(number: float) -> str:
    """Return a number to type or to point at: no exponent, no thousands of digits.

    >>> plain_number(0.1 + 0.2), plain_number(400000.0)
    ('0.3', '400000')
    """
    return f"{_trim(Decimal(f'{number:.12g}')):f}"
