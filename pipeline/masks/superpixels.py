"""Segmenters that need no weights: scikit-image's partitions of the grey photograph."""

import numpy as np
import numpy.typing as npt
from skimage import segmentation

from pipeline.images.resizing import resize
from pipeline.masks.rle import Segment, segments_of_labels
from pipeline.settings.sections import Felzenszwalb, Slic


def reduced(grey: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Scale a photograph down until its longer side has at most `size` pixels; smaller ones stay as they are.

    Args:
        grey: uint8 (H, W).
        size: pixels.

    Returns:
        uint8 (h, w), antialiased.
    """
    height, width = grey.shape
    longer = max(height, width)
    if longer <= size:
        return grey
    return resize(grey, (max(1, round(height * size / longer)), max(1, round(width * size / longer))), "lanczos")


def felzenszwalb(grey: npt.NDArray[np.uint8], image_id: str, settings: Felzenszwalb) -> list[Segment]:
    """Graph-based regions (Felzenszwalb & Huttenlocher, IJCV 2004) of the photograph at a reduced size.

    Args:
        grey: uint8 (H, W).
        image_id: not needed here.
        settings: `size` of the longer side, and scikit-image's `scale`, `sigma`, `min_size` at that size.

    Returns:
        Masks that together cover the photograph.
    """
    labels = segmentation.felzenszwalb(
        reduced(grey, settings.size), scale=settings.scale, sigma=settings.sigma, min_size=settings.min_size
    )
    return segments_of_labels(labels, grey.shape)


def slic(grey: npt.NDArray[np.uint8], image_id: str, settings: Slic) -> list[Segment]:
    """Compact superpixels (SLIC, Achanta et al., PAMI 2012) of the photograph at a reduced size.

    Args:
        grey: uint8 (H, W).
        image_id: not needed here.
        settings: `size` of the longer side, the number of `segments`, `compactness` for grey in [0, 1], `sigma`.

    Returns:
        Masks that together cover the photograph.
    """
    labels = segmentation.slic(
        reduced(grey, settings.size),
        n_segments=settings.segments,
        compactness=settings.compactness,
        sigma=settings.sigma,
        channel_axis=None,
        start_label=0,
    )
    return segments_of_labels(labels, grey.shape)
