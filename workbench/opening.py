"""Which desk a visitor gets: of the plan they worked at last, of a plan they name, or a new one.

A visitor is a browser, by the secret in its cookie, or a person who has signed in.

If the database does not answer, people work on all the same: at the desk that is still here, else at a fresh one;
what they do is kept when it does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import desk_state, logs, samples
from workbench.desk import Desk, Desks
from workbench.keeping import Keeping
from workbench.storage import store
from workbench.store import Actor, new_key
from workbench.store.failures import AWAY


def latest(desks: Desks, visitor: str, *, without: str | None = None) -> Desk:
    """Return the desk of the plan a visitor worked at last, else of a fresh sample plan.

    If the database does not answer, that is the desk they used last: it holds what is not saved yet.
    """
    actor = Actor.of(visitor)
    try:
        plan_id = store().latest(actor)
        if plan_id is not None and plan_id != without:
            return at(desks, visitor, plan_id)
        owned = next((one for one in store().plans(actor) if one.deleted_at is None and one.plan_id != without), None)
        if owned is not None:
            return at(desks, visitor, owned.plan_id)
    except KpiError as error:
        return desks.last(visitor, without=without) or _fresh(desks, visitor, error)
    return _fresh(desks, visitor)


def came_too_soon(desk: Desk) -> bool:
    """Return whether a desk is fresh only because the database did not answer, and nothing was done at it."""
    keeping = desk.keeper
    is_fresh = isinstance(keeping, Keeping) and keeping.plan_id is None and keeping.trouble is not None
    return is_fresh and not desk.steps


def at(desks: Desks, visitor: str, plan_id: str, language: str | None = None) -> Desk:
    """Return the desk of a kept plan.

    Raises
    ------
    KpiError
        `not_allowed`; what the database refuses.
    """
    desk = desks.of(visitor, plan_id, partial(_kept, Actor.of(visitor), plan_id))
    try:
        store().looked(Actor.of(visitor), plan_id)
    except KpiError as error:
        if error.code in ("not_allowed", "unknown_plan"):
            raise
        logs.tell("visit_not_counted", level=logging.WARNING, code=error.code)
    if isinstance(desk.keeper, Keeping):
        desk.keeper.look(at_once=True)
        desk.language = desk.language or language
        desk.keeper.keep_desk()  # it is the one worked at last now
    return desk


def new(desks: Desks, visitor: str, plan: Plan, *, after: Keeping, language: str | None) -> Desk:
    """Return the desk of a new plan, which is kept at once; `after` is of the plan that was worked at until now.

    If the database does not answer the plan is kept as soon as it does, and the first undo leads back to the plan
    before: nobody can be shown their other plans until then.

    Raises
    ------
    KpiError
        What the database refuses.
    """
    if after.plan_id is None and after.desk.scenarios:
        after.begin_soon()  # nothing of that plan was changed, but what lies beside it is kept with it
    desk = Desk.holding(plan)
    desk.language = language
    keeping = _keeper(desks, visitor, desk)
    keeping.author = after.author
    try:
        keeping.begin()
    except KpiError as error:
        if error.code not in AWAY:
            raise
        keeping.trouble = error
        desk.lead_back_to(after.desk)
        desks.known_as(visitor, "", desk)
        keeping.begin_soon()
        return desk
    keeping.keep_desk()
    return desk


def copy(desks: Desks, visitor: str, of: Keeping, language: str | None) -> Desk:
    """Return the desk of an own plan that begins with what is on the screen of another."""
    actor, plan = Actor.of(visitor), of.desk.plan
    if of.plan_id is None:
        raise KpiError("unknown_plan", "There is no such plan here.")
    kept = store().save_copy(actor, of.plan_id, plan, key=new_key(), author=of.author)
    of.let_go()
    return at(desks, visitor, kept.plan_id, language)


def adopt(browser: str, person: str) -> None:
    """Let a person who signed in have what their browser had; if the database does not answer, with the next visit."""
    try:
        store().adopt(Actor.of(browser), Actor.of(person))
    except KpiError as error:
        logs.tell("adopt_refused", level=logging.WARNING, code=error.code)


def forget(browser: str, person: str) -> None:
    """Let a browser forget what the person keeps who signs out.

    Raises
    ------
    KpiError
        What the database refuses.
    """
    store().forget(Actor.of(browser), Actor.of(person))


def _fresh(desks: Desks, visitor: str, error: KpiError | None = None) -> Desk:
    def made() -> Desk:
        desk = Desk.holding(samples.sample_plan())
        _keeper(desks, visitor, desk)
        return desk

    desk = desks.of(visitor, "", made)
    if isinstance(desk.keeper, Keeping):
        desk.keeper.trouble = error
    return desk


def _keeper(desks: Desks, visitor: str, desk: Desk) -> Keeping:
    keeping = Keeping(desk, store(), Actor.of(visitor))
    keeping.on_begun = lambda plan_id: desks.known_as(visitor, plan_id, desk)
    return keeping


def _kept(actor: Actor, plan_id: str) -> Desk:
    kept, standing = store().read(actor, plan_id), store().standing(actor, plan_id)
    beside = store().desk(actor, plan_id)
    if kept.problem is not None:
        desk = Desk.holding(samples.sample_plan())
        desk.language = (beside or {}).get("language")
        keeping = Keeping(desk, store(), actor, plan_id, standing.role, str((beside or {}).get("author", "")))
        keeping.shown, keeping.unreadable = kept.number, kept
        return desk
    desk = Desk.holding(kept.plan)
    author = _put_back(desk, beside) if beside else ""
    keeping = Keeping(desk, store(), actor, plan_id, standing.role, author, kept.number)
    keeping.known(kept.plan, kept.number)
    return desk


def _put_back(desk: Desk, beside: Mapping[str, Any]) -> str:
    """Put back what lay beside the plan; if it cannot be read, the plan opens without it."""
    try:
        return desk_state.put_back(desk, beside)
    except (KpiError, LookupError, TypeError, ValueError) as error:
        logs.tell("desk_unreadable", level=logging.WARNING, **logs.broken(error))
        return ""
