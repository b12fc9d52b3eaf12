"""What a field says when a button is pressed counts, entered or not; and opening a plan puts none other away.

A browser sends a field that is left and the press of a button one right after the other, often in one message: what a
button was given when it was drawn is older than what stands in the field.
"""

import ast
import time
from itertools import chain
from pathlib import Path

import pytest
from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.plan_removal import of_ksf
from tests.serving import BUSY_SECONDS
from tests.visits import GUEST, ME, app_store, come_by, kept, keys, said, session_plan, settled, visit
from workbench import keeping, opening, plan_files, samples, session, words
from workbench.desk import Desk
from workbench.store import Actor

ROOT = Path(__file__).parents[2]
SAMPLE = samples.sample_plan()


@pytest.fixture
def store(tmp_path):
    with app_store(tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _english():
    """A choice is sent as it is spelt."""
    with words.speaking("en"):
        yield


def desk_of(app):
    return app.session_state["visit"]["session_desk"]


def plan_of(app):
    return desk_of(app).plan


def test_a_scenario_has_the_name_in_the_field_and_the_plan_as_it_is_then():
    app = visit(page="whatif")

    for name, value in (("bold", 500_000.0), ("  bolder  ", 510_000.0), ("bold", 480_000.0), ("Now", 420_000.0)):
        app.text_input(key="scenario_name").set_value(name)
        app.slider(key="lever_visitors").set_value(value)
        app.button(key="keep_scenario").click().run()
        assert app.text_input(key="scenario_name").value == ""

    found = {name: one.metrics["visitors"].value for name, one in desk_of(app).scenarios.items()}
    assert found == {"bold": 500_000, "bolder": 510_000, "bold (2)": 480_000, "Now (2)": 420_000}


def test_an_empty_field_shows_the_name_that_a_scenario_gets():
    app = visit(page="whatif")

    for _time in range(8):  # more than are kept: no name is given twice
        proposed = app.text_input(key="scenario_name").placeholder
        assert proposed not in desk_of(app).scenarios
        app.button(key="keep_scenario").click().run()
        assert [*desk_of(app).scenarios][-1] == proposed


def test_putting_back_takes_along_the_lever_that_was_just_moved():
    app = visit(page="whatif")
    app.slider(key="lever_visitors").set_value(500_000.0).run()

    desk_of(app).change({"metrics.cvr.value": 0.015})  # as the slider does, in a browser before the press
    app.button(key="put_back").click().run()

    assert plan_of(app).tree.baseline == SAMPLE.tree.baseline


def test_the_lever_chosen_when_the_button_is_pressed_is_set():
    app = visit(page="whatif")
    lever = "unit_price"
    needed = app.selectbox(key="take_lever")
    assert needed.value != lever

    needed.select(lever)
    app.button(key="take_one").click().run()

    assert plan_of(app).metrics[lever].value == pytest.approx(SAMPLE.metrics[lever].value * 1e9 / 864e6)
    assert plan_of(app).replace({f"metrics.{lever}.value": SAMPLE.metrics[lever].value}) == SAMPLE


@pytest.mark.parametrize("kind", ["synergies", "spillovers"])
def test_a_link_is_of_the_ksfs_and_the_amount_in_its_fields(kind):
    app = visit(page="focus")
    field = {"synergies": "bonus", "spillovers": "share"}[kind]

    app.selectbox(key=f"{kind}_one").select("F2")
    app.selectbox(key=f"{kind}_other").select("I4")
    app.text_input(key=f"{kind}_amount").set_value("25%")
    app.button(key=f"{kind}_add").click().run()

    made = getattr(plan_of(app).assumptions, kind)[-1]
    ends = made.pair if kind == "synergies" else (made.source, made.target)
    assert (tuple(ends), getattr(made, field)) == (("F2", "I4"), 0.25)


def test_levers_that_go_together_are_those_in_the_fields():
    app = visit(page="sensitivity")

    app.selectbox(key="together_one").select("cvr")
    app.selectbox(key="together_other").select("unit_price")
    app.selectbox(key="together_rank").select(-0.3)
    app.button(key="together_add").click().run()

    made = plan_of(app).assumptions.correlations[-1]
    assert (set(made.pair), made.rank) == ({"cvr", "unit_price"}, -0.3)


def test_the_ksf_chosen_when_the_button_is_pressed_is_added():
    app = visit(page="focus")
    desk_of(app).put(of_ksf(of_ksf(SAMPLE, "F1").plan, "M2").plan)
    app.run()

    app.selectbox(key="add_ksf").select("M2")
    app.button(key="add_ksf_button").click().run()

    assert "M2" in plan_of(app).ksfs
    assert "F1" not in plan_of(app).ksfs


def test_quarters_are_fourths_of_the_hours_in_the_field():
    app = visit(page="focus")

    app.text_input(key="teams.marketing.hours").set_value("800")
    app.button(key="set_teams.marketing.quarters").click().run()

    assert plan_of(app).teams["marketing"].quarters == (200, 200, 200, 200)


def test_an_input_has_the_value_of_the_formula_in_the_field():
    app = visit(page="tree")
    app.session_state["visit"]["kept_metric"] = "leads"
    app.run()

    app.text_area(key="metrics.leads.formula").set_value("visitors * cvr * 2")
    app.button(key="input_leads").click().run()

    assert plan_of(app).metrics["leads"].formula is None
    assert plan_of(app).metrics["leads"].value == pytest.approx(2 * SAMPLE.tree.now("leads"))


def test_what_is_typed_to_agree_on_counts_without_being_entered():
    app = visit(page="focus")

    app.text_input(key="agreed_owner_F1").set_value("佐藤")
    app.text_area(key="agreed_F1_0_text").set_value("Build a template")
    app.text_input(key="agreed_note").set_value("All agree")
    app.button(key="agree").click().run()

    (decision,) = plan_of(app).decisions
    assert (decision.note, decision.commitments["F1"].owner) == ("All agree", "佐藤")
    assert decision.commitments["F1"].actions[0].text == "Build a template"


def test_a_limit_typed_as_one_agrees_makes_another_set_which_nobody_agreed_on_yet():
    app = visit(page="focus")

    app.text_input(key="limits.budget").set_value("2000000")
    app.button(key="agree").click().run()

    assert plan_of(app).limits.budget == 2e6
    assert plan_of(app).decisions == ()
    assert "The plan has changed since this set was chosen." in said(app)
    app.button(key="agree").click().run()
    (decision,) = plan_of(app).decisions
    assert sum(SAMPLE.ksfs[ksf].cost for ksf in decision.chosen) <= 2e6


def test_a_file_holds_the_plan_as_it_is_when_it_is_saved(monkeypatch):
    monkeypatch.setattr(plan_files, "TAKEN_UP_SECONDS", 0)
    desk = Desk.holding(SAMPLE)
    yaml, json = plan_files.contents(desk), plan_files.contents(desk, "json")

    desk.change({"kgi.target": 1.2e9})

    assert Plan.from_text(yaml()) == Plan.from_text(json()) == SAMPLE.replace({"kgi.target": 1.2e9})


def test_a_file_is_kept_while_the_page_that_offered_it_is_drawn_anew(monkeypatch):
    """As Streamlit goes about it: a run registers the button again, and ends with putting away what is not used."""

    class Manager(MediaFileManager):
        pass

    now = [0.0]
    monkeypatch.setattr(plan_files.Unused.__init__, "__defaults__", (lambda: now[0],))
    plan_files.keep_a_while(Manager)
    manager = Manager(MemoryMediaFileStorage("/media"))

    def drawn():
        manager.clear_session_refs("one")
        name = manager.add_deferred(lambda: "plan", "application/yaml", "1.2", "plan.yaml")
        manager.remove_orphaned_files()
        return name

    monkeypatch.setattr(media_file_manager, "_get_session_id", lambda: "one")
    pressed = drawn()
    drawn()
    file = manager.execute_deferred(pressed).rpartition("/")[2]
    drawn()
    assert manager._storage.get_file(file).content == b"plan"

    for _time in range(3):
        now[0] += plan_files.KEPT_SECONDS
        drawn()
    assert len(manager._deferred_callables) <= 2
    with pytest.raises(MediaFileStorageError):
        manager.execute_deferred(pressed)
    with pytest.raises(MediaFileStorageError):
        manager._storage.get_file(file)


def test_a_link_has_what_its_fields_say(store):
    plan_id = kept(store)
    app = visit(store, plan_id)

    app.text_input(key="share_name").set_value("Board")
    app.text_input(key="share_until").set_value("2099-06-30")
    app.button(key="share_make").click().run()

    link = store.links(Actor.of(ME), plan_id)[-1]
    assert link.name == "Board"
    assert link.expires_at.year == 2099
    assert {app.text_input(key=key).value for key in ("share_name", "share_until")} == {""}


def _widgets():
    return {"text_input", "text_area", "selectbox", "multiselect", "number_input", "slider", "segmented_control"}


def _is_widget(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _widgets()


def _named(function, is_value):
    """Return the names that a function gives to values of widgets."""
    assigned = [node for node in ast.walk(function) if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr)]
    found = set()
    for node in assigned:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is not None and is_value(node.value):
            found |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return found


def baked(source: str) -> list[str]:
    """Return where a button's arguments hold what a widget said when the button was drawn."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    givers = set()
    for function in functions:
        names = _named(function, _is_widget)
        returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
        if any(_is_widget(value) or (isinstance(value, ast.Name) and value.id in names) for value in returned):
            givers.add(function.name)

    def is_value(node):
        return _is_widget(node) or (isinstance(node, ast.Call) and getattr(node.func, "id", "") in givers)

    found = []
    for scope in [*functions, tree]:
        names = _named(scope, is_value)
        for call in (node for node in ast.walk(scope) if isinstance(node, ast.Call)):
            given = [keyword.value for keyword in call.keywords if keyword.arg in ("args", "kwargs")]
            used = {node.id for value in given for node in ast.walk(value) if isinstance(node, ast.Name)}
            found += [f"{call.lineno}: {name}" for name in used & names]
    return found


def test_no_button_is_given_what_a_field_said_when_it_was_drawn():
    sources = chain(ROOT.glob("workbench/**/*.py"), ROOT.glob("pages/*.py"))

    found = {path.name: lines for path in sources if (lines := baked(path.read_text("utf-8")))}

    assert found == {}
    assert baked("def f():\n    name = st.text_input('x')\n    st.button('y', on_click=g, args=(name,))")
    assert baked("def p():\n    return st.selectbox('x')\ndef f():\n    a = p()\n    st.button('y', args=([a],))")
    assert not baked("def f():\n    st.text_input('x', key='k')\n    st.button('y', on_click=g, args=('k',))")


def test_no_field_waits_for_a_button_that_is_not_pressed_in_these_tests():
    """A field with a callback of its own says its entry when it is left; the others do at the press of a button."""
    found = {}
    for path in ROOT.glob("workbench/**/*.py"):
        calls = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
        fields = [call for call in calls if getattr(call.func, "attr", "") in ("text_input", "text_area")]
        if waiting := [field for field in fields if "on_change" not in {keyword.arg for keyword in field.keywords}]:
            found[path.name] = len(waiting)

    assert found == {
        "scenarios.py": 1,
        "new_link.py": 2,
        "links.py": 1,
        "agreed.py": 2,  # what was said, and why a team takes on too many: `test_focus_page`
        "agreed_actions.py": 2,
        "editor.py": 3,  # a form: `tests/browser/test_entries.py`
    }


OPENERS = [*(("home", f"use_{name}", samples.template(name)) for name in samples.TEMPLATES[1:3])]
OPENERS += [("share", "sample_plan", SAMPLE)]


@pytest.mark.parametrize(("page", "button", "plan"), OPENERS)
def test_a_template_or_the_sample_opens_as_a_new_plan_and_the_open_one_stays(store, page, button, plan):
    mine = SAMPLE.replace({"name": {"en": "Mine"}})
    plan_id = kept(store, mine)
    link, token = store.issue(Actor.of(ME), plan_id, "view")
    app = visit(store, plan_id, page=page)

    app.button(key=button).click().run()

    settled(desk_of(app))
    assert plan_of(app) == plan
    assert session_plan(app) != plan_id
    assert store.read(Actor.of(ME), plan_id).plan == mine
    assert store.read(Actor.of(ME), plan_id).number == 1
    assert store.enter(Actor.of(GUEST), token, address="10.0.0.9") == plan_id
    assert store.read(Actor.of(ME), session_plan(app)).plan == plan
    assert [one.role for one in store.links(Actor.of(ME), session_plan(app)) if not one.owner] == []
    assert "The one before is under “My plans”." in said(app)
    app.switch_page("../pages/share.py").run()
    app.button(key=f"switch_{plan_id}").click().run()
    assert plan_of(app) == mine
    assert link.id in {one.id for one in store.links(Actor.of(ME), plan_id)}


@pytest.mark.parametrize("role", ["view", "edit", "facilitate"])
def test_who_came_by_a_link_opens_a_template_as_a_plan_of_their_own(store, role):
    plan_id = kept(store)
    come_by(store, plan_id, role)
    app = visit(store, plan_id, cookie=GUEST, page="home")
    session_browser = pytest.MonkeyPatch()
    session_browser.setattr(session, "_browser", lambda: GUEST)

    app.button(key="use_abm").click().run()
    session_browser.undo()

    settled(desk_of(app))
    assert plan_of(app) == samples.template("abm")
    assert session_plan(app) != plan_id
    assert store.standing(Actor.of(GUEST), session_plan(app)).role == "facilitate"
    assert store.read(Actor.of(ME), plan_id).number == 1
    assert not store.can(Actor.of(ME), "read", session_plan(app))


@pytest.mark.parametrize("page", ["home", "share"])
def test_a_file_opens_as_a_new_plan(store, page):
    plan_id = kept(store)
    app = visit(store, plan_id, page=page)
    field = {"home": "open_file", "share": "open_as_new"}[page]

    upload(app, field, samples.template("abm"))

    settled(desk_of(app))
    assert plan_of(app) == samples.template("abm")
    assert session_plan(app) != plan_id
    assert store.read(Actor.of(ME), plan_id).number == 1


def test_a_file_takes_the_place_of_the_open_plan_only_where_that_is_ticked_and_undo_leads_back(store):
    plan_id = kept(store)
    app = visit(store, plan_id)
    desk_of(app).scenarios["bold"] = SAMPLE

    app.checkbox(key="open_in_place").check()
    upload(app, "open_as_new", samples.template("abm"))

    settled(desk_of(app))
    assert session_plan(app) == plan_id
    assert store.read(Actor.of(ME), plan_id).plan == samples.template("abm")
    assert not app.checkbox(key="open_in_place").value
    assert desk_of(app).scenarios == {"bold": SAMPLE}
    app.button(key="header_undo").click().run()
    settled(desk_of(app))
    assert store.read(Actor.of(ME), plan_id).plan == SAMPLE


def test_who_may_only_look_is_not_asked_whether_a_file_shall_take_the_place(store):
    plan_id = kept(store)
    come_by(store, plan_id, "view")

    app = visit(store, plan_id, cookie=GUEST)

    assert not [box for box in app.checkbox if box.key == "open_in_place"]


def test_where_nothing_is_kept_undo_leads_back():
    app = visit(page="home")
    app.text_input(key="kgi.target").set_value("12億").run()
    mine = plan_of(app)

    app.button(key="use_abm").click().run()

    assert plan_of(app) == samples.template("abm")
    assert "Undo brings the plan before back." in said(app)
    app.button(key="header_undo").click().run()
    assert plan_of(app) == mine
    app.button(key="header_undo").click().run()
    assert plan_of(app) == SAMPLE


def test_with_the_database_away_a_template_is_a_new_plan_all_the_same_and_undo_leads_back(store, monkeypatch):
    monkeypatch.setattr(keeping, "RETRY_SECONDS", (0.05,))
    plan_id = kept(store)
    app = visit(store, plan_id, page="home")
    away = [True]
    begin = store.begin

    def refuse(*args, **more):
        if away[0]:
            raise KpiError("store_down", "The storage does not answer. Your changes are kept on this page for now.")
        return begin(*args, **more)

    monkeypatch.setattr(store, "begin", refuse)

    app.button(key="use_abm").click().run()
    assert plan_of(app) == samples.template("abm")
    assert session_plan(app) is None
    assert desk_of(app).keeper.status == "waiting"
    assert "It is not saved yet; Undo shows the plan before." in said(app)
    app.button(key="header_undo").click().run()
    assert plan_of(app) == SAMPLE
    app.button(key="header_redo").click().run()
    assert plan_of(app) == samples.template("abm")

    away[0] = False
    settled(desk_of(app))
    assert session_plan(app) not in (None, plan_id)
    assert store.read(Actor.of(ME), session_plan(app)).plan == samples.template("abm")
    assert store.read(Actor.of(ME), plan_id).number == 1
    assert opening.latest(session._desks(), ME) is desk_of(app)


def test_scenarios_of_a_sample_nobody_changed_are_kept_with_it(store):
    app = visit(store, page="whatif")
    app.button(key="keep_scenario").click().run()
    first = desk_of(app)
    app.switch_page("../pages/home.py").run()

    app.button(key="use_abm").click().run()

    settled(first)
    settled(desk_of(app))
    plan_id = first.keeper.plan_id
    assert {one.plan_id for one in store.plans(Actor.of(ME))} == {plan_id, session_plan(app)}
    ends = time.monotonic() + BUSY_SECONDS
    while not (store.desk(Actor.of(ME), plan_id) or {}).get("scenarios"):
        assert time.monotonic() < ends, "its scenarios are never kept"
        time.sleep(0.02)


def test_what_no_storage_will_ever_take_is_refused_and_the_open_plan_stays(store, monkeypatch):
    plan_id = kept(store)
    app = visit(store, plan_id, page="home")

    def refuse(*_args, **_more):
        raise KpiError("plan_too_large", "This plan is too large to be kept.")

    monkeypatch.setattr(store, "begin", refuse)

    app.button(key="use_abm").click().run()

    assert (plan_of(app), session_plan(app)) == (SAMPLE, plan_id)
    assert "This plan is too large to be kept" in " ".join(str(one.value) for one in app.error)
    assert "use_abm" in keys(app)


def upload(app, field: str, plan: Plan) -> None:
    """Have a file picked; AppTest cannot send one, so the field's callback meets what the field would hold."""
    app.file_uploader(key=field).set_value(("plan.yaml", plan.to_yaml().encode(), "application/yaml")).run()
