"""The third mode: an object's edge takes the colours that its interior has for the same lightness.

A guided filter (He, Sun, Tang, PAMI 2013, Eq. 5-8 with the mask as weight): in every window ab is a linear function of
L. Here the function is fitted to the interior pixels of one object alone, so that colour that came over the edge has
no say, and it is evaluated on the rest of the object. The interior stays as it is.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Plane = npt.NDArray[np.float64]

EPSILON = 25.0
"""Variance of L (5 units squared) below which a window counts as flat and its mean ab is taken."""


def extend_interior(
    light: Plane, ab: Plane, own: npt.NDArray[np.bool_], interior: npt.NDArray[np.bool_], radius: int
) -> Plane:
    """(a, b) of one object's edge, extended from its interior.

    Args:
        light: float64 (h, w), L in [0, 100], the guide.
        ab: float64 (h, w, 2), CIELAB units; read in the interior only.
        own: bool (h, w), the object.
        interior: bool (h, w), its interior, at least one pixel.
        radius: windows have the side 2 * radius + 1.

    Returns:
        float64 (N, 2): (a, b) of the pixels `own & ~interior`, in their order, within the range of the interior's. A
        pixel too far from the interior for any window takes the fit over the whole interior.
    """
    weight = interior.astype(np.float64)
    count = _window_sum(weight, radius)
    reached = own & (count > 0.5)
    count = np.maximum(count, 1)
    mean_light = _window_sum(weight * light, radius) / count
    variance = np.maximum(_window_sum(weight * light * light, radius) / count - mean_light**2, 0)
    edge = own & ~interior
    windows = _window_sum(reached.astype(np.float64), radius)[edge]
    inside_light, inside_ab = light[interior], ab[interior]
    extended = np.empty((int(edge.sum()), 2))
    for channel in range(2):
        values = np.where(interior, ab[..., channel], 0.0)
        mean = _window_sum(values, radius) / count
        slope = (_window_sum(values * light, radius) / count - mean * mean_light) / (variance + EPSILON)
        offset = mean - slope * mean_light
        slope_sum = _window_sum(np.where(reached, slope, 0.0), radius)[edge]
        offset_sum = _window_sum(np.where(reached, offset, 0.0), radius)[edge]
        near = (slope_sum * light[edge] + offset_sum) / np.maximum(windows, 1)
        centred = inside_light - inside_light.mean()
        over_all = (centred * inside_ab[:, channel]).mean() / ((centred**2).mean() + EPSILON)
        far = inside_ab[:, channel].mean() + over_all * (light[edge] - inside_light.mean())
        value = np.where(windows > 0.5, near, far)
        extended[:, channel] = value.clip(inside_ab[:, channel].min(), inside_ab[:, channel].max())
    return extended


def _window_sum(plane: Plane, radius: int) -> Plane:
    """Sum over the square window around each pixel; nothing lies beyond the array's border."""
    side = 2 * radius + 1
    return ndimage.uniform_filter(plane, side, mode="constant") * side**2
