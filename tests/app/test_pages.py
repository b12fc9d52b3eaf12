"""Every page, through the shell, for every plan that comes with the app and in both languages."""

import pytest
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest

from kpi_core.plan import Plan
from workbench import moves, pictures, samples, session, unseen
from workbench.desk import Desk
from workbench.tree_board import Move
from workbench.words import speaking

PAGES = ("home", "tree", "whatif", "sensitivity", "deadlines", "focus", "share", "versions")


def opened(name: str, *, plan: Plan | None = None, language: str = "ja") -> AppTest:
    """Run a page with this plan on the desk."""
    app = AppTest.from_file("../../workbench/shell.py", default_timeout=300)
    desk = Desk.holding(plan or samples.sample_plan())
    desk.language = language
    app.session_state["visit"] = {"session_desk": desk}
    app.run()
    if name != "home":
        app.switch_page(f"../pages/{name}.py").run()
    return app


def words(app: AppTest) -> str:
    """All text of a page that AppTest can see."""
    return "\n".join(str(element.value) for kind in ("title", "markdown", "caption") for element in app.get(kind))


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("template", samples.TEMPLATES)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_every_template(name, template, language):
    app = opened(name, plan=samples.template(template), language=language)

    assert not app.exception
    assert not app.error
    assert app.title
    assert "nan" not in words(app).lower().replace("finance", "").replace("maintenance", "")


@pytest.mark.parametrize("name", PAGES)
def test_no_page_shows_a_sentence_in_the_other_language(name):
    japanese = words(opened(name))
    english = words(opened(name, language="en"))

    assert any("\u3040" <= letter <= "\u30ff" for letter in japanese)
    assert not any("\u3040" <= letter <= "\u30ff" for letter in english)


def test_the_first_screen_names_the_gap_by_hand():
    """400,000 × 1.2 % × 15 % × 75 % × 50 % × 40 % × ¥8M = ¥864M; ¥136M short of ¥1B."""
    shown = words(opened("home", language="en")).replace("\\", "")

    assert "Revenue comes to ¥864.0M, ¥136.0M short of the goal of ¥1.00B." in shown


def test_the_goal_is_typed_as_people_write_it_and_can_be_undone():
    """¥1.2B − ¥864M = ¥336M."""
    app = opened("home")

    app.text_input(key="kgi.target").set_value("１２億").run()

    assert app.session_state["visit"]["session_desk"].plan.kgi.target == 1_200_000_000
    assert "3.36億円" in words(app).replace("\\", "")
    app.button(key="header_undo").click().run()
    assert app.text_input(key="kgi.target").value == "1,000,000,000"


@pytest.mark.parametrize("nonsense", ["", "たくさん", "-5", "0", "1e99"])
def test_a_goal_that_is_none_is_refused_below_its_field(nonsense):
    app = opened("home")

    app.text_input(key="kgi.target").set_value(nonsense).run()

    assert app.session_state["visit"]["session_desk"].plan.kgi.target == 1_000_000_000
    assert app.text_input(key="kgi.target").value == nonsense
    assert any(":red[" in caption.value for caption in app.caption)


def test_another_metric_becomes_the_kgi():
    app = opened("home", language="en")

    app.selectbox(key="kgi.metric").set_value("wins").run()
    app.text_input(key="kgi.target").set_value("125").run()

    assert "Deals won comes to 108, 17 short of the goal of 125." in words(app).replace("\\", "")


def test_a_refusal_names_the_field_as_people_know_it_and_quotes_numbers_as_typed():
    app = opened("tree", language="en")
    app.session_state["visit"]["kept_metric"] = "meeting_rate"
    app.run()

    app.text_input(key="metrics.meeting_rate.low").set_value("90%").run()
    app.text_input(key="metrics.meeting_rate.unit").set_value("x" * 30).run()

    shown = words(app).replace("\\", "")
    assert "Plausible low: the value must lie between low and high. It says 90%, 75%, 85%." in shown
    assert "Unit is longer than 20 characters." in shown


def test_moving_a_slider_changes_the_plan_once_and_undo_puts_it_back():
    app = opened("whatif")

    app.slider(key="lever_meeting_rate").set_value(76.0).run()

    desk = app.session_state["visit"]["session_desk"]
    assert desk.plan.metrics["meeting_rate"].value == 0.76
    assert desk.plan.tree.now("revenue") == pytest.approx(864e6 + 11.52e6)  # T-S1
    assert len(desk.steps) == 1
    app.button(key="header_undo").click().run()
    assert desk.plan.tree.now("revenue") == pytest.approx(864e6)
    assert app.slider(key="lever_meeting_rate").value == 75.0


def test_put_everything_back_restores_every_lever_and_can_be_undone():
    app = opened("whatif")
    app.slider(key="lever_meeting_rate").set_value(80.0).run()
    app.slider(key="lever_cvr").set_value(1.5).run()

    app.button(key="put_back").click().run()

    desk = app.session_state["visit"]["session_desk"]
    assert desk.plan.metrics == desk.baseline.metrics
    app.button(key="header_undo").click().run()
    assert desk.plan.metrics["cvr"].value == pytest.approx(0.015)


def test_the_least_effort_targets_go_into_the_plan_and_reach_the_goal():
    app = opened("whatif")

    app.button(key="take_spread").click().run()

    assert app.session_state["visit"]["session_desk"].plan.tree.now("revenue") == pytest.approx(1e9, rel=1e-9)


def test_widgets_keep_what_they_hold_when_one_leaves_and_returns():
    app = opened("focus")
    app.multiselect(key="limits.rule_out.ja").set_value(["F1"]).run()

    app.switch_page("../pages/tree.py").run()
    app.switch_page("../pages/focus.py").run()

    assert app.multiselect(key="limits.rule_out.ja").value == ["F1"]


@pytest.mark.parametrize(
    "nonsense", ["", "abc", "nan", "1e400", "９９９兆", "-5", "=1+1", "<img src=x onerror=alert(1)>", "１２０％", "🙂"]
)
@pytest.mark.parametrize("field", ["teams.marketing.hours", "limits.budget", "assumptions.execution", "ksfs.F1.ramp.0"])
def test_nonsense_in_a_field_is_refused_with_a_sentence_or_understood(field, nonsense):
    app = opened("focus")

    app.text_input(key=field).set_value(nonsense).run()

    assert not app.exception
    shown = app.text_input(key=field)
    assert shown.value == nonsense or not app.session_state["visit"]["session_refused"]


def test_a_locked_set_that_cannot_be_is_explained_not_a_crash():
    app = opened("focus")

    app.multiselect(key="limits.lock.ja").set_value(["F2", "F3"]).run()

    assert not app.exception
    assert "フィールドセールスの工数:上限400時間に対し、あと40時間足りません。" in words(app).replace("\\", "")


def test_a_limit_that_decides_is_named_with_its_unit():
    """T-K4: with ¥9M, M1's ¥6M miss ¥5.7M; with 380 h of marketing, M2 misses 130 h."""
    plan = samples.sample_plan()

    poor = opened("focus", plan=plan.replace({"limits.budget": 9_000_000}), language="en")
    busy = opened("focus", plan=plan.replace({"teams.marketing.hours": 380}))

    assert any(
        "Beside the set the budget is ¥5.7M short" in table.value.to_string().replace("\\", "") for table in poor.table
    )
    assert any("マーケティングの工数が130時間足りない" in table.value.to_string() for table in busy.table)


def test_a_plan_without_ksfs_offers_the_catalogue():
    plan = samples.sample_plan()
    empty = plan.replace({f"ksfs.{ksf}": None for ksf in plan.ksfs})

    app = opened("focus", plan=empty)

    assert not app.exception
    assert app.info
    app.button(key="add_ksf_button").click().run()
    assert len(app.session_state["visit"]["session_desk"].plan.ksfs) == 1


def test_a_new_metric_is_added_and_chosen_and_removed():
    app = opened("tree")
    app.text_input(key="new_metric_name").set_value("紹介数")
    app.text_input(key="new_metric_said").set_value("１２０")

    next(button for button in app.button if button.label == "追加する").click().run()

    desk = app.session_state["visit"]["session_desk"]
    [metric] = [metric for metric, entry in desk.plan.metrics.items() if entry.name.ja == "紹介数"]
    assert desk.plan.metrics[metric].value == 120
    assert metric != opened_with_one_more()
    app.button(key=f"remove_{metric}").click().run()
    assert metric not in desk.plan.metrics


@pytest.mark.parametrize(
    ("name", "said"), [("ゼロ", "リード数 / 0"), ("", "12"), ("式", "=1+"), ("自分", "nothing * 2")]
)
def test_a_new_metric_that_is_refused_is_refused_in_its_form_without_any_id(name: str, said: str):
    app = opened("tree")
    plan = app.session_state["visit"]["session_desk"].plan
    app.text_input(key="new_metric_name").set_value(name)
    app.text_input(key="new_metric_said").set_value(said)

    next(button for button in app.button if button.label == "追加する").click().run()

    assert app.session_state["visit"]["session_desk"].plan == plan
    [told] = [one.value for one in app.caption if one.value.startswith(":red[")]
    assert "metric_" not in told
    assert name in told
    assert app.text_input(key="new_metric_said").value == said


def opened_with_one_more() -> str:
    """Return the id that a metric gets which somebody else adds at the same moment."""
    app = opened("tree")
    app.text_input(key="new_metric_name").set_value("別のもの")
    next(button for button in app.button if button.label == "追加する").click().run()
    return next(reversed(app.session_state["visit"]["session_desk"].plan.metrics))


def selected(metric: str, plan: Plan | None = None) -> AppTest:
    """Open the tree with one metric's form beside it."""
    app = opened("tree", plan=plan)
    app.session_state["visit"]["kept_metric"] = metric
    return app.run()


def test_removing_a_metric_says_first_what_goes_with_it_and_is_one_step():
    """The path that once destroyed a plan: leads become an input, then the CVR goes, the last metric M4 lifts."""
    app = selected("leads")
    desk = app.session_state["visit"]["session_desk"]
    app.button(key="input_leads").click().run()
    first = desk.plan
    app.session_state["visit"]["kept_metric"] = "cvr"
    app.run()

    app.button(key="remove_cvr").click().run()
    assert desk.plan == first
    assert all(f"{ksf} " in words(app) for ksf, entry in first.ksfs.items() if "cvr" in entry.moves)
    app.button(key="remove_now").click().run()

    assert not app.exception
    assert not app.error
    assert "cvr" not in desk.plan.metrics
    assert Plan.from_text(desk.plan.to_yaml()) == desk.plan
    app.button(key="header_undo").click().run()
    assert desk.plan == first


def test_a_metric_that_others_are_computed_from_goes_and_they_keep_their_value():
    app = selected("cvr")
    desk = app.session_state["visit"]["session_desk"]

    app.button(key="remove_cvr").click().run()
    assert "リード数 (4,800件)" in words(app).replace("\\", "")
    app.button(key="remove_now").click().run()

    assert desk.plan.metrics["leads"].value == pytest.approx(4_800)
    assert desk.plan.tree.now("revenue") == pytest.approx(864e6)


def test_what_would_go_beyond_what_was_said_is_said_again_first():
    app = selected("cvr")
    desk = app.session_state["visit"]["session_desk"]
    app.button(key="remove_cvr").click().run()

    desk.change({"metrics.extra": {"name": "別の数", "kind": "count", "formula": "cvr * 2"}})
    app.button(key="remove_now").click().run()
    assert "cvr" in desk.plan.metrics
    assert "別の数" in words(app)

    app.button(key="remove_now").click().run()
    assert "cvr" not in desk.plan.metrics


def test_hostile_names_are_text_everywhere():
    hostile = "**A** [x](http://evil.test) ![i](http://evil.test/i.png) :red[B] $a$ <b>c</b>"
    plan = samples.sample_plan().replace({"metrics.appt_rate.name.ja": hostile, "ksfs.F1.name.ja": hostile})

    for name in PAGES:
        app = opened(name, plan=plan)
        assert not app.exception
        for element in (*app.get("markdown"), *app.get("caption")):
            assert "](http" not in element.value.replace("\\]\\(http", "")
            assert ":red[B]" not in element.value


def behind(app: AppTest, picture: int) -> AppTest:
    """Let what the browser sends next be of an earlier picture."""
    app.number_input(key="picture").set_value(picture)
    return app


def test_a_field_that_still_says_what_it_said_before_the_plan_moved_on_takes_nothing_back():
    """A browser sends the old value along until it has drawn the new one; somebody else's change must stay."""
    app = opened("home", language="en")
    desk, first = app.session_state["visit"]["session_desk"], "Sales & marketing plan, fiscal 2026"
    names = [first, "One", "Two", "Three"]
    for name in names[1:]:
        desk.follow(desk.plan.replace({"name.en": name}))
        app.run()
    newest = app.number_input(key="picture").value

    for at in (0, 1, 1, 2):
        behind(app, newest - 3 + at).text_input(key="name.en").set_value(names[at]).run()
        assert desk.plan.name.en == app.text_input(key="name.en").value == "Three"

    behind(app, newest + 4).text_input(key="name.en").set_value("Mine").run()
    assert desk.plan.name.en == app.text_input(key="name.en").value == "Mine"


def test_what_a_person_sets_back_is_an_entry_once_the_browser_has_drawn_what_others_did():
    app = opened("home", language="en")
    desk, first = app.session_state["visit"]["session_desk"], "Sales & marketing plan, fiscal 2026"
    before = app.number_input(key="picture").value
    desk.follow(desk.plan.replace({"name.en": "Theirs"}))
    app.run()

    behind(app, before).text_input(key="name.en").set_value(first).run()
    assert desk.plan.name.en == "Theirs"

    app.text_input(key="name.en").set_value(first).run()
    assert desk.plan.name.en == first


def test_a_value_on_its_way_to_the_browser_is_no_entry_and_no_answer_to_one():
    """What was typed before the browser drew what others did is asked for once more, also once it has drawn that."""
    app = opened("home", language="en")
    desk = app.session_state["visit"]["session_desk"]
    before = app.number_input(key="picture").value
    desk.follow(desk.plan.replace({"name.en": "Theirs"}))
    app.run()
    drawn = app.number_input(key="picture").value

    behind(app, before).text_input(key="name.en").set_value("Mine").run()
    newest = app.number_input(key="picture").value
    behind(app, drawn).text_input(key="name.en").set_value("Theirs").run()

    assert desk.plan.name.en == app.text_input(key="name.en").value == "Theirs"
    assert "“Mine” was not put over it" in words(app).replace("\\", "")
    behind(app, newest).text_input(key="name.en").set_value("Mine").run()
    assert desk.plan.name.en == "Mine"


@pytest.mark.parametrize("name", PAGES)
def test_every_page_ends_with_its_picture(name):
    app = opened(name)
    first = app.number_input(key="picture").value
    app.run()
    assert app.number_input(key="picture").value == first + 1


@pytest.mark.parametrize("old", [57, 10_000])
def test_a_number_of_a_server_that_was_restarted_keeps_no_entry_from_being_taken(old):
    app = opened("home")

    app.number_input(key="picture").set_value(old)
    app.number_input(key="picture_begun").set_value(old)
    for typed, target in (("12億", 1.2e9), ("17億", 1.7e9), ("18億", 1.8e9)):
        app.text_input(key="kgi.target").set_value(typed).run()
        assert app.session_state["visit"]["session_desk"].plan.kgi.target == target


def test_an_entry_is_not_put_over_what_its_maker_has_not_seen_yet():
    """Another tab, or somebody else: until the page is drawn anew its field says what the plan said before."""
    app = opened("home", language="en")
    desk = app.session_state["visit"]["session_desk"]
    desk.change({"kgi.target": 1.5e9})

    app.text_input(key="kgi.target").set_value("1.2B").run()

    assert desk.plan.kgi.target == 1.5e9
    assert app.text_input(key="kgi.target").value == "1,500,000,000"
    assert "“1.2B” was not put over it" in words(app).replace("\\", "")
    app.text_input(key="kgi.target").set_value("1.2B").run()
    assert desk.plan.kgi.target == 1.2e9
    assert "not put over it" not in words(app)


def test_a_slider_is_not_put_over_what_its_maker_has_not_seen_yet():
    app = opened("whatif", language="en")
    desk = app.session_state["visit"]["session_desk"]
    desk.change({"metrics.meeting_rate.value": 0.8})

    with speaking("en"):
        app.slider(key="lever_meeting_rate").set_value(70.0).run()
    assert desk.plan.metrics["meeting_rate"].value == 0.8
    assert app.slider(key="lever_meeting_rate").value == 80.0
    assert "yours was not put over it" in words(app)
    with speaking("en"):
        app.slider(key="lever_meeting_rate").set_value(70.0).run()
    assert desk.plan.metrics["meeting_rate"].value == 0.7
    assert "not put over it" not in words(app)


def test_an_entry_goes_on_top_of_what_was_changed_elsewhere_in_other_fields():
    app = opened("home")
    desk = app.session_state["visit"]["session_desk"]
    desk.change({"metrics.cvr.value": 0.013})

    app.text_input(key="kgi.target").set_value("12億").run()

    assert (desk.plan.kgi.target, desk.plan.metrics["cvr"].value) == (1.2e9, 0.013)


def test_two_entries_in_one_field_before_the_browser_has_drawn_the_first_both_count():
    app = opened("home")
    old = app.number_input(key="picture").value

    for typed, target in (("12億", 1.2e9), ("13億", 1.3e9)):
        app.number_input(key="picture").set_value(old)
        app.text_input(key="kgi.target").set_value(typed).run()
        assert app.session_state["visit"]["session_desk"].plan.kgi.target == target


def test_an_entry_whose_session_is_tidied_up_meanwhile_is_known_as_ones_own(monkeypatch):
    """Streamlit takes up a newer message while an entry is stored: it copies the session, then drops what is new."""
    app = opened("home")
    old = app.number_input(key="picture").value
    change, done = Desk.change, unseen.done

    def copied(desk, changes):
        state = get_script_run_ctx().session_state._state
        state._old_state.update({key: state[key] for key in state})
        change(desk, changes)

    def emptied(before, after):
        done(before, after)
        state = get_script_run_ctx().session_state._state
        state._new_session_state.clear()
        state._new_widget_state.clear()

    for typed, target in (("12億", 1.2e9), ("13億", 1.3e9), ("14億", 1.4e9)):
        monkeypatch.setattr(Desk, "change", copied if target == 1.3e9 else change)
        monkeypatch.setattr(unseen, "done", emptied if target == 1.3e9 else done)
        behind(app, old).text_input(key="kgi.target").set_value(typed).run()
        assert app.session_state["visit"]["session_desk"].plan.kgi.target == target


def test_an_entry_for_one_plan_does_not_go_into_another_that_the_page_is_about_to_show(monkeypatch):
    """The storage has answered at last: the page has been drawn with the sample, and one works at one's own plan."""
    app = opened("home", language="en")
    other, end = Desk.holding(samples.template("abm")), pictures.end
    goal, other.language = other.plan.kgi.target, "en"

    def moved_on():
        monkeypatch.setattr(pictures, "end", end)
        end()
        session._work_at(other)

    monkeypatch.setattr(pictures, "end", moved_on)
    app.run()
    app.text_input(key="kgi.target").set_value("1.2B").run()

    assert other.plan.kgi.target == goal
    assert "“1.2B” was not put over it" in words(app).replace("\\", "")


def test_what_is_changed_elsewhere_while_a_page_is_drawn_is_not_taken_for_seen(monkeypatch):
    app = opened("home", language="en")
    desk, end = app.session_state["visit"]["session_desk"], pictures.end

    def changed_meanwhile():
        monkeypatch.setattr(pictures, "end", end)
        desk.change({"kgi.target": 1.5e9})
        end()

    monkeypatch.setattr(pictures, "end", changed_meanwhile)
    app.run()
    app.text_input(key="kgi.target").set_value("1.2B").run()

    assert desk.plan.kgi.target == 1.5e9
    assert "“1.2B” was not put over it" in words(app).replace("\\", "")


def test_what_one_did_by_a_button_is_ones_own():
    app = opened("home")
    desk = app.session_state["visit"]["session_desk"]
    app.text_input(key="kgi.target").set_value("12億").run()
    old = app.number_input(key="picture").value

    behind(app, old).button(key="header_undo").click().run()
    behind(app, old).text_input(key="kgi.target").set_value("13億").run()

    assert desk.plan.kgi.target == 1.3e9


def test_what_somebody_took_back_is_theirs_though_one_had_entered_the_same_before():
    app = opened("home")
    desk = app.session_state["visit"]["session_desk"]
    app.text_input(key="kgi.target").set_value("12億").run()
    desk.change({"kgi.target": 1.7e9})
    app.run()
    desk.change({"kgi.target": 1.2e9})

    app.text_input(key="kgi.target").set_value("18億").run()

    assert desk.plan.kgi.target == 1.2e9


def test_what_was_not_taken_up_is_said_until_it_was_seen_and_something_else_is_done():
    app = opened("home", language="en")
    desk = app.session_state["visit"]["session_desk"]
    desk.change({"kgi.target": 1.5e9})
    old = app.number_input(key="picture").value
    app.text_input(key="kgi.target").set_value("1.2B").run()

    behind(app, old).text_input(key="name.en").set_value("Typed before that was seen").run()
    assert "not put over it" in words(app)
    app.text_input(key="name.en").set_value("Typed after").run()
    assert "not put over it" not in words(app)


def test_who_has_signed_out_in_another_tab_enters_nothing_any_more(monkeypatch):
    app = opened("home", language="en")
    mine, desk = app.session_state["visit"], app.session_state["visit"]["session_desk"]
    mine |= {"session_person": "person:x", "session_came": 0.0}
    monkeypatch.setitem(session._signed_out, "", 1.0)

    app.text_input(key="kgi.target").set_value("1.2B").run()

    now = app.session_state["visit"]["session_desk"]
    assert now is not desk
    assert [one.plan.kgi.target for one in (desk, now)] == [1e9, 1e9]
    assert "その間にサインアウトされました" in app.error[0].value
    assert not app.exception


def test_who_has_signed_out_gets_no_plan_of_the_person_once_the_storage_answers(monkeypatch):
    app, asked, come_back = opened("home"), [], session.come_back

    def signed_out_just_now():
        session._signed_out["browser"] = 1.0
        come_back()

    monkeypatch.setattr(session, "come_back", signed_out_just_now)
    app.session_state["visit"] |= {"session_person": "person:x", "session_came": 0.0}
    monkeypatch.setattr(session, "_browser", lambda: "browser")
    monkeypatch.setitem(session._signed_out, "browser", 0.0)
    monkeypatch.setattr(session.opening, "came_too_soon", lambda _desk: True)
    monkeypatch.setattr(
        session.opening, "latest", lambda _desks, who: asked.append(who) or Desk.holding(samples.sample_plan())
    )
    monkeypatch.setattr(session.Aside, "do", lambda _aside, work: work())

    app.run()

    assert set(asked) == {"browser"}


def test_a_move_that_is_refused_is_not_said_to_be_made(monkeypatch):
    app = opened("whatif")
    desk, move = app.session_state["visit"]["session_desk"], []

    def moved(*_told, hands, **_more):
        if move:
            hands.on_move(move.pop())

    monkeypatch.setattr(moves, "tree_board", moved)
    now = desk.plan.metrics["meeting_rate"].value
    desk.change({"metrics.meeting_rate.low": 0.7, "metrics.meeting_rate.high": 0.8})
    move.append(Move(number=1, changes={"meeting_rate": 0.9}, was={"meeting_rate": now}, revision="older"))
    app.run()

    assert desk.plan.metrics["meeting_rate"].value == now
    assert "session_notice" not in app.session_state["visit"]
    assert app.session_state["visit"]["session_refused"]
