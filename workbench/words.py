"""Words and numbers in the reader's language.

English sentences stand in the code inside `_()`; `locales/ja.po` holds the Japanese.
Which language is spoken is asked anew each time (`follow`): a fragment of a page runs
without the main script, so nothing set there would last.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from babel.messages import mofile, pofile

from kpi_core.document import Metric, Text
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.readings import Language
from kpi_core.sensitivity import natural_step
from workbench import formats

_LOCALES = Path(__file__).parent / "locales"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_JOINER = "\u2060"  # invisible; keeps addresses from becoming links and <- from becoming an arrow
_LINKED = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)|(?<=[<>~=!-])(?=[>=-])", re.IGNORECASE)
_forced: ContextVar[str | None] = ContextVar("language", default=None)
_provider: list[Callable[[], str]] = [lambda: "ja"]


class Named(Protocol):
    """Anything with a name in one or two languages."""

    @property
    def name(self) -> Text:
        """Return the name."""


def follow(provider: Callable[[], str]) -> None:
    """Ask `provider` for the language from now on."""
    _provider[0] = provider


@contextmanager
def speaking(spoken: str) -> Iterator[None]:
    """Speak one language inside the block: for tests and exports."""
    token = _forced.set(spoken)
    try:
        yield
    finally:
        _forced.reset(token)


def language() -> Language:
    """Return the language to speak now."""
    return "en" if (_forced.get() or _provider[0]()) == "en" else "ja"


def accepted(header: str) -> Language:
    """Return the language for whoever prefers what `Accept-Language` says: as in the app, English or Japanese."""
    first = header.partition(",")[0].strip().lower()
    return "ja" if first.startswith("ja") or first in ("", "*") else "en"


@cache
def _catalogue(spoken: str) -> gettext.NullTranslations:
    """Return the translations of a language, made from its .po once per process."""
    if spoken == "en":
        return gettext.NullTranslations()
    with (_LOCALES / f"{spoken}.po").open("rb") as file:
        catalogue = pofile.read_po(file, locale=spoken)
    compiled = io.BytesIO()
    mofile.write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _(message: str) -> str:
    """Return the sentence in the language spoken now."""
    return _catalogue(language()).gettext(message) if message else ""  # gettext("") is the .po's header


def md(text: str) -> str:
    r"""Return people's text as text for places that read Markdown: nothing in it is markup, link or image.

    Places that read none (text, code, data frames, charts) take the text as it is: there the backslashes show.

    >>> print(md("**A** [x]"))
    \*\*A\*\* \[x\]
    """
    flat = _LINKED.sub(_JOINER, " ".join(text.split()))
    return _PUNCTUATION.sub(r"\\\1", flat)


def error(raised: KpiError) -> str:
    """Return what went wrong as a sentence, its blanks filled, in letters that a browser can be sent."""
    facts = {name: _fact(fact) for name, fact in raised.facts.items()}
    return _(raised.message).format(**facts).encode("utf-8", "replace").decode()


def _fact(fact: object) -> object:
    return formats.grouped(fact) if isinstance(fact, float) else fact


def name(thing: Named) -> str:
    """Return a thing's name in the language spoken, or in the other if it has none."""
    return text(thing.name)


def text(said: Text) -> str:
    """Return what people wrote in the language spoken, or in the other if they wrote none."""
    own, other = (said.ja, said.en) if language() == "ja" else (said.en, said.ja)
    return own or other or ""


def names(plan: Plan) -> dict[str, str]:
    """Return every metric's name by id."""
    return {metric: name(entry) for metric, entry in plan.metrics.items()}


def team(plan: Plan, metric: str) -> str:
    """Return the name of the team that answers for a metric."""
    own = plan.teams.get(plan.metrics[metric].team or "")
    return name(own) if own else "–"


def kinds() -> dict[str, str]:
    """Return what kinds of metrics there are, in words."""
    return {
        "count": _("Count"),
        "rate": _("Rate"),
        "money": _("Money"),
        "activity": _("Activity"),
        "time": _("Time"),
        "result": _("Result"),
        "monitor": _("Only watched"),
        "kgi": _("KGI"),
    }


def money(amount: float) -> str:
    """Return an amount of the plan's currency."""
    return formats.money(amount, language())


def percent(fraction: float) -> str:
    """Return a share or a relative change."""
    return formats.percent(fraction)


def chance(probability: float, *, finely: bool = False) -> str:
    """Return a probability as a natural frequency: 10回に3回, finely 100回に31回."""
    return formats.chance(probability, language(), of=100 if finely else 10)


def times(number: float) -> str:
    """Return how many times as much something is: 1.25倍, 1.25 times."""
    if 0 < number < 0.1:
        return _("{number} times").format(number=f"{number:.3g}" if number >= 1e-4 else f"{number:.6f}")
    digits = 3 if number < 2 else 2 if number < 100 else 0
    return _("{number} times").format(number=f"{number:,.{digits}f}")


def value(x: float, metric: Metric, *, round_up: bool = False) -> str:
    """Return a metric's value with its unit."""
    return formats.value(x, metric.unit, metric.kind, language(), round_up=round_up)


def needed(x: float, metric: Metric) -> str:
    """Return a value that is needed: nobody can win half a deal, so counts go up to the next whole one."""
    return value(x, metric, round_up=metric.kind in ("count", "activity") and x >= 10)


def apart(was: float, now: float, metric: Metric) -> tuple[str, str]:
    """Return two values of a metric, exactly where rounding would hide that they differ."""
    short = value(was, metric), value(now, metric)
    return short if short[0] != short[1] or was == now else (editable(was, metric), editable(now, metric))


def difference(dx: float, metric: Metric) -> str:
    """Return a change of a metric with its sign: rates in points."""
    return formats.difference(dx, metric.unit, metric.kind, language())


def editable(x: float, metric: Metric) -> str:
    """Return a value as one would type it: exact, so that leaving the field changes nothing."""
    if metric.unit == "%":
        return f"{formats.plain_number(x * 100)}%"
    return formats.grouped(x)


def joined(parts: Iterable[str]) -> str:
    """Return names one after the other, for a table's cell."""
    return ("、" if language() == "ja" else ", ").join(parts)


@dataclass(frozen=True)
class Scale:
    """How a slider shows a metric: numbers divided by `unit`, in steps, in a format."""

    unit: float
    step: float
    format: str
    digits: int

    def shown(self, x: float) -> float:
        """Return the number on the slider for a value of the plan."""
        return round(x / self.unit, self.digits)

    def plain(self, shown: float) -> float:
        """Return the plan's value for a number on the slider."""
        return round(shown * self.unit, 12)


def scale(metric: Metric) -> Scale:
    """Return the slider of a lever: rates in %, yen in 万円 or millions, half a natural step at a time."""
    middle = sum(metric.span) / 2  # not the value: a step that changed under the finger would make a new slider
    step = abs(natural_step(metric, middle)) / 2
    if metric.unit == "%":
        return Scale(0.01, round(step * 100, 4), "%.2f%%" if step < 0.005 else "%.1f%%", 4)
    if metric.unit.startswith("円") and middle >= 100_000:
        unit, spelt = (1e4, "%.0f万円") if language() == "ja" else (1e6, "¥%.2fM")
        return Scale(unit, round(step / unit, 6), spelt, 6)
    return Scale(1.0, step, "localized", 0 if step >= 1 else 6)
