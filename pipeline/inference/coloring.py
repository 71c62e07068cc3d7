"""One photograph's colours: found small by a network or the truth, joined at full size with its own lightness."""

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from pipeline.color.lab import lab_to_rgb
from pipeline.color.readouts import READOUTS
from pipeline.color.space import ColorSpace
from pipeline.images.decode import resize
from pipeline.inference.upsampling import ColorRows, Grid, color_lines
from pipeline.machine.devices import mixed_precision
from pipeline.metrics.class_metrics import share_within, true_class_ranks
from pipeline.models.network import AB_SCALE
from pipeline.settings.sections import Method
from pipeline.training.state import Model

BAND = 256
"""Rows converted at a time at full size, so that memory stays bounded."""


def shrink_light(light: Grid, size: int) -> Grid:
    """The lightness of a whole photograph, squeezed to the square that the network sees.

    Args:
        light: float32 (H, W), L in [0, 100].
        size: px.

    Returns:
        float32 (size, size), L in [0, 100], bicubic with antialiasing.
    """
    small = Image.fromarray(light).resize((size, size), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(small), 0.0, 100.0)


def network_grids(model: Model, lights: Grid, precision: str = "auto") -> Grid:
    """The network's colours for a batch.

    Args:
        model: as `load_model` gives it, on any device.
        lights: float32 (N, size, size), L in [0, 100].
        precision: as `devices.mixed_precision`.

    Returns:
        float32 (N, 2, size / 4, size / 4), (a, b) in CIELAB units.
    """
    return look(model, lights, None, precision)[0]


def to_ab(output: torch.Tensor, method: Method, space: ColorSpace | None) -> torch.Tensor:
    """The colours that a network's output stands for.

    Args:
        output: float (N, Q, H, W) class scores, or (N, 2, H, W) ab / AB_SCALE.
        method: read-out and temperature are read.
        space: its classes; None for a regression.

    Returns:
        float32 (N, 2, H, W), (a, b) in CIELAB units.
    """
    if space is None:
        return output.float() * AB_SCALE
    return READOUTS[method.readout](output.float(), space, method.temperature)


@torch.inference_mode()
def look(
    model: Model, lights: Grid, classes: npt.NDArray[np.int32] | None, precision: str = "auto"
) -> tuple[Grid, npt.NDArray[np.float64] | None]:
    """The network's colours for a batch, and how often its class scores hit the truth.

    Args:
        model: as `load_model` gives it, on any device.
        lights: float32 (N, size, size), L in [0, 100].
        classes: int32 (N, size / 4, size / 4), the truth's kept indices; None where there is no truth or no class.
        precision: as `devices.mixed_precision`.

    Returns:
        float32 (N, 2, size / 4, size / 4), (a, b) in CIELAB units, and float64 (N, 2), top-1 and top-5 accuracy in
        percent, or None. Where the network puts out a value that is not finite, all of the photograph's are nan: an
        arg max would make a color of it.
    """
    device = next(model.network.parameters()).device
    batch = torch.from_numpy(lights).unsqueeze(1).to(device)
    with mixed_precision(device, precision):
        output = model.network(batch)
    output = output.float()
    grids = to_ab(output, model.method, model.space).cpu().numpy()
    broken = ~output.sum((1, 2, 3)).isfinite().cpu().numpy()  # one value that is not finite makes the sum so
    grids[broken] = np.nan
    if classes is None:
        return grids, None
    truth = torch.from_numpy(classes).long().to(device)
    ranks = true_class_ranks(output, truth)
    hits = np.stack([share_within(ranks, k) for k in (1, 5)], axis=1)
    hits[broken] = np.nan
    return grids, hits


def true_classes(rgb: npt.NDArray[np.uint8], space: ColorSpace, side: int) -> npt.NDArray[np.int32]:
    """The kept class of each cell's mean colour: what a perfect classifier would give.

    Args:
        rgb: uint8 (H, W, 3), the photograph in colour.
        space: its classes.
        side: cells of the grid in each direction.

    Returns:
        int32 (side, side), kept indices.
    """
    return space.to_kept(space.encode(resize(rgb, (side, side), "box")))


def oracle_grid(rgb: npt.NDArray[np.uint8], space: ColorSpace, side: int) -> Grid:
    """The truth as a perfect classifier would give it: the kept class of each cell's mean colour, decoded.

    Args:
        rgb: uint8 (H, W, 3), the photograph in colour.
        space: its classes.
        side: cells of the grid in each direction.

    Returns:
        float32 (2, side, side), (a, b) in CIELAB units.
    """
    return space.decode_kept(true_classes(rgb, space, side)).transpose(2, 0, 1)


def join(light: Grid, grid: Grid, upsample: str) -> npt.NDArray[np.uint8]:
    """A photograph's own lightness with colours from a small grid.

    Args:
        light: float32 (H, W), L in [0, 100].
        grid: float32 (2, h, w), (a, b) in CIELAB units.
        upsample: "bilinear" or "guided", see `upsampling.color_lines`.

    Returns:
        uint8 (H, W, 3), sRGB.
    """
    height, width = light.shape
    cells = Image.fromarray(light).resize((grid.shape[2], grid.shape[1]), Image.Resampling.BOX)
    colors = ColorRows(color_lines(np.asarray(cells), grid, upsample), height, width)
    rgb = np.empty((height, width, 3), np.uint8)
    for start in range(0, height, BAND):
        part = light[start : start + BAND]
        lab = np.concatenate([part[None], colors.ab(part, start)])
        rgb[start : start + BAND] = lab_to_rgb(lab.transpose(1, 2, 0))
    return rgb
