"""List every operation a metric is worked out from, of the whole tree, operands first.

Where an expression is the steps of one formula, this is all of them in one list: values run through it forwards,
slopes backwards, and each `min`, `max` and condition of the tree has a place of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kpi_core.readings import Array
from kpi_core.tree import Tree

_TIED = 1e-14  # relative: operands so close are equal but for rounding


class Node(NamedTuple):
    """One operation of the whole tree; its operands are the places of earlier nodes."""

    op: str
    operands: tuple[int, ...] = ()
    number: float = 0.0
    name: str = ""


def list_operations(tree: Tree, of: str, given: Mapping[str, tuple[float, float]]) -> list[Node]:
    """Return all that `of` is worked out from as one list, operands first; `of` itself is the last.

    Metrics in `given` are taken at the first of their two values, their formulas aside.

    >>> [node.op for node in list_operations(Tree.of(wins="meetings * rate", meetings=5, rate=1), "wins", {})]
    ['name', 'name', '*', 'sum']
    """
    nodes: list[Node] = []
    places: dict[str, int] = {}
    for metric in tree.carriers(of):
        if metric in given or metric not in tree.expressions:
            nodes.append(Node("name", (), given[metric][0] if metric in given else tree.now(metric), metric))
            places[metric] = len(nodes) - 1
            continue
        stack: list[int] = []
        for step in tree.expressions[metric].steps:
            if step.op == "name":
                stack.append(places[step.name])
                continue
            operands = tuple(stack[len(stack) - step.arity :])
            del stack[len(stack) - step.arity :]
            nodes.append(Node(step.op, operands, step.number))
            stack.append(len(nodes) - 1)
        places[metric] = stack[0]
    return [*nodes, Node("sum", (places[of],))]


def places_that_move(nodes: Sequence[Node], moved: Collection[str]) -> set[int]:
    """Return the places of the nodes whose value is not the same on all of the way; the last always is."""
    moving = {len(nodes) - 1}
    for at, node in enumerate(nodes):
        if (node.op == "name" and node.name in moved) or moving.intersection(node.operands):
            moving.add(at)
    return moving


def is_tied(operand: Array, result: Array) -> Array:
    """Return whether an operand of `min` or `max` is the one taken, or equal to it but for rounding."""
    return np.asarray(np.abs(operand - result) <= _TIED * np.maximum(np.abs(operand), np.abs(result)))


def tied_slopes(worth: Array, operands: Sequence[Array], result: Array) -> tuple[Array, ...]:
    """Give the slope of `min` or `max` to the operand that is taken, to several in equal parts."""
    tied = [is_tied(operand, result) * 1.0 for operand in operands]
    count = np.maximum(sum(tied), 1.0)
    return tuple(worth * part / count for part in tied)
