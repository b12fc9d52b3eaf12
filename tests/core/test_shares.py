"""Shares of uncertainty against analytic answers, SALib and integrals by hand."""

from pathlib import Path

import numpy as np
import pytest
from SALib.analyze import sobol as salib_analyze
from SALib.sample import sobol as salib_sample
from scipy import stats

from kpi_core.draws import points
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.ranges import is_uncertain, moments, quantile
from kpi_core.shares import rank_importance, sobol_shares, value_of_knowing
from kpi_core.tree import evaluate

TEMPLATES = Path(__file__).parents[2] / "sample_data" / "templates"
SEEDS = [0, 1, 2, 3]


class Template:
    """A template's revenue as a function of its uncertain levers."""

    def __init__(self, name: str):
        self.tree = Plan.from_text((TEMPLATES / name).read_text(encoding="utf-8")).tree
        self.metrics = {
            lever: self.tree.metrics[lever]
            for lever in self.tree.levers("revenue")
            if is_uncertain(self.tree.metrics[lever])
        }
        self.quantiles = {lever: lambda u, entry=entry: quantile(entry, u) for lever, entry in self.metrics.items()}

    def __call__(self, inputs):
        return evaluate(self.tree, inputs, only=["revenue"])["revenue"]


def same(u):
    return u


# Sobol shares


@pytest.mark.parametrize("seed", SEEDS)
def test_shares_of_the_ishigami_function(seed):
    """Ishigami & Homma (1990), a = 7, b = 0.1, each input uniform in ±π."""

    def ishigami(at):
        return np.sin(at["x"]) + 7 * np.sin(at["y"]) ** 2 + 0.1 * at["z"] ** 4 * np.sin(at["x"])

    alone, square, together = (1 + np.pi**4 / 50) ** 2 / 2, 49 / 8, 8 * np.pi**8 / 22_500
    variance = alone + square + together

    found = sobol_shares(ishigami, dict.fromkeys("xyz", lambda u: (2 * u - 1) * np.pi), count=2**14, seed=seed)

    assert found.first == pytest.approx({"x": alone / variance, "y": square / variance, "z": 0}, abs=0.002)
    assert found.total == pytest.approx(
        {"x": (alone + together) / variance, "y": square / variance, "z": together / variance}, abs=0.002
    )
    assert found.mean == pytest.approx(3.5, abs=0.001)
    assert found.variance == pytest.approx(variance, rel=0.001)


@pytest.mark.parametrize("seed", SEEDS)
def test_shares_of_sobols_g_function(seed):
    """Saltelli & Sobol' (1995): Π(|4u − 2| + a)/(1 + a)."""
    a = dict(zip("abcdefgh", [0, 1, 4.5, 9, 99, 99, 99, 99], strict=True))

    def g(at):
        return np.prod([(abs(4 * at[name] - 2) + a[name]) / (1 + a[name]) for name in a], axis=0)

    part = {name: 1 / 3 / (1 + weight) ** 2 for name, weight in a.items()}
    growth = np.prod([1 + size for size in part.values()])

    found = sobol_shares(g, dict.fromkeys(a, same), count=2**14, seed=seed)

    assert found.first == pytest.approx({name: size / (growth - 1) for name, size in part.items()}, abs=0.001)
    assert found.total == pytest.approx(
        {name: size * growth / (1 + size) / (growth - 1) for name, size in part.items()}, abs=0.001
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_shares_of_the_funnel_are_those_of_a_product(seed):
    """T-S2 and domain §6.4: c² = Var/mean², S = c²/V, T = c²·Π(1 + c²)/(1 + c²)/V, V = Π(1 + c²) − 1."""
    funnel = Template("funnel.yaml")
    spread = {
        lever: variance / mean**2
        for lever, (mean, variance) in ((lever, moments(entry)) for lever, entry in funnel.metrics.items())
    }
    growth = np.prod([1 + size for size in spread.values()])

    found = sobol_shares(funnel, funnel.quantiles, count=2**14, seed=seed)

    exact = {lever: size / (growth - 1) for lever, size in spread.items()}
    assert found.first == pytest.approx(exact, abs=0.0015)
    assert found.total == pytest.approx(
        {lever: share * growth / (1 + spread[lever]) for lever, share in exact.items()}, abs=0.0015
    )
    assert exact["appt_rate"] == pytest.approx(0.3087, abs=5e-5)
    assert found.total["appt_rate"] == pytest.approx(0.3329, abs=0.0015)
    assert sum(found.first.values()) == pytest.approx(0.9572, abs=0.002)
    assert np.sqrt(found.variance) / found.mean == pytest.approx(0.3429, abs=0.001)


@pytest.mark.filterwarnings("default::FutureWarning")
@pytest.mark.parametrize("name", ["funnel.yaml", "web_basic.yaml"])
def test_shares_are_salibs_within_its_own_error(name):
    """SALib's Saltelli sample through SciPy's triangular quantile, its estimator, its 95 % bootstrap interval."""
    template = Template(name)
    problem = {"num_vars": len(template.metrics), "names": [*template.metrics], "bounds": [[0, 1]] * 20}
    problem["bounds"] = problem["bounds"][: problem["num_vars"]]
    unit = salib_sample.sample(problem, 2**13, calc_second_order=False, seed=1)
    inputs = {
        lever: stats.triang.ppf(
            unit[:, at], (entry.value - entry.low) / (entry.high - entry.low), entry.low, entry.high - entry.low
        )
        for at, (lever, entry) in enumerate(template.metrics.items())
    }
    theirs = salib_analyze.analyze(problem, template(inputs), calc_second_order=False, num_resamples=50, seed=1)

    ours = sobol_shares(template, template.quantiles, count=2**13)

    assert (np.abs(theirs["S1"] - list(ours.first.values())) <= theirs["S1_conf"]).all()
    assert (np.abs(theirs["ST"] - list(ours.total.values())) <= theirs["ST_conf"]).all()


def test_a_sum_has_no_part_that_is_in_two():
    """By hand: Var(3a + b) = 9/12 + 1/12, and S = T."""
    found = sobol_shares(lambda at: 3 * at["a"] + at["b"], {"a": same, "b": same}, count=2**14)

    assert found.first == pytest.approx({"a": 0.9, "b": 0.1}, abs=0.001)
    assert found.total == pytest.approx(found.first, abs=0.001)


@pytest.mark.parametrize("model", [lambda at: 5.0, lambda at: at["a"] * 0, lambda at: 1e12 + 1e-9 * at["a"]])
def test_what_never_changes_has_no_shares(model):
    found = sobol_shares(model, {"a": same, "b": same}, count=2**6)

    assert found.first == found.total == {"a": 0, "b": 0}
    assert found.variance == pytest.approx(0, abs=1e-6)


def test_an_input_that_does_nothing_has_no_share():
    found = sobol_shares(lambda at: at["a"], {"a": same, "b": same}, count=2**12)

    assert found.total["b"] == 0
    assert found.first["b"] == 0
    assert found.total["a"] == pytest.approx(1, abs=1e-12)


def test_the_same_seed_gives_the_same_shares():
    funnel = Template("funnel.yaml")

    assert sobol_shares(funnel, funnel.quantiles, seed=3) == sobol_shares(funnel, funnel.quantiles, seed=3)


def test_a_count_that_is_no_power_of_two_is_refused():
    with pytest.raises(KpiError) as raised:
        sobol_shares(lambda at: at["a"], {"a": same}, count=1_000)

    assert raised.value.code == "bad_draws"


# rank importance


def test_rank_importance_is_spearmans():
    random = np.random.default_rng(1)
    inputs = {name: random.integers(0, 50, 500).astype(float) for name in "abc"}
    outcome = inputs["a"] - 2 * inputs["b"] + random.normal(size=500)

    found = rank_importance(inputs, outcome)

    assert found == pytest.approx(
        {name: stats.spearmanr(values, outcome).statistic for name, values in inputs.items()}, abs=1e-12
    )
    assert found["b"] < 0 < found["a"]


def test_what_never_changes_has_no_rank_importance():
    assert rank_importance({"a": np.ones(9)}, np.arange(9.0)) == {"a": 0}
    assert rank_importance({"a": np.arange(9.0)}, np.ones(9)) == {"a": 0}


# value of knowing


def test_knowing_a_fair_bet_beforehand_is_worth_a_quarter():
    """By hand: E[max(x, 1 − x)] − ½ = ¼ for uniform x; y decides nothing."""
    x, y = points(2**12, 2).T

    found = value_of_knowing(np.array([x, 1 - x]), {"x": x, "y": y})

    assert found["x"] == pytest.approx(0.25, abs=1e-7)
    assert found["y"] == pytest.approx(0, abs=1e-3)


def test_knowing_one_of_two_is_worth_what_the_other_leaves():
    """By hand: a sure ½ against x + y − ½. Knowing x alone: E[max(½, x)] − ½ = ⅛. Twice the stakes, twice the worth."""
    x, y = points(2**14, 2).T
    payoffs = np.array([np.full(2**14, 0.5), x + y - 0.5])

    found = value_of_knowing(payoffs, {"x": x, "y": y})

    assert found == pytest.approx({"x": 1 / 8, "y": 1 / 8}, abs=1e-3)
    assert value_of_knowing(2 * payoffs, {"x": x})["x"] == pytest.approx(2 * found["x"], rel=1e-12)


def test_knowing_is_worth_what_conditional_means_say():
    """The funnel against a sure thing: E[revenue | lever] is the mean of the others times the lever, so exact."""
    funnel = Template("funnel.yaml")
    uniform = points(2**14, len(funnel.metrics))
    inputs = {lever: draw(uniform[:, at]) for at, (lever, draw) in enumerate(funnel.quantiles.items())}
    revenue = funnel(inputs)
    sure = 900e6
    mean = np.prod([moments(entry)[0] for entry in funnel.metrics.values()])
    fine = (np.arange(100_000) + 0.5) / 100_000

    found = value_of_knowing(
        np.array([revenue, np.full_like(revenue, sure)]),
        {lever: uniform[:, at] for at, lever in enumerate(funnel.metrics)},
    )

    for lever, entry in funnel.metrics.items():
        expected = mean * quantile(entry, fine) / moments(entry)[0]
        assert found[lever] == pytest.approx(np.maximum(expected, sure).mean() - sure, abs=0.01 * revenue.std())


def test_knowing_is_worth_nothing_where_the_choice_is_clear():
    x = points(2**10, 1)[:, 0]

    assert value_of_knowing(np.array([x, x + 1]), {"x": x}) == {"x": pytest.approx(0, abs=1e-12)}
    assert value_of_knowing(np.array([x]), {"x": x}) == {"x": 0}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_irrelevant_input_is_worth_next_to_nothing(seed):
    """Two equal chances, the hardest case: noise alone would decide."""
    uniform = points(2**12, 4, seed)
    payoff = stats.norm.ppf(uniform[:, 0]) + stats.norm.ppf(uniform[:, 1])

    found = value_of_knowing(np.array([payoff, np.zeros(2**12)]), {"c": uniform[:, 2], "d": uniform[:, 3]})

    assert max(found.values()) < 0.005 * payoff.std()
