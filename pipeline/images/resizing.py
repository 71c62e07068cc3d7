"""Pixels at another size, by Pillow's antialiased filters."""

import numpy as np
from PIL import Image

_RESAMPLING = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "box": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}


def resize(
    pixels: np.ndarray,
    size: tuple[int, int],
    resampling: str = "bicubic",
    box: tuple[float, float, float, float] | None = None,
) -> np.ndarray:
    """Resize to `size` = (height, width), antialiased (Pillow's convolution filters).

    Args:
        pixels: uint8 (H, W, 3) or (H, W), or float32 (H, W).
        size: (height, width) wanted, px.
        resampling: bicubic, bilinear, box or lanczos.
        box: left, upper, right, lower edge of the part to be resized, in px, not rounded; None for all of it.

    Returns:
        The same kind of pixels, contiguous.

    Raises:
        ValueError: If `resampling` is none of these.
    """
    return np.array(resize_image(Image.fromarray(pixels), size, resampling, box))


def resize_image(
    image: Image.Image,
    size: tuple[int, int],
    resampling: str,
    box: tuple[float, float, float, float] | None = None,
) -> Image.Image:
    """As `resize`, of a Pillow image; one that has this size already comes back as it is.

    Args:
        image: of any mode that Pillow resizes.
        size: (height, width) wanted, px.
        resampling: as for `resize`.
        box: as for `resize`.

    Returns:
        The image at that size.

    Raises:
        ValueError: If `resampling` is none of those.
    """
    if resampling not in _RESAMPLING:
        raise ValueError(f"resampling: got {resampling!r}, takes one of {', '.join(_RESAMPLING)}")
    height, width = size
    if image.size == (width, height) and box is None:
        return image
    return image.resize((width, height), _RESAMPLING[resampling], box)
