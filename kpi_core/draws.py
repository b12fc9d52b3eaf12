"""Draws: points that fill the unit cube evenly, the same ones every time.

Scrambled Sobol points (SciPy's): 2^14 of them give a mean as exactly as millions of plain random draws. More points
of the same dimensions go on from the first ones; another number of dimensions is scrambled anew, every point of it.

    correlated    z = L·Φ⁻¹(u), u' = Φ(z), LLᵀ = R: a Gaussian copula with r = 2·sin(π·ρ/6) for Spearman's ρ
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import qmc

from kpi_core.document import Correlation
from kpi_core.errors import KpiError
from kpi_core.readings import Array

FEWEST, MOST = 2**4, 2**18
_MOST_NUMBERS = 2**25  # 256 MiB
_KEPT_NUMBERS = 2**21  # of each of the last few sets of points: 16 MiB
_EDGE = 2.0**-53
_BITS = 30


def points(count: int, dimensions: int, seed: int = 0) -> Array:
    """Return `count` points in the open unit cube: (count, dimensions), each column in one piece, read-only.

    Every block of 2^k points that begins at a multiple of 2^k is evenly spread by itself. Without dimensions there
    is nothing to draw: (count, 0).

    Raises
    ------
    KpiError
        `bad_draws`: the count is no power of two from 2^4 to 2^18, or there are too many numbers in all.

    >>> points(16, 2, seed=3).shape
    (16, 2)
    """
    fits = dimensions <= qmc.Sobol.MAXDIM and count * dimensions <= _MOST_NUMBERS
    if count not in range(FEWEST, MOST + 1) or count & (count - 1) or not fits:
        raise KpiError(
            "bad_draws",
            "{count} draws of {dimensions} levers cannot be made. Take a power of two from {fewest} to {most}.",
            count=count,
            dimensions=dimensions,
            fewest=FEWEST,
            most=MOST,
        )
    if not dimensions:
        return np.empty((count, 0))
    make = _points if count * dimensions <= _KEPT_NUMBERS else _points.__wrapped__
    return make(count, dimensions, seed)


def correlated(uniform: Array, names: Sequence[str], correlations: Sequence[Correlation]) -> Array:
    """Return the points with these rank correlations between columns, each column still uniform.

    `names` are the columns'. Correlations with a metric that is not among them are left out, of two for the same
    pair the last counts, and pairs that none names are independent. Columns without any stay as they are, and so
    does the first of the others.

    Raises
    ------
    KpiError
        `correlations_impossible` (with `pairs`, `metrics`): no numbers can be correlated like that.
    """
    linked = [link for link in correlations if link.rank and len(set(link.pair) & set(names)) == 2]
    if not linked:
        return uniform
    moved = [name for name in names if any(name in link.pair for link in linked)]
    matrix = np.eye(len(moved))
    for link in linked:
        one, other = (moved.index(name) for name in link.pair)
        matrix[one, other] = matrix[other, one] = 2 * math.sin(math.pi * link.rank / 6)
    if _impossible(matrix):
        raise _too_strong(matrix, moved)
    # A correlation of exactly 1 is fine but has no Cholesky factor: 1e-10 off the diagonal gives it one.
    factor = np.linalg.cholesky(matrix * (1 - 1e-10) + 1e-10 * np.eye(len(moved)))
    columns = [names.index(name) for name in moved]
    changed = uniform.copy(order="F")
    changed[:, columns[1:]] = np.clip(ndtr(ndtri(uniform[:, columns]) @ factor[1:].T), _EDGE, 1 - _EDGE)
    return changed


def spread_of_mean(samples: npt.ArrayLike, *, blocks: int = 16) -> float:
    """Return how far the mean of samples taken at `points`, in their order, may be from the true one.

    The half width of a 99 % interval from the means of equal blocks, t·s/√blocks. It is on the safe side: the
    blocks complement one another, so the whole is closer than blocks drawn apart would be (for a chance by about
    a third, for a smooth outcome ten times and more). Do not trust the 0 it says of what happened in every draw
    or in none: what is rarer than one draw leaves no trace.

    >>> spread_of_mean([0.0, 1.0] * 8, blocks=8)
    0.0
    """
    means = np.asarray(samples, dtype=np.float64).reshape(blocks, -1).mean(axis=1)
    return float(stdtrit(blocks - 1, 0.995) * means.std(ddof=1) / math.sqrt(blocks))


@lru_cache(maxsize=64)
def _directions(dimensions: int, seed: int) -> npt.NDArray[np.uint32]:
    """Return SciPy's scrambled Sobol points in cells of 2^-30: the first, then what each bit of a place changes in it.

    Making them takes longer than drawing 2^14 points. SciPy goes through the points in Gray code: the one at place
    2^(k+1) − 1 differs from the first by the k-th direction alone.
    """
    engine = qmc.Sobol(dimensions, scramble=True, bits=_BITS, rng=seed)
    first = _cell(engine)
    found = [first]
    for bit in range(MOST.bit_length() - 1):
        engine.fast_forward(2 ** (bit + 1) - 1 - engine.num_generated)
        found.append(_cell(engine) ^ first)
    return np.array(found)


def _cell(engine: qmc.Sobol) -> npt.NDArray[np.uint32]:
    return np.asarray(engine.random(1)[0] * 2**_BITS, dtype=np.uint32)


@lru_cache(maxsize=16)
def _points(count: int, dimensions: int, seed: int) -> Array:
    """Return SciPy's points in another order, each in the middle of its cell: never 0 or 1."""
    first, *directions = _directions(dimensions, seed)
    cells = np.empty((dimensions, count), dtype=np.uint32)
    cells[:, 0] = first
    for bit, direction in enumerate(directions[: count.bit_length() - 1]):
        np.bitwise_xor(cells[:, : 1 << bit], direction[:, None], out=cells[:, 1 << bit : 2 << bit])
    found: Array = np.add(cells, 0.5, dtype=np.float64)
    found *= 2.0**-_BITS
    found.flags.writeable = False
    return found.T


def _impossible(matrix: Array) -> bool:
    return bool(np.linalg.eigvalsh(matrix)[0] < -1e-10)


def _too_strong(matrix: Array, names: Sequence[str]) -> KpiError:
    """Name the fewest metrics, those most to blame first, that already cannot be correlated like that."""
    blame = np.argsort(-np.abs(np.linalg.eigh(matrix)[1][:, 0]), kind="stable")
    size = next(size for size in range(2, len(names) + 1) if _impossible(matrix[np.ix_(blame[:size], blame[:size])]))
    among = sorted(blame[:size])
    pairs = [(names[i], names[j]) for i in among for j in among if i < j and matrix[i, j]]
    return KpiError(
        "correlations_impossible",
        "These correlations cannot all hold: {pairs}. Weaken one of them, or link the third pair as well.",
        pairs=", ".join(f"{one} – {other}" for one, other in pairs),
        links=tuple(pairs),
        metrics=tuple(names[place] for place in among),
    )
