"""Hypothesis strategies for valid plans of any shape, also those that no template and no button leads to.

A plan is grown part by part; a part that would make it invalid is left out, so nothing is thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as some

from kpi_core.errors import KpiError
from kpi_core.plan import Plan

VALUES: list[float] = [0, 0, 1, 2, 0.02, 0.15, -1, 3, 12, 100, 2_400, 400_000, 8_000_000, -5_000, 1e-9, 123.456, 1e12]
AMOUNTS: list[float] = [0, 1, 30, 200, 8_000_000]
UNITS = ["", "件", "人", "%", "円", "円/件", "％", "USD", "$x$", "か月"]
KINDS = ["count", "rate", "money", "activity", "time", "monitor", "result", "kgi"]
NAMES = ["数", " rate*2", "<b>x</b>", "$1,000", "`code`", "100%", "=1+1", "a\u2028b", "名前(仮)", "~~no~~", ":red[x]"]
LIFTS = [[0.01, 0.05, 0.1], [0, 0, 0], [-0.5, 0.1, 2], [0.02, 0.02, 0.02]]


@some.composite
def formulas(draw: some.DrawFn, names: Sequence[str]) -> str:
    """Return a formula over these metrics, with any operator and function of the grammar."""
    leaf = some.sampled_from(names) if names else some.just("12")
    leaf |= some.sampled_from(["2", "12", "0.5", "100", "0"])
    tree = some.recursive(
        leaf,
        lambda part: some.one_of(
            some.builds("({} {} {})".format, part, some.sampled_from("+-*/"), part),
            some.builds("{}({}, {})".format, some.sampled_from(["min", "max", "sum"]), part, part),
            some.builds("if({} {} {}, {}, {})".format, part, some.sampled_from("<>"), part, part, part),
            some.builds("({})^{}".format, part, some.sampled_from(["2", "0.5"])),
            some.builds("-{}".format, part),
        ),
        max_leaves=5,
    )
    return draw(tree)


@some.composite
def metrics(draw: some.DrawFn, at: int, before: Sequence[str], teams: Sequence[str]) -> dict[str, Any]:
    """Return one metric as plain data: an input, or computed from the metrics before it."""
    kind = draw(some.sampled_from(KINDS))
    entry: dict[str, Any] = {
        "name": draw(some.sampled_from(NAMES)) + str(at) if draw(some.integers(0, 3)) == 0 else f"指標{at}",
        "kind": kind,
        "unit": "%" if kind == "rate" else draw(some.sampled_from(UNITS)),
    }
    if teams and draw(some.booleans()):
        entry["team"] = draw(some.sampled_from(teams))
    if draw(some.integers(0, 2)) and (before or at):
        return {**entry, "formula": draw(formulas(before))}
    value = draw(some.sampled_from(VALUES))
    entry["value"] = min(1.0, abs(value)) if kind == "rate" else value
    if draw(some.booleans()):
        ends = sorted((entry["value"], entry["value"] * draw(some.sampled_from([0.5, 1, 1.5, 3]))))
        entry |= {"low": ends[0], "high": min(ends[1], 1.0) if kind == "rate" else ends[1]}
    return entry


@some.composite
def changes(draw: some.DrawFn, plan: Plan) -> dict[str, Any]:
    """Return a change of one optional part of the plan by its dotted path; it need not be valid."""
    metric = draw(some.sampled_from([*plan.metrics]))
    other = draw(some.sampled_from([*plan.metrics]))
    amount = draw(some.sampled_from(AMOUNTS))
    options: list[some.SearchStrategy[dict[str, Any]]] = [
        some.just({"stages": [*dict.fromkeys((metric, other))]}),
        some.just({f"opening.stock.{metric}": [amount, amount / 2]}),
        some.just({f"metrics.{metric}.lag": [0.25, 0.5, 0.25]}),
        some.just({f"metrics.{metric}.season": [1, 2, 3, 1, 1, 1, 0, 1, 1, 1, 1, 1]}),
        some.just({f"metrics.{metric}.history": [amount, 2 * amount, amount] * 4}),
        some.just({f"metrics.{metric}.tried": [amount / 4, amount]}),
        some.just({f"metrics.{metric}.stock": True}),
        some.builds(
            lambda shape: {f"metrics.{metric}.shape": shape},
            some.sampled_from(["split_normal", "lognormal", "beta", "poisson", "negative_binomial"]),
        ),
        some.just({"cash": {"rate": 0.5, "lag": [0.5, 0.5]}}),
        some.just({"kgi.period": "month"}),
        some.just({"assumptions.correlations": [{"pair": [metric, other], "rank": 0.5}]}),
        some.just({"drivers": [{"source": metric, "target": other, "elasticity": 0.5}]}),
        some.just({"decisions": [{"date": "2026-04-01", "chosen": [], "kgi": 3, "review": "2026-05-01"}]}),
        some.just({"limits.budget": amount}),
    ]
    if plan.teams:
        options.append(ksf_changes(plan))
    if plan.ksfs:
        ksf = draw(some.sampled_from([*plan.ksfs]))
        options += [
            some.just({"limits.lock": [ksf]}),
            some.just({"limits.rule_out": [ksf]}),
            some.just({f"ksfs.{ksf}.needs.{metric}": amount}),
            some.just({f"ksfs.{ksf}.depends_on": [also for also in plan.ksfs if also != ksf]}),
            some.just({"assumptions.synergies": [{"pair": [ksf, also], "bonus": 0.2} for also in plan.ksfs]}),
            some.just({"assumptions.spillovers": [{"source": ksf, "target": to, "share": 0.2} for to in plan.ksfs]}),
        ]
    return draw(some.one_of(options))


@some.composite
def ksf_changes(draw: some.DrawFn, plan: Plan) -> dict[str, Any]:
    """Return the change that adds a KSF, one that moves nothing included."""
    moved = draw(some.lists(some.sampled_from([*plan.metrics]), max_size=2, unique=True))
    return {
        f"ksfs.K{len(plan.ksfs)}": {
            "name": f"施策{len(plan.ksfs)}",
            "team": draw(some.sampled_from([*plan.teams])),
            "moves": {metric: draw(some.sampled_from(LIFTS)) for metric in moved},
            "cost": draw(some.sampled_from(AMOUNTS)),
            "hours": dict.fromkeys(plan.teams, 20),
        }
    }


@some.composite
def plans(draw: some.DrawFn, *, most: int = 7, extras: int = 6) -> Plan:
    """Return a valid plan of one to `most` metrics, any of them the KGI, with up to `extras` optional parts."""
    teams = [f"team{at}" for at in range(draw(some.integers(0, 3)))]
    plan: Plan | None = None
    for at in range(draw(some.integers(1, most))):
        before = [*plan.metrics] if plan else []
        plan = _grown(plan, at, draw(metrics(at, before, teams)), teams)
    assert plan is not None
    plan = _changed(plan, {"kgi.metric": draw(some.sampled_from([*plan.metrics]))})
    plan = _changed(plan, {"kgi.target": draw(some.sampled_from([1e-6, 0.5, 5, 1_000, 1e9]))})
    for _extra in range(draw(some.integers(0, extras))):
        plan = _changed(plan, draw(changes(plan)))
    return plan


def inputs(**values: float) -> dict[str, Any]:
    """Return inputs with these values as plain data, by id."""
    return {metric: {"name": f"入力{metric}", "kind": "count", "value": value} for metric, value in values.items()}


def large(count: int) -> Plan:
    """Return a plan of `count` metrics: a sum of products of two inputs each, as wide as that takes."""
    entries: dict[str, Any] = {}
    for at in range(count - 1):
        part, name = at % 3, f"指標{at}"
        if part == 2:
            entries[f"m{at}"] = {"name": name, "kind": "count", "formula": f"m{at - 2} * m{at - 1}"}
        else:
            entries[f"m{at}"] = {"name": name, "kind": "rate" if part else "count", "unit": "%" if part else "件"}
            entries[f"m{at}"] |= {"value": 0.1 if part else 1000 + at}
    entries["kgi"] = {"name": "売上", "kind": "kgi", "unit": "円", "formula": " + ".join([*entries][2::3])}
    data = {"schema": 1, "name": "大きな計画", "fiscal_year": {"starts": "2026-04"}, "metrics": entries}
    return Plan.from_data({**data, "kgi": {"metric": "kgi", "target": 1e6}, "teams": {}})


def _grown(plan: Plan | None, at: int, entry: dict[str, Any], teams: Sequence[str]) -> Plan:
    """Return the plan with one more metric; where its formula has no value, it is an input."""
    instead = {key: said for key, said in entry.items() if key not in ("formula", "low", "high")} | {"value": 1}
    for offer in (entry, instead):
        try:
            if plan is not None:
                return plan.replace({f"metrics.m{at}": offer})
            return Plan.from_data(
                {
                    "schema": 1,
                    "name": "どんな計画でも",
                    "fiscal_year": {"starts": "2026-04"},
                    "kgi": {"metric": "m0", "target": 5},
                    "teams": {team: {"name": team, "hours": 100} for team in teams},
                    "metrics": {"m0": offer},
                }
            )
        except KpiError:
            continue
    raise AssertionError("an input of 1 is always valid")


def _changed(plan: Plan, change: dict[str, Any]) -> Plan:
    try:
        return plan.replace(change)
    except KpiError:
        return plan
