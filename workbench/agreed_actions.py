"""What is done for a KSF, by whom, by when: the fields of its actions, and what people wrote in them."""

from __future__ import annotations

from math import ceil
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from workbench import months, refusals, session, words
from workbench.words import _, md

_MOST = 10  # actions a KSF may have


def show(plan: Plan, ksf: str) -> None:
    """Show the actions of a KSF, and offer one more."""
    count = _count(ksf)
    for at in range(count):
        _action(plan, ksf, at)
    if count < _MOST:
        st.button(
            _("One more action"),
            key=f"agreed_more_{ksf}",
            icon=":material/add:",
            type="tertiary",
            on_click=_one_more,
            args=(ksf,),
        )


def _one_more(ksf: str) -> None:
    session.remember(f"agreed_count_{ksf}", min(_count(ksf) + 1, _MOST))


def _action(plan: Plan, ksf: str, at: int) -> None:
    """Show the fields of one action; the first is what the plan says is done, by when its effect starts."""
    entry, key = plan.ksfs[ksf], f"agreed_{ksf}_{at}"
    usual = words.text(entry.actions) if entry.actions is not None and not at else ""
    starts = months.end_of(plan, max(1, ceil(entry.ramp[0])) + months.begins(plan) - 1)
    what, who, due = st.columns([2.2, 1, 1])
    below = st.container()
    with what:
        draft(_("Action"), f"{key}_text", usual, long=True, max_chars=1_000)
    with who:
        draft(_("Who"), f"{key}_who", "", max_chars=100, placeholder=_("As above"))
    with due:
        draft(_("By"), f"{key}_due", starts, max_chars=40)
    _judge(plan, ksf, at, below)


def draft(label: str, key: str, usual: str, *, long: bool = False, **looks: Any) -> None:
    """Show a field that says what is usual, also when that changes, until somebody types something else."""
    if session.typed(key) in (None, session.recall(f"usual_{key}")):
        session.follow(key, usual)
    session.remember(f"usual_{key}", usual)
    if long:
        st.text_area(label, key=key, height="content", persist_state="session", **looks)
    else:
        st.text_input(label, key=key, persist_state="session", **looks)


def _judge(plan: Plan, ksf: str, at: int, below: DeltaGenerator) -> None:
    """Say of a day that it is none, or that it has passed."""
    try:
        due = _due(plan, ksf, at)
    except KpiError as error:
        below.caption(f":red[{md(words.error(refusals.named(error)))}]")
        return
    if due is not None and due < months.day():
        below.caption(md(_("{ksf}: {day} has passed.").format(ksf=ksf, day=due)))


def read(plan: Plan, ksf: str) -> list[dict[str, str]]:
    """Return the actions as they were typed, for the plan; without a name of their own they are the owner's.

    Raises
    ------
    KpiError
        `no_due_day`, with `ksf` and `text`.
    """
    found = []
    for at in range(_count(ksf)):
        if text := typed(f"agreed_{ksf}_{at}_text"):
            who, due = typed(f"agreed_{ksf}_{at}_who") or owner(ksf), _due(plan, ksf, at)
            found.append({"text": text} | ({"owner": who} if who else {}) | ({"due": due} if due else {}))
    return found


def some(ksf: str) -> bool:
    """Return whether anything is to be done for a KSF."""
    return any(typed(f"agreed_{ksf}_{at}_text") for at in range(_count(ksf)))


def owner(ksf: str) -> str:
    """Return who answers for a KSF; "" if nobody does yet."""
    return typed(f"agreed_owner_{ksf}")


def is_past(plan: Plan, ksf: str) -> bool:
    """Return whether an action of a KSF is due on a day that has passed; what is no day is said elsewhere."""
    try:
        return any(action["due"] < months.day() for action in read(plan, ksf) if "due" in action)
    except KpiError:
        return False


def typed(key: str) -> str:
    """Return what a field holds, without the air around it."""
    return str(session.typed(key) or "").strip()


def _due(plan: Plan, ksf: str, at: int) -> str | None:
    text = typed(f"agreed_{ksf}_{at}_due")
    try:
        return months.read_day(plan, text)
    except KpiError as error:
        raise KpiError(
            "no_due_day", "{ksf}: “{text}” is no day. Write it as 2026-06-30 or 6/30.", ksf=ksf, text=text[:40]
        ) from error


def _count(ksf: str) -> int:
    return int(session.recall(f"agreed_count_{ksf}", 1))
