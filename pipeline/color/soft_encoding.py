"""A color as shares of the nearest classes: the soft target of Zhang, Isola, Efros 2016, sec. 2.2 (SPEC R11, R12)."""

import numpy as np
import numpy.typing as npt

from pipeline.color.lab import OFFSET

Floats = npt.NDArray[np.float64]

ROWS = 2048
"""Colors compared with all classes at a time."""
PRIOR_DECIMALS = 12
"""Exponentials differ in their last bits from processor to processor; so many decimals of a share do not."""


def soft_shares(
    ab: npt.NDArray[np.floating], centers: npt.NDArray[np.floating], neighbours: int, sigma: float
) -> tuple[npt.NDArray[np.int64], Floats]:
    """The nearest classes of each color, and its share in each.

    Args:
        ab: float (M, 2), in CIELAB units.
        centers: float (Q, 2), the classes' centers.
        neighbours: k, how many of the nearest classes share a color; all of them where there are fewer.
        sigma: of the Gaussian of the distance, in CIELAB units.

    Returns:
        int64 (M, k), kept indices, the nearest first, equally near ones by index; float64 (M, k), their shares
        exp(-d^2 / (2 sigma^2)), scaled to sum 1.
    """
    places, colors = centers.astype(np.float64), ab.astype(np.float64)
    squared = ((colors[:, None] - places) ** 2).sum(axis=2)
    nearest = np.argsort(squared, axis=1, kind="stable")[:, :neighbours]
    distances = np.take_along_axis(squared, nearest, axis=1)
    shares = np.exp((distances[:, :1] - distances) / (2 * sigma**2))  # the nearest is 1: no sum underflows to 0
    return nearest, shares / shares.sum(axis=1, keepdims=True)


def soft_prior(
    cells: npt.NDArray[np.int64], centers: npt.NDArray[np.floating], neighbours: int, sigma: float
) -> Floats:
    """The mean soft target of a set of photographs: how much of their color each class holds.

    Args:
        cells: int64 (256, 256), unit cells (`color.pruning`); a pixel counts as the middle of its cell.
        centers: float (Q, 2), the classes' centers, in CIELAB units.
        neighbours: as for `soft_shares`.
        sigma: as for `soft_shares`.

    Returns:
        float64 (Q,), rounded to `PRIOR_DECIMALS`, sums to 1 but for that; the same on every processor.
    """
    rows, columns = np.nonzero(cells)
    counts = cells[rows, columns]
    ab = np.stack([rows, columns], axis=1) - OFFSET + 0.5
    prior = np.zeros(len(centers), np.float64)
    for start in range(0, len(ab), ROWS):
        part = slice(start, start + ROWS)
        index, shares = soft_shares(ab[part], centers, neighbours, sigma)
        np.add.at(prior, index, shares * counts[part, None])
    return np.round(prior / counts.sum(), PRIOR_DECIMALS)
