"""Keeping what is done at a desk: every change becomes a revision, in order, however long the database takes.

    screen ──keep──▶ pending ──▶ store.save(base, plan, key) ──▶ saved | merged | both kept

A change is on the screen at once and goes into a queue; a thread saves it and tries again until the database
answers, under the same key, so that it is kept once. "Saved" is said when nothing is pending. A change made on
top of one that is not saved yet goes on top of what became of that one, merged with what others did or not.

Who may only look changes the plan on the screen and nothing else; what was tried so is kept only if they say so,
even once they may.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeVar

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import desk_state, logs
from workbench.aside import Aside
from workbench.desk import Desk
from workbench.merging import merge
from workbench.store import Actor, Clashing, Kept, Role, Store, new_key
from workbench.store.failures import out_of_turn

PATIENCE_SECONDS = 0.25  # so long a page waits for a save before it is drawn
QUIET_SECONDS = 0.5  # so long nothing more is done before what lies beside the plan is kept: it may be large
LOOK_EVERY_SECONDS = 1.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)

Status = Literal["local", "fresh", "saved", "saving", "waiting", "clash", "trying", "closed"]
Answer = TypeVar("Answer")
_REFUSED = frozenset({"not_allowed", "unknown_plan"})
_DESK_REFUSED = _REFUSED | {"desk_too_large"}
_NUMBERS = 500
_A_MOMENT = 0.01


@dataclass(eq=False)
class Pending:
    """A plan that is to be kept. `base` is what it was made of: a revision's number, or the one pending before it.

    Once it is kept `kept` is its revision: of just this plan (`number`), or of what it was merged into.
    """

    plan: Plan
    kind: str
    base: int | Pending
    key: str = field(default_factory=new_key)
    kept: Kept | None = None

    @property
    def number(self) -> int | None:
        """Return the number of the revision that is just this plan."""
        return self.kept.number if self.kept is not None and self.kept.plan == self.plan else None

    @property
    def made_of(self) -> int:
        """Return the number of the last revision that it was made of as it was."""
        base = self.base
        while isinstance(base, Pending):
            if (number := base.number) is not None:
                return number
            base = base.base
        return base

    def offer(self) -> tuple[int, Plan]:
        """Return what to save, and of which revision it is made.

        What was made on top of a plan that was merged meanwhile goes on top of the merged one.
        """
        if isinstance(self.base, Pending) and self.base.number is None and self.base.kept is not None:
            moved = merge(self.base.plan, self.plan, self.base.kept.plan)
            if not moved.clashes:
                return self.base.kept.number, moved.plan
        return self.made_of, self.plan


@dataclass(eq=False)
class Keeping:
    """The kept side of a desk: which plan it is, as what one is there, and what is still to be kept.

    `unreadable` is the stored revision that cannot be read as a plan: the desk then holds a stand-in that is neither
    shown nor kept.
    """

    desk: Desk
    store: Store | None = None
    actor: Actor | None = None
    plan_id: str | None = None
    role: Role = "facilitate"
    author: str = ""
    shown: int | Pending = 1
    queue: list[Pending] = field(default_factory=list)
    clash: Clashing | None = None
    trouble: KpiError | None = None
    anew: KpiError | None = None  # the storage was replaced, and the plan begun in it as a new one
    closed: bool = False
    unreadable: Kept | None = None
    tried: bool = False
    on_begun: Callable[[str], None] = lambda _plan_id: None

    def __post_init__(self) -> None:
        self._first = self.desk.plan
        self._begin_key = new_key()
        self._numbers: dict[str, int] = {}
        self._generation = 0 if self.store is None else self.store.generation
        self._lock = threading.RLock()  # taken after the desk's, never while the database works
        self._beginning = threading.Lock()
        self._at_work = False
        self._saved = threading.Event()
        self._more = threading.Event()
        self._arrived: tuple[Pending, Kept] | None = None
        self._looked = time.monotonic()
        self._aside = Aside()
        self._desk_changed = False
        self._let_go = self._stopped = self._is_wanted = False
        self.desk.keeper = self
        self.desk.loaded = self.loaded

    @property
    def status(self) -> Status:
        """Return how it stands with what is on the screen."""
        if self.store is None:
            return "local"
        if self.closed:
            return "closed"
        if self.tried:
            return "trying"
        if self.role == "view":
            return "saved"
        if self.clash is not None:
            return "clash"
        if self.queue or (self._is_wanted and self.plan_id is None):
            return "waiting" if self.trouble else "saving"
        return "fresh" if self.plan_id is None else "saved"

    @property
    def number(self) -> int:
        """Return the number of the newest revision this desk has seen."""
        shown = self.shown
        return shown if isinstance(shown, int) else shown.number or shown.made_of

    def keep(self, kind: str) -> None:
        """Put the plan on the screen into the queue."""
        if self.store is None or self.unreadable is not None:
            return
        if self.role == "view" or self.tried:
            self.tried, self._let_go = True, False
            return
        with self._lock:
            self.anew = None
            self.shown = Pending(self.desk.plan, kind, self.shown)
            self.queue.append(self.shown)
            self._saved.clear()
            self._more.set()
            self._stopped = False
            self._work()

    def wait(self) -> None:
        """Wait a moment for what is in the queue to be kept: so the page says at once that it is saved."""
        if self.queue and self.trouble is None:
            self._saved.wait(PATIENCE_SECONDS)

    def keep_desk(self) -> None:
        """Have what lies beside the plan kept."""
        if self.plan_id is None or self.store is None or self.unreadable is not None:
            return
        with self._lock:
            self._desk_changed = True
            self._work()

    def loaded(self, number: int) -> Plan:
        """Return the plan of a revision."""
        store, actor, plan_id = self._begun()
        return store.read(actor, plan_id, number).plan

    def begin(self) -> str:
        """Return the plan's id, having it kept now if it was not.

        Raises
        ------
        KpiError
            What the database refuses.
        """
        return self._begun()[2]

    def begin_soon(self) -> None:
        """Have the plan kept as a new one as soon as the database answers."""
        with self._lock:
            self._is_wanted = self._desk_changed = True
            self._work()

    def settle(self) -> None:
        """Show what came of a save that was merged, unless more was done on the screen meanwhile."""
        with self.desk.lock, self._lock:
            if self._arrived is not None:
                pending, kept = self._arrived
                self._arrived = None
                if self.shown is pending:
                    self._follow(kept)

    def look(self, *, at_once: bool = False) -> None:
        """Look whether others have changed the plan, and whether one may still see it: once a second at most.

        Where the database did not answer last time nobody waits for it: the next look tells what it said.
        """
        self.settle()
        with self._lock:
            if self.queue and not self._stopped:
                self._work()
        now = time.monotonic()
        if self.store is None or self.plan_id is None or not (at_once or now - self._looked >= LOOK_EVERY_SECONDS):
            return
        self._looked = now
        if self.trouble is None or at_once:
            self._ask(self.store, self.plan_id)
        else:
            self._aside.do(partial(self._ask, self.store, self.plan_id))

    def _ask(self, store: Store, plan_id: str) -> None:
        actor, shown = self.actor or Actor(""), self.shown
        try:
            standing = store.standing(actor, plan_id)
            self.role, self.closed = standing.role, False
            is_behind = self._let_go or standing.newest != self.number
            if is_behind and self._may_be_followed():
                self._show_newest(store.read(actor, plan_id), shown)
            self.trouble = None if not self.queue else self.trouble
        except KpiError as error:
            if error.code in _REFUSED and self._begin_anew():
                return
            self.closed = error.code in _REFUSED
            self.trouble = error

    def decide(self, plan: Plan) -> None:
        """Keep what a person chose between both sides, made of theirs, and what they typed since on top."""
        with self.desk.lock:
            if self.clash is not None:
                since = merge(self.clash.merged.ours, self.desk.plan, plan)
                with self._lock:
                    self.shown, self.clash = self.clash.theirs, None
                self.desk.follow(since.resolved({one.path: "ours" for one in since.clashes}))
                self.keep("merge")

    def let_go(self) -> None:
        """Forget what was tried, and show the plan as it is kept, once the database says how that is."""
        self._let_go = True
        self.look(at_once=True)

    def keep_tried(self) -> None:
        """Keep what was tried: whoever did may change the plan now."""
        with self.desk.lock:
            self.tried = self._let_go = False
            self.keep("change")

    def _show_newest(self, kept: Kept, shown: int | Pending) -> None:
        if kept.problem is None:
            self._show(kept, shown)
        elif not self.queue:
            self.unreadable = kept

    def _show(self, kept: Kept, shown: int | Pending) -> None:
        """Show what others made of the plan of what is shown, unless more was done here while it was read."""
        with self.desk.lock, self._lock:
            if self._may_be_followed() and self.shown == shown:
                self._follow(kept)

    def _may_be_followed(self) -> bool:
        """Return whether nothing on the screen would be lost if it showed the plan as it is kept."""
        return not self.queue and not self.clash and (self._let_go or not self.tried)

    def _follow(self, kept: Kept) -> None:
        self.shown, self.tried, self._let_go, self.unreadable = kept.number, False, False, None
        self.known(kept.plan, kept.number)
        if kept.plan != self.desk.plan:
            self.desk.follow(kept.plan)

    def known(self, plan: Plan, number: int) -> None:
        """Remember under which number a plan is kept."""
        self._numbers[plan.digest] = number
        if len(self._numbers) > _NUMBERS:
            self._numbers.pop(next(iter(self._numbers)))

    def _begun(self) -> tuple[Store, Actor, str]:
        """Return where the plan is kept, as a new one if it is not yet."""
        if self.store is None or self.actor is None:
            raise KpiError("not_kept", "Nothing can be kept: this browser sends no cookie. Save the plan as a file.")
        with self._beginning:
            if self.plan_id is None:
                kept = self.store.begin(self.actor, self._first, key=self._begin_key, author=self.author)
                self.known(self._first, kept.number)
                self.plan_id = kept.plan_id
                self.on_begun(kept.plan_id)
        return self.store, self.actor, self.plan_id

    def _begin_anew(self) -> bool:
        """Keep the plan as a new one if its storage was replaced by one without it; return whether it was."""
        store = self.store
        if store is None or store.generation == self._generation or self.role == "view":
            return False
        with self.desk.lock, self._lock:
            self._generation, self.plan_id, self.role = store.generation, None, "facilitate"
            self._first, self._begin_key, self._arrived, self.clash = self.desk.plan, new_key(), None, None
            self._numbers.clear()
            whole = [isinstance(step.before, Plan) and isinstance(step.after, Plan) for step in self.desk.steps]
            self.desk.at = sum(whole[: self.desk.at])
            self.desk.steps = [step for step, is_whole in zip(self.desk.steps, whole, strict=True) if is_whole]
            self.shown = Pending(self.desk.plan, "change", 1)
            self.queue[:] = [self.shown]
            self.closed = self.tried = self._let_go = self._stopped = False
            self.anew = KpiError(
                "store_replaced",
                "The storage was replaced while the app ran, and this plan was not in it."
                " It is saved there as a new plan. Make its links anew.",
            )
            self._work()
        return True

    def _work(self) -> None:
        """Have a thread at work, one at most."""
        if not self._at_work:
            self._at_work = True
            try:
                threading.Thread(target=self._keep_all, daemon=True).start()
            except RuntimeError as error:  # the server has no thread left; the next look tries again
                self._at_work = False
                self.trouble = out_of_turn()
                logs.tell("keeping_failed", level=logging.ERROR, **logs.broken(error))

    def _keep_all(self) -> None:
        failed = 0
        while True:
            with self._lock:
                pending = self.queue[0] if self.queue else None
                if pending is None and not self._desk_changed:
                    self._at_work = False
                    return
                self._more.clear()
            if pending is None and self._more.wait(QUIET_SECONDS):
                continue
            try:
                self._keep_next(pending)
                failed = 0
            except KpiError as error:
                self.trouble = error
                if pending is None and error.code in _DESK_REFUSED:
                    self._desk_changed = False  # the plan goes on without what lies beside it
                    continue
                if error.code in _REFUSED and self._begin_anew():
                    continue
                if error.code in _REFUSED:
                    self._only_try()
                    return
                self._desk_changed = self._desk_changed or pending is None
                time.sleep(RETRY_SECONDS[min(failed, len(RETRY_SECONDS) - 1)])
                failed += 1
            except Exception as error:  # a bug must not end in a queue that nobody works on
                logs.tell("keeping_failed", level=logging.ERROR, **logs.broken(error))
                self.trouble = KpiError("not_saved", "This could not be saved. Save the plan as a file, and reload.")
                self._stop()
                return

    def _keep_next(self, pending: Pending | None) -> None:
        store, actor, plan_id = self._begun()
        if pending is None:
            if self.desk.lock.acquire(timeout=_A_MOMENT):  # whoever holds it may wait for the next save
                try:
                    self._desk_changed = False
                    state = desk_state.state(self.desk, self._numbers, self.author)
                finally:
                    self.desk.lock.release()
                store.keep_desk(actor, plan_id, state)
            return
        base, plan = pending.offer()
        said = {"key": pending.key, "author": self.author, "kind": pending.kind}
        outcome = store.save(actor, plan_id, base, plan, **said)
        with self._lock:
            self._took(pending, outcome)

    def _took(self, pending: Pending, outcome: Kept | Clashing) -> None:
        self.trouble = None
        self._desk_changed = True
        self.clash = outcome if isinstance(outcome, Clashing) else None
        if isinstance(outcome, Kept):
            pending.kept = outcome
            self.known(outcome.plan, outcome.number)
            if pending.number is None:
                self._arrived = (pending, outcome)
        pending.base = pending.made_of  # what it was made of may be forgotten
        self.queue.remove(pending)
        if not self.queue:
            self._saved.set()

    def _only_try(self) -> None:
        """Keep what was typed on the screen, to try: who does it may only look now, or not even that."""
        with self._lock:
            self.tried = True
            self.queue.clear()
            self._desk_changed = False
            self._saved.set()
        try:
            self.look(at_once=True)
        finally:
            with self._lock:
                self._at_work = False
                if self.queue:  # typed just now
                    self._work()

    def _stop(self) -> None:
        """Stop trying until more is done."""
        with self._lock:
            self._desk_changed = self._at_work = False
            self._stopped = True
            self._saved.set()
