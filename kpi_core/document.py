"""The parts of a plan as frozen data: what a team, a metric, a KSF and the limits are.

Each part checks its own fields when it is made; what takes two parts to check (a KSF and the
metric it moves) is checked by `plan`. Lifts, costs, hours and constants are illustrative (例示)
until a team puts its own in; `illustrative` says which still are.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

MAX_NUMBER = 1e15
MAX_KSFS = 500
MAX_SHORT_NAMES, MAX_CORRELATIONS, MAX_LINKS = 10, 200, 500
MONTHS_A_YEAR = 12
_AT_ONCE = (1.0,)

Kind = Literal["count", "rate", "money", "activity", "time", "monitor", "result", "kgi"]
Shape = Literal["triangular", "split_normal", "lognormal", "beta", "poisson", "negative_binomial"]


def is_readable(text: str) -> bool:
    """Return whether a text is without control characters and half surrogate pairs: no screen can show them."""
    return not any(
        (ord(letter) < ord(" ") and letter not in "\n\t") or 0xD800 <= ord(letter) < 0xE000 for letter in text
    )


def _readable(text: str) -> str:
    if not is_readable(text):
        raise PydanticCustomError("text_unreadable", "unreadable characters")
    return text


def _adds_up(lag: tuple[float, ...]) -> tuple[float, ...]:
    if lag and abs(sum(lag) - 1) > 1e-9:
        raise PydanticCustomError("lag_sum", "shares of months add up to 1", {"percent": f"{100 * sum(lag):.4g}"})
    return lag


def _weighs_months(season: tuple[float, ...]) -> tuple[float, ...]:
    if season and (len(season) != MONTHS_A_YEAR or sum(season) <= 0):
        raise PydanticCustomError("season_shape", "twelve weights, not all 0")
    return season


Entry = TypeVar("Entry")
_frozen_map = AfterValidator(lambda mapping: MappingProxyType(dict(mapping)))


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-MAX_NUMBER, le=MAX_NUMBER)]
NotNegative = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=MAX_NUMBER)]
Share = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]
Whole = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Level = Annotated[int, Field(strict=True, ge=1, le=5)]
Word = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_readable)]
Prose = Annotated[str, Field(max_length=4_000), AfterValidator(_readable)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
ById = Annotated[Mapping[Id, Entry], _frozen_map]
Lag = Annotated[tuple[NotNegative, ...], Field(max_length=36), AfterValidator(_adds_up)]
Season = Annotated[tuple[NotNegative, ...], AfterValidator(_weighs_months)]
Ksfs = Annotated[tuple[Id, ...], Field(max_length=MAX_KSFS)]
Past = Annotated[tuple[NotNegative, ...], Field(max_length=60)]


class Part(BaseModel):
    """A frozen part of the document that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Part):
    """What people read, in Japanese, English or both; a bare string in a file is Japanese."""

    ja: Prose | None = None
    en: Prose | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_string(cls, data: Any) -> Any:
        return {"ja": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.ja or "").strip() and not (self.en or "").strip():
            raise PydanticCustomError("text_empty", "empty in both languages")
        return self


def _short_enough(text: Text) -> Text:
    if max(len(text.ja or ""), len(text.en or "")) > 200:
        raise PydanticCustomError("name_too_long", "longer than 200 characters")
    return text


Name = Annotated[Text, AfterValidator(_short_enough)]


class FiscalYear(Part):
    """The year planned for: twelve months from `starts`, written 2026-04."""

    starts: Annotated[str, Field(pattern=r"^(19|20|21)[0-9][0-9]-(0[1-9]|1[0-2])$")]


class Kgi(Part):
    """The goal: a metric, the number it should reach, and over what time it is counted."""

    metric: Id
    target: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=MAX_NUMBER)]
    confidence: Share = 0.7
    period: Literal["year", "month"] = "year"

    @property
    def months(self) -> int:
        """Return how many months the KGI's numbers count."""
        return MONTHS_A_YEAR if self.period == "year" else 1


class Team(Part):
    """Who works: skill 1 (new to it) to 5 (specialist), hours for KSF work, at most so many KSFs.

    `quarters` are the hours of each quarter of the fiscal year, where a quarter can be the bottleneck.
    """

    name: Name
    members: Whole = 1
    skill: Level = 2
    hours: NotNegative | None = None
    quarters: tuple[NotNegative, NotNegative, NotNegative, NotNegative] | None = None
    max_ksfs: Whole | None = None


class Metric(Part):
    """A number of the tree: an input with a value and a plausible range, or a formula.

    `low` and `high` say how far the team thinks the value could plausibly be moved; they are
    not a statistical interval. A rate in % is a fraction in [0, 1].

    Through time: a computed metric appears `lag` later than what it is computed from (the share of each
    month, this one first); `by_month` is its formula there, if lead times lie on other steps than `formula`
    names. An input's `season` weighs the calendar months, January first. `work` is minutes per unit, by team.

    A `stock` is there all year (customers, heads) and does not come in month by month.

    What happened before: `history` are the amounts of the months before the year, the latest last;
    `tried` is (successes, trials) of a rate. `shape` is how its uncertainty is spread between low and high.
    """

    name: Name
    unit: Annotated[str, Field(max_length=20), AfterValidator(_readable)] = ""
    kind: Kind
    team: Id | None = None
    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    formula: Annotated[str, Field(max_length=2_000)] | None = None
    controllability: Level = 3
    short: Annotated[tuple[Word, ...], Field(max_length=MAX_SHORT_NAMES)] = ()
    definition: Prose | None = None
    extraction: Prose | None = None
    source: Prose | None = None
    lag: Lag = ()
    by_month: Annotated[str, Field(max_length=2_000)] | None = None
    stock: bool = False
    season: Season = ()
    work: ById[NotNegative] = Field(default_factory=_nothing)
    history: Past = ()
    tried: tuple[NotNegative, NotNegative] | None = None
    shape: Shape | None = None
    illustrative: bool = False

    @property
    def is_flow(self) -> bool:
        """Return whether a year's number is the sum of its months' (leads, revenue), not a level (a rate, a price)."""
        if self.stock:
            return False
        return self.kind in ("count", "activity", "kgi") or (self.kind in ("money", "result") and self.unit == "円")

    @property
    def is_share(self) -> bool:
        """Return whether the value is a share of something, so never below 0 or above 1."""
        return self.kind == "rate" and self.unit == "%"

    @property
    def span(self) -> tuple[float, float]:
        """Return the range a lever is moved in: its plausible one, else half to one and a half times its value."""
        value = self.value or 0.0
        ends = sorted((value / 2, value * 1.5))
        low = ends[0] if self.low is None else self.low
        high = ends[1] if self.high is None else self.high
        return low, min(high, 1.0) if self.is_share else high

    @model_validator(mode="after")
    def _value_or_formula(self) -> Self:
        if self.formula is None and self.value is None:
            raise PydanticCustomError("no_value", "neither value nor formula")
        if self.formula is not None and not (self.value is self.low is self.high is None):
            raise PydanticCustomError("value_and_formula", "both value and formula")
        return self

    @model_validator(mode="after")
    def _timing_fits(self) -> Self:
        if self.formula is None and (self.lag or self.by_month):
            raise PydanticCustomError("lag_on_input", "only what is computed can come later")
        if self.formula is not None and self.season:
            raise PydanticCustomError("season_on_formula", "only an input has a season")
        if self.tried is not None and not 0 < self.tried[1] >= self.tried[0]:
            raise PydanticCustomError(
                "tried_order", "successes <= trials", {"successes": self.tried[0], "trials": self.tried[1]}
            )
        return self

    @model_validator(mode="after")
    def _range_holds_value(self) -> Self:
        numbers = [number for number in (self.low, self.value, self.high) if number is not None]
        if self.is_share and numbers and not (min(numbers) >= 0 and max(numbers) <= 1):
            raise PydanticCustomError("rate_out_of_range", "a rate lies in [0, 1]", {"value": numbers})
        if numbers != sorted(numbers):
            raise PydanticCustomError(
                "range_order", "low <= value <= high", {"low": self.low, "value": self.value, "high": self.high}
            )
        return self


class Driver(Part):
    """A link outside the formulas: 1 % more of `source` is believed to move `target` by `elasticity` %."""

    source: Id
    target: Id
    elasticity: Number


def _lift_in_order(lift: tuple[float, float, float]) -> tuple[float, float, float]:
    if not -1 < lift[0] <= lift[1] <= lift[2]:
        raise PydanticCustomError("lift_order", "-1 < low <= mode <= high")
    return lift


Lift = Annotated[tuple[Number, Number, Number], AfterValidator(_lift_in_order)]


def _ramp_in_order(ramp: tuple[float, float]) -> tuple[float, float]:
    if not ramp[0] < ramp[1]:
        raise PydanticCustomError("ramp_order", "start < full")
    return ramp


class Ksf(Part):
    """Something a team can do: which metrics it lifts by how much, and what it takes.

    `moves` are relative lifts (low, most likely, high): 0.02 is +2 %; without any it does nothing yet. `ramp` is the
    month the effect starts and the month it is full; its hours fall evenly in the months from the one to the other.
    `needs` is a flow a month below which it half works; with what it `excludes` it cannot be chosen together.
    """

    name: Name
    team: Id
    moves: ById[Lift] = Field(default_factory=_nothing)
    cost: NotNegative = 0.0
    hours: ById[NotNegative] = Field(default_factory=_nothing)
    ramp: Annotated[tuple[Number, Number], AfterValidator(_ramp_in_order)] = (1.0, 3.0)
    skill: Level = 2
    layer: Literal["basic", "advanced"] = "basic"
    controllability: Level = 3
    depends_on: Ksfs = ()
    excludes: Ksfs = ()
    needs: ById[NotNegative] = Field(default_factory=_nothing)
    actions: Text | None = None
    source: Prose | None = None
    illustrative: bool = False


class Limits(Part):
    """What all teams share: the cash for KSFs, in the plan's currency; none given = no limit.

    `lock` names the KSFs that must be in, `rule_out` those that must not.
    """

    budget: NotNegative | None = None
    lock: Ksfs = ()
    rule_out: Ksfs = ()


class Cash(Part):
    """How revenue becomes money in the bank: `rate` of it arrives, `lag` later; no lag is the same month."""

    rate: Share = 1.0
    lag: Annotated[Lag, AfterValidator(lambda lag: lag or _AT_ONCE)] = _AT_ONCE


class Deal(Part):
    """A deal of the open pipeline as the person who works on it sees it: an amount and a chance."""

    amount: NotNegative
    chance: Share


class Opening(Part):
    """What is under way when the year starts.

    `stock` is, by metric, how many are still open by age in months, this month's first. `lost` is, where lost
    ones leave on another clock than won ones, the share that has left after each month. `deals` are only shown
    beside what the stock says.
    """

    stock: ById[Annotated[tuple[NotNegative, ...], Field(max_length=36)]] = Field(default_factory=_nothing)
    lost: ById[Lag] = Field(default_factory=_nothing)
    deals: Annotated[tuple[Deal, ...], Field(max_length=200)] = ()

    @property
    def weighted(self) -> float:
        """Return what the deals come to by the chances given: Σ amount · chance."""
        return sum(deal.amount * deal.chance for deal in self.deals)


Day = Annotated[str, Field(pattern=r"^(19|20|21)[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class Action(Part):
    """Something somebody does by a day."""

    text: Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_readable)]
    owner: Word | None = None
    due: Day | None = None


class Commitment(Part):
    """What a chosen KSF means for people: why it is in, who answers for it, what is done by when."""

    why: Prose | None = None
    owner: Word | None = None
    actions: Annotated[tuple[Action, ...], Field(max_length=20)] = ()


class ComeBack(Part):
    """What has to be so before a KSF that was put off is looked at again: put off, not dropped.

    `when` says what is waited for. `amount` is a level of skill, a flow a month, hours or money that are short;
    `team`, `metric`, `ksfs` and `quarter` say whose, of what, after (or without) which, and in which quarter.
    They may have gone from the plan since.
    """

    when: Literal[
        "skill", "flow", "ksfs", "without", "hours", "budget", "place", "effect", "wanted", "next_year", "next_review"
    ]
    team: Id | None = None
    metric: Id | None = None
    ksfs: Ksfs = ()
    amount: Number | None = None
    quarter: Annotated[int, Field(strict=True, ge=1, le=4)] | None = None


class Decision(Part):
    """What was agreed on a day: the KSFs, the KGI expected of them, why, and when it is first looked at again.

    `commitments` are by chosen KSF, `postponed` by KSF left out; `checks` is how often people meet about it.
    `override` is the reason for giving a team of little experience more than it can carry.
    The KSFs are those of that day; they may have gone from the plan since.
    """

    date: Day
    chosen: Ksfs = ()
    kgi: Number
    review: Day
    note: Prose | None = None
    checks: Literal["weekly", "two_weeks", "monthly"] | None = None
    override: Prose | None = None
    commitments: ById[Commitment] = Field(default_factory=_nothing)
    postponed: ById[ComeBack] = Field(default_factory=_nothing)


class Correlation(Part):
    """Two levers that tend to be high together (rank correlation above 0) or one high and one low (below 0)."""

    pair: tuple[Id, Id]
    rank: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1, le=1)]


class Synergy(Part):
    """Two KSFs that help one another: each one's effect grows by `bonus` when both are chosen."""

    pair: tuple[Id, Id]
    bonus: Share


class Spillover(Part):
    """A chosen KSF that brings `share` of another's effect along when that one is not chosen."""

    source: Id
    target: Id
    share: Share


class Assumptions(Part):
    """The constants of the effect ledger (`focus.effects`); all illustrative, all editable.

    `free_ksfs` is, for skill 1 to 5, how many KSFs a team can run at once before they dilute.
    `scatter` is how many times as much as a Poisson count the number of deals varies by luck;
    `history_weight` is what a past trial counts for (0.5 where conditions have changed).
    A person works `work_days` a month of `day_minutes`, of which `utilisation` goes into the work itself.
    """

    execution: Share = 0.6
    skill_slope: NotNegative = 0.45
    headroom_basic: Share = 0.35
    headroom_advanced: Share = 0.05
    headroom_floor: Share = 0.1
    headroom_skill: Level = 2
    prerequisite: Share = 0.5
    prerequisite_skill: Level = 4
    dilution: NotNegative = 0.25
    free_ksfs: tuple[Whole, Whole, Whole, Whole, Whole] = (2, 2, 3, 4, 4)
    rate_cap: Share = 0.95
    horizon_months: Annotated[int, Field(strict=True, ge=1, le=60)] = 12
    near_tie: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=1, le=10)] = 1.10
    scatter: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=1, le=100)] = 1.0
    history_weight: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=1)] = 1.0
    work_days: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=31)] = 20.0
    day_minutes: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=1440)] = 480.0
    utilisation: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=1)] = 0.85
    correlations: Annotated[tuple[Correlation, ...], Field(max_length=MAX_CORRELATIONS)] = ()
    synergies: Annotated[tuple[Synergy, ...], Field(max_length=MAX_LINKS)] = ()
    spillovers: Annotated[tuple[Spillover, ...], Field(max_length=MAX_LINKS)] = ()
