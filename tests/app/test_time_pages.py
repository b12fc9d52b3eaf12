"""The pages that speak of time and chance: what they answer, and what they do with what is typed."""

import pytest

from kpi_core.plan import Plan
from kpi_core.plan_removal import of_ksf
from tests.app import test_pages
from tests.app.test_pages import words
from workbench import comebacks, months, samples
from workbench.words import speaking


@pytest.fixture(autouse=True)
def _english():
    """AppTest writes widgets' options outside the page: in the language spoken there."""
    with speaking("en"):
        yield


def opened(name, plan=None):
    return test_pages.opened(name, plan=plan, language="en")


def said(app):
    return words(app).replace("\\", "")


def cells(app):
    """Return what stands in all tables, one row a line."""
    return "\n".join(table.value.to_csv(index=False) for table in app.table).replace("\\", "")


def start_in(app, month):
    return app.select_slider(key="deadline_start").set_value(month).run()


def test_the_first_answer_is_the_multiplier_from_april_and_that_it_is_a_coin_toss():
    """T-B2: 1.2535 from April, not 1.157; P(125 of 125 expected) = .5119."""
    shown = said(opened("deadlines"))

    assert (
        "To reach ¥1.00B, Website visitors must be 1.253 times what is planned from Apr on."
        " A plan that just adds up like this succeeds 5 times in 10." in shown
    )
    assert "A plain division would say 1.157 times" in shown
    assert "Deals won: 125 by the end of Jan, 18.2 won before Apr included." in shown


@pytest.mark.parametrize(("month", "times"), [(3, "1.337"), (5, "1.539"), (7, "2.10")])
def test_starting_later_asks_for_more(month, times):
    assert f"must be {times} times what is planned" in said(start_in(opened("deadlines"), month))


def test_what_starts_too_late_is_said_to():
    shown = said(start_in(opened("deadlines"), 11))

    assert "Website visitors from Feb on can no longer change this year" in shown
    assert "nan" not in shown.lower()


def test_a_chosen_chance_raises_the_answer_on_every_page():
    """134.30 deliveries for 8 in 10: (1,074.4 − 327.4)/(864 − 327.4) = 1.392; meeting rate 1,074.4/864 · 75 %."""
    app = opened("deadlines")

    app.segmented_control(key="surety_deadlines").set_value(0.8).run()

    assert "To reach ¥1.00B 8 times in 10, Website visitors must be 1.392 times" in said(app)
    app.switch_page("../pages/whatif.py").run()
    assert app.segmented_control(key="surety_whatif").value == 0.8
    assert "To reach ¥1.00B 8 times in 10, ¥1.07B have to be expected" in said(app)
    assert "497,405 people" in cells(app)


def test_all_rates_alike_and_the_ksfs_of_focus_are_one_choice_away():
    """+4.35 % of every rate; with the six KSFs visitors ×1.0444 (domain §3.5, §4.3)."""
    app = opened("deadlines")

    app.selectbox(key="deadline_lever").set_value("*").run()
    assert "every rate must be 1.043 times what is planned from Apr on" in said(app)
    app.selectbox(key="deadline_lever").set_value("visitors").run()
    app.toggle(key="deadline_ksfs").set_value(True).run()

    assert "Website visitors must be 1.044 times what is planned from Apr on" in said(app)


def test_quarters_sum_the_months():
    """Visitors of April to June: 400,000/12 · (.95 + .90 + 1.05) · 1.2535 = 121,167 (39,693 + 37,604 + 43,871)."""
    app = opened("deadlines")

    app.segmented_control(key="deadline_parts").set_value(4).run()

    assert "121,167" in cells(app) or "121,168" in cells(app)


def test_a_reached_goal_asks_for_nothing():
    app = opened("deadlines", plan=samples.sample_plan().replace({"kgi.target": 500_000_000}))

    assert "As planned, ¥864.0M arrive this year: the goal of ¥500.0M is reached." in said(app)


def test_lead_times_are_typed_as_people_paste_them():
    app = opened("deadlines")

    app.text_input(key="metrics.meetings.lag").set_value("５０％、　３０% 20").run()

    assert app.session_state["visit"]["session_desk"].plan.metrics["meetings"].lag == (0.5, 0.3, 0.2)
    app.text_input(key="metrics.meetings.lag").set_value("").run()
    assert app.session_state["visit"]["session_desk"].plan.metrics["meetings"].lag == ()


@pytest.mark.parametrize(
    ("typed", "cure"),
    [
        ("60% 30%", "add up to 90%. Make them add up to 100%"),
        ("たくさん", "is not a number"),
        ("-50% 150%", "is no share. Write 0% to 100%"),
        ("<b>x</b>", "is not a number"),
    ],
)
def test_lead_times_that_are_none_stay_in_their_field_with_the_cure(typed, cure):
    app = opened("deadlines")
    before = app.session_state["visit"]["session_desk"].plan

    app.text_input(key="metrics.meetings.lag").set_value(typed).run()

    assert app.session_state["visit"]["session_desk"].plan == before
    assert app.text_input(key="metrics.meetings.lag").value == typed
    assert cure in said(app)


def test_open_stock_comes_in_and_a_stock_older_than_its_lead_time_is_refused_where_it_is_typed():
    app = opened("deadlines")

    app.text_input(key="opening.stock.meetings").set_value("60 20").run()
    assert app.session_state["visit"]["session_desk"].plan.opening.stock["meetings"] == (60, 20)
    app.text_input(key="opening.stock.meetings").set_value("60 20 5").run()

    assert app.session_state["visit"]["session_desk"].plan.opening.stock["meetings"] == (60, 20)
    assert "by the lead time nothing is open that long" in said(app)
    assert app.title


def test_deals_are_typed_one_a_line_and_stand_beside_what_is_under_way():
    """By hand: 8M · 50 % + 12M · 30 % = ¥7.6M."""
    app = opened("deadlines")

    app.text_area(key="opening.deals").set_value("800万 50%\n12,000,000 30%").run()

    assert "Open deals: 2, together ¥7.6M by the chances given" in said(app)
    app.text_area(key="opening.deals").set_value("800万").run()
    assert "Write an amount and a chance on each line" in said(app)
    app.text_area(key="opening.deals").set_value("").run()
    assert app.session_state["visit"]["session_desk"].plan.opening.deals == ()


def test_a_plan_whose_time_cannot_be_run_offers_the_fields_to_mend_it():
    """Such a plan can come from a file: a stock too old for its lead time."""
    broken = samples.sample_plan().replace({"opening.stock.meetings": [1, 1, 1, 1]})

    app = opened("deadlines", plan=broken)

    assert any("by the lead time nothing is open that long" in notice.value.replace("\\", "") for notice in app.info)
    app.text_input(key="opening.stock.meetings").set_value("10").run()
    assert not app.error
    assert "Website visitors must be" in said(app)


def test_without_cash_terms_the_page_says_where_to_give_them():
    app = opened("deadlines")

    app.text_input(key="cash.lag").set_value("").run()

    assert app.session_state["visit"]["session_desk"].plan.cash is None
    assert "Say below how revenue becomes cash" in said(app)
    app.text_input(key="cash.rate").set_value("90%").run()
    assert app.session_state["visit"]["session_desk"].plan.cash.rate == 0.9


def test_the_team_that_runs_out_of_time_is_named_with_its_month():
    """Leads of October 400·1.1·1.2535 = 551.5 at 45 minutes = 24,818 of 24,480 minutes: 101.4 %."""
    assert "Inside sales has less time than work in 2 months, first in Oct: 101.4% of its time." in said(
        opened("deadlines")
    )


def test_how_sure_we_are_is_said_as_a_natural_frequency_with_its_error():
    shown = said(opened("sensitivity"))

    assert "This year the goal of ¥1.00B is reached 3 times in 10; 8 times in 10 it ends between" in shown
    assert "16,384 draws over 7 ranges and the luck of the deals (numerical error ±0." in shown
    assert "Appointment rate has the largest part in the doubt" in shown
    assert "As things are known, work on Appointment rate first" in shown


def test_a_point_of_the_meeting_rate_is_worth_less_this_year_than_in_a_full_one():
    """T-S1: ¥11.52M static, ¥7.64M in the fiscal year."""
    assert "Meeting rate,Inside sales,75.0%,+1.0pt,+¥11.5M,+¥7.6M,+¥8.6M" in cells(opened("sensitivity"))


def test_every_target_has_its_chance_beside_it():
    """Domain §5.4: 商談率 76.85 % has .203: 2 in 10, a stretch."""
    assert "Meeting rate,Inside sales,75.0%,76.8%,+1.85pt,2 times in 10 (a stretch)," in cells(opened("whatif"))


def test_focus_says_both_horizons_whichever_it_counts():
    """T-K5: ¥971.5M this year, ¥1.10B at full effect; P(125 of 121.4) = .385; visitors ×1.044 close the rest."""
    app = opened("focus")
    both = "This fiscal year ¥971.5M; at full effect ¥1.10B a year."

    assert both in said(app)
    app.segmented_control(key="focus_objective").set_value("year").run()

    assert "These 6 KSFs take Revenue from ¥864.0M to ¥971.5M this year" in said(app)
    assert both in said(app)
    assert "this year's goal is then reached 4 times in 10" in said(app)
    assert "Website visitors at 1.044 times what is planned from Apr on" in said(app)


def test_moving_a_lever_there_and_back_gives_the_same_digits():
    app = opened("sensitivity")
    first = said(app)

    desk = app.session_state["visit"]["session_desk"]
    desk.change({"metrics.cvr.value": 0.013})
    app.run()
    assert said(app) != first
    desk.change({"metrics.cvr.value": 0.012})
    app.run()

    assert said(app) == first


@pytest.mark.parametrize("template", samples.TEMPLATES)
@pytest.mark.parametrize("month", [1, 7, 12])
def test_every_template_can_be_asked_in_every_month_with_every_chance(template, month):
    app = opened("deadlines", plan=samples.template(template))

    start_in(app, month)
    for control in app.segmented_control:
        if control.key == "surety_deadlines":
            control.set_value(0.9).run()

    assert not app.exception
    assert not app.error
    assert "nan" not in said(app).lower()
    assert "inf" not in said(app).lower().replace("info", "")


def test_revenue_can_be_spread_over_months_in_words():
    app = opened("deadlines")

    app.number_input(key="recognised_over").set_value(12).run()

    lag = app.session_state["visit"]["session_desk"].plan.metrics["revenue"].lag
    assert lag[:2] == (0, 0)
    assert lag[2:] == pytest.approx([1 / 12] * 12)
    app.number_input(key="recognised_over").set_value(1).run()
    app.number_input(key="recognised_after").set_value(3).run()
    assert app.session_state["visit"]["session_desk"].plan.metrics["revenue"].lag == (0, 0, 0, 1)


def test_a_month_left_empty_between_commas_is_refused():
    app = opened("deadlines")

    app.text_input(key="metrics.meetings.lag").set_value("70%,,30%").run()

    assert "A month is empty between two commas. Write 0 for it." in said(app)
    assert app.session_state["visit"]["session_desk"].plan.metrics["meetings"].lag == (0.7, 0.3)


def test_past_tries_are_typed_on_the_card_and_judge_its_target():
    """T-P1: 125 of 540 after 108 of 540: .11, so 1 in 10."""
    app = opened("tree")
    app.session_state["visit"]["kept_metric"] = "close_rate"
    app.run()

    app.text_input(key="metrics.close_rate.tried").set_value("108 / 540").run()
    assert app.session_state["visit"]["session_desk"].plan.metrics["close_rate"].tried == (108, 540)
    app.text_input(key="metrics.close_rate.tried").set_value("700 / 540").run()

    assert "no more can succeed" in said(app)
    assert app.session_state["visit"]["session_desk"].plan.metrics["close_rate"].tried == (108, 540)
    app.text_input(key="metrics.close_rate.tried").set_value("108").run()
    assert "as 108 / 540" in said(app)


def test_a_shape_that_the_lever_has_nothing_for_is_refused_with_the_cure():
    app = opened("tree")
    app.session_state["visit"]["kept_metric"] = "meeting_rate"
    app.run()

    app.selectbox(key="metrics.meeting_rate.shape").set_value("beta").run()

    assert "Meeting rate has no history. Enter what happened before, or take another shape." in said(app)
    assert app.session_state["visit"]["session_desk"].plan.metrics["meeting_rate"].shape is None


def test_a_new_formula_drops_what_the_months_said_beside_the_old_one():
    """受注数 = 商談数 · 契約率 · 2 no longer is what proposals · win rate come to; the plan goes on without."""
    app = opened("tree")
    app.session_state["visit"]["kept_metric"] = "wins"
    app.run()

    app.text_area(key="metrics.wins.formula").set_value("close_rate * meetings * 2").run()

    plan = app.session_state["visit"]["session_desk"].plan
    assert plan.tree.now("wins") == pytest.approx(216)
    assert plan.metrics["wins"].by_month is None
    assert plan.metrics["wins"].lag == (0.3, 0.4, 0.2, 0.1)


def test_levers_that_go_together_are_added_and_taken_away():
    app = opened("sensitivity")
    before = said(app)

    app.selectbox(key="together_one").set_value("cvr").run()
    app.selectbox(key="together_other").set_value("appt_rate").run()
    app.button(key="together_add").click().run()

    (link,) = app.session_state["visit"]["session_desk"].plan.assumptions.correlations
    assert (set(link.pair), link.rank) == ({"cvr", "appt_rate"}, 0.8)
    assert said(app) != before
    app.button(key="apart_0").click().run()
    assert app.session_state["visit"]["session_desk"].plan.assumptions.correlations == ()


def test_taking_two_levers_apart_takes_no_others_apart_that_came_meanwhile():
    app = opened("sensitivity")
    app.selectbox(key="together_one").set_value("cvr").run()
    app.selectbox(key="together_other").set_value("appt_rate").run()
    app.button(key="together_add").click().run()
    desk = app.session_state["visit"]["session_desk"]
    theirs = {"pair": ["visitors", "close_rate"], "rank": 0.3}
    desk.follow(desk.plan.replace({"assumptions.correlations": [theirs, *links_of(desk.plan)]}))

    app.button(key="apart_0").click().run()

    assert links_of(desk.plan) == [theirs]


def links_of(plan):
    """Return the linked levers of a plan, as its file says them."""
    return plan.to_data()["assumptions"]["correlations"]


def test_a_third_lever_joins_two_that_go_together():
    """+.8 and +.8 with the third pair at 0 cannot hold: it becomes .64. A contradiction is refused."""
    app = opened("sensitivity")
    for one, other in (("cvr", "appt_rate"), ("appt_rate", "visitors")):
        app.selectbox(key="together_one").set_value(one).run()
        app.selectbox(key="together_other").set_value(other).run()
        app.button(key="together_add").click().run()

    links = app.session_state["visit"]["session_desk"].plan.assumptions.correlations
    assert {frozenset(link.pair): link.rank for link in links} == {
        frozenset(("cvr", "appt_rate")): 0.8,
        frozenset(("appt_rate", "visitors")): 0.8,
        frozenset(("cvr", "visitors")): 0.64,
    }

    app.selectbox(key="together_one").set_value("cvr").run()
    app.selectbox(key="together_other").set_value("visitors").run()
    app.selectbox(key="together_rank").set_value(-0.8).run()
    app.button(key="together_add").click().run()

    assert "These correlations cannot all hold" in said(app)
    assert "Website visitors" in said(app)
    assert app.session_state["visit"]["session_desk"].plan.assumptions.correlations == links


def test_limits_that_leave_nothing_say_so_everywhere():
    none = samples.sample_plan().replace(
        {f"teams.{team}.max_ksfs": 0 for team in ("marketing", "inside_sales", "field_sales")}
    )

    shown = said(opened("focus", plan=none))

    assert "Proven: only one set keeps the limits." in shown
    assert "there is nothing to agree on" in shown
    assert "there is nothing to try" in shown


def test_focus_says_what_one_more_brings_and_how_far_each_resource_carries():
    """With ¥9M the budget is what binds: ¥500k more brings nothing, but the frontier shows M1 at ¥14.7M."""
    app = opened("focus")

    shown = said(app)
    assert "One more of any limit alone brings nothing more." in shown
    assert "More than ¥14.7M of Budget brings nothing more: ¥1.05B." in shown


def test_the_choice_is_tried_in_many_futures_with_one_button():
    """§3.5: the exact set in 96.7 % of 1,500 futures at ±30 %."""
    app = opened("focus")

    app.button(key="try_futures").click().run()

    assert "In 1,024 futures this very set is best 97 times in 100" in said(app)
    assert "No pick is a coin toss." in said(app)


@pytest.mark.parametrize(("now", "review"), [(None, "2026-05-31"), (8, "2026-12-31"), (12, "2027-04-30")])
def test_agreeing_writes_the_choice_into_the_plans_log_and_undo_takes_it_back(monkeypatch, now, review):
    """I1 is full in its second month and half of its appointments come in the same month; it begins when agreed."""
    monkeypatch.setattr(months, "today", lambda _plan: now)
    app = opened("focus")

    app.text_input(key="agreed_note").set_value("**営業も賛成**").run()
    app.button(key="agree").click().run()

    (decision,) = app.session_state["visit"]["session_desk"].plan.decisions
    assert decision.chosen == ("F1", "F3", "I1", "I2", "M1", "M2")
    assert decision.review == review
    assert decision.note == "**営業も賛成**"
    assert f"F1 F3 I1 I2 M1 M2,¥1.05B,{review}" in cells(app)
    app.button(key="header_undo").click().run()
    assert app.session_state["visit"]["session_desk"].plan.decisions == ()


def test_agreeing_twice_at_once_is_agreeing_once():
    app = opened("focus")
    for _ in range(2):
        app.text_input(key="agreed_note").set_value("Ours").run()
        app.button(key="agree").click().run()

    assert [decision.note for decision in app.session_state["visit"]["session_desk"].plan.decisions] == ["Ours"]


def test_agreeing_keeps_what_somebody_else_agreed_meanwhile(monkeypatch):
    app = opened("focus")
    desk, comebacks_of = app.session_state["visit"]["session_desk"], comebacks.of
    theirs = {"date": "2026-04-01", "chosen": ["F1"], "kgi": 1e9, "review": "2026-05-31", "note": "Theirs"}

    def meanwhile(found):
        monkeypatch.setattr(comebacks, "of", comebacks_of)
        desk.follow(desk.plan.replace({"decisions": [theirs]}))
        return comebacks_of(found)

    app.text_input(key="agreed_note").set_value("Ours").run()
    monkeypatch.setattr(comebacks, "of", meanwhile)
    app.button(key="agree").click().run()

    assert [decision.note for decision in desk.plan.decisions] == ["Theirs", "Ours"]


def test_a_log_survives_its_ksfs_and_a_file():
    agreed = samples.sample_plan().replace(
        {"decisions": [{"date": "2026-11-24", "chosen": ["F1"], "kgi": 9e8, "review": "2026-12-31"}]}
    )

    again = type(agreed).from_text(of_ksf(agreed, "F1").plan.to_yaml())

    assert again.decisions == agreed.decisions


def _small(formula, target, **inputs):
    """Return a plan of one formula: customers who come, those who leave, room for a number."""
    metrics = {
        name: {"name": {"en": name, "ja": name}, "kind": "count", "team": "sales", **entry}
        for name, entry in inputs.items()
    }
    kgi = {"name": {"en": "kept", "ja": "維持"}, "kind": "kgi", "team": "sales", "formula": formula}
    return Plan.from_data(
        {
            "schema": 1,
            "name": {"en": "small", "ja": "小さな計画"},
            "fiscal_year": {"starts": "2026-04"},
            "kgi": {"metric": "kept", "target": float(target)},
            "teams": {"sales": {"name": {"en": "Sales", "ja": "営業"}}},
            "metrics": {**metrics, "kept": kgi},
        }
    )


CHURN = {"kind": "rate", "unit": "%", "value": 0.1, "low": 0.06}


@pytest.mark.parametrize(
    ("plan", "english", "japanese"),
    [
        (
            _small("1000 / churn / 10", 2_000, churn=CHURN),
            [
                "churn must be 0.500 times what is planned from Apr on",
                "below its own plausible range",
                "begins at 6.00%",
            ],
            [
                "churnを4月から計画の0.500倍にする必要があります",
                "churnは、現実的な幅の下限(6.00%)を下回る水準になります",
            ],
        ),
        (
            _small("min(v / 2, 120)", 150, v={"value": 100.0}),
            [
                "v alone cannot reach 150 from Apr on: as planned 50 arrive.",
                "Whenever one starts, this alone is not enough.",
            ],
            ["4月からでは、vだけで150には届きません", "いつ始めても、これだけでは届きません。"],
        ),
        (
            _small("v * 3", 150, v={"value": 0.0}),
            ["v is 0 as planned from Apr on, and so is any multiple of it", "Enter a number for it first."],
            ["vは4月からの計画が0なので、何倍にしても0のままです", "先に数値を入れてください。"],
        ),
    ],
)
def test_what_must_fall_cannot_be_reached_or_is_nothing_is_said_as_it_is(plan, english, japanese):
    """In no language does a page speak of a rise, of 100 %, or of a multiple that does not do it."""
    for language, sentences in (("en", english), ("ja", japanese)):
        with speaking(language):
            shown = said(start_in(test_pages.opened("deadlines", plan=plan, language=language), 1))
        for sentence in sentences:
            assert sentence in shown
        assert not any(
            wrong in shown for wrong in ("even 100%", "100%にしても", "nan", "plain division", "単純な割り算")
        )
