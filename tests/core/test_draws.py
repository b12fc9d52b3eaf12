"""The points against what a net must be, SciPy's own, and plain random draws of the funnel."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import qmc

from kpi_core.document import Correlation
from kpi_core.draws import correlated, points, spread_of_mean
from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from kpi_core.ranges import quantile
from kpi_core.tree import evaluate

FUNNEL = Path(__file__).parents[2] / "sample_data" / "templates" / "funnel.yaml"


def link(one: str, other: str, rank: float) -> Correlation:
    return Correlation(pair=(one, other), rank=rank)


# points


@pytest.mark.parametrize("seed", [0, 1, 12_345])
def test_every_block_has_one_point_in_each_of_its_slices(seed):
    """By definition of a (t, m, s)-net in base 2, for each dimension alone."""
    cube = points(2**12, 40, seed)

    for block in (16, 256, 4_096):
        slices = np.sort((cube.reshape(-1, block, 40) * block).astype(int), axis=1)
        assert (slices == np.arange(block)[:, None]).all()


def test_the_first_two_dimensions_share_every_rectangle_evenly():
    """Sobol's first two dimensions are a (0, m, 2)-net: one point in each 2^a by 2^(12−a) box."""
    one, other = points(2**12, 2, seed=7).T

    for a in range(13):
        box = (one * 2**a).astype(int) * 2 ** (12 - a) + (other * 2 ** (12 - a)).astype(int)
        assert np.unique(box).size == 2**12


@pytest.mark.parametrize("count", [2**4, 2**14, 2**18])
def test_no_point_touches_the_edge(count):
    cube = points(count, 3, seed=5)

    assert 0 < cube.min() < cube.max() < 1


def test_the_same_call_gives_the_same_points_and_another_seed_others():
    first = points(2**8, 5, seed=1).copy()

    points.__globals__["_points"].cache_clear()

    assert np.array_equal(points(2**8, 5, seed=1), first)
    assert not np.isclose(points(2**8, 5, seed=2), first).any()


def test_the_points_are_these_ones():
    """Golden numbers: another version of NumPy or SciPy must not change what a plan says."""
    assert points(2**14, 7, seed=0)[[0, 1, 9_999], [0, 3, 6]] == pytest.approx(
        [0.40994958905503154, 0.18283714214339852, 0.9953096057288349], abs=1e-15
    )


@pytest.mark.parametrize(("count", "dimensions"), [(2**4, 3), (2**14, 7)])
def test_the_points_are_scipys_own_in_another_order(count, dimensions):
    ours = np.floor(points(count, dimensions, seed=5) * 2**30)
    theirs = qmc.Sobol(dimensions, scramble=True, bits=30, rng=5).random(count) * 2**30

    assert np.array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_twice_as_many_points_go_on_from_the_first():
    assert np.array_equal(points(2**11, 6, seed=4)[: 2**10], points(2**10, 6, seed=4))


def test_points_are_kept_and_cannot_be_written_to():
    cube = points(2**10, 3)

    assert points(2**10, 3) is cube
    assert cube.flags.f_contiguous
    with pytest.raises(ValueError, match="read-only"):
        cube[0, 0] = 0.5


@pytest.mark.parametrize(
    ("count", "dimensions"), [(0, 3), (8, 3), (1_000, 3), (2**19, 3), (-16, 3), (2**18, 200), (16, 30_000)]
)
def test_a_number_of_draws_that_does_not_fill_the_cube_is_refused(count, dimensions):
    with pytest.raises(KpiError) as raised:
        points(count, dimensions)

    assert raised.value.code == "bad_draws"
    assert "{" not in str(raised.value)


def test_a_tree_without_uncertain_levers_has_points_of_no_dimension():
    assert points(2**4, 0).shape == (16, 0)


# correlated


def test_without_correlations_the_points_are_the_same_object():
    cube = points(2**4, 2)

    assert correlated(cube, ["a", "b"], ()) is cube
    assert correlated(cube, ["a", "b"], [link("a", "elsewhere", 0.5), link("a", "b", 0), link("a", "a", 0.5)]) is cube


@pytest.mark.parametrize("rank", [-1, -0.9, -0.3, 0.05, 0.5, 0.95, 1])
def test_the_rank_correlation_is_the_one_that_was_asked_for(rank):
    found = correlated(points(2**14, 4), ["a", "b", "c", "d"], [link("b", "d", rank)])

    matrix = stats.spearmanr(found).statistic
    expected = np.eye(4)
    expected[1, 3] = expected[3, 1] = rank
    assert matrix == pytest.approx(expected, abs=0.003)


def test_several_correlations_hold_at_once():
    names = ["a", "b", "c", "d"]
    asked = {("a", "b"): 0.6, ("b", "c"): -0.4, ("d", "a"): 0.3}

    found = correlated(points(2**14, 4), names, [link(*pair, rank) for pair, rank in asked.items()])

    matrix = stats.spearmanr(found).statistic
    for i, j in itertools.combinations(range(4), 2):
        pair = (names[i], names[j])
        assert matrix[i, j] == pytest.approx(asked.get(pair, asked.get(pair[::-1], 0)), abs=0.003)


def test_each_column_stays_uniform_and_those_without_a_link_stay_as_they_are():
    cube = points(2**14, 3)

    found = correlated(cube, ["a", "b", "c"], [link("a", "c", 0.7)])

    assert np.array_equal(found[:, :2], cube[:, :2])
    assert stats.kstest(found[:, 2], "uniform").statistic < 0.002
    assert 0 < found.min() < found.max() < 1
    assert found.flags.f_contiguous


@pytest.mark.parametrize("ranks", [(0.9, 0.9, 0), (0.9, 0.9, -0.9), (1, 1, 0.5)])
def test_correlations_that_cannot_all_hold_are_named(ranks):
    links = [link(*pair, rank) for pair, rank in zip([("a", "b"), ("b", "c"), ("c", "a")], ranks, strict=True)]
    others = [link("d", "e", 0.9), link("d", "a", 0.1)]

    with pytest.raises(KpiError) as raised:
        correlated(points(2**4, 5), ["d", "a", "e", "b", "c"], [*others, *links])

    assert raised.value.code == "correlations_impossible"
    assert raised.value.facts["metrics"] == ("a", "b", "c")
    assert "d" not in str(raised.value.facts["pairs"])
    assert "a – b" in str(raised.value) and "b – c" in str(raised.value)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1, 1), min_size=10, max_size=10))
def test_correlations_either_hold_or_are_refused(ranks):
    names = ["a", "b", "c", "d", "e"]
    links = [link(*pair, rank) for pair, rank in zip(itertools.combinations(names, 2), ranks, strict=True)]
    pearson = np.eye(5)
    for entry in links:
        i, j = (names.index(name) for name in entry.pair)
        pearson[i, j] = pearson[j, i] = 2 * np.sin(np.pi * entry.rank / 6)
    lowest = np.linalg.eigvalsh(pearson)[0]

    try:
        found = correlated(points(2**12, 5), names, links)
    except KpiError as error:
        assert error.code == "correlations_impossible" and lowest < 0
        return

    assert lowest > -1e-9
    for entry in links:
        i, j = (names.index(name) for name in entry.pair)
        assert stats.spearmanr(found[:, i], found[:, j]).statistic == pytest.approx(entry.rank, abs=0.02)


# spread of mean


def funnel_samples(seed: int, count: int) -> np.ndarray:
    tree = Plan.from_text(FUNNEL.read_text(encoding="utf-8")).tree
    levers = tree.levers("revenue")
    uniform = points(count, len(levers), seed)
    inputs = {lever: quantile(tree.metrics[lever], uniform[:, at]) for at, lever in enumerate(levers)}
    return evaluate(tree, inputs, only=["revenue"])["revenue"]


def plain_chance(draws: int = 4_000_000) -> float:
    """P(revenue ≥ 1,000M) of plain random draws, NumPy's own triangular ones."""
    tree = Plan.from_text(FUNNEL.read_text(encoding="utf-8")).tree
    random = np.random.default_rng(20_240_401)
    revenue = np.ones(draws)
    for lever in tree.levers("revenue"):
        entry = tree.metrics[lever]
        revenue *= random.triangular(entry.low, entry.value, entry.high, draws)
    return float((revenue >= 1e9).mean())


def test_the_spread_by_hand():
    """Block means 1, 2, 3, 4: s = √(5/3), t(3, 99.5 %) = 5.8409."""
    found = spread_of_mean([0, 2, 1, 3, 2, 4, 3, 5], blocks=4)

    assert found == pytest.approx(5.84090930973 * np.sqrt(5 / 3) / 2, rel=1e-9)


def test_the_chance_of_the_goal_lies_within_its_spread_in_99_of_100_seeds():
    """T-S3 beside it: .306 ± .005."""
    truth = plain_chance()
    assert truth == pytest.approx(0.306, abs=0.005)

    within = 0
    for seed in range(100):
        reached = funnel_samples(seed, 2**14) >= 1e9
        within += abs(reached.mean() - truth) <= spread_of_mean(reached)

    assert within >= 99


def test_the_mean_is_nearer_than_a_million_plain_draws_would_bring_it():
    """The exact mean is the product of the levers' (low + value + high)/3."""
    tree = Plan.from_text(FUNNEL.read_text(encoding="utf-8")).tree
    entries = [tree.metrics[lever] for lever in tree.levers("revenue")]
    exact = np.prod([(entry.low + entry.value + entry.high) / 3 for entry in entries])

    samples = [funnel_samples(seed, 2**14) for seed in range(20)]

    errors = [abs(found.mean() - exact) for found in samples]
    assert all(error <= spread_of_mean(found) for error, found in zip(errors, samples, strict=True))
    assert max(errors) < samples[0].std() / 1_000 / 10
