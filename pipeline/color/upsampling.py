"""Colors from a small grid to a photograph of any size, a band of rows at a time, so that memory stays bounded."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import uniform_filter

Grid = npt.NDArray[np.float32]
RADIUS = 1
"""Of the window in which a slope is fitted, in cells of the grid."""
SMOOTHNESS = 100.0
"""Variance of L (10 units squared) that counts as texture rather than as an edge.

Both by measurement: eight photographs of the set `sample`, their own (a, b) averaged on 32 x 32 and 56 x 56 cells and
brought back to full size. PSNR against bilinear: +0.9 dB on the average, between -0.02 and +2.5 on each photograph.
A variance of 25 gains 0.2 more on the average and loses up to 0.9 on one; a radius of 2 gains less throughout.
"""


class ColorLines(NamedTuple):
    """For each cell of a grid, (a, b) as a linear function of L: slope * L + offset.

    Attributes:
        slopes: float32 (2, h, w), CIELAB units of a and b by unit of L; None where colors do not follow L.
        offsets: float32 (2, h, w), CIELAB units.
    """

    slopes: Grid | None
    offsets: Grid


def color_lines(guide: Grid, grid: Grid, upsample: str) -> ColorLines:
    """Prepare a grid of colors for `ab_rows`.

    Args:
        guide: float32 (h, w), L of the photograph averaged over each cell, in [0, 100].
        grid: float32 (2, h, w), (a, b) in CIELAB units.
        upsample: "bilinear", or "guided" for colors that follow the edges of L. Slopes are those of a guided filter
            (He, Sun, Tang, Guided image filtering, PAMI 2013, Eq. 5 and 8; fitted on the grid as in He, Sun 2015),
            but a line passes through its cell's own color, where the filter would average over neighbours: what L does
            inside a cell is added to the grid, and nothing of the grid is blurred.

    Returns:
        The lines.
    """
    if upsample == "bilinear" or min(grid.shape[1:]) < 2:
        return ColorLines(None, grid)
    guide_mean = _mean(guide)
    variance = np.maximum(_mean(guide * guide) - guide_mean**2, 0)
    slopes = np.empty_like(grid)
    for channel, values in enumerate(grid):
        covariance = _mean(guide * values) - guide_mean * _mean(values)
        slopes[channel] = _mean(covariance / (variance + SMOOTHNESS))
    return ColorLines(slopes, grid - slopes * guide)


class Enlarger:
    """Bilinear enlargement of a grid's planes to a photograph's size, any rows of it, without making the whole.

    The rows are those of Pillow's bilinear resize: its two passes are kept apart, the horizontal one is done once.

    Args:
        planes: float32 (C, h, w).
        height: of the photograph, px.
        width: of the photograph, px.
    """

    def __init__(self, planes: Grid, height: int, width: int) -> None:
        self._height = height
        self._small = height < planes.shape[1]
        size = (width, height if self._small else planes.shape[1])
        wide = [np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR)) for plane in planes]
        self._wide: Grid = np.stack(wide)

    def rows(self, start: int, stop: int) -> Grid:
        """Some rows of the enlarged planes.

        Args:
            start: the first row.
            stop: the row after the last.

        Returns:
            float32 (C, stop - start, width).
        """
        if self._small:  # the photograph is smaller than the grid: Pillow has averaged already
            return self._wide[:, start:stop]
        cells = self._wide.shape[1]
        center = (np.arange(start, stop) + 0.5) * cells / self._height - 0.5
        upper = np.floor(center).astype(int)
        share = (center - upper)[:, None]
        above, below = np.clip(upper, 0, cells - 1), np.clip(upper + 1, 0, cells - 1)
        return (self._wide[:, above] * (1 - share) + self._wide[:, below] * share).astype(np.float32)


class ColorRows:
    """(a, b) of any rows of a photograph.

    Args:
        lines: of `color_lines`.
        height: of the photograph, px.
        width: of the photograph, px.
    """

    def __init__(self, lines: ColorLines, height: int, width: int) -> None:
        self._slopes = None if lines.slopes is None else Enlarger(lines.slopes, height, width)
        self._offsets = Enlarger(lines.offsets, height, width)

    def ab(self, light: Grid, start: int) -> Grid:
        """(a, b) of some rows.

        Args:
            light: float32 (n, width), L of these rows, in [0, 100].
            start: the first of them.

        Returns:
            float32 (2, n, width), CIELAB units.
        """
        stop = start + len(light)
        offsets = self._offsets.rows(start, stop)
        return offsets if self._slopes is None else self._slopes.rows(start, stop) * light + offsets


def _mean(plane: Grid) -> Grid:
    averaged: Grid = uniform_filter(plane, 2 * RADIUS + 1, mode="nearest")
    return averaged
