"""What can be said of a mean over photographs: bootstrap intervals, paired tests, correction for many tests."""

import functools
from collections.abc import Iterator
from typing import NamedTuple

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
        float64 (M,) means, nan where nothing is left, and int64 (M,) how many values are behind each. Like those of
        `bootstrap_intervals`, the sums are of whole numbers: exact, hence the same on every machine.
    """
    finite = np.isfinite(values)
    images = finite.sum(axis=0)
    sums = _whole_numbers(values, finite).sums(np.ones((1, len(values))))[0]
    return np.divide(sums, images, out=np.full(len(sums), np.nan), where=images > 0), images


def bootstrap_intervals(values: Matrix, draws: int, seed: int) -> tuple[Matrix, Matrix]:
    """95 % percentile intervals of the column means (Efron 1979): photographs drawn again with replacement.

    The draws depend on n, `draws` and `seed` alone, so that every metric and every method of a set sees the same ones.
    A column's interval depends on nothing but the draws and the column: all sums are exact, so that neither the other
    columns nor the memory layout nor the processor leave a trace in it.

    Args:
        values: (n, M); nan and inf are left out of every mean.
        draws: how many.
        seed: of the random numbers.

    Returns:
        float64 (M,) lower and upper ends; nan where a column has fewer than two finite values.
    """
    finite = np.isfinite(values)
    ends = np.full((2, values.shape[1]), np.nan)
    enough = finite.sum(axis=0) >= 2
    if not enough.any():
        return ends[0], ends[1]
    finite, numbers = finite[:, enough], _whole_numbers(values[:, enough], finite[:, enough])
    holes = ~finite.all(axis=0)
    present = finite[:, holes].astype(np.float64)
    means = np.empty((draws, finite.shape[1]))
    start = 0
    for counts in _draw_counts(len(values), draws, seed):
        drawn = np.full((len(counts), finite.shape[1]), float(len(values)))
        drawn[:, holes] = counts @ present
        part = means[start : start + len(counts)]
        part[:] = np.nan  # a draw may hit none of a column's finite values
        np.divide(numbers.sums(counts), drawn, out=part, where=drawn > 0)
        start += len(counts)
    ends[:, enough] = np.nanpercentile(means, INTERVAL, axis=0)
    return ends[0], ends[1]


class _WholeNumbers(NamedTuple):
    """Columns of n numbers as (high + low / 2^(bits + 1)) * 2^exponent, high and low whole and at most 2^bits.

    `bits` is so small that n such numbers add up to at most 2^53: every sum on the way is a whole number that float64
    holds exactly, in whatever order it is formed, and so even a BLAS product gives the same bits everywhere.

    Attributes:
        parts: float64 (n, 2 M), `high` of every column, then `low` of every column.
        exponent: int (M,).
        bits: at least 26 for up to 2^27 numbers, and 2 bits + 1 are kept: all of float64's 53, up to 2^49 / n^2 times
            below the column's largest number.
    """

    parts: Matrix
    exponent: npt.NDArray[np.intc]
    bits: int

    def sums(self, counts: Matrix) -> Matrix:
        """The sums of each column in which number i occurs counts[:, i] times.

        Args:
            counts: float64 (some, n), whole numbers; every row adds up to at most n.

        Returns:
            float64 (some, M), the exact sums rounded once.
        """
        high, low = np.hsplit(counts @ self.parts, 2)
        return np.ldexp(high + np.ldexp(low, -self.bits - 1), self.exponent)


def _whole_numbers(values: Matrix, finite: npt.NDArray[np.bool_]) -> _WholeNumbers:
    """The columns of values (n, M), 0 where they are not finite."""
    filled = np.where(finite, values, 0.0)
    bits = 53 - (len(values) - 1).bit_length()
    _, exponent = np.frexp(np.abs(filled).max(axis=0, initial=0.0))
    scaled = np.ldexp(filled, bits - exponent)
    high = np.rint(scaled)
    low = np.rint(np.ldexp(scaled - high, bits + 1))
    return _WholeNumbers(np.hstack([high, low]), exponent - bits, bits)


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
