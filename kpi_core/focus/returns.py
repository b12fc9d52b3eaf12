"""What a chosen set brings in this fiscal year against what it costs, as a whole and for each of its KSFs.

    net     gain − cost
    gain    the year's KGI with the set − the year's KGI without any; a KSF's part of it is its Shapley share

Only where the KGI is an amount of money of the plan's currency: nothing else can be held against a cost. A KGI that
counts revenue says nothing of what earning it costs otherwise, so a net above 0 is no profit; one below 0 is a loss
this year all the more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from kpi_core.document import MONTHS_A_YEAR
from kpi_core.focus.contributions import contributions
from kpi_core.focus.explain import Focus

_SPELT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "JPY": ("円", "¥", "￥"),
        "USD": ("米ドル", "ドル", "US$", "$", "＄"),
        "EUR": ("ユーロ", "€"),
        "GBP": ("ポンド", "£"),
    }
)
_TIMES: Mapping[str, float] = MappingProxyType(
    {"": 1.0, "千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "億": 1e8, "十億": 1e9, "百億": 1e10, "兆": 1e12}
    | {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9}
)


@dataclass(frozen=True, kw_only=True)
class Return:
    """What something brings to the KGI in this fiscal year and what it costs, both in the plan's currency."""

    gain: float
    cost: float

    @property
    def net(self) -> float:
        """Return what it brings beyond its cost; below 0 it costs more than it brings."""
        return self.gain - self.cost


@dataclass(frozen=True, kw_only=True)
class Returns:
    """The return of the `whole` set, and of each chosen KSF in the order chosen; the parts sum to the whole."""

    whole: Return
    by_ksf: Mapping[str, Return]


def returns(found: Focus) -> Returns | None:
    """Return what a set brings this fiscal year against its cost; None where the KGI is no amount of money.

    Raises
    ------
    KpiError
        As `timeline.run`.
    """
    plan = found.plan
    scale = money_scale(plan.metrics[plan.kgi.metric].unit, plan.currency)
    if scale is None:
        return None
    scale *= MONTHS_A_YEAR / plan.kgi.months
    parts = contributions(replace(found, objective="year"))
    by_ksf = {ksf: Return(gain=part * scale, cost=plan.ksfs[ksf].cost) for ksf, part in parts.items()}
    whole = Return(gain=sum(one.gain for one in by_ksf.values()), cost=sum(one.cost for one in by_ksf.values()))
    return Returns(whole=whole, by_ksf=MappingProxyType(by_ksf))


def money_scale(unit: str, currency: str) -> float | None:
    """Return how much of the currency one of a unit is; None for what is no amount of it, an amount per deal too.

    >>> money_scale("円", "JPY"), money_scale("百万円", "JPY"), money_scale("円/件", "JPY"), money_scale("件", "JPY")
    (1.0, 1000000.0, None, None)
    """
    for spelt in (*_SPELT.get(currency, ()), currency):
        before, has_it, after = unit.partition(spelt)
        if has_it:
            return _TIMES.get((before + after).strip())
    return None
