"""Prices, the frontier and robustness as tables and a picture."""

from __future__ import annotations

from collections.abc import Sequence

from kpi_core.focus import Amount, Focus, Price, Robustness
from workbench import charts, sentences_focus, words
from workbench.charts.picture import Picture
from workbench.words import _


def prices(found: Focus, known: Sequence[Price]) -> list[dict[str, str]]:
    """Return what a step more of each limit brings, and what would come in and go."""
    kgi = found.plan.metrics[found.plan.kgi.metric]
    return [
        {
            _("One more"): sentences_focus.sentence_case(sentences_focus.step(found.plan, price)),
            _("Change of the KGI"): words.difference(price.gain, kgi),
            _("Comes in"): words.joined(price.comes_in) or "–",
            _("Goes out"): words.joined(price.goes_out) or "–",
        }
        for price in known
    ]


def frontier(found: Focus, resource: str, way: Sequence[Amount]) -> Picture:
    """Return the KGI for every amount of a resource."""
    kgi = found.plan.metrics[found.plan.kgi.metric]
    drawn = [
        {
            "amount": step.amount,
            "kgi": step.kgi,
            "amount_label": sentences_focus.amount(resource, step.amount),
            "kgi_label": words.value(step.kgi, kgi),
            "set": " ".join(step.chosen) or "–",
            "knee": step.knee,
            "limit": found.limits.resources[resource],
        }
        for step in way
    ]
    named = sentences_focus.resource(found.plan, resource)
    return charts.frontier(drawn, resource=named, amount=_("Amount"), kgi=_("KGI"))


def robust(found: Focus, seen: Robustness) -> list[dict[str, str]]:
    """Return in how many futures each KSF is in the best set, and what finding out its effect first is worth."""
    plan = found.plan
    kgi = plan.metrics[plan.kgi.metric]
    order = sorted(seen.share, key=lambda ksf: (ksf not in found.chosen, -seen.share[ksf]))
    return [
        {
            _("KSF"): f"{ksf} {words.name(plan.ksfs[ksf])}",
            _("Chosen today"): "✓" if ksf in found.chosen else "",
            _("In the best set"): words.percent(seen.share[ksf]),
            _("Finding out its effect first is worth"): words.value(seen.learning[ksf], kgi),
        }
        for ksf in order
    ]
