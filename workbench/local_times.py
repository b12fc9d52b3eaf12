"""Moments as the reader's clock shows them, and the reader's days as moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

_HOME = "Asia/Tokyo"
_MOMENT = timedelta(microseconds=1)


def zone() -> tzinfo:
    """Return the reader's time zone; Japan's where the browser names none that is known."""
    named = st.context.timezone
    try:
        return ZoneInfo(named if isinstance(named, str) and named else _HOME)
    except (KeyError, ValueError, OSError):  # no such zone; no name of one; a folder of them
        return ZoneInfo(_HOME)


def day(moment: datetime) -> str:
    """Return the reader's day of a moment: 2026-04-01."""
    return moment.astimezone(zone()).strftime("%Y-%m-%d")


def clock(moment: datetime) -> str:
    """Return the reader's time of day: 18:30."""
    return moment.astimezone(zone()).strftime("%H:%M")


def said(moment: datetime) -> str:
    """Return day and time of day: 2026-04-01 18:30."""
    return f"{day(moment)} {clock(moment)}"


def end_of(day: str) -> datetime:
    """Return the moment at which a day of the reader is over."""
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), zone()).astimezone(UTC)


def last_day(over: datetime) -> str:
    """Return the last day before something is over: 2026-06-30 of what is over with that day."""
    return day(over - _MOMENT)
