"""The revisions of a plan: whole documents, numbered without gaps, appended and never changed but for a label.

A revision set aside (`clashes_with`) is somebody's work that could not be merged; it is not in the line
that leads to the newest. Every function runs in the transaction of its caller.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench.store.tables import plans, revisions

MAX_WORDS = {"author": 80, "note": 500, "label": 120}

_ABOUT = [column for column in revisions.columns if column.name not in ("key", "document")]


@dataclass(frozen=True, kw_only=True)
class Version:
    """What is known of a revision beside the plan itself. `at` is in UTC."""

    plan_id: str
    number: int
    parent: int | None
    base: int | None
    clashes_with: int | None
    author: str
    note: str
    label: str
    kind: str
    at: datetime

    @property
    def is_aside(self) -> bool:
        """Return whether it was set beside the line, because it clashed."""
        return self.clashes_with is not None

    @property
    def is_merged(self) -> bool:
        """Return whether it joins what two people did at the same time."""
        return not self.is_aside and self.base != self.parent


@dataclass(frozen=True)
class Kept:
    """A revision as it is stored: what is known of it, and its plan."""

    version: Version
    text: str
    made: Plan | None = field(default=None, compare=False, repr=False)  # the plan itself, where it is at hand

    @property
    def plan_id(self) -> str:
        """Return whose revision it is."""
        return self.version.plan_id

    @property
    def number(self) -> int:
        """Return the revision's number."""
        return self.version.number

    @property
    def plan(self) -> Plan:
        """Return the plan; it is read when it is asked for.

        Raises
        ------
        KpiError
            As `Plan.from_text`.
        """
        return self.made or _read(self.text)

    @property
    def problem(self) -> KpiError | None:
        """Return why the plan cannot be read, None if it can."""
        try:
            _ = self.plan
        except KpiError as error:
            return error
        return None


@dataclass(frozen=True)
class Draft:
    """A plan ready to be stored, so that nothing is left to be made while others wait for the write."""

    plan: Plan
    text: str
    name: str
    document: bytes

    @classmethod
    def of(cls, plan: Plan) -> Draft:
        """Return a plan as it is stored."""
        text = json.dumps(plan.to_data(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return cls(plan, text, plan.name.model_dump_json(exclude_none=True), zlib.compress(text.encode()))


def newest_number(connection: Connection, plan_id: str) -> int:
    """Return the number of the newest revision of the line.

    Raises
    ------
    KpiError
        `unknown_plan`.
    """
    found: int | None = connection.scalar(select(plans.c.newest).where(plans.c.id == plan_id))
    if found is None:
        raise KpiError("unknown_plan", "There is no such plan here.")
    return found


def revision(connection: Connection, plan_id: str, number: int) -> Kept:
    """Return one revision.

    Raises
    ------
    KpiError
        `unknown_revision`.
    """
    chosen = (revisions.c.plan_id == plan_id) & (revisions.c.number == number)
    return _one(connection.execute(select(*_ABOUT, revisions.c.document).where(chosen)).mappings().first(), number)


def newest(connection: Connection, plan_id: str) -> Kept:
    """Return the newest revision of the line."""
    chosen = (plans.c.id == plan_id) & (revisions.c.plan_id == plans.c.id) & (revisions.c.number == plans.c.newest)
    found = connection.execute(select(*_ABOUT, revisions.c.document).where(chosen)).mappings().first()
    return _one(found, newest_number(connection, plan_id) if found is None else 0)


def by_key(connection: Connection, plan_id: str, key: str) -> Kept | None:
    """Return the revision that an attempt to save has left, if it has."""
    chosen = (revisions.c.plan_id == plan_id) & (revisions.c.key == key)
    found = connection.execute(select(*_ABOUT, revisions.c.document).where(chosen)).mappings().first()
    return None if found is None else _one(found, 0)


def history(connection: Connection, plan_id: str, *, limit: int = 50, before: int | None = None) -> list[Version]:
    """Return the versions, the newest first, without their documents; those below `before` if it is given."""
    chosen = select(*_ABOUT).where(revisions.c.plan_id == plan_id).order_by(revisions.c.number.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(revisions.c.number < before)
    return [Version(**row) for row in connection.execute(chosen).mappings()]


def append(connection: Connection, row: dict[str, Any], draft: Draft, *, key: str) -> Kept:
    """Append a revision under the next number; one that is not aside becomes the newest."""
    plan_id = row["plan_id"]
    last = connection.scalar(select(func.max(revisions.c.number)).where(revisions.c.plan_id == plan_id))
    about = {"label": "", "clashes_with": None, **row, "number": (last or 0) + 1}
    words = {field: words_of(field, str(about[field])) for field in MAX_WORDS}
    version = Version(**{**about, **words})
    connection.execute(revisions.insert().values(**vars(version), key=key, document=draft.document))
    if not version.is_aside:
        now = {"newest": version.number, "name": draft.name}
        connection.execute(update(plans).where(plans.c.id == plan_id).values(now))
    return Kept(version, draft.text, draft.plan)


def label(connection: Connection, plan_id: str, number: int, said: str) -> None:
    """Name a version; an empty name takes the name away.

    Raises
    ------
    KpiError
        `unknown_revision`, `words_too_long`.
    """
    chosen = (revisions.c.plan_id == plan_id) & (revisions.c.number == number)
    if not connection.execute(update(revisions).where(chosen).values(label=words_of("label", said))).rowcount:
        raise unknown(number)


def words_of(field: str, said: str) -> str:
    """Return what a person wrote on one line, without what no screen can show."""
    text = " ".join("".join(letter for letter in said if letter.isprintable() or letter.isspace()).split())
    if len(text) > MAX_WORDS[field]:
        raise KpiError("words_too_long", "Please write at most {limit} characters here.", limit=MAX_WORDS[field])
    return text


def unknown(number: int) -> KpiError:
    """Return the error about a version that is not there."""
    return KpiError("unknown_revision", "This plan has no version {number}.", number=number)


# Equal texts are equal plans, and plans are frozen: whoever may read a text may share the plan made of it.
_read = lru_cache(maxsize=32)(Plan.from_text)


def _one(found: RowMapping | None, number: int) -> Kept:
    if found is None:
        raise unknown(number)
    row = dict(found)
    document = row.pop("document")
    return Kept(Version(**row), _text(document))


def _text(document: bytes) -> str:
    """Return a stored document; of a damaged one, what can be read of it."""
    reader = zlib.decompressobj()
    try:
        return reader.decompress(document).decode(errors="replace")
    except zlib.error:
        return ""
