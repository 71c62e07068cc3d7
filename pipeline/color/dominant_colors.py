"""The few colors that a photograph is made of (MPEG-7's dominant color descriptor), in (a, b) alone (SPEC R31).

L is left out: with it, photographs would be sorted by brightness, which the grey input shows at once.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST_COLORS = 8
LEAST_SHARE = 0.05
"""A color that fewer pixels have is merged into the nearest other one."""
TIGHT = 4.0
"""Mean squared distance from its center, in squared CIELAB units, below which a cluster is one color."""
ROUNDS = 20
"""Of Lloyd's algorithm after each split, at most."""


class DominantColors(NamedTuple):
    """A photograph's descriptor.

    Attributes:
        colors: float64 (k, 2), (a, b) in CIELAB units, the most frequent first; 1 to `MOST_COLORS`.
        shares: float64 (k,), of the pixels, sum 1.
    """

    colors: Floats
    shares: Floats


def find_dominant_colors(ab: npt.NDArray[np.floating]) -> DominantColors:
    """Start at the mean, split the worst cluster along its main axis, move centers to their pixels' mean; repeat.

    Args:
        ab: float (M, 2), in CIELAB units, at least one pixel.

    Returns:
        The descriptor; sums are in a fixed order, so that it is the same on every processor.
    """
    pixels = ab.astype(np.float64)
    centers = _means(pixels, np.zeros(len(pixels), np.intp), 1)
    labels = np.zeros(len(pixels), np.intp)
    while len(centers) < MOST_COLORS:
        squared = ((pixels - centers[labels]) ** 2).sum(axis=1)
        distortion = np.bincount(labels, squared, len(centers))
        counts = np.bincount(labels, minlength=len(centers))
        worst = int(distortion.argmax())
        if distortion[worst] <= TIGHT * counts[worst]:
            break
        step = _main_axis(pixels[labels == worst] - centers[worst])
        centers = np.concatenate([centers, (centers[worst] + step)[None]])
        centers[worst] -= step
        labels, centers = _lloyd(pixels, centers)
    return _merged(centers, np.bincount(labels, minlength=len(centers)) / len(pixels))


def descriptor_distance(
    one: DominantColors, other: DominantColors, threshold: float = 20.0, factor: float = 1.2
) -> float:
    """MPEG-7's squared distance of two descriptors, without spatial coherency and variances.

    Args:
        one: a descriptor.
        other: another.
        threshold: Td, in CIELAB units, beyond which two colors have nothing in common; 10 to 20 in the standard.
        factor: alpha, 1 to 1.5 in the standard; alpha Td is where the similarity would reach 0.

    Returns:
        sum p1^2 + sum p2^2 - 2 sum_ij a_ij p1_i p2_j with a = 1 - d / (alpha Td) for d <= Td, else 0; 0 for equal ones
        whose colors are further than Td apart.
    """
    distances = np.sqrt(((one.colors[:, None] - other.colors[None]) ** 2).sum(axis=2))
    alike = np.where(distances <= threshold, 1 - distances / (factor * threshold), 0.0)
    common = (alike * one.shares[:, None] * other.shares[None]).sum()
    return float((one.shares**2).sum() + (other.shares**2).sum() - 2 * common)


def _lloyd(pixels: Floats, centers: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """Nearest centers and means of their pixels in turn; a center without pixels is dropped."""
    labels = np.full(len(pixels), -1, np.intp)
    for _ in range(ROUNDS):
        found = ((pixels[:, None] - centers[None]) ** 2).sum(axis=2).argmin(axis=1)
        used, found = np.unique(found, return_inverse=True)
        if np.array_equal(found, labels):
            break
        labels = found
        centers = _means(pixels, labels, len(used))
    return labels, centers


def _means(pixels: Floats, labels: npt.NDArray[np.intp], count: int) -> Floats:
    sums = np.stack([np.bincount(labels, pixels[:, axis], count) for axis in (0, 1)], axis=1)
    return sums / np.bincount(labels, minlength=count)[:, None]


def _main_axis(offsets: Floats) -> Floats:
    """The direction in which offsets from their mean vary most, one standard deviation long."""
    a, b = offsets[:, 0], offsets[:, 1]
    aa, bb, ab = (float((first * second).sum()) / len(offsets) for first, second in ((a, a), (b, b), (a, b)))
    angle = 0.5 * np.arctan2(2 * ab, aa - bb)
    variance = (aa + bb) / 2 + np.hypot((aa - bb) / 2, ab)
    return np.sqrt(variance) * np.array([np.cos(angle), np.sin(angle)])


def _merged(centers: Floats, shares: Floats) -> DominantColors:
    """Colors under `LEAST_SHARE` given to the nearest, the rarest first, and the rest ordered by share."""
    while len(shares) > 1 and shares.min() < LEAST_SHARE:
        rarest = int(shares.argmin())
        squared = ((centers - centers[rarest]) ** 2).sum(axis=1)
        squared[rarest] = np.inf
        nearest = int(squared.argmin())
        both = shares[nearest] + shares[rarest]
        centers[nearest] = (centers[nearest] * shares[nearest] + centers[rarest] * shares[rarest]) / both
        shares[nearest] = both
        centers, shares = np.delete(centers, rarest, axis=0), np.delete(shares, rarest)
    order = np.argsort(-shares, kind="stable")
    return DominantColors(centers[order], shares[order])
