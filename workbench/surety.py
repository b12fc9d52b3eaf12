"""How sure people want to be (確度), and how sure a target is: the control and the words, the same on every page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from kpi_core import chance
from kpi_core.chance import Verdict
from kpi_core.luck import luck
from kpi_core.plan import Plan
from kpi_core.targets import TargetChance, target_chances
from workbench import session, words
from workbench.words import _

_KEPT = "surety"
# How many of four bars stand for a chance.
BARS: dict[Verdict, int] = {"reckless": 1, "stretch": 2, "likely": 3, "comfortable": 4}
_EXACT = 0.0
_USUAL = (0.7, 0.8, 0.9)


def choose(plan: Plan, key: str) -> float | None:
    """Return the chance to plan for; None: what adds up exactly, also where no luck can be counted."""
    if luck(plan) is None:
        st.caption(_("This goal is no number of deals small enough for luck to matter: it is planned as it adds up."))
        return None
    options = [_EXACT, *sorted({*_USUAL, plan.kgi.confidence} - {0.0, 1.0})]
    kept = session.recall(_KEPT, _EXACT)
    if session.typed(key) not in options:
        session.follow(key, kept if kept in options else _EXACT)
    chosen = st.segmented_control(
        _("Chance to plan for (luck of the deals)"),
        options=options,
        format_func=lambda option: words.chance(option) if option else _("Just adds up"),
        key=session.follow(key, session.typed(key)),
        required=True,
        on_change=_keep,
        args=(key,),
        help=_(
            "A plan that just adds up reaches its goal about half the time, even if every rate holds: deals are won by"
            " luck as well. To be surer, more must be expected. What is not known of the rates comes on top (Levers)."
        ),
    )
    return float(chosen) if chosen else None


def _keep(key: str) -> None:
    session.remember(_KEPT, session.typed(key))


def kept() -> float | None:
    """Return the chance chosen on any page of this visit."""
    return session.recall(_KEPT, _EXACT) or None


def chances(plan: Plan, needed: Mapping[str, float | None]) -> dict[str, TargetChance]:
    """Return the chance of each needed value that history can judge; the baseline's numbers stand for last year's."""
    return target_chances(
        plan, {metric: value for metric, value in needed.items() if value is not None}, before=session.baseline()
    )


def spoken(found: TargetChance | None) -> str:
    """Say a chance as a natural frequency with what such a target is called; a dash where nothing judges it."""
    if found is None:
        return "–"
    # Two targets that round to the same chance may be called differently: then it is said more finely.
    finely = chance.verdict(round(found.probability, 1)) != found.verdict
    return _("{chance} ({verdict})").format(
        chance=words.chance(found.probability, finely=finely), verdict=verdict(found.verdict)
    )


def verdict(found: Verdict) -> str:
    """Return what a target is called by its chance."""
    says: dict[Verdict, str] = {
        "comfortable": _("comfortable"),
        "likely": _("within reach"),
        "stretch": _("a stretch"),
        "reckless": _("close to reckless"),
    }
    return says[found]
