"""What each field of a plan is called in a sentence, and how its values are written: one table by path.

`*` stands for an id. In a name {one} and {other} are what the last step of the path names.
"""

from __future__ import annotations

from typing import NamedTuple

from workbench import changes_spelling as spelt
from workbench import words
from workbench.changes_fields import Path, pattern
from workbench.changes_spelling import Spelling
from workbench.words import _


class Field(NamedTuple):
    """A field's name, how it is written, and what is said where nothing is ("" = none)."""

    name: str
    spelling: Spelling
    nothing: str = ""


def field(path: Path) -> Field | None:
    """Return the words for the field at a path; None: nobody has any."""
    known, form = _SECTIONS[path[0]]() if path[0] in _SECTIONS else {}, pattern(path)
    return known.get(form[1:]) or known.get((*form[1:-1], "*"))


def thing(path: Path) -> str:
    """Return what a part of the plan is called that has no name of its own."""
    says = {
        "teams": _("Teams"),
        "metrics": _("Metrics"),
        "ksfs": _("KSFs"),
        "drivers": _("Influences outside the formulas"),
        "kgi": _("KGI"),
        "limits": _("Limits"),
        "assumptions": _("Assumptions"),
        "cash": _("From revenue to cash"),
        "opening": _("Open pipeline when the year begins"),
        "decisions": _("What was agreed"),
        "stages": _("Steps of the funnel"),
    }
    return says.get(path[0], _("Plan"))


def _whole() -> dict[Path, Field]:
    return {(): Field(_("Name of the plan"), spelt.both_languages)}


def _currency() -> dict[Path, Field]:
    return {(): Field(_("Currency"), spelt.currency)}


def _year() -> dict[Path, Field]:
    return {("starts",): Field(_("First month"), spelt.month)}


def _kgi() -> dict[Path, Field]:
    return {
        ("metric",): Field(_("KGI"), spelt.entry("metrics")),
        ("target",): Field(_("Goal"), spelt.value),
        ("confidence",): Field(_("Chance to plan for"), spelt.share),
        ("period",): Field(_("Counted over"), spelt.chosen(spelt.periods)),
    }


def _teams() -> dict[Path, Field]:
    limit = _("no limit")
    return {
        ("*", "name"): Field(_("Name"), spelt.both_languages),
        ("*", "members"): Field(_("People"), spelt.plain),
        ("*", "skill"): Field(_("Skill"), spelt.plain),
        ("*", "hours"): Field(_("Hours"), spelt.hours, limit),
        ("*", "quarters"): Field(_("Hours by quarter"), spelt.row(spelt.hours), limit),
        ("*", "max_ksfs"): Field(_("KSFs at most"), spelt.plain, limit),
    }


def _metrics() -> dict[Path, Field]:
    return {
        ("*", "name"): Field(_("Name"), spelt.both_languages),
        ("*", "unit"): Field(_("Unit"), spelt.unit),
        ("*", "kind"): Field(_("Kind"), spelt.chosen(words.kinds)),
        ("*", "team"): Field(_("Team"), spelt.entry("teams")),
        ("*", "value"): Field(_("Value today"), spelt.value),
        ("*", "formula"): Field(_("Formula"), spelt.formula),
        ("*", "controllability"): Field(_("Controllability (1–5)"), spelt.plain),
        ("*", "short", "*"): Field(_("Short names"), spelt.short),
        ("*", "definition"): Field(_("Definition"), spelt.short),
        ("*", "extraction"): Field(_("How it is taken from the records"), spelt.short),
        ("*", "source"): Field(_("Source"), spelt.short),
        ("*", "lag"): Field(_("Lead times"), spelt.row(spelt.share)),
        ("*", "by_month"): Field(_("Formula by month"), spelt.formula),
        ("*", "stock"): Field(_("Is there all year (customers, heads)"), spelt.yes, _("no")),
        ("*", "season"): Field(_("Season"), spelt.row(spelt.plain)),
        ("*", "work", "*"): Field(_("Work for one ({one})"), spelt.minutes),
        ("*", "history"): Field(_("Past months"), spelt.row(spelt.value)),
        ("*", "tried"): Field(_("Past: succeeded / tried"), spelt.tried),
        ("*", "shape"): Field(_("How its range spreads"), spelt.chosen(spelt.shapes), _("triangle")),
        ("*", "illustrative"): Field(_("Illustrative"), spelt.yes, _("no")),
    }


def _ksfs() -> dict[Path, Field]:
    return {
        ("*", "name"): Field(_("Name"), spelt.both_languages),
        ("*", "team"): Field(_("Team"), spelt.entry("teams")),
        ("*", "moves", "*"): Field(_("Lift of {one}"), spelt.lift),
        ("*", "cost"): Field(_("Cost"), spelt.money),
        ("*", "hours", "*"): Field(_("Hours of {one}"), spelt.hours),
        ("*", "ramp"): Field(_("Ramp"), spelt.ramp),
        ("*", "skill"): Field(_("Skill needed"), spelt.plain),
        ("*", "layer"): Field(_("Layer"), spelt.chosen(spelt.layers)),
        ("*", "controllability"): Field(_("Controllability (1–5)"), spelt.plain),
        ("*", "depends_on", "*"): Field(_("Builds on"), spelt.entry("ksfs")),
        ("*", "excludes", "*"): Field(_("Cannot be chosen with"), spelt.entry("ksfs")),
        ("*", "needs", "*"): Field(_("Needs of {one}"), spelt.flow),
        ("*", "actions"): Field(_("Actions"), spelt.both_languages),
        ("*", "source"): Field(_("Source"), spelt.short),
        ("*", "illustrative"): Field(_("Illustrative"), spelt.yes, _("no")),
    }


def _limits() -> dict[Path, Field]:
    return {
        ("budget",): Field(_("Budget"), spelt.money, _("no limit")),
        ("lock", "*"): Field(_("KSFs that must be in"), spelt.entry("ksfs")),
        ("rule_out", "*"): Field(_("KSFs ruled out"), spelt.entry("ksfs")),
    }


def _cash() -> dict[Path, Field]:
    return {
        ("rate",): Field(_("Share that is paid"), spelt.share),
        ("lag",): Field(_("Arrives in the same month, the next, and so on"), spelt.row(spelt.share)),
    }


def _opening() -> dict[Path, Field]:
    return {
        ("stock", "*"): Field(_("Open when the year begins: {one}"), spelt.row(spelt.plain)),
        ("lost", "*"): Field(_("Leaves by age: {one}"), spelt.row(spelt.share)),
        ("deals", "*"): Field(_("Open deals"), spelt.deal),
    }


def _stages() -> dict[Path, Field]:
    return {("*",): Field(_("Steps of the funnel"), spelt.entry("metrics"))}


def _drivers() -> dict[Path, Field]:
    return {("*",): Field(_("Influence of {one} on {other}"), spelt.amount_of("elasticity", spelt.plain))}


def _assumptions() -> dict[Path, Field]:
    return {
        ("execution",): Field(_("Execution: share of initiatives that stick"), spelt.share),
        ("skill_slope",): Field(_("Skill: loss per missing level (slope)"), spelt.plain),
        ("headroom_basic",): Field(_("Headroom: loss per level above 2, basic KSFs"), spelt.plain),
        ("headroom_advanced",): Field(_("Headroom: loss per level above 2, advanced KSFs"), spelt.plain),
        ("headroom_floor",): Field(_("Headroom: the least that is left"), spelt.plain),
        ("headroom_skill",): Field(_("Headroom: the skill above which it shrinks"), spelt.plain),
        ("prerequisite",): Field(_("Factor for a missing prerequisite"), spelt.plain),
        ("prerequisite_skill",): Field(_("Skill that makes up for a missing prerequisite"), spelt.plain),
        ("dilution",): Field(_("Dilution per KSF too many"), spelt.plain),
        ("free_ksfs",): Field(_("KSFs at once before they dilute, skill 1 to 5"), spelt.row(spelt.plain)),
        ("rate_cap",): Field(_("Highest a rate can get"), spelt.share),
        ("horizon_months",): Field(_("Effects are averaged over"), spelt.months),
        ("near_tie",): Field(_("Nearly equal: up to so many times the effect"), spelt.plain),
        ("scatter",): Field(_("How many times a Poisson count's variance deals have"), spelt.plain),
        ("history_weight",): Field(_("What a past try counts for"), spelt.share),
        ("work_days",): Field(_("Working days a month"), spelt.plain),
        ("day_minutes",): Field(_("Minutes a day"), spelt.plain),
        ("utilisation",): Field(_("Utilisation"), spelt.share),
        ("correlations", "*"): Field(_("Correlation of {one} and {other}"), spelt.amount_of("rank", spelt.rank)),
        ("synergies", "*"): Field(_("Synergy of {one} and {other}"), spelt.amount_of("bonus", spelt.share)),
        ("spillovers", "*"): Field(_("Spill-over from {one} to {other}"), spelt.amount_of("share", spelt.share)),
    }


_SECTIONS = {
    "name": _whole,
    "currency": _currency,
    "fiscal_year": _year,
    "kgi": _kgi,
    "teams": _teams,
    "metrics": _metrics,
    "ksfs": _ksfs,
    "limits": _limits,
    "cash": _cash,
    "opening": _opening,
    "stages": _stages,
    "drivers": _drivers,
    "assumptions": _assumptions,
}
