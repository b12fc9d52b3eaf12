"""How a table looks: numbers to the right, days unbroken, and on a phone its columns or a card for each row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from unicodedata import east_asian_width

# A cell that reads as a number: sign, yen, digits, a unit; a dash or nothing for none.
_NUMERIC = re.compile(r"^([-+−×¥]*[\d.,]+[^\d]{0,24}|–|)$")
_DAY = re.compile(r"^(\d{4}-\d\d-\d\d|–|)$")

PHONE = "@media (max-width: 640px)"
_MANY = 9  # columns: with more, a narrow window scrolls rather than breaks every word
_SHORT = 13  # half-width letters: two or three cells of so many stand side by side on a phone

Rows = Sequence[Mapping[str, str]]


def css(rows: Rows, *, key: str, stacks: bool) -> str:
    """Return the style of the table in the container `key`."""
    table = f".st-key-{key} [data-testid=stTable]"
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    found = [
        *_aligned(table, columns),
        f"{PHONE} {{ {' '.join(_cards(table, columns))} }}" if stacks else _room(table, len(columns)),
    ]
    return " ".join(found)


def _aligned(table: str, columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the rules for columns of numbers and of days."""
    numeric = [at for at, cells in enumerate(columns.values(), 1) if _digits(cells) and all(map(_NUMERIC.match, cells))]
    days = [at for at, cells in enumerate(columns.values(), 1) if _digits(cells) and all(map(_DAY.match, cells))]
    found = [f"{table} :is(th, td):nth-child({at}) {{ text-align: right !important; }}" for at in numeric]
    # The paragraph in a cell sets its own: the rule has to reach it.
    return found + [f"{table} td:nth-child({at}) p {{ white-space: nowrap; }}" for at in [*numeric, *days]]


def _digits(cells: Sequence[str]) -> bool:
    return any(letter.isdigit() for letter in "".join(cells))


def _room(table: str, count: int) -> str:
    """Return the rule that lets a phone scroll rather than break every word; with many columns a desktop too."""
    rule = f"{table} table {{ min-width: {(4.6 if count > _MANY else 6.6) * count:.0f}rem; }}"
    return rule if count > _MANY else f"{PHONE} {{ {rule} }}"


def _cards(table: str, columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the rules of cards: the first cell is the title, the others have their column's name above them."""
    named = list(enumerate(columns.items(), 1))[1:]
    short = [at for at, (_name, cells) in named if max(map(_width, cells)) <= _SHORT]
    beside = 2 if len(short) in (2, 4) else 3
    found = [
        f"{table} thead {{ display: none; }}",
        f"{table} :is(table, tbody) {{ display: block; }}",
        f"{table} tr {{ display: grid; grid-template-columns: repeat({beside}, minmax(0, 1fr)); gap: 0.25rem 0.75rem;"
        " padding: 0.6rem 0; border-bottom: 1px solid rgba(128, 128, 128, 0.3); }",
        f"{table} tr:last-child {{ border-bottom: 0; }}",
        f"{table} td:nth-child(n) {{ border: 0; padding: 0; text-align: left !important; white-space: normal; }}",
        f"{table} td {{ display: flex; flex-direction: column; justify-content: flex-end; }}",
        f"{table} td::before {{ display: block; font-size: 0.75rem; opacity: 0.76; }}",
        f"{table} td:first-child {{ grid-column: 1 / -1; font-weight: 600; }}",
    ]
    found += [f"{table} td:nth-child({at})::before {{ content: {quoted(name)}; }}" for at, (name, _cells) in named]
    whole = [at for at, _column in named if at not in short or len(short) == 1]
    return found + [f"{table} td:nth-child({at}) {{ grid-column: 1 / -1; }}" for at in whole]


def _width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "FW" else 1 for letter in text)


def quoted(text: str) -> str:
    """Return text as a CSS string that nothing in it can end: a column may bear a name people gave."""
    return "'" + "".join(letter if letter.isalnum() else f"\\{ord(letter):06x}" for letter in text) + "'"
