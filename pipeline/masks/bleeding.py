"""How much colour runs over the edges of objects (SPEC section 7)."""

import numpy as np
import numpy.typing as npt

from pipeline.color.lab import rgb_to_lab
from pipeline.masks.objects import edge_pixels, interior_pixels


def edge_distance(rgb: npt.NDArray[np.uint8], labels: npt.NDArray[np.int32], band: int) -> float:
    """Mean distance in ab between the edge pixels of objects and the mean of their own object's interior.

    Args:
        rgb: uint8 (H, W, 3), sRGB.
        labels: int32 (H, W), the object of each pixel, 0 outside.
        band: pixels between an object's edge and its interior.

    Returns:
        CIELAB units, at least 0; nan where no object has an edge. The truth has such a distance too, wherever an
        object's rim has another colour than its middle: see `edge_bleeding`.
    """
    edges = edge_pixels(labels)
    if not edges.any():
        return float("nan")
    interior = interior_pixels(labels, edges, band)
    inside = labels[interior]
    ab = rgb_to_lab(rgb)[..., 1:].astype(np.float64)
    size = np.maximum(np.bincount(inside), 1)
    mean = np.stack([np.bincount(inside, ab[interior][:, channel]) / size for channel in range(2)], axis=-1)
    return float(np.linalg.norm(ab[edges] - mean[labels[edges]], axis=-1).mean())


def edge_bleeding(distance: float, truth_distance: float) -> float:
    """Edge bleeding: the edge distance of a result by that of the truth.

    Args:
        distance: of the result, from `edge_distance`.
        truth_distance: of the ground truth.

    Returns:
        1 where the result's edges are as sharp as the truth's, more where colour runs over them; nan where the truth
        has no distance to compare with (a grey photograph, or no object).
    """
    return distance / truth_distance if truth_distance > 0 else float("nan")
