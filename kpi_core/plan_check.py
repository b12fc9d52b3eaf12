"""Whether parts make a plan: every problem at once, each with the path of its field.

Structural problems come from the parts' own checks (pydantic) and are said in our words;
the rest is what takes two parts to see: names nobody defined, formulas that go in circles.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kpi_core import draws, plan_names, ranges
from kpi_core.document import Ksf, Metric
from kpi_core.errors import KpiError
from kpi_core.formula import Names, fold_name, nearest_names, parse
from kpi_core.plan_bounds import (
    MAX_ENTRIES,
    MAX_FORMULA_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_PROBLEMS,
    MAX_SUGGESTIONS,
    too_many,
)
from kpi_core.plan_text import quoted
from kpi_core.readings import spell_number
from kpi_core.tree import names_of

if TYPE_CHECKING:
    from kpi_core.plan import Plan

SAME, NO_DIGITS_LEFT = 1e-9, 1e-290  # so far two ways to one number may differ; below the latter they lose digits
_PERCENT = re.compile(r"\s*([-+]?[0-9]{1,12}(?:\.[0-9]{1,12})?)\s*[%\uff05]\s*")
_GROUPED = re.compile(r"\s*([-+]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,12})?)\s*")

# What pydantic found (its error type) -> what we say. {path} and the error's own facts fill the blanks.
_SAYS = {
    "missing": KpiError("field_missing", "{path} is missing. Add it."),
    "extra_forbidden": KpiError("field_unknown", "{path} is not a field of a plan. Remove it or correct its name."),
    "string_pattern_mismatch": KpiError("bad_pattern", "{path}: “{found}” is not written as it should be."),
    "literal_error": KpiError("not_a_choice", "{path}: “{found}” is not one of {expected}."),
    "too_short": KpiError("too_short", "{path} has too few entries."),
    "too_long": KpiError("too_long", "{path} has too many entries; at most {max_length} are allowed."),
    "string_too_short": KpiError("text_missing", "{path} is empty. Write something."),
    "string_too_long": KpiError("text_too_long", "{path} is longer than {max_length} characters. Shorten it."),
    "text_empty": KpiError("text_empty", "{path} is empty in both languages. Write it in at least one."),
    **dict.fromkeys(  # half surrogate pairs pydantic refuses by itself
        ("text_unreadable", "string_unicode"),
        KpiError("text_unreadable", "{path} holds characters that cannot be shown. Type it again."),
    ),
    "name_too_long": KpiError("name_too_long", "{path} is longer than 200 characters. Shorten it."),
    "greater_than": KpiError("too_small", "{path}: {found} is too small. It must be more than {gt}."),
    "greater_than_equal": KpiError("too_small", "{path}: {found} is too small. The least is {ge}."),
    "less_than_equal": KpiError("too_large", "{path}: {found} is too large. The most is {le}."),
    "no_value": KpiError("no_value", "{path} has neither a value nor a formula. Give it one."),
    "value_and_formula": KpiError(
        "value_and_formula", "{path} has both a formula and a value of its own. Keep one of the two."
    ),
    "range_order": KpiError(
        "range_order", "{path}: the value must lie between low and high. It says {low}, {value}, {high}."
    ),
    "rate_out_of_range": KpiError("rate_out_of_range", "{path}: a rate lies between 0 (0%) and 1 (100%)."),
    "lift_order": KpiError("lift_order", "{path}: write low, most likely, high in this order, each above -1 (-100%)."),
    "ramp_order": KpiError("ramp_order", "{path}: the effect must start before it is full."),
    "lag_sum": KpiError("lag_sum", "{path}: the shares of the months add up to {percent}%. Make them add up to 100%."),
    "lag_on_input": KpiError("lag_on_input", "{path} has no formula: only what is computed can come later."),
    "season_shape": KpiError("season_shape", "{path}: give twelve weights, January first, not all of them 0."),
    "season_on_formula": KpiError(
        "season_on_formula", "{path} is computed: give the season to what it is computed from."
    ),
    "tried_order": KpiError(
        "tried_order",
        "{path}: at least one must have been tried, and no more can succeed. It says {successes} of {trials}.",
    ),
}
_NOT_A_NUMBER = KpiError("not_a_number", "{path}: “{found}” is not a number.")
_WRITE_PLAINLY = KpiError("not_a_number", "{path}: “{found}” is not a number. Write {plain} instead.")
_NOT_TEXT = KpiError("not_text", "{path} must be text.")
_NOT_ENTRIES = KpiError("not_entries", "{path} must be a list of fields with names.")
_FALLBACK = KpiError("field_invalid", "{path}: “{found}” cannot be used here.")
_FAMILIES = {
    **dict.fromkeys(("float_type", "int_type", "float_parsing", "finite_number", "int_from_float"), _NOT_A_NUMBER),
    **dict.fromkeys(("string_type",), _NOT_TEXT),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type"), _NOT_ENTRIES),
}


class Problems:
    """Problems found so far; none may be lost because another came first, until there are too many to read.

    `data` are the sections of the plan, as data or as parts: what things are called there is told with the problems.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.found: list[KpiError] = []
        self.suggestions = 0

    def add(self, error: KpiError, path: str) -> None:
        """Note a problem and where it is; the last one there is room for is raised with all others."""
        self.found.append(error.about(path=path))
        if len(self.found) == MAX_PROBLEMS:
            self.raise_if_any()

    def add_all(self, error: ValidationError, path: str) -> None:
        """Say in our words what pydantic found."""
        for detail in error.errors(include_url=False):
            where = ".".join([path, *(quoted(str(part)) for part in detail["loc"] if part != "[key]")])
            said = _SAYS.get(detail["type"]) or _FAMILIES.get(detail["type"]) or _FALLBACK
            context: dict[str, Any] = dict(detail.get("ctx") or {})
            found = detail.get("input")
            plain = _plain_number(found) if said is _NOT_A_NUMBER else None
            if plain is not None:
                said, context = _WRITE_PLAINLY, {"plain": plain}
            self.add(said.about(**context, found=_spelt(found)), where)

    def suggests(self) -> bool:
        """Return whether names that look alike may be looked for once more: that takes longer than all the rest."""
        self.suggestions += 1
        return self.suggestions <= MAX_SUGGESTIONS

    def unknown(self, name: str, known: Iterable[str], path: str) -> None:
        """Say that `name` is nobody's id, and whose it might be."""
        nearest = nearest_names(name, list(known)) if self.suggests() else []
        if nearest:
            said = KpiError("unknown_reference", "{path}: nothing is called {name}. Did you mean: {nearest}?")
        else:
            said = KpiError(
                "unknown_reference", "{path}: nothing is called {name}. Add it first, or correct the spelling."
            )
        self.add(said.about(name=name, nearest=", ".join(nearest)), path)

    def raise_if_any(self) -> None:
        """Raise one error that holds all problems.

        Raises
        ------
        KpiError
            `plan_invalid`, with `problems`: a tuple of `KpiError`, each with its `path`; `stopped`: whether there
            may be more; `names`: what the teams, metrics and KSFs in question are called, by `section.id`.
        """
        if self.found:
            raise KpiError(
                "plan_invalid",
                "The plan cannot be used as it is. Problems found: {count}.",
                count=len(self.found),
                problems=tuple(self.found),
                stopped=len(self.found) >= MAX_PROBLEMS,
                names=plan_names.mentioned(self.data, self.found),
            )


def _spelt(found: object) -> str:
    """Return a value of a file as a sentence can quote it."""
    if isinstance(found, float) and math.isfinite(found):
        return quoted(spell_number(found))
    if isinstance(found, str):
        return quoted(found)
    if isinstance(found, Mapping | list | tuple):
        return "{…}" if isinstance(found, Mapping) else "[…]"
    if found is None or isinstance(found, bool):
        return "null" if found is None else str(found).lower()
    return str(found) if isinstance(found, int) and abs(found) < 10**40 else "…"


def _plain_number(found: object) -> str | None:
    """Return how a plan file writes what people write as 2% or 1,200.

    >>> _plain_number("2.5%"), _plain_number("1,200")
    ('0.025', '1200')
    """
    if not isinstance(found, str):
        return None
    if typed := _PERCENT.fullmatch(found):
        return spell_number(round(float(typed[1]) / 100, 14))
    return typed[1].replace(",", "") if (typed := _GROUPED.fullmatch(found)) else None


def check_sizes(section: str, entries: Mapping[str, object], problems: Problems) -> bool:
    """Refuse more entries than the app is made for; return whether there are few enough."""
    limit = MAX_ENTRIES.get(section)
    fits = limit is None or len(entries) <= limit
    if limit is not None and not fits:
        problems.add(too_many(len(entries), limit), section)
    return fits


def check_metrics(
    metrics: Mapping[str, Metric], teams: Iterable[str], known: Mapping[str, Any], problems: Problems
) -> None:
    """Check names, teams and formulas of the metrics that parsed; `known` are all by id, broken ones too."""
    if not check_lengths(metrics, problems):
        return
    broken = {metric: plan_names.stand_in(metric, known[metric]) for metric in known if metric not in metrics}
    names = names_of(dict(metrics) | {metric: entry for metric, (entry, _) in broken.items()})
    all_named = all(complete for _, complete in broken.values()) and not isinstance(known, plan_names.Unreadable)
    taken: dict[str, str] = {}
    for metric, entry in metrics.items():
        if entry.team is not None and entry.team not in teams:
            problems.unknown(entry.team, teams, f"metrics.{metric}.team")
        for name in {fold_name(spelt) for spelt in (entry.name.ja, entry.name.en) if spelt}:
            if taken.setdefault(name, metric) != metric:
                problems.add(
                    KpiError(
                        "name_taken",
                        "{path}: {other} has the same name. Give each metric a name of its own.",
                        other=taken[name],
                    ),
                    f"metrics.{metric}.name",
                )
        for team in entry.work:
            if team not in teams:
                problems.unknown(team, teams, f"metrics.{metric}.work")
        _check_formula(metric, entry, names, problems, all_named=all_named)


def check_lengths(metrics: Mapping[str, Metric], problems: Problems) -> bool:
    """Refuse more characters of names and formulas than are read in seconds; return whether there are few enough."""
    formulas = sum(len(entry.formula or "") + len(entry.by_month or "") for entry in metrics.values())
    names = sum(len(name or "") for entry in metrics.values() for name in (entry.name.ja, entry.name.en, *entry.short))
    if formulas > MAX_FORMULA_CHARACTERS:
        problems.add(
            KpiError(
                "formulas_too_long",
                "The formulas have {count} characters together; {limit} are allowed. Shorten them.",
                count=formulas,
                limit=MAX_FORMULA_CHARACTERS,
            ),
            "metrics",
        )
    if names > MAX_NAME_CHARACTERS:
        problems.add(
            KpiError(
                "names_too_long",
                "The names of the metrics have {count} characters together; {limit} are allowed. Shorten them.",
                count=names,
                limit=MAX_NAME_CHARACTERS,
            ),
            "metrics",
        )
    return formulas <= MAX_FORMULA_CHARACTERS and names <= MAX_NAME_CHARACTERS


def _check_formula(metric: str, entry: Metric, names: Names, problems: Problems, *, all_named: bool) -> None:
    """Check the formulas of a metric; unless all are named, a name that nobody has may be that of a broken one."""
    for field, formula in (("formula", entry.formula), ("by_month", entry.by_month)):
        if formula is not None:
            try:
                parse(formula, names, suggest=problems.suggestions < MAX_SUGGESTIONS)
            except KpiError as error:
                is_unknown = error.code == "formula_unknown_name"
                problems.suggestions += is_unknown
                if all_named or not is_unknown:
                    problems.add(_briefly(error), f"metrics.{metric}.{field}")


def _briefly(error: KpiError) -> KpiError:
    """Return an error about a formula that quotes only the beginning of what stands there."""
    said = {fact: quoted(text) for fact in ("name", "found") if isinstance(text := error.facts.get(fact), str)}
    return error.about(**said)


def check_ksfs(ksfs: Mapping[str, Ksf], known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    """Check that every KSF speaks of teams, metrics and KSFs that exist."""
    for ksf, entry in ksfs.items():
        path = f"ksfs.{ksf}"
        for section, names, field in (
            ("teams", (entry.team,), "team"),
            ("teams", tuple(entry.hours), "hours"),
            ("metrics", tuple(entry.moves), "moves"),
            ("metrics", tuple(entry.needs), "needs"),
            ("ksfs", entry.depends_on, "depends_on"),
            ("ksfs", entry.excludes, "excludes"),
        ):
            for name in names:
                if name not in known[section]:
                    problems.unknown(name, known[section], f"{path}.{field}")


def check_whole(plan: Plan, problems: Problems) -> None:
    """Check what only the whole plan shows: no circles, every metric has a number, months come to the year."""
    try:
        whole = plan.tree.baseline
    except KpiError as error:
        metric = error.facts.get("metric")
        problems.add(error, f"metrics.{metric}.formula" if metric else "metrics")
        return
    try:
        in_time = plan.tree_by_month.baseline
    except KpiError as error:
        metric = error.facts.get("metric")
        problems.add(error, f"metrics.{metric}.by_month" if metric else "metrics")
        return
    _check_ranges(plan, problems)
    for metric, entry in plan.metrics.items():
        same = math.isclose(whole[metric], in_time[metric], rel_tol=SAME, abs_tol=NO_DIGITS_LEFT)
        if entry.by_month is not None and not same:
            problems.add(
                KpiError(
                    "by_month_differs",
                    "{path} comes to {by_month}, the formula of the year to {value}. Make them the same, or remove it.",
                    by_month=float(in_time[metric]),
                    value=float(whole[metric]),
                ),
                f"metrics.{metric}.by_month",
            )


def _check_ranges(plan: Plan, problems: Problems) -> None:
    """Check that every shape a range is said to have fits it, and that the correlations can hold together."""
    for metric, entry in plan.metrics.items():
        if entry.shape is not None and entry.formula is None:
            try:
                ranges.distribution(entry, name=metric)
            except KpiError as error:
                problems.add(error, f"metrics.{metric}.shape")
    links = plan.assumptions.correlations
    names = list(dict.fromkeys(metric for link in links for metric in link.pair))
    for at, link in enumerate(links):
        if link.pair[0] == link.pair[1]:
            said = KpiError("correlated_with_itself", "{path}: a lever cannot go together with itself. Choose two.")
            problems.add(said, f"assumptions.correlations.{at}")
    try:
        draws.correlated(draws.points(draws.FEWEST, len(names)), names, links)
    except KpiError as error:
        problems.add(error, "assumptions.correlations")
