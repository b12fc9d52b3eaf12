"""The page that chooses KSFs: the argument it makes, what deciding otherwise costs, and what is agreed."""

import pytest

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.plan_removal import of_ksf
from tests.app import test_pages
from tests.app.test_pages import words
from workbench import agreed, months, samples, searching, tables
from workbench.words import speaking

SAMPLE = samples.sample_plan()
TEAMS = ("marketing", "inside_sales", "field_sales")
AMPLE = SAMPLE.replace(
    {f"teams.{team}.hours": None for team in TEAMS}
    | {f"teams.{team}.max_ksfs": None for team in TEAMS}
    | {"limits.budget": None}
)
OVERLOADED = AMPLE.replace({"limits.lock": ["M1", "M2", "M3", "M4"]})

ARGUMENT = [
    "What does it bring?",
    "What does it use?",
    "Why these?",
    "Why not the others?",
    "The next best sets",
    "How sure is this choice?",
    "What if we had one more?",
    "Do we agree?",
    "What all this rests on",
]


@pytest.fixture(autouse=True)
def _english():
    """AppTest writes widgets' options outside the page: in the language spoken there."""
    with speaking("en"):
        yield


def opened(plan=SAMPLE, language="en"):
    return test_pages.opened("focus", plan=plan, language=language)


def plan_of(app):
    return app.session_state["visit"]["session_desk"].plan


def said(app):
    return words(app).replace("\\", "")


def cells(app):
    """Return what stands in all tables, one row a line."""
    return "\n".join(table.value.to_csv(index=False) for table in app.table).replace("\\", "")


def headings(app):
    return [element.value for element in app.get("header")]


def test_the_page_reads_as_an_argument():
    app = opened()

    assert headings(app) == ARGUMENT


def test_the_parts_of_the_set_on_the_cards_sum_to_what_it_brings():
    """The set brings ¥181.9M; by team 64.1 + 59.1 + 58.6, each rounded."""
    shown = said(opened())

    amounts = [float(line.split("M.")[0].removeprefix("+¥")) for line in shown.split("\n") if line.startswith("+¥")]
    assert len(amounts) == 6
    assert sum(amounts) == pytest.approx(181.9, abs=0.3)
    assert "F1 Better proposals adds most." in shown


def test_what_the_set_uses_and_what_is_used_up_is_said():
    shown = said(opened())
    ample = said(opened(AMPLE))

    assert "No place left: Marketing, Inside sales and Field sales." in shown
    assert "Nothing is limited: every KSF that helps is in." in ample


def test_both_horizons_are_read_against_the_goal():
    assert "This year ¥28.5M stay missing; once all are at full effect a year reaches the goal." in said(opened())
    high, low = SAMPLE.replace({"kgi.target": 2e9}), SAMPLE.replace({"kgi.target": 9e8})
    assert "even at full effect" in said(opened(high))
    assert "The set reaches the goal this fiscal year." in said(opened(low))


def test_every_ksf_has_the_price_of_deciding_otherwise():
    """Domain §3.5: M4 for M2 costs ¥18.1M, whichever of the two is overruled; I3 for I2 ¥23.7M."""
    shown = cells(opened())

    assert "M2 Stronger content marketing,Leave out,−¥18.1M,M4,–" in shown
    assert "M4 Website UX improvement,Force in,−¥18.1M,–,M2" in shown
    assert "I2 Inside-sales team training,Leave out,−¥23.7M,I3,–" in shown
    assert all(f"\n{ksf} " in shown for ksf in SAMPLE.ksfs)


def test_a_ksf_that_must_be_in_is_priced_without_its_lock():
    """Forcing M4 in costs ¥18.1M, so leaving it out again would bring them back."""
    app = opened(SAMPLE.replace({"limits.lock": ["M4"]}))
    shown = cells(app)

    assert "M4 Website UX improvement,Leave out,+¥18.1M,M2,–" in shown
    assert "must be in, as set by hand: without it there would be ¥18.1M more." in said(app)


def test_what_cannot_be_forced_in_says_so():
    shown = cells(opened(SAMPLE.replace({"teams.marketing.hours": 190})))

    assert "M4 Website UX improvement,Force in,Not possible,–,–" in shown


def test_near_ties_are_said_in_words_beside_the_sets():
    """Domain §3.5: at skill 3 with 1.75 times the hours F4 instead of F2 is equal to four digits."""
    able = SAMPLE.replace(
        {f"teams.{team}.skill": 3 for team in TEAMS}
        | {f"teams.{team}.hours": SAMPLE.teams[team].hours * 1.75 for team in TEAMS}
        | {f"teams.{team}.max_ksfs": None for team in TEAMS}
        | {"limits.budget": None}
    )
    app = opened(able)

    assert "+F4 −F2" in cells(app)
    assert "Nearly equal" in cells(app)
    assert "nearly equal to the best" in said(app)
    assert "No other set is nearly equal" in said(opened())
    assert "ほぼ同等" in cells(opened(able, "ja"))


def test_the_near_tie_is_a_number_people_set():
    """181.9 against 163.8 of log effect: ln(1.2105) / ln(1.1896) = 1.10, so 1.3 makes the runner-up a tie."""
    app = opened()

    app.text_input(key="assumptions.near_tie").set_value("１．３").run()

    assert plan_of(app).assumptions.near_tie == 1.3
    assert "nearly equal to the best" in said(app)
    app.text_input(key="assumptions.near_tie").set_value("0.9").run()
    assert plan_of(app).assumptions.near_tie == 1.3
    assert app.text_input(key="assumptions.near_tie").value == "0.9"
    assert "The least is 1." in said(app)


def test_a_team_without_a_number_is_offered_what_is_usual_at_its_skill():
    app = opened(SAMPLE.replace({"teams.marketing.max_ksfs": None, "teams.marketing.skill": 3}))

    assert "Usual at skill 3: 3." in said(app)
    app.button(key="usual_marketing").click().run()

    assert plan_of(app).teams["marketing"].max_ksfs == 3
    assert "Usual at skill" not in said(app)


def test_beginners_with_more_than_three_are_warned_and_agree_only_with_a_reason():
    app = opened(OVERLOADED)
    assert "Marketing has skill 2 and would take on 4 KSFs at once." in app.warning[0].value

    app.button(key="agree").click().run()
    assert plan_of(app).decisions == ()
    assert "Marketing would take on more than it can carry." in said(app)
    app.text_input(key="agreed_override").set_value("  ").run()
    app.button(key="agree").click().run()
    assert plan_of(app).decisions == ()

    app.text_input(key="agreed_override").set_value("*Two* come from the agency").run()
    app.button(key="agree").click().run()

    (decision,) = plan_of(app).decisions
    assert decision.override == "*Two* come from the agency"
    assert "because: *Two* come from the agency" in said(app)


def test_leave_to_take_on_four_is_warned_of_too():
    app = opened()
    assert not app.warning

    app.number_input(key="teams.inside_sales.max_ksfs").set_value(4).run()

    assert "Inside sales has skill 2 and is allowed 4 KSFs at once." in app.warning[0].value
    assert not opened(SAMPLE.replace({"teams.inside_sales.max_ksfs": 4, "teams.inside_sales.skill": 3})).warning


def test_agreeing_writes_who_does_what_by_when_and_what_is_put_off(monkeypatch):
    monkeypatch.setattr(months, "today", lambda _plan: None)
    app = opened()

    app.text_input(key="agreed_owner_F1").set_value("佐藤").run()
    app.text_area(key="agreed_F1_0_text").set_value("Build **one** template").run()
    app.text_input(key="agreed_F1_0_due").set_value("６月末").run()
    app.button(key="agreed_more_F1").click().run()
    app.text_area(key="agreed_F1_1_text").set_value("Try it on three deals").run()
    app.text_input(key="agreed_F1_1_who").set_value("鈴木").run()
    app.text_input(key="agreed_F1_1_due").set_value("7/15").run()
    app.segmented_control(key="agreed_checks").set_value("weekly").run()
    app.button(key="agree").click().run()

    (decision,) = plan_of(app).decisions
    first, second = decision.commitments["F1"].actions
    assert (first.text, first.owner, first.due) == ("Build **one** template", "佐藤", "2026-06-30")
    assert (second.text, second.owner, second.due) == ("Try it on three deals", "鈴木", "2026-07-15")
    assert decision.commitments["F3"].actions[0].due == "2026-05-31"  # its effect starts in the second month
    assert decision.commitments["F3"].owner is None
    assert decision.commitments["M2"].why == "Without it even the next best set brings ¥18.1M less."
    assert decision.checks == "weekly"
    assert decision.postponed["I3"].model_dump(exclude_defaults=True) == {
        "when": "skill",
        "team": "inside_sales",
        "amount": 3.0,
    }
    assert "Build **one** template,佐藤,2026-06-30" in cells(app)
    assert "I3 Customer-data accuracy,When Inside sales reaches skill 3" in cells(app)
    assert Plan.from_text(plan_of(app).to_yaml()) == plan_of(app)


@pytest.mark.parametrize(
    "typed", ["soon", "2026-02-30", "13/1", "1e9", "<b>x</b>", "2026-06-30-1", "99999-1-1", "０/０"]
)
def test_a_day_that_is_none_stays_in_its_field_with_the_cure_and_nothing_is_agreed(typed):
    app = opened()

    app.text_input(key="agreed_F1_0_due").set_value(typed).run()
    assert app.text_input(key="agreed_F1_0_due").value == typed
    assert "is no day. Write it as 2026-06-30 or 6/30." in said(app)
    app.button(key="agree").click().run()

    assert not app.exception
    assert plan_of(app).decisions == ()
    assert said(app).count(f"F1 Better proposals: “{typed}” is no day.") == 2  # in its card, and beside the button
    assert app.text_input(key="agreed_F1_0_due").value == typed


def test_what_was_typed_to_agree_on_stays_when_one_leaves_the_page_and_returns():
    app = opened()
    app.text_area(key="agreed_why_F1").set_value("We promised it").run()

    app.switch_page("../pages/tree.py").run()
    app.switch_page("../pages/focus.py").run()

    assert app.text_area(key="agreed_why_F1").value == "We promised it"


def test_a_ksf_nobody_does_anything_for_is_named():
    app = opened()
    assert "No action yet" not in said(app)

    app.text_area(key="agreed_F1_0_text").set_value(" ").run()

    assert "No action yet: F1." in said(app)
    app.button(key="agree").click().run()
    assert plan_of(app).decisions[0].commitments["F1"].actions == ()


def test_what_nobody_typed_follows_the_language():
    app = opened()
    assert app.text_area(key="agreed_F3_0_text").value == "Regular training, workshops and role play"

    app.session_state["visit"]["session_desk"].language = "ja"
    app.run()

    assert app.text_area(key="agreed_F3_0_text").value.startswith("定期的なトレーニング")
    assert app.text_input(key="agreed_owner_F3").placeholder == "担当者名"


def test_the_log_shows_the_newest_first_and_survives_its_ksfs():
    old = {"date": "2025-11-24", "chosen": ["F1"], "kgi": 9e8, "review": "2025-12-31"}
    new = old | {
        "date": "2026-11-24",
        "checks": "monthly",
        "commitments": {"F1": {"why": "*x*", "actions": []}},
        "postponed": {"I4": {"when": "ksfs", "ksfs": ["I3"]}, "M3": {"when": "flow", "metric": "leads", "amount": 600}},
    }
    app = opened(of_ksf(of_ksf(SAMPLE.replace({"decisions": [old, new]}), "F1").plan, "I4").plan)

    shown = cells(app)
    assert shown.index("2026-11-24") < shown.index("2025-11-24")
    assert "F1,*x*,–,–,–,–" in shown
    assert "I4,Once I3 Customer-data accuracy runs" in shown
    assert "M3 Better lead nurturing,When Leads reaches 600 a month" in shown


@pytest.mark.parametrize(
    ("changes", "ksf", "condition"),
    [
        ({"limits.rule_out": ["M4"]}, "M4", "When it is no longer ruled out by hand"),
        ({"limits.budget": 9_000_000}, "M1", "When ¥5.7M more budget is there"),
        ({"teams.marketing.hours": 380}, "M2", "When Marketing has 130 more hours free"),
        ({"teams.marketing.skill": 4, "teams.marketing.max_ksfs": 1}, "M4", "When Marketing can take on one more"),
        ({"ksfs.I4.depends_on": [], "ksfs.I3.excludes": ["I1"], "limits.lock": ["I1"]}, "I3", "When I1 Better first"),
        ({"teams.marketing.quarters": [100, 200, 200, 200]}, "M1", "more hours free in quarter 1"),
    ],
)
def test_each_ksf_put_off_says_when_it_comes_back(changes, ksf, condition):
    shown = cells(opened(SAMPLE.replace(changes)))

    assert any(line.startswith(ksf) and condition in line for line in shown.split("\n")), shown


def test_synergies_and_spill_overs_are_edited_added_and_taken_away():
    app = opened()

    app.text_input(key="assumptions.synergies.F1.F3").set_value("２０％").run()
    app.button(key="assumptions.synergies.I3.I4.remove").click().run()
    app.selectbox(key="synergies_one").set_value("M1").run()
    app.selectbox(key="synergies_other").set_value("M2").run()
    app.text_input(key="synergies_amount").set_value("30").run()
    app.button(key="synergies_add").click().run()
    app.selectbox(key="spillovers_one").set_value("M1").run()
    app.selectbox(key="spillovers_other").set_value("M3").run()
    app.button(key="spillovers_add").click().run()
    app.button(key="assumptions.spillovers.F1.F2.remove").click().run()

    assume = plan_of(app).assumptions
    bonus = {link.pair: link.bonus for link in assume.synergies}
    assert bonus["F1", "F3"] == 0.2
    assert bonus["M1", "M2"] == 0.3
    assert ("I3", "I4") not in bonus
    shares = {(link.source, link.target): link.share for link in assume.spillovers}
    assert shares["M1", "M3"] == 0.1
    assert ("F1", "F2") not in shares


def test_a_synergy_has_no_direction_and_stands_only_once():
    app = opened()

    app.selectbox(key="synergies_one").set_value("F3").run()
    app.selectbox(key="synergies_other").set_value("F1").run()
    app.button(key="synergies_add").click().run()

    pairs = [set(link.pair) for link in plan_of(app).assumptions.synergies]
    assert pairs.count({"F1", "F3"}) == 1


@pytest.mark.parametrize("typed", ["", "many", "150%", "-5%", "nan", "=1", "<img src=x>", "🙂"])
@pytest.mark.parametrize("field", ["assumptions.synergies.F1.F3", "assumptions.spillovers.F1.F2", "synergies_amount"])
def test_nonsense_for_a_share_stays_where_it_was_typed_with_the_reason(field, typed):
    app = opened()

    app.text_input(key=field).set_value(typed).run()
    app.button(key="synergies_add").click().run()

    assert not app.exception
    assert app.text_input(key=field).value == typed
    assert any(":red[" in caption.value for caption in app.caption)
    if field == "synergies_amount":
        assert plan_of(app).assumptions == SAMPLE.assumptions


def test_a_plan_whose_ksfs_went_shows_no_link_of_theirs():
    app = opened(of_ksf(SAMPLE, "F3").plan)

    assert not app.exception
    assert not any(field.key == "assumptions.synergies.F1.F3" for field in app.text_input)


def test_a_day_that_has_passed_is_said_with_its_ksf_and_does_not_keep_people_from_agreeing(monkeypatch):
    monkeypatch.setattr(months, "day", lambda: "2026-07-01")
    monkeypatch.setattr(months, "today", lambda _plan: 4)
    app = opened()
    assert "has passed" not in said(app)

    app.text_input(key="agreed_F1_0_due").set_value("6/30").run()
    app.text_input(key="agreed_F3_0_due").set_value("7/1").run()
    assert "F1: 2026-06-30 has passed." in said(app)
    assert "Due on a day that has passed: F1." in said(app)
    app.button(key="agree").click().run()

    assert plan_of(app).decisions[0].commitments["F1"].actions[0].due == "2026-06-30"


def test_a_ksf_nobody_answers_for_is_said_until_somebody_is_named():
    app = opened()
    assert app.text_input(key="agreed_owner_F1").value == ""
    assert "Nobody answers yet for: F1, F3, I1, I2, M1, M2." in said(app)

    for ksf in ("F1", "F3", "I1", "I2", "M1", "M2"):
        app.text_input(key=f"agreed_owner_{ksf}").set_value("佐藤").run()

    assert "Nobody answers yet" not in said(app)


def test_undo_takes_back_what_was_refused_as_well():
    app, budget = opened(), "limits.budget"
    app.text_input(key=budget).set_value("2000万").run()
    app.text_input(key=budget).set_value("lots").run()
    app.text_input(key="teams.marketing.hours").set_value("15%").run()
    app.text_input(key="teams.field_sales.hours").set_value("410").run()
    assert app.text_input(key=budget).value == "lots"  # another change leaves it for mending

    app.button(key="header_undo").click().run()

    assert app.text_input(key=budget).value == "20,000,000"
    assert app.text_input(key="teams.marketing.hours").value == "560"
    assert ":red[" not in said(app)
    app.text_input(key=budget).set_value("lots").run()
    assert app.text_input(key=budget).value == "lots"
    app.button(key="header_undo").click().run()
    assert app.text_input(key=budget).value == "18,000,000"


@pytest.mark.parametrize("field", ["teams.marketing.hours", "limits.budget", "ksfs.F1.hours.field_sales"])
def test_a_share_is_no_amount_of_hours_or_money(field):
    app = opened()

    app.text_input(key=field).set_value("１５％").run()

    assert plan_of(app) == SAMPLE
    assert app.text_input(key=field).value == "１５％"
    assert "“１５％” is a share. Write an amount here" in said(app)


@pytest.mark.parametrize("typed", ["600", "600 h", "６００時間", "600 hours"])
def test_hours_are_understood_with_their_unit(typed):
    app = opened()

    app.text_input(key="teams.marketing.hours").set_value(typed).run()

    assert plan_of(app).teams["marketing"].hours == 600


def test_every_heading_stands_before_anything_that_may_take_long(monkeypatch):
    """The long work fails here: what is on screen then is what people see while they wait for it."""

    def still_working(_found):
        raise KpiError("waiting", "Waiting.")

    monkeypatch.setattr(searching, "overriding_at_once", lambda _found: None)
    monkeypatch.setattr(searching, "overriding", still_working)

    app = opened()

    assert headings(app) == ARGUMENT
    assert not app.button(key="agree").disabled
    assert not app.button(key="try_futures").disabled


def test_one_may_agree_before_the_reasons_are_known(monkeypatch):
    """What was not looked into yet comes back at the next review: nothing is dropped."""
    monkeypatch.setattr(searching, "overriding_at_once", lambda _found: None)
    monkeypatch.setattr(searching, "overriding", lambda _found: {})
    monkeypatch.setattr(agreed, "catch_up", lambda: None)
    app = opened()

    app.button(key="agree").click().run()

    (decision,) = plan_of(app).decisions
    assert {ksf: later.when for ksf, later in decision.postponed.items()} == dict.fromkeys(
        ["F2", "F4", "I3", "I4", "M3", "M4"], "next_review"
    )


def test_reasons_that_come_after_the_form_are_filled_in(monkeypatch):
    asked = []

    def late(found):
        asked.append(found)
        return None if len(asked) == 1 else searching.overriding(found)

    monkeypatch.setattr(searching, "overriding_at_once", late)

    app = opened()

    assert len(asked) == 2
    assert app.text_area(key="agreed_why_M2").value == "Without it even the next best set brings ¥18.1M less."


def test_a_flow_that_is_missing_is_said_with_its_unit():
    plan = SAMPLE.replace({"ksfs.M4.skill": 1, "ksfs.M4.needs": {"leads": 6_000}})

    assert "リード数が月に6,000件必要" in cells(opened(plan, "ja"))
    assert "Needs 6,000 Leads a month, has " in cells(opened(plan))


def test_on_a_phone_each_row_is_a_card_with_its_columns_names():
    styles = "\n".join(element.proto.body for element in opened().get("html"))

    assert ".st-key-overriding [data-testid=stTable] thead { display: none; }" in styles
    assert "td:nth-child(3)::before { content: 'Change\\000020of\\000020the\\000020KGI'; }" in styles


def test_numbers_stand_to_the_right_and_a_column_of_dashes_does_not():
    made = tables.css(
        [{"a": "−¥3.6M", "b": "–", "c": "2026-06-30"}, {"a": "–", "b": "–", "c": "–"}], key="x", stacks=False
    )

    assert "nth-child(1) { text-align: right" in made
    assert "nth-child(2)" not in made
    assert "nth-child(3) p { white-space: nowrap" in made


def test_a_columns_name_cannot_leave_the_style_it_is_in():
    hostile = "</style><script>alert(1)</script>' } * { color: red } \\"

    made = tables.css([{"KSF": "F1", hostile: "1"}], key="x", stacks=True)

    assert "<" not in made
    assert "alert(1)" not in made
    assert made.count("'") == 2


def test_peoples_hours_have_one_name_in_japanese():
    app = opened(SAMPLE, "ja")
    labels = [field.label for field in app.text_input]

    assert labels.count("工数(時間)") == 3
    assert "フィールドセールスの工数(時間)" in labels
    assert not [label for label in labels if label.startswith("時間")]
    assert "申告" not in said(app) + cells(app)


def test_taking_a_synergy_away_leaves_one_that_was_added_meanwhile():
    """In another tab, or by somebody else: the button was drawn before."""
    app = opened()
    desk = app.session_state["visit"]["session_desk"]
    kept = [{"pair": list(link.pair), "bonus": link.bonus} for link in desk.plan.assumptions.synergies]
    desk.change({"assumptions.synergies": [*kept, {"pair": ["M1", "M2"], "bonus": 0.3}]})

    app.button(key="assumptions.synergies.I3.I4.remove").click().run()

    assert {link.pair for link in plan_of(app).assumptions.synergies} >= {("M1", "M2"), ("F1", "F3")}
    assert ("I3", "I4") not in {link.pair for link in plan_of(app).assumptions.synergies}
