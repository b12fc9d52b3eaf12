"""What a plan says about time, as fields: lead times, season, cash, what is under way, what went before, and work.

Several numbers stand in one field, apart by spaces or commas, as people paste them from a sheet. An entry that
cannot be used stays where it was typed with the reason below it, and the plan stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.timeline import run
from workbench import fields, formats, sentences_time, session, words
from workbench.words import _, md

_APART = re.compile(r"[\s、;；]+|[,，](?!\d{3}(?!\d))")
Seen = TypeVar("Seen")
_EMPTY = re.compile(r"[,，、]\s*[,，、]")
_LINES = re.compile(r"[\n;；]+")


def settings(plan: Plan) -> None:
    """Show everything a plan says about time, each field editable."""
    st.caption(
        _("Several numbers stand in one field, apart by spaces or commas. Illustrative until you put in your own.")
    )
    for title, draw in (
        (_("Lead times"), _lead_times),
        (_("Season, and the months before"), _before),
        (_("Open pipeline when the year begins"), _opening),
        (_("From revenue to cash"), _cash),
        (_("Work per unit and working time"), _work),
        (_("Luck, and how much the past counts"), _luck),
    ):
        with st.expander(title, icon=":material/schedule:", key=f"timing_{draw.__name__}"):
            draw(plan)


def _lead_times(plan: Plan) -> None:
    st.caption(_("Of those that get there, what share arrives in the same month, the next, and so on. 60% 30% 10%"))
    steps = [metric for metric in plan.tree_by_month.carriers(plan.kgi.metric) if metric in plan.tree.expressions]
    steps = [metric for metric in steps if not plan.metrics[metric].is_share]
    _recognition(plan)
    for metric, column, below in _columns(steps, 2):
        with column:
            entry, path = plan.metrics[metric], f"metrics.{metric}.lag"
            _several(md(words.name(entry)), path, [_percent(share) for share in entry.lag], "%", below=below)


def _recognition(plan: Plan) -> None:
    """Ask for the commonest lead time of a KGI in words: at delivery, or spread over months from then on."""
    kgi = plan.kgi.metric
    if kgi not in plan.tree.expressions:
        return
    after, spread = _recognised(plan)
    st.caption(
        _(
            "{kgi} counts so many months after what it is made of, at once or spread over months (subscriptions)."
        ).format(kgi=md(words.name(plan.metrics[kgi])))
    )
    left, right = st.columns(2)
    with left:
        _months_field(_("Months until it counts"), "recognised_after", after, low=0)
    with right:
        _months_field(_("Spread over so many months"), "recognised_over", spread, low=1)


def _recognised(plan: Plan) -> tuple[int, int]:
    """Return after how many months the KGI counts, and over how many it is spread."""
    lag = plan.metrics[plan.kgi.metric].lag
    after = next((month for month, share in enumerate(lag) if share), 0)
    return after, max(1, len(lag) - after)


def _months_field(label: str, key: str, now: int, *, low: int) -> None:
    st.number_input(
        label,
        min_value=low,
        max_value=18,
        value="min",
        step=1,
        key=fields.follow(key, now),
        on_change=fields.store,
        args=(key, lambda months: _recognised_anew(key, months)),
    )
    fields.reason(key, label)


def _recognised_anew(key: str, months: int) -> dict[str, Any]:
    plan = session.plan()
    after, over = _recognised(plan)
    after, over = (months, over) if key == "recognised_after" else (after, months)
    return {f"metrics.{plan.kgi.metric}.lag": [0.0] * after + [1 / over] * over}


def _luck(plan: Plan) -> None:
    assume = plan.assumptions
    scatter, weight = st.columns(2)
    with scatter:
        fields.number(
            _("How many times a Poisson count's variance deals have"),
            "assumptions.scatter",
            assume.scatter,
            empty=None,
            about=_("1 where deals come one by one, more where they come in waves."),
        )
    with weight:
        fields.typed(
            _("What a past try counts for"),
            "assumptions.history_weight",
            _percent(assume.history_weight),
            lambda text: {"assumptions.history_weight": fields.share(text)},
            help=_("100% where nothing has changed since, 50% where conditions have."),
        )


def _before(plan: Plan) -> None:
    entries = [lever for lever in plan.tree.levers(plan.kgi.metric) if plan.metrics[lever].is_flow]
    st.caption(_("Season: twelve weights, January first; only their proportions count."))
    for lever, column, below in _columns(entries, 2):
        with column:
            entry = plan.metrics[lever]
            label = _("Season of {metric}").format(metric=md(words.name(entry)))
            _several(label, f"metrics.{lever}.season", _plain(entry.season), "", below=below)
    st.caption(
        _("Amounts of the months before the year, the latest last; without any, the plan's own numbers are taken.")
    )
    for metric, column, below in _columns(list(dict.fromkeys((*entries, *plan.stages))), 2):
        with column:
            entry = plan.metrics[metric]
            label = _("Past months of {metric}").format(metric=md(words.name(entry)))
            _several(label, f"metrics.{metric}.history", _plain(entry.history), entry.unit, below=below)


def _opening(plan: Plan) -> None:
    st.caption(_("How many are still open by age: entered this month, the month before, and so on."))
    waiting = [
        stage
        for stage in plan.stages
        if any(stage in plan.tree_by_month.parts(other) and len(entry.lag) > 1 for other, entry in plan.metrics.items())
    ]
    for stage, column, below in _columns(waiting, 2):
        with column:
            label = _("Open: {metric}").format(metric=md(words.name(plan.metrics[stage])))
            stock = _plain(plan.opening.stock.get(stage, ()))
            _several(label, f"opening.stock.{stage}", stock, plan.metrics[stage].unit, below=below)
    shown = "\n".join(f"{formats.grouped(deal.amount)} {_percent(deal.chance)}" for deal in plan.opening.deals)
    key = session.follow("opening.deals", shown)
    st.text_area(
        _("Deals as the people on them see them: amount and chance, one a line (8,000,000 50%)"),
        key=key,
        on_change=fields.store,
        args=(key, lambda text: {"opening.deals": _deals(text)}),
        height=100,
    )
    fields.reason(key, _("Deals"), quote=True)
    if told := sentences_time.pipeline(plan):
        st.caption(md(told))


def _cash(plan: Plan) -> None:
    rate, lag = st.columns([1, 2])
    below, cash = st.container(), plan.cash
    with rate:
        fields.typed(
            _("Share that is paid"),
            "cash.rate",
            "" if cash is None else _percent(cash.rate),
            lambda text: {"cash.rate": fields.share(text) if text.strip() else None},
            below=below,
        )
    with lag:
        _several(
            _("Arrives in the same month, the next, and so on"),
            "cash.lag",
            [] if cash is None else [_percent(share) for share in cash.lag],
            "%",
            below=below,
            empty={"cash": None},
        )


def _work(plan: Plan) -> None:
    st.caption(_("Minutes that one unit takes a team; what all teams have is members × days × minutes × utilisation."))
    pairs = [(stage, team) for stage in plan.stages for team in _busy(plan, stage)]
    for (stage, team), column, below in _columns(pairs, 3):
        with column:
            entry = plan.metrics[stage]
            label = _("{team}: minutes of work for one of {metric}").format(
                team=md(words.name(plan.teams[team])), metric=md(words.name(entry))
            )
            fields.number(label, f"metrics.{stage}.work.{team}", entry.work.get(team), empty="0", below=below)
    assume = plan.assumptions
    days, minutes, used = st.columns(3)
    under = st.container()
    with days:
        fields.number(_("Working days a month"), "assumptions.work_days", assume.work_days, empty=None, below=under)
    with minutes:
        fields.number(_("Minutes a day"), "assumptions.day_minutes", assume.day_minutes, empty=None, below=under)
    with used:
        fields.typed(
            _("Utilisation"),
            "assumptions.utilisation",
            _percent(assume.utilisation),
            lambda text: {"assumptions.utilisation": fields.share(text)},
            below=under,
        )


def _busy(plan: Plan, stage: str) -> list[str]:
    """Return the teams whose minutes a stage may take: its own, the next stage's, and those given already."""
    following = plan.stages[plan.stages.index(stage) + 1 :][:1]
    own = [plan.metrics[one].team for one in (stage, *following)]
    named = [team for team in (*own, *plan.metrics[stage].work) if team is not None and team in plan.teams]
    return list(dict.fromkeys(named))


def _columns(entries: Sequence[Any], count: int) -> list[tuple[Any, Any, Any]]:
    """Return each entry with the column it stands in and the place below its row."""
    found = []
    for at in range(0, len(entries), count):
        row, below = st.columns(count), st.container()
        found += [(entry, column, below) for entry, column in zip(entries[at : at + count], row, strict=False)]
    return found


def _several(
    label: str, path: str, shown: Sequence[str], unit: str, *, below: Any, empty: Mapping[str, Any] | None = None
) -> None:
    """Show a field for several numbers; empty takes them away, or does what `empty` says."""

    def changes(text: str) -> dict[str, Any]:
        if _EMPTY.search(text):
            raise KpiError("month_empty", "A month is empty between two commas. Write 0 for it.")
        said = [part for part in _APART.split(text.strip()) if part]
        numbers = [fields.share(part) if unit == "%" else _number(part, unit) for part in said]
        return _tried({path: numbers} if numbers else dict(empty or {path: None}))

    fields.typed(label, path, " ".join(shown), changes, below=below)


def _number(text: str, unit: str) -> float:
    if "%" in text or "％" in text:
        raise KpiError("number_expected", "“{text}” is a share. Write a number.", text=text.strip()[:40])
    return formats.parse(text, unit)


def _plain(numbers: Sequence[float]) -> list[str]:
    return [formats.plain_number(number) for number in numbers]


def _percent(share: float) -> str:
    return f"{formats.plain_number(round(share * 100, 6))}%"


def _deals(text: str) -> list[dict[str, float]]:
    found = []
    for line in filter(None, (part.strip() for part in _LINES.split(text))):
        said = re.fullmatch(r"(.*\S)[\s,，、]+(\S+)", line)
        if said is None:
            raise KpiError(
                "deal_unclear", "Write an amount and a chance on each line, as 8,000,000 50%: “{line}”.", line=line[:40]
            )
        amount, chance = said.groups()
        found.append({"amount": formats.parse(amount.rstrip(",，、"), "円"), "chance": fields.share(chance)})
    return found


def _tried(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes if the year still runs with them: what is refused is refused where it was typed."""
    changed = session.plan().replace(changes)
    run(changed, before=session.baseline())
    return changes
