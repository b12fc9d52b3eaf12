"""Visits to the app's pages with a store of their own: whose browser, which plan, in which role."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from kpi_core.plan import Plan
from tests.serving import BUSY_SECONDS
from workbench import opening, samples, session, storage
from workbench.desk import Desk
from workbench.keeping import Keeping
from workbench.store import Actor, Link, Role, Store, new_key
from workbench.store.engine import connect

ME, GUEST = "m" * 43, "g" * 43  # cookies


@contextmanager
def app_store(folder: Path) -> Iterator[Store]:
    """Yield a store that is the app's for now, and have the browser send `ME`."""
    opened = Store(connect(f"sqlite:///{folder}/kept/plans.sqlite3"))
    session._desks.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "store", lambda: opened)
        patch.setattr(opening, "store", lambda: opened)
        patch.setattr(session, "_browser", lambda: ME)
        yield opened
    session._desks.cache_clear()
    opened.close()


def kept(store: Store, plan: Plan | None = None, *, cookie: str = ME) -> str:
    """Return the id of a new plan."""
    return store.begin(Actor.of(cookie), plan or samples.sample_plan(), key=new_key(), author="田中").plan_id


def come_by(store: Store, plan_id: str, role: Role, *, owner: str = ME, guest: str = GUEST, **more: Any) -> Link:
    """Let a guest come by a new link of the plan."""
    link, token = store.issue(Actor.of(owner), plan_id, role, **more)
    assert store.enter(Actor.of(guest), token, address="10.0.0.1") == plan_id
    return link


def visit(
    store: Store | None = None,
    plan_id: str | None = None,
    *,
    cookie: str = ME,
    language: str = "en",
    page: str = "share",
) -> AppTest:
    """Open the page as a browser that works at this plan."""
    app = AppTest.from_file("../workbench/shell.py", default_timeout=300)
    app.context = {"url": "https://plans.example.test/share", "timezone": "Asia/Tokyo"}
    if store is None:
        desk = Desk.holding(samples.sample_plan())
    elif plan_id is None:
        desk = Desk.holding(samples.sample_plan())
        Keeping(desk, store, Actor.of(cookie))
    else:
        actor = Actor.of(cookie)
        first = store.read(actor, plan_id)
        desk = Desk.holding(first.plan)
        Keeping(desk, store, actor, plan_id, store.standing(actor, plan_id).role, "", first.number)
    desk.language = language
    app.session_state["visit"] = {"session_desk": desk}
    app.run()
    return app.switch_page(f"../pages/{page}.py").run()


def said(app: AppTest) -> str:
    """Return all text of a page that AppTest can see."""
    kinds = ("title", "subheader", "markdown", "caption", "info", "error", "warning", "toast")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind)).replace("\\", "")


def keys(app: AppTest) -> set[str]:
    """Return the keys of the buttons on a page."""
    return {str(button.key) for button in app.button}


def settled(desk: Desk) -> None:
    """Wait until what was done is kept."""
    ends = time.monotonic() + BUSY_SECONDS
    while not isinstance(desk.keeper, Keeping) or desk.keeper.status in ("saving", "waiting"):
        assert time.monotonic() < ends, "it is never kept"
        time.sleep(0.02)


def session_plan(app: AppTest) -> str:
    """Return the id of the plan the page works on."""
    return app.session_state["visit"]["session_desk"].keeper.plan_id
