"""What the parts of a plan are called, read from data that may be no valid plan: a broken part has a name too.

So a formula that names a broken metric is not refused a second time for naming nothing, and a sentence about
a broken plan can use the names that people know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kpi_core.document import MAX_SHORT_NAMES, Metric, Text, is_readable
from kpi_core.errors import KpiError

SECTIONS = ("teams", "metrics", "ksfs")
_LONGEST = 200


class Unreadable(Mapping[str, Any]):
    """The entries of a section that cannot be read: whatever is looked for may be among them, and none is listed."""

    def __contains__(self, _name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def text_of(entry: object) -> Text | None:
    """Return the name of a part or of its raw data, in the languages it has; None: it has none that can be read.

    >>> text_of({"name": "率", "value": "2%"})
    Text(ja='率', en=None)
    """
    name = entry.get("name") if isinstance(entry, Mapping) else getattr(entry, "name", None)
    if isinstance(name, Text):
        return name
    spelt = name if isinstance(name, Mapping) else {"ja": name}
    texts = {language: spelt.get(language) for language in ("ja", "en")}
    usable = {language: text for language, text in texts.items() if _is_name(text)}
    return Text.model_construct(**usable) if usable else None


def stand_in(metric: str, entry: object) -> tuple[Metric, bool]:
    """Return something with the names of a broken metric, and whether these are all the names it has."""
    fields = entry if isinstance(entry, Mapping) else {}
    name, spelt, short = text_of(entry), fields.get("name"), fields.get("short")
    nicknames = (
        tuple(text for text in short[:MAX_SHORT_NAMES] if _is_name(text)) if isinstance(short, list | tuple) else ()
    )
    languages = spelt.values() if isinstance(spelt, Mapping) else (spelt,)
    complete = all(_is_name(text) for text in languages) and short in (None, [*nicknames], nicknames)
    called = name or Text.model_construct(en=metric)
    return Metric.model_construct(name=called, short=nicknames, kind="count"), name is not None and complete


def mentioned(data: Mapping[str, Any], problems: Iterable[KpiError]) -> dict[str, dict[str, str]]:
    """Return the names of the teams, metrics and KSFs that problems are about, by `section.id`.

    >>> problem = KpiError("too_small", "{path}", path="metrics.rate.value")
    >>> mentioned({"metrics": {"rate": {"name": "率"}}}, [problem])
    {'metrics.rate': {'ja': '率'}}
    """
    ids = {name for problem in problems for fact in problem.facts.values() for name in _words(fact)}
    names: dict[str, dict[str, str]] = {}
    for section in SECTIONS:
        said = data.get(section)
        entries: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
        for name in sorted(ids):
            text = text_of(entries.get(name)) if name in entries else None
            if text is not None:
                names[f"{section}.{name}"] = {key: said for key in ("ja", "en") if (said := getattr(text, key, None))}
    return names


def _is_name(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and len(text) <= _LONGEST and is_readable(text)


def _words(fact: object) -> Iterator[str]:
    """Yield what may be an id in a fact of an error: itself, the steps of a path, the members of a list."""
    if isinstance(fact, str):
        yield from {fact, *fact.split("."), *fact.split(", ")}
    elif isinstance(fact, tuple):
        for member in fact:
            yield from _words(member)
