"""The colour conversions on torch tensors of any device; imported only when a tensor arrives, as torch loads slowly."""

import functools

import numpy as np
import torch

from pipeline.color.lab import LINEAR_VALUES, RGB_TO_XYZ, WHITE, lab_table


@functools.cache
def _linear_values(device: torch.device) -> torch.Tensor:
    return torch.as_tensor(LINEAR_VALUES, dtype=torch.float32, device=device)


@functools.cache
def _table(device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.array(lab_table()).view(np.int16)).to(device)


def _linear(rgb: torch.Tensor) -> torch.Tensor:
    """Linear light of each channel; `index_select` is many times faster here than indexing."""
    return _linear_values(rgb.device).index_select(0, rgb.reshape(-1).int()).view(rgb.shape)


def lab_cells(rgb: torch.Tensor) -> torch.Tensor:
    """The table's packed unit cell of (a, b) for each colour.

    Args:
        rgb: uint8 (..., 3) on any device.

    Returns:
        int64 (...) in [0, 65536): (floor(a) + 128) << 8 | (floor(b) + 128), the same as `lab_table` gives on the CPU.
    """
    index = rgb[..., 0].int() << 16 | rgb[..., 1].int() << 8 | rgb[..., 2].int()
    return _table(rgb.device).index_select(0, index.reshape(-1)).view(index.shape).long() & 0xFFFF


def rgb_to_lab(rgb: torch.Tensor) -> torch.Tensor:
    """scikit-image's formula in float32.

    Args:
        rgb: uint8 (..., 3) on any device.

    Returns:
        float32 (..., 3): L in [0, 100], a and b in CIELAB units.
    """
    matrix = torch.as_tensor((RGB_TO_XYZ / WHITE[:, None]).T, dtype=torch.float32, device=rgb.device)
    xyz = _linear(rgb) @ matrix
    x, y, z = torch.where(xyz > 0.008856, xyz.clamp_min(1e-9) ** (1 / 3), 7.787 * xyz + 16 / 116).unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-1)


def lightness(rgb: torch.Tensor) -> torch.Tensor:
    """L of each colour.

    Args:
        rgb: uint8 (..., 3) on any device.

    Returns:
        float32 (...), L in [0, 100].
    """
    weights = torch.as_tensor(RGB_TO_XYZ[1], dtype=torch.float32, device=rgb.device)
    luminance = _linear(rgb) @ weights
    return torch.where(luminance > 0.008856, 116 * luminance.clamp_min(1e-9) ** (1 / 3) - 16, 116 * 7.787 * luminance)
