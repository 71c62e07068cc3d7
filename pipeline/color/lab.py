"""sRGB and CIE L*a*b* of arrays, with scikit-image as the one definition of truth (SPEC section 1).

The map from a 24-bit RGB triple to (a, b) is a pure function with 2^24 inputs, so a table made once from
`skimage.color.rgb2lab` is exact. It holds floor(a) and floor(b): every bin edge of an integer bin size on an integer
shift is an integer, hence floor((a + s) / w) = (floor(a) + s) // w, and 33 MB serve every class space.

scikit-image multiplies by BLAS and takes numpy's powers, whose last digits differ between processors. The table does
not: apart from black, whose a and b are exactly 0, no colour comes nearer to a whole number than 1.2e-9, ten thousand
times what any rounding adds up to. Everything else here is made of the formulas of `constants`, which round alike
everywhere. `tensors` has the same for tensors.
"""

import functools
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from skimage.color import rgb2lab

from pipeline.color.constants import (
    RGB_TO_XYZ,
    WHITE,
    XYZ_TO_RGB,
    lab_curve,
    lab_curve_inverse,
    linear_light,
    product,
    srgb_level,
)
from pipeline.machine.cached_tables import cached_table

TABLE_VERSION = 1
COLORS = 1 << 24
OFFSET = 128
"""Makes floor(a) and floor(b) fit a byte: over all 8-bit sRGB a is in [-86.2, 98.3], b in [-107.9, 94.5]."""

LINEAR_VALUES = linear_light(np.arange(256) / 255.0)
"""Linear light of the 256 levels of an sRGB channel, float64 (256,), in [0, 1] (IEC 61966-2-1)."""
CHUNK = 1 << 15
"""Pixels converted at a time: the float64 intermediates stay in the processor's cache."""


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


def rgb_to_lab(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """CIE L*a*b* of 8-bit sRGB.

    Args:
        rgb: uint8 (..., 3).

    Returns:
        float32 (..., 3): L in [0, 100], a and b in CIELAB units; scikit-image's, computed in float64 and rounded.
    """
    flat = rgb.reshape(-1, 3)
    lab = np.empty(flat.shape, np.float32)
    to_shares = RGB_TO_XYZ / WHITE[:, None]
    for part in _chunks(len(flat)):
        red, green, blue = LINEAR_VALUES.take(flat[part].T)
        x, y, z = lab_curve(np.stack(product(to_shares, (red, green, blue))))
        lab[part, 0], lab[part, 1], lab[part, 2] = 116 * y - 16, 500 * (x - y), 200 * (y - z)
    return lab.reshape(rgb.shape)


def lightness(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """L of 8-bit sRGB: what a colorization method is given.

    Args:
        rgb: uint8 (..., 3).

    Returns:
        float32 (...), L in [0, 100] (SPEC section 1), as `rgb_to_lab` gives it.
    """
    flat = rgb.reshape(-1, 3)
    light = np.empty(len(flat), np.float32)
    red, green, blue = (LINEAR_VALUES * weight for weight in RGB_TO_XYZ[1])
    for part in _chunks(len(flat)):
        some = flat[part]
        light[part] = 116 * lab_curve(red.take(some[:, 0]) + green.take(some[:, 1]) + blue.take(some[:, 2])) - 16
    return light.reshape(rgb.shape[:-1])


@functools.cache
def lightness16() -> npt.NDArray[np.float32]:
    """L of the 65,536 greys of a 16-bit sRGB channel, float32 (65536,), in [0, 100]; read-only."""
    light = (116 * lab_curve(linear_light(np.arange(1 << 16) / 65535.0)) - 16).astype(np.float32)
    light.flags.writeable = False
    return light


def mean_chroma(rgb: npt.NDArray[np.uint8]) -> float:
    """The mean distance of the pixels from the grey axis of CIELAB.

    Args:
        rgb: uint8 (..., 3), sRGB.

    Returns:
        sqrt(a^2 + b^2), averaged; 0 for a grey picture.
    """
    ab = rgb_to_lab(rgb).reshape(-1, 3)[:, 1:].astype(np.float64)
    return float(np.sqrt(ab[:, 0] * ab[:, 0] + ab[:, 1] * ab[:, 1]).mean())


def _chunks(pixels: int) -> Iterator[slice]:
    for start in range(0, pixels, CHUNK):
        yield slice(start, start + CHUNK)


@functools.cache
def _gamma_steps() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """For each cell of width 2^-14 of linear light the 8-bit level at its start, and where each level ends.

    A level of the steepest part of the curve is five cells wide, so a cell holds at most one end: one look-up and one
    comparison give the rounded level exactly.
    """
    ends = linear_light((np.arange(255) + 0.5) / 255)
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
    flat = _finite(lab)
    rgb = np.empty(flat.shape, np.uint8)
    levels, ends = _gamma_steps()
    for part in _chunks(len(flat)):
        for channel, linear in enumerate(_linear(flat[part])):
            level = levels[(linear * (1 << 14)).astype(np.int32)]
            rgb[part, channel] = level + (linear > ends[level])
    return rgb.reshape(lab.shape)


def lab_to_rgb16(lab: npt.NDArray[np.floating]) -> npt.NDArray[np.uint16]:
    """The 16-bit sRGB nearest to CIE L*a*b*, colours outside the gamut clipped channel by channel.

    Args:
        lab: float (..., 3), L in [0, 100], a and b in CIELAB units.

    Returns:
        uint16 (..., 3): `round(65535 * clip(skimage.color.lab2rgb(lab)))`, computed in float64.

    Raises:
        ValueError: if a value is not finite.
    """
    return np.rint(lab_to_srgb(lab) * 65535).astype(np.uint16)


def lab_to_srgb(lab: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The sRGB of CIE L*a*b*, not rounded, colours outside the gamut clipped channel by channel.

    Args:
        lab: float (..., 3), L in [0, 100], a and b in CIELAB units.

    Returns:
        float64 (..., 3) in [0, 1]: `clip(skimage.color.lab2rgb(lab))`.

    Raises:
        ValueError: if a value is not finite.
    """
    flat = _finite(lab)
    srgb = np.empty(flat.shape, np.float64)
    for part in _chunks(len(flat)):
        for channel, linear in enumerate(_linear(flat[part])):
            srgb[part, channel] = srgb_level(linear)
    return srgb.reshape(lab.shape)


def _finite(lab: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    flat = np.ascontiguousarray(lab).reshape(-1, 3)
    if not np.isfinite(flat).all():
        raise ValueError("Lab values have to be finite")
    return flat


def _linear(lab: npt.NDArray[np.floating]) -> list[npt.NDArray[np.float64]]:
    """Linear light of red, green and blue, each float64 (N,) in [0, 1], of Lab values (N, 3)."""
    light, a, b = lab.astype(np.float64).T
    y = (light + 16) / 116
    shares = (a / 500 + y, y, np.maximum(y - b / 200, 0))
    x, y, z = (lab_curve_inverse(share) * float(white) for share, white in zip(shares, WHITE, strict=True))
    return [np.clip(linear, 0, 1) for linear in product(XYZ_TO_RGB, (x, y, z))]
