"""What is true: metric trees, goals, time, chance, sensitivities and focus as pure functions of frozen data."""

from kpi_core.attribution import explain_change
from kpi_core.chance import achievability
from kpi_core.errors import KpiError
from kpi_core.focus import FocusLimits, choose
from kpi_core.forecast import fan, forecast
from kpi_core.goal import implied, least_effort, required, required_all
from kpi_core.horizons import horizons
from kpi_core.luck import planned_target
from kpi_core.pacing import equal_lift, profile, volume
from kpi_core.plan import Plan
from kpi_core.sensitivity import bottleneck, break_even, plus_one, tornado, two_way, worth
from kpi_core.targets import target_chances
from kpi_core.timeline import run
from kpi_core.tree import Tree, elasticities, evaluate, slopes
from kpi_core.uncertainty import finding_out, importance, uncertainty_shares

__all__ = [
    "FocusLimits",
    "KpiError",
    "Plan",
    "Tree",
    "achievability",
    "bottleneck",
    "break_even",
    "choose",
    "elasticities",
    "equal_lift",
    "evaluate",
    "explain_change",
    "fan",
    "finding_out",
    "forecast",
    "horizons",
    "implied",
    "importance",
    "least_effort",
    "planned_target",
    "plus_one",
    "profile",
    "required",
    "required_all",
    "run",
    "slopes",
    "target_chances",
    "tornado",
    "two_way",
    "uncertainty_shares",
    "volume",
    "worth",
]
