"""Soft targets against the numbers worked by hand, scikit-learn's neighbours, and a plain loop over pixels."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from pipeline.color.soft_encoding import soft_prior, soft_shares
from pipeline.color.space import ColorSpace
from pipeline.storage.published_classes import cic_classes

TEN = {
    (0, 0): 0.491833,
    (10, 0): 0.220995,
    (0, -10): 0.148137,
    (10, -10): 0.066562,
    (0, 10): 0.029908,
    (-10, 0): 0.020048,
    (10, 10): 0.013439,
    (-10, -10): 0.006038,
    (20, 0): 0.001819,
    (-10, 10): 0.001219,
}
FIVE = {(0, 0): 0.513698, (10, 0): 0.230819, (0, -10): 0.154723, (10, -10): 0.069521, (0, 10): 0.031238}


@pytest.mark.parametrize(("neighbours", "expected"), [(10, TEN), (5, FIVE)])
def test_the_soft_target_of_a_color_worked_by_hand(neighbours: int, expected: dict[tuple[int, int], float]) -> None:
    centers = cic_classes()[0].kept_centers
    index, shares = soft_shares(np.array([[3.0, -2.0]]), centers, neighbours, 5.0)
    found = {(int(a), int(b)): share for (a, b), share in zip(centers[index[0]], shares[0], strict=True)}
    assert list(found) == list(expected)
    assert list(found.values()) == pytest.approx(list(expected.values()), abs=5e-7)
    if neighbours == 10:
        assert -(shares * np.log(shares)).sum() == pytest.approx(1.437647, abs=5e-7)
        rounded = np.round(shares, 6)  # SPEC's 1.437644 is the entropy of its six printed digits
        assert -(rounded * np.log(rounded)).sum() == pytest.approx(1.437644, abs=5e-7)


def test_neighbours_are_those_of_scikit_learn() -> None:
    centers = cic_classes()[0].kept_centers.astype(float)
    ab = np.random.default_rng(0).uniform(-110, 110, (500, 2))
    distances, expected = NearestNeighbors(n_neighbors=10).fit(centers).kneighbors(ab)
    index, shares = soft_shares(ab, centers, 10, 5.0)
    np.testing.assert_array_equal(index, expected)
    with np.errstate(under="ignore"):
        gauss = np.exp(-(distances**2 - distances[:, :1] ** 2) / 50)
    np.testing.assert_allclose(shares, gauss / gauss.sum(axis=1, keepdims=True), rtol=1e-9)


def test_equally_near_classes_go_by_their_index() -> None:
    centers = np.array([[10.0, 0.0], [0.0, 10.0], [-10.0, 0.0], [0.0, -10.0]])
    index, shares = soft_shares(np.zeros((1, 2)), centers, 2, 5.0)
    assert index.tolist() == [[0, 1]]
    assert shares.tolist() == [[0.5, 0.5]]


def test_the_prior_is_the_mean_over_pixels() -> None:
    random = np.random.default_rng(1)
    floors = np.clip(random.normal(0, 25, (3000, 2)), -90, 90).astype(int)
    cells = np.zeros((256, 256), np.int64)
    np.add.at(cells, tuple(floors.T + 128), 1)
    centers = ColorSpace(20, 110).kept_centers
    expected = np.zeros(len(centers))
    for a, b in floors + 0.5:
        squared = ((centers - (a, b)) ** 2).sum(axis=1)
        nearest = sorted(range(len(centers)), key=lambda q, squared=squared: (squared[q], q))[:6]
        shares = np.exp(-squared[nearest] / (2 * 8.0**2))
        expected[nearest] += shares / shares.sum() / len(floors)
    found = soft_prior(cells, centers, 6, 8.0)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found.sum() == pytest.approx(1, abs=1e-10)


def test_classes_fewer_than_neighbours_share_all() -> None:
    index, shares = soft_shares(np.array([[1.0, 2.0]]), np.zeros((1, 2)), 10, 5.0)
    assert (index.tolist(), shares.tolist()) == ([[0]], [[1.0]])
