"""The colour conversions of `lab` on tensors of any device, in float32.

Never a matrix product: on a GPU that would be one of ten-bit factors wherever training has allowed it.
"""

import functools

import numpy as np
import torch

from pipeline.color.constants import RGB_TO_XYZ, WHITE, lab_curve, product
from pipeline.color.lab import LINEAR_VALUES, lab_table


@functools.cache
def _linear_values(device: torch.device) -> torch.Tensor:
    return torch.as_tensor(LINEAR_VALUES, dtype=torch.float32, device=device)


@functools.cache
def _table(device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.array(lab_table()).view(np.int16)).to(device)


def _linear(rgb: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Linear light of red, green and blue; `index_select` is many times faster here than indexing."""
    values = _linear_values(rgb.device)
    return tuple(values.index_select(0, channel.reshape(-1).int()).view(channel.shape) for channel in rgb.unbind(-1))


def lab_cells(rgb: torch.Tensor) -> torch.Tensor:
    """The table's packed unit cell of (a, b) for each colour.

    Args:
        rgb: uint8 (..., 3) on any device.

    Returns:
        int64 (...) in [0, 65536): (floor(a) + 128) << 8 | (floor(b) + 128), the same as `lab_table` gives on the CPU.
    """
    index = rgb[..., 0].int() << 16 | rgb[..., 1].int() << 8 | rgb[..., 2].int()
    return _table(rgb.device).index_select(0, index.reshape(-1)).view(index.shape).long() & 0xFFFF


def tensor_lab(rgb: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """CIE L*a*b* of 8-bit sRGB.

    Args:
        rgb: uint8 (..., 3) on any device.
        dim: where the answer has its channels.

    Returns:
        float32 (..., 3), or with the channels at `dim`: L in [0, 100], a and b in CIELAB units; within 2e-4 of
        scikit-image. The last digits are the device's: powers are its own.
    """
    x, y, z = (lab_curve(share) for share in product(RGB_TO_XYZ / WHITE[:, None], _linear(rgb)))
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=dim)
