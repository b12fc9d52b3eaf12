"""The core: evaluating a million samples, refusing hostile formulas, laying out two hundred cards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kpi_core.errors import KpiError
from kpi_core.formula import parse
from kpi_core.plan import Plan
from kpi_core.tree import evaluate
from tests.bench.timing import line, medians
from workbench.tree_board.layout import tidy

PLAN = Plan.from_text((Path(__file__).parents[2] / "sample_data/sample_plan.yaml").read_text(encoding="utf-8"))
SAMPLES = 1_000_000


def lines() -> Iterator[str]:
    """Yield the report's lines."""
    yield _funnel()
    yield _hostile_formulas()
    yield _layout()


def _funnel() -> str:
    """All seven inputs drawn; the rival is the same chain by hand, in whole arrays."""
    random = np.random.default_rng(0)
    inputs = {
        metric: random.uniform(PLAN.metrics[metric].low or 0, PLAN.metrics[metric].high or 1, SAMPLES)
        for metric in PLAN.tree.inputs
    }

    def by_hand() -> dict[str, np.ndarray]:
        leads = inputs["visitors"] * inputs["cvr"]
        appointments = leads * inputs["appt_rate"]
        meetings = appointments * inputs["meeting_rate"]
        proposals = meetings * inputs["proposal_rate"]
        close_rate = inputs["proposal_rate"] * inputs["proposal_win_rate"]
        wins = close_rate * meetings
        return {"proposals": proposals, "revenue": wins * inputs["unit_price"]}

    np.testing.assert_allclose(evaluate(PLAN.tree, inputs)["revenue"], by_hand()["revenue"], rtol=1e-12)
    ours, rival = medians(lambda: evaluate(PLAN.tree, inputs), by_hand)
    return line("funnel on 10^6 samples", ours, rival, against="NumPy by hand, whole arrays", promise="<= 1.20")


def _hostile_formulas() -> str:
    """The slowest refusal among inputs made to be slow; the rival is a harmless formula of the same length limit."""
    hostile = ["(" * 10_000, "1+" * 50_000, "-" * 1_999, "(" * 1_999, "9^" * 999 + "9", "x" * 2_000, "a " * 1_000]

    def refuse() -> None:
        for text in hostile:
            try:
                parse(text)
            except KpiError:
                continue

    ours, rival = medians(refuse, lambda: parse("a+" * 999 + "a"), rounds=7)
    return line(
        "7 hostile formulas refused",
        ours,
        rival,
        against="one harmless formula of 2,000 characters",
        promise="<= 50 ms each",
    )


def _layout() -> str:
    """The rival only walks the tree and counts, as any layout has to."""
    children = {f"m{n}": [f"m{2 * n + 1}", f"m{2 * n + 2}"] if n < 100 else [] for n in range(201)}

    def walk() -> int:
        seen, todo = 0, ["m0"]
        while todo:
            seen, todo = seen + 1, [*todo[1:], *children[todo[0]]]
        return seen

    ours, rival = medians(lambda: tidy("m0", children), walk, rounds=15)
    return line("layout of 201 cards", ours, rival, against="walking the tree once", promise="< 20 ms")
