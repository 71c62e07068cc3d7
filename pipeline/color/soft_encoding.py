"""A color as shares of the nearest classes: the soft target of Zhang, Isola, Efros 2016, sec. 2.2 (SPEC R11, R12)."""

import numpy as np
import numpy.typing as npt

from pipeline.color.lab import OFFSET

Floats = npt.NDArray[np.float64]

ROWS = 2048
"""Colors compared with all classes at a time."""
SLACK = 1e-2
"""Squared CIELAB units by which single precision may get a squared distance wrong, and more."""
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


def nearby_classes(centers: npt.NDArray[np.floating], neighbours: int) -> npt.NDArray[np.int32]:
    """The classes that can be among the nearest of some color, for each unit cell of ab: a short list instead of all.

    A class is left out of a cell's list where at least `neighbours` others are nearer to every point of the cell.

    Args:
        centers: float (Q, 2), the classes' centers, in CIELAB units.
        neighbours: k, at most Q.

    Returns:
        int32 (65536, m), kept indices in rising order, at least k of each cell, then Q, which is no class; cell
        [floor(a) + 128, floor(b) + 128] of [-128, 128) lies at 256 times the first place plus the second.
    """
    low = np.arange(2 * OFFSET) - float(OFFSET)
    below, above = (low[:, None, None] - centers.astype(np.float64) + edge for edge in (0, 1))  # (256, Q, 2)
    least = np.square(np.maximum(0, np.maximum(below, -above)))
    most = np.square(np.maximum(np.abs(below), np.abs(above)))
    lists: list[npt.NDArray[np.intp]] = []
    for nearest, farthest in zip(least[..., 0], most[..., 0], strict=True):
        bound = np.partition(farthest + most[..., 1], neighbours - 1, axis=1)[:, neighbours - 1]
        lists += [np.flatnonzero(row) for row in nearest + least[..., 1] <= bound[:, None] + SLACK]
    table = np.full((len(lists), max(map(len, lists))), len(centers), np.int32)
    for row, found in zip(table, lists, strict=True):
        row[: len(found)] = found
    return table


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
