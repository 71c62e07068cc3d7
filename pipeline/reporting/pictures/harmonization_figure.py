"""What harmonisation did to one photograph, side by side."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from skimage.segmentation import mark_boundaries

from pipeline.color.shades import grey_image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Pixels = npt.NDArray[np.uint8]
MAGNIFIED = 48
"""Side of the square that the second row magnifies, in pixels of the photograph."""
OUTLINE = (1.0, 0.85, 0.0)


def harmonization_panels(
    truth: _Pixels, raw: _Pixels, harmonized: _Pixels, labels: npt.NDArray[np.int32]
) -> tuple[dict[str, _Pixels], tuple[slice, slice]]:
    """The panels of the figure, and the place worth magnifying.

    Args:
        truth: uint8 (H, W, 3), the photograph.
        raw: uint8 (H, W, 3), as colorized.
        harmonized: uint8 (H, W, 3), after harmonisation.
        labels: int32 (H, W), the object of each pixel, 0 outside.

    Returns:
        The panels by title, uint8 (H, W, 3), in reading order; and the square of `MAGNIFIED` pixels in which most
        changed (rows, columns), the upper left corner where nothing did.
    """
    grey = np.repeat(grey_image(truth)[..., None], 3, axis=-1)
    outlined = (255 * mark_boundaries(grey, labels, color=OUTLINE, mode="inner")).astype(np.uint8)
    panels = {"grey": grey, "masks": outlined, "raw": raw, "harmonized": harmonized, "truth": truth}
    return panels, _busiest_square((raw != harmonized).any(axis=-1))


def _busiest_square(changed: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    side = min(MAGNIFIED, *changed.shape)
    table = np.pad(changed.astype(np.int64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = table[side:, side:] - table[:-side, side:] - table[side:, :-side] + table[:-side, :-side]
    y, x = np.unravel_index(inside.argmax(), inside.shape)
    return slice(int(y), int(y) + side), slice(int(x), int(x) + side)


def harmonization_figure(
    truth: _Pixels, raw: _Pixels, harmonized: _Pixels, labels: npt.NDArray[np.int32], title: str = ""
) -> "Figure":
    """Draw grey, masks, raw, harmonized and truth, and below each the same edge magnified.

    Args:
        truth: uint8 (H, W, 3), the photograph.
        raw: uint8 (H, W, 3), as colorized.
        harmonized: uint8 (H, W, 3), after harmonisation.
        labels: int32 (H, W), the object of each pixel, 0 outside.
        title: above the figure.

    Returns:
        A matplotlib figure that belongs to no window; save it with `savefig`.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    panels, square = harmonization_panels(truth, raw, harmonized, labels)
    height, width = labels.shape
    figure = Figure(figsize=(2.6 * len(panels), 2.6 * height / width + 3.0), layout="constrained", dpi=120)
    axes = figure.subplots(2, len(panels), height_ratios=(height / width, 1.0))
    for (name, panel), above, below in zip(panels.items(), axes[0], axes[1], strict=True):
        above.imshow(panel)
        above.set_title(name)
        corner, side = (square[1].start - 0.5, square[0].start - 0.5), square[0].stop - square[0].start
        above.add_patch(Rectangle(corner, side, side, fill=False, edgecolor="red", linewidth=1))
        below.imshow(panel[square], interpolation="nearest")
        for each in (above, below):
            each.set_axis_off()
    figure.suptitle(title)
    return figure
