"""Elongated photographs in overlapping squares, each seen unsqueezed, faded into each other."""

import numpy as np

from pipeline.color.upsampling import Grid
from pipeline.inference.predictor import Predictor

OVERLAP = 0.25
"""Of neighbouring tiles, at least, as a share of their side."""
SQUARE = 1.1
"""Up to this ratio of its sides a photograph is one tile."""


def tiled_grid(light: Grid, predictor: Predictor) -> Grid:
    """The colors of a photograph whose sides differ much.

    Args:
        light: float32 (H, W), L in [0, 100].
        predictor: gives the colors of squares.

    Returns:
        float32 (2, h, w), (a, b) in CIELAB units; as many cells across the shorter side as the predictor has.
    """
    height, width = light.shape
    side, length = min(height, width), max(height, width)
    if length <= SQUARE * side:
        return predictor.predict_one(light)
    upright = height > width
    count = int(np.ceil((length - side) / ((1 - OVERLAP) * side))) + 1
    starts = np.linspace(0, length - side, count).round().astype(int)
    grids = []
    for start in starts:  # one at a time: 20 tiles of a panorama need not be in memory together
        part = light[start : start + side] if upright else light[:, start : start + side]
        grid = predictor.predict_one(part)
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
