"""What it costs to overrule the choice: to leave a chosen KSF out, or to force in one that is not chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from kpi_core.errors import KpiError
from kpi_core.focus import Alternative, Focus, choose


@dataclass(frozen=True)
class Override:
    """What the KGI loses when a KSF is `chosen` otherwise than proposed (below 0: gains), and what changes with it.

    `loses` is None where it cannot be: no set within the limits holds the KSF.
    """

    chosen: bool
    loses: float | None
    comes_in: tuple[str, ...] = ()
    goes_out: tuple[str, ...] = ()


def each(found: Focus, go_on: Callable[[], bool] = lambda: True) -> Iterator[tuple[str, Override]]:
    """Yield the price of overriding for every KSF, the chosen first; each choice is made again, exactly.

    As soon as `go_on` says no it ends, whatever it was at.
    """
    for ksf in found.chosen:
        price = _leaving_out(found, ksf, go_on)
        if not go_on():
            return
        yield ksf, price
    for ksf, why in found.left_out.items():
        yield ksf, Override(chosen=False, loses=why.loses, goes_out=why.replaces)


def _leaving_out(found: Focus, ksf: str, go_on: Callable[[], bool]) -> Override:
    try:
        other = _best_without(found, ksf, go_on)
    except KpiError:  # without a KSF that must be in there may be more sets than can be compared
        return Override(chosen=True, loses=None)
    return Override(
        chosen=True,
        loses=found.kgi - other.kgi,
        comes_in=tuple(one for one in other.chosen if one not in found.chosen),
        goes_out=tuple(one for one in found.chosen if one not in other.chosen and one != ksf),
    )


def _best_without(found: Focus, ksf: str, go_on: Callable[[], bool]) -> Alternative:
    """Return the best set without a KSF: of the next best sets, best first, the first that lacks it, else a choice."""
    for other in found.next_best:
        if ksf not in other.chosen:
            return other
    again = choose(
        found.plan,
        found.limits,
        objective=found.objective,
        before=found.before,
        lock=[one for one in found.lock if one != ksf],
        rule_out=(*found.rule_out, ksf),
        watch=lambda _best, _bound: go_on(),
    )
    return Alternative(again.chosen, again.kgi)


def near(found: Focus, other: Alternative) -> bool:
    """Return whether another set is nearly equal to the best one, as `Focus.tie` says of the runner-up."""
    return replace(found, next_best=(other,)).tie
