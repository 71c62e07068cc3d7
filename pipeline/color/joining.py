"""A photograph's own L joined with colors: the one way to a result, at any size, a band of rows at a time."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.color.lab import lab_to_rgb, lab_to_rgb16, rgb_to_lab
from pipeline.color.upsampling import ColorRows, Grid, color_lines

BAND_PIXELS = 1 << 20
"""Pixels converted at a time, so that memory stays bounded at any size."""

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


class Colors(Protocol):
    """Gives (a, b) of the rows of a photograph, as `upsampling.ColorRows` does."""

    def ab(self, light: Grid, start: int) -> Grid:
        """(a, b), float32 (2, n, width), of the rows from `start` on whose L is `light`."""
        ...


class ColorsOf:
    """The colors that a picture has.

    Args:
        rgb: uint8 (H, W, 3), sRGB.
    """

    def __init__(self, rgb: npt.NDArray[np.uint8]) -> None:
        self._rgb = rgb

    def ab(self, light: Grid, start: int) -> Grid:
        """(a, b) of some rows.

        Args:
            light: float32 (n, width); of it only the number of rows counts.
            start: the first of them.

        Returns:
            float32 (2, n, width), CIELAB units.
        """
        return np.moveaxis(rgb_to_lab(self._rgb[start : start + len(light)])[..., 1:], -1, 0)


def spread_colors(light: Grid, grid: Grid, upsample: str) -> Colors:
    """Bring a grid of colors to a photograph's own size.

    Args:
        light: float32 (H, W), L in [0, 100].
        grid: float32 (2, h, w), (a, b) in CIELAB units.
        upsample: "bilinear" or "guided", see `upsampling.color_lines`.

    Returns:
        The colors of its rows.
    """
    cells = Image.fromarray(np.ascontiguousarray(light)).resize((grid.shape[2], grid.shape[1]), Image.Resampling.BOX)
    return ColorRows(color_lines(np.asarray(cells), grid, upsample), *light.shape)


def join(light: Grid, colors: Colors | None, saturation: float = 1.0, wide: bool = False) -> Pixels:
    """Join L with colors and convert to sRGB, band by band.

    Args:
        light: float32 (H, W), L in [0, 100].
        colors: gives (a, b) of rows; None for grey.
        saturation: factor on a and b.
        wide: 16 bits instead of 8.

    Returns:
        uint8 or uint16 (H, W, 3), sRGB.
    """
    result: Pixels = np.empty((*light.shape, 3), np.uint16 if wide else np.uint8)
    for rows in row_bands(light.shape[0], light.shape[1]):
        part = light[rows]
        ab = np.zeros((2, *part.shape), np.float32) if colors is None else colors.ab(part, rows.start) * saturation
        lab = np.stack([part, *ab], axis=-1)
        result[rows] = lab_to_rgb16(lab) if wide else lab_to_rgb(lab)
    return result


def row_bands(height: int, width: int) -> Iterator[slice]:
    """Cut a picture into bands of `BAND_PIXELS` or so.

    Args:
        height: px.
        width: px.

    Yields:
        Slices of rows, from the top.
    """
    rows = max(1, BAND_PIXELS // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))
