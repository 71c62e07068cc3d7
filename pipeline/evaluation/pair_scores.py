"""All metrics of a batch in one pass: describe each side once, then compare.

What belongs to one photograph alone (its colors, its class maps, its network features) is its description; the truth's
is made once and serves every result that is compared with it.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from pipeline.color.space import ColorSpace
from pipeline.evaluation.network_features import Features, NetworkFeatures
from pipeline.metrics.batches import ImageBatch, Values, as_batch
from pipeline.metrics.class_metrics import ClassMaps, class_maps, class_metrics
from pipeline.metrics.color_difference import lab_planes, statistics_of_lab
from pipeline.metrics.colorfulness import colorfulness
from pipeline.metrics.perceptual import perceptual_distance
from pipeline.metrics.pixels import mse, psnr_of
from pipeline.metrics.structure import ssim, uiqi


@dataclass(frozen=True)
class Photographs:
    """A batch and what belongs to it alone.

    Attributes:
        images: uint8 (N, H, W, 3).
        colorfulness: float64 (N, 2), as `colorfulness.colorfulness` gives it.
        lab: float32 (N, 3, H, W), CIE L*a*b*.
        classes: class maps in the report space.
        own_classes: class maps in the method's own space; None without one.
        vectors: float32 (N, K), LPIPS vectors; None without the network, or where a side is too small for it.
        features: set metric -> float32 (N, D), the feature vectors of its Frechet distance.
    """

    images: torch.Tensor
    colorfulness: Values
    lab: torch.Tensor
    classes: ClassMaps
    own_classes: ClassMaps | None = None
    vectors: torch.Tensor | None = None
    features: dict[str, Features] = field(default_factory=dict)


def describe(
    images: ImageBatch,
    found: NetworkFeatures,
    report_space: ColorSpace,
    own_space: ColorSpace | None = None,
) -> Photographs:
    """Describe a batch.

    Args:
        images: uint8 (N, H, W, 3).
        found: its network features.
        report_space: the space that all methods share.
        own_space: the method's own space, if it has one.

    Returns:
        The description.
    """
    batch = as_batch(images)
    classes = class_maps(batch, report_space)
    own = None
    if own_space is not None:
        own = classes if own_space == report_space else class_maps(batch, own_space)
    return Photographs(batch, colorfulness(batch), lab_planes(batch), classes, own, found.vectors, found.features)


def score_pairs(
    truth: Photographs, result: Photographs, report_space: ColorSpace, own_space: ColorSpace | None = None
) -> dict[str, Values]:
    """Every metric per photograph that the descriptions allow.

    Args:
        truth: the described truth.
        result: the described result, of the same shape.
        report_space: as given to `describe`.
        own_space: as given to `describe`.

    Returns:
        Name -> float64 (N,), in no particular order; a metric without its weights or its space is absent.

    Raises:
        ValueError: if the shapes differ.
    """
    first, second = truth.images, result.images
    errors = mse(first, second)
    differences = statistics_of_lab(truth.lab, result.lab)
    values = {
        "mse": errors,
        "psnr": psnr_of(errors),
        "ssim": ssim(first, second),
        "uiqi": uiqi(first, second),
        "ciede2000": differences[:, 0],
        "ciede2000_p95": differences[:, 1],
        "cf": result.colorfulness[:, 0],
        "cf_abs": result.colorfulness[:, 1],
        "cf_difference": np.abs(result.colorfulness - truth.colorfulness)[:, 0],
    }
    values |= class_metrics(truth.classes, result.classes, report_space.kept_count)
    if own_space is not None and truth.own_classes is not None and result.own_classes is not None:
        own = class_metrics(truth.own_classes, result.own_classes, own_space.kept_count)
        values |= {f"own_{name}": value for name, value in own.items()}
    if truth.vectors is not None and result.vectors is not None:
        values["lpips"] = perceptual_distance(truth.vectors, result.vectors)
    return values
