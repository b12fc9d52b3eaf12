"""Focus: the few KSFs to put people on, proven best through the tree under real limits."""

from kpi_core.focus.choosing import Alternative
from kpi_core.focus.conflict import Clash, conflict, conflicts
from kpi_core.focus.effects import STEPS, Effects, Entry, ledger
from kpi_core.focus.explain import Focus, Proof, choose
from kpi_core.focus.prices import Amount, Price, each_price, frontier, priced, prices
from kpi_core.focus.reasons import Reason
from kpi_core.focus.returns import Return, Returns, returns
from kpi_core.focus.reviewing import first_review
from kpi_core.focus.robustness import Robustness, robustness
from kpi_core.focus.search import FocusLimits

__all__ = [
    "STEPS",
    "Alternative",
    "Amount",
    "Clash",
    "Effects",
    "Entry",
    "Focus",
    "FocusLimits",
    "Price",
    "Proof",
    "Reason",
    "Return",
    "Returns",
    "Robustness",
    "choose",
    "conflict",
    "conflicts",
    "each_price",
    "first_review",
    "frontier",
    "ledger",
    "priced",
    "prices",
    "returns",
    "robustness",
]
