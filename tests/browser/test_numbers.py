"""The board writes numbers exactly as the pages do: the JavaScript against `formats`, string for string."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from workbench import formats

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests/data/format_vectors.json").read_text(encoding="utf-8"))
UNIT_OF = {"deal": "件", "person": "人", "account": "社"}  # the vectors name units by id
UNITS = [
    "%", "円", "円/件", "円/社", "円/人日", "円/", "件", "人", "社", "回", "通", "PV", "日", "時間", "年", "点", "倍",
    "比", "か月", "分", "人/社", "社/人", "件/社", "件/回", "件/人日", "分/件", "倍/年", "", "m²", "a/b/c",
    "constructor", "/",
]  # fmt: skip
KINDS = ["count", "activity", "rate", "money", "monitor", "result"]
BOUNDARIES = [
    0.0, -0.0, 1.0, 0.285, 0.5, 1.5, 2.5, 0.05, 0.095, 0.0995, 0.09994, 0.09995, 0.0009949, 0.000995, 0.1005, 0.1115,
    0.01005, 0.001, 0.00005, 0.0001, 0.1, 9.5, 9.94, 9.95, 9.995, 9.996, 9.9949, 10.48, 99.94, 99.95, 99.96, 99.5,
    100.0, 999.4, 999.5, 999.499, 1000.0, 9999.4, 9999.5, 9999.6, 14_999.0, 15_000.0, 99_994_999.0, 99_995_000.0,
    99_999_999.5, 105_000_000.0, 100_500_000.0, 999_499.0, 999_500.0, 999_949.0, 999_950.0, 999_949_999.0,
    999_950_000.0, 864e6, 1e9, 1e15, 999_999_999_999_999.0, 123_456_789_012_345.6, 1e-5, 1e-7, 1.5e-9, 5e-10, 4.9e-10,
    1e-12, 5e-324, 0.1 + 0.2, 5555.56, 5556.000000001, 1e8 + 1.5e-8, 5556.0000001, 1000.000000001, 999.000000001,
    999.0000000011, 108.0, 4.375,
]  # fmt: skip


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.add_script_tag(content=(ROOT / "workbench/tree_board/numbers.js").read_text(encoding="utf-8"))
    yield page
    page.close()


def said(page: Page, function: str, rows: list[Any]) -> list[Any]:
    """Return what a function of numbers.js makes of each row of arguments."""
    call = f"(rows) => JSON.stringify(JSON.parse(rows).map((row) => {function}(...row)))"
    found: list[Any] = json.loads(page.evaluate(call, json.dumps(rows, allow_nan=False)))
    return found


def values(rows: list[Any]) -> list[str]:
    return [formats.value(x, unit, kind, language, round_up=up) for x, unit, kind, language, up in rows]


def differences(rows: list[Any]) -> list[str]:
    return [formats.difference(*row) for row in rows]


def random_numbers(random: np.random.Generator, count: int) -> list[float]:
    """Return numbers of every size, many with few digits, so that halves to round are frequent."""
    sizes = 10.0 ** random.uniform(-8, 15, count)
    digits = random.integers(1, 18, count)
    signs = random.choice([-1.0, 1.0], count)
    return [
        float(f"{sign * size:.{places}g}") if places < 17 else float(sign * size)
        for sign, size, places in zip(signs, sizes, digits, strict=True)
    ]


def test_the_words_of_units_are_those_of_the_pages(page: Page) -> None:
    assert page.evaluate("UNIT_WORDS") == {unit: list(pair) for unit, pair in formats._UNIT_WORDS.items()}
    assert page.evaluate("PER_WORDS") == formats._PER_WORDS
    assert set(page.evaluate("[...COUNTED_UNITS]")) == formats._COUNTED


def test_numbers_are_written_as_the_specification_says(page: Page) -> None:
    """The vectors of short money, rates and points, and the counts that a card can show."""
    functions = {
        "money_ja": "sayMoney",
        "money_en": "sayMoney",
        "percent": "sayPercent",
        "point_difference": "sayPoints",
    }
    checked = 0
    for vector in VECTORS:
        name, args = vector["format"], vector["args"]
        if name in functions and "exact" not in args:
            args = [*args, name.removeprefix("money_")] if functions[name] == "sayMoney" else args
            found = said(page, functions[name], [args])
        elif name == "count":
            found = said(page, "sayValue", [[args[0], UNIT_OF[args[1]], "count", *(args[2:3] or ["ja"]), *args[4:]]])
        else:
            continue
        checked += 1
        assert found == [vector["text"]]

    assert checked == 30, "33 without three of exact money, which no card shows"


def test_every_boundary_is_written_as_on_the_pages(page: Page) -> None:
    signed = [x * sign for x in BOUNDARIES for sign in (1, -1)]
    near = [*signed, *(float(np.nextafter(x, way)) for x in signed for way in (math.inf, -math.inf))]
    ways = [("count", False), ("activity", True), ("rate", False)]
    rows = [
        [x, unit, kind, language, up]
        for x in near
        for unit in UNITS[:-4]
        for kind, up in ways
        for language in ("ja", "en")
    ]

    assert said(page, "sayValue", rows) == values(rows)
    assert said(page, "sayDifference", [row[:4] for row in rows[::3]]) == differences([row[:4] for row in rows[::3]])


def test_random_numbers_are_written_as_on_the_pages(page: Page) -> None:
    random = np.random.default_rng(20261)
    count = 40_000
    rows = [
        [x, UNITS[unit], KINDS[kind], "ja" if spoken else "en", bool(up)]
        for x, unit, kind, spoken, up in zip(
            random_numbers(random, count),
            random.integers(0, len(UNITS), count),
            random.integers(0, len(KINDS), count),
            random.integers(0, 2, count),
            random.integers(0, 2, count),
            strict=True,
        )
    ]

    assert said(page, "sayValue", rows) == values(rows)
    assert said(page, "sayDifference", [row[:4] for row in rows]) == differences([row[:4] for row in rows])


def test_halves_are_rounded_away_from_zero_at_every_place(page: Page) -> None:
    """Numbers that end in 5 where they are cut: 0.285 is not 0.28499…, though the double is."""
    random = np.random.default_rng(20262)
    digits, places = random.integers(1, 99_999, 4_000), random.integers(-7, 10, 4_000)
    ends = [float(f"{whole}5e{place}") for whole, place in zip(digits, places, strict=True)]
    rows = [[x, unit, "count", "en", False] for x in ends for unit in ("%", "円", "件", "人/社")]

    assert said(page, "sayValue", rows) == values(rows)
    assert said(page, "sayDifference", [row[:4] for row in rows]) == differences([row[:4] for row in rows])


def test_numbers_beyond_any_plan_are_still_written(page: Page) -> None:
    rows = [
        [x, unit, "count", language, False]
        for x in (1e16, 1e21, 1.5e22, -1e30, 1e300, 2.2250738585072014e-308)
        for unit in UNITS
        for language in ("ja", "en")
    ]

    assert said(page, "sayValue", rows) == values(rows)


@pytest.mark.parametrize("unit", ["%", "円", "件", "人/社"])
def test_what_is_no_number_is_a_dash(page: Page, unit: str) -> None:
    call = (
        "(unit) => [NaN, 1 / 0, -1 / 0].flatMap((x) => [sayValue, sayDifference].map((f) => f(x, unit, 'count', 'ja')))"
    )

    shown = page.evaluate(call, unit)

    assert shown == ["–"] * 6


def test_needs_of_ten_and_more_things_go_up_to_the_next_whole_one(page: Page) -> None:
    """Half a deal cannot be won; 125.0000000001 is 125, the rest is noise. Below ten the half tells something."""
    needs = {9.99: 9.99, 10.0: 10, 10.0001: 11, 124.9: 125, 125.0000000001: 125, 5555.56: 5556, 0.3: 0.3, -12.5: -12.5}

    for kind in ("count", "activity"):
        assert said(page, "shownNeed", [[kind, need] for need in needs]) == list(needs.values())
    for kind in ("rate", "money", "result"):
        assert said(page, "shownNeed", [[kind, need] for need in needs]) == list(needs)
