"""What was agreed as tables: the log, who does what by when, and what comes back when."""

from __future__ import annotations

from collections.abc import Mapping

from kpi_core.document import Action, Decision
from kpi_core.plan import Plan
from workbench import comebacks, words
from workbench.words import _


def log(plan: Plan, checks: Mapping[str, str]) -> list[dict[str, str]]:
    """Return one row for each decision, the newest first; `checks` names how often people meet."""
    kgi = plan.metrics[plan.kgi.metric]
    return [
        {
            _("Date"): one.date,
            _("KSFs"): " ".join(one.chosen),
            words.name(kgi): words.value(one.kgi, kgi),
            _("First looked at again"): one.review,
            _("Check-in"): checks.get(one.checks or "", "–"),
            _("Note"): one.note or "",
        }
        for one in reversed(plan.decisions)
    ]


def actions(plan: Plan, decision: Decision) -> list[dict[str, str]]:
    """Return one row for each action of a decision; a KSF without any has one row as well."""
    rows = []
    for ksf, commitment in decision.commitments.items():
        for at, action in enumerate(commitment.actions or (None,)):
            rows.append(
                {
                    _("KSF"): comebacks.ksf_named(plan, ksf) if not at else "",
                    _("Why it is in"): (commitment.why or "–") if not at else "",
                    _("Answers for it"): (commitment.owner or "–") if not at else "",
                    **_action(action),
                }
            )
    return rows


def _action(action: Action | None) -> dict[str, str]:
    return {
        _("Action"): "–" if action is None else action.text,
        _("Who"): "–" if action is None else action.owner or "–",
        _("By"): "–" if action is None else action.due or "–",
    }


def postponed(plan: Plan, decision: Decision) -> list[dict[str, str]]:
    """Return one row for each KSF put off, and when it is looked at again."""
    return [
        {
            _("KSF"): comebacks.ksf_named(plan, ksf),
            _("Comes back"): comebacks.said(plan, condition),
        }
        for ksf, condition in decision.postponed.items()
    ]
