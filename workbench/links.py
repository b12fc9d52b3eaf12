"""KSFs that act on one another: the plan's synergies and spill-overs, shown, edited, added and taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from kpi_core.plan import Plan
from kpi_core.plan_text import plain
from workbench import comebacks, fields, formats, session
from workbench.words import _, md

Link = dict[str, Any]
_USUAL = "10%"


def synergies(plan: Plan) -> None:
    """Show which KSFs help one another and by how much, each bonus editable, and offer one more."""
    st.markdown(f"**{_('Synergies: both chosen, each works so much better')}**")
    _kind(plan, "synergies", both=_("{one} and {other}"), first=_("This KSF"), second=_("and this one"))


def spillovers(plan: Plan) -> None:
    """Show which KSFs bring a share of another's effect along, each share editable, and offer one more."""
    st.markdown(f"**{_('Spill-overs: the first, chosen, brings so much of the other along')}**")
    _kind(plan, "spillovers", both=_("{one} → {other}"), first=_("This KSF"), second=_("brings along some of"))


def _kind(plan: Plan, kind: str, *, both: str, first: str, second: str) -> None:
    columns = st.columns(2)
    known = dict.fromkeys(_ends(link) for link in _links(plan, kind))
    for at, ends in enumerate(ends for ends in known if set(ends) <= set(plan.ksfs)):
        with columns[at % 2]:
            _one(plan, kind, ends, both)
    if len(plan.ksfs) < 2:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        one = _ksf(plan, first, f"{kind}_one", list(plan.ksfs))
        _ksf(plan, second, f"{kind}_other", [ksf for ksf in plan.ksfs if ksf != one])
        st.text_input(_("by how much"), value=_USUAL, key=f"{kind}_amount", width=120)
        st.button(_("Add"), key=f"{kind}_add", on_click=_add, args=(kind,))
    fields.reason(f"{kind}_add", _("by how much"))


def _one(plan: Plan, kind: str, ends: tuple[str, str], both: str) -> None:
    """Show one link: its KSFs, its share as a field, and a button that takes it away."""
    key = f"assumptions.{kind}.{'.'.join(ends)}"
    said = both.format(**{end: comebacks.ksf_named(plan, ksf) for end, ksf in zip(("one", "other"), ends, strict=True)})
    shown = next(_amount(link) for link in _links(plan, kind) if _ends(link) == ends)
    field, button = st.columns([3, 1], vertical_alignment="bottom")
    with field:
        fields.typed(md(said), key, f"{formats.plain_number(round(shown * 100, 6))}%", _changed(kind, ends))
    with button:
        st.button(_("Remove"), key=f"{key}.remove", type="tertiary", on_click=_remove, args=(kind, ends))


def _ksf(plan: Plan, label: str, key: str, options: list[str]) -> str:
    if session.typed(key) not in options:
        session.follow(key, options[0])
    chosen: str = st.selectbox(
        label, options=options, format_func=lambda ksf: comebacks.ksf_named(plan, ksf), key=key, width=280
    )
    return chosen


def _links(plan: Plan, kind: str) -> list[Link]:
    return [plain(link) for link in getattr(plan.assumptions, kind)]


def _ends(link: Link) -> tuple[str, str]:
    return tuple(link["pair"]) if "pair" in link else (link["source"], link["target"])


def _amount(link: Link) -> float:
    return float(link["bonus"] if "bonus" in link else link["share"])


def _made(kind: str, ends: tuple[str, str], share: float) -> Link:
    if kind == "synergies":
        return {"pair": list(ends), "bonus": share}
    return {"source": ends[0], "target": ends[1], "share": share}


def _changed(kind: str, ends: tuple[str, str]) -> Callable[[str], dict[str, Any]]:
    def changes(text: str) -> dict[str, Any]:
        made = _made(kind, ends, fields.share(text))
        found = _links(session.plan(), kind)
        return {f"assumptions.{kind}": [made if _ends(link) == ends else link for link in found]}

    return changes


def _remove(kind: str, ends: tuple[str, str]) -> None:
    """Take a link away, of those that are there by now."""
    session.rework(
        lambda plan: plan.replace({f"assumptions.{kind}": [link for link in _links(plan, kind) if _ends(link) != ends]})
    )


def _add(kind: str) -> None:
    """Add the link that the fields say, or give one there is another share; a synergy has no direction."""
    ends = (str(session.typed(f"{kind}_one")), str(session.typed(f"{kind}_other")))
    alike = {ends, ends[::-1]} if kind == "synergies" else {ends}

    def add(plan: Plan) -> Plan:
        made = _made(kind, ends, fields.share(session.typed(f"{kind}_amount")))
        kept = [link for link in _links(plan, kind) if _ends(link) not in alike]
        return plan.replace({f"assumptions.{kind}": [*kept, made]})

    session.rework(add, key=f"{kind}_add")
