"""Sensitivity against the domain's printed tables and hand arithmetic."""

import math
from pathlib import Path

import numpy as np
import pytest

from kpi_core.document import Metric
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.sensitivity import bottleneck, break_even, natural_step, plus_one, strongest, tornado, two_way, worth
from kpi_core.tree import Tree, evaluate

SAMPLES = Path(__file__).parents[2] / "sample_data"


def sample(name: str) -> Plan:
    return Plan.from_text((SAMPLES / name).read_text(encoding="utf-8"))


def tree_of(kgi: str, **inputs: dict[str, float]) -> Tree:
    metrics = {name: Metric(name=name, kind="count", **entry) for name, entry in inputs.items()}
    return Tree({**metrics, "kgi": Metric(name="kgi", kind="kgi", formula=kgi)})


# +1 point


def test_one_more_point_of_meeting_rate_is_worth_eleven_and_a_half_million():
    """T-S1."""
    found = worth(sample("sample_plan.yaml"), "meeting_rate", 0.01)

    assert found.change == pytest.approx(11_520_000, rel=1e-12)


def test_each_levers_natural_step_and_its_worth():
    """Domain §6.2, the static column: +1,000 visitors, +0.1 pt, +1 pt, +¥100,000."""
    found = plus_one(sample("sample_plan.yaml"))

    assert {item.metric: (item.step, item.change / 1e6) for item in found} == {
        "visitors": (1_000, pytest.approx(2.16)),
        "cvr": (0.001, pytest.approx(72)),
        "appt_rate": (0.01, pytest.approx(57.6)),
        "meeting_rate": (0.01, pytest.approx(11.52)),
        "proposal_rate": (0.01, pytest.approx(17.28)),
        "proposal_win_rate": (0.01, pytest.approx(21.6)),
        "unit_price": (100_000, pytest.approx(10.8)),
    }
    assert [item.one_percent for item in found] == pytest.approx([8_640_000] * 7), "one percent of each is the same"


@pytest.mark.parametrize(
    ("metric", "step", "millions"),
    [("close_rate", 0.01, 43.2), ("leads", 100, 18), ("appointments", 10, 12), ("meetings", 10, 16), ("wins", 1, 8)],
)
def test_a_step_of_a_computed_metric_has_a_worth_too(metric, step, millions):
    found = worth(sample("sample_plan.yaml"), metric, step)

    assert found.change == pytest.approx(millions * 1e6, rel=1e-9)


def test_more_of_a_bad_thing_is_worth_less_than_nothing():
    """LTV ∝ 1/churn: 10 % → 11 % takes 1/11 of 1,764M away."""
    found = worth(sample("templates/keypoint.yaml"), "churn")

    assert found.change == pytest.approx(-1_764e6 / 11, rel=1e-9)


@pytest.mark.parametrize(
    ("kind", "unit", "value", "step"),
    [
        *[("rate", "%", value, step) for value, step in ((0.5, 0.01), (0.05, 0.01), (0.012, 0.001), (0.0025, 0.0001))],
        *[("rate", "%", value, step) for value, step in ((1.0, -0.01), (0.995, -0.01), (0.99, 0.01), (0.0, 0.01))],
        *[("count", "人", value, step) for value, step in ((400_000, 1_000), (240_000, 500), (300, 1), (0, 1))],
        *[("money", "円", value, step) for value, step in ((8_000_000, 100_000), (2_500_000, 20_000), (0, 1))],
        *[("rate", "件/社", 1.2, 0.01), ("time", "日", 20, 1), ("money", "円", -8_000_000, 100_000)],
    ],
)
def test_a_natural_step_is_one_a_person_would_think_in(kind, unit, value, step):
    entry = Metric(name="x", kind=kind, unit=unit, value=float(value))

    assert natural_step(entry, float(value)) == pytest.approx(step, rel=1e-12)


def test_a_rate_at_one_hundred_percent_shows_what_a_point_less_would_cost():
    plan = sample("sample_plan.yaml").replace({"metrics.meeting_rate.value": 1.0, "metrics.meeting_rate.high": 1.0})

    found = worth(plan, "meeting_rate")

    assert (found.step, found.change) == (-0.01, pytest.approx(-0.01 * 864e6 / 0.75))
    assert found.one_percent == pytest.approx(-0.01 * 864e6 / 0.75)


def test_a_step_beyond_what_a_rate_can_be_is_refused():
    with pytest.raises(KpiError) as refused:
        worth(sample("sample_plan.yaml"), "meeting_rate", 0.5)

    assert refused.value.code == "rate_out_of_range"


# Tornado


def test_tornado_of_the_funnel():
    """Domain §6.3, in millions."""
    bars = tornado(sample("sample_plan.yaml").tree, "revenue")

    assert [(bar.metric, round(bar.kgi_low / 1e6, 1), round(bar.kgi_high / 1e6, 1)) for bar in bars] == [
        ("appt_rate", 460.8, 1267.2),
        ("cvr", 504.0, 1296.0),
        ("visitors", 648.0, 1123.2),
        ("proposal_win_rate", 648.0, 1080.0),
        ("proposal_rate", 656.6, 1071.4),
        ("unit_price", 702.0, 1026.0),
        ("meeting_rate", 691.2, 979.2),
    ]
    assert strongest(bars) == ("appt_rate",)


def test_bars_of_equal_width_say_so():
    same = {"value": 100.0, "low": 90.0, "high": 120.0}
    tree = tree_of("a * b + c", a=same, b=same, c={"value": 5.0, "low": 4.0, "high": 6.0})

    bars = tornado(tree, "kgi")

    assert [(bar.metric, bar.ties) for bar in bars] == [("a", ("b",)), ("b", ("a",)), ("c", ())]
    assert strongest(bars) == ("a", "b")


def test_a_lever_without_a_range_is_listed_as_such_and_last():
    tree = tree_of(
        "a * b * c", a={"value": 3.0}, b={"value": 2.0, "low": 1.9, "high": 2.1}, c={"value": 1.0, "high": 9.0}
    )

    bars = tornado(tree, "kgi")

    assert [(bar.metric, bar.has_range) for bar in bars] == [("b", True), ("c", False), ("a", False)]
    assert bars[1].kgi_low == 6, "the missing end is the present value"
    assert bars[2].size == 0


def test_nothing_is_strongest_when_nothing_has_a_range():
    assert strongest(tornado(tree_of("a + b", a={"value": 3.0}, b={"value": 2.0}), "kgi")) == ()


def test_a_bar_of_less_is_better_runs_the_other_way():
    churn = next(bar for bar in tornado(sample("templates/keypoint.yaml").tree, "ltv_total") if bar.metric == "churn")

    assert churn.kgi_low == pytest.approx(2_940e6)
    assert churn.kgi_high == pytest.approx(1_102.5e6)
    assert churn.size == pytest.approx(1_837.5e6)


# Two-way


def test_two_way_table_of_close_rate_and_leads():
    """Domain §6.3, in millions; the default values are the printed ones."""
    grid = two_way(sample("sample_plan.yaml"), "leads", "close_rate")

    assert grid.first_values == pytest.approx((4320, 4800, 5280, 5760))
    assert grid.second_values == pytest.approx((0.18, 0.20, 0.22, 0.24))
    assert np.round(grid.kgi / 1e6, 1).tolist() == [
        [699.8, 777.6, 855.4, 933.1],
        [777.6, 864.0, 950.4, 1036.8],
        [855.4, 950.4, 1045.4, 1140.5],
        [933.1, 1036.8, 1140.5, 1244.2],
    ]
    assert grid.reached.sum() == 6


def test_every_cell_of_a_two_way_table_is_an_evaluation():
    plan = sample("templates/web_basic.yaml")

    grid = two_way(plan, "retention", "win_rate", first_values=(0.9, 0.95), second_values=(0.15, 0.2, 0.25))

    for row, retention in enumerate(grid.first_values):
        for column, win_rate in enumerate(grid.second_values):
            alone = evaluate(plan.tree, {"retention": retention, "win_rate": win_rate})["revenue"]
            assert grid.kgi[row, column] == alone


def test_two_way_leaves_out_what_no_rate_can_be():
    """0.92 × 1.1 is more than all."""
    grid = two_way(sample("templates/web_basic.yaml"), "retention", "csat")

    assert grid.first_values == pytest.approx((0.828, 0.92))
    assert grid.kgi.shape == (2, 4), "a metric without effect still fills its columns"


@pytest.mark.parametrize(("first", "second"), [("leads", "visitors"), ("cvr", "leads"), ("cvr", "cvr")])
def test_two_metrics_that_depend_on_one_another_make_no_table(first, second):
    with pytest.raises(KpiError) as refused:
        two_way(sample("sample_plan.yaml"), first, second)

    assert refused.value.code == "depends"


# Break-even and bottleneck


def test_break_even_lists_those_that_can_do_it_alone_first():
    answers = break_even(sample("sample_plan.yaml"))

    assert [answer.lever for answer in answers][-1] == "meeting_rate"
    assert [answer.reachable for answer in answers] == [True] * 6 + [False]


def test_bottleneck_scores_of_the_funnel():
    """Domain §6.6; by hand for アポ率: ln(0.22/0.15) × 4/5."""
    scores = bottleneck(sample("sample_plan.yaml"))

    assert [(score.metric, round(score.size, 4)) for score in scores] == [
        ("appt_rate", 0.3064),
        ("cvr", 0.2433),
        ("proposal_rate", 0.1721),
        ("visitors", 0.1574),
        ("proposal_win_rate", 0.1339),
        ("unit_price", 0.1031),
        ("meeting_rate", 0.1001),
    ]
    assert scores[0].size == pytest.approx(math.log(0.22 / 0.15) * 0.8, rel=1e-12)
    assert strongest(scores) == ("appt_rate",)


def test_the_bottleneck_of_a_bad_thing_is_how_far_it_can_fall():
    churn = bottleneck(sample("templates/keypoint.yaml"))[0]

    assert (churn.metric, churn.ties) == ("churn", ())
    assert churn.size == pytest.approx(math.log(0.10 / 0.06) * 3 / 5, rel=1e-12)


def test_equal_bottlenecks_say_so():
    """ABM: win rate 0.30 → 0.38 and price 30 → 38M, controllability 3 each."""
    scores = bottleneck(sample("templates/abm.yaml"))

    assert strongest(scores) == ("win_rate", "unit_price")
    assert scores[0].ties == ("unit_price",)


def test_a_lever_without_its_good_end_has_no_score_but_is_listed():
    plan = sample("sample_plan.yaml").replace({"metrics.appt_rate.high": None})

    last = bottleneck(plan)[-1]

    assert (last.metric, last.room, last.size, last.has_range) == ("appt_rate", None, 0, False)


def test_an_unknown_metric_is_refused_everywhere():
    plan = sample("sample_plan.yaml")

    for ask in (
        lambda: worth(plan, "nobody"),
        lambda: tornado(plan.tree, "nobody"),
        lambda: two_way(plan, "nobody", "cvr"),
    ):
        with pytest.raises(KpiError) as refused:
            ask()
        assert refused.value.code == "unknown_metric"
