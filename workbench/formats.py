"""Numbers as people write them, in Japanese and English: pure functions, half-up rounding.

Money 8.64億円 / ¥864.0M, rates 15.0%, differences of rates in points (pt), counts with their
unit. Values inside the app are never rounded; only what is shown is. What is no number is "–".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_HALF_UP, Context, Decimal

from kpi_core.errors import KpiError

MINUS = "−"
NOTHING = "–"
OKU, MAN = 100_000_000, 10_000

_WIDE = Context(prec=400, rounding=ROUND_HALF_UP)  # the default 28 digits refuse 1e30
_COUNTED = frozenset({"件", "人", "社", "回", "通", "PV"})

# What a unit is called after a number in English; a metric's own name says what 件 are.
_UNIT_WORDS = {
    "円": ("¥", "¥"),
    "人": ("person", "people"),
    "社": ("account", "accounts"),
    "回": ("time", "times"),
    "通": ("mail", "mails"),
    "日": ("day", "days"),
    "人日": ("person-day", "person-days"),
    "年": ("year", "years"),
    "時間": ("hour", "hours"),
    "か月": ("month", "months"),
    "分": ("minute", "minutes"),
    "点": ("point", "points"),
    "倍": ("×", "×"),
    "比": ("", ""),
    "件": ("", ""),
}
_PER_WORDS = {
    "件": "each",  # calls, meetings, mails: the metric's name says which
    "社": "per account",
    "人": "per person",
    "人日": "per person-day",
    "回": "per event",
    "日": "per day",
    "年": "per year",
    "か月": "per month",
    "時間": "per hour",
}

_FOLD = {0xFF01 + place: 0x21 + place for place in range(94)}  # full-width ASCII, and nothing else
_FOLD |= {ord(mark): ord("-") for mark in "−‐‑–—ー－▲△"} | {ord("￥"): ord("¥"), ord("\\"): ord("¥")}
_FOLD |= {ord("、"): ord(","), ord("。"): ord(".")}
_SHARED = frozenset({"", "%", "比", "倍"})  # where 15% may mean 0.15; 15% of an hour or a yen is a slip
_LONGEST = 60
_LARGEST = 10**15
_SCALES = {"百": 100, "千": 1000, "万": MAN, "億": OKU, "兆": 10**12, "k": 1000, "m": 10**6, "b": 10**9}
_SIGNED = re.compile(r"(?P<sign>[-+]?)¥?(?P<after>[-+]?)(?P<amount>[^-+¥%]+)(?P<share>%?)")
_PART = re.compile(r"((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)([百千]?)([万億兆kmb]?)", re.ASCII)


def money(value: float, language: str = "ja", style: str = "auto") -> str:
    """Return an amount in yen; `style` is "auto" (short) or "exact" (every yen).

    >>> money(864_000_000, "ja"), money(864_000_000, "en"), money(864_000_000, "ja", "exact")
    ('8.64億円', '¥864.0M', '8億6,400万円')
    """
    if not math.isfinite(value):
        return NOTHING
    amount = _size(value)
    if language == "en":
        text = f"¥{_round(amount, 0):,}" if style == "exact" else _money_en(amount)
    else:
        text = _money_exact(amount) if style == "exact" else _money_ja(amount)
    minus = "-" if language == "en" else MINUS
    return text if value >= 0 or text in ("0円", "¥0") else minus + text


def _money_ja(amount: Decimal) -> str:
    if _round(amount / MAN, 0) >= MAN:  # 9,999.5万円 is 1億円
        return f"{_trim(_round(amount / OKU, 2)):,}億円"
    if _round(amount, 0) >= MAN:
        return f"{_round(amount / MAN, 0):,}万円"
    return f"{_round(amount, 0):,}円"


def _money_exact(amount: Decimal) -> str:
    yen = int(_round(amount, 0))
    parts = [(yen // OKU, "億"), (yen % OKU // MAN, "万"), (yen % MAN, "")]
    return ("".join(f"{part:,}{name}" for part, name in parts if part) or "0") + "円"


def _money_en(amount: Decimal) -> str:
    steps = ((10**9, "B", 2, 10**6, 1), (10**6, "M", 1, 10**3, 0), (10**3, "K", 0, 1, 0))
    for size, letter, digits, smaller, smaller_digits in steps:
        if _round(amount / smaller, smaller_digits) >= 1000:  # ¥1.00B, not ¥1,000.0M
            return f"¥{_round(amount / size, digits):,}{letter}"
    return f"¥{_round(amount, 0):,}"


def percent(fraction: float) -> str:
    """Return a rate: one decimal from 10 %, two from 0.1 %, three below.

    >>> percent(0.15), percent(0.012), percent(0.00087), percent(0.09999)
    ('15.0%', '1.20%', '0.087%', '10.0%')
    """
    if not math.isfinite(fraction):
        return NOTHING
    hundredths = _size(fraction) * 100
    fine = _round(hundredths, 3)
    digits = 1 if fine == 0 or _round(hundredths, 2) >= 10 else 2 if fine >= Decimal("0.1") else 3
    number = _round(hundredths, digits)
    return f"{_sign(fraction, number)}{number:,}%"


def points(difference: float) -> str:
    """Return a difference of two rates in points, with its sign.

    At least one decimal, as many more as it takes: two from 0.1pt, three below.

    >>> points(0.01), points(-0.0025), points(0.00005)
    ('+1.0pt', '−0.25pt', '+0.005pt')
    """
    if not math.isfinite(difference):
        return NOTHING
    hundredths = _size(difference) * 100
    exact = _round(hundredths, 1 if hundredths >= 10 else 2 if hundredths >= Decimal("0.1") else 3)
    short = _round(exact, 1)
    number = short if short == exact else _trim(exact)
    return f"{_sign(difference, number, '+')}{number:,}pt"


def count(value: float, unit: str, language: str = "ja", *, expected: bool = False, round_up: bool = False) -> str:
    """Return a count with its unit; `expected` keeps one decimal below 100, `round_up` is for needs.

    >>> count(5555.56, "件", round_up=True), count(10.48, "件", expected=True), count(150, "社", "en")
    ('5,556件', '10.5件', '150 accounts')
    """
    if not math.isfinite(value):
        return NOTHING
    if round_up:
        number = _up(value)
    else:
        tenths = _round(_size(value), 1)
        number = tenths if expected and tenths < 100 else _round(_size(value), 0)
    return _sign(value, number) + _with_unit(f"{number:,}", unit, language)


def value(x: float, unit: str, kind: str, language: str, *, round_up: bool = False) -> str:
    """Return a metric's value as people write it: rate, money or count, by the metric's unit.

    `round_up` is for required values: whole things that are counted are rounded up, the rest is not.

    >>> value(0.75, "%", "rate", "ja"), value(8e6, "円/件", "money", "en"), value(108, "件", "count", "ja")
    ('75.0%', '¥8.0M per deal', '108件')
    >>> value(4.375, "人/社", "rate", "en"), value(10.48, "件", "count", "ja"), value(4800, "件", "count", "en")
    ('4.38 people per account', '10.5件', '4,800')
    """
    if not math.isfinite(x):
        return NOTHING
    if unit == "%":
        return percent(x)
    if _is_money(unit):
        return money(x, language) + _per_yen(unit, language)
    counted = unit in _COUNTED or (kind in ("count", "activity") and "/" not in unit)
    if counted and round_up:
        return count(x, unit, language, round_up=True)
    number = _short(_size(x), 1 if counted else 2)
    return _sign(x, number) + _with_unit(f"{number:,f}", unit, language)


def difference(dx: float, unit: str, kind: str, language: str) -> str:
    """Return a change with its sign: rates in points, money and counts in their own unit.

    >>> difference(0.01, "%", "rate", "ja"), difference(-2e6, "円", "money", "en"), difference(0, "件", "count", "ja")
    ('+1.0pt', '−¥2.0M', '0件')
    """
    if not math.isfinite(dx):
        return NOTHING
    if unit == "%":
        return points(dx)
    shown = value(abs(dx), unit, kind, language)
    if shown == value(0, unit, kind, language):
        return shown
    return (MINUS if dx < 0 else "+") + shown


def chance(p: float, language: str, *, of: int = 10) -> str:
    """Return a probability as a natural frequency, near 0 and 1 in 100; what is computed is never said to be certain.

    >>> chance(0.31, "ja"), chance(0.31, "en"), chance(0.04, "ja"), chance(1.0, "en")
    ('10回に3回', '3 times in 10', '100回に4回', 'more than 99 times in 100')
    """
    if not 0 <= p <= 1:
        return NOTHING
    of = of if 0.1 <= p <= 0.9 else 100
    times = int(_round(_size(p) * of, 0))
    if times == 0:
        return "100回に1回未満" if language == "ja" else "less than once in 100"
    if times == of:
        return "100回に99回以上" if language == "ja" else "more than 99 times in 100"
    english = "once" if times == 1 else f"{times} times"
    return f"{of}回に{times}回" if language == "ja" else f"{english} in {of}"


def unit_label(unit: str, language: str) -> str:
    """Return a unit for the head of a column; "" where the metric's name says it all (件 in English).

    >>> unit_label("円/件", "en"), unit_label("人/社", "en"), unit_label("件", "ja"), unit_label("件", "en")
    ('¥ per deal', 'people per account', '件', '')
    """
    if language == "ja":
        return unit
    if _is_money(unit):
        return "¥" + _per_yen(unit, language)
    return "ratio" if unit == "比" else _english(unit)


def plain_number(number: float) -> str:
    """Return a number to type or to point at: no exponent, no thousands of digits.

    >>> plain_number(0.1 + 0.2), plain_number(400000.0)
    ('0.3', '400000')
    """
    if not math.isfinite(number):
        return NOTHING
    return f"{_trim(Decimal(f'{number + 0.0:.12g}')):f}"


def grouped(number: float) -> str:
    """Return a number to read in a sentence: as `plain_number`, thousands set apart.

    >>> grouped(14_700_000.0), grouped(0.3)
    ('14,700,000', '0.3')
    """
    return f"{Decimal(plain_number(number)):,f}" if math.isfinite(number) else NOTHING


def parse(text: str, unit: str = "") -> float:
    """Return the number a person typed, in either language, with or without its unit.

    Full-width digits, commas, 億 万 千, K M B, ¥, % and − ▲ △ are understood. In a field whose
    unit is %, 15 and 15% are both 0.15; without a unit 15% is 0.15 too, of hours, money or deals it is refused.

    Raises
    ------
    KpiError
        `number_missing`; `not_a_number` and `share_for_amount`, with `typed`.

    >>> parse("１０億"), parse("8億6,400万円"), parse("12.5％", "%"), parse("▲1.2億"), parse("¥8.0M per deal", "円/件")
    (1000000000.0, 864000000.0, 0.125, -120000000.0, 8000000.0)
    """
    if not text.strip():
        raise KpiError("number_missing", "A number is missing here. Write for example 120, 15% or 10億.")
    found = _SIGNED.fullmatch(_bare(text, unit))
    amount = _amount(found["amount"]) if found and not (found["sign"] and found["after"]) else None
    if found is None or amount is None or amount > _LARGEST:
        raise KpiError(
            "not_a_number", "“{typed}” is not a number. Write for example 120, 15% or 10億.", typed=text[:40]
        )
    if found["share"] and unit not in _SHARED:
        raise KpiError(
            "share_for_amount", "“{typed}” is a share. Write an amount here, for example 120 or 10億.", typed=text[:40]
        )
    if found["share"] or unit == "%":
        amount /= 100
    return float(-amount if "-" in (found["sign"], found["after"]) else amount) + 0.0  # no -0.0


def _bare(text: str, unit: str) -> str:
    """Return what was typed without its unit and its spaces; "" if it cannot be a number."""
    if len(text) > _LONGEST or re.search(r"[\d,.、。]\s+[\d,.、。]", text):
        return ""
    folded = "".join(text.split()).translate(_FOLD).lower()
    for ending in _endings(unit):
        if folded.endswith(ending) and folded != ending:
            return folded.removesuffix(ending)
    return folded


def _endings(unit: str) -> Iterator[str]:
    """Yield the ways the unit may be written after a number, longest first."""
    head = unit.partition("/")[0]
    said = {unit, head, "円"} | {_with_unit(number, unit, "en").removeprefix(number) for number in ("1", "2")}
    said |= {_per_yen(unit, "en")} if _is_money(unit) else set()
    said |= {"pt"} if unit == "%" else {"h"} if head == "時間" else set()
    folded = {"".join(ending.split()).translate(_FOLD).lower() for ending in said} - {"", "%"}
    yield from sorted((ending for ending in folded if not ending[0].isdigit()), key=len, reverse=True)


def _amount(text: str) -> Decimal | None:
    """Return what 8億6,400万 comes to; None if it is no amount."""
    total, last, at = Decimal(0), Decimal("Infinity"), 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return None
        scale = Decimal(_SCALES.get(part[2], 1) * _SCALES.get(part[3], 1))
        if scale >= last:
            return None
        total += Decimal(part[1].replace(",", "")) * scale
        last, at = scale, part.end()
    return total if text else None


def _size(number: float) -> Decimal:
    """Return |number| with the digits it prints with, so that 0.285 rounds as 0.285 does on paper."""
    return Decimal(repr(abs(float(number))))


def _round(number: Decimal, digits: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-digits), context=_WIDE)


def _up(number: float) -> Decimal:
    """Return the next whole number; 5556.000000001 is 5556, the rest is noise of the computation."""
    amount = Decimal(repr(float(number)))
    noise = max(Decimal("1e-9"), abs(amount) * Decimal("1e-12"))
    return abs((amount - noise).to_integral_value(ROUND_CEILING, _WIDE))


def _trim(number: Decimal) -> Decimal:
    whole = number == number.to_integral_value()
    return number.quantize(Decimal(1), context=_WIDE) if whole else number.normalize(_WIDE)


def _short(amount: Decimal, digits: int) -> Decimal:
    """Return whole numbers from 100, one decimal from 10, `digits` from 1, two significant digits below."""
    if _round(amount, 1) >= 100:
        return _round(amount, 0)
    if amount >= 1 or amount == 0:
        return _trim(_round(amount, 1 if _round(amount, digits) >= 10 else digits))
    return _trim(_round(amount, min(1 - amount.adjusted(), 9)))


def _sign(number: float, shown: Decimal, plus: str = "") -> str:
    """Return the sign of a number as shown: what is shown as 0 has none."""
    if shown == 0:
        return ""
    return MINUS if number < 0 else plus


def _is_money(unit: str) -> bool:
    return unit == "円" or unit.startswith("円/")


def _per_yen(unit: str, language: str) -> str:
    """Return what follows an amount of money: /件, per deal."""
    per = unit.partition("/")[2]
    if not per:
        return ""
    if language == "ja":
        return f"/{per}"
    return " per deal" if per == "件" else f" {_PER_WORDS.get(per, f'per {per}')}"


def _english(unit: str, number: str = "") -> str:
    """Return the English words of a unit, after a number or alone."""
    head, _slash, per = unit.partition("/")
    one, many = _UNIT_WORDS.get(head, (head, head))
    words = (one if number == "1" else many, _PER_WORDS.get(per, f"per {per}") if per else "")
    return " ".join(word for word in words if word)


def _with_unit(number: str, unit: str, language: str) -> str:
    if language == "ja":
        return number + ("" if unit == "比" else unit)
    words = _english(unit, number)
    return f"{number} {words}".strip() if not words.startswith("×") else number + words
