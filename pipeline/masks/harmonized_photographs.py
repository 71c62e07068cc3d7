"""Objects found and harmonized in one photograph that belongs to no set."""

import numpy as np
import numpy.typing as npt

from pipeline.color.shades import grey_image
from pipeline.color.space import ColorSpace
from pipeline.masks.harmonization import harmonize
from pipeline.masks.harmonized_sets import selection_of
from pipeline.masks.objects import canonical_order, label_objects, select_objects
from pipeline.masks.rle import NotSegmented
from pipeline.masks.segmenter import chosen_segmenter
from pipeline.settings.mask_entries import Masks
from pipeline.settings.sections import Harmonize


def harmonize_photograph(
    colored: npt.NDArray[np.uint8],
    original: npt.NDArray[np.uint8],
    masks: Masks,
    settings: Harmonize,
    space: ColorSpace,
) -> npt.NDArray[np.uint8]:
    """Keep the colors of a photograph inside its objects.

    Args:
        colored: uint8 (H, W, 3), the colorized photograph.
        original: uint8 (H, W, 3), the photograph; only its L is used.
        masks: how objects are found.
        settings: how they are harmonized.
        space: the classes that colors are counted in.

    Returns:
        uint8 (H, W, 3), as `harmonization.harmonize`; a photograph without objects as it was.

    Raises:
        NotSegmented: if it has more than `masks.max_megapixels`, or the segmenter goes without it.
        PromptOutside: if a point or box of the selection lies outside of it.
        UserError: if the segmenter cannot run.
    """
    height, width = original.shape[:2]
    megapixels = height * width / 1e6
    if megapixels > masks.max_megapixels:
        limit = f"masks.max_megapixels is {masks.max_megapixels:g}"
        raise NotSegmented("too_large", f"{megapixels:.1f} megapixels to harmonize, {limit}")
    segments = chosen_segmenter(masks).segment(grey_image(original), "")
    kept = [one for one in segments if one.area > 0 and one.area >= masks.min_area * height * width]
    labels = select_objects(label_objects(canonical_order(kept), height, width), selection_of(settings))
    return harmonize(colored, original, labels, space, settings)
