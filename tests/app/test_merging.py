"""Two people's changes in one plan: both are in it or a person is asked, and nothing either did is lost.

The oracle knows nothing of how merging works: it reads both plans as files say them, as a set of facts, and
holds the result to (what base said − what either took away) + what either added.
"""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.plan_removal import of_ksf, of_metric
from workbench import words
from workbench.changes_ids import free_id
from workbench.merging import in_words, merge
from workbench.samples import TEMPLATES, sample_plan, template

SAMPLE = sample_plan()
METRIC = {
    "name": {"ja": "紹介数", "en": "Referrals"},
    "unit": "件",
    "kind": "count",
    "value": 12.0,
    "team": "marketing",
}
KSF = {"name": {"ja": "紹介の依頼"}, "team": "marketing", "moves": {"cvr": [0.01, 0.02, 0.03]}, "cost": 5.0}
RICH = SAMPLE.replace(
    {
        "decisions": [
            {"date": "2026-04-01", "chosen": ["F1"], "kgi": 9e8, "review": "2026-06-30"},
            {"date": "2026-05-01", "chosen": ["F3"], "kgi": 9.1e8, "review": "2026-07-31", "note": "二回目"},
        ],
        "limits.lock": ["F1"],
        "limits.rule_out": ["M4"],
        "opening.stock.meetings": [10.0, 5.0],
        "opening.deals": [{"amount": 8e6, "chance": 0.5}, {"amount": 5e6, "chance": 0.2}],
        "drivers": [{"source": "cvr", "target": "unit_price", "elasticity": 0.1}],
        "assumptions.correlations": [{"pair": ["cvr", "appt_rate"], "rank": 0.3}],
    }
)
SMALL = Plan.from_data(
    {
        "schema": 1,
        "name": "店",
        "fiscal_year": {"starts": "2026-04"},
        "kgi": {"metric": "sales", "target": 2e6},
        "teams": {"shop": {"name": "店", "hours": 100.0}, "web": {"name": "ウェブ"}},
        "metrics": {
            "visitors": {"name": "来店", "unit": "人", "kind": "count", "value": 1e3, "low": 5e2, "high": 2e3},
            "rate": {"name": "率", "unit": "%", "kind": "rate", "value": 0.2, "low": 0.1, "high": 0.4, "short": ["略"]},
            "sales": {"name": "売上", "unit": "円", "kind": "kgi", "formula": "visitors * rate * 5000"},
        },
        "ksfs": {
            "A": {"name": "甲", "team": "shop", "moves": {"rate": [0.0, 0.1, 0.2]}, "illustrative": True},
            "B": {"name": "乙", "team": "web", "moves": {"visitors": [0.0, 0.1, 0.2]}, "depends_on": ["A"]},
        },
        "stages": ["visitors", "sales"],
        "limits": {"budget": 5.0, "lock": ["A"]},
        "cash": {"rate": 0.9},
        "assumptions": {
            "correlations": [{"pair": ["visitors", "rate"], "rank": 0.3}],
            "synergies": [{"pair": ["A", "B"], "bonus": 0.1}],
        },
        "opening": {"stock": {"visitors": [5.0]}, "deals": [{"amount": 8.0, "chance": 0.5}]},
        "decisions": [{"date": "2026-04-01", "chosen": ["A"], "kgi": 1.0, "review": "2026-06-30"}],
    }
)
PLANS = {"rich": RICH, "sample": SAMPLE, **{name: template(name) for name in TEMPLATES}}


def facts(plan: Plan) -> set[tuple[str, str]]:
    """Return every single thing a plan's file says, by where: members of lists of ids and of logs one by one."""
    found: set[tuple[str, str]] = set()

    def read(said, path):
        kind = path.rpartition(".")[2]
        if isinstance(said, dict):
            for key, part in said.items():
                read(part, f"{path}.{key}" if path else key)
        elif isinstance(said, list) and (not said or isinstance(said[0], str | dict)):
            found.update((f"{path}.{member}", "") for member in said if isinstance(member, str))
            found.update((path, json.dumps(member, sort_keys=True)) for member in said if isinstance(member, dict))
        elif kind not in ("schema",):
            found.add((path, json.dumps(said)))

    read(plan.to_data(), "")
    return found


def under(path: str, clashes) -> bool:
    """Return whether a fact stands where people are asked; members of logs have no path of their own in a file."""
    spots = [spot for clash in clashes for spot in clash.paths]
    logs = ("decisions", "opening.deals", "drivers", "assumptions.")
    return any(
        path == spot or path.startswith(f"{spot}.") or (path.startswith(logs) and spot.startswith(path))
        for spot in spots
    )


# --- Random edits, each as people make it on a page: changes by path, or a plan. -----------------------------------


def _pick(dice: Random, known):
    return dice.choice(list(known))


def _input(plan, dice):
    return _pick(dice, [metric for metric, entry in plan.metrics.items() if entry.formula is None])


def _number(plan, dice):
    metric = _input(plan, dice)
    entry = plan.metrics[metric]
    way = dice.choice(["value", "low", "high", "all"])
    value = entry.value * dice.choice([0.8, 0.9, 1.05, 1.2])
    if way == "all":
        return {f"metrics.{metric}.{end}": value * by for end, by in (("low", 0.5), ("value", 1.0), ("high", 1.5))}
    return {f"metrics.{metric}.{way}": value, f"metrics.{metric}.illustrative": None}


def _metric_words(plan, dice):
    path = f"metrics.{_pick(dice, plan.metrics)}"
    return dice.choice(
        [
            {f"{path}.name.ja": f"名前{dice.randrange(50)}"},
            {f"{path}.name.en": f"Name {dice.randrange(50)}"},
            {f"{path}.unit": dice.choice(["人", "社"])},
            {f"{path}.definition": f"定義{dice.randrange(3)}"},
            {f"{path}.short": dice.sample(["略", "短", "a.b"], dice.randrange(3))},
            {f"{path}.work.{_pick(dice, plan.teams)}": float(dice.randrange(1, 90))},
            {f"{path}.history": [float(dice.randrange(5)) for _ in range(3)]},
            {f"{path}.controllability": dice.randrange(1, 6)},
            {f"{path}.team": _pick(dice, plan.teams)},
        ]
    )


def _shape_of_tree(plan, dice):
    metric = _pick(dice, plan.metrics)
    path, entry = f"metrics.{metric}", plan.metrics[metric]
    if entry.formula is None:
        gone = dict.fromkeys(f"{path}.{name}" for name in ("value", "low", "high", "season", "shape"))
        return {f"{path}.formula": f"{_pick(dice, plan.metrics)} * 0.5", **gone}
    gone = dict.fromkeys(f"{path}.{name}" for name in ("formula", "by_month", "lag"))
    return dice.choice(
        [
            {**gone, f"{path}.value": plan.tree.now(metric)},
            {f"{path}.formula": f"({entry.formula}) * {dice.choice(['1.01', '1.02'])}"},
            {f"{path}.lag": dice.choice([[0.5, 0.5], [0.2, 0.8], [1.0]])},
        ]
    )


def _new_metric(plan, dice):
    number = len(plan.metrics) + 1
    metric = f"metric_{number}"
    name = dice.choice("甲乙丙丁")
    added = {f"metrics.{metric}": {**METRIC, "name": {"ja": name}, "team": None, "value": float(dice.randrange(9))}}
    return dice.choice([added, {**added, "stages": [*plan.stages, metric]}])


def _gone_metric(plan, dice):
    return of_metric(plan, _pick(dice, plan.metrics)).plan


def _ksf(plan, dice):
    ksf = _pick(dice, plan.ksfs)
    path = f"ksfs.{ksf}"
    return dice.choice(
        [
            {f"{path}.cost": float(dice.randrange(5))},
            {f"{path}.hours.{_pick(dice, plan.teams)}": float(dice.randrange(1, 5))},
            {f"{path}.moves.{_pick(dice, plan.metrics)}": [0.0, 0.01, dice.choice([0.02, 0.03])]},
            {f"{path}.needs.{_pick(dice, plan.metrics)}": float(dice.randrange(1, 5))},
            {f"{path}.ramp": [1.0, float(dice.randrange(2, 6))]},
            {f"{path}.depends_on": dice.sample([*set(plan.ksfs) - {ksf}], dice.randrange(3))},
            {f"{path}.excludes": dice.sample([*set(plan.ksfs) - {ksf}], dice.randrange(2))},
            {f"{path}.name.ja": f"KSF{dice.randrange(9)}"},
            {f"{path}.actions.{dice.choice(['ja', 'en'])}": dice.choice([None, "やる"])},
            {f"{path}.illustrative": None},
        ]
    )


def _new_ksf(plan, dice):
    moves = {_pick(dice, plan.metrics): [0.0, 0.01, 0.02]}
    entry = {**KSF, "moves": moves, "team": _pick(dice, plan.teams), "cost": float(dice.randrange(3))}
    return {f"ksfs.N{dice.randrange(3)}": {**entry, "depends_on": [_pick(dice, plan.ksfs)]}}


def _gone_ksf(plan, dice):
    return of_ksf(plan, _pick(dice, plan.ksfs)).plan


def _frame(plan, dice):
    team = f"teams.{_pick(dice, plan.teams)}"
    some_ksfs = dice.sample([*plan.ksfs], min(len(plan.ksfs), dice.randrange(3)))
    return dice.choice(
        [
            {f"{team}.skill": dice.randrange(1, 6)},
            {f"{team}.hours": dice.choice([None, 10.0, 20.0])},
            {f"{team}.quarters": dice.choice([None, [1.0, 2.0, 3.0, float(dice.randrange(4))]])},
            {"limits.budget": dice.choice([None, 1e6, 2e6])},
            {"limits.lock": some_ksfs},
            {"limits.rule_out": some_ksfs},
            {"kgi.target": dice.choice([1.1e9, 1.2e9])},
            {"kgi.confidence": dice.choice([0.8, 0.9])},
            {"kgi.metric": _pick(dice, plan.metrics), "kgi.target": dice.choice([100.0, 200.0])},
            {"name.ja": dice.choice(["計画A", "計画B"])},
            {"name.en": dice.choice([None, "Plan"])},
            {"fiscal_year.starts": dice.choice(["2026-01", "2026-07"])},
            {"stages": dice.sample([*plan.stages], len(plan.stages))},
            {"stages": [*plan.stages][1:]},
            {"cash": None},
            {"cash": {"rate": dice.choice([0.8, 0.9]), "lag": [1.0]}},
            {"currency": dice.choice(["USD", "JPY"])},
            {"assumptions.execution": dice.choice([0.5, 0.7])},
            {"assumptions.free_ksfs": [2, 2, 3, 4, dice.randrange(4, 7)]},
        ]
    )


def _lists(plan, dice):
    """Change a log or a list of links; what is new is like nothing else, for a set of facts counts nothing twice."""
    data = plan.to_data()
    decision = {"date": "2026-06-01", "chosen": [], "kgi": float(dice.randrange(10**6)), "review": "2026-09-30"}
    known = {
        "decisions": (data.get("decisions", []), decision),
        "opening.deals": (
            data.get("opening", {}).get("deals", []),
            {"amount": float(dice.randrange(10**6)), "chance": 0.5},
        ),
        "drivers": (
            data.get("drivers", []),
            {"source": _pick(dice, plan.metrics), "target": _pick(dice, plan.metrics), "elasticity": 0.5},
        ),
        "assumptions.synergies": (
            data["assumptions"].get("synergies", []),
            {"pair": dice.sample([*plan.ksfs], 2), "bonus": dice.choice([0.2, 0.3])},
        ),
        "assumptions.correlations": (
            data["assumptions"].get("correlations", []),
            {"pair": dice.sample([*plan.metrics], 2), "rank": dice.choice([0.9, -0.9])},
        ),
    }
    path = _pick(dice, known)
    members, new = known[path]
    way = dice.choice(["add", "add", "drop", "change"])
    if way == "add" or not members:
        return {path: [*members, new]}
    at = dice.randrange(len(members))
    other = (
        []
        if way == "drop"
        else [{**members[at], **{key: new[key] for key in ("kgi", "amount", "bonus") if key in new}}]
    )
    return {path: [*members[:at], *other, *members[at + 1 :]]}


EDITS = [
    _number, _number, _metric_words, _metric_words, _shape_of_tree, _new_metric, _gone_metric,
    _ksf, _ksf, _new_ksf, _gone_ksf, _frame, _frame, _lists,
]  # fmt: skip
moves = some.lists(some.tuples(some.sampled_from(EDITS), some.integers(0, 2**32)), min_size=1, max_size=5)


def after(base: Plan, steps) -> Plan:
    """Return the plan after somebody's edits; what the app would refuse is not done."""
    plan = base
    for edit, seed in steps:
        try:
            found = edit(plan, Random(seed))
            plan = found if isinstance(found, Plan) else plan.replace(found)
        except (KpiError, IndexError, ValueError):
            continue
    return plan


# --- What holds for any two people's edits. ---------------------------------------------------------------------------


def hold_all(base: Plan, ours: Plan, theirs: Plan) -> bool:
    """Hold a merge to the facts; return whether anything was asked."""
    merged = merge(base, ours, theirs)
    results = [merged.resolved(_all(merged, side)) for side in ("ours", "theirs")]
    known = facts(base)
    sides = [facts(merged.ours), facts(theirs)]
    added, gone = [side - known for side in sides], [known - side for side in sides]

    for at, result in enumerate(results):
        said = facts(result)

        # Who takes one side everywhere has everything that side did.
        assert added[at] <= said
        assert not gone[at] & said

        # Whatever is not asked is in the plan, of both sides; and nothing else is.
        wanted = (known - gone[0] - gone[1]) | added[0] | added[1]
        assert {fact for fact in said ^ wanted if not under(fact[0], merged.clashes)} == set()

    # Taking theirs is what the plan says as long as nobody has chosen; without clashes there is one plan.
    assert merged.plan == results[1]
    assert merged.clashes or results[0] == results[1]
    assert all(clash.ours != clash.theirs for clash in merged.clashes)
    spots = [spot for clash in merged.clashes for spot in clash.paths]
    assert len(spots) == len(set(spots))
    return bool(merged.clashes)


def _all(merged, side):
    return {clash.path: side for clash in merged.clashes}


@settings(max_examples=150)
@given(some.sampled_from([*PLANS]), moves, moves)
def test_no_edit_of_either_side_is_lost(name, ours, theirs):
    hold_all(PLANS[name], after(PLANS[name], ours), after(PLANS[name], theirs))


@settings(max_examples=40)
@given(some.sampled_from([*PLANS]), moves)
def test_where_only_one_side_changed_its_plan_is_the_result(name, steps):
    base = PLANS[name]
    changed = after(base, steps)

    for merged in (merge(base, changed, base), merge(base, base, changed), merge(base, changed, changed)):
        assert not merged.clashes
        assert merged.plan == changed
        assert merged.plan.digest == changed.digest  # the order of things too


@settings(max_examples=60)
@given(some.sampled_from(["rich", "sample"]), moves, moves)
def test_swapping_the_sides_swaps_the_choices_and_nothing_else(name, one, other):
    base = PLANS[name]
    ours, theirs = after(base, one), after(base, other)
    if any(id_ in theirs.metrics and id_ not in base.metrics for id_ in ours.metrics):
        return  # two new metrics of one id: the one that comes second gets another, whoever that is

    here, there = merge(base, ours, theirs), merge(base, theirs, ours)

    assert {(clash.path, clash.paths) for clash in here.clashes} == {(c.path, c.paths) for c in there.clashes}
    assert facts(here.resolved(_all(here, "ours"))) == facts(there.resolved(_all(there, "theirs")))
    if not here.clashes:
        assert facts(here.plan) == facts(there.plan)


# Edits that have nothing to do with one another, for `Plan.replace` to do all at once.
APART = {
    "name.ja": "計画", "name.en": "Plan", "kgi.target": 1.2e9, "kgi.confidence": 0.9, "fiscal_year.starts": "2026-07",
    "metrics.cvr.value": 0.013, "metrics.cvr.high": 0.02, "metrics.cvr.low": 0.008, "metrics.cvr.name.ja": "率",
    "metrics.cvr.name.en": "Rate", "metrics.cvr.illustrative": None, "metrics.visitors.season": [1.0] * 12,
    "metrics.visitors.history": [3.0], "metrics.leads.lag": [0.5, 0.5], "metrics.leads.work.marketing": 5.0,
    "metrics.leads.work.inside_sales": 40.0, "metrics.extra": METRIC,
    "metrics.revenue.formula": "wins * unit_price * 2",
    "ksfs.F1.cost": 5.0, "ksfs.F1.moves.unit_price": [0.0, 0.1, 0.2], "ksfs.F1.moves.proposal_rate": None,
    "ksfs.F1.hours.marketing": 7.0, "ksfs.F1.actions.ja": "新しい", "ksfs.F1.actions.en": None,
    "ksfs.F2.ramp": [1.0, 9.0],
    "ksfs.N1": KSF, "ksfs.M3.needs.leads": 650.0, "teams.marketing.hours": None, "teams.marketing.skill": 3,
    "teams.marketing.quarters": [1.0, 2.0, 3.0, 4.0], "limits.budget": 5.0, "limits.lock": ["F1"],
    "limits.rule_out": ["M4"], "cash.rate": 0.5, "cash.lag": [1.0], "opening.stock.leads": [5.0],
    "assumptions.execution": 0.5, "assumptions.free_ksfs": [1, 1, 1, 1, 1], "currency": "USD",
    "drivers": [{"source": "cvr", "target": "leads", "elasticity": 0.5}],
}  # fmt: skip


@settings(max_examples=50)
@given(some.lists(some.sampled_from(["ours", "theirs", "both", "nobody"]), min_size=len(APART), max_size=len(APART)))
def test_changes_of_different_fields_are_both_there_as_if_one_person_had_made_them(who):
    made = {
        side: {path: said for (path, said), by in zip(APART.items(), who, strict=True) if by in (side, "both")}
        for side in ("ours", "theirs")
    }

    merged = merge(SAMPLE, SAMPLE.replace(made["ours"]), SAMPLE.replace(made["theirs"]))

    assert not merged.clashes
    assert merged.plan == SAMPLE.replace({**made["ours"], **made["theirs"]})


# --- What people are asked, by hand. ---------------------------------------------------------------------------------


def asked(ours, theirs, base=RICH):
    """Return how two people's changes of one plan are merged, and what is asked."""

    def made(changes):
        return changes if isinstance(changes, Plan) else base.replace(changes)

    merged = merge(base, made(ours), made(theirs))
    return merged, [clash.paths for clash in merged.clashes]


def test_two_values_for_one_field_are_a_choice_that_either_side_can_win():
    merged, paths = asked({"kgi.target": 1.1e9}, {"kgi.target": 1.2e9, "kgi.confidence": 0.9})

    assert paths == [("kgi.target",)]
    clash = merged.clashes[0]
    assert (clash.path, clash.base, clash.ours, clash.theirs) == ("kgi.target", 1e9, 1.1e9, 1.2e9)
    assert merged.plan.kgi.target == 1.2e9
    assert merged.resolved({"kgi.target": "ours"}).kgi.target == 1.1e9
    assert merged.resolved({"kgi.target": "ours"}).kgi.confidence == 0.9


def test_a_choice_that_is_still_open_is_named():
    merged, _ = asked({"kgi.target": 1.1e9, "name.ja": "A"}, {"kgi.target": 1.2e9, "name.ja": "B"})

    with pytest.raises(KpiError) as refused:
        merged.resolved({"name.ja": "ours"})

    assert refused.value.code == "choice_missing"
    assert refused.value.facts["paths"] == ("kgi.target",)


def test_who_removes_what_another_changes_is_asked_and_the_change_is_shown():
    merged, paths = asked(of_ksf(RICH, "I3").plan, {"ksfs.I3.cost": 7.0})

    assert paths == [("ksfs.I3", "ksfs.I4.depends_on.I3", "assumptions.synergies.I3+I4")]
    assert merged.clashes[0].ours["ksfs.I3"] is None
    assert merged.clashes[0].theirs["ksfs.I3"]["cost"] == 7
    path = merged.clashes[0].path
    assert "I3" not in merged.resolved({path: "ours"}).ksfs
    assert merged.resolved({path: "theirs"}).ksfs["I4"].depends_on == ("I3",)  # as it was before it was removed


def test_two_people_may_remove_two_ksfs_of_which_one_built_on_the_other():
    merged, paths = asked(of_ksf(RICH, "I3").plan, of_ksf(RICH, "I4").plan)

    assert paths == []
    assert set(merged.plan.ksfs) == set(RICH.ksfs) - {"I3", "I4"}


def test_removing_a_ksf_and_building_another_one_on_it_is_one_choice():
    merged, paths = asked(of_ksf(RICH, "I3").plan, {"ksfs.F3.depends_on": ["I3"]})

    assert len(paths) == 1
    assert {"ksfs.I3", "ksfs.F3.depends_on.I3"} <= set(paths[0])
    assert merged.resolved({merged.clashes[0].path: "ours"}).ksfs["F3"].depends_on == ()


def test_removing_a_metric_that_a_new_ksf_moves_is_one_choice():
    plan = RICH.replace({"metrics.extra": METRIC, "stages": [*RICH.stages, "extra"]})
    new = {**KSF, "moves": {"extra": [0.0, 0.1, 0.2]}}

    merged, paths = asked(of_metric(plan, "extra").plan, {"ksfs.N1": new}, plan)

    assert paths == [("metrics.extra", "ksfs.N1", "stages.extra")]
    assert merged.resolved({"metrics.extra": "theirs"}).stages[-1] == "extra"
    assert "N1" not in merged.resolved({"metrics.extra": "ours"}).ksfs


def test_two_people_may_change_two_ends_of_a_range_if_it_holds():
    merged, paths = asked({"metrics.cvr.low": 0.008}, {"metrics.cvr.high": 0.02})

    assert paths == []
    assert (merged.plan.metrics["cvr"].low, merged.plan.metrics["cvr"].high) == (0.008, 0.02)


def test_a_range_that_does_not_hold_together_is_chosen_as_a_whole():
    _, paths = asked({"metrics.cvr.high": 0.014}, {"metrics.cvr.value": 0.016})

    assert paths == [("metrics.cvr.value", "metrics.cvr.high")]


def test_where_one_number_of_a_range_is_asked_the_others_go_with_it():
    _, paths = asked(
        {"metrics.cvr.value": 0.013, "metrics.cvr.high": 0.02}, {"metrics.cvr.value": 0.014, "metrics.cvr.low": 0.01}
    )

    assert paths == [("metrics.cvr.value", "metrics.cvr.low", "metrics.cvr.high")]


def test_an_input_that_one_makes_a_formula_and_another_changes_is_one_choice():
    merged, paths = asked(
        {
            "metrics.cvr.formula": "appt_rate * 0.1",
            **dict.fromkeys(f"metrics.cvr.{n}" for n in ("value", "low", "high")),
        },
        {"metrics.cvr.value": 0.013},
    )

    assert [set(group) for group in paths] == [
        {"metrics.cvr.value", "metrics.cvr.low", "metrics.cvr.high", "metrics.cvr.formula"}
    ]
    assert merged.resolved({merged.clashes[0].path: "ours"}).metrics["cvr"].formula == "appt_rate * 0.1"


def test_a_target_is_never_put_beside_the_metric_another_chose_for_the_goal():
    _, paths = asked({"kgi.metric": "wins"}, {"kgi.target": 1.1e9})

    assert paths == [("kgi.metric", "kgi.target")]


def test_formulas_that_only_together_go_in_a_circle_are_a_choice():
    plan = RICH.replace({"metrics.a": METRIC, "metrics.b": {**METRIC, "name": {"ja": "乙"}}})
    gone = {"value": None, "formula": None}

    merged, paths = asked(
        {f"metrics.a.{field}": said for field, said in {**gone, "formula": "b * 2"}.items()},
        {f"metrics.b.{field}": said for field, said in {**gone, "formula": "a * 2"}.items()},
        plan,
    )

    assert len(paths) == 1
    assert {path.split(".")[1] for path in paths[0]} == {"a", "b"}
    assert merged.resolved({merged.clashes[0].path: "ours"}).metrics["a"].formula == "b * 2"


def test_two_things_that_would_have_the_same_name_are_a_choice():
    _, paths = asked({"metrics.cvr.name.ja": "転換率"}, {"metrics.appt_rate.name.ja": "転換率"})

    assert paths == [("metrics.cvr.name.ja", "metrics.appt_rate.name.ja")]


def test_two_conflicts_that_have_nothing_to_do_with_each_other_are_two_choices():
    merged, paths = asked(
        {"metrics.cvr.high": 0.014, "metrics.visitors.name.ja": "人数", "kgi.target": 1.1e9},
        {"metrics.cvr.value": 0.016, "metrics.leads.name.ja": "人数", "kgi.target": 1.2e9},
    )

    assert sorted(paths) == [
        ("kgi.target",),
        ("metrics.cvr.value", "metrics.cvr.high"),
        ("metrics.visitors.name.ja", "metrics.leads.name.ja"),
    ]
    mixed = merged.resolved(
        {clash.path: "ours" if clash.path == "kgi.target" else "theirs" for clash in merged.clashes}
    )
    assert (mixed.kgi.target, mixed.metrics["cvr"].value, mixed.metrics["leads"].name.ja) == (1.1e9, 0.016, "人数")


def test_two_conflicts_that_each_lie_between_two_things_are_two_choices():
    _, paths = asked(
        {"metrics.visitors.name.ja": "人数", "metrics.cvr.name.ja": "転換率"},
        {"metrics.leads.name.ja": "人数", "metrics.appt_rate.name.ja": "転換率"},
    )

    assert paths == [
        ("metrics.visitors.name.ja", "metrics.leads.name.ja"),
        ("metrics.cvr.name.ja", "metrics.appt_rate.name.ja"),
    ]


def test_a_free_id_counts_on_from_the_one_that_is_taken():
    assert free_id("metric_15", {"metric_15", "metric_16"}) == "metric_17"
    assert free_id("leads", {"leads", "leads_2"}) == "leads_3"
    assert len(free_id("x" * 64, {"x" * 64})) < 64


def test_two_new_metrics_that_got_the_same_id_both_stay_with_all_that_names_them():
    mine = RICH.replace(
        {
            "metrics.metric_15": METRIC,
            "metrics.revenue.formula": "wins * unit_price + metric_15",
            "ksfs.F1.moves.metric_15": [0.0, 0.1, 0.2],
            "ksfs.F1.needs.metric_15": 2.0,
            "stages": [*RICH.stages, "metric_15"],
            "opening.stock.metric_15": [1.0],
            "drivers": [{"source": "metric_15", "target": "cvr", "elasticity": 0.5}],
            "assumptions.correlations": [{"pair": ["metric_15", "cvr"], "rank": 0.5}],
            "kgi.metric": "metric_15",
        }
    )

    merged, paths = asked(mine, {"metrics.metric_15": {**METRIC, "name": {"ja": "別のもの"}, "value": 99.0}})

    assert paths == []
    assert merged.plan.metrics["metric_15"].name.ja == "別のもの"
    assert merged.plan.metrics["metric_16"].name.ja == "紹介数"
    said = merged.plan.to_json().replace("metric_16", "metric_15")
    assert mine.tree.now("revenue") == merged.plan.tree.now("revenue")
    assert said.count("metric_15") == mine.to_json().count("metric_15") + 1  # the other one's own entry
    assert "metric_16" in merged.ours.metrics


def test_the_same_new_metric_on_both_sides_is_merged_field_by_field():
    merged, paths = asked({"metrics.metric_15": METRIC}, {"metrics.metric_15": {**METRIC, "value": 13.0, "low": 2.0}})

    assert paths == [("metrics.metric_15.low", "metrics.metric_15.value")]
    assert merged.clashes[0].base == {"metrics.metric_15.value": None, "metrics.metric_15.low": None}


def test_two_different_ksfs_of_one_id_are_a_choice_between_the_two_whole():
    _, paths = asked({"ksfs.N1": KSF}, {"ksfs.N1": {**KSF, "name": {"ja": "別のKSF"}, "cost": 9.0}})

    assert paths == [("ksfs.N1",)]


def test_what_both_agreed_on_is_in_the_log_theirs_first():
    log = RICH.to_data()["decisions"]
    new = {"date": "2026-06-01", "chosen": ["F1"], "kgi": 9e8, "review": "2026-09-30"}

    merged, paths = asked(
        {"decisions": [*log, {**new, "note": "ours"}]}, {"decisions": [*log, {**new, "note": "theirs"}]}
    )

    assert paths == []
    assert [one.note for one in merged.plan.decisions] == [None, "二回目", "theirs", "ours"]


def test_the_same_decision_on_both_sides_is_written_once():
    log = [*RICH.to_data()["decisions"], {"date": "2026-06-01", "chosen": [], "kgi": 1.0, "review": "2026-09-30"}]

    merged, paths = asked({"decisions": log}, {"decisions": log})

    assert paths == []
    assert len(merged.plan.decisions) == 3


def test_an_old_decision_both_changed_is_a_choice_of_that_decision_only():
    log = RICH.to_data()["decisions"]
    new = {"date": "2026-06-01", "chosen": ["F1"], "kgi": 9e8, "review": "2026-09-30"}

    merged, paths = asked(
        {"decisions": [{**log[0], "note": "A"}, log[1]]}, {"decisions": [{**log[0], "note": "B"}, log[1], new]}
    )

    assert paths == [("decisions.0",)]
    assert [one.note for one in merged.resolved({"decisions.0": "ours"}).decisions] == ["A", "二回目", None]


def test_both_add_to_the_same_lists():
    merged, paths = asked(
        {"limits.lock": ["F1", "F3"], "ksfs.F1.depends_on": ["F2"], "metrics.cvr.short": ["CVR", "転換率"]},
        {"limits.lock": ["F1", "M1"], "ksfs.F1.depends_on": ["I1"], "metrics.cvr.short": ["CV"]},
    )

    assert paths == []
    assert merged.plan.limits.lock == ("F1", "M1", "F3")
    assert merged.plan.ksfs["F1"].depends_on == ("I1", "F2")
    assert merged.plan.metrics["cvr"].short == ("CV", "転換率")


def test_the_order_of_the_funnel_is_a_choice_only_if_both_change_it():
    first, *rest = RICH.stages

    merged, paths = asked({"stages": [*rest, first]}, {"stages": [stage for stage in RICH.stages if stage != "leads"]})
    assert paths == []
    assert merged.plan.stages == tuple(stage for stage in (*rest, first) if stage != "leads")

    merged, paths = asked({"stages": [*rest, first]}, {"stages": list(reversed(RICH.stages))})
    assert paths == [("stages",)]
    assert merged.resolved({"stages": "ours"}).stages == (*rest, first)


def test_metrics_keep_their_order_and_new_ones_stand_where_they_were_put():
    data = SAMPLE.to_data()

    def with_new(metric, behind):
        metrics = {}
        for name, entry in data["metrics"].items():
            metrics[name] = entry
            if name == behind:
                metrics[metric] = {**METRIC, "name": {"ja": metric}}
        return Plan.from_data({**data, "metrics": metrics})

    merged = merge(SAMPLE, with_new("mine", "cvr"), with_new("other", "leads"))

    wanted = [*SAMPLE.metrics]
    wanted.insert(wanted.index("cvr") + 1, "mine")
    wanted.insert(wanted.index("leads") + 1, "other")
    assert list(merged.plan.metrics) == wanted


def test_a_lift_a_lead_time_and_a_season_are_never_mixed_from_two():
    _, paths = asked(
        {"ksfs.F1.moves.proposal_rate": [0.001, 0.02, 0.035], "metrics.wins.lag": [1.0]},
        {"ksfs.F1.moves.proposal_rate": [0.005, 0.02, 0.05], "metrics.wins.lag": [0.5, 0.5]},
    )

    assert paths == [("metrics.wins.lag",), ("ksfs.F1.moves.proposal_rate",)]


def test_money_that_one_took_away_and_another_changed_is_a_choice():
    merged, paths = asked({"cash": None}, {"cash.rate": 0.5})

    assert paths == [("cash",)]
    assert merged.resolved({"cash": "ours"}).cash is None
    assert merged.resolved({"cash": "theirs"}).cash.rate == 0.5


def test_a_choice_is_put_in_words_field_by_field():
    merged, _ = asked(
        {"kgi.target": 1.1e9, "metrics.cvr.high": 0.014}, {"kgi.target": 1.2e9, "metrics.cvr.value": 0.016}
    )
    goal, rate = merged.clashes

    with words.speaking("ja"):
        row = in_words(goal, merged)[0]
        assert (row.what, row.then, row.mine, row.theirs) == ("売上:目標", "10億円", "11億円", "12億円")
    with words.speaking("en"):
        (row,) = in_words(rate, merged)
        assert row.what == "Website conversion rate"
        assert row.mine == "1.20% (plausible: 0.70%–1.40%)"
        assert row.theirs == "1.60% (plausible: 0.70%–1.80%)"


def test_a_removal_is_put_in_words_beside_what_the_other_changed():
    merged, _ = asked(of_ksf(RICH, "F3").plan, {"ksfs.F3.cost": 2.5e6})

    with words.speaking("en"):
        row = in_words(merged.clashes[0], merged)[0]

    assert row.what == "F3 Proposal-skill training of sales staff"
    assert (row.then, row.mine) == ("in the plan", "removed")
    assert row.theirs == "F3 Proposal-skill training of sales staff · Cost: ¥2.0M → ¥2.5M"


@settings(max_examples=60)
@given(some.sampled_from(["rich", "sample"]), moves, moves)
def test_every_choice_has_words_in_both_languages(name, one, other):
    base = PLANS[name]
    merged = merge(base, after(base, one), after(base, other))

    for spoken in ("ja", "en"):
        with words.speaking(spoken):
            for clash in merged.clashes:
                for row in in_words(clash, merged):
                    cells = (row.what, row.then, row.mine, row.theirs)
                    assert all(cells)
                    assert not any(word in " ".join(cells) for word in ("None", "nan", "metrics.", "ksfs.", "{"))
                    assert row.mine != row.theirs or len(clash.paths) > 1


@pytest.mark.long
def test_a_thousand_pairs_of_longer_edits_of_a_small_plan_where_much_meets():
    dice, clashes = Random(6), 0

    for _ in range(1_000):
        ours, theirs = (
            after(SMALL, [(dice.choice(EDITS), dice.randrange(2**32)) for _ in range(dice.randrange(1, 9))])
            for _ in "12"
        )
        clashes += hold_all(SMALL, ours, theirs)

    assert 200 < clashes < 800  # of both there are many
