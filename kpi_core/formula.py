"""Formulas: the text a person types, parsed once into a frozen expression.

    リード数 × アポ率      leads * appt_rate      sum(web, events) / max(1, accounts)

An expression is its operations in order, operands first (`leads appt_rate *`), so that
every reading of it (`readings`) is one loop over one table, however long the formula is.
Nothing is ever evaluated as code: the grammar below is all there is.

    comparison  < > <= >= = <>          0 < a < 10 is (0 < a) * (a < 10), as in mathematics
    sum         + -                     left to right
    product     * /                     left to right
    sign        -                       -2^2 is -4, as in mathematics
    power       ^                       right to left: 2^3^2 is 2^9
    atom        number [% 千 万 億] | name | `any name` | function(…) | ( … )
"""

from __future__ import annotations

import difflib
import math
import operator
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from kpi_core.errors import KpiError

MAX_LENGTH = 2_000
MAX_DEPTH = 40
MAX_ARGUMENTS = 64
MAX_EXPONENT = 20
MOST_COMPARED = 5_000  # names looked through for one that was meant
MOST_REMEMBERED = 400_000  # characters of formulas whose expressions are remembered beside the names they use

FUNCTIONS = {
    "sum": "sum",
    "min": "min",
    "max": "max",
    "if": "if",
    "合計": "sum",
    "最小": "min",
    "最大": "max",
    "もし": "if",
}

# A formula is folded character by character, so that an error can point at what was typed:
# normalising the whole text would turn m² into m2.
_FOLD = {
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    "\u3000": " ",
    "\u00a0": " ",
    "×": "*",
    "✕": "*",
    "・": "・",
    "÷": "/",
    "−": "-",
    "–": "-",
    "—": "-",
    "＾": "^",
    "、": ",",
    "≤": "<=",
    "≦": "<=",
    "≥": ">=",
    "≧": ">=",
    "≠": "<>",
}
_SCALES: dict[str, Callable[[float], float]] = {
    "%": lambda number: number / 100,
    "千": lambda number: number * 1e3,
    "万": lambda number: number * 1e4,
    "億": lambda number: number * 1e8,
}
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_SIGN = re.compile(r"<=|>=|<>|!=|==|[-+*/^(),<>=]")
_ARITHMETIC_SIGN = re.compile(r"[-+*/^]")
_SAME = {"==": "=", "!=": "<>"}
COMPARISONS = ("<", ">", "<=", ">=", "=", "<>")
_RISING, _FALLING = frozenset({"<", "<=", "="}), frozenset({">", ">=", "="})
# 1,000 stands where a comma parts two values, or where none can stand.
_GROUPS = re.compile(r"[1-9]\d{0,2}(,\d{3})+(?!\d)", re.ASCII)
_PRECEDENCE = {
    "+": 2,
    "-": 2,
    "*": 3,
    "/": 3,
    "neg": 4,
    "^": 5,
}
_ARITHMETIC: dict[str, Callable[..., float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": math.pow,
    "neg": operator.neg,
}


class Step(NamedTuple):
    """One operation: a number, a name, or an operator that takes the last `arity` results."""

    op: str
    arity: int = 0
    number: float = 0.0
    name: str = ""


@dataclass(frozen=True)
class Expression:
    """A parsed formula, operands before operators."""

    steps: tuple[Step, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the metrics the formula reads, each once, in the order they appear."""
        return tuple(dict.fromkeys(step.name for step in self.steps if step.op == "name"))

    @property
    def operator(self) -> str:
        """Return the operator that joins the outermost parts (`*` for `a * b`), or "" for one name."""
        last = self.steps[-1]
        return last.op if last.arity else ""


class Names:
    """What every metric may be called, prepared once for many formulas.

    >>> Names({"リード数": "leads", "leads": "leads"}).id("ﾘｰﾄﾞ数")
    'leads'
    """

    def __init__(self, spelt: Mapping[str, str]) -> None:
        self.spelt = [name for name in spelt if name.strip()]
        self._plain_ids = {name for name, id_ in spelt.items() if name == id_}
        self._ids = {fold_name(name): spelt[name] for name in self.spelt}
        groups: dict[str, set[str]] = {}
        for name in self.spelt:
            folded = _fold(name)[0].lower()
            if _NUMBER.fullmatch(folded.rstrip("%千万億")) or not any(letter.isalpha() for letter in folded):
                continue  # a metric called 2, 3万 or + can be meant in back-ticks only
            groups.setdefault(folded[0], set()).add(folded)
        # By length: a look-up for each length there is, however many names begin with the same letter.
        self._longest_first = {
            first: [(length, group) for length in sorted({len(name) for name in group}, reverse=True)]
            for first, group in groups.items()
        }
        self._parsed: dict[str, Expression] = {}
        self._room = MOST_REMEMBERED

    def parsed(self, text: str) -> Expression | None:
        """Return the expression of a formula that was parsed with these names before."""
        return self._parsed.get(text)

    def remember(self, text: str, expression: Expression) -> None:
        """Keep the expression of a formula, while there is room: a plan's formulas are read at each of its changes."""
        if len(text) <= self._room:
            self._room -= len(text)
            self._parsed[text] = expression

    def id(self, name: str) -> str | None:
        """Return the id of the metric called `name`."""
        return self._ids.get(fold_name(name))

    def end(self, folded: str, lower: str, at: int) -> int:
        """Return where the longest known name that starts at `at` ends, or 0."""
        is_id = folded[at : _word_end(folded, at)] in self._plain_ids
        for length, names in self._longest_first.get(lower[at], ()):
            name = lower[at : at + length]
            end = at + len(name)
            if name not in names or (_is_word(name[-1]) and _word_end(lower, end) > end):
                continue
            if is_id and _ARITHMETIC_SIGN.search(name):
                continue  # ltv/cac is a division even where a metric is called LTV/CAC
            return end
        return 0


class _Token(NamedTuple):
    kind: str  # "number" "name" "sign" "end"
    text: str
    at: int
    number: float = 0.0
    typed: str = ""


def parse(text: str, names: Names | None = None, *, suggest: bool = True) -> Expression:
    """Return the expression that `text` says.

    `names` knows everything a metric may be called; without it every word is taken as an id.
    Full-width digits and operators are accepted. Without `suggest` an unknown name is refused
    without looking for similar ones, which takes longer than all the rest.

    Raises
    ------
    KpiError
        with `position` (0 = first character): `formula_empty`, `formula_too_long`,
        `formula_too_deep`, `formula_syntax`, `formula_unfinished`, `formula_unknown_name`
        (with `nearest`), `formula_arguments`, `formula_exponent`, `formula_number`,
        `formula_comparisons`: a < b > c; `formula_grouping`: 1,000.

    >>> [step.op for step in parse("visitors × １．２％").steps]
    ['name', 'number', '*']
    """
    if names and (known := names.parsed(text)):
        return known
    if len(text) > MAX_LENGTH:
        raise KpiError(
            "formula_too_long",
            "This formula has {length} characters; {limit} are allowed. Split it over two metrics.",
            length=len(text),
            limit=MAX_LENGTH,
            position=MAX_LENGTH,
        )
    if not text.strip():
        raise KpiError("formula_empty", "The formula is empty. Write for example leads * rate.", position=0)
    expression = Expression(_Parser(_tokens(text, names), names, suggest=suggest).parse())
    if names:
        names.remember(text, expression)
    return expression


def fold_name(name: str) -> str:
    """Return the spelling under which names are compared: width, case and spaces do not matter.

    >>> fold_name("ＣＶＲ Rate") == fold_name("cvr  rate")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _fold(text: str) -> tuple[str, list[int]]:
    """Return the folded text and, for each of its characters, where it stood in `text`."""
    folded: list[str] = []
    origin: list[int] = []
    for at, character in enumerate(text):
        new = _FOLD.get(character, character)
        if "\uff61" <= character <= "\uff9f":  # half-width katakana: voiced marks join what precedes
            new = unicodedata.normalize("NFKC", character)
            joined = unicodedata.normalize("NFC", folded[-1] + new) if folded else ""
            if len(joined) == 1:
                folded[-1] = joined
                continue
        for part in new:
            folded.append(part)
            origin.append(at)
    return "".join(folded), [*origin, len(text)]


def _tokens(text: str, names: Names | None) -> list[_Token]:
    folded, origin = _fold(text)
    lower = folded.lower()
    if len(lower) != len(folded):  # a letter whose lower case is two letters: go without
        lower = folded
    tokens: list[_Token] = []
    at = 0
    while at < len(folded):
        if folded[at].isspace():
            at += 1
            continue
        known_end = names.end(folded, lower, at) if names else 0
        token, end = _token(folded, at, known_end)
        if token is None:
            raise KpiError(
                "formula_syntax",
                "{found} cannot stand here in a formula.",
                found=text[origin[at]],
                position=origin[at],
            )
        tokens.append(token._replace(at=origin[at], typed=text[origin[at] : origin[end]]))
        at = end
    return [*tokens, _Token("end", "", len(text))]


def _token(folded: str, at: int, known_end: int) -> tuple[_Token | None, int]:
    if known_end:
        return _Token("name", folded[at:known_end], at), known_end
    if found := _NUMBER.match(folded, at):
        return _number(folded, at, found)
    if folded[at] == "`" and (close := folded.find("`", at + 1)) > 0:
        return _Token("name", folded[at + 1 : close], at), close + 1
    if found := _SIGN.match(folded, at):
        sign = found.group()
        return _Token("sign", _SAME.get(sign, sign), at), found.end()
    end = _word_end(folded, at)
    return (_Token("name", folded[at:end], at), end) if end > at else (None, at)


def _number(folded: str, at: int, found: re.Match[str]) -> tuple[_Token, int]:
    value, end = float(found.group()), found.end()
    if end < len(folded) and folded[end] in _SCALES:
        value, end = _SCALES[folded[end]](value), end + 1
    if not math.isfinite(value) or value > 1e18:
        raise KpiError("formula_number", "This number is too large for a formula.", position=at)
    return _Token("number", found.group(), at, value), end


def _word_end(text: str, at: int) -> int:
    while at < len(text) and _is_word(text[at]):
        at += 1
    return at


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_ー・々〆"


class _Parser:
    """Precedence climbing over the tokens; writes the steps as it goes."""

    def __init__(self, tokens: list[_Token], names: Names | None, *, suggest: bool = True) -> None:
        self.tokens = tokens
        self.names = names
        self.suggest = suggest
        self.next = 0
        self.depth = 0
        self.steps: list[Step] = []

    def parse(self) -> tuple[Step, ...]:
        self.condition()
        if self.token.kind != "end":
            raise self.unexpected()
        return tuple(self.steps)

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def sign(self, *signs: str) -> str:
        """Take the next token if it is one of these signs."""
        token = self.token
        if token.kind == "sign" and token.text in signs:
            self.next += 1
            return token.text
        return ""

    def condition(self) -> None:
        """Parse sums between comparison signs; a sum between two signs is compared twice."""
        self.expression(2)
        signs: list[str] = []
        middle: list[Step] = []
        while self.token.kind == "sign" and self.token.text in COMPARISONS:
            signs.append(self.token.text)
            if len(signs) > 1:
                self.check_chain(signs, len(middle))
                self.steps.extend(middle)
            self.next += 1
            start = len(self.steps)
            self.expression(2)
            middle = self.steps[start:]
            self.steps.append(Step(signs[-1], 2))
            if len(signs) > 1:
                self.steps.append(Step("*", 2))

    def check_chain(self, signs: list[str], repeated: int) -> None:
        if not is_chain(signs):
            raise KpiError(
                "formula_comparisons",
                "{sign} cannot follow the comparison before it. Compare in one direction, as in 0 < a < 10,"
                " or multiply two comparisons in brackets: (a <> b) * (b <> c).",
                sign=self.token.typed,
                position=self.token.at,
            )
        if len(self.steps) + repeated > MAX_LENGTH:  # a chain in the middle of a chain in the middle of …
            raise KpiError(
                "formula_too_long",
                "The comparisons up to here repeat too much. Give what stands between two signs a metric of its own.",
                position=self.token.at,
            )

    def expression(self, lowest: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise KpiError(
                "formula_too_deep",
                "The formula is nested more than {limit} deep here. Give a part of it a metric of its own.",
                limit=MAX_DEPTH,
                position=self.token.at,
            )
        self.operand()
        while self.token.kind == "sign" and _PRECEDENCE.get(self.token.text, 0) >= lowest:
            operator_ = self.token.text
            start, at = len(self.steps), self.token.at
            self.next += 1
            self.expression(_PRECEDENCE[operator_] + (operator_ != "^"))
            if operator_ == "^":
                self.check_exponent(start, at)
            self.steps.append(Step(operator_, 2))
        self.depth -= 1

    def operand(self) -> None:
        token = self.token
        if self.sign("-"):
            self.expression(_PRECEDENCE["neg"])
            self.steps.append(Step("neg", 1))
        elif self.sign("+"):
            self.expression(_PRECEDENCE["neg"])
        elif self.sign("("):
            self.condition()
            self.close(token)
        elif token.kind == "number":
            self.next += 1
            self.steps.append(Step("number", number=token.number))
        elif token.kind == "name":
            self.next += 1
            self.name(token)
        else:
            raise self.unexpected()

    def name(self, token: _Token) -> None:
        function = FUNCTIONS.get(token.text.lower())
        if function and self.sign("("):
            self.call(function, token)
            return
        self.steps.append(Step("name", name=self.bind(token)))

    def call(self, function: str, token: _Token) -> None:
        opened = self.tokens[self.next - 1]
        count = 0
        grouping: dict[str, object] | None = None
        while True:
            self.condition()
            count += 1
            grouping = grouping or self.grouping()
            if not self.sign(","):
                break
        self.close(opened)
        if grouping and (function != "if" or count != 3 or ",0" in str(grouping["text"])):
            raise KpiError(
                "formula_grouping",
                "{text} can be read as one number or as several values. Write {number} for one number,"
                " or a space after each comma for several values.",
                **grouping,
            )
        if count > MAX_ARGUMENTS or (function == "if" and count != 3):
            raise KpiError(
                "formula_arguments",
                "{function} cannot take {count} values. Write if(condition, then, else) and at most"
                " {limit} values elsewhere.",
                function=function,
                count=count,
                limit=MAX_ARGUMENTS,
                position=token.at,
            )
        self.steps.append(Step(function, count))

    def grouping(self) -> dict[str, object] | None:
        """Return what is to be said where the next comma may be one that parts thousands, as in 1,000."""
        first = self.tokens[self.next - 1]
        if self.token.text != "," or first.kind != "number":
            return None
        text = ""
        for token in self.tokens[self.next - 1 :]:
            if token.at != first.at + len(text) or len(token.typed) != len(token.text):
                break  # a space lies between, or a sign like % belongs to the number
            text += token.text
        if not (groups := _GROUPS.match(text)):
            return None
        number = groups.group()
        return {"text": number, "number": number.replace(",", ""), "position": first.at}

    def close(self, opened: _Token) -> None:
        if not self.sign(")"):
            if self.token.kind != "end":
                raise self.unexpected()
            raise KpiError("formula_unfinished", "The bracket opened here is never closed.", position=opened.at)

    def bind(self, token: _Token) -> str:
        if self.names is None:
            return token.text
        bound = self.names.id(token.text)
        if bound is None:
            raise self.unknown(token)
        return bound

    def unknown(self, token: _Token) -> KpiError:
        nearest = nearest_names(token.text, self.names.spelt) if self.names and self.suggest else []
        facts = {"name": token.text, "nearest": ", ".join(nearest), "position": token.at}
        if nearest:
            return KpiError(
                "formula_unknown_name", "There is no metric called {name}. Did you mean: {nearest}?", **facts
            )
        return KpiError(
            "formula_unknown_name",
            "There is no metric called {name}. Add it first, or correct the spelling.",
            **facts,
        )

    def check_exponent(self, start: int, at: int) -> None:
        exponent = _constant(self.steps[start:])
        if exponent is not None and not abs(exponent) <= MAX_EXPONENT:
            raise KpiError(
                "formula_exponent",
                "An exponent must lie between -{limit} and {limit}.",
                limit=MAX_EXPONENT,
                position=at,
            )

    def unexpected(self) -> KpiError:
        if grouping := self.grouping():
            return KpiError(
                "formula_grouping", "A number is written without commas here: {number} instead of {text}.", **grouping
            )
        if self.token.kind == "end":
            return KpiError(
                "formula_unfinished",
                "The formula stops here, but something is missing: a number or the name of a metric.",
                position=self.token.at,
            )
        return KpiError(
            "formula_syntax",
            "{found} cannot stand here in a formula.",
            found=self.token.typed,
            position=self.token.at,
        )


def is_chain(signs: Sequence[str]) -> bool:
    """Return whether comparisons in a row say one thing: they go in one direction.

    >>> is_chain(["<", "<="]), is_chain(["<", ">"]), is_chain(["<>", "<>"])
    (True, False, False)
    """
    return len(signs) == 1 or _RISING.issuperset(signs) or _FALLING.issuperset(signs)


def nearest_names(name: str, known: list[str]) -> list[str]:
    """Return up to three of the `known` names that look like `name`, the likeliest first.

    The first 60 characters of the first 5,000 names are compared.

    >>> nearest_names("lead", ["leads", "wins"])
    ['leads']
    """
    by_fold = {fold_name(spelt[:60]): spelt for spelt in known[:MOST_COMPARED]}
    found = difflib.get_close_matches(fold_name(name)[:60], by_fold, n=3, cutoff=0.5)
    return [by_fold[fold] for fold in found]


def _constant(steps: list[Step]) -> float | None:
    """Return the number that steps without names come to; None if they hold a name or a function."""
    stack: list[float] = []
    for step in steps:
        if step.op == "number":
            stack.append(step.number)
        elif step.op in _ARITHMETIC:
            args = stack[-step.arity :]
            del stack[-step.arity :]
            try:
                stack.append(_ARITHMETIC[step.op](*args))
            except (OverflowError, ValueError, ZeroDivisionError):
                return math.inf
        else:
            return None
    return stack[-1]
