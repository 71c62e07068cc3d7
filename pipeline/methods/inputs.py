"""What a network is shown of a photograph, and what it should find: one way for training, validation and prediction.

A network sees L alone, so L comes first and is resized afterwards: a color photograph and its grey version give the
same input, which they would not if colors were averaged before L is taken. The truth of an output position is the mean
color of the pixels that it stands for, rounded to 8 bits, so that the exact table gives its class.
"""

import numpy as np
import numpy.typing as npt

from pipeline.images.resizing import resize

Box = tuple[float, float, float, float]
"""Left, upper, right, lower edge of a part of a photograph, in px, not rounded."""
Plane = npt.NDArray[np.float32]


def network_light(light: Plane, size: int, box: Box | None = None) -> Plane:
    """The lightness of a photograph, or of a part of it, squeezed to the square that a network sees.

    Args:
        light: float32 (H, W), L in [0, 100].
        size: side of the square, px.
        box: which part; None for all of it.

    Returns:
        float32 (size, size), L in [0, 100], bicubic with antialiasing.
    """
    return np.clip(resize(light, (size, size), "bicubic", box), 0.0, 100.0)


def true_colors(rgb: npt.NDArray[np.uint8], cells: int, box: Box | None = None) -> npt.NDArray[np.uint8]:
    """The mean color of each output position: what a perfect network would find.

    Args:
        rgb: uint8 (H, W, 3), the photograph in color.
        cells: output positions in each direction, the network's input size over its stride.
        box: which part; None for all of it.

    Returns:
        uint8 (cells, cells, 3), sRGB.
    """
    return resize(rgb, (cells, cells), "box", box)
