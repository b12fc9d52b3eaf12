"""What people write is text on every page, wherever it stands: labels, sentences, tables, choices, notices."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from kpi_core.plan import Plan
from tests.visits import GUEST, ME, app_store, come_by, kept, settled, visit
from workbench import samples, words
from workbench.store import Actor, Store

PAGES = ("home", "tree", "whatif", "sensitivity", "deadlines", "focus", "share", "versions")
HOSTILE = "[x](https://evil.test) ![i](//evil.test/i) :red[B] **b** $a$ <b>'}</style>"
_PLAIN = {  # what Streamlit and the browser show as it is, by the name of the message and of its field
    *("Selectbox.options", "Selectbox.raw_value", "MultiSelect.options", "MultiSelect.raw_values", "Code.code_text"),
    *("TextInput.value", "TextInput.default", "TextInput.placeholder", "TextArea.value", "TextArea.default"),
    *("VegaLiteChart.spec", "VegaLiteChart.alt", "BidiComponent.json", "Text.body", "Slider.options"),
}


def hostile_plan() -> Plan:
    """Return the sample with everything in it that people write."""
    sample = samples.sample_plan()
    changes: dict[str, Any] = {"name": named("plan")}
    for section in ("metrics", "ksfs", "teams"):
        changes |= {f"{section}.{one}.name": named(one) for one in getattr(sample, section)}
    changes |= {"ksfs.M1.source": HOSTILE, "ksfs.M1.actions": {"ja": HOSTILE, "en": HOSTILE}}
    changes |= {"metrics.visitors.definition": HOSTILE, "metrics.visitors.short": [HOSTILE]}
    changes |= {f"metrics.{one}.unit": "[x](//e)" for one in ("visitors", "leads")} | {"metrics.leads.source": HOSTILE}
    commitment = {
        "why": HOSTILE,
        "owner": HOSTILE,
        "actions": [{"text": HOSTILE, "owner": HOSTILE, "due": "2026-05-01"}],
    }
    postponed = {"F2": {"when": "skill", "team": "field_sales", "amount": 4}, "I4": {"when": "ksfs", "ksfs": ["I3"]}}
    decision = {"date": "2026-04-24", "chosen": ["F1", "M1"], "kgi": 9e8, "review": "2026-12-31", "note": HOSTILE}
    decision |= {"override": HOSTILE, "commitments": {"F1": commitment}, "postponed": postponed}
    return sample.replace(changes | {"decisions": [decision]})


def named(one: str) -> dict[str, str]:
    return {"ja": f"{one} {HOSTILE}", "en": f"{one} {HOSTILE}"}


def sent(app: AppTest) -> list[tuple[str, str]]:
    """Return every string a browser is sent, by the name of its message and field."""
    return [pair for node in app._tree if getattr(node, "proto", None) for pair in strings(node.proto)]


def strings(message: Any) -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        for one in value if field.is_repeated else [value]:
            if field.type == field.TYPE_MESSAGE:
                yield from strings(one)
            elif field.type == field.TYPE_STRING:
                yield f"{message.DESCRIPTOR.name}.{field.name}", one


def markup(app: AppTest) -> list[tuple[str, str]]:
    """Return where people's text stands on a page as markup, in a style or in a table."""
    found = sent(app)
    found += [
        ("Table", str(cell)) for table in app.table for cell in [*table.value.columns, *table.value.to_numpy().flat]
    ]
    return [(where, text) for where, text in found if where not in _PLAIN and is_markup(text)]


def is_markup(text: str) -> bool:
    return bool(re.search(r"(?<!\\)\[[xi](?<!\\)\]|(?<!\\):red(?<!\\)\[B|(?<!\\)\*\*b(?<!\\)\*|<b>'}", text))


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with app_store(tmp_path) as opened, words.speaking("en"):
        yield opened


def test_what_is_looked_for_is_found_where_nothing_is_escaped():
    assert is_markup(HOSTILE)
    assert all(is_markup(part) for part in ("a [x](https://evil.test)", ":gray[:red[B]]", "![i](//e)", "** **b** **"))
    assert not is_markup(words.md(HOSTILE))


@pytest.mark.parametrize("name", PAGES)
def test_what_people_write_is_text_on_every_page(store, name):
    plan_id = kept(store, hostile_plan())
    store.label(Actor.of(ME), plan_id, 1, HOSTILE)
    come_by(store, plan_id, "edit", name=HOSTILE)
    changed = hostile_plan().replace({"metrics.cvr.value": 0.013, "metrics.visitors.definition": f"{HOSTILE} 2"})
    store.save(Actor.of(GUEST), plan_id, 1, changed, key="guest", author=HOSTILE, note=HOSTILE)

    app = visit(store, plan_id, language="en", page=name)

    assert not app.exception
    assert any("evil" in text for _where, text in sent(app))
    assert markup(app) == []
    desk = app.session_state["visit"]["session_desk"]
    desk.change({"metrics.meeting_rate.value": 0.7, "ksfs.M1.cost": 1.0})
    settled(desk)
    assert markup(app.run()) == []


def shown(app: AppTest) -> str:
    return "\n".join(text for where, text in sent(app) if where not in _PLAIN)


def test_what_is_refused_in_a_field_is_quoted_as_text(store):
    app = visit(store, kept(store, hostile_plan()), page="home")

    app.text_input(key="kgi.target").set_value(HOSTILE).run()

    assert "“" in shown(app)
    assert words.md(HOSTILE)[:12] in shown(app)
    assert markup(app) == []


def test_what_was_not_put_over_a_change_of_somebody_else_is_quoted_as_text(store):
    app = visit(store, kept(store, hostile_plan()), page="home")
    app.session_state["visit"]["session_desk"].change({"name.en": "Theirs"})

    app.text_input(key="name.en").set_value(HOSTILE).run()

    assert "was not put over it" in shown(app)
    assert words.md(HOSTILE) in shown(app)
    assert markup(app) == []


def test_what_is_wrong_with_a_file_is_quoted_as_text_and_no_more_of_it_than_can_be_read(store):
    app = visit(store, kept(store, hostile_plan()), page="share")
    data = hostile_plan().to_data()
    data["metrics"]["visitors"] |= {f"{at} {HOSTILE}": 1 for at in range(30)}
    file = json.dumps(data).encode()

    app.file_uploader(key="open_as_new").set_value(("plan.json", file, "application/json")).run()

    [said] = [alert.value for alert in app.error]
    assert said.count("\n- ") == 13
    assert "18 more" in said
    assert markup(app) == []


def test_a_move_that_is_offered_again_names_its_lever_as_text(store, monkeypatch):
    plan = hostile_plan()
    app = visit(store, kept(store, plan), page="whatif")
    app.session_state["visit"]["kept_offered_move"] = {"visitors": 420_000.0}

    app.run()

    assert "it was changed elsewhere to" in shown(app)
    assert markup(app) == []


def test_a_notice_is_text(store):
    app = visit(store, kept(store, hostile_plan()), page="share")
    app.session_state["visit"]["session_notice"] = HOSTILE

    app.run()

    assert [toast.value for toast in app.toast] == [words.md(HOSTILE)]


@pytest.mark.parametrize("metric", ["visitors", "leads", "revenue", "cvr"])
def test_what_people_write_is_text_where_a_metric_is_edited(store, metric):
    app = visit(store, kept(store, hostile_plan()), page="tree")
    app.session_state["visit"]["kept_metric"] = metric

    app.run()

    assert any(box.key == f"metrics.{metric}.unit" for box in app.text_input)
    assert not app.exception
    assert markup(app) == []


def test_a_day_that_is_none_is_quoted_as_text(store):
    app = visit(store, kept(store, hostile_plan()), page="focus")

    next(box for box in app.text_input if str(box.key).endswith("_due")).set_value("[x](//e)").run()

    assert words.md("[x](//e)") in shown(app)
    assert markup(app) == []
