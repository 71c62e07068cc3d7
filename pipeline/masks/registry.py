"""The segmenters, by the name that `masks.segmenter` takes. To add one is to add a module and a line here."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.masks.annotations import annotated_segments
from pipeline.masks.rle import Segment
from pipeline.masks.superpixels import felzenszwalb, slic
from pipeline.settings.sections import Masks, Sam

Segmenter = Callable[[npt.NDArray[np.uint8], str, Any], list[Segment]]
"""(grey uint8 (H, W), image_id, the segmenter's own settings) -> masks of size (H, W), which may overlap.

It sees neither colours nor model nor classes, so its masks serve every method. It raises `NotSegmented` for a
photograph that has to go without masks, and `UserError` for what stops the whole run.
"""


def _segment_anything(grey: npt.NDArray[np.uint8], image_id: str, settings: Sam) -> list[Segment]:
    from pipeline.masks.sam import segment_anything  # loads torch, which the other segmenters do without

    return segment_anything(grey, image_id, settings)


SEGMENTERS: dict[str, Segmenter] = {
    "felzenszwalb": felzenszwalb,
    "slic": slic,
    "sam": _segment_anything,
    "masks": annotated_segments,
}


def segmenter_settings(settings: Masks) -> Any:
    """The part of the settings that the chosen segmenter takes.

    Args:
        settings: the section `masks`.

    Returns:
        The section of the segmenter's name; for `masks` the path of the annotations.
    """
    return settings.annotations if settings.segmenter == "masks" else getattr(settings, settings.segmenter)
