"""What an expression means: one table per reading, one row per operator.

    value      NumPy, any shapes that broadcast
    slope      reverse mode: what each operand's change does to the result
    text       the canonical spelling, `visitors * cvr`
    sentence   the spelling for people, 訪問者数 × CVR, in Japanese or English
    program    the steps as plain data, for an interpreter that is not Python (`tree_board/engine.js`)

A new operator is a new row in each table; a new reading is a new table.
Division by zero and overflow are not judged here (an `if` may discard them): `tree` judges results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from kpi_core.formula import COMPARISONS, FUNCTIONS, Expression, Step, is_chain

Array = npt.NDArray[np.float64]
Language = Literal["ja", "en"]


def _compare(relation: np.ufunc) -> Callable[..., Array]:
    return lambda a, b: np.asarray(relation(a, b), dtype=np.float64)


VALUE: dict[str, Callable[..., Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "neg": np.negative,
    "sum": lambda *args: reduce(np.add, args),
    "min": lambda *args: reduce(np.minimum, args),
    "max": lambda *args: reduce(np.maximum, args),
    "if": lambda condition, then, otherwise: np.asarray(np.where(np.not_equal(condition, 0), then, otherwise)),
    "<": _compare(np.less),
    ">": _compare(np.greater),
    "<=": _compare(np.less_equal),
    ">=": _compare(np.greater_equal),
    "=": _compare(np.equal),
    "<>": _compare(np.not_equal),
}

# A NaN or an infinity among the operands of these is always seen in the result; / min max if may hide it.
PASSES_ON = frozenset({"number", "name", "+", "-", "*", "neg", "sum"})


def _times(slope: Array, factor: Array) -> Array:
    """Multiply, but let a branch that was not taken (slope 0) stay 0 whatever its factor."""
    return np.where(slope == 0, 0.0, slope * factor)


def _first_extreme(slope: Array, args: Sequence[Array], result: Array) -> tuple[Array, ...]:
    """Give the whole slope to the first operand that is the extreme."""
    shares: list[Array] = []
    given = np.zeros_like(result, dtype=np.bool_)
    for arg in args:
        here = (arg == result) & ~given
        shares.append(np.where(here, slope, 0.0))
        given = given | here
    return tuple(shares)


def _power_slopes(slope: Array, base: Array, exponent: Array, result: Array) -> tuple[Array, Array]:
    logs = np.log(np.where(base > 0, base, 1.0))
    return _times(slope, exponent * np.power(base, exponent - 1)), _times(slope, result * logs)


SLOPE: dict[str, Callable[[Array, Sequence[Array], Array], tuple[Array, ...]]] = {
    "+": lambda slope, args, result: (slope, slope),
    "-": lambda slope, args, result: (slope, -slope),
    "*": lambda slope, args, result: (_times(slope, args[1]), _times(slope, args[0])),
    "/": lambda slope, args, result: (_times(slope, 1 / args[1]), _times(-slope, result / args[1])),
    "^": lambda slope, args, result: _power_slopes(slope, args[0], args[1], result),
    "neg": lambda slope, args, result: (-slope,),
    "sum": lambda slope, args, result: (slope,) * len(args),
    "min": _first_extreme,
    "max": _first_extreme,
    "if": lambda slope, args, result: (
        np.zeros_like(slope),
        np.where(args[0] != 0, slope, 0.0),
        np.where(args[0] != 0, 0.0, slope),
    ),
    **dict.fromkeys(
        COMPARISONS,
        lambda slope, args, result: (np.zeros_like(slope), np.zeros_like(slope)),
    ),
}

# How tightly each sign binds when written; a call like min(…) never needs brackets.
_BINDING = {
    **dict.fromkeys(COMPARISONS, 1),
    "+": 2,
    "-": 2,
    "*": 3,
    "/": 3,
    "neg": 4,
    "^": 5,
}
_ATOM = 6

TEXT: dict[str, str] = {
    **{sign: f" {sign} " for sign in _BINDING if sign != "neg"},
    "neg": "-",
    "sum": "sum",
    "min": "min",
    "max": "max",
    "if": "if",
}
_SIGNS = {"*": " × ", "/": " ÷ ", "-": " − ", "neg": "−", "<=": " ≤ ", ">=": " ≥ ", "<>": " ≠ "}
SENTENCE: dict[Language, dict[str, str]] = {
    "ja": {**TEXT, **_SIGNS, "sum": "合計", "min": "最小", "max": "最大", "if": "もし"},
    "en": {**TEXT, **_SIGNS},
}


def value(expression: Expression, values: Mapping[str, Array], *, out: Array | None = None) -> Array:
    """Return the expression's value, in the broadcast shape of what it reads, written to `out` if given.

    May hold NaN or infinity where a division by zero or an overflow happened.
    """
    stack: list[Array] = []
    for step in expression.steps:
        if step.op == "name":
            stack.append(values[step.name])
        elif step.op == "number":
            stack.append(np.float64(step.number))  # type: ignore[arg-type]  # a scalar is a 0-d array here
        elif step.arity == 2:
            right = stack.pop()
            operation = VALUE[step.op]
            if out is not None and step is expression.steps[-1] and isinstance(operation, np.ufunc):
                return np.asarray(operation(stack[0], right, out=out))
            stack[-1] = operation(stack[-1], right)
        else:
            args = stack[-step.arity :]
            del stack[-step.arity :]
            stack.append(VALUE[step.op](*args))
    if out is None:
        return stack[0]
    out[...] = stack[0]
    return out


def slopes(expression: Expression, values: Mapping[str, Array], slope: Array) -> dict[str, Array]:
    """Return slope · ∂expression/∂name for every name it reads (a name read twice: their sum)."""
    taped = tape(expression, values)
    found: dict[str, Array] = {}
    pending = [slope]
    for step, args, result in reversed(taped):
        here = pending.pop()
        if step.op == "name":
            found[step.name] = found[step.name] + here if step.name in found else here
        elif step.arity:
            pending.extend(SLOPE[step.op](here, args, result))
    return found


def tape(expression: Expression, values: Mapping[str, Array]) -> list[tuple[Step, list[Array], Array]]:
    """Run forward and keep every step's operands and result."""
    stack: list[Array] = []
    tape: list[tuple[Step, list[Array], Array]] = []
    for step in expression.steps:
        args = stack[len(stack) - step.arity :]
        del stack[len(stack) - step.arity :]
        if step.op == "name":
            result = values[step.name]
        elif step.op == "number":
            result = np.asarray(step.number)
        else:
            result = VALUE[step.op](*args)
        tape.append((step, args, result))
        stack.append(result)
    return tape


def text(expression: Expression) -> str:
    """Return the canonical spelling: parsing it gives the same expression back.

    >>> from kpi_core.formula import parse
    >>> text(parse("（a＋b）×2"))
    '(a + b) * 2'
    """
    return _spell(expression, TEXT, _identifier)


def sentence(expression: Expression, names: Mapping[str, str], language: Language) -> str:
    """Return the expression in words: names instead of ids, × and ÷ as on paper.

    >>> from kpi_core.formula import parse
    >>> sentence(parse("meetings * close_rate"), {"meetings": "商談数", "close_rate": "契約率"}, "ja")
    '商談数 × 契約率'
    """
    return _spell(expression, SENTENCE[language], lambda name: names.get(name, name))


def program(expression: Expression, index: Mapping[str, int]) -> list[list[str | float]]:
    """Return the expression as plain data, operands before operators: a number, a name's place in `index`, an operator.

    >>> from kpi_core.formula import parse
    >>> program(parse("leads * 50%"), {"leads": 0})
    [['name', 0], ['number', 0.5], ['*', 2]]
    """
    return [
        [step.op, index[step.name] if step.op == "name" else step.arity or step.number] for step in expression.steps
    ]


def _identifier(name: str) -> str:
    plain = name.isidentifier() and name.lower() not in FUNCTIONS
    return name if plain else f"`{name}`"


class _Part(NamedTuple):
    """A part of a formula as written; of comparisons also what stands at either end and the signs between."""

    text: str
    binding: int = _ATOM
    first: str = ""
    last: str = ""
    signs: tuple[str, ...] = ()


def _spell(expression: Expression, signs: Mapping[str, str], naming: Callable[[str], str]) -> str:
    stack: list[_Part] = []
    for step in expression.steps:
        args = stack[len(stack) - step.arity :]
        del stack[len(stack) - step.arity :]
        if step.op == "name":
            stack.append(_Part(naming(step.name)))
        elif step.op == "number":
            stack.append(_Part(spell_number(step.number)))
        elif step.op in _BINDING:
            stack.append(_join(step.op, args, signs[step.op]))
        else:
            stack.append(_Part(f"{signs[step.op]}({', '.join(part.text for part in args)})"))
    return stack[0].text


def _join(op: str, args: Sequence[_Part], sign: str) -> _Part:
    """Write one operator with brackets only where reading back would otherwise differ."""
    binding = _BINDING[op]
    if op == "neg":
        return _Part(sign + _bracket(args[0], binding), binding)
    left, right = args
    if op == "*" and len(right.signs) == 1 and left.last == right.first and is_chain(left.signs + right.signs):
        text = left.text + right.text.removeprefix(right.first)  # (0 < a) * (a < 10) is 0 < a < 10
        return _Part(text, 1, left.first, right.last, left.signs + right.signs)
    lowest_left = binding + 1 if op == "^" or binding == 1 else binding
    lowest_right = binding if op == "^" else binding + 1
    first, last = _bracket(left, lowest_left), _bracket(right, lowest_right)
    return _Part(first + sign + last, binding, *((first, last, (op,)) if binding == 1 else ()))


def _bracket(part: _Part, lowest: int) -> str:
    return part.text if part.binding >= lowest else f"({part.text})"


def spell_number(number: float) -> str:
    """Return the shortest decimal that reads back as the same number, integers without a point.

    >>> spell_number(480.0), spell_number(0.012)
    ('480', '0.012')
    """
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)
