"""CNR, CCAR, active, TAR, class accuracy: hand-made photographs with known answers, and sets counted the slow way."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from pipeline import metrics
from pipeline.color.space import ColorSpace
from pipeline.metrics.class_metrics import (
    BANDS,
    ClassCounts,
    class_maps,
    frequency_bands,
    share_within,
    true_class_ranks,
)

SPACE = ColorSpace(6)
RED, GREEN, BLUE, GREY = (200, 20, 20), (20, 180, 20), (20, 20, 200), (128, 128, 128)
Pair = tuple[np.ndarray, np.ndarray]


def two_by_two(*colors: tuple[int, int, int]) -> np.ndarray:
    return np.array(colors, np.uint8).reshape(1, 2, 2, 3)


def test_two_by_two_by_hand() -> None:
    truth, result = two_by_two(RED, GREEN, BLUE, GREY), two_by_two(RED, GREEN, GREEN, RED)
    assert metrics.cnr(truth, result, SPACE) == 2 / 4
    assert metrics.ccar(truth, result, SPACE) == 100 * 2 / 1296
    assert metrics.active(truth, result, SPACE) == 2
    assert metrics.tar(truth, result, SPACE) == 50.0


def test_identical_flat_and_inverted(pairs: Pair) -> None:
    truth = pairs[0]
    assert (metrics.cnr(truth, truth, SPACE) == 1.0).all()
    assert (metrics.tar(truth, truth, SPACE) == 100.0).all()
    flat = two_by_two(*[GREY] * 4)
    assert metrics.active(flat, flat, SPACE) == 1
    swapped = two_by_two(GREEN, RED, GREY, BLUE)
    assert metrics.tar(two_by_two(RED, GREEN, BLUE, GREY), swapped, SPACE) == 0.0
    assert metrics.cnr(two_by_two(RED, GREEN, BLUE, GREY), swapped, SPACE) == 1.0


def test_counts_equal_the_slow_way_by_scikit_image(pairs: Pair) -> None:
    classes = [np.floor((rgb2lab(images)[..., 1:] + 108) / 6).astype(int) @ [36, 1] for images in pairs]
    for number, (truth, result) in enumerate(zip(*classes, strict=True)):
        one = pairs[0][number : number + 1], pairs[1][number : number + 1]
        assert metrics.cnr(*one, SPACE) == len(set(result.ravel())) / len(set(truth.ravel()))
        assert metrics.tar(*one, SPACE) == pytest.approx(100 * (truth == result).mean())


def test_pruned_classes_count_as_the_kept_one_that_stands_for_them() -> None:
    """With two kept classes, red and green, blue and grey become one of the two."""
    ids = SPACE.encode(two_by_two(RED, GREEN, BLUE, GREY)).ravel()
    pruned = ColorSpace(6, 108, np.sort(ids[:2]))
    truth = two_by_two(RED, GREEN, BLUE, GREY)
    assert metrics.active(truth, truth, pruned) == 2
    assert metrics.ccar(truth, truth, pruned) == 100.0
    centers = SPACE.decode(ids)
    nearest = np.linalg.norm(centers[2:, None] - centers[None, :2], axis=-1).argmin(axis=1)
    result = two_by_two(RED, GREEN, *[(RED, GREEN)[number] for number in nearest])
    assert metrics.tar(truth, result, pruned) == 100.0


def test_top_k_by_hand() -> None:
    scores = torch.tensor([[0.1, 0.2, 0.3, 0.4]]).reshape(1, 4, 1, 1).repeat(1, 1, 2, 2)
    target = torch.tensor([[[3, 2], [1, 0]]])
    assert [share_within(true_class_ranks(scores, target), k).item() for k in (1, 2, 3, 4)] == [25.0, 50.0, 75.0, 100.0]


def test_constant_scores_earn_nothing() -> None:
    target = torch.zeros(2, 3, 3, dtype=torch.int64)
    assert (share_within(true_class_ranks(torch.zeros(2, 10, 3, 3), target), 5) == 0).all()


def test_top_k_equals_scikit_learn() -> None:
    from sklearn.metrics import top_k_accuracy_score

    scores = torch.from_numpy(np.random.default_rng(3).normal(size=(1, 12, 8, 8)))
    target = torch.from_numpy(np.random.default_rng(4).integers(0, 12, (1, 8, 8)))
    flat = scores[0].flatten(1).T.numpy()
    for k in (1, 5):
        expected = top_k_accuracy_score(target.flatten().numpy(), flat, k=k, labels=np.arange(12))
        assert share_within(true_class_ranks(scores, target), k) == pytest.approx(100 * expected)


def test_bands_hold_a_tenth_each_in_order_of_frequency() -> None:
    counts = np.random.default_rng(0).permutation(np.arange(40) ** 2)
    bands = frequency_bands(counts)
    assert np.bincount(bands).tolist() == [4] * BANDS
    for band in range(BANDS - 1):
        assert counts[bands == band].max() < counts[bands == band + 1].min()


def test_class_counts_by_hand() -> None:
    bands = np.array([0, 0, 9], np.int32)
    truth, result = np.array([[[0, 0], [1, 2]]], np.int32), np.array([[[0, 2], [1, 0]]], np.int32)
    counts = ClassCounts.of(truth, result, bands)
    assert counts.mean_accuracy() == pytest.approx(100 * (0.5 + 1 + 0) / 3)
    assert counts.mean_accuracy(bands == 0) == pytest.approx(75.0)
    assert counts.mean_accuracy(bands == 9) == 0.0
    assert np.isnan(counts.mean_accuracy(bands == 5))
    assert counts.confusion[0, 0] == 2
    assert counts.confusion[0, 9] == counts.confusion[9, 0] == 1


def test_class_counts_add_up(pairs: Pair, flat: Callable[..., np.ndarray]) -> None:
    bands = frequency_bands(np.arange(SPACE.kept_count))
    truth, result = (class_maps(images, SPACE) for images in pairs)
    whole = ClassCounts.of(truth, result, bands)
    parts = ClassCounts.of(truth[:1], result[:1], bands) + ClassCounts.of(truth[1:], result[1:], bands)
    assert (whole.pixels == parts.pixels).all()
    assert (whole.correct == parts.correct).all()
    assert (whole.confusion == parts.confusion).all()
    # micro average: the share of correct pixels over the set is the mean of TAR over photographs of one size
    assert 100 * whole.correct.sum() / whole.pixels.sum() == pytest.approx(metrics.tar(*pairs, SPACE).mean())


@pytest.mark.parametrize("name", ["mse", "psnr", "ssim", "uiqi", "ciede2000", "ciede2000_p95", "cf", "cf_abs"])
def test_no_photograph_has_no_value(name: str) -> None:
    none = np.empty((0, 20, 20, 3), np.uint8)
    assert len(getattr(metrics, name)(none, none)) == 0


@pytest.mark.parametrize("name", ["cnr", "ccar", "active", "tar"])
def test_no_photograph_has_no_value_in_any_class_space(name: str) -> None:
    none = np.empty((0, 20, 20, 3), np.uint8)
    assert len(getattr(metrics, name)(none, none, ColorSpace(6))) == 0
