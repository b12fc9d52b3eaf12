"""A tree as a small program: plain data that any interpreter can run, no code in it.

    leads = visitors * cvr   ->   [["name", 0], ["name", 1], ["*", 2]]

Metrics are numbered in the order they are evaluated, so an interpreter that goes through them once,
first to last, always finds what a formula reads. Its table of operators is `readings.VALUE` in its own language.
"""

from __future__ import annotations

from typing import Any

from kpi_core import readings
from kpi_core.tree import Tree


def compile_tree(tree: Tree) -> dict[str, Any]:
    """Return the tree as plain data: its `metrics` in order of evaluation and, for each, its `steps`.

    Steps are operands before operators: `["number", 0.5]`, `["name", place in metrics]`,
    `["*", how many results it takes]`. An input has None instead.

    >>> compile_tree(Tree.of(wins="meetings * 20%", meetings=540))
    {'metrics': ['meetings', 'wins'], 'steps': [None, [['name', 0], ['number', 0.2], ['*', 2]]]}
    """
    index = {metric: place for place, metric in enumerate(tree.order)}
    return {
        "metrics": list(tree.order),
        "steps": [
            readings.program(tree.expressions[metric], index) if metric in tree.expressions else None
            for metric in tree.order
        ],
    }
