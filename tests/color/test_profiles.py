"""Dominant colors and profiles: flat photographs, scikit-learn's k-means, MPEG-7's distance by hand."""

import itertools

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from pipeline.color.dominant_colors import DominantColors, descriptor_distance, find_dominant_colors
from pipeline.color.profiles import descriptor_chroma, find_profiles, nearest_profile, profile_vector

HUES = [(60.0, 20.0), (-50.0, 45.0), (5.0, -70.0), (-20.0, -15.0)]


def flat(a: float, b: float, count: int = 4096) -> np.ndarray:
    return np.tile([a, b], (count, 1))


def single(a: float, b: float) -> DominantColors:
    return DominantColors(np.array([[a, b]]), np.ones(1))


def test_a_flat_photograph_has_one_color() -> None:
    found = find_dominant_colors(flat(30, -20))
    assert found.colors.tolist() == [[30, -20]]
    assert found.shares.tolist() == [1]


def test_four_colors_are_found_with_their_shares() -> None:
    random = np.random.default_rng(0)
    shares = (0.4, 0.3, 0.2, 0.1)
    pixels = np.concatenate([flat(*hue, int(4000 * share)) for hue, share in zip(HUES, shares, strict=True)])
    found = find_dominant_colors(random.permutation(pixels + random.normal(0, 0.5, pixels.shape)))
    assert found.shares.tolist() == pytest.approx(shares)
    np.testing.assert_allclose(found.colors, HUES, atol=0.15)


def test_colors_under_five_percent_are_merged_and_there_are_eight_at_most() -> None:
    pixels = np.concatenate([flat(40, 40, 960), flat(-40, 0, 960), flat(-45, 0, 40), flat(-40, 60, 40)])
    found = find_dominant_colors(pixels)
    assert len(found.shares) == 2
    assert found.shares.sum() == pytest.approx(1)
    assert (found.shares * found.colors.T).sum(axis=1) == pytest.approx(pixels.mean(axis=0))
    many = find_dominant_colors(np.random.default_rng(1).uniform(-90, 90, (5000, 2)))
    assert 4 <= len(many.shares) <= 8
    assert many.shares.min() >= 0.05
    assert (np.diff(many.shares) <= 0).all()


def test_the_distance_of_descriptors_by_hand() -> None:
    """Two single colors 5 apart: 1 + 1 - 2 (1 - 5 / 24)."""
    assert descriptor_distance(single(0, 0), single(3, 4)) == pytest.approx(0.416667, abs=5e-7)
    assert descriptor_distance(single(0, 0), single(0, 0)) == 0
    assert descriptor_distance(single(0, 0), single(21, 0)) == 2
    two = DominantColors(np.array([[0.0, 0.0], [50.0, 0.0]]), np.array([0.75, 0.25]))
    assert descriptor_distance(two, single(10, 0)) == pytest.approx(0.75**2 + 0.25**2 + 1 - 2 * (1 - 10 / 24) * 0.75)


def test_vectors_are_of_length_one_and_their_distance_is_hellinger_s() -> None:
    one, other = (profile_vector(single(*hue)) for hue in HUES[:2])
    assert (one**2).sum() == pytest.approx(1, abs=1e-8)
    assert ((one - other) ** 2).sum() == pytest.approx(2, abs=1e-8)  # nothing in common


def test_four_flat_photographs_of_distinct_hues_are_four_profiles_by_chroma() -> None:
    found = find_profiles([find_dominant_colors(flat(*hue)) for hue in HUES], 4, seed=0)
    assert sorted(found.labels.tolist()) == [0, 1, 2, 3]
    chroma = [np.hypot(*hue) for hue in HUES]
    assert np.argsort(chroma).tolist() == np.argsort(found.labels).tolist()
    assert found.inertia == pytest.approx(0, abs=1e-12)
    for hue, label in zip(HUES, found.labels, strict=True):
        assert nearest_profile(single(hue[0] + 1, hue[1] - 1), found.centers) == label
    assert (
        find_profiles([find_dominant_colors(flat(*hue)) for hue in HUES], 4, seed=0).labels.tolist()
        == found.labels.tolist()
    )


def test_profiles_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(2)
    truth = random.integers(0, 4, 300)
    descriptors = [
        find_dominant_colors(np.array(HUES[k]) + random.normal(0, 9, (200, 2)) + random.normal(0, 4, 2)) for k in truth
    ]
    found = find_profiles(descriptors, 4, seed=1)
    vectors = np.stack([profile_vector(one) for one in descriptors])
    expected = KMeans(4, n_init=10, random_state=0).fit(vectors)
    assert found.inertia <= expected.inertia_ * (1 + 1e-9)
    assert adjusted_rand_score(expected.labels_, found.labels) == 1
    means = [np.mean([descriptor_chroma(descriptors[i]) for i in np.flatnonzero(found.labels == k)]) for k in range(4)]
    assert all(a <= b for a, b in itertools.pairwise(means))
    for k in range(4):
        np.testing.assert_allclose(found.centers[k], vectors[found.labels == k].mean(axis=0))


def test_photographs_that_are_all_alike_make_no_profiles() -> None:
    with pytest.raises(ValueError, match="1 photographs look different, which cannot make 4 profiles"):
        find_profiles([single(1, 2)] * 10, 4, seed=0)
