"""Removing a metric or a KSF: say first what goes with it, then do all of it in one step that undo takes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from kpi_core import plan_removal
from kpi_core.plan import Plan
from kpi_core.plan_removal import Removal
from workbench import comebacks, session, words
from workbench.words import _, md

_PENDING = "removal_pending"
Find = Callable[[Plan, str], Removal]


def metric_button(metric: str) -> None:
    """Offer to remove a metric; where something else goes with it, that is said first (`metric_question`)."""
    _button(_("Remove"), plan_removal.of_metric, lambda: metric, key=f"remove_{metric}")


def metric_question(plan: Plan, metric: str) -> None:
    """Say what goes with the metric that is to be removed, and ask."""
    _question(plan, plan_removal.of_metric, metric, metric_sentences)


def ksf_button(chosen: Callable[[], str]) -> None:
    """Offer to remove the KSF `chosen` when the button is pressed; what goes with it is said first (`ksf_question`)."""
    _button(_("Remove this KSF"), plan_removal.of_ksf, chosen, key="remove_ksf")


def ksf_question(plan: Plan, ksf: str) -> None:
    """Say what goes with the KSF that is to be removed, and ask."""
    _question(plan, plan_removal.of_ksf, ksf, ksf_sentences)


def metric_sentences(removal: Removal) -> list[str]:
    """Return what goes with a metric, a sentence each. Plain text."""
    plan, traces = removal.before, removal.traces
    places = {
        "stages": _("It leaves the funnel."),
        "history": _("Its past numbers go with it."),
        "opening": _("What is open of it when the year begins goes with it."),
        "drivers": _("Links from it and to it go with it."),
        "correlations": _("It leaves the levers that go together."),
    }
    inputs = [_with_value(plan, user) for user in traces["inputs"]]
    months = [words.name(plan.metrics[user]) for user in traces["by_month"]]
    moving = [ksf for ksf in traces["ksfs"] if ksf not in traces["idle"]]
    return [
        *_about(inputs, _("Computed from it until now; they become inputs with today's value: {names}.")),
        *_about(months, _("They lose their own formula for the months: {names}.")),
        *_about(_ksfs(plan, moving), _("KSFs that no longer lift it: {names}.")),
        *_about(
            _ksfs(plan, traces["idle"]),
            _("KSFs that lift nothing else; they stay, but do nothing until you give them a metric: {names}."),
        ),
        *_about(_ksfs(plan, traces["needs"]), _("KSFs that no longer need a number of it: {names}.")),
        *(places[place] for place in traces["places"]),
    ]


def ksf_sentences(removal: Removal) -> list[str]:
    """Return what goes with a KSF, a sentence each. Plain text."""
    plan, traces = removal.before, removal.traces
    holds = {"lock": _("It is no longer kept in the choice."), "rule_out": _("It is no longer kept out of the choice.")}
    return [
        *(holds[wish] for wish in traces["held"]),
        *_about(_ksfs(plan, traces["builders"]), _("KSFs that no longer build on it: {names}.")),
        *_about(_ksfs(plan, traces["excluding"]), _("KSFs that no longer rule it out: {names}.")),
        *_about(_ksfs(plan, traces["linked"]), _("KSFs whose synergy or spill-over with it goes: {names}.")),
    ]


def _with_value(plan: Plan, metric: str) -> str:
    entry = plan.metrics[metric]
    value = words.value(plan.tree.now(metric), entry)
    return _("{name} ({value})").format(name=words.name(entry), value=value)


def _ksfs(plan: Plan, ksfs: Sequence[str]) -> list[str]:
    return [comebacks.ksf_named(plan, ksf) for ksf in ksfs]


def _about(names: Sequence[str], sentence: str) -> list[str]:
    return [sentence.format(names=words.joined(names))] if names else []


def _button(label: str, find: Find, chosen: Callable[[], str], *, key: str) -> None:
    st.button(label, key=key, icon=":material/delete:", on_click=lambda: _ask(find, chosen()))


def _question(plan: Plan, find: Find, thing: str, sentences: Callable[[Removal], list[str]]) -> None:
    """Say what goes with a thing whose removal is pending, and ask."""
    if session.recall(_PENDING) != _named(find, thing):
        return
    removal = find(plan, thing)
    with st.container(border=True, key="removal"):
        st.markdown("\n".join([_("This goes with it:"), "", *(f"- {md(sentence)}" for sentence in sentences(removal))]))
        with st.container(horizontal=True):
            st.button(
                _("Remove all of this"), key="remove_now", type="primary", on_click=_remove, args=(find, thing, removal)
            )
            st.button(_("Keep it"), key="remove_not", type="tertiary", on_click=session.remember, args=(_PENDING, None))


def _named(find: Find, thing: str) -> str:
    """Return a name for a removal: a metric and a KSF may have the same id."""
    return f"{find.__name__} {thing}"


def _ask(find: Find, thing: str) -> None:
    """Remove a thing that nothing else names; of another one say first what goes with it."""

    def remove_or_ask() -> None:
        removal = find(session.plan(), thing)
        if removal.is_alone:
            session.desk().put(removal.plan)
        else:
            session.remember(_PENDING, _named(find, thing))

    session.remember(_PENDING, None)
    session.alter(remove_or_ask)


def _remove(find: Find, thing: str, shown: Removal) -> None:
    """Remove a thing and what goes with it, unless by now more would go than was said."""

    def remove() -> None:
        removal = find(session.plan(), thing)
        if removal.goes_beyond(shown):
            session.tell(_("The plan was changed meanwhile: please read once more what goes with it."))
            return
        session.desk().put(removal.plan)
        session.remember(_PENDING, None)

    session.alter(remove)
