"""Trees: the five templates, samples of any shape, slopes, and what cannot be evaluated."""

import json
from pathlib import Path

import numpy as np
import pytest

from kpi_core.attribution import explain_change
from kpi_core.document import Metric
from kpi_core.errors import KpiError
from kpi_core.tree import Tree, elasticities, evaluate, slopes
from workbench import samples

REFERENCE = json.loads((Path(__file__).parents[1] / "data/reference_values.json").read_text())


def shop(visitors=200.0, rate=0.3, upsell=20.0) -> Tree:
    return Tree.of(revenue="visitors * rate + upsell", visitors=visitors, rate=rate, upsell=upsell)


@pytest.mark.parametrize("name", samples.TEMPLATES)
def test_the_templates_kgis(name):
    """T-T1."""
    plan = samples.template(name)

    assert plan.tree.now(plan.kgi.metric) == pytest.approx(REFERENCE[f"T-T1.{name}"], rel=1e-6)


# Domain §2, the line under each template.
ELASTICITIES = {
    "funnel": dict.fromkeys(
        ("visitors", "cvr", "appt_rate", "meeting_rate", "proposal_rate", "proposal_win_rate", "unit_price"), 1
    ),
    "abm": {
        **dict.fromkeys(("target_accounts", "cov_open", "web_visit_acc_rate", "key_page_reach", "key_page_cv"), 0.3),
        **dict.fromkeys(("mail_delivered", "mail_open_rate", "mail_cto", "mail_dedupe"), 0.2),
        **dict.fromkeys(
            ("is_headcount", "calls_per_day", "workdays", "outbound_share", "connect_rate", "conv_to_lead"), 0.2
        ),
        **dict.fromkeys(("deal_making_rate", "opps_per_account", "appt_rate", "win_rate", "unit_price"), 1),
    },
    "is_phase": {
        **dict.fromkeys(("is_headcount", "calls_per_day", "workdays", "connect_rate", "call_appt_rate"), 0.8),
        **dict.fromkeys(("mails", "mail_open_rate", "mail_cto", "mail_appt_rate"), 0.2),
        **dict.fromkeys(("hold_rate", "valid_rate", "win_rate", "unit_price"), 1),
    },
    "keypoint": {
        **dict.fromkeys(
            ("leads", "target_rate", "follow_rate", "deal_rate", "valid_rate", "win_rate", "arpa", "gross_margin"), 1
        ),
        "churn": -1,
    },
    "web_basic": {
        "visitors": 0.204,
        "inquiry_rate": 0.14,
        "dl_rate": 0.064,
        "events": 0.0293,
        "cards_per_event": 0.0293,
        "inq_opp_rate": 0.14,
        "dl_opp_rate": 0.064,
        "card_opp_rate": 0.0293,
        "win_rate": 0.2333,
        "open_customers": 0.7667,
        "retention": 0.7667,
        "price_per_contract": 1,
        "contracts_per_customer": 1,
    },
}


@pytest.mark.parametrize("name", samples.TEMPLATES)
def test_the_templates_elasticities(name):
    """T-T2, and every other one the specification prints."""
    plan = samples.template(name)

    found = elasticities(plan.tree, of=plan.kgi.metric)

    assert {metric: share for metric, share in found.items() if share} == pytest.approx(ELASTICITIES[name], abs=5e-5)


def test_one_company_in_four_vocabularies():
    """T-R3: 4,800 leads, 540 meetings and 108 wins, whatever the stages are called."""
    same = {
        "S0": Tree.of(wins="meetings * .2", meetings="appointments * .75", appointments="leads * .15", leads=4800),
        "S1": Tree.of(
            wins="meetings * .2", meetings="appts * .75", appts="deals * (5 / 6)", deals="leads * .18", leads=4800
        ),
        "S3": Tree.of(wins="valid * .25", valid="meetings * .8", meetings="appointments * .75", appointments=720),
        "S4": Tree.of(
            wins="valid * .25",
            valid="meetings * .8",
            meetings="followed * .25",
            followed="targets * .75",
            targets="leads * .6",
            leads=4800,
        ),
    }

    for tree in same.values():
        assert tree.now("meetings") == pytest.approx(540)
        assert tree.now("wins") == pytest.approx(108)


def test_elasticity_is_the_share_of_the_kgi_an_input_carries():
    """By hand: 200 × 0.3 = 60 of 80 passes through visitors, so 60/80."""
    effect = elasticities(shop(), of="revenue")

    assert effect == pytest.approx({"visitors": 0.75, "rate": 0.75, "upsell": 0.25})


def test_the_slope_of_a_computed_metric_is_what_one_more_of_it_is_worth():
    """Domain §6.2: one more lead is worth ¥180,000, one more win ¥8M."""
    plan = samples.sample_plan()

    worth = slopes(plan.tree, of="revenue")

    assert worth["leads"] == pytest.approx(180_000)
    assert worth["wins"] == pytest.approx(8_000_000)
    assert worth["proposals"] == 0


def test_a_metric_used_twice_collects_both_slopes():
    """kgi = a·b + a, so ∂/∂a = b + 1."""
    assert slopes(Tree.of(kgi="a * b + a", a=3, b=4), of="kgi")["a"] == pytest.approx(5)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("min(a, b)", {"a": 1, "b": 0}),
        ("max(a, b)", {"a": 0, "b": 1}),
        ("a ^ 3", {"a": 12, "b": 0}),
        ("2 ^ a", {"a": 4 * np.log(2), "b": 0}),
        ("a / b", {"a": 0.2, "b": -0.08}),
        ("if(a > b, a, b * 3)", {"a": 0, "b": 3}),
        ("-a - b", {"a": -1, "b": -1}),
        ("sum(a, a, b)", {"a": 2, "b": 1}),
    ],
)
def test_slopes_by_hand(formula, expected):
    worth = slopes(Tree.of(kgi=formula, a=2, b=5), of="kgi")

    assert {metric: float(worth[metric]) for metric in expected} == pytest.approx(expected)


@pytest.mark.parametrize("shapes", [((5,), ()), ((5,), (5,)), ((4, 1), (3,)), ((0,), ()), ((40_000,), (40_000,))])
def test_samples_give_what_scalars_give_one_by_one(shapes):
    random = np.random.default_rng(1)
    visitors, rate = random.uniform(1, 9, shapes[0]), random.uniform(0, 1, shapes[1])

    found = evaluate(shop(), {"visitors": visitors, "rate": rate})

    np.testing.assert_array_equal(found["revenue"], visitors * rate + 20.0)
    worth = slopes(shop(), "revenue", {"visitors": visitors, "rate": rate})
    assert worth["visitors"].shape == np.broadcast_shapes(*shapes)


def test_long_samples_in_blocks_equal_the_same_samples_at_once_bit_for_bit():
    tree = samples.template("abm").tree
    random = np.random.default_rng(2)
    values = {metric: tree.now(metric) * random.uniform(0.9, 1.0, 100_000) for metric in tree.inputs}
    whole = evaluate(tree, {metric: column[:, None] for metric, column in values.items()})

    blocks = evaluate(tree, values)

    for metric in tree.metrics:
        np.testing.assert_array_equal(blocks[metric], whole[metric][:, 0])


@pytest.mark.parametrize(
    ("formula", "bad", "code", "named"),
    [
        ("1 / drawn", 0.0, "division_by_zero", "middle"),  # 1/0, and the KGI would be finite all the same
        ("drawn", np.nan, "not_finite", "drawn"),
        ("drawn", -np.inf, "not_finite", "drawn"),
        ("drawn - 9", 3.0, None, None),  # negative numbers are fine
        ("drawn ^ 20", 1e20, "not_finite", "middle"),
    ],
)
def test_one_bad_sample_among_many_is_found_even_where_the_kgi_hides_it(formula, bad, code, named):
    tree = Tree.of(drawn=1, middle=formula, kgi="if(middle > 5, 1, min(middle, 2))")
    drawn = np.ones(100_000)
    drawn[77_777] = bad

    if code is None:
        np.testing.assert_array_equal(evaluate(tree, {"drawn": drawn})["kgi"], np.minimum(drawn - 9, 2))
        return
    with pytest.raises(KpiError) as raised:
        evaluate(tree, {"drawn": drawn})

    assert (raised.value.code, raised.value.facts["metric"]) == (code, named)


@pytest.mark.parametrize("bad", [1.01, -0.01])
def test_one_rate_that_is_none_among_many_is_named(bad):
    tree = samples.sample_plan().tree
    rates = np.full(100_000, 0.2)
    rates[99_999] = bad

    with pytest.raises(KpiError) as raised:
        evaluate(tree, {"appt_rate": rates})

    assert (raised.value.code, raised.value.facts["metric"]) == ("rate_out_of_range", "appt_rate")


@pytest.mark.parametrize("length", [3, 100_000])
def test_asking_for_some_metrics_gives_just_these_with_the_same_numbers(length):
    tree = samples.sample_plan().tree
    values = {"appt_rate": np.linspace(0.1, 0.2, length)}

    some = evaluate(tree, values, only=("revenue", "appt_rate", "visitors"))

    assert list(some) == ["revenue", "appt_rate", "visitors"]
    for metric, found in some.items():
        np.testing.assert_array_equal(found, evaluate(tree, values)[metric])


def test_a_computed_metric_can_be_set_aside_its_formula():
    """契約率 +1 pt: 21 % × 540 × ¥8M = ¥907.2M (domain §6.2: +¥43.2M)."""
    tree = samples.sample_plan().tree

    assert float(evaluate(tree, {"close_rate": 0.21})["revenue"]) == pytest.approx(907.2e6)


def test_a_division_by_zero_names_the_metric_unless_an_if_guards_it():
    with pytest.raises(KpiError) as caught:
        evaluate(Tree.of(each="total / count", total=5, count=0))
    assert (caught.value.code, caught.value.facts["metric"]) == ("division_by_zero", "each")

    assert Tree.of(each="if(count = 0, 0, total / count)", total=5, count=0).now("each") == 0
    guarded = slopes(Tree.of(each="if(count = 0, 0, total / count)", total=5, count=0), "each")
    assert all(np.isfinite(slope).all() for slope in guarded.values())


def test_an_overflow_is_named_not_shown():
    with pytest.raises(KpiError) as caught:
        evaluate(Tree.of(kgi="(a * a) ^ 20", a=1e15))

    assert (caught.value.code, caught.value.facts["metric"]) == ("not_finite", "kgi")


@pytest.mark.parametrize("value", [-0.1, 1.4, np.array([0.5, 1.01]), float("nan"), float("inf")])
def test_a_rate_outside_0_and_1_is_named(value):
    tree = Tree({"rate": Metric(name="率", kind="rate", unit="%", value=0.5)})

    with pytest.raises(KpiError) as caught:
        evaluate(tree, {"rate": value})

    assert caught.value.code in ("rate_out_of_range", "not_finite")
    assert caught.value.facts["metric"] == "rate"


def test_a_cycle_is_shown_as_a_loop():
    with pytest.raises(KpiError) as caught:
        Tree.of(a="b + 1", b="c * 2", c="a - 1")

    assert caught.value.code == "cycle"
    assert caught.value.facts["metrics"] == ("a", "b", "c", "a")


def test_a_very_deep_tree_needs_no_recursion():
    links = {f"m{at}": f"m{at + 1} + 1" for at in range(1_999)}

    assert Tree.of(**links, m1999=1).now("m0") == 2_000


def test_the_parts_of_a_change_sum_to_it_and_know_no_order():
    """Two levers of a product share their joint gain equally in logs: here both rise by 10 %."""
    tree = Tree.of(kgi="a * b", a=10, b=20)

    parts = explain_change(tree, "kgi", {}, {"a": 11, "b": 22})

    assert parts == pytest.approx({"a": 21, "b": 21})


@pytest.mark.parametrize("name", samples.TEMPLATES)
def test_the_parts_of_a_change_sum_exactly_in_every_template(name):
    plan = samples.template(name)
    levers = plan.tree.levers(plan.kgi.metric)
    after = {lever: 0.7 * plan.tree.now(lever) + 0.3 * plan.metrics[lever].span[1] for lever in levers}

    parts = explain_change(plan.tree, plan.kgi.metric, {}, after)

    change = float(evaluate(plan.tree, after)[plan.kgi.metric]) - plan.tree.now(plan.kgi.metric)
    assert sum(parts.values()) == pytest.approx(change, rel=1e-9)
