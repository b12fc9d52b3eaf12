"""What lies on a desk beside its plan, as data that can be kept: the way back, the baseline, scenarios, the language.

Steps are kept as the numbers of the revisions before and after them; a plan that is no revision, because it is not
saved yet or was merged when it was, is kept whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpi_core.plan import Plan
from workbench.desk import Desk, Step

MAX_STEPS_KEPT = 50


def state(desk: Desk, numbers: Mapping[str, int], author: str) -> dict[str, Any]:
    """Return what lies on a desk; `numbers` are those of known revisions by their plan's digest."""
    plans: dict[str, Any] = {}

    def filed(plan: Plan) -> str:
        if plan.digest not in plans:
            plans[plan.digest] = plan.to_data()
        return plan.digest

    first = max(0, desk.at - MAX_STEPS_KEPT)
    steps: list[dict[str, Any]] = []
    at = 0
    for place, step in enumerate(desk.steps[first : first + 2 * MAX_STEPS_KEPT], first):
        ends = [
            side if isinstance(side, int) else numbers.get(side.digest) or filed(side)
            for side in (step.before, step.after)
        ]
        steps.append({"numbers": ends, "baselines": [filed(plan) for plan in step.baselines]})
        at += place < desk.at
    return {
        "steps": steps,
        "at": at,
        "baseline": filed(desk.baseline),
        "scenarios": {name: filed(plan) for name, plan in desk.scenarios.items()},
        "language": desk.language,
        "author": author,
        "plans": plans,
    }


def put_back(desk: Desk, kept: Mapping[str, Any]) -> str:
    """Put on a desk what was kept of it; return the author's name. What is missing is left as it is."""
    plans = {digest: Plan.from_data(data) for digest, data in kept.get("plans", {}).items()}
    steps = []
    for step in kept.get("steps", ()):
        before, after = (plans[end] if isinstance(end, str) else int(end) for end in step["numbers"])
        one, other = (plans[digest] for digest in step["baselines"])
        steps.append(Step(before, after, (one, other)))
    scenarios = {name: plans[digest] for name, digest in kept.get("scenarios", {}).items()}
    desk.baseline, desk.scenarios = plans.get(kept.get("baseline", ""), desk.baseline), scenarios
    desk.language, desk.steps, desk.at = kept.get("language"), steps, int(kept.get("at", 0))
    return str(kept.get("author", ""))
