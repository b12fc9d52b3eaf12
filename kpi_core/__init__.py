"""What is true: metric trees, goals, sensitivities and focus as pure functions of frozen data."""

from kpi_core.attribution import explain_change
from kpi_core.chance import achievability
from kpi_core.errors import KpiError
from kpi_core.focus import FocusLimits, choose
from kpi_core.goal import implied, least_effort, required, required_all
from kpi_core.plan import Plan
from kpi_core.sensitivity import bottleneck, break_even, plus_one, tornado, two_way, worth
from kpi_core.tree import Tree, elasticities, evaluate, slopes

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
    "evaluate",
    "explain_change",
    "implied",
    "least_effort",
    "plus_one",
    "required",
    "required_all",
    "slopes",
    "tornado",
    "two_way",
    "worth",
]
