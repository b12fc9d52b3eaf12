"""The plans and KSFs that come with the app: five templates, a sample plan, a catalogue."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from kpi_core import plan_text
from kpi_core.document import Ksf
from kpi_core.plan import Plan

_FOLDER = Path(__file__).parents[1] / "sample_data"
TEMPLATES = ("funnel", "abm", "is_phase", "keypoint", "web_basic")


@cache
def template(name: str) -> Plan:
    """Return one of the five template plans."""
    return Plan.from_text((_FOLDER / "templates" / f"{name}.yaml").read_text(encoding="utf-8"))


@cache
def sample_plan() -> Plan:
    """Return the finished plan a first visitor finds open."""
    return Plan.from_text((_FOLDER / "sample_plan.yaml").read_text(encoding="utf-8"))


@cache
def _catalogue() -> dict[str, dict[str, Any]]:
    data = plan_text.read((_FOLDER / "ksf_catalogue.yaml").read_text(encoding="utf-8"))
    return dict(data["ksfs"])


def offers(plan: Plan) -> dict[str, Ksf]:
    """Return the catalogue's KSFs that move metrics of this plan and are not in it yet.

    The catalogue says for each template what a KSF moves; the template that fits the plan best counts.
    """
    found = {}
    for name, said in _catalogue().items():
        fitting = [moves for moves in said["moves"].values() if set(moves) <= set(plan.metrics)]
        teams = {said["team"], *said["hours"]}
        if name in plan.ksfs or not fitting or not teams <= set(plan.teams):
            continue
        known = [other for other in said.get("depends_on", ()) if other in plan.ksfs]
        found[name] = Ksf.model_validate({**said, "moves": max(fitting, key=len), "depends_on": known})
    return found
