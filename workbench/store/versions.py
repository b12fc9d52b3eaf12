"""Plans and their versions, for whoever may have them: begin, read, save, undo, restore, name, delete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakValueDictionary

from sqlalchemy import Connection

from kpi_core.plan import Plan
from workbench.store import plans, revisions, rights, saving
from workbench.store.engine import PATIENCE_SECONDS
from workbench.store.failures import out_of_turn
from workbench.store.guarded import Guarded
from workbench.store.plans import Listed
from workbench.store.revisions import Draft, Kept, Version
from workbench.store.rights import Action, Actor, Role
from workbench.store.saving import Clashing, Edit, Moved
from workbench.store.turns import Turnstile

_saving: WeakValueDictionary[str, Turnstile] = WeakValueDictionary()  # a turnstile for each plan that is being saved


@dataclass(frozen=True)
class Standing:
    """Where an actor stands at a plan: what they are there, and which revision is the newest."""

    role: Role
    newest: int


class Versions(Guarded):
    """What the app does with plans. `key` names one attempt to save: sent twice, it is kept once."""

    def begin(self, actor: Actor, plan: Plan, *, key: str, author: str = "", note: str = "") -> Kept:
        """Keep a new private plan; the actor is its owner."""
        draft = Draft.of(plan)
        return self._write_own(
            lambda connection, now: plans.create(connection, actor, draft, key=key, author=author, note=note, now=now)
        )

    def save_copy(self, actor: Actor, plan_id: str, plan: Plan, *, key: str, author: str = "", note: str = "") -> Kept:
        """Keep what somebody made of a plan they may see as a plan of their own."""
        draft = Draft.of(plan)

        def work(connection: Connection, now: datetime) -> Kept:
            rights.demand(connection, actor, "save_copy", plan_id, now)
            return plans.create(connection, actor, draft, key=key, author=author, note=note, now=now)

        return self._write_own(work)

    def plans(self, actor: Actor) -> list[Listed]:
        """Return the actor's plans, the latest changed first; deleted ones too if the actor may restore them."""
        return self._read_own(lambda connection, now: plans.listed(connection, actor, now))

    def delete(self, actor: Actor, plan_id: str) -> None:
        """Delete a plan: nobody sees it any more, and after thirty days it is purged."""
        self._write(actor, "delete", plan_id, lambda connection, now: plans.mark_deleted(connection, plan_id, now))

    def undelete(self, actor: Actor, plan_id: str) -> None:
        """Take a deletion back."""
        self._write(
            actor, "restore_deleted", plan_id, lambda connection, now: plans.mark_deleted(connection, plan_id, None)
        )

    def standing(self, actor: Actor, plan_id: str) -> Standing:
        """Return the actor's role and the newest revision's number: cheap enough to ask every second."""

        def work(connection: Connection, now: datetime) -> Standing:
            role = rights.demand(connection, actor, "read", plan_id, now).role
            return Standing(role, revisions.newest_number(connection, plan_id))

        return self._read_own(work)

    def read(self, actor: Actor, plan_id: str, number: int | None = None) -> Kept:
        """Return one revision, else the newest."""

        def work(connection: Connection, _now: datetime) -> Kept:
            if number is None:
                return revisions.newest(connection, plan_id)
            return revisions.revision(connection, plan_id, number)

        return self._read(actor, "read", plan_id, work)

    def history(self, actor: Actor, plan_id: str, *, limit: int = 50, before: int | None = None) -> list[Version]:
        """Return the versions, the newest first, without their plans; those below `before` if it is given."""
        return self._read(
            actor,
            "read",
            plan_id,
            lambda connection, now: revisions.history(connection, plan_id, limit=limit, before=before),
        )

    def save(
        self,
        actor: Actor,
        plan_id: str,
        parent: int,
        plan: Plan,
        *,
        key: str,
        author: str = "",
        note: str = "",
        kind: str = "change",
    ) -> Kept | Clashing:
        """Keep what was made of revision `parent`: as it is, merged with what others saved, or beside it.

        Raises
        ------
        KpiError
            `not_allowed`, `unknown_revision`, `words_too_long`; whatever the database refuses.
        """
        edit = Edit(plan_id=plan_id, base=parent, plan=plan, key=key, author=author, note=note, kind=kind)
        return self._settle(actor, "save", edit)

    def undo(self, actor: Actor, plan_id: str, number: int, *, key: str, author: str = "") -> Kept | Clashing:
        """Take back what one revision changed, and only that. To redo, undo the undo.

        Raises
        ------
        KpiError
            As `save`; `nothing_to_undo`.
        """
        edit = self._read(
            actor,
            "undo",
            plan_id,
            lambda connection, now: saving.reversal(connection, plan_id, number, key=key, author=author),
        )
        return self._settle(actor, "undo", edit)

    def restore(
        self, actor: Actor, plan_id: str, number: int, parent: int, *, key: str, author: str = "", note: str = ""
    ) -> Kept | Clashing:
        """Save an earlier version again, as a change of revision `parent`."""
        old = self._read(
            actor, "restore", plan_id, lambda connection, now: revisions.revision(connection, plan_id, number)
        )
        edit = Edit(plan_id=plan_id, base=parent, plan=old.plan, key=key, author=author, note=note, kind="restore")
        return self._settle(actor, "restore", edit)

    def label(self, actor: Actor, plan_id: str, number: int, said: str) -> None:
        """Name a version; an empty name takes the name away."""
        self._write(actor, "label", plan_id, lambda connection, now: revisions.label(connection, plan_id, number, said))

    def _settle(self, actor: Actor, action: Action, edit: Edit) -> Kept | Clashing:
        """Offer an edit until nobody was faster; at last merge it where nobody can be.

        Within a process those who save one plan take turns, so that none is overtaken while it merges.
        """
        with self._turn(edit.plan_id):
            offer = saving.as_made(edit)
            for _round in range(saving.ROUNDS):
                outcome = self._attempt(actor, action, edit, offer)
                if not isinstance(outcome, Moved):
                    return outcome
                offer = saving.merged(edit, outcome)
            return self._insist(actor, action, edit)

    @contextmanager
    def _turn(self, plan_id: str) -> Iterator[None]:
        try:
            turnstile = _saving.setdefault(plan_id, Turnstile())
            with turnstile.turn(PATIENCE_SECONDS):
                yield
        except TimeoutError as error:
            raise out_of_turn() from error

    def _attempt(self, actor: Actor, action: Action, edit: Edit, offer: saving.Offer) -> Kept | Clashing | Moved:
        return self._write(
            actor, action, edit.plan_id, lambda connection, now: saving.attempt(connection, edit, offer, now)
        )

    def _insist(self, actor: Actor, action: Action, edit: Edit) -> Kept | Clashing:
        return self._write(actor, action, edit.plan_id, lambda connection, now: saving.insist(connection, edit, now))
