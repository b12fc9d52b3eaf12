"""The choice as people see it: a card for each team, one KSF opened, the constants, the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from kpi_core.focus import Entry, Focus, Returns, ledger
from kpi_core.focus.overload import overloads
from kpi_core.horizons import Horizons
from kpi_core.plan import Plan
from kpi_core.plan_text import plain
from workbench import (
    fields,
    formats,
    ksf_form,
    links,
    page,
    removing,
    samples,
    sentences,
    sentences_set,
    session,
    theme,
    words,
)
from workbench.rows import chosen_set
from workbench.rows import focus as rows
from workbench.rows import ledger as ledger_rows
from workbench.words import _, md

_FREE = (
    "execution",
    "skill_slope",
    "headroom_basic",
    "headroom_advanced",
    "prerequisite",
    "dilution",
    "rate_cap",
    "near_tie",
)


def warnings(found: Focus) -> None:
    """Warn of teams of little experience that take on too much."""
    for one in overloads(found):
        st.warning(sentences_set.overload(found.plan, one), icon=":material/warning:")


_BESIDE = 3  # teams beside one another


def teams(found: Focus, parts: Mapping[str, float], year: Returns | None) -> None:
    """Show what each team takes on, its `parts` of what the set brings, and how many hours it takes.

    `year` is what the set and its KSFs bring this fiscal year against their cost; None where the KGI is no money.
    """
    plan = found.plan
    if year is not None and (told := sentences_set.loss_of_all(plan, year.whole)):
        st.warning(told, icon=":material/payments:")
    busy = [team for team in plan.teams if any(ksf.team == team for ksf in plan.ksfs.values())]
    for at, team in enumerate(busy):
        if at % _BESIDE == 0:
            columns = st.columns(min(len(busy), _BESIDE))
        with columns[at % _BESIDE].container(border=True, height="stretch", key=f"team_{team}"):
            st.markdown(f"**{md(words.name(plan.teams[team]))}**")
            for ksf in rows.of_team(found, team):
                st.markdown(f"**{ksf}** {md(words.name(plan.ksfs[ksf]))}")
                st.caption(md(rows.brings(found, ksf, parts[ksf])))
                if year is not None and (told := sentences_set.loss(plan, year.by_ksf[ksf])):
                    st.caption(f"**{md(told)}**")
            if not rows.of_team(found, team):
                st.caption(_("Nothing within these limits"))
            st.caption(md(rows.hours(found, team)))
    st.html(_spines(busy))
    if any(ksf.illustrative for ksf in plan.ksfs.values()):
        st.caption(_("Every lift, cost and hour is illustrative until you put in your own."))


def _spines(busy: list[str]) -> str:
    rules = (f".st-key-team_{team} {{ border-left: 4px solid {theme.team_colour(team)}; }}" for team in busy)
    return f"<style>{' '.join(rules)}</style>"


def brings_and_uses(found: Focus, both: Horizons) -> None:
    """Show side by side what the set brings over both horizons, and how much of every limit it uses."""
    brings, uses = st.columns(2, gap="large")
    with brings:
        st.header(_("What does it bring?"), anchor=False)
        page.picture(chosen_set.horizons(found, both), sentences_set.this_and_next(found, both))
    with uses:
        st.header(_("What does it use?"), anchor=False)
        if found.slack:
            page.picture(chosen_set.uses(found), sentences_set.uses(found))
        else:
            st.caption(md(sentences_set.uses(found)))


def one(plan: Plan) -> str:
    """Return the KSF people want to look into."""
    if session.typed("focus_ksf") not in plan.ksfs:
        session.follow("focus_ksf", next(iter(plan.ksfs)))
    ksf: str = st.selectbox(
        _("KSF"),
        options=list(plan.ksfs),
        format_func=lambda ksf: f"{ksf} {words.name(plan.ksfs[ksf])}",
        key="focus_ksf",
        persist_state="session",
        width=420,
    )
    return ksf


def one_effect(found: Focus) -> None:
    """Show how the effect of one KSF comes about, metric by metric, and offer to edit the KSF."""
    plan = found.plan
    st.subheader(_("How one KSF's effect comes about"), anchor=False)
    ksf = one(plan)
    entries = effects(found, ksf)
    for at in range(0, len(entries), 2):
        for column, entry in zip(st.columns(2, gap="large"), entries[at : at + 2], strict=False):
            with column:
                page.picture(ledger_rows.ledger(plan, entry), sentences.effect(plan, entry))
    with st.expander(_("Edit this KSF"), icon=":material/edit:"):
        ksf_form.show(plan, ksf)
        removing.ksf_button(lambda: session.typed("focus_ksf"))
        removing.ksf_question(plan, ksf)


def effects(found: Focus, ksf: str) -> list[Entry]:
    """Return the effects of a KSF in the chosen set, or as they would be if it were added."""
    entries = ledger(found.plan, {*found.chosen, ksf}, objective=found.objective, before=found.before)
    return [entry for entry in entries if entry.ksf == ksf and entry.spills_from is None]


def adder(plan: Plan) -> None:
    """Offer KSFs of the catalogue that fit this plan and are not in it yet."""
    offers = samples.offers(plan)
    if not offers:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            _("Add a KSF from the catalogue (illustrative)"),
            options=list(offers),
            format_func=lambda ksf: f"{ksf} {words.name(offers[ksf])}",
            key="add_ksf",
            width=420,
        )
        st.button(_("Add"), key="add_ksf_button", on_click=_add)


def _add() -> None:
    picked, offers = session.typed("add_ksf"), samples.offers(session.plan())
    if picked in offers:
        session.change({f"ksfs.{picked}": plain(offers[picked])})


def constants(plan: Plan) -> None:
    """Show the constants of the ledger, editable."""
    says = {
        "execution": _("Execution: share of initiatives that stick"),
        "skill_slope": _("Skill: loss per missing level (slope)"),
        "headroom_basic": _("Headroom: loss per level above 2, basic KSFs"),
        "headroom_advanced": _("Headroom: loss per level above 2, advanced KSFs"),
        "prerequisite": _("Factor for a missing prerequisite"),
        "dilution": _("Dilution per KSF too many"),
        "rate_cap": _("Highest a rate can get"),
        "near_tie": _("Nearly equal: up to so many times the effect"),
    }
    with st.expander(_("Assumptions (illustrative)"), icon=":material/science:"):
        columns = st.columns(4)
        for at, name in enumerate(_FREE):
            with columns[at % len(columns)]:
                path = f"assumptions.{name}"
                shown = formats.plain_number(getattr(plan.assumptions, name))
                fields.typed(says[name], path, shown, _number_at(path))
        links.synergies(plan)
        links.spillovers(plan)


def _number_at(path: str) -> fields.Changes:
    return lambda text: {path: formats.parse(text)}
