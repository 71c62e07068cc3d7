"""The Frechet distance against the formula with scipy's matrix root."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from pipeline.metrics.frechet import FeatureMoments, frechet_distance


def features(seed: int, count: int, size: int = 6) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(count, size)) @ random.normal(size=(size, size)) + random.normal(size=size)


def with_matrix_root(first: np.ndarray, second: np.ndarray) -> float:
    """The distance as it is written, with scipy's matrix square root."""
    covariance1, covariance2 = np.cov(first.T), np.cov(second.T)
    difference = first.mean(axis=0) - second.mean(axis=0)
    root = sqrtm(covariance1 @ covariance2).real
    return float(difference @ difference + np.trace(covariance1 + covariance2 - 2 * root))


def test_frechet_equals_the_formula_with_a_matrix_root() -> None:
    first, second = features(1, 200), features(2, 300)
    ours = frechet_distance(FeatureMoments.of(first), FeatureMoments.of(second))
    assert ours == pytest.approx(with_matrix_root(first, second), rel=1e-9)


def test_frechet_of_two_lines_by_hand() -> None:
    """In one dimension it is (m1 - m2)^2 + (s1 - s2)^2."""
    first, second = np.array([[0.0], [2.0]]), np.array([[5.0], [5.0], [11.0], [11.0]])
    deviation1, deviation2 = first.std(ddof=1), second.std(ddof=1)
    expected = (1 - 8) ** 2 + (deviation1 - deviation2) ** 2
    assert frechet_distance(FeatureMoments.of(first), FeatureMoments.of(second)) == pytest.approx(expected)


def test_frechet_with_fewer_photographs_than_features() -> None:
    """Covariances without full rank: no complex number, no negative distance, none at all between a set and itself."""
    first, second = features(3, 5, size=40), features(4, 7, size=40)
    one, other = FeatureMoments.of(first), FeatureMoments.of(second)
    assert frechet_distance(one, other) > 0
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one), rel=1e-6)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-5 * one.covariance.trace())


def test_frechet_moments_add_up() -> None:
    whole = features(5, 100)
    other = FeatureMoments.of(features(6, 50))
    parts = [FeatureMoments.of(whole[:1]), FeatureMoments.of(whole[1:40]), FeatureMoments.of(whole[40:])]
    merged = parts[0] + parts[1] + parts[2]
    expected = frechet_distance(FeatureMoments.of(whole), other)
    assert frechet_distance(merged, other) == pytest.approx(expected, rel=1e-10)
    assert merged.covariance == pytest.approx(np.cov(whole.T), rel=1e-10)


def test_frechet_of_one_photograph_is_undefined() -> None:
    one, many = FeatureMoments.of(features(7, 1)), FeatureMoments.of(features(8, 10))
    assert np.isnan(frechet_distance(one, many))
    with pytest.raises(ValueError, match="must be equal"):
        frechet_distance(many, FeatureMoments.of(features(8, 10, size=5)))
