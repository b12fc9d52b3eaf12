"""The choice and what explains it, as the page waits for them: quick ones at once, long ones with a bar and a stop."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import partial

from kpi_core import focus, plan_text
from kpi_core.focus import Amount, Focus, Price
from kpi_core.focus.effects import Objective
from kpi_core.focus.robustness import DRAWS, Robustness, steps
from kpi_core.plan import Plan
from workbench import jobs, overrides, words
from workbench.jobs import Job
from workbench.overrides import Override
from workbench.words import _

_EACH = 16  # futures between two looks at the stop button


def choose(plan: Plan, objective: Objective, before: Plan) -> Focus:
    """Return the best set; stopped, the best so far, with the gap that is left."""

    def work(job: Job[Focus]) -> Focus:
        def watch(best: float, bound: float) -> bool:
            now = plan.tree.now(plan.kgi.metric)
            told = now < bound < float("inf") and best >= now
            return job.tell((best - now) / (bound - now) if told else 0.0, best, bound)

        return focus.choose(plan, objective=objective, before=before, watch=watch)

    asked_for = (_question(plan), before.digest, objective)
    found = jobs.result("choice", asked_for, work, partial(_choosing, plan))
    return found if found.plan is plan else replace(found, plan=plan)


def _question(plan: Plan) -> str:
    """Return what of a plan a choice depends on: not what was agreed before, nor its name."""
    said = plan.to_data()
    return plan_text.to_json({name: part for name, part in said.items() if name not in ("decisions", "name")})


def _choosing(plan: Plan, *told: float) -> str:
    kgi = plan.metrics[plan.kgi.metric]
    if not told or max(told) == float("inf"):
        return _("Choosing among very many sets…")
    best, bound = (words.value(number, kgi) for number in told)
    return _("Best so far {best}; no set brings more than {bound}.").format(best=best, bound=bound)


def overriding(found: Focus) -> dict[str, Override]:
    """Return what it costs to decide otherwise, for every KSF that was come to; their reasons are known then too."""
    if found.proof.gap:  # beside a set that is not proven no price would be one
        return {}
    return dict(jobs.result("reasons", asked(found), partial(_overriding, found), _done))


def overriding_at_once(found: Focus) -> dict[str, Override] | None:
    """Return the same if it is known within a blink, else None: it goes on, and `overriding` waits for it."""
    if found.proof.gap:
        return {}
    known = jobs.at_once("reasons", asked(found), partial(_overriding, found))
    return None if known is None else dict(known)


def _overriding(found: Focus, job: Job[list[tuple[str, Override]]]) -> list[tuple[str, Override]]:
    return jobs.each(job, overrides.each(found, job.going_on), len(found.plan.ksfs))


def prices(found: Focus) -> tuple[Price, ...]:
    """Return what one more of each limit is worth, the dearest first."""

    def work(job: Job[list[Price]]) -> list[Price]:
        return jobs.each(job, focus.each_price(found, go_on=job.going_on), len(focus.priced(found)))

    known: list[Price] = jobs.result("prices", asked(found), work, _done)
    return tuple(sorted(known, key=lambda price: -price.gain))


def frontier(found: Focus, resource: str) -> tuple[Amount, ...]:
    """Return the KGI for every amount of a resource."""

    def work(job: Job[tuple[Amount, ...]]) -> tuple[Amount, ...]:
        return focus.frontier(found, resource, go_on=lambda: job.tell(0.5))

    return jobs.result("frontier", (asked(found), resource), work, lambda: _("Choosing anew for every amount…"))


def futures(found: Focus) -> Robustness | None:
    """Return how the choice holds up in many futures; stopped, in those tried so far, None before the first of them."""

    def work(job: Job[Robustness | None]) -> Robustness | None:
        seen = None
        for seen in steps(found, each=_EACH, go_on=job.going_on):
            if not job.tell(seen.futures / DRAWS, seen.futures):
                break
        return seen

    return jobs.result("futures", asked(found), work, _tried)


def _tried(*told: float) -> str:
    return _("{count} futures tried").format(count=f"{int(told[0]) if told else 0:,}")


def _done(*told: float) -> str:
    done, total = (int(number) for number in told) if told else (0, 0)
    return _("{done} of {total} looked into").format(done=f"{done:,}", total=f"{total:,}")


def asked(found: Focus) -> Hashable:
    """Return what a choice was asked for: equal questions, equal answers."""
    before = "" if found.before is None else found.before.digest
    limits = repr((found.limits, found.lock, found.rule_out))
    return _question(found.plan), before, found.objective, limits, found.proof.gap
