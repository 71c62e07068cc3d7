"""sRGB and CIE L*a*b* (D65, 2 degree observer) as formulas, for arrays and tensors alike (SPEC section 1).

The matrix, the white point and the thresholds are those of skimage.color (IEC 61966-2-1; CIE 15). Each curve is written
here once. Tensors take their library's powers. Arrays take powers made of `+ - * /` alone: numpy's own have other last
digits on other processors, and what the graph keeps may not depend on one.
"""

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    Plane = TypeVar("Plane", npt.NDArray[np.float64], torch.Tensor)

RGB_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
"""Linear light of sRGB's primaries to CIE XYZ, float64 (3, 3)."""
XYZ_TO_RGB = np.array(
    [
        [3.2404813432005266, -1.5371515162713183, -0.4985363261688879],
        [-0.9692549499965682, 1.8759900014898907, 0.04155592655829282],
        [0.055646639135177145, -0.20404133836651123, 1.0573110696453443],
    ]
)
"""Its inverse, each entry the float64 nearest to the exact one."""
WHITE = np.array([0.95047, 1.0, 1.08883])
"""XYZ of the white point D65."""
LAB_KNEE, LAB_SLOPE, LAB_START = 0.008856, 7.787, 16 / 116
"""The cube root of L*a*b* becomes a line of this slope and start below this share of white's X, Y or Z."""
AB_SCALE = 128.0
"""Losses and regressions see ab over this, so that it has the size the default initialisation expects."""
LARGEST_AB = 110.0
"""What networks that bound ab by tanh reach at most, in CIELAB units (richzhang/colorization, pix2pix)."""
_LEAST = 1e-30
"""What `_root` takes smaller values for; the curves use roots of far larger ones only."""


def linear_light(level: "Plane") -> "Plane":
    """Linear light of an sRGB channel (IEC 61966-2-1).

    Args:
        level: float64 array or float tensor (...), in [0, 1]; 255 times it is the 8-bit level.

    Returns:
        The same kind (...), in [0, 1].
    """
    return _select(level > 0.04045, _power((level + 0.055) / 1.055, 12, 5), level / 12.92)


def srgb_level(linear: "Plane") -> "Plane":
    """The sRGB level of linear light: the inverse of `linear_light`.

    Args:
        linear: float64 array or float tensor (...), in [0, 1].

    Returns:
        The same kind (...), in [0, 1].
    """
    return _select(linear > 0.0031308, 1.055 * _power(linear, 5, 12) - 0.055, 12.92 * linear)


def lab_curve(share: "Plane") -> "Plane":
    """f of CIE 1976: L = 116 f(Y) - 16, a = 500 (f(X) - f(Y)), b = 200 (f(Y) - f(Z)).

    Args:
        share: float64 array or float tensor (...), X, Y or Z over that of white, at least 0.

    Returns:
        The same kind (...), at least 16 / 116.
    """
    return _select(share > LAB_KNEE, _power(share, 1, 3), LAB_SLOPE * share + LAB_START)


def lab_curve_inverse(value: "Plane") -> "Plane":
    """X, Y or Z over that of white, from the value of `lab_curve`.

    Args:
        value: float64 array or float tensor (...).

    Returns:
        The same kind (...).
    """
    return _select(value > 0.2068966, value * value * value, (value - LAB_START) / LAB_SLOPE)


def level_of_lightness(light: "Plane") -> "Plane":
    """The sRGB level of the grey that has a given lightness: L of a colour with r = g = b, inverted.

    Args:
        light: float64 array or float tensor (...), L in [0, 100].

    Returns:
        The same kind (...), in [0, 1]; 255 times it is the 8-bit level.
    """
    return srgb_level(lab_curve_inverse((light + 16) / 116))


def product(matrix: npt.NDArray[np.float64], planes: "tuple[Plane, ...]") -> "tuple[Plane, ...]":
    """A 3 x 3 matrix times colours whose channels are separate, in one order of summation and without BLAS.

    Args:
        matrix: float64 (3, 3).
        planes: three arrays or tensors of one shape.

    Returns:
        Three of the same kind and shape.
    """
    first, second, third = planes
    return tuple(first * float(row[0]) + second * float(row[1]) + third * float(row[2]) for row in matrix)


def _select(condition: Any, chosen: "Plane", other: "Plane") -> "Plane":
    if isinstance(chosen, np.ndarray):
        return np.where(condition, chosen, other)
    return chosen.where(condition, other)


def _power(value: "Plane", numerator: int, denominator: int) -> "Plane":
    """value ^ (numerator / denominator) for values above `_LEAST`; to about 1e-15 for arrays."""
    if not isinstance(value, np.ndarray):
        return value ** (numerator / denominator)
    whole, rest = divmod(numerator, denominator)
    root = _root(_whole_power(value, rest), denominator)
    return _whole_power(value, whole) * root if whole else root


def _whole_power(value: npt.NDArray[np.float64], exponent: int) -> npt.NDArray[np.float64]:
    result = value if exponent & 1 else None
    while exponent := exponent >> 1:
        value = value * value
        if exponent & 1:
            result = value if result is None else result * value
    assert result is not None
    return result


def _root(value: npt.NDArray[np.float64], degree: int) -> npt.NDArray[np.float64]:
    """Roots of degree 3 to 12 by Halley's iteration.

    A float's bits, read as a whole number, are nearly its logarithm. Divided by the degree they give the root to within
    4 %, and each of the three steps cubes the error.
    """
    value = np.maximum(value, _LEAST)
    start = int((1023 - 1023 / degree - 0.035) * 2**52)
    root = (value.view(np.int64) // degree + start).view(np.float64)
    ratio = (degree + 1) / (degree - 1)
    scaled = ratio * value
    for _ in range(3):
        power = _whole_power(root, degree)
        root *= power + scaled
        power *= ratio
        power += value
        root /= power
    return root
