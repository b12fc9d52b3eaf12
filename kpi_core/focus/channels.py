"""A KGI as a sum of products of what the KSFs multiply, for bounds on sets that are not looked at one by one.

    KGI = Σ_k w_k · Π_m min(x_m, cap_m)^e_km        x_m = Π over the chosen KSFs of what they multiply metric m by

A chain is one product, several channels are several. Metrics that always stand in the same products, and that no
cap can stop, count as one: what matters of a set is the logarithm of what it multiplies each product by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kpi_core.focus.effects import Effects
from kpi_core.formula import Expression
from kpi_core.readings import VALUE, Array

MOST_PRODUCTS = 64
# Σ coefficient · Π metric^exponent, with the metrics in order: {((metric, exponent), …): coefficient}
_Sum = dict[tuple[tuple[str, float], ...], float]


@dataclass(frozen=True, eq=False)
class Channels:
    """The products of a KGI: weights (K,), exponents (K, M) of the moved metrics, the cap of each multiplier (M,).

    A cap of infinity is none.
    """

    metrics: tuple[str, ...]
    weights: Array
    exponents: Array
    caps: Array

    def value(self, logs: Array) -> Array:
        """Return the KGI for rows of logarithms of multipliers, one column per metric."""
        capped = np.minimum(logs, np.log(self.caps))
        return np.asarray(np.exp(capped @ self.exponents.T) @ self.weights)


def channels(effects: Effects) -> Channels | None:
    """Return the KGI as a sum of products of what the KSFs multiply; None if it is not one.

    It is none with `min`, `max`, `if`, a sum below a fraction line, a rate that is computed and moved as well,
    or for what happens through the months of a year.
    """
    if effects.objective == "year":
        return None
    tree, moved = effects.carrying, set(effects.metrics)
    known: dict[str, _Sum] = {}
    caps = dict.fromkeys(effects.metrics, np.inf)
    for metric in tree.order:
        if metric in tree.expressions:
            if metric in moved and effects.plan.metrics[metric].is_share:
                return None
            found = _expand(tree.expressions[metric], known)
        else:
            now = float(tree.baseline[metric])
            if metric in moved and effects.plan.metrics[metric].is_share and now > 0:
                caps[metric] = max(1.0, effects.plan.assumptions.rate_cap / now)
            found = {(): now}
        if found is None or len(found) > MOST_PRODUCTS:
            return None
        known[metric] = _times(found, {((metric, 1.0),): 1.0}) if metric in moved else found
    products = known[effects.plan.kgi.metric]
    exponents = [[dict(product).get(metric, 0.0) for metric in effects.metrics] for product in products]
    return Channels(
        metrics=effects.metrics,
        weights=np.array(list(products.values())),
        exponents=np.array(exponents).reshape(len(products), len(effects.metrics)),
        caps=np.array([caps[metric] for metric in effects.metrics]),
    )


def _expand(expression: Expression, known: Mapping[str, _Sum]) -> _Sum | None:
    stack: list[_Sum] = []
    for step in expression.steps:
        if step.op == "name":
            stack.append(known[step.name])
        elif step.op == "number":
            stack.append({(): step.number})
        else:
            args = stack[len(stack) - step.arity :]
            del stack[len(stack) - step.arity :]
            found = _combine(step.op, args)
            if found is None or len(found) > MOST_PRODUCTS:
                return None
            stack.append(found)
    return stack[0]


def _combine(operator: str, args: Sequence[_Sum]) -> _Sum | None:
    if all(set(arg) <= {()} for arg in args):  # numbers alone
        with np.errstate(all="ignore"):
            number = float(VALUE[operator](*(np.float64(arg.get((), 0.0)) for arg in args)))
        return {(): number} if np.isfinite(number) else None
    match operator:
        case "+" | "sum":
            return _added(args)
        case "-":
            return _added([args[0], _scaled(args[1], -1.0)])
        case "neg":
            return _scaled(args[0], -1.0)
        case "*":
            return _times(*args)
        case "/":
            below = _power(args[1], -1.0)
            return None if below is None else _times(args[0], below)
        case "^":
            return _power(args[0], args[1][()]) if set(args[1]) == {()} else None
    return None


def _added(args: Sequence[_Sum]) -> _Sum:
    found: _Sum = {}
    for arg in args:
        for product, weight in arg.items():
            found[product] = found.get(product, 0.0) + weight
    return found


def _scaled(arg: _Sum, by: float) -> _Sum:
    return {product: by * weight for product, weight in arg.items()}


def _times(one: _Sum, other: _Sum) -> _Sum:
    found: _Sum = {}
    for left, weight in one.items():
        for right, times in other.items():
            powers = dict(left)
            for metric, exponent in right:
                powers[metric] = powers.get(metric, 0.0) + exponent
            product = tuple(sorted((metric, exponent) for metric, exponent in powers.items() if exponent))
            found[product] = found.get(product, 0.0) + weight * times
    return found


def _power(arg: _Sum, exponent: float) -> _Sum | None:
    """Return one product to a power; a sum, or less than nothing, has none that is a product."""
    if len(arg) != 1:
        return None
    (product, weight), *_ = arg.items()
    if weight <= 0:
        return None
    return {tuple((metric, power * exponent) for metric, power in product): weight**exponent}
