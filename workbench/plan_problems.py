"""What is wrong with a plan, as sentences: each problem where people know it, with the names the plan itself gives.

The plan need not be one that can be built: names come from the error, which has them from what was read, or from the
raw data. Paths and ids (`metrics.rate.value`) are for code; a sentence says “Rate”, Value today.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kpi_core import plan_names
from kpi_core.errors import KpiError
from workbench import words
from workbench.changes_fields import named_in
from workbench.changes_names import field, thing
from workbench.words import _

MOST_SAID = 12  # problems, and members of a list within one
_PARTS = ("teams", "metrics", "ksfs")
_ONE_OF = {
    **dict.fromkeys(("metric", "lever", "other", "first", "second"), ("metrics", "ksfs")),
    "ksf": ("ksfs",),
    "team": ("teams",),
}

Names = Mapping[str, Mapping[str, str]]


def sentences(error: KpiError, data: Any = None) -> list[str]:
    """Return each problem of an error as a sentence in the language spoken now, and how many more there are.

    `data` is what was read, where the error does not know what things are called (it is no `plan_invalid`).
    """
    found = error.facts.get("problems")
    problems = found if isinstance(found, tuple) else (error,)
    looked_up = plan_names.mentioned(data, problems) if isinstance(data, Mapping) else {}
    names: Names = {**looked_up, **_mapping(error.facts.get("names"))}
    said = [_sentence(problem, names) for problem in problems[:MOST_SAID]]
    if len(problems) > MOST_SAID:
        more = _("… and at least {count} more.") if error.facts.get("stopped") else _("… and {count} more.")
        said.append(more.format(count=len(problems) - MOST_SAID))
    return said


def place(path: str, names: Names) -> str:
    """Return where a path leads, in people's words: “Rate”, Value today."""
    steps = tuple(path.split("."))
    if steps[0] in _PARTS:
        return _in_part(steps, names) if len(steps) > 1 else _("“{text}”").format(text=thing(steps))
    if steps[0] == "decisions" and len(steps) > 1:
        return _in_agreement(steps, names)
    label = _label(steps, names) or (thing(steps) if _is_section(steps) else steps[-1])
    return _("“{text}”").format(text=label)


def _sentence(problem: KpiError, names: Names) -> str:
    path = str(problem.facts.get("path", ""))
    where = _unknown_field(path, names) if problem.code == "field_unknown" else place(path, names) if path else ""
    said = words.error(problem.about(**_called(problem, names), path=where))
    shows_place = not where or any(blank in problem.message for blank in ("{path}", "{metric}", "{loop}", "{pairs}"))
    return said if shows_place else _("{place}: {reason}").format(place=where, reason=said)


def _unknown_field(path: str, names: Names) -> str:
    """Return what is no field in its own word, and the part it stands in."""
    steps, word = tuple(path.split(".")), _("“{text}”").format(text=path.rpartition(".")[2])
    inside = steps[:2] if steps[0] in _PARTS and len(steps) > 2 else steps[:1] if len(steps) > 1 else ()
    return _("{place}: {reason}").format(place=place(".".join(inside), names), reason=word) if inside else word


def _called(problem: KpiError, names: Names) -> dict[str, object]:
    """Return the facts that hold ids, with names in their place."""
    facts = problem.facts
    said: dict[str, object] = {
        fact: _name(str(facts[fact]), names, sections) for fact, sections in _ONE_OF.items() if fact in facts
    }
    said |= {fact: "–" for fact in ("low", "value", "high") if fact in facts and facts[fact] is None}
    if isinstance(loop := facts.get("metrics"), tuple):
        said["loop"] = _row(" → ", (_name(str(metric), names, ("metrics",)) for metric in loop), len(loop))
    if isinstance(links := facts.get("links"), tuple):
        pairs = (" – ".join(_name(str(metric), names, ("metrics",)) for metric in pair) for pair in links)
        said["pairs"] = _row(", ", pairs, len(links))
    nearest = [name for name in str(facts.get("nearest", "")).split(", ") if name]
    if problem.code == "unknown_reference":
        said["nearest"] = ", ".join(_with_name(name, names) for name in nearest)
    elif nearest:
        said["nearest"] = ", ".join(dict.fromkeys(_name(name, names, ("metrics",)) for name in nearest))
    return said


def _row(between: str, members: Iterable[str], count: int) -> str:
    """Return the first members of a list, and a mark where there are more."""
    first = [member for _at, member in zip(range(MOST_SAID), members, strict=False)]
    return between.join([*first, "…"] if count > MOST_SAID else first)


def _name(name: str, names: Names, sections: Iterable[str]) -> str:
    """Return what the first thing with this id is called; an id that nothing has stays as it is."""
    for section in sections:
        if known := names.get(f"{section}.{name}"):
            return _spoken(known)
    return name


def _with_name(name: str, names: Names) -> str:
    """Return an id as it has to be written in the file, and what it is called."""
    called = _name(name, names, _PARTS)
    return name if called == name else f"{name} ({called})"


def _spoken(known: Mapping[str, str]) -> str:
    first, other = ("en", "ja") if words.language() == "en" else ("ja", "en")
    return " ".join((known.get(first) or known.get(other) or "").split())


def _in_part(steps: tuple[str, ...], names: Names) -> str:
    section, name = steps[:2]
    called = _name(name, names, (section,))
    if section == "ksfs" and called != name:
        called = f"{name} {called}"
    if len(steps) == 2:
        alone = {"teams": _("Team “{thing}”"), "metrics": _("“{thing}”"), "ksfs": _("KSF “{thing}”")}
        return alone[section].format(thing=called)
    within = {
        "teams": _("Team “{thing}”, {field}"),
        "metrics": _("“{thing}”, {field}"),
        "ksfs": _("KSF “{thing}”, {field}"),
    }
    return within[section].format(thing=called, field=_label(steps, names) or _("“{text}”").format(text=steps[2]))


def _label(steps: tuple[str, ...], names: Names) -> str:
    """Return what the field is called that a path leads to or through; "": it is none of a plan."""
    for end in range(len(steps), 0, -1):
        path = steps[:end]
        form = (path[0], "*", *path[2:]) if path[0] in _PARTS and end > 2 else path
        if label := _CONTAINERS.get(form):
            return label()
        known = field(path) if form[0] not in _PARTS or end > 2 else None
        if known is not None and "{" in known.name and path[-1].isdigit():
            continue  # the member of a list without ids: the list has a name
        if known is not None and "{" in known.name:
            ends = [_name(entry, names, (section,)) for section, entry in named_in(path)]
            return known.name.format(one=ends[0], other=ends[-1]) if ends else thing(steps)
        if known is not None:
            return known.name
    return ""


def _in_agreement(steps: tuple[str, ...], names: Names) -> str:
    number = int(steps[1]) + 1 if steps[1].isdigit() else 1
    label = _AGREEMENT[steps[2]]() if len(steps) > 2 and steps[2] in _AGREEMENT else ""
    if len(steps) > 3 and steps[2] in ("commitments", "postponed"):
        label = _("{place}: {reason}").format(place=label, reason=_name(steps[3], names, ("ksfs",)))
    return _("Agreement {number} in the log, {field}").format(
        number=number, field=label or _("“{text}”").format(text=steps[-1])
    )


def _is_section(steps: tuple[str, ...]) -> bool:
    return steps[0] in _SECTIONS and (len(steps) == 1 or steps[1].isdigit())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


_SECTIONS = ("name", "fiscal_year", "kgi", "limits", "assumptions", "cash", "opening", "stages", "drivers", "decisions")
_CONTAINERS: Mapping[tuple[str, ...], Callable[[], str]] = {
    ("name",): lambda: _("Name of the plan"),
    ("fiscal_year",): lambda: _("First month"),
    ("metrics", "*", "low"): lambda: _("Plausible low"),
    ("metrics", "*", "high"): lambda: _("Plausible high"),
    ("metrics", "*", "short"): lambda: _("Short names"),
    ("metrics", "*", "work"): lambda: _("Work per unit and working time"),
    ("ksfs", "*", "moves"): lambda: _("Metrics it lifts"),
    ("ksfs", "*", "hours"): lambda: _("Hours"),
    ("ksfs", "*", "needs"): lambda: _("What it needs a month"),
    ("ksfs", "*", "depends_on"): lambda: _("Builds on"),
    ("ksfs", "*", "excludes"): lambda: _("Cannot be chosen with"),
    ("limits", "lock"): lambda: _("KSFs that must be in"),
    ("limits", "rule_out"): lambda: _("KSFs ruled out"),
    ("opening", "stock"): lambda: _("Open pipeline when the year begins"),
    ("opening", "lost"): lambda: _("Share that has left by age"),
    ("opening", "deals"): lambda: _("Open deals"),
    ("assumptions", "correlations"): lambda: _("Correlations"),
    ("assumptions", "synergies"): lambda: _("Synergies"),
    ("assumptions", "spillovers"): lambda: _("Spill-overs"),
    ("drivers",): lambda: _("Influences outside the formulas"),
    ("stages",): lambda: _("Steps of the funnel"),
}
_AGREEMENT: Mapping[str, Callable[[], str]] = {
    "date": lambda: _("Date"),
    "chosen": lambda: _("KSFs"),
    "kgi": lambda: _("KGI"),
    "review": lambda: _("First looked at again"),
    "note": lambda: _("Note"),
    "checks": lambda: _("Check-in"),
    "override": lambda: _("Why more than a team can carry"),
    "commitments": lambda: _("Who does what by when"),
    "postponed": lambda: _("What is postponed"),
}
