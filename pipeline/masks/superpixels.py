"""Segmenters that need no weights: scikit-image's partitions of the grey photograph."""

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from pipeline.images.resizing import resize
from pipeline.masks.rle import Segment, segments_of_labels
from pipeline.masks.segmenter import Segmenter
from pipeline.settings.sections import Positive


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


class Felzenszwalb(Segmenter):
    """Graph-based regions (Felzenszwalb & Huttenlocher, IJCV 2004) that together cover the photograph.

    Attributes:
        size: px of the longer side at which it is segmented.
        scale: the larger, the larger the regions; this and what follows at that size, as in scikit-image.
        sigma: of the Gaussian before.
        min_size: pixels of the smallest region.
    """

    kind: Literal["felzenszwalb"] = "felzenszwalb"
    size: Positive = 400
    scale: Annotated[float, Field(gt=0)] = 300.0
    sigma: Annotated[float, Field(ge=0)] = 1.0
    min_size: Positive = 150

    def segment(self, grey: npt.NDArray[np.uint8], image_id: str) -> list[Segment]:
        """As `Segmenter.segment`; the name is not needed."""
        from skimage.segmentation import felzenszwalb

        small = reduced(grey, self.size)
        labels = felzenszwalb(small, scale=self.scale, sigma=self.sigma, min_size=self.min_size)
        return segments_of_labels(labels, grey.shape)


class Slic(Segmenter):
    """Compact superpixels (SLIC, Achanta et al., PAMI 2012) that together cover the photograph.

    Attributes:
        size: px of the longer side at which it is segmented.
        segments: about how many there are.
        compactness: the larger, the squarer; for grey in [0, 1].
        sigma: of the Gaussian before, px at that size.
    """

    kind: Literal["slic"] = "slic"
    size: Positive = 320
    segments: Positive = 60
    compactness: Annotated[float, Field(gt=0)] = 0.1
    sigma: Annotated[float, Field(ge=0)] = 1.0

    def segment(self, grey: npt.NDArray[np.uint8], image_id: str) -> list[Segment]:
        """As `Segmenter.segment`; the name is not needed."""
        from skimage.segmentation import slic

        labels = slic(
            reduced(grey, self.size),
            n_segments=self.segments,
            compactness=self.compactness,
            sigma=self.sigma,
            channel_axis=None,
            start_label=0,
        )
        return segments_of_labels(labels, grey.shape)
