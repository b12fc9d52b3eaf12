"""Opens every page on a plan, as a person would one after the other, and fails where one breaks or is cut short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streamlit import config
from streamlit.testing.v1 import AppTest

from kpi_core.plan import Plan
from workbench.desk import Desk
from workbench.words import speaking

PAGES = ("home", "tree", "whatif", "sensitivity", "deadlines", "focus", "share", "versions")


def open_every_page(plan: Plan, *, language: str, desk: Desk | None = None) -> None:
    """Open all pages on this plan (or on a desk that has a history); each has a title and no error."""
    desk = Desk.holding(plan) if desk is None else desk
    desk.language = language
    app = AppTest.from_file("../../workbench/shell.py", default_timeout=300)
    app.session_state["visit"] = {"session_desk": desk}
    with speaking(language), _details():  # AppTest spells the options of a choice outside of any page
        app.run()
        for page in PAGES:
            if page != "home":
                app.switch_page(f"../pages/{page}.py").run()
            check(app, page)


@contextmanager
def _details() -> Iterator[None]:
    """Have a page that breaks say what broke, which it must not do for visitors."""
    usual = config.get_option("client.showErrorDetails")
    config.set_option("client.showErrorDetails", "full")
    try:
        yield
    finally:
        config.set_option("client.showErrorDetails", usual)


def check(app: AppTest, page: str) -> None:
    """Fail if the page that is shown broke, was cut short by an error, or shows something that is no number."""
    broken = [f"{one.message}\n{''.join(one.stack_trace or ())}" for one in app.exception]
    assert not broken, f"{page}: {broken}"
    assert not app.error, f"{page}: {[one.value for one in app.error]}"
    assert app.title, f"{page} shows no question"
    words = {
        word.strip(".,:;()*_\\").lower()
        for kind in ("markdown", "caption")
        for one in app.get(kind)
        for word in str(one.value).split()
    }
    assert not words & {"nan", "inf", "-inf", "nan%", "inf%"}, page
