"""Other exact solvers, for plans whose log KGI is a sum over the KSFs (`plan_of(…, plain=True)`).

    maximise Σ log lift(k) · x(k)   subject to   Σ needs(k, resource) · x(k) ≤ limit,   x(k) = 0 or 1

They know one item per KSF, nothing of teams, trees or metrics. Each says which KSFs it proved the best.
"""
# mypy: disable-error-code=import-untyped

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from kpi_core.focus import Effects, FocusLimits
from kpi_core.focus.effects import Objective
from kpi_core.plan import Plan
from kpi_core.readings import Array
from tests.bench.focus_plans import needs

try:
    from ortools.sat.python import cp_model
except ImportError:  # the version that goes with our other pins is made for no Python above 3.12
    cp_model = None  # type: ignore[assignment]

# HiGHS stops 1e-6 below its bound even when told to leave no relative gap; CP-SAT counts in whole numbers.
_HIGHS_SCALE = 1e4
_CP_SCALE = 1e9


@dataclass(frozen=True, eq=False)
class Items:
    """What a plan comes to as items: the log lift of each KSF, what it needs of each limit, the limits."""

    values: Array
    needs: Array
    limits: Array

    @classmethod
    def of(cls, plan: Plan, objective: Objective) -> Items:
        """Return the items of a plan; whole amounts only, so that nothing hangs on a tolerance."""
        effects, limits = Effects(plan, objective), FocusLimits.of(plan)
        counts = {f"ksfs.{team}": float(most) for team, most in limits.max_ksfs.items()}
        room = limits.resources | counts
        taken = np.array([needs(plan, resource) for resource in room])
        steps = np.gcd.reduce(taken.astype(np.int64), axis=1)
        return cls(
            values=np.log(effects.kgi(np.eye(len(plan.ksfs))) / effects.baseline),
            needs=taken / steps[:, None],
            limits=np.floor(np.array(list(room.values())) / steps),
        )


def highs(items: Items) -> Array:
    """Return the best set by HiGHS, as a row of 0 and 1."""
    with _said_aside():
        found = milp(
            -_HIGHS_SCALE * items.values,
            integrality=np.ones(len(items.values)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(items.needs, ub=items.limits),
            options={"mip_rel_gap": 0},
        )
    assert found.status == 0, found.message
    return np.asarray(np.round(found.x))


@contextmanager
def _said_aside() -> Iterator[None]:
    """Send to stderr what C code prints: HiGHS now and then leaves a line amid the report."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        os.dup2(stdout, 1)
        os.close(stdout)


def cp_sat(items: Items) -> Array:
    """Return the best set by OR-Tools' CP-SAT, as a row of 0 and 1."""
    model, solver = cp_model.CpModel(), cp_model.CpSolver()
    chosen = [model.new_bool_var(str(at)) for at in range(len(items.values))]
    for row, limit in zip(items.needs, items.limits, strict=True):
        model.add(cp_model.LinearExpr.weighted_sum(chosen, row.astype(int).tolist()) <= int(limit))
    model.maximize(cp_model.LinearExpr.weighted_sum(chosen, np.round(_CP_SCALE * items.values).astype(int).tolist()))
    solver.parameters.num_workers = 2
    status = solver.solve(model)
    assert solver.status_name(status) == "OPTIMAL"
    return np.array([float(solver.boolean_value(here)) for here in chosen])


SOLVERS = {"HiGHS": highs} | ({"CP-SAT": cp_sat} if cp_model else {})
