"""The plan as text: JSON and YAML, read without trusting them and written so that they read back equal.

YAML is read by the rules of YAML 1.2 (no `yes` for true, no dates) and without aliases;
both readers refuse duplicate keys, NaN, and documents too deep or too large to be a plan.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from kpi_core.errors import KpiError
from kpi_core.readings import spell_number

MAX_CHARACTERS = 5_000_000
MAX_DEPTH = 20
MAX_EVENTS = 400_000


class _Loader(yaml.CSafeLoader):
    """libyaml's parser with only the plain types of YAML 1.2."""


class _Dumper(yaml.CSafeDumper):
    """Quotes exactly what `_Loader` would read as something else than text."""


def _resolve(tag: str, pattern: str, first: str) -> None:
    for reader in (_Loader, _Dumper):
        reader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


for _reader in (_Loader, _Dumper):
    _reader.yaml_implicit_resolvers = {}
_resolve("null", r"^(~|null|Null|NULL|)$", "~nN")
_resolve("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF")
_resolve("int", r"^[-+]?\d[\d_]*$", "-+0123456789")
_resolve("float", r"^[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d+)([eE][-+]?\d+)?$", "-+.0123456789")


def read(text: str) -> Any:
    """Return the plain data (dicts, lists, strings, numbers) that JSON or YAML text says.

    Raises
    ------
    KpiError
        `file_too_large`, `file_too_deep`, `file_not_readable` (with `line`), `file_duplicate` (with `key`).

    >>> read("a: 1_000")
    {'a': 1000}
    """
    if len(text) > MAX_CHARACTERS:
        raise KpiError("file_too_large", "This file is too large to be a plan.")
    text = text.removeprefix("\ufeff")
    return _read_json(text) if text.lstrip().startswith("{") else _read_yaml(text)


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
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        raise _not_readable(error.lineno) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _duplicate(key)
        found[key] = value
    return found


def _no_constant(name: str) -> float:
    raise KpiError("file_not_a_number", "The file holds {name}, which is no number.", name=name)


def _read_yaml(text: str) -> Any:
    try:
        _check_yaml_events(text)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _not_readable(mark.line + 1 if mark else 1) from error
    return None if node is None else _from_node(node)


def _check_yaml_events(text: str) -> None:
    """Walk the events first: they need no recursion, so nothing can be too deep for them."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.AliasEvent):
            raise KpiError("file_alias", "A plan may not use YAML aliases (*). Write the value out.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        if count > MAX_EVENTS:
            raise KpiError("file_too_large", "This file is too large to be a plan.")


def _from_node(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _unique([(_key(key), _from_node(value)) for key, value in node.value])
    if isinstance(node, yaml.SequenceNode):
        return [_from_node(entry) for entry in node.value]
    return _scalar(node.tag.rsplit(":", 1)[-1], node.value)


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _not_readable(node.start_mark.line + 1)
    return str(node.value)


def _scalar(tag: str, text: str) -> Any:
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() == "true"
    if tag == "int" and len(text) < 40:
        return int(text.replace("_", ""))
    if tag in ("int", "float"):
        return float(text.replace("_", ""))
    return text


def _not_readable(line: int) -> KpiError:
    return KpiError(
        "file_not_readable",
        "Line {line} of the file is neither YAML nor JSON. Open a plan file that this app saved, or mend that line.",
        line=line,
    )


def _too_deep() -> KpiError:
    return KpiError("file_too_deep", "The file is nested more than {limit} deep; a plan is not.", limit=MAX_DEPTH)


def _duplicate(key: str) -> KpiError:
    return KpiError("file_duplicate", "{key} stands twice in the same place of the file. Keep one.", key=key)
