"""Knapsack problems of another field through our search: the same optimum as every subset, or as another solver."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp

from kpi_core.errors import KpiError
from kpi_core.focus import mknap

DATA = Path(__file__).parents[1] / "data"


def test_a_file_of_two_problems_is_solved_to_what_every_subset_says():
    for problem in mknap.read((DATA / "mknap_two.txt").read_text()):
        subsets = (np.arange(2 ** len(problem.profits))[:, None] >> np.arange(len(problem.profits))) & 1
        fits = (subsets @ problem.uses.T <= problem.limits).all(axis=1)

        found = mknap.solve(problem)

        assert found.value == found.bound == problem.known == (subsets[fits] @ problem.profits).max()
        assert problem.profits[list(found.items)].sum() == found.value
        assert (problem.uses[:, list(found.items)].sum(axis=1) <= problem.limits).all()


def test_a_file_that_begins_with_its_one_problem_is_solved_as_another_solver_does():
    (problem,) = mknap.read((DATA / "mknap_forty.txt").read_text())

    found = mknap.solve(problem)

    assert found.value == found.bound == _by_another(problem)


@pytest.mark.parametrize("seed", range(8))
def test_random_problems_are_solved_whether_listed_or_by_program(seed, monkeypatch):
    random = np.random.default_rng(seed)
    uses = random.integers(0, 60, (3, 24)).astype(float)
    profits = random.uniform(1, 50, 24) if seed % 2 else random.integers(1, 50, 24).astype(float)
    problem = mknap.Problem(profits, uses, np.floor(uses.sum(axis=1) * 0.4), 0.0)
    expected = pytest.approx(_by_another(problem), rel=1e-9)

    listed = mknap.solve(problem)
    monkeypatch.setattr(mknap, "_STEPS", 1)
    by_program = mknap.solve(problem)

    assert (listed.value, listed.bound) == (expected, expected)
    assert (by_program.value, by_program.bound) == (expected, expected)


def test_items_that_never_fit_or_bring_nothing_are_left_out():
    nothing = mknap.solve(mknap.Problem(np.array([5.0, 0.0]), np.array([[9.0, 1.0]]), np.array([4.0]), 0.0))

    assert nothing == mknap.Solved(0.0, (), 0.0)


@pytest.mark.parametrize("text", ["", "1 2 x", "2 1 0 5 5", "1 2 1 0 5 3", "nan", "3 1 0 1 2 3 1 1 1 2 99", "-1 2 0"])
def test_what_is_no_such_file_is_refused(text):
    with pytest.raises(KpiError) as caught:
        mknap.read(text)
    assert caught.value.code == "bad_mknap"


def _by_another(problem: mknap.Problem) -> float:
    limits = LinearConstraint(problem.uses, ub=problem.limits)
    answer = milp(-problem.profits, constraints=limits, integrality=np.ones(len(problem.profits)), bounds=(0, 1))
    return float(problem.profits[answer.x > 0.5].sum())
