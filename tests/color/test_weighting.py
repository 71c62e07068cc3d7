"""Priors and weights against numbers worked by hand, scipy's Gaussian, the published CIC prior and the torch loss."""

import csv
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.stats import entropy

from pipeline.color import weighting

CIC = Path(__file__).parents[3] / "shared" / "paper" / "cic" / "ab_bins_and_prior.csv"


def test_eq_15_by_hand() -> None:
    # p = 10: T = 100, m / T = 10, adjusted 1010, 110, 110, 110
    weights = weighting.class_weights(np.array([1000, 100, 10, 0]), 10)
    np.testing.assert_allclose(weights, [1000 / 1010, 1000 / 110, 1000 / 110, 1000 / 110])
    without = weighting.class_weights(np.array([1000, 100, 10, 0]), 10, ratio_term=False)
    np.testing.assert_allclose(without, [1, 10, 10, 10])


def test_percent_100_weighs_all_classes_alike() -> None:
    assert np.ptp(weighting.class_weights(np.array([7, 3, 0, 1]), 100)) == 0


def test_mean_one_is_the_mean_over_positions() -> None:
    counts = np.array([900, 90, 9, 1])
    weights = weighting.class_weights(counts, 10, normalise="mean_one")
    assert np.average(weights, weights=counts) == pytest.approx(1)
    np.testing.assert_allclose(weights / weights[0], (plain := weighting.class_weights(counts, 10)) / plain[0])


@given(
    st.lists(st.integers(0, 100_000), min_size=2, max_size=60).filter(any),
    st.sampled_from([4.0, 7.0, 10.0, 13.0, 16.0, 100.0]),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_eq_15_of_arrays_and_tensors(counts: list[int], percent: float, ratio_term: bool) -> None:
    """Eq. 15 as the paper prints it, count by count; with a mean of 1, the mean over positions."""
    ours = weighting.class_weights(np.array(counts), percent, ratio_term)
    largest = max(counts)
    threshold = percent / 100 * largest
    added = largest / threshold if ratio_term else 0
    expected = [largest / ((count if count >= threshold else threshold) + added) for count in counts]
    np.testing.assert_allclose(ours, expected, rtol=1e-14)
    tensor = weighting.class_weights(torch.tensor(counts), percent, ratio_term)
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=2e-6)
    mean = np.average(expected, weights=counts)
    for found in (np.array(counts), torch.tensor(counts)):
        even = weighting.class_weights(found, percent, ratio_term, "mean_one")
        np.testing.assert_allclose(np.asarray(even), np.array(expected) / mean, rtol=3e-6)
    assert ours.max() <= 100 / percent + 1e-9
    order = np.argsort(counts)
    assert (np.diff(ours[order]) <= 1e-12).all()


@pytest.mark.parametrize("arguments", [([0, 0], 10), ([1, 2], 0), ([1, 2], 101), ([1, 2], 10, True, "sum")])
def test_impossible_weights_are_refused(arguments: tuple) -> None:
    with pytest.raises(ValueError, match=r"percent|position"):
        weighting.class_weights(np.array(arguments[0]), *arguments[1:])


def test_summary_of_a_batch_by_hand() -> None:
    summary = weighting.summarize_batch(np.array([1000, 100, 10, 0]), 10)
    low, high = 1000 / 1010, 1000 / 110
    assert summary[:3] == pytest.approx((low, high, high))
    mass = np.array([1000 * low, 100 * high, 10 * high])
    share = mass / mass.sum()
    assert summary.effective_classes == pytest.approx(2 ** -(share * np.log2(share)).sum())


def test_effective_classes_of_equal_and_of_single_classes() -> None:
    assert weighting.effective_classes(np.array([5, 5, 0, 5, 5])) == pytest.approx(4)
    assert weighting.effective_classes(np.array([0, 9])) == pytest.approx(1)


def test_effective_classes_are_those_of_scipys_entropy() -> None:
    random = np.random.default_rng(0)
    for size in (2, 300, 3000):
        mass = random.gamma(0.1, size=size)
        assert weighting.effective_classes(mass) == pytest.approx(np.exp(entropy(mass)), rel=1e-13)


def test_logarithms_are_exact_to_a_few_last_digits() -> None:
    values = np.concatenate([10.0 ** np.linspace(-300, 300, 601), 1 + np.linspace(-0.5, 0.5, 201)])
    expected = np.array([float(Decimal(value).ln()) for value in values.tolist()])
    np.testing.assert_allclose(weighting._logarithm(values), expected, rtol=1e-15, atol=1e-16)


def test_smoothing_is_a_gaussian_over_the_ab_plane() -> None:
    plane = np.zeros((61, 61))
    plane[25:36, 28:33] = np.random.default_rng(0).random((11, 5))
    plane /= plane.sum()
    centers = np.stack(np.meshgrid(np.arange(61), np.arange(61), indexing="ij"), axis=-1).reshape(-1, 2) * 2.0
    ours = weighting.smoothed_prior(plane.reshape(-1), centers.astype(np.float32), sigma=5.0)
    expected = gaussian_filter(plane, sigma=2.5, mode="constant", truncate=12)
    np.testing.assert_allclose(ours.reshape(61, 61), expected, atol=1e-12)
    assert ours.sum() == pytest.approx(1)


def test_cic_weights_by_hand() -> None:
    # l = 0.5 over two classes: mixed 0.7, 0.3; 1 / mixed scaled by 0.9 / 0.7 + 0.1 / 0.3
    weights = weighting.cic_weights(np.array([0.9, 0.1]), 0.5)
    scale = 0.9 / 0.7 + 0.1 / 0.3
    np.testing.assert_allclose(weights, [1 / 0.7 / scale, 1 / 0.3 / scale])
    assert weighting.cic_weights(np.array([0.9, 0.1]), 1.0).tolist() == [1.0, 1.0]


def test_a_weight_without_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="1 kept classes have prior 0"):
        weighting.cic_weights(np.array([1.0, 0.0]), 0.0)


@pytest.mark.skipif(not CIC.exists(), reason="the published CIC prior is not at hand")
def test_on_the_published_cic_prior() -> None:
    with CIC.open() as file:
        prior = np.array([float(row["prior"]) for row in csv.DictReader(file)])
    weights = weighting.cic_weights(prior, 0.5)
    assert len(weights) == 313
    assert (prior * weights).sum() == pytest.approx(1)
    rarest, commonest = prior.argmin(), prior.argmax()
    ratio = (prior[commonest] + 1 / 313) / (prior[rarest] + 1 / 313)
    assert weights[rarest] / weights[commonest] == pytest.approx(ratio)
    assert weights.argmax() == rarest


def test_batches_are_an_epoch_of_a_shuffle() -> None:
    names = [f"photo{number:03d}" for number in range(50)]
    batches = weighting.draw_batches(names, 16, seed=0)
    assert [len(batch) for batch in batches] == [16, 16, 16]
    drawn = [name for batch in batches for name in batch]
    assert len(set(drawn)) == 48
    assert drawn != sorted(drawn)
    assert weighting.draw_batches(names[::-1], 16, seed=0) == batches
    assert weighting.draw_batches(names, 16, seed=1) != batches
    assert weighting.draw_batches(names, 16, seed=0, most=2) == batches[:2]


def test_a_small_set_is_one_batch() -> None:
    assert sorted(weighting.draw_batches(["a", "b"], 64, seed=0)[0]) == ["a", "b"]
    assert weighting.draw_batches([], 64, seed=0) == []
