"""Intervals and tests against scipy and numbers worked by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline.evaluation.statistics import bootstrap_intervals, column_means, holm, wilcoxon_p


def test_means_leave_out_what_is_not_finite() -> None:
    values = np.array([[1.0, np.inf, np.nan], [3.0, 5.0, np.nan], [np.nan, 7.0, np.nan]])
    means, images = column_means(values)
    assert means[:2].tolist() == [2.0, 6.0]
    assert np.isnan(means[2])
    assert images.tolist() == [2, 2, 0]


def test_bootstrap_agrees_with_scipy() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=(80, 2))
    low, high = bootstrap_intervals(values, draws=20_000, seed=1)
    expected = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", axis=0, rng=2)
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert np.abs(low - expected.confidence_interval.low).max() < 0.03 * width.min()
    assert np.abs(high - expected.confidence_interval.high).max() < 0.03 * width.min()


def test_bootstrap_is_the_same_each_time_and_for_every_column() -> None:
    values = np.random.default_rng(0).normal(size=(20, 1))
    once, again = bootstrap_intervals(values, 500, 3), bootstrap_intervals(np.hstack([values, values + 1]), 500, 3)
    assert once[0][0] == again[0][0]
    assert again[0][1] == pytest.approx(again[0][0] + 1)
    assert bootstrap_intervals(values, 500, 4)[0] != once[0]


def scattered(n: int, columns: int, seed: int = 0) -> np.ndarray:
    """Columns of very different sizes, some with holes: whoever adds in another order gets other last digits."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, columns)) * 10.0 ** random.integers(-9, 9, columns)
    values[:, ::3] += random.normal(size=columns)[::3]
    values[random.random((n, columns)) < (0.1 * (np.arange(columns) % 4 == 1))] = np.inf
    return values


def intervals(values: np.ndarray, draws: int = 300) -> np.ndarray:
    return np.stack([*bootstrap_intervals(values, draws, 3), column_means(values)[0]])


@pytest.mark.parametrize("n", [14, 100, 999])
def test_a_column_s_statistics_are_its_own(n: int) -> None:
    """Bit by bit the same alone, among other columns, in another order and in any memory layout."""
    values = scattered(n, 37)
    whole = intervals(values)
    for column in range(values.shape[1]):
        alone = np.ascontiguousarray(values[:, column : column + 1])
        np.testing.assert_array_equal(intervals(alone)[:, 0], whole[:, column])
    np.testing.assert_array_equal(intervals(values[:, ::-1]), whole[:, ::-1])
    np.testing.assert_array_equal(intervals(np.asfortranarray(values)), whole)
    np.testing.assert_array_equal(intervals(values[:, 3:20:2]), whole[:, 3:20:2])
    np.testing.assert_array_equal(intervals(np.repeat(values, 3, axis=0)[::3]), whole)


@pytest.mark.parametrize("rows", [1, 7, 50])
def test_bootstrap_in_chunks_is_the_same(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    values = scattered(321, 5)
    whole = bootstrap_intervals(values, 100, 3)
    monkeypatch.setattr("pipeline.evaluation.statistics.CHUNK_DRAWS", 321 * rows)
    np.testing.assert_array_equal(bootstrap_intervals(values, 100, 3), whole)


@given(st.integers(1, 60), st.integers(0, 2**31), st.integers(-300, 280))
@settings(max_examples=60, deadline=None)
def test_means_are_exact(n: int, seed: int, exponent: int) -> None:
    """The sum is that of the values themselves, rounded once."""
    random = np.random.default_rng(seed)
    values = random.normal(size=n) * 2.0 ** random.integers(-20, 20, n) * 2.0**exponent
    mean = column_means(values[:, None])[0][0]
    assert mean == float(sum(map(Fraction, values.tolist()), Fraction(0))) / n
    assert mean == math.fsum(values) / n


def test_bootstrap_means_are_exact() -> None:
    """Every draw's mean against `math.fsum` of the very values drawn, holes left out."""
    n, draws = 57, 200
    values = scattered(n, 6)
    picks = np.random.default_rng([3, n]).integers(0, n, size=(draws, n))
    low, high = bootstrap_intervals(values, draws, 3)
    for column in range(values.shape[1]):
        drawn = [row[np.isfinite(row)] for row in values[picks, column]]
        means = [math.fsum(row) / len(row) for row in drawn]
        assert [low[column], high[column]] == np.percentile(means, (2.5, 97.5)).tolist()


def test_no_value_and_no_column_have_no_statistics() -> None:
    assert np.isnan(intervals(np.full((5, 2), np.nan))).all()
    assert intervals(np.zeros((5, 0))).shape == (3, 0)
    assert np.isnan(intervals(np.zeros((0, 2)))).all()
    assert intervals(np.zeros((5, 1))).tolist() == [[0.0], [0.0], [0.0]]


def test_bootstrap_leaves_out_what_is_not_finite() -> None:
    random = np.random.default_rng(0)
    clean = random.normal(size=(40, 1))
    dirty = np.vstack([clean, np.full((3, 1), np.inf)])
    low, high = bootstrap_intervals(dirty, 4000, 0)
    expected = bootstrap_intervals(clean, 4000, 0)
    assert low[0] == pytest.approx(expected[0][0], abs=0.05)
    assert high[0] == pytest.approx(expected[1][0], abs=0.05)
    assert np.isnan(bootstrap_intervals(np.array([[1.0], [np.nan]]), 100, 0)).all()


def test_wilcoxon_by_hand() -> None:
    """Six differences of one sign: 2 of the 64 equally likely sign patterns are as extreme."""
    assert wilcoxon_p(np.array([1.0, 2, 3, 4, 5, 6])) == pytest.approx(2 / 64)
    assert wilcoxon_p(np.array([-1.0, -2, -3, -4, -5, -6])) == pytest.approx(2 / 64)


def test_wilcoxon_without_a_difference() -> None:
    assert wilcoxon_p(np.zeros(10)) == 1.0
    assert np.isnan(wilcoxon_p(np.array([])))
    assert 0 < wilcoxon_p(np.array([0.0, 0, 0, 0.1])) <= 1


def test_holm_by_hand() -> None:
    """0.01 x 4, 0.02 x 3, then 0.03 x 2 = 0.06 (not below 0.06), 0.5 x 1."""
    assert holm(np.array([0.5, 0.01, 0.03, 0.02])) == pytest.approx([0.5, 0.04, 0.06, 0.06])
    assert holm(np.array([0.4, 0.9])) == pytest.approx([0.8, 0.9])
    corrected = holm(np.array([0.01, np.nan, 0.04]))
    assert corrected[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(corrected[1])
    assert holm(np.array([])).shape == (0,)
