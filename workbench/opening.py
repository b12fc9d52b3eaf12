"""Which desk a browser gets: the one of the plan it worked at last, of a plan it names, or a new one.

If the database does not answer, people work on all the same; what they do is kept when it does.
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


def latest(desks: Desks, browser: str, *, without: str | None = None) -> Desk:
    """Return the desk of the plan a browser worked at last, else of a fresh sample plan."""
    actor = Actor.of(browser)
    try:
        plan_id = store().latest(actor)
        if plan_id is not None and plan_id != without:
            return at(desks, browser, plan_id)
        owned = next((one for one in store().plans(actor) if one.deleted_at is None and one.plan_id != without), None)
        if owned is not None:
            return at(desks, browser, owned.plan_id)
    except KpiError as error:
        return _fresh(desks, browser, error)
    return _fresh(desks, browser)


def at(desks: Desks, browser: str, plan_id: str, language: str | None = None) -> Desk:
    """Return the desk of a kept plan.

    Raises
    ------
    KpiError
        `not_allowed`; what the database refuses.
    """
    desk = desks.of(browser, plan_id, partial(_kept, Actor.of(browser), plan_id))
    store().looked(Actor.of(browser), plan_id)
    if isinstance(desk.keeper, Keeping):
        desk.keeper.look(at_once=True)
        desk.language = desk.language or language
        desk.keeper.keep_desk()  # it is the one worked at last now
    return desk


def new(desks: Desks, browser: str, plan: Plan, language: str | None, author: str) -> Desk:
    """Return the desk of a new plan, which is kept at once."""
    desk = Desk.holding(plan)
    desk.language = language
    keeping = _keeper(desks, browser, desk)
    keeping.author = author
    keeping.begin()
    keeping.keep_desk()
    return desk


def copy(desks: Desks, browser: str, of: Keeping, language: str | None) -> Desk:
    """Return the desk of an own plan that begins with what is on the screen of another."""
    actor, plan = Actor.of(browser), of.desk.plan
    if of.plan_id is None:
        raise KpiError("unknown_plan", "There is no such plan here.")
    kept = store().save_copy(actor, of.plan_id, plan, key=new_key(), author=of.author)
    of.let_go()
    return at(desks, browser, kept.plan_id, language)


def _fresh(desks: Desks, browser: str, error: KpiError | None = None) -> Desk:
    def made() -> Desk:
        desk = Desk.holding(samples.sample_plan())
        _keeper(desks, browser, desk).trouble = error
        return desk

    return desks.of(browser, "", made)


def _keeper(desks: Desks, browser: str, desk: Desk) -> Keeping:
    keeping = Keeping(desk, store(), Actor.of(browser))
    keeping.on_begun = lambda plan_id: desks.known_as(browser, plan_id, desk)
    return keeping


def _kept(actor: Actor, plan_id: str) -> Desk:
    kept, standing = store().read(actor, plan_id), store().standing(actor, plan_id)
    desk = Desk.holding(kept.plan)
    beside = store().desk(actor, plan_id)
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
