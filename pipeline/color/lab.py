"""sRGB and CIE L*a*b* (D65, 2 degree observer), with scikit-image as the one definition of truth (SPEC section 1).

The map from a 24-bit RGB triple to (a, b) is a pure function with 2^24 inputs, so a table made once from
`skimage.color.rgb2lab` is exact. It holds floor(a) and floor(b): every bin edge of an integer bin size on an integer
shift is an integer, hence floor((a + s) / w) = (floor(a) + s) // w, and 33 MB serve every class space.
"""

import functools
import sys
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt
from skimage.color import rgb2lab

from pipeline.machine.cache import cached_table

if TYPE_CHECKING:
    import torch

TABLE_VERSION = 1
COLORS = 1 << 24
OFFSET = 128
"""Makes floor(a) and floor(b) fit a byte: over all 8-bit sRGB a is in [-86.2, 98.3], b in [-107.9, 94.5]."""

# the matrices and the white point of skimage.color, so that the fast paths below compute the same function
RGB_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
WHITE = np.array([0.95047, 1.0, 1.08883])
VALUES = np.arange(256) / 255.0
LINEAR_VALUES = np.where(VALUES > 0.04045, ((VALUES + 0.055) / 1.055) ** 2.4, VALUES / 12.92)
"""Linear light of the 256 levels of an sRGB channel, float64 (256,), in [0, 1] (IEC 61966-2-1)."""
CHUNK = 1 << 15
"""Pixels converted at a time by `lab_to_rgb`: the float64 intermediates stay in the processor's cache."""


def _build_table() -> npt.NDArray[np.uint16]:
    table = np.empty((256, 256, 256), np.uint16)
    green, blue = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8), indexing="ij")
    for red in range(256):
        plane = np.stack([np.full_like(green, red), green, blue], axis=-1)
        floors = (np.floor(rgb2lab(plane)[..., 1:]) + OFFSET).astype(np.uint16)
        table[red] = floors[..., 0] << 8 | floors[..., 1]
    return table.reshape(COLORS)


@functools.cache
def lab_table() -> npt.NDArray[np.uint16]:
    """The (a, b) unit cell of every 8-bit sRGB colour.

    The table is built once (about three seconds) and kept in the machine's cache, see `cached_table`.

    Returns:
        uint16 array (2^24,), memory-mapped and read-only, indexed by red << 16 | green << 8 | blue. The high byte is
        floor(a) + 128, the low byte floor(b) + 128. Source: SPEC section 1.
    """
    return cached_table(f"lab-{TABLE_VERSION}", (COLORS,), np.dtype(np.uint16), _build_table)


def rgb_index(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """The table index of each colour.

    Args:
        rgb: uint8 (..., 3), sRGB.

    Returns:
        intp (...), red << 16 | green << 8 | blue: the type that look-ups take without a conversion.
    """
    index = np.zeros(rgb.shape[:-1], np.intp)
    octets = index.view(np.uint8).reshape(*index.shape, index.itemsize)
    if sys.byteorder == "big":
        octets = octets[..., ::-1]
    octets[..., 2], octets[..., 1], octets[..., 0] = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    return index


@overload
def rgb_to_lab(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]: ...
@overload
def rgb_to_lab(rgb: "torch.Tensor") -> "torch.Tensor": ...
def rgb_to_lab(rgb: "npt.NDArray[np.uint8] | torch.Tensor") -> "npt.NDArray[np.float32] | torch.Tensor":
    """CIE L*a*b* of 8-bit sRGB.

    Args:
        rgb: uint8 (..., 3), a numpy array or a tensor on any device.

    Returns:
        float32 (..., 3) of the same kind: L in [0, 100], a and b in CIELAB units. Arrays go through scikit-image in
        float64; tensors through the same formula in float32 (largest difference seen: 6e-5).
    """
    if isinstance(rgb, np.ndarray):
        return rgb2lab(rgb).astype(np.float32)
    from pipeline.color import tensors

    return tensors.rgb_to_lab(rgb)


@overload
def lightness(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]: ...
@overload
def lightness(rgb: "torch.Tensor") -> "torch.Tensor": ...
def lightness(rgb: "npt.NDArray[np.uint8] | torch.Tensor") -> "npt.NDArray[np.float32] | torch.Tensor":
    """L of 8-bit sRGB: what a colorization method is given.

    Args:
        rgb: uint8 (..., 3), a numpy array or a tensor on any device.

    Returns:
        float32 (...) of the same kind, L in [0, 100] (SPEC section 1), within 2e-5 of scikit-image.
    """
    if not isinstance(rgb, np.ndarray):
        from pipeline.color import tensors

        return tensors.lightness(rgb)
    red, green, blue = (LINEAR_VALUES * weight for weight in RGB_TO_XYZ[1])
    luminance = red[rgb[..., 0]] + green[rgb[..., 1]] + blue[rgb[..., 2]]
    light = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 116 * 7.787 * luminance)
    return light.astype(np.float32)


@functools.cache
def _gamma_steps() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """For each cell of width 2^-14 of linear light the 8-bit level at its start, and where each level ends.

    A level of the steepest part of the curve is five cells wide, so a cell holds at most one end: one look-up and one
    comparison give the rounded level exactly.
    """
    middle = (np.arange(255) + 0.5) / 255
    ends = np.where(middle > 0.0031308 * 12.92, ((middle + 0.055) / 1.055) ** 2.4, middle / 12.92)
    starts = np.arange((1 << 14) + 1) / (1 << 14)
    return np.searchsorted(ends, starts, side="left").astype(np.uint8), np.append(ends, np.inf)


def lab_to_rgb(lab: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """The 8-bit sRGB nearest to CIE L*a*b*, colours outside the gamut clipped channel by channel.

    Args:
        lab: float (..., 3), L in [0, 100], a and b in CIELAB units.

    Returns:
        uint8 (..., 3): `round(255 * clip(skimage.color.lab2rgb(lab)))`, computed in float64.

    Raises:
        ValueError: if a value is not finite.
    """
    flat = np.ascontiguousarray(lab).reshape(-1, 3)
    if not np.isfinite(flat).all():
        raise ValueError("Lab values have to be finite")
    rgb = np.empty(flat.shape, np.uint8)
    for start in range(0, len(flat), CHUNK):
        part = slice(start, start + CHUNK)
        rgb[part] = _chunk_to_rgb(flat[part].astype(np.float64))
    return rgb.reshape(lab.shape)


def _chunk_to_rgb(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    y = (lab[:, 0] + 16) / 116
    f = np.stack([lab[:, 1] / 500 + y, y, np.maximum(y - lab[:, 2] / 200, 0)], axis=0)
    xyz = np.where(f > 0.2068966, f * f * f, (f - 16 / 116) / 7.787) * WHITE[:, None]
    linear = np.clip(np.linalg.inv(RGB_TO_XYZ) @ xyz, 0, 1)
    levels, ends = _gamma_steps()
    level = levels[(linear * (1 << 14)).astype(np.int32)]
    return (level + (linear > ends[level])).astype(np.uint8).T


def lab_to_rgb16(lab: npt.NDArray[np.floating]) -> npt.NDArray[np.uint16]:
    """The 16-bit sRGB nearest to CIE L*a*b*, colors outside the gamut clipped channel by channel.

    Args:
        lab: float (..., 3), L in [0, 100], a and b in CIELAB units.

    Returns:
        uint16 (..., 3): `round(65535 * clip(skimage.color.lab2rgb(lab)))`.

    Raises:
        ValueError: if a value is not finite.
    """
    if not np.isfinite(lab).all():
        raise ValueError("Lab values have to be finite")
    y = (lab[..., 0].astype(np.float64) + 16) / 116
    f = np.stack([lab[..., 1] / 500 + y, y, np.maximum(y - lab[..., 2] / 200, 0)], axis=-1)
    xyz = np.where(f > 0.2068966, f * f * f, (f - 16 / 116) / 7.787) * WHITE
    linear = np.clip(xyz @ np.linalg.inv(RGB_TO_XYZ).T, 0, 1)
    values = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return np.round(values * 65535).astype(np.uint16)


@functools.cache
def _light_of_16_bits() -> npt.NDArray[np.float32]:
    """L of the 65,536 levels of 16-bit grey, float32."""
    value = np.arange(65536) / 65535
    linear = np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
    return np.where(linear > 0.008856, 116 * np.cbrt(linear) - 16, 116 * 7.787 * linear).astype(np.float32)


def lightness16(gray: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """L of 16-bit grey on the sRGB curve.

    Args:
        gray: uint16 (...).

    Returns:
        float32 (...), L in [0, 100].
    """
    return _light_of_16_bits()[gray]
