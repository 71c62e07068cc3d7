"""Metrics over color classes (SPEC section 8; CCC++ Eq. 19-21), all in the kept classes of one color space.

A pixel's class is that of its 8-bit sRGB value, moved to the nearest kept class where its own was pruned (Eq. 12), for
truth and result alike. So every count lies in 1..Q, and methods of different bin sizes are compared in one space.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from pipeline.color.space import ColorSpace
from pipeline.metrics.batches import ImageBatch, Values, as_batch, as_pair
from pipeline.metrics.described import ClassMaps, Photographs

BANDS = 10
"""Frequency bands of the classes: the rarest tenth of the kept classes to the most frequent tenth."""


def measure_classes(truth: Photographs, result: Photographs) -> dict[str, Values]:
    """CNR, CCAR, active and TAR of described batches; see the functions of these names.

    Args:
        truth: N photographs.
        result: as many, of the same size, described in the same class space.

    Returns:
        "cnr", "ccar", "active" and "tar": float64 (N,).
    """
    return class_metrics(truth.classes, result.classes, result.kept_count)


def class_maps(images: ImageBatch, space: ColorSpace) -> ClassMaps:
    """The kept class of every pixel.

    Args:
        images: uint8 (N, H, W, 3).
        space: the color space.

    Returns:
        int32 (N, H, W), kept indices.
    """
    batch = as_batch(images)
    if batch.device.type == "cpu":
        return space.to_kept(space.encode(batch.numpy()))
    return space.to_kept(space.encode(batch)).int().cpu().numpy()


def unique_classes(classes: ClassMaps, kept_count: int) -> Values:
    """How many classes a photograph shows.

    Args:
        classes: int32 (N, H, W), kept indices.
        kept_count: Q.

    Returns:
        float64 (N,), in 1..Q.
    """
    return np.array([np.count_nonzero(np.bincount(one.ravel(), minlength=kept_count)) for one in classes], np.float64)


def cnr(truth: ImageBatch, result: ImageBatch, space: ColorSpace) -> Values:
    """Color number ratio: unique classes of the result by unique classes of the truth (Eq. 19).

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.
        space: the color space.

    Returns:
        float64 (N,), above 0; 1 where the result shows as many classes as the truth.
    """
    first, second = as_pair(truth, result)
    return class_metrics(class_maps(first, space), class_maps(second, space), space.kept_count)["cnr"]


def ccar(truth: ImageBatch, result: ImageBatch, space: ColorSpace) -> Values:
    """Unique classes of the result by the number of kept classes, in percent (Eq. 20; see SPEC R8).

    Args:
        truth: uint8 (N, H, W, 3); only its shape is looked at.
        result: uint8 of the same shape.
        space: the color space.

    Returns:
        float64 (N,), in (0, 100].
    """
    return 100.0 * active(truth, result, space) / space.kept_count


def active(truth: ImageBatch, result: ImageBatch, space: ColorSpace) -> Values:
    """Unique classes of the result: what the printed CCAR values fit (SPEC R8).

    Args:
        truth: uint8 (N, H, W, 3); only its shape is looked at.
        result: uint8 of the same shape.
        space: the color space.

    Returns:
        float64 (N,), in 1..Q.
    """
    _, second = as_pair(truth, result)
    return unique_classes(class_maps(second, space), space.kept_count)


def tar(truth: ImageBatch, result: ImageBatch, space: ColorSpace) -> Values:
    """True activation ratio: share of pixels whose class equals the truth's, in percent (Eq. 21).

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.
        space: the color space.

    Returns:
        float64 (N,), in [0, 100].
    """
    first, second = as_pair(truth, result)
    return class_metrics(class_maps(first, space), class_maps(second, space), space.kept_count)["tar"]


def class_metrics(truth: ClassMaps, result: ClassMaps, kept_count: int) -> dict[str, Values]:
    """CNR, CCAR, active and TAR of class maps that are known already.

    Args:
        truth: int32 (N, H, W), kept indices.
        result: int32 of the same shape.
        kept_count: Q.

    Returns:
        Name -> float64 (N,).
    """
    shown = unique_classes(result, kept_count)
    return {
        "cnr": shown / unique_classes(truth, kept_count),
        "ccar": 100.0 * shown / kept_count,
        "active": shown,
        "tar": 100.0 * (truth == result).mean(axis=(1, 2)),
    }


def true_class_ranks(scores: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The place of the true class among all classes by score.

    Args:
        scores: float (N, Q, h, w).
        target: int64 (N, h, w), kept indices.

    Returns:
        int32 (N, h, w), from 1 (the highest score is its own) to Q; behind every class of the same score.
    """
    return (scores >= scores.gather(1, target[:, None])).sum(1, dtype=torch.int32)  # int64 takes six times as long


def share_within(ranks: torch.Tensor, k: int) -> Values:
    """Top-k accuracy from ranks that are known already.

    Args:
        ranks: int32 (N, h, w), as `true_class_ranks` gives them.
        k: 1, 5, ...

    Returns:
        float64 (N,), in percent.
    """
    return 100.0 * (ranks <= k).flatten(1).cpu().double().mean(1).numpy()


def frequency_bands(class_counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Cut the kept classes into bands of equal size by how frequent they are in a reference set.

    Args:
        class_counts: int64 (Q,), pixels of the reference set in each kept class; ties are cut by kept index.

    Returns:
        int32 (Q,): 0 for the rarest tenth of the classes to 9 for the most frequent.
    """
    band = np.empty(len(class_counts), np.int32)
    for number, part in enumerate(np.array_split(np.argsort(class_counts, kind="stable"), BANDS)):
        band[part] = number
    return band


@dataclass(frozen=True)
class ClassCounts:
    """Pixels by true class and by outcome: the mergeable state of class accuracy over a set.

    Attributes:
        bands: int32 (Q,), frequency band of each class, as `frequency_bands` gives it.
        pixels: int64 (Q,), pixels of each true class.
        correct: int64 (Q,), those of them that the result gives the same class.
        confusion: int64 (B, B), pixels by the frequency band of the true class and of the result's class.
    """

    bands: npt.NDArray[np.int32]
    pixels: npt.NDArray[np.int64]
    correct: npt.NDArray[np.int64]
    confusion: npt.NDArray[np.int64]

    @classmethod
    def of(cls, truth: ClassMaps, result: ClassMaps, bands: npt.NDArray[np.int32]) -> Self:
        """Count class maps.

        Args:
            truth: int32 (N, H, W), kept indices.
            result: int32 of the same shape.
            bands: int32 (Q,), as `frequency_bands` gives it.

        Returns:
            The counts.
        """
        outcomes = np.bincount((2 * truth + (truth == result)).ravel(), minlength=2 * len(bands))
        wrong, correct = outcomes.reshape(-1, 2).T
        confusion = np.bincount(((BANDS * bands).take(truth) + bands.take(result)).ravel(), minlength=BANDS**2)
        return cls(bands, wrong + correct, correct, confusion.reshape(BANDS, BANDS))

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.bands, self.pixels + other.pixels, self.correct + other.correct, self.confusion + other.confusion
        )

    def mean_accuracy(self, classes: npt.NDArray[np.bool_] | None = None) -> float:
        """Share of a class's pixels that are correct, averaged over the classes that the truth shows.

        Args:
            classes: bool (Q,), only these; None for all.

        Returns:
            Percent; nan where the truth shows none of the classes.
        """
        shown = self.pixels > 0 if classes is None else (self.pixels > 0) & classes
        if not shown.any():
            return float("nan")
        return float(100.0 * (self.correct[shown] / self.pixels[shown]).mean())
