"""What is to be reached: the plan's name, its KGI, the number and the year."""

from __future__ import annotations

import streamlit as st

from kpi_core.plan import Plan
from workbench import fields, formats, words
from workbench.words import _


def form(plan: Plan) -> None:
    """Show what the plan aims at, each field editable."""
    name, kgi, goal, year = st.columns([2.2, 2, 1.5, 1])
    language = words.language()
    with name:
        fields.text(_("Name of the plan"), f"name.{language}", getattr(plan.name, language) or "")
    with kgi:
        fields.choice(_("KGI"), "kgi.metric", plan.kgi.metric, words.names(plan))
    with goal:
        target(plan)
    with year:
        fields.typed(
            _("First month"),
            "fiscal_year.starts",
            plan.fiscal_year.starts,
            lambda said: {"fiscal_year.starts": said.strip()},
            help=_("First month of the fiscal year, written as 2026-04."),
        )


def target(plan: Plan) -> None:
    """Show the number the KGI should reach."""
    entry = plan.metrics[plan.kgi.metric]
    fields.typed(
        _("Goal"),
        "kgi.target",
        words.editable(plan.kgi.target, entry),
        lambda said: {"kgi.target": formats.parse(said, entry.unit)},
        help=_("You can write 10億, 800万, 15% or full-width digits."),
    )
