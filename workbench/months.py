"""Months in people's words, and the controls of a look at the year: from when, which lever, with which KSFs."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import streamlit as st
from babel.dates import get_month_names

from kpi_core import focus, pacing
from kpi_core.document import MONTHS_A_YEAR
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import session, words
from workbench.words import _

_TOKYO_AHEAD = timedelta(hours=9)
_DAY = re.compile(r"(?:(\d{4})\s*[-/.－／．年]\s*)?(\d{1,2})\s*[-/.－／．月]\s*(?:(\d{1,2})\s*日?|末日?)")


def name(label: str) -> str:
    """Return a month's short name: 4月, Apr."""
    return str(get_month_names("abbreviated", locale=words.language())[int(label[-2:])])


def of_year(plan: Plan) -> tuple[str, ...]:
    """Return the fiscal year's twelve months as 2026-04, first to last."""
    year, month = (int(part) for part in plan.fiscal_year.starts.split("-"))
    first = MONTHS_A_YEAR * year + month - 1
    return tuple(f"{at // 12:04d}-{at % 12 + 1:02d}" for at in range(first, first + MONTHS_A_YEAR))


def named(plan: Plan, number: int) -> str:
    """Return the name of the year's first, second, … month."""
    return name(of_year(plan)[number - 1])


def day() -> str:
    """Return today's date in Japan: 2026-04-01."""
    return (datetime.now(UTC) + _TOKYO_AHEAD).strftime("%Y-%m-%d")


def end_of(plan: Plan, number: int) -> str:
    """Return the last day of the year's first, second, … month; also of months behind the year."""
    year, month = (int(part) for part in plan.fiscal_year.starts.split("-"))
    at = MONTHS_A_YEAR * year + month - 1 + number - 1
    years, months = divmod(at, MONTHS_A_YEAR)
    return f"{years:04d}-{months + 1:02d}-{monthrange(years, months + 1)[1]:02d}"


def read_day(plan: Plan, text: str) -> str | None:
    """Return the day that was typed as 2026-06-30, 6/30, 6月30日 or 6月末; None if nothing was.

    Without a year it is the first such day from the beginning of the fiscal year on.

    Raises
    ------
    KpiError
        `no_day`.
    """
    if not text.strip():
        return None
    found = _DAY.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError(text)
        starts, month = (int(part) for part in plan.fiscal_year.starts.split("-"))
        at = int(found[2])
        year = int(found[1]) if found[1] else starts + (at < month)
        if not 1900 <= year < 2200:
            raise ValueError(text)
        return date(year, at, int(found[3]) if found[3] else monthrange(year, at)[1]).isoformat()
    except ValueError as error:  # no date, or one the calendar does not have
        raise KpiError(
            "no_day", "“{text}” is no day. Write it as 2026-06-30 or 6/30.", text=text.strip()[:40]
        ) from error


def today(plan: Plan) -> int | None:
    """Return which month of the plan's year it is now in Japan; None outside it."""
    label = (datetime.now(UTC) + _TOKYO_AHEAD).strftime("%Y-%m")
    return of_year(plan).index(label) + 1 if label in of_year(plan) else None


def begins(plan: Plan) -> int:
    """Return the month in which people begin: this one, outside the year its first."""
    return today(plan) or 1


def start(plan: Plan) -> int:
    """Return the month from which on more can be done: the first of an example, this month of a plan of one's own."""
    labels = of_year(plan)
    if session.typed("deadline_start") not in range(1, MONTHS_A_YEAR + 1):
        example = any(plan.metrics[lever].illustrative for lever in plan.tree.levers(plan.kgi.metric))
        session.follow("deadline_start", 1 if example else today(plan) or 1)
    chosen: int = st.select_slider(
        _("Start in"),
        options=range(1, MONTHS_A_YEAR + 1),
        format_func=lambda number: name(labels[number - 1]),
        key="deadline_start",
        persist_state="session",
    )
    return chosen


def lever(plan: Plan) -> list[str]:
    """Return the levers that are to change: one entry, or all rates alike."""
    options: list[str] = [pacing.entry_lever(plan)]
    options += [one for one in plan.tree_by_month.levers(plan.kgi.metric) if one not in options]
    if len(pacing.rate_levers(plan)) > 1:
        options.insert(1, _ALL_RATES)
    if session.typed("deadline_lever") not in options:
        session.follow("deadline_lever", options[0])
    chosen = st.selectbox(
        _("What is to change"),
        options=options,
        format_func=lambda one: _("All rates alike") if one == _ALL_RATES else words.name(plan.metrics[one]),
        key="deadline_lever",
        persist_state="session",
    )
    return list(pacing.rate_levers(plan)) if chosen == _ALL_RATES else [chosen]


_ALL_RATES = "*"


def parts() -> int:
    """Return into how many parts the year is cut for reading."""
    says = {12: _("Months"), 4: _("Quarters"), 2: _("Halves")}
    return int(
        st.segmented_control(
            _("Sum by"),
            options=list(says),
            format_func=says.__getitem__,
            default=12,
            required=True,
            key="deadline_parts",
            persist_state="session",
            label_visibility="collapsed",
        )
    )


def at_work(plan: Plan) -> Sequence[str]:
    """Return the KSFs that are taken to be at work: none, or the best set for this year."""
    if not plan.ksfs:
        return ()
    wanted = st.toggle(_("With the KSFs of Focus"), key="deadline_ksfs", persist_state="session")
    return focus.choose(plan, objective="year", before=session.baseline()).chosen if wanted else ()
