"""Pixels at another size as other libraries resize them: OpenCV's bilinear filter, and the area filter of TensorFlow.

Published results were made with these, and a score beside them has to be of the same pixels. Written out here, so that
nothing of either library is needed; the tests compare with OpenCV itself.
"""

import numpy as np
import numpy.typing as npt

_ONE = 1 << 11
"""OpenCV's weights of 8-bit pixels are whole numbers of 1 / 2048."""


def resize_opencv_bilinear(pixels: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resize to `size` = (height, width) as `cv2.resize` does by default: bilinear, not antialiased, bit for bit.

    Each pixel is a mean of the four nearest ones, whatever the factor; at half the size in both directions exactly,
    OpenCV takes the mean of four.

    Args:
        pixels: uint8 (H, W, C).
        size: (height, width) wanted, px.

    Returns:
        uint8 (height, width, C).
    """
    height, width = size
    if pixels.shape[:2] == size:
        return pixels
    whole = pixels.astype(np.int32)
    if pixels.shape[:2] == (2 * height, 2 * width):
        four = whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]
        return ((four + 2) >> 2).astype(np.uint8)
    nearer, farther, share = _neighbours(pixels.shape[1], width)
    outside = (nearer < 0) | (farther >= pixels.shape[1])  # columns beyond the border do not count, rows are repeated
    weights, others = _whole_weights(np.where(outside, np.float32(0), share))
    nearer, farther = (side.clip(0, pixels.shape[1] - 1) for side in (nearer, farther))
    rows = whole[:, nearer] * weights[:, None] + whole[:, farther] * others[:, None]
    nearer, farther, share = _neighbours(pixels.shape[0], height)
    weights, others = _whole_weights(share)
    sums = [
        ((rows[side.clip(0, pixels.shape[0] - 1)] >> 4) * weight[:, None, None]) >> 16
        for side, weight in ((nearer, weights), (farther, others))
    ]
    return ((sums[0] + sums[1] + 2) >> 2).clip(0, 255).astype(np.uint8)


def _neighbours(
    length: int, wanted: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The two pixels beside each new center, and the share of the second, in float32 as OpenCV has it."""
    centers = ((np.arange(wanted) + 0.5) * (1.0 / (wanted / length)) - 0.5).astype(np.float32)
    first = np.floor(centers).astype(np.int64)
    return first, first + 1, (centers - first).astype(np.float32)


def _whole_weights(share: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    first, second = (np.rint(part * np.float32(_ONE)).astype(np.int32) for part in (np.float32(1) - share, share))
    return first, second


def resize_area(pixels: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resize to `size` = (height, width) by the area filter, as `tf.image.resize(method="area")`, then rounded.

    A new pixel is the mean of what lies under it, a pixel that lies under it in part counting by that part.

    Args:
        pixels: uint8 (H, W, C).
        size: (height, width) wanted, px.

    Returns:
        uint8 (height, width, C), halves rounded to even.
    """
    if pixels.shape[:2] == size:
        return pixels
    rows = _mean_under(pixels.astype(np.float64), size[0])
    means = _mean_under(rows.swapaxes(0, 1), size[1]).swapaxes(0, 1)
    return np.rint(means).clip(0, 255).astype(np.uint8)


def _mean_under(values: npt.NDArray[np.float64], wanted: int) -> npt.NDArray[np.float64]:
    """Means along the first axis between equal cuts: differences of the running sum, read between its points."""
    length = len(values)
    sums = np.concatenate([np.zeros_like(values[:1]), values.cumsum(axis=0)])
    cuts = np.arange(wanted + 1) * length
    below = cuts // wanted
    part = ((cuts % wanted) / wanted).reshape(-1, *[1] * (values.ndim - 1))
    above = np.minimum(below + 1, length)
    at_cuts = sums[below] + part * (sums[above] - sums[below])
    return np.diff(at_cuts, axis=0) * (wanted / length)
