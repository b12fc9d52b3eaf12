"""What `What if` says of the least effort: reached, certainly out of reach, or not found, in both languages."""

import pytest

from kpi_core.goal import least_effort
from kpi_core.plan import Plan
from workbench import sentences, words


def said(target: float, kgi: str, language: str, **levers: dict[str, float]) -> str:
    metrics = {"kgi": {"name": "Result", "kind": "count", "formula": kgi}}
    metrics |= {name: {"name": f"Lever {name}", "kind": "count", **entry} for name, entry in levers.items()}
    plan = Plan.from_data(
        {
            "schema": 1,
            "name": "t",
            "fiscal_year": {"starts": "2026-04"},
            "kgi": {"metric": "kgi", "target": target},
            "teams": {"t": {"name": "t"}},
            "metrics": metrics,
        }
    )
    with words.speaking(language):
        return sentences.least_effort(plan, least_effort(plan))


NARROW = {"a": {"value": 10, "low": 5, "high": 20}, "b": {"value": 10, "low": 9, "high": 20}}


@pytest.mark.parametrize(
    ("target", "kgi", "english", "japanese"),
    [
        (
            30,
            "max(a, b)",
            "Within their plausible limits the levers cannot reach",
            "現実的な範囲では、レバーをどう組み合わせても",
        ),
        (500, "a * b", "With every lever at its plausible limit", ""),
        (
            50,
            "if(13.369999 < a < 13.370001, 100, b)",
            "No combination",
            "目標に届くレバーの組み合わせは見つかりませんでした",
        ),
        (20, "max(a, b)", "One lever reaches the goal", ""),
    ],
)
def test_what_is_certain_and_what_was_only_not_found_are_told_apart(target, kgi, english, japanese):
    """20 · 20 = 400 is the most of a product; beside 13.37 no sample of the box looks."""
    assert said(target, kgi, "en", **NARROW).startswith(english)
    assert said(target, kgi, "ja", **NARROW).startswith(japanese)
    assert "{" not in said(target, kgi, "ja", **NARROW)
