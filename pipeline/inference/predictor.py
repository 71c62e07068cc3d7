"""A photograph's own L joined with a network's colors, at any size, a band of rows at a time."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.color.lab import lab_to_rgb, lab_to_rgb16, lightness, lightness16, rgb_to_lab
from pipeline.images.decode import Decoded
from pipeline.images.encode import Pixels
from pipeline.inference.upsampling import ColorRows, Grid, color_lines

BAND_PIXELS = 1 << 20
"""Pixels converted at a time at full size."""
TILE_OVERLAP = 0.25
"""Of neighbouring tiles, at least, as a share of their side."""
SQUARE = 1.1
"""Up to this ratio of its sides a photograph is one tile."""

Network = Callable[[Grid], Grid]
"""L of squares, float32 (N, size, size), to (a, b) on a grid of each, float32 (N, 2, h, h)."""


class Colors(Protocol):
    """Gives (a, b) of the rows of a photograph, as `upsampling.ColorRows` does."""

    def ab(self, light: Grid, start: int) -> Grid:
        """(a, b), float32 (2, n, width), of the rows from `start` on whose L is `light`."""
        ...


def photograph_light(decoded: Decoded) -> Grid:
    """L of a photograph, at 16 bits where its file has them.

    Args:
        decoded: the photograph.

    Returns:
        float32 (H, W), in [0, 100].
    """
    if decoded.gray16 is not None:
        light16: Grid = lightness16()[decoded.gray16]
        return light16
    light = np.empty(decoded.rgb.shape[:2], np.float32)
    for rows in _bands(light):
        light[rows] = lightness(decoded.rgb[rows])
    return light


def find_colors(light: Grid, network: Network, size: int, upsample: str, tile: bool = False) -> Colors:
    """Let the network see a photograph, and prepare what it found for the photograph's own size.

    Args:
        light: float32 (H, W), L in [0, 100].
        network: gives the colors of squares.
        size: px, the side of these squares.
        upsample: "guided" or "bilinear", as `upsampling.color_lines`.
        tile: cover an elongated photograph with overlapping squares instead of squeezing it into one.

    Returns:
        Its colors.
    """
    grid = _tiled_grid(light, network, size) if tile else network(_square(light, size))[0]
    guide = _shrunk(light, grid.shape[1:], Image.Resampling.BOX)
    return ColorRows(color_lines(guide, grid, upsample), *light.shape)


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
    for rows in _bands(light):
        part = light[rows]
        ab = np.zeros((2, *part.shape), np.float32) if colors is None else colors.ab(part, rows.start) * saturation
        lab = np.stack([part, *ab], axis=-1)
        result[rows] = lab_to_rgb16(lab) if wide else lab_to_rgb(lab)
    return result


def _bands(light: Grid) -> Iterator[slice]:
    height, width = light.shape
    rows = max(1, BAND_PIXELS // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


def _shrunk(light: Grid, size: tuple[int, ...], resampling: Image.Resampling) -> Grid:
    return np.asarray(Image.fromarray(np.ascontiguousarray(light)).resize((size[1], size[0]), resampling))


def _square(light: Grid, size: int) -> Grid:
    """What the network sees, float32 (1, size, size): bicubic, as in training and prediction."""
    return np.clip(_shrunk(light, (size, size), Image.Resampling.BICUBIC), 0, 100)[None]


def _tiled_grid(light: Grid, network: Network, size: int) -> Grid:
    """Colors of an elongated photograph from overlapping squares, each seen unsqueezed, faded into each other."""
    height, width = light.shape
    side, length = min(height, width), max(height, width)
    if length <= SQUARE * side:
        return network(_square(light, size))[0]
    upright = height > width
    count = int(np.ceil((length - side) / ((1 - TILE_OVERLAP) * side))) + 1
    starts = np.linspace(0, length - side, count).round().astype(int)
    grids = []
    for start in starts:  # one at a time: 20 tiles of a panorama need not be in memory together
        part = light[start : start + side] if upright else light[:, start : start + side]
        grid = network(_square(part, size))[0]
        grids.append(grid.transpose(0, 2, 1) if upright else grid)
    cells = grids[0].shape[2]
    total = round(length * cells / side)
    fade = np.minimum(np.arange(cells) + 0.5, cells - np.arange(cells) - 0.5).astype(np.float32)
    colors, weight = np.zeros((2, cells, total), np.float32), np.zeros(total, np.float32)
    for start, grid in zip(starts, grids, strict=True):
        first = min(round(start * cells / side), total - cells)
        colors[:, :, first : first + cells] += grid * fade
        weight[first : first + cells] += fade
    joined = colors / weight
    return np.ascontiguousarray(joined.transpose(0, 2, 1) if upright else joined)
