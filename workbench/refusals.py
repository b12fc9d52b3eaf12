"""What was refused, in people's words: each problem, the place it is in by the name people know, and the cure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kpi_core.errors import KpiError
from workbench import plan_problems, session, words
from workbench.words import _, md


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
    """Return the name of the metric, KSF or team that a path leads to, if the plan has it."""
    plan, (section, name, *_rest) = session.plan(), [*str(error.facts.get("path", "")).split("."), ""]
    things: dict[str, Mapping[str, Any]] = {"metrics": plan.metrics, "ksfs": plan.ksfs, "teams": plan.teams}
    known = things.get(section, {})
    return words.name(known[name]) if name in known else ""


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


def named(error: KpiError) -> KpiError:
    """Return the error with the names people know instead of ids."""
    names = words.names(session.plan())
    facts = dict(error.facts)
    for fact in ("metric", "other", "lever", "first", "second"):
        if fact in facts:
            facts[fact] = names.get(str(facts[fact]), str(facts[fact]))
    if (team := session.plan().teams.get(str(facts.get("team")))) is not None:
        facts["team"] = words.name(team)
    if isinstance(loop := facts.get("metrics"), tuple):
        facts["loop"] = " → ".join(names.get(metric, str(metric)) for metric in loop)
    if isinstance(links := facts.get("links"), tuple):
        facts["pairs"] = ", ".join(" – ".join(names.get(metric, str(metric)) for metric in pair) for pair in links)
    if isinstance(users := facts.get("users"), tuple):
        facts["users"] = ", ".join(names.get(user, str(user)) for user in users)
    return KpiError(error.code, error.message, **facts)
