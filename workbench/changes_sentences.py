"""One change of a plan as one sentence of plain text, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kpi_core.document import Decision, Text
from kpi_core.plan import Plan
from workbench import changes_spelling as spelt
from workbench import words
from workbench.changes_fields import ENTRIES, Path, is_entry, is_list, named_in, pattern
from workbench.changes_names import Field, field, thing
from workbench.changes_spelling import Scene
from workbench.words import _

_MOST = 12  # steps of a funnel that are named one after the other


@dataclass(frozen=True)
class Told:
    """A change as it is told: where, what kind, what it was and is, and the plans before and after."""

    path: Path
    kind: str
    was: Any
    now: Any
    before: Plan
    after: Plan

    @property
    def scenes(self) -> tuple[Scene, Scene]:
        """Return the scenes of what was and of what is now."""
        return Scene(self.before, self.after, self.path), Scene(self.after, self.before, self.path)

    def ends(self, write: Callable[[Any, Scene], str | None]) -> tuple[str | None, str | None]:
        """Return what was and what is now as written, exactly where round numbers would look alike."""
        was, now = (write(value, scene) for value, scene in zip((self.was, self.now), self.scenes, strict=True))
        if was != now or self.was == self.now:
            return was, now
        first, second = (replace(scene, exact=True) for scene in self.scenes)
        return write(self.was, first), write(self.now, second)


def sentence(told: Told) -> str:
    """Return the sentence of a change."""
    form = pattern(told.path)
    if told.kind == "moved":
        return _moved(told)
    if is_entry(told.path):
        return _came_or_went(told)
    if told.path[0] == "decisions":
        return _agreed(told)
    if form == ("metrics", "*", "value"):
        return _number(told)
    if told.path == ("name",) or form[1:] == ("*", "name"):
        return _renamed(told)
    known = field(told.path)
    if known is None:
        return _("{place}: a detail was changed").format(place=owner(told.scenes[1]))
    if is_list(told.path[:-1]) and told.kind != "changed" and told.path[0] not in ("drivers", "assumptions"):
        return _member(told, known)
    return _field(told, known)


def owner(scene: Scene) -> str:
    """Return the name of the thing a field belongs to."""
    if scene.path[0] in ENTRIES and len(scene.path) > 1:
        return scene.called((scene.path[0], scene.path[1]))
    return thing(scene.path)


def place(scene: Scene, known: Field | None) -> str:
    """Return where a field is: the thing and what the field is called; of the whole plan only the latter."""
    if known is None:
        return owner(scene)
    ends = [scene.called(entry) for entry in named_in(scene.path)] or [""]
    name = known.name.format(one=ends[0], other=ends[-1])
    if scene.path == ("kgi", "target"):
        return _("{thing} · {field}").format(thing=words.name(scene.metric), field=name)
    if scene.path[0] in (*ENTRIES, "cash"):
        return _("{thing} · {field}").format(thing=owner(scene), field=name)
    return name


def written(value: Any, scene: Scene, known: Field) -> str | None:
    """Return a value as it is read, the word for nothing where there is none; None if it is too long to say."""
    return (known.nothing or _("none")) if value is None else known.spelling(value, scene)


def _field(told: Told, known: Field) -> str:
    was, now = told.ends(lambda value, scene: written(value, scene, known))
    said = place(told.scenes[1], known)
    if was is not None and now is not None and was != now:
        return _("{place}: {was} → {now}").format(place=said, was=was, now=now)
    if told.was is None:
        return _("{place}: entered").format(place=said)
    return (_("{place}: taken away") if told.now is None else _("{place}: changed")).format(place=said)


def _member(told: Told, known: Field) -> str:
    """Say that something was put into a list or taken out."""
    added = told.kind == "added"
    scene = told.scenes[added]
    member = known.spelling(told.now if added else told.was, scene) or _("a text")
    says = _("{place}: {member} added") if added else _("{place}: {member} removed")
    return says.format(place=place(scene, known), member=member)


def _renamed(told: Told) -> str:
    was, now = (_name(value) for value in (told.was, told.now))
    if was != now:
        says = _("Plan renamed: {was} → {now}") if told.path == ("name",) else _("Renamed: {was} → {now}")
        return says.format(was=was, now=now)
    if words.language() == "ja":
        says, other = _("{thing}: English name {was} → {now}"), "en"
    else:
        says, other = _("{thing}: Japanese name {was} → {now}"), "ja"
    first, second = (" ".join((value.get(other) or _("none")).split()) for value in (told.was, told.now))
    return says.format(thing=now, was=first, now=second)


def _name(said: Any) -> str:
    return " ".join(words.text(Text.model_validate(said)).split())


def _number(told: Told) -> str:
    """Say what a metric's value, range or formula has become."""
    name = owner(told.scenes[1])
    if ("formula" in told.was) != ("formula" in told.now):
        computed = _("{name} is computed now: {now} (was {was})")
        says = computed if "formula" in told.now else _("{name} is an input now: {now} (was {was})")
        was, now = told.ends(spelt.number)
        return says.format(name=name, was=was, now=now)
    if "formula" in told.was:
        path, ends = (*told.path[:2], "formula"), (told.was["formula"], told.now["formula"])
        known = field(path)
        assert known is not None
        return _field(replace(told, path=path, was=ends[0], now=ends[1]), known)
    value, span = (_part(told, names) for names in (("value",), ("low", "high")))
    was, now = value.ends(lambda number, scene: spelt.value(number["value"], scene))
    first, last = span.ends(spelt.span)
    if span.was == span.now:
        return _("{thing} {was} → {now}").format(thing=name, was=was, now=now)
    if value.was == value.now:
        return _("{thing}: plausible range {first} → {last}").format(thing=name, first=first, last=last)
    says = _("{thing} {was} → {now}, plausible range {first} → {last}")
    return says.format(thing=name, was=was, now=now, first=first, last=last)


def _part(told: Told, names: tuple[str, ...]) -> Told:
    was, now = ({name: value[name] for name in names if name in value} for value in (told.was, told.now))
    return replace(told, was=was, now=now)


def _came_or_went(told: Told) -> str:
    added = told.kind == "added"
    name = owner(told.scenes[added])
    if told.path[0] == "ksfs":
        return (_("KSF {name} added") if added else _("KSF {name} removed")).format(name=name)
    if told.path[0] == "teams":
        return (_("Team {name} added") if added else _("Team {name} removed")).format(name=name)
    if told.path[0] != "metrics":
        return (_("{place}: entered") if added else _("{place}: no longer counted")).format(place=name)
    if not added:
        return _("Metric {name} removed").format(name=name)
    return _("Metric {name} added: {value}").format(name=name, value=spelt.number(told.now, told.scenes[1]))


def _moved(told: Told) -> str:
    scene = told.scenes[1]
    if told.path == ("stages",) and len(told.now) <= _MOST:
        steps = " → ".join(scene.called(("metrics", step.partition("#")[0])) for step in told.now)
        return _("Steps of the funnel in another order: {steps}").format(steps=steps)
    said = place(scene, field(told.path))
    return _("{place}: order changed").format(place=said)


def _agreed(told: Told) -> str:
    scene = told.scenes[told.now is not None]
    decision: Decision = told.now or told.was
    if told.kind == "removed":
        return _("Agreement of {date} removed from the log").format(date=decision.date)
    if told.kind == "changed":
        names = [name for field, name in _parts().items() if getattr(told.was, field) != getattr(told.now, field)]
        return _("Agreement of {date}: {fields} changed").format(date=decision.date, fields=words.joined(names))
    return _("Agreed on {date}: {ksfs} ({kgi} {value})").format(
        date=decision.date,
        ksfs=" ".join(decision.chosen) or _("none"),
        kgi=words.name(scene.metric),
        value=spelt.value(decision.kgi, scene),
    )


def _parts() -> dict[str, str]:
    """Return what the parts of an agreement are called."""
    return {
        "date": _("Date"),
        "chosen": _("KSFs"),
        "kgi": _("KGI"),
        "review": _("First looked at again"),
        "note": _("Note"),
        "checks": _("Check-in"),
        "override": _("Why more than a team can carry"),
        "commitments": _("Who does what by when"),
        "postponed": _("What is postponed"),
    }
