"""The form beside the tree: read and edit one metric, add one, remove one.

Every field writes its own dotted path of the plan when it is left; an entry that cannot be
used stays in its field with the reason below it, and the plan stays as it was.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kpi_core import plan_removal
from kpi_core.document import Metric
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import aim, fields, formats, plan_problems, refusals, removing, sentences, session, words
from workbench.words import _, md

_NEW = "new_metric"
_NEW_REFUSED = f"{_NEW}_said"  # what is refused is said in the form
_DIFFERS = "by_month_differs"


def form(plan: Plan, metric: str) -> None:
    """Show everything about one metric, each field editable."""
    entry = plan.metrics[metric]
    with st.container(border=True, key="editor"):
        st.markdown(f"**{md(words.name(entry))}**")
        if entry.definition:
            st.caption(md(entry.definition))
        language = words.language()
        fields.text(_("Name"), f"metrics.{metric}.name.{language}", getattr(entry.name, language) or "")
        if metric == plan.kgi.metric:
            aim.target(plan)
        if entry.formula is None:
            _number_fields(metric, entry)
        else:
            _formula_field(plan, metric, entry)
        left, right = st.columns(2)
        below = st.container()
        with left:
            fields.text(_("Unit"), f"metrics.{metric}.unit", entry.unit, below=below)
        with right:
            fields.choice(_("Kind"), f"metrics.{metric}.kind", entry.kind, words.kinds())
        teams = {team: words.name(part) for team, part in plan.teams.items()}
        fields.choice(_("Team"), f"metrics.{metric}.team", entry.team, teams)
        _what_is_known(metric, entry)
        _structure(plan, metric, entry)


def _number_fields(metric: str, entry: Metric) -> None:
    path = f"metrics.{metric}"
    _number(_("Value today"), path, "value", entry, about=_("You can write 10億, 800万, 15% or full-width digits."))
    left, right = st.columns(2)
    below = st.container()
    with left:
        _number(_("Plausible low"), path, "low", entry, below=below)
    with right:
        _number(_("Plausible high"), path, "high", entry, below=below)
    if entry.illustrative:
        st.caption(_("Illustrative number. Put in your own figure of the last twelve months."))


def _formula_field(plan: Plan, metric: str, entry: Metric) -> None:
    path = f"metrics.{metric}.formula"
    key = session.follow(path, sentences.formula_as_typed(plan, metric))
    st.text_area(
        _("Formula"),
        key=key,
        on_change=fields.store,
        args=(path, lambda text: _new_formula(metric, text)),
        height=80,
        help=_("Use the names of metrics, numbers, + − × ÷ ^ ( ) and sum, min, max, if."),
    )
    fields.untaken(key)
    error = session.refused(key)
    if error is None:
        st.caption(md(_("Value today: {value}").format(value=words.value(plan.tree.now(metric), entry))))
    else:
        _point_at(session.typed(key), error)
        fields.reason(key, _("Formula"))


def _new_formula(metric: str, text: str) -> dict[str, Any]:
    """Return the change of a formula; what the months had to say beside an older one goes where it no longer fits."""
    plan, changes = session.plan(), {f"metrics.{metric}.formula": text}
    try:
        plan.replace(changes)
    except KpiError as error:
        paths = [str(problem.facts.get("path")) for problem in refusals.problems(error) if problem.code == _DIFFERS]
        if paths and len(paths) == len(refusals.problems(error)):
            return changes | dict.fromkeys(paths)
    return changes


def _point_at(text: str, error: KpiError) -> None:
    """Show the formula with a mark under the character that is wrong."""
    at = next(
        (problem.facts.get("position") for problem in refusals.problems(error) if "position" in problem.facts), None
    )
    if isinstance(at, int) and "\n" not in text:
        wide = [unicodedata.east_asian_width(letter) in "WF" for letter in text[:at]]
        st.code(text + "\n" + "".join("\u3000" if is_wide else " " for is_wide in wide) + "▲", language=None)


def _what_is_known(metric: str, entry: Metric) -> None:
    """Ask for what its chances are judged by: past tries of a rate, and how its range spreads."""
    if entry.is_share:
        shown = "" if entry.tried is None else " / ".join(formats.grouped(number) for number in entry.tried)
        fields.typed(
            _("Past: succeeded / tried"),
            f"metrics.{metric}.tried",
            shown,
            lambda text: {f"metrics.{metric}.tried": _tried(text)},
            placeholder="108 / 540",
            help=_("Take tries that all had their time to succeed. Chances are then judged by them."),
        )
    if entry.kind in ("count", "activity"):
        path = f"metrics.{metric}.stock"
        st.checkbox(
            _("Is there all year (customers, heads)"),
            key=session.follow(path, entry.stock),
            on_change=fields.store,
            args=(path, lambda ticked: {path: ticked or None}),
        )
        fields.untaken(path, quote=False)
    if entry.formula is None:
        fields.choice(_("How its range spreads"), f"metrics.{metric}.shape", entry.shape or "triangular", _shapes())


def _tried(text: str) -> list[float] | None:
    parts = [part for part in re.split(r"[/／]", text) if part.strip()]
    if not parts:
        return None
    if len(parts) != 2:
        raise KpiError("tried_unclear", "Write successes and tries with a stroke between them, as 108 / 540.")
    return [formats.parse(part) for part in parts]


def _shapes() -> dict[str, str]:
    return {
        "triangular": _("Triangle: value most likely, nothing outside low and high"),
        "split_normal": _("Bell: low and high are passed once in ten each"),
        "lognormal": _("Lognormal: low and high are passed once in ten each, never below 0"),
        "beta": _("From past tries (rates)"),
        "poisson": _("Luck of a count (Poisson)"),
        "negative_binomial": _("Luck of a count that swings more, by past months"),
    }


def _structure(plan: Plan, metric: str, entry: Metric) -> None:
    """Offer what changes the tree's shape."""
    with st.container(horizontal=True):
        if entry.formula is None:
            session_key = f"formula_for_{metric}"
            st.text_input(
                _("Compute it from others instead (formula)"),
                key=session_key,
                on_change=fields.store,
                args=(session_key, lambda text: plan_removal.becomes_computed(metric, text)),
            )
            fields.reason(session_key, _("Formula"), quote=True)
        else:
            st.button(
                _("Make it an input"),
                key=f"input_{metric}",
                on_click=_make_input,
                args=(metric,),
            )
        if metric != plan.kgi.metric:
            removing.metric_button(metric)
    removing.metric_question(plan, metric)


def _make_input(metric: str) -> None:
    session.rework(lambda plan: plan.replace(plan_removal.becomes_input(plan, metric)))


def adder(plan: Plan) -> None:
    """Offer a new metric: an input, or one computed by a formula."""
    with st.popover(_("Add a metric"), icon=":material/add:"), st.form(_NEW, border=False):
        st.text_input(_("Name"), key=f"{_NEW}_name")
        st.text_input(_("Value, or a formula"), key=f"{_NEW}_said", placeholder=_("for example 120 or leads × rate"))
        st.text_input(_("Unit"), key=f"{_NEW}_unit")
        st.selectbox(_("Kind"), options=list(words.kinds()), format_func=words.kinds().__getitem__, key=f"{_NEW}_kind")
        teams = {team: words.name(part) for team, part in plan.teams.items()}
        st.selectbox(_("Team"), options=list(teams), format_func=teams.__getitem__, key=f"{_NEW}_team")
        if error := session.refused(_NEW_REFUSED):
            st.caption("\n".join(f":red[{md(said)}]  " for said in plan_problems.sentences(error)))
        st.form_submit_button(_("Add"), on_click=_add, type="primary")


def _add() -> None:
    said = {field: session.typed(f"{_NEW}_{field}") for field in ("name", "said", "unit", "kind", "team")}
    metric = _free_id(session.plan())
    entry: dict[str, Any] = {
        "name": {words.language(): said["name"] or ""},
        "unit": said["unit"] or "",
        "kind": said["kind"],
        "team": said["team"],
    }
    try:
        entry["value"] = formats.parse(said["said"] or "0", entry["unit"])
    except KpiError:
        entry["formula"] = said["said"]
    if session.alter(lambda: session.desk().change({f"metrics.{metric}": entry}), key=_NEW_REFUSED):
        session.remember("metric", metric)
        for field in ("name", "said", "unit"):  # what was refused stays to be mended
            session.follow(f"{_NEW}_{field}", "")


def _free_id(plan: Plan) -> str:
    """Return an id that nobody else takes who adds a metric at this moment: another's data would go into it."""
    while (free := f"metric_{secrets.token_hex(3)}") in plan.metrics:
        pass
    return free


def _number(
    label: str,
    path: str,
    field: str,
    entry: Metric,
    *,
    about: str | None = None,
    below: DeltaGenerator | None = None,
) -> None:
    number = getattr(entry, field)
    shown = "" if number is None else words.editable(number, entry)
    fields.typed(
        label,
        f"{path}.{field}",
        shown,
        lambda text: _number_change(path, field, entry, text),
        below=below,
        help=about,
    )


def _number_change(path: str, field: str, entry: Metric, text: str) -> dict[str, Any]:
    number = formats.parse(text, entry.unit) if text.strip() else None
    changes: dict[str, Any] = {f"{path}.{field}": number}
    if field == "value" and number is not None:
        changes[f"{path}.illustrative"] = None
        if entry.illustrative:  # an example's range must not refuse a team's own number
            changes |= {f"{path}.low": number} if entry.low is not None and number < entry.low else {}
            changes |= {f"{path}.high": number} if entry.high is not None and number > entry.high else {}
    return changes
