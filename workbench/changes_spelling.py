"""How the values of a plan's fields are written in a sentence: each as the reader knows it from the pages.

A spelling takes a value and the scene it is said in, and returns None where the value is too long for a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_skeleton

from kpi_core.document import Deal, Metric, Text
from kpi_core.errors import KpiError
from kpi_core.formula import parse
from kpi_core.plan import Plan
from kpi_core.readings import sentence
from workbench import formats, words
from workbench.changes_fields import Path
from workbench.words import _

_LONGEST = 60
_MOST = 6  # numbers one reads in a row


@dataclass(frozen=True)
class Scene:
    """Where a value is said: its plan, another that knows names this one lacks, its path, and how exactly.

    `exact` is for two values that would look alike, `in_full` for a place that has room for long ones.
    """

    plan: Plan
    other: Plan
    path: Path
    exact: bool = False
    in_full: bool = False

    def called(self, entry: Path) -> str:
        """Return what an entry is called, in this plan or in the other; its id if neither has it."""
        section, name = entry
        for plan in (self.plan, self.other):
            known: Mapping[str, Any] = getattr(plan, section)
            if name in known:
                return f"{name} {words.name(known[name])}" if section == "ksfs" else words.name(known[name])
        return name

    @property
    def metric(self) -> Metric:
        """Return the metric that the path leads through, or the KGI."""
        metric = self.path[1] if self.path[0] == "metrics" else self.plan.kgi.metric
        return self.plan.metrics.get(metric) or self.other.metrics[metric]


Spelling = Callable[[Any, Scene], str | None]


def short(text: str, scene: Scene) -> str | None:
    """Write people's text in quotation marks, on one line."""
    flat = " ".join(text.split())
    return _("“{text}”").format(text=flat) if scene.in_full or len(flat) <= _LONGEST else None


def unit(text: str, scene: Scene) -> str | None:
    """Write a unit; a metric may have none."""
    return short(text, scene) if text else _("none")


def both_languages(said: Mapping[str, str], scene: Scene) -> str | None:
    """Write a text in the reader's language."""
    return short(words.text(Text.model_validate(said)), scene) if said else _("none")


def plain(number: float, _scene: Scene) -> str:
    """Write a number as one would type it."""
    return formats.grouped(number)


def rank(number: float, _scene: Scene) -> str:
    """Write a rank correlation with its sign."""
    return f"{number:+.2f}"


def share(number: float, scene: Scene) -> str:
    """Write a share or a lift."""
    return f"{formats.grouped(round(number * 100, 10))}%" if scene.exact else words.percent(number)


def money(amount: float, scene: Scene) -> str:
    """Write an amount of money."""
    return formats.money(amount, words.language(), "exact" if scene.exact else "auto")


def hours(amount: float, scene: Scene) -> str:
    """Write hours."""
    return _("{hours} h").format(hours=formats.grouped(amount) if scene.exact else f"{amount:,.0f}")


def minutes(amount: float, _scene: Scene) -> str:
    """Write minutes."""
    return _("{minutes} min").format(minutes=formats.grouped(amount))


def months(number: float, _scene: Scene) -> str:
    """Write how many months."""
    return _("1 month") if number == 1 else _("{count} months").format(count=formats.grouped(number))


def ramp(ends: tuple[float, float], _scene: Scene) -> str:
    """Write when an effect starts and when it is full."""
    start, full = (formats.plain_number(month) for month in ends)
    return _("starts in month {start}, full in month {full}").format(start=start, full=full)


def month(label: str, _scene: Scene) -> str:
    """Write a month of a year: 2026年4月, Apr 2026."""
    return str(format_skeleton("yMMM", date.fromisoformat(f"{label}-01"), locale=words.language()))


def value(number: float, scene: Scene) -> str:
    """Write a metric's value with its unit."""
    return words.editable(number, scene.metric) if scene.exact else words.value(number, scene.metric)


def span(ends: Mapping[str, float], scene: Scene) -> str:
    """Write how far a metric could plausibly be moved; either end may be open."""
    low, high = (value(ends[end], scene) if end in ends else None for end in ("low", "high"))
    if low is None and high is None:
        return _("none")
    if low is None:
        return _("up to {high}").format(high=high)
    return _("from {low}").format(low=low) if high is None else _("{low}–{high}").format(low=low, high=high)


def number(said: Mapping[str, Any], scene: Scene) -> str:
    """Write a metric's number: its formula, or its value with the range."""
    if "formula" in said:
        return formula(said["formula"], scene) or _("a formula")
    alone = value(said["value"], scene)
    if "low" not in said and "high" not in said:
        return alone
    return _("{value} (plausible: {range})").format(value=alone, range=span(said, scene))


def flow(number: float, scene: Scene) -> str:
    """Write a flow of the metric the path ends with."""
    metric = scene.plan.metrics.get(scene.path[-1]) or scene.other.metrics.get(scene.path[-1])
    if metric is None:
        return formats.grouped(number)
    said = words.editable(number, metric) if scene.exact else words.value(number, metric)
    return _("{amount} a month").format(amount=said)


def row(one: Spelling) -> Spelling:
    """Return the spelling of several numbers in a row."""

    def written(numbers: Sequence[float], scene: Scene) -> str | None:
        if len(numbers) > _MOST and not scene.in_full:
            return None
        return " ".join(one(number, scene) or "" for number in numbers) or _("none")

    return written


def lift(ends: tuple[float, float, float], scene: Scene) -> str:
    """Write a lift: low, most likely, high."""
    return " / ".join(share(end, scene) for end in ends)


def tried(counts: tuple[float, float], _scene: Scene) -> str:
    """Write past successes and tries."""
    return " / ".join(formats.grouped(count) for count in counts)


def deal(one: Deal, scene: Scene) -> str:
    """Write a deal of the open pipeline."""
    return _("{amount} ({chance})").format(amount=money(one.amount, scene), chance=share(one.chance, scene))


def formula(text: str, scene: Scene) -> str | None:
    """Write a formula with people's names for things."""
    names = words.names(scene.other) | words.names(scene.plan)
    try:
        said = sentence(parse(text), names, words.language())
    except KpiError:  # a spelling of another version of the app is said as it stands
        said = text
    return said if scene.in_full or len(said) <= 2 * _LONGEST else None


def entry(section: str) -> Spelling:
    """Return the spelling of an id: what the entry is called."""
    return lambda name, scene: scene.called((section, name))


def amount_of(field: str, one: Spelling) -> Spelling:
    """Return the spelling of a link: its one number."""
    return lambda link, scene: one(getattr(link, field), scene)


def yes(_ticked: bool, _scene: Scene) -> str:
    """Write that something is so."""
    return _("yes")


def currency(code: str, _scene: Scene) -> str:
    """Write a currency by its code."""
    return code


def chosen(options: Callable[[], Mapping[str, str]]) -> Spelling:
    """Return the spelling of a choice from a list."""
    return lambda said, _scene: options().get(said, said)


def shapes() -> dict[str, str]:
    """Return how a range may spread, in a word each."""
    return {
        "triangular": _("triangle"),
        "split_normal": _("bell"),
        "lognormal": _("lognormal"),
        "beta": _("from past tries"),
        "poisson": _("luck of a count"),
        "negative_binomial": _("luck of a count that swings more"),
    }


def layers() -> dict[str, str]:
    """Return what layers of KSFs there are."""
    return {"basic": _("basic"), "advanced": _("advanced")}


def periods() -> dict[str, str]:
    """Return over what a KGI is counted."""
    return {"year": _("a year"), "month": _("a month")}
