"""The plan as text: JSON and YAML, read without trusting them and written so that they read back equal.

YAML is read by the rules of YAML 1.2 (no `yes` for true, no dates) and without aliases;
both readers refuse duplicate keys, NaN, and documents too deep or too large to be a plan.
Whatever the text is, reading it ends in plain data or in a `KpiError`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from kpi_core.errors import KpiError
from kpi_core.readings import spell_number

MAX_CHARACTERS = 5_000_000
MAX_DEPTH = 20
MAX_EVENTS = 400_000  # of YAML: every value, key, start and end of a list
MAX_VALUES = 400_000  # of JSON: every comma and opening bracket outside texts
MAX_DIGITS = 40  # a whole number of more is read as a fraction
_QUOTED = 64  # characters of a file that a sentence quotes: an id in full


class _Loader(yaml.CSafeLoader):
    """libyaml's parser with only the plain types of YAML 1.2."""


class _Dumper(yaml.CSafeDumper):
    """Quotes exactly what `_Loader` would read as something else than text."""


def _resolve(tag: str, pattern: str, first: list[str]) -> None:
    for reader in (_Loader, _Dumper):
        reader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)


for _reader in (_Loader, _Dumper):
    _reader.yaml_implicit_resolvers = {}
_NULL, _BOOL = r"^(~|null|Null|NULL|)$", r"^(true|True|TRUE|false|False|FALSE)$"
_INT, _FLOAT = r"^[-+]?[0-9][0-9_]*$", r"^[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$"
_resolve("null", _NULL, ["~", "n", "N", ""])
_resolve("bool", _BOOL, list("tTfF"))
_resolve("int", _INT, list("-+0123456789"))
_resolve("float", _FLOAT, list("-+.0123456789"))
_SPELT = {
    tag: re.compile(pattern) for tag, pattern in (("null", _NULL), ("bool", _BOOL), ("int", _INT), ("float", _FLOAT))
}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)  # one that is never closed goes on to the end
_BRACKET = re.compile(r"[\[{\]}]")


def read(text: str) -> Any:
    """Return the plain data (dicts, lists, strings, numbers) that JSON or YAML text says.

    Raises
    ------
    KpiError
        `file_too_large`, `file_too_deep`, `file_not_text`, `file_not_readable` (with `line`), `file_duplicate`
        (with `key`), `file_alias`, `file_not_a_number`, `file_wrong_tag`.

    >>> read("a: 1_000")
    {'a': 1000}
    """
    if len(text) > MAX_CHARACTERS:
        raise too_large()
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise not_text() from error
    text = text.removeprefix("\ufeff")
    return _read_json(text) if text.lstrip().startswith("{") else _read_yaml(text)


def too_large() -> KpiError:
    """Return the error about a file that is too large to be a plan."""
    return KpiError("file_too_large", "This file is too large to be a plan.")


def not_text() -> KpiError:
    """Return the error about a file that holds no text."""
    return KpiError(
        "file_not_text",
        "This file is no text that can be read here. Save it as UTF-8, or open a plan file that this app saved.",
    )


def quoted(text: str) -> str:
    r"""Return the beginning of a text of a file, as it can stand in a sentence.

    >>> quoted("a\0b")
    'a\ufffdb'
    """
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "\ufffd" for letter in text[:_QUOTED]
    )


def to_json(data: Any) -> str:
    """Return the data as indented JSON."""
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def to_yaml(data: Any) -> str:
    """Return the data as YAML, one short mapping a line."""
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=None, width=160)


def plain(value: Any) -> Any:
    """Return a document part as plain data, without its empty fields; whole numbers as integers."""
    if isinstance(value, BaseModel):
        fields = ((name, getattr(value, name)) for name in type(value).model_fields)
        return {name: plain(field) for name, field in fields if not _is_empty(field)}
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and value.is_integer():
        return int(spell_number(value)) if abs(value) < 1e15 else value
    return value


def _is_empty(field: Any) -> bool:
    return field is None or field is False or (isinstance(field, tuple | Mapping) and not field)


def _read_json(text: str) -> Any:
    _check_json_size(text)
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_whole)
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        raise _not_readable(error.lineno) from error


def _check_json_size(text: str) -> None:
    """Count what stands outside texts before anything is made of it."""
    bare = _STRING.sub("", text)
    depth = 0
    for sign in _BRACKET.finditer(bare):
        depth += 1 if sign.group() in "[{" else -1
        if depth > MAX_DEPTH:
            raise _too_deep()
    if bare.count(",") + bare.count("[") + bare.count("{") > MAX_VALUES:
        raise too_large()


def _whole(digits: str) -> int | float:
    """Return a whole number; a long one as a float, as Python refuses to read thousands of digits."""
    return int(digits) if len(digits) < MAX_DIGITS else float(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _duplicate(key)
        found[key] = value
    return found


def _no_constant(name: str) -> float:
    raise _not_a_number(name)


def _read_yaml(text: str) -> Any:
    try:
        return _Events(text).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _not_readable(mark.line + 1 if mark else 1) from error


class _Events:
    """Plain data from a YAML text's events, one by one: nothing is made of what is too deep or too long."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=_Loader))
        self.resolve: Callable[..., str] = _Loader("").resolve
        self.count = 0

    def next(self) -> yaml.Event:
        self.count += 1
        if self.count > MAX_EVENTS:
            raise too_large()
        event = next(self.events)
        if isinstance(event, yaml.AliasEvent):
            raise KpiError("file_alias", "A plan may not use YAML aliases (*). Write the value out.")
        return event

    def document(self) -> Any:
        self.next()  # the stream begins
        if isinstance(self.next(), yaml.StreamEndEvent):
            return None
        found = self.value(self.next(), 1)
        self.next()  # the document ends
        if not isinstance(after := self.next(), yaml.StreamEndEvent):
            raise _not_readable(_line(after))
        return found

    def value(self, event: yaml.Event, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if depth > MAX_DEPTH:
            raise _too_deep()
        found: list[Any] = []
        if isinstance(event, yaml.SequenceStartEvent):
            while not isinstance(event := self.next(), yaml.SequenceEndEvent):
                found.append(self.value(event, depth + 1))
            return found
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _not_readable(_line(event))
            found.append((event.value, self.value(self.next(), depth + 1)))
        return _unique(found)

    def scalar(self, event: yaml.ScalarEvent) -> Any:
        text: str = event.value
        if event.tag is not None and event.tag != "!":
            kind = event.tag.rsplit(":", 1)[-1]
            if kind in _SPELT and not _SPELT[kind].match(text):
                raise KpiError(
                    "file_wrong_tag",
                    "Line {line} of the file: “{found}” is not what !!{tag} before it announces."
                    " Remove the mark, or mend the value.",
                    line=_line(event),
                    found=quoted(text),
                    tag=kind,
                )
        else:
            kind = self.resolve(yaml.ScalarNode, text, event.implicit).rsplit(":", 1)[-1]
        return _plain_value(kind, text)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _plain_value(kind: str, text: str) -> Any:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return _whole(text.replace("_", ""))
    return float(text.replace("_", "")) if kind == "float" else text


def _not_a_number(name: str) -> KpiError:
    return KpiError("file_not_a_number", "The file holds {name}, which is no number.", name=name)


def _not_readable(line: int) -> KpiError:
    return KpiError(
        "file_not_readable",
        "Line {line} of the file is neither YAML nor JSON. Open a plan file that this app saved, or mend that line.",
        line=line,
    )


def _too_deep() -> KpiError:
    return KpiError("file_too_deep", "The file is nested more than {limit} deep; a plan is not.", limit=MAX_DEPTH)


def _duplicate(key: str) -> KpiError:
    return KpiError("file_duplicate", "{key} stands twice in the same place of the file. Keep one.", key=quoted(key))
