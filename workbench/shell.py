"""The main script: page settings, language, navigation, the plan's header, then the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from kpi_core.errors import KpiError
from workbench import connection, header, page, pictures, repair, session, signing_in, standing, unseen, words
from workbench.words import _

_PAGES = Path(__file__).parents[1] / "pages"


def _page(name: str, title: str, icon: str, *, default: bool = False) -> st.Page:
    url = None if default else name
    return st.Page(_PAGES / f"{name}.py", title=title, icon=icon, url_path=url, default=default)


def _menu(sections: Mapping[str, Sequence[st.Page]]) -> None:
    """List the pages: Streamlit's own list of sections is no list to a screen reader."""
    with st.sidebar.container(gap="xsmall", key="menu"):
        for section, pages in sections.items():
            if section:
                st.caption(section)
            for entry in pages:
                st.page_link(entry, width="stretch")


def main() -> None:
    """Draw the page the address names."""
    with words.speaking(session.language()):  # asked once; callbacks, which run before, ask for themselves
        _draw()


def _draw() -> None:
    st.set_page_config(page_title="Gyakusan 逆算", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
    sections = {
        "": [_page("home", _("Home"), ":material/home:", default=True)],
        _("Design"): [_page("tree", _("Tree"), ":material/account_tree:")],
        _("Explore"): [
            _page("whatif", _("What if"), ":material/tune:"),
            _page("sensitivity", _("Levers"), ":material/bar_chart:"),
            _page("deadlines", _("Deadlines"), ":material/event:"),
        ],
        _("Decide"): [_page("focus", _("Focus"), ":material/center_focus_strong:")],
        _("Share"): [
            _page("share", _("Links and files"), ":material/share:"),
            _page("versions", _("Versions"), ":material/history:"),
        ],
    }
    chosen = st.navigation(sections, position="hidden")
    _menu(sections)
    signing_in.offer()
    page.style()
    pictures.begin()
    keeping = standing.look()
    connection.watch(keeping.plan_id)
    if keeping.closed:
        standing.closed(keeping)
        return
    if keeping.unreadable is not None:
        repair.show(keeping, keeping.unreadable)
        return
    unseen.shows(keeping.desk)
    header.show(keeping)
    try:
        chosen.run()
    except page.End:
        pass
    except KpiError as error:
        page.no_value(error)
    pictures.end()


main()
