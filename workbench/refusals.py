"""What was refused, in people's words: each problem, the place it is in by the name people know, and the cure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import streamlit as st

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import changes_names, plan_problems, sentences_focus, session, words
from workbench.words import _, md

# The facts of an error that are the id of something, and of what: the first kind that has it.
_ONE: Mapping[str, str] = MappingProxyType(
    {
        "metric": "metric",
        "lever": "metric",
        "first": "metric ksf",
        "second": "metric ksf",
        "other": "metric ksf",
        "ksf": "ksf",
        "team": "team",
        "resource": "limit",
    }
)


def problems(error: KpiError) -> tuple[KpiError, ...]:
    """Return the single problems an error is made of."""
    found = error.facts.get("problems")
    return found if isinstance(found, tuple) else (error,)


def reasons(error: KpiError, *, place: str = "") -> list[str]:
    """Return each problem as a sentence in the reader's language, with the names people know.

    Of a field `place` is what it is called. Of a whole file `plan_problems` says what is wrong.
    """
    found = [words.error(named(_placed(problem, place) if place else problem)) for problem in problems(error)]
    rest = [_("… and {count} more.").format(count=len(found) - 12)] if len(found) > 12 else []
    return found[:12] + rest


def refuse(error: KpiError, *, in_file: bool = False) -> None:
    """Say what was refused, where and what to do; the plan stays as it was."""
    said = (
        plan_problems.sentences(error)
        if in_file
        else [each for one in problems(error) for each in reasons(one, place=_owner(one))]
    )
    lines = [f"- {md(reason)}" for reason in said]
    st.error("\n".join([_("Nothing was changed. What is in the way:"), "", *lines]), icon=":material/block:")


def _owner(error: KpiError) -> str:
    """Return what people call the place that a path leads to: a metric, a KSF or a team, else that part of the plan."""
    path = str(error.facts.get("path", ""))
    if not path:
        return ""
    plan, (section, name, *_rest) = session.plan(), [*path.split("."), ""]
    things: dict[str, Mapping[str, Any]] = {"metrics": plan.metrics, "ksfs": plan.ksfs, "teams": plan.teams}
    known = things.get(section, {})
    if name in known:
        return words.name(known[name])
    part = None if section in things else changes_names.field(tuple(path.split(".")))
    return part.name if part is not None and "{" not in part.name else changes_names.thing((section,))


def _placed(error: KpiError, place: str) -> KpiError:
    """Return the error with what the field is called instead of its path, and its numbers as they are typed."""
    section, name, *_rest = [*str(error.facts.get("path", "")).split("."), ""]
    said: dict[str, object] = {"path": place}
    if section == "metrics" and (metric := session.plan().metrics.get(name)):
        numbers = {fact: error.facts.get(fact) for fact in ("low", "value", "high")}
        said |= {
            fact: "–" if number is None else words.editable(number, metric)
            for fact, number in numbers.items()
            if number is None or isinstance(number, float)
        }
    return error.about(**said)


def named(error: KpiError, plan: Plan | None = None) -> KpiError:
    """Return the error with the names people know instead of ids: of metrics, KSFs, teams and limits of the plan."""
    plan = session.plan() if plan is None else plan
    names = words.names(plan)
    facts = dict(error.facts)
    for fact in _ONE.keys() & facts.keys():
        facts[fact] = _name(plan, str(facts[fact]), _ONE[fact])
    if isinstance(loop := facts.get("metrics"), tuple):
        facts["loop"] = " → ".join(names.get(metric, str(metric)) for metric in loop)
    if isinstance(links := facts.get("links"), tuple):
        facts["pairs"] = ", ".join(" – ".join(names.get(metric, str(metric)) for metric in pair) for pair in links)
    if isinstance(users := facts.get("users"), tuple):
        facts["users"] = words.joined(names.get(user, str(user)) for user in users)
    return KpiError(error.code, error.message, **facts)


def _name(plan: Plan, name: str, kinds: str) -> str:
    """Return what people call the first thing of these kinds that has this id; an id of none stays as it is."""
    for kind in kinds.split():
        if kind == "metric" and name in plan.metrics:
            return words.name(plan.metrics[name])
        if kind == "team" and name in plan.teams:
            return words.name(plan.teams[name])
        if kind == "ksf" and name in plan.ksfs:
            return f"{name} {words.name(plan.ksfs[name])}"
        if kind == "limit" and _is_limit(plan, name):
            return sentences_focus.resource(plan, name)
    return name


def _is_limit(plan: Plan, name: str) -> bool:
    kind, _sep, team = name.partition(".")
    return name == "budget" or (kind in ("ksfs", "hours", "q1", "q2", "q3", "q4") and team in plan.teams)
