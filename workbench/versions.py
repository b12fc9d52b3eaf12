"""The versions of the plan on screen: a page of them, and what changed between two, read when it is shown.

Between two versions nothing ever changes, so what was said of them once is kept for everybody; whether the
reader may see them is asked of the store with the list itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import changes, session, words
from workbench.keeping import Keeping
from workbench.rows import versions as rows
from workbench.store import Actor, Store, Version
from workbench.words import _, md

A_PAGE = 50
_BEFORE = "versions_before"


@dataclass(frozen=True)
class Told:
    """What changed between two versions: in one line, and in full. Plain text."""

    headline: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Shelf:
    """Where the versions of one plan are read from."""

    store: Store
    actor: Actor
    plan_id: str

    @classmethod
    def of(cls, keeping: Keeping) -> Shelf | None:
        """Return where the versions are; None where nothing is kept yet."""
        if keeping.store is None or keeping.actor is None or keeping.plan_id is None:
            return None
        return cls(keeping.store, keeping.actor, keeping.plan_id)

    def page(self) -> list[Version]:
        """Return the versions of the page that is looked at, and one more if there are older ones."""
        return self.store.history(self.actor, self.plan_id, limit=A_PAGE + 1, before=self._before())

    def all(self) -> list[Version]:
        """Return all versions, the newest first."""
        return self.store.history(self.actor, self.plan_id, limit=1_000_000)

    def plan(self, number: int) -> Plan:
        """Return the plan of a version."""
        return self.store.read(self.actor, self.plan_id, number).plan

    def told(self, version: Version) -> Told:
        """Return what a version changed."""
        if version.parent is None:
            return Told(_("The plan begins"), ())
        return self.between(version.parent, version.number)

    def between(self, one: int, other: int) -> Told:
        """Return what changed from one version to another."""
        try:
            return _between(self.plan_id, one, other, words.language(), self)
        except KpiError as error:  # a version of a newer app, or one whose record is damaged
            return Told(words.error(error), ())

    def is_first_page(self) -> bool:
        """Return whether the newest versions are looked at."""
        return self._before() is None

    def turn(self, before: int | None) -> None:
        """Look at the versions below a number from now on; None: at the newest."""
        session.remember(_BEFORE, (self.plan_id, before))

    def _before(self) -> int | None:
        plan_id, before = session.recall(_BEFORE, ("", None))
        return before if plan_id == self.plan_id else None


@dataclass(frozen=True)
class Seen:
    """What a page of versions shows; without any, `why` says why there are none."""

    shelf: Shelf | None
    found: list[Version]
    why: str = ""

    def answer(self) -> str:
        """Say what was changed last, by whom and when. Markdown."""
        line = [version for version in self.found if not version.is_aside] or self.found
        if self.shelf is None or not line:
            return md(self.why)
        headline = self.shelf.told(line[0]).headline
        return rows.latest(line[0], headline, newest=self.shelf.is_first_page())


def look(keeping: Keeping) -> Seen:
    """Read the page of versions that is looked at."""
    shelf = Shelf.of(keeping)
    if keeping.store is None:
        return Seen(None, [], _("This browser sends no cookie, so nothing is kept here and there are no versions."))
    if shelf is None:
        return Seen(None, [], _("Nothing has changed yet: the first change makes the first version."))
    try:
        return Seen(shelf, shelf.page(), _("There are no older versions."))
    except KpiError as error:
        return Seen(None, [], words.error(error))


@st.cache_data(max_entries=5_000, show_spinner=False)
def _between(plan_id: str, one: int, other: int, language: str, _shelf: Shelf) -> Told:  # noqa: ARG001 - they are the key
    before, after = _shelf.plan(one), _shelf.plan(other)
    found = changes.changes(before, after)
    return Told(changes.headline(found, after), tuple(changes.said(change, after) for change in found))
