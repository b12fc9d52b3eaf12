"""What a picture's specification may hold: the app's own words only. What people typed is data.

Vega-Lite writes titles and field names into expressions and escapes only `"` there: a line break or a backslash in a
name would empty the picture for everybody who opens the plan.
"""

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi_core import sensitivity
from kpi_core.focus import choose
from kpi_core.focus.contributions import contributions
from kpi_core.focus.prices import frontier
from kpi_core.horizons import horizons
from kpi_core.plan import Plan
from tests.plans import renamed
from workbench import charts, doubt, samples, words
from workbench.charts import picture
from workbench.look import Look
from workbench.rows import chosen_set, deadlines, ledger, one_more, whatif
from workbench.rows import doubt as doubts
from workbench.rows import sensitivity as levers

NAMES = st.text(
    st.sampled_from("\n\t\u2028\\\"'`$") | st.characters(codec="utf-8", exclude_categories=["Cc"]),
    min_size=1,
    max_size=40,
)


def drawn(plan: Plan) -> dict[str, picture.Picture]:
    """Return every picture the pages draw of a plan."""
    before = samples.sample_plan().replace({"metrics.visitors.value": 380_000})
    look, found, doubtful = _looked(), choose(plan), _doubt()
    hours, entry = next(name for name in found.limits.resources if name != "budget"), found.ledger[0]
    look = Look(**{**vars(look), "plan": plan})
    return {
        "calendar": deadlines.calendar(look),
        "course": deadlines.course(look),
        "starts": deadlines.starts(look, look.by_start(before)[:3]),
        "tornado": levers.tornado(plan, sensitivity.tornado(plan.tree, plan.kgi.metric)),
        "grid": levers.grid(plan, sensitivity.two_way(plan, "leads", "close_rate")),
        "fan": doubts.fan(plan, doubtful),
        "shares": doubts.shares(plan, doubtful),
        "bridge": whatif.bridge(plan, before),
        "horizons": chosen_set.horizons(found, horizons(found)),
        "uses": chosen_set.uses(found),
        "waterfall": chosen_set.waterfall(found, contributions(found)),
        "ledger": ledger.ledger(plan, entry),
        "budget": one_more.frontier(found, "budget", frontier(found, "budget")),
        "hours": one_more.frontier(found, hours, frontier(found, hours)),
    }


@cache
def _looked() -> Look:
    plan = samples.sample_plan()
    return Look.at(plan, plan, levers=["visitors"], start=1, confidence=None, ksfs=())


@cache
def _doubt() -> doubt.Doubt:
    return doubt.of(samples.sample_plan(), samples.sample_plan())


@cache
def _plain(language: str) -> dict[str, str]:
    with words.speaking(language):
        return _specifications(drawn(samples.sample_plan()))


def _specifications(pictures: dict[str, picture.Picture]) -> dict[str, str]:
    return {name: json.dumps(found.spec, sort_keys=True) for name, found in pictures.items()}


@pytest.mark.parametrize("language", ["ja", "en"])
@settings(max_examples=10, deadline=None)
@example(name="a\nb")
@example(name="a\u2028b")
@example(name='a\\"b\\')
@given(name=NAMES.filter(str.strip))
def test_no_name_of_a_plan_is_in_a_specification(language: str, name: str):
    """A plan whose every name is another is drawn by the very same specifications."""
    with words.speaking(language):
        assert _specifications(drawn(renamed(samples.sample_plan(), name))) == _plain(language)


def test_every_kind_of_picture_is_looked_at(monkeypatch: pytest.MonkeyPatch):
    made = set()
    build = picture._spec

    def noted(builder, shape):
        made.add(Path(builder.__code__.co_filename).stem)
        return build(builder, shape)

    monkeypatch.setattr(picture, "_spec", noted)
    with words.speaking("en"):
        drawn(samples.sample_plan())

    files = {path.stem for path in Path(charts.__file__).parent.glob("*.py")}
    assert made == files - {"__init__", "picture"}


def test_what_people_named_is_still_to_be_read_on_the_pictures_that_named_it():
    with words.speaking("en"):
        pictures = drawn(renamed(samples.sample_plan(), "Zb7q\n"))

    for name in ("grid", "hours"):
        assert "Zb7q" in pictures[name].data.to_json(), name


@pytest.mark.parametrize("name", ["tornado", "shares", "uses", "calendar"])
def test_two_of_the_same_name_have_a_place_each(name: str):
    """Places go by order, not by name: one metric's English name may be another's only name, in Japanese."""
    with words.speaking("en"):
        pictures = drawn(samples.sample_plan())

    places = {mark["encoding"]["y"]["field"] for mark in pictures[name].spec["layer"] if "y" in mark["encoding"]}
    assert len(pictures[name].data) > 1
    assert places.isdisjoint({"name", "stage"})


def test_no_two_lines_of_a_tooltip_have_one_title():
    """Vega makes an object of them: of two with one title only the last would be shown."""
    with words.speaking("en"):
        pictures = drawn(samples.sample_plan())

    for name, found in pictures.items():
        for tooltip in _tooltips(found.spec):
            titles = [line["title"] for line in tooltip]
            assert len(titles) == len(set(titles)), (name, titles)


def _tooltips(part):
    if isinstance(part, dict):
        yield from ([part["tooltip"]] if isinstance(part.get("tooltip"), list) else [])
        for value in part.values():
            yield from _tooltips(value)
    elif isinstance(part, list):
        for value in part:
            yield from _tooltips(value)
