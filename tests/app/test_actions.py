"""Whatever people do to a plan, in whatever order: it can be read again after each step, and every page opens.

A state machine makes the calls that the pages' buttons and fields make, at a desk whose plan is kept in a store.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from kpi_core import focus, plan_removal
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.plan_text import plain
from tests import random_plans
from tests.app.every_page import open_every_page
from tests.serving import BUSY_SECONDS
from tests.visits import GUEST, ME, app_store, settled
from workbench import keeping, opening, samples
from workbench.desk import Desk, Desks
from workbench.keeping import Keeping
from workbench.store import Actor, Store

LEAST_ACTIONS, ACTIONS = 15, 20
NAMES = [
    "新しい数",
    "a * b",
    "<b>",
    "$1",
    "50%",
    "\u2028",
    "名前",
    " ",
    "x" * 200,
    ":red[x]",
    "=1+1",
    "リード数",
    "",
    "\x07",
]
NUMBERS = [0, 1, 0.5, 0.02, -3, 100, 1e15, 2e15, 12.5, -1e-9, 400_000]
UNITS = ["", "件", "%", "円", "円/件", "％", "$"]
PLACES = ["low", "high", "value", "unit", "kind", "team", "stock", "tried", "shape"]
PICKS = some.integers(0, 999)
Thing = TypeVar("Thing")


def of(things: Sequence[Thing], pick: int) -> Thing:
    """Return one of these, or raise as a page does that offers nothing to choose."""
    if not things:
        raise KpiError("nothing_to_choose", "There is nothing to choose from.")
    return things[pick % len(things)]


class People(RuleBasedStateMachine):
    """People at one browser, who add, change and delete, undo, open other plans, send links and come back."""

    store: ClassVar[Store]
    lengths: ClassVar[list[int]]

    def __init__(self) -> None:
        super().__init__()
        self.desks = Desks()
        self.desk = self.new(samples.sample_plan(), Keeping(Desk.holding(samples.sample_plan())))
        self.actions = 0

    @property
    def plan(self) -> Plan:
        return self.desk.plan

    def new(self, plan: Plan, after: Keeping) -> Desk:
        return opening.new(self.desks, ME, plan, after=after, language="ja")

    def attempt(self, action: Callable[[], object]) -> None:
        """Do what a button does; what is refused changes nothing."""
        before = self.plan
        self.actions += 1
        try:
            action()
        except KpiError:
            assert self.plan == before

    def change(self, changes: Callable[[], dict[str, Any]]) -> None:
        self.attempt(lambda: self.desk.change(changes()))

    @invariant()
    def it_can_be_read_again(self) -> None:
        settled(self.desk)
        assert Plan.from_text(self.plan.to_yaml()) == self.plan
        assert Plan.from_text(self.plan.to_json()) == self.plan
        assert self.keeping.trouble is None
        assert Plan.from_text(self.store.read(Actor.of(ME), str(self.keeping.plan_id)).text) == self.plan

    @rule(name=some.sampled_from(NAMES), unit=some.sampled_from(UNITS), value=some.sampled_from(NUMBERS), pick=PICKS)
    def add_an_input(self, name: str, unit: str, value: float, pick: int) -> None:
        kind = of(random_plans.KINDS, pick)
        entry = {"name": {"ja": name}, "unit": unit, "kind": kind, "team": of([*self.plan.teams, None], pick)}
        self.change(lambda: {f"metrics.metric_{len(self.plan.metrics)}": {**entry, "value": value}})

    @rule(data=some.data(), name=some.sampled_from(NAMES))
    def add_a_computed_metric(self, data: Any, name: str) -> None:
        formula = data.draw(random_plans.formulas([*self.plan.metrics]))
        entry = {"name": {"ja": name}, "kind": "result", "formula": formula}
        self.change(lambda: {f"metrics.metric_{len(self.plan.metrics)}": entry})

    @rule(pick=PICKS)
    def remove_a_metric(self, pick: int) -> None:
        metric = of([*self.plan.metrics], pick)
        self.attempt(lambda: self.desk.put(plan_removal.of_metric(self.plan, metric).plan))

    @rule(pick=PICKS)
    def make_it_an_input(self, pick: int) -> None:
        computed = [metric for metric, entry in self.plan.metrics.items() if entry.formula is not None]
        self.change(lambda: plan_removal.becomes_input(self.plan, of(computed, pick)))

    @rule(data=some.data(), pick=PICKS)
    def compute_it_from_others(self, data: Any, pick: int) -> None:
        formula = data.draw(random_plans.formulas([*self.plan.metrics]))
        inputs = [metric for metric, entry in self.plan.metrics.items() if entry.formula is None]
        self.change(lambda: plan_removal.becomes_computed(of(inputs, pick), formula))

    @rule(pick=PICKS, name=some.sampled_from(NAMES), language=some.sampled_from(["ja", "en"]))
    def rename(self, pick: int, name: str, language: str) -> None:
        things = [f"{part}.{name}" for part in ("metrics", "ksfs", "teams") for name in getattr(self.plan, part)]
        self.change(lambda: {f"{of([*things, ''], pick)}.name.{language}".lstrip("."): name})

    @rule(pick=PICKS, field=some.sampled_from(PLACES), number=some.sampled_from(NUMBERS))
    def edit_a_metric(self, pick: int, field: str, number: float) -> None:
        others: dict[str, list[Any]] = {
            "unit": UNITS,
            "kind": random_plans.KINDS,
            "team": [*self.plan.teams, None],
            "stock": [True, None],
            "tried": [[number, 100], None],
            "shape": ["triangular", "lognormal", "poisson", "beta", None],
        }
        value = of(others.get(field, [number, None]), pick)
        self.change(lambda: {f"metrics.{of([*self.plan.metrics], pick)}.{field}": value})

    @rule(pick=PICKS, goal=some.sampled_from(NUMBERS))
    def choose_the_kgi(self, pick: int, goal: float) -> None:
        metric = of([*self.plan.metrics], pick)
        self.change(lambda: {"kgi.metric": metric})
        self.change(lambda: {"kgi.target": goal})

    @rule(pick=PICKS)
    def add_a_ksf(self, pick: int) -> None:
        offers = samples.offers(self.plan)
        self.change(lambda: {f"ksfs.{(ksf := of([*offers], pick))}": plain(offers[ksf])})

    @rule(pick=PICKS, number=some.sampled_from(NUMBERS))
    def edit_a_ksf(self, pick: int, number: float) -> None:
        ksfs, metrics = [*self.plan.ksfs], [*self.plan.metrics]

        def changes() -> dict[str, Any]:
            path, metric = f"ksfs.{of(ksfs, pick)}", of(metrics, pick // 7)
            options: list[dict[str, Any]] = [
                {f"{path}.cost": number},
                {f"{path}.moves.{metric}": [0, number / 100, number]},
                {f"{path}.moves.{metric}": [0.0, 0.0, 0.0]},
                {f"{path}.needs.{metric}": number},
                {f"{path}.ramp": [1, number]},
                {f"{path}.skill": int(abs(number)) % 7},
                {f"{path}.depends_on": ksfs[: pick % 3]},
                {f"{path}.excludes": ksfs[-1:]},
                {f"{path}.hours.{of([*self.plan.teams], pick)}": number},
            ]
            return of(options, pick // 3)

        self.change(changes)

    @rule(pick=PICKS)
    def remove_a_ksf(self, pick: int) -> None:
        self.attempt(lambda: self.desk.put(plan_removal.of_ksf(self.plan, of([*self.plan.ksfs], pick)).plan))

    @rule(pick=PICKS, number=some.sampled_from(NUMBERS))
    def set_a_limit(self, pick: int, number: float) -> None:
        ksfs = [*self.plan.ksfs]

        def changes() -> dict[str, Any]:
            team = f"teams.{of([*self.plan.teams], pick)}"
            options: list[dict[str, Any]] = [
                {"limits.budget": number},
                {"limits.budget": None},
                {"limits.lock": ksfs[:1]},
                {"limits.rule_out": ksfs[1:3]},
                {f"{team}.hours": number},
                {f"{team}.quarters": [number] * 4},
                {f"{team}.max_ksfs": int(abs(number)) % 5},
                {f"{team}.skill": int(abs(number)) % 6},
            ]
            return of(options, pick // 3)

        self.change(changes)

    @rule(data=some.data())
    def change_something_else(self, data: Any) -> None:
        changes = data.draw(random_plans.changes(self.plan))
        self.change(lambda: changes)

    @rule(pick=PICKS)
    def agree(self, pick: int) -> None:
        def changes() -> dict[str, Any]:
            chosen = focus.choose(self.plan).chosen if self.plan.ksfs and pick % 3 else ()
            day = {"date": "2026-04-01", "chosen": [*chosen], "kgi": 1, "review": "2026-07-01"}
            return {"decisions": [*(plain(one) for one in self.plan.decisions), day]}

        self.change(changes)

    @rule()
    def undo(self) -> None:
        self.attempt(self.desk.undo)

    @rule()
    def redo(self) -> None:
        self.attempt(self.desk.redo)

    @rule()
    def use_as_baseline(self) -> None:
        self.attempt(lambda: self.desk.put(self.plan, baseline=self.plan))

    @rule(pick=PICKS)
    def keep_as_a_scenario(self, pick: int) -> None:
        self.desk.scenarios[of(NAMES, pick)] = self.plan
        self.desk.kept_beside()

    @rule(pick=PICKS)
    def put_an_older_version_back(self, pick: int) -> None:
        number = pick % self.keeping.number + 1
        self.attempt(lambda: self.desk.put(self.keeping.loaded(number), kind="restore"))

    @rule(pick=PICKS)
    def use_a_template(self, pick: int) -> None:
        template = samples.template(of(samples.TEMPLATES, pick))
        self.open(lambda: self.new(template, self.keeping))
        assert self.plan == template

    @rule()
    def open_the_saved_file_as_a_new_plan(self) -> None:
        saved = self.plan
        self.open(lambda: self.new(Plan.from_text(saved.to_yaml()), self.keeping))
        assert self.plan == saved

    @rule()
    def save_a_copy(self) -> None:
        saved = self.plan
        self.open(lambda: opening.copy(self.desks, ME, self.keeping, "ja"))
        assert self.plan == saved

    @rule()
    def send_a_link(self) -> None:
        _link, token = self.store.issue(Actor.of(ME), self.keeping.begin(), "edit")
        assert self.store.enter(Actor.of(GUEST), token, address="10.0.0.1") == self.keeping.plan_id
        self.actions += 1
        assert opening.at(Desks(), GUEST, self.keeping.begin()).plan == self.plan

    @rule()
    def come_back_after_a_restart(self) -> None:
        settled(self.desk)
        saved, scenarios, baseline = self.plan, self.desk.scenarios, self.desk.baseline
        plan_id = self.keeping.begin()
        self.at_rest()
        self.desks = Desks()
        self.open(lambda: opening.at(self.desks, ME, plan_id))
        assert (self.plan, self.desk.scenarios, self.desk.baseline) == (saved, scenarios, baseline)

    def open(self, desk: Callable[[], Desk]) -> None:
        """Work on another plan."""
        settled(self.desk)
        self.actions += 1
        self.desk = desk()

    def at_rest(self) -> None:
        """Wait until what lies beside the plan is kept too: a server that is gone writes nothing afterwards."""
        ends = time.monotonic() + BUSY_SECONDS
        while self.keeping._at_work:
            assert time.monotonic() < ends, "it never comes to rest"
            time.sleep(0.005)

    @property
    def keeping(self) -> Keeping:
        assert isinstance(self.desk.keeper, Keeping)
        return self.desk.keeper

    def teardown(self) -> None:
        language = ("ja", "en")[len(self.lengths) % 2]
        self.lengths.append(self.actions)
        open_every_page(self.plan, language=language, desk=self.desk)


@pytest.mark.parametrize(("count", "drawn"), [(60, 72), pytest.param(400, 560, marks=pytest.mark.long)])
def test_what_people_do_can_always_be_read_again_and_every_page_opens(count, drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "QUIET_SECONDS", 0.01)
    with app_store(tmp_path) as store:
        People.store, People.lengths = store, []
        run_state_machine_as_test(
            People,
            settings=settings(
                max_examples=drawn,  # one in five ends early
                stateful_step_count=ACTIONS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

    assert sum(length >= LEAST_ACTIONS for length in People.lengths) >= count
