"""What can be said of a mean over photographs: bootstrap intervals, paired tests, correction for many tests."""

import functools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import wilcoxon

Matrix = npt.NDArray[np.float64]

FEW_IMAGES = 30
"""Below this many photographs an interval by the bootstrap is too narrow to lean on, and the tests see little."""
CHUNK_DRAWS = 1 << 22
INTERVAL = (2.5, 97.5)


def column_means(values: Matrix) -> tuple[Matrix, npt.NDArray[np.int64]]:
    """Mean of the finite values of each column.

    Args:
        values: (n, M); nan and inf are left out.

    Returns:
        float64 (M,) means, nan where nothing is left, and int64 (M,) how many values are behind each.
    """
    finite = np.isfinite(values)
    images = finite.sum(axis=0)
    sums = np.where(finite, values, 0.0).sum(axis=0)
    return np.divide(sums, images, out=np.full(len(sums), np.nan), where=images > 0), images


def bootstrap_intervals(values: Matrix, draws: int, seed: int) -> tuple[Matrix, Matrix]:
    """95 % percentile intervals of the column means (Efron 1979): photographs drawn again with replacement.

    The draws depend on n, `draws` and `seed` alone, so that every metric and every method of a set sees the same ones.

    Args:
        values: (n, M); nan and inf are left out of every mean.
        draws: how many.
        seed: of the random numbers.

    Returns:
        float64 (M,) lower and upper ends; nan where a column has fewer than two finite values.
    """
    finite = np.isfinite(values)
    filled = np.where(finite, values, 0.0)
    means = np.full((draws, values.shape[1]), np.nan)
    start = 0
    for counts in _draw_counts(len(values), draws, seed):
        weight = counts @ finite.astype(np.float64)
        part = means[start : start + len(counts)]
        np.divide(counts @ filled, weight, out=part, where=weight > 0)
        start += len(counts)
    ends = np.full((2, values.shape[1]), np.nan)
    enough = finite.sum(axis=0) >= 2
    if enough.any():
        ends[:, enough] = np.nanpercentile(means[:, enough], INTERVAL, axis=0)
    return ends[0], ends[1]


def _draw_counts(n: int, draws: int, seed: int) -> Iterator[Matrix]:
    """How often each of n photographs is drawn: float64 (some, n), `draws` rows in all, a few at a time."""
    if n * draws <= CHUNK_DRAWS:
        yield _few_draws(n, draws, seed)
    else:
        yield from _drawn(n, draws, seed)


@functools.lru_cache(maxsize=2)
def _few_draws(n: int, draws: int, seed: int) -> Matrix:
    """The draws of a set small enough for one piece, kept: every pair of methods takes the same ones."""
    return next(_drawn(n, draws, seed))


def _drawn(n: int, draws: int, seed: int) -> Iterator[Matrix]:
    random = np.random.default_rng([seed, n])
    step = max(1, CHUNK_DRAWS // max(n, 1))
    for start in range(0, draws, step):
        some = min(step, draws - start)
        picks = random.integers(0, n, size=(some, n)) + np.arange(some)[:, None] * n
        yield np.bincount(picks.ravel(), minlength=some * n).reshape(some, n).astype(np.float64)


def wilcoxon_p(differences: npt.NDArray[np.float64]) -> float:
    """Two-sided p of the Wilcoxon signed-rank test: are paired differences symmetric about 0?

    Zero differences are ranked with the others and count for neither side (Pratt 1959), so that ties between two
    methods do not raise the evidence.

    Args:
        differences: (n,), finite.

    Returns:
        In (0, 1]; 1 where all differences are 0, nan without any.
    """
    if not len(differences):
        return float("nan")
    if not differences.any():
        return 1.0
    return float(wilcoxon(differences, zero_method="pratt", method="auto").pvalue)


def holm(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Holm's step-down correction (1979): p times the number of tests not yet rejected, never decreasing.

    Args:
        p_values: (m,), in [0, 1]; nan takes no part.

    Returns:
        float64 (m,), each at least its p, at most 1; nan stays nan.
    """
    corrected = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.maximum.accumulate(steps).clip(max=1.0)
    return corrected
