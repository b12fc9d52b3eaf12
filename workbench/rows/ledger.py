"""The ledger of effects: from the lift a team states to the lift that counts, as a picture and as rows."""

from __future__ import annotations

from kpi_core.focus import Entry
from kpi_core.plan import Plan
from workbench import charts, theme, words
from workbench.charts.picture import Picture
from workbench.words import _


def steps() -> dict[str, str]:
    """Return the names of the ledger's steps."""
    return {
        "stated": _("Stated, average"),
        "execution": _("Execution"),
        "skill": _("Skill"),
        "headroom": _("Headroom"),
        "flow": _("Flow"),
        "prerequisites": _("Prerequisites"),
        "dilution": _("Dilution"),
        "synergy": _("Synergy"),
        "ramp": _("Ramp"),
        "spill_over": _("Spill-over"),
    }


def ledger(plan: Plan, entry: Entry) -> Picture:
    """Return the waterfall from the stated lift of a KSF to the one that counts."""
    drawn, before = [], 0.0
    colour = theme.team_colour(plan.ksfs[entry.ksf].team)
    for step, value in entry.running():
        first = step == "stated"
        if first or abs(value - before) > 1e-12:
            drawn.append(
                {
                    "name": steps()[step],
                    "start": 0.0 if first else before,
                    "end": value,
                    "label": words.percent(value) if first else f"×{value / before:.2f}" if before else "",
                    "colour": theme.GHOST if first else colour,
                }
            )
        before = value
    drawn.append(
        {"name": _("Effective"), "start": 0.0, "end": before, "label": words.percent(before), "colour": theme.NEUTRAL}
    )
    return charts.steps(drawn, amount=_("Lift"))


def ledger_rows(plan: Plan, entries: tuple[Entry, ...]) -> list[dict[str, str]]:
    """Return every effect of the set as a row: stated, each factor, effective."""
    names = steps()
    return [
        {
            _("KSF"): entry.ksf if entry.spills_from is None else f"{entry.spills_from} → {entry.ksf}",
            _("Metric"): words.name(plan.metrics[entry.metric]),
            names["stated"]: words.percent(entry.stated),
            **{names[step]: f"×{factor:.3f}" for step, factor in entry.factors.items()},
            names["spill_over"]: "" if entry.spills_from is None else f"×{entry.share:.2f}",
            _("Effective"): words.percent(entry.effective),
        }
        for entry in entries
    ]
