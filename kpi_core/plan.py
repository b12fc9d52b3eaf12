"""The plan: the one document, from the KGI to the KSFs, frozen, and valid or not made at all.

Every change is `plan.replace({"metrics.cvr.value": 0.013})`: a new plan, the old one untouched.
The same dotted paths name a field in a change, in an error and in a history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from kpi_core import plan_bounds, plan_check, plan_names, plan_text, readings
from kpi_core.document import (
    Assumptions,
    Cash,
    Decision,
    Driver,
    FiscalYear,
    Id,
    Kgi,
    Ksf,
    Limits,
    Metric,
    Name,
    Opening,
    Team,
    Text,
)
from kpi_core.errors import KpiError
from kpi_core.formula import MAX_LENGTH, parse
from kpi_core.plan_check import Problems
from kpi_core.tree import Tree, names_of

SCHEMA = 1

_PARTS: dict[str, TypeAdapter[Any]] = {
    "name": TypeAdapter(Name),
    "currency": TypeAdapter(Annotated[str, Field(pattern=r"^[A-Z]{3}$")]),
    "fiscal_year": TypeAdapter(FiscalYear),
    "kgi": TypeAdapter(Kgi),
    "limits": TypeAdapter(Limits),
    "assumptions": TypeAdapter(Assumptions),
    "cash": TypeAdapter(Cash),
    "opening": TypeAdapter(Opening),
    "stages": TypeAdapter(tuple[Id, ...]),
}
_ITEMS: dict[str, TypeAdapter[Any]] = {
    "drivers": TypeAdapter(Driver),
    "decisions": TypeAdapter(Decision),
}
_ENTRIES: dict[str, TypeAdapter[Any]] = {
    "teams": TypeAdapter(Team),
    "metrics": TypeAdapter(Metric),
    "ksfs": TypeAdapter(Ksf),
}
_ID: TypeAdapter[str] = TypeAdapter(Id)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One plan. `stages` lists the metrics of its funnel, first to last, for the pictures.

    Raises
    ------
    KpiError
        `plan_invalid`, with every problem and its path (`problems`).
    """

    name: Text
    fiscal_year: FiscalYear
    kgi: Kgi
    teams: Mapping[str, Team] = field(default_factory=dict)
    metrics: Mapping[str, Metric]
    ksfs: Mapping[str, Ksf] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    assumptions: Assumptions = field(default_factory=Assumptions)
    cash: Cash | None = None
    opening: Opening = field(default_factory=Opening)
    stages: tuple[str, ...] = ()
    drivers: tuple[Driver, ...] = ()
    decisions: tuple[Decision, ...] = ()
    currency: str = "JPY"

    def __post_init__(self) -> None:
        for section in _ENTRIES:
            object.__setattr__(self, section, MappingProxyType(dict(getattr(self, section))))
        problems = Problems(self.__dict__)
        _check_references(self.__dict__, {section: getattr(self, section) for section in _ENTRIES}, problems)
        problems.raise_if_any()
        plan_check.check_whole(self, problems)
        problems.raise_if_any()

    @cached_property
    def tree(self) -> Tree:
        """Return the plan's metrics as a tree."""
        return Tree(self.metrics)

    @cached_property
    def tree_by_month(self) -> Tree:
        """Return the metrics as a tree for `timeline`: the same totals, each formula as it runs through the months."""
        if not any(entry.by_month for entry in self.metrics.values()):
            return self.tree
        return Tree(
            {
                metric: entry if entry.by_month is None else entry.model_copy(update={"formula": entry.by_month})
                for metric, entry in self.metrics.items()
            }
        )

    @property
    def digest(self) -> str:
        """Return a fingerprint of the contents: equal plans, equal digests."""
        return self._written[0]

    @cached_property
    def _written(self) -> tuple[str, int]:
        """Return the fingerprint and the length of the plan's JSON text."""
        text = self.to_json()
        return hashlib.sha256(text.encode()).hexdigest(), len(text)

    def check_length(self) -> None:
        """Raise unless the plan, written as YAML or JSON, is short enough to be read again.

        Raises
        ------
        KpiError
            `file_too_large`.
        """
        # YAML may take up to eight times as much room: a line break of Unicode is spelt out.
        if 8 * self._written[1] > plan_text.MAX_CHARACTERS:
            longest = max(self._written[1], len(self.to_yaml()))
            if longest > plan_text.MAX_CHARACTERS:
                raise plan_text.too_large()

    @property
    def is_reached(self) -> bool:
        """Return whether the KGI comes to its target, to the 1e-9 that a back-calculation is exact to."""
        return self.tree.now(self.kgi.metric) >= self.kgi.target * (1 - 1e-9)

    @classmethod
    def from_text(cls, text: str) -> Plan:
        """Return the plan that YAML or JSON text holds.

        Raises
        ------
        KpiError
            `plan_invalid` with `problems`, or a `file_…` code of `plan_text.read`.
        """
        plan = cls.from_data(plan_text.read(text))
        if 8 * len(text) > plan_text.MAX_CHARACTERS:
            plan.check_length()
        return plan

    @classmethod
    def from_data(cls, data: Any) -> Plan:
        """Return the plan that plain data holds; entries that are parts already are taken as they are."""
        problems = Problems(data if isinstance(data, Mapping) else {})
        sections = _sections(data, problems)
        parsed: dict[str, Any] = {}
        known: dict[str, Mapping[str, Any]] = {}
        for section, said in sections.items():
            if section in _ENTRIES:
                parsed[section], known[section] = _entries(section, said, problems)
            elif (part := _part(section, said, problems)) is not None:
                parsed[section] = part
        required = {item.name for item in fields(cls) if item.default is item.default_factory is MISSING}
        missing = {section: plan_names.Unreadable() if section in required else {} for section in _ENTRIES}
        _check_references(parsed, {**missing, **known}, problems)
        problems.raise_if_any()
        parsed["metrics"] = _with_ids(parsed["metrics"], problems)
        problems.raise_if_any()
        return cls(**parsed)

    def to_data(self) -> dict[str, Any]:
        """Return the plan as plain data: dicts, lists, strings and numbers."""
        sections = {item.name: plan_text.plain(getattr(self, item.name)) for item in fields(self)}
        return {"schema": SCHEMA, **{name: said for name, said in sections.items() if said not in ({}, [], None)}}

    def to_json(self) -> str:
        """Return the plan as JSON text that `from_text` reads back equal."""
        return plan_text.to_json(self.to_data())

    def to_yaml(self) -> str:
        """Return the plan as YAML text that `from_text` reads back equal."""
        return plan_text.to_yaml(self.to_data())

    def replace(self, changes: Mapping[str, Any]) -> Plan:
        """Return a plan with the fields at these dotted paths changed; None removes one.

        Raises
        ------
        KpiError
            `plan_invalid`: the changed plan would not be valid; this one stays as it is.
        """
        sections: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        for path, value in changes.items():
            section, *rest = path.split(".")
            if section in _ENTRIES and rest:
                sections[section] = _changed_entry(sections[section], rest, value)
            else:
                sections[section] = _changed(plan_text.plain(sections.get(section)), rest, value)
        return Plan.from_data({"schema": SCHEMA, **sections})


def _sections(data: Any, problems: Problems) -> dict[str, Any]:
    """Return the sections of a plan file, or raise if it is not one."""
    if not isinstance(data, Mapping) or "schema" not in data:
        raise KpiError("not_a_plan", "This file is not a Gyakusan plan. Open a file that this app saved.")
    if data["schema"] != SCHEMA:
        raise KpiError(
            "schema_unknown",
            "This plan was saved by another version of the app (schema {schema}). Update the app to open it.",
            schema=plan_text.quoted(str(data["schema"])[:20]),
        )
    known = {item.name: item.default for item in fields(Plan)}
    for name in data:
        if name not in known and name != "schema":
            problems.add(
                KpiError("field_unknown", "{path} is not a field of a plan. Remove it or correct its name."),
                plan_text.quoted(str(name)),
            )
    for name in ("name", "fiscal_year", "kgi", "metrics"):
        if data.get(name) is None:
            problems.add(KpiError("field_missing", "{path} is missing. Add it."), name)
    return {name: data[name] for name in known if data.get(name) is not None}


def _part(section: str, said: Any, problems: Problems) -> Any:
    if section in _ITEMS:
        return _items(section, said, problems)
    return _validated(_PARTS[section], said, section, problems)


def _items(section: str, said: Any, problems: Problems) -> tuple[Any, ...]:
    """Return the members of a list, each checked by itself, so that a long list of bad ones is not read to its end."""
    if not isinstance(said, list | tuple):
        problems.add(KpiError("field_invalid", "{path}: “{found}” cannot be used here.", found="…"), section)
        return ()
    if (limit := plan_bounds.MAX_ENTRIES[section]) < len(said):
        problems.add(plan_bounds.too_many(len(said), limit), section)
        return ()
    items = [_validated(_ITEMS[section], item, f"{section}.{at}", problems) for at, item in enumerate(said)]
    return tuple(item for item in items if item is not None)


def _entries(section: str, said: Any, problems: Problems) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Return the entries that can be read, and all of them as they were said."""
    if not isinstance(said, Mapping):
        problems.add(KpiError("not_entries", "{path} must be a list of fields with names."), section)
        return {}, plan_names.Unreadable()
    if not plan_check.check_sizes(section, said, problems):
        return {}, plan_names.Unreadable()
    parsed: dict[str, Any] = {}
    for name, entry in said.items():
        path = f"{section}.{plan_text.quoted(str(name))}"
        if not _is_id(name):
            problems.add(
                KpiError(
                    "bad_id",
                    "{path}: “{found}” cannot be an id. Use letters a to z, digits and _, a letter first, 64 at most.",
                    found=plan_text.quoted(str(name)),
                ),
                path,
            )
        elif (part := _validated(_ENTRIES[section], entry, path, problems)) is not None:
            parsed[name] = part
    return parsed, {str(name): entry for name, entry in said.items()}


def _is_id(name: object) -> bool:
    try:
        return bool(_ID.validate_python(name))
    except ValidationError:
        return False


def _validated(adapter: TypeAdapter[Any], said: Any, path: str, problems: Problems) -> Any:
    """Return a part, or None if it is too large or wrong: then the problems say why."""
    if (too_large := plan_bounds.oversize(said, path)) is not None:
        problems.add(*too_large)
        return None
    try:
        return adapter.validate_python(said)
    except ValidationError as error:
        problems.add_all(error, path)
        return None


def _check_references(parsed: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    """Check everything that names something else."""
    plan_check.check_metrics(parsed.get("metrics", {}), known["teams"], known["metrics"], problems)
    plan_check.check_ksfs(parsed.get("ksfs", {}), known, problems)
    mentions = [("kgi.metric", parsed["kgi"].metric)] if "kgi" in parsed else []
    mentions += [(f"stages.{at}", metric) for at, metric in enumerate(parsed.get("stages", ()))]
    for at, link in enumerate(parsed.get("drivers", ())):
        mentions += [(f"drivers.{at}.source", link.source), (f"drivers.{at}.target", link.target)]
    if "limits" in parsed:
        for wish in ("lock", "rule_out"):
            for ksf in getattr(parsed["limits"], wish):
                if ksf not in known["ksfs"]:
                    problems.unknown(ksf, known["ksfs"], f"limits.{wish}")
    if "opening" in parsed:
        mentions += [(f"opening.stock.{metric}", metric) for metric in parsed["opening"].stock]
        mentions += [(f"opening.lost.{metric}", metric) for metric in parsed["opening"].lost]
    for at, link in enumerate(parsed["assumptions"].correlations if "assumptions" in parsed else ()):
        mentions += [(f"assumptions.correlations.{at}", metric) for metric in link.pair]
    for path, metric in mentions:
        if metric not in known["metrics"]:
            problems.unknown(metric, known["metrics"], path)


def _with_ids(metrics: Mapping[str, Metric], problems: Problems) -> dict[str, Metric]:
    """Return the metrics with every formula spelt in ids, so that a renamed metric stays bound."""
    names = names_of(metrics)
    bound = {}
    for metric, entry in metrics.items():
        spelt = {
            field: readings.text(parse(formula, names))
            for field in ("formula", "by_month")
            if (formula := getattr(entry, field)) is not None
        }
        for where, formula in spelt.items():
            if len(formula) > MAX_LENGTH:
                problems.add(_spelt_too_long(formula), f"metrics.{metric}.{where}")
        same = all(getattr(entry, field) == formula for field, formula in spelt.items())
        bound[metric] = entry if same else entry.model_copy(update=spelt)
    return bound


def _spelt_too_long(formula: str) -> KpiError:
    return KpiError(
        "formula_too_long",
        "This formula has {length} characters; {limit} are allowed. Split it over two metrics.",
        length=len(formula),
        limit=MAX_LENGTH,
    )


def _changed_entry(entries: Any, path: list[str], value: Any) -> Any:
    name, *rest = path
    if not isinstance(entries, Mapping):
        return entries
    changed = dict(entries)
    if value is None and not rest:
        changed.pop(name, None)
    else:
        changed[name] = _changed(plan_text.plain(changed.get(name)), rest, value)
    return changed


def _changed(data: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    if not isinstance(data, Mapping | None):
        raise KpiError("field_unknown", "{path} is not a field of a plan. Remove it or correct its name.", path=first)
    changed = dict(data or {})
    if value is None and not rest:
        changed.pop(first, None)
    else:
        changed[first] = _changed(changed.get(first), rest, value)
    return changed
