"""Making an object's colours stop at its edge (SPEC section 7): three modes behind one function.

Every mode learns an object's colours from its interior and changes only pixels that do not fit them. What it
guarantees, of the 8-bit images as they are stored:

* A pixel that is not changed keeps its three bytes; pixels in no object are never changed.
* A changed pixel has exactly the grey level of the photograph (see `pipeline.color.shades`): L never changes.
* A second pass changes nothing. `palette` and `mode`: pixels of palette classes stay, so their shares cannot fall and
  the palette can only gain; a changed pixel has a palette class, or what its level has in place of one, and both count
  as fitting. Where the palette is a single class, colours in place of it might come to outnumber it; so there a pixel
  whose level does not have the class is left alone. `guided`: it reads the interior alone, and never changes it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipeline.color.lab import lightness
from pipeline.color.shades import class_shades, colors_at_level, grey_image, grey_level, unit_cells
from pipeline.color.space import ColorSpace
from pipeline.masks.guided import extend_interior
from pipeline.masks.objects import OUTSIDE, edge_pixels, interior_pixels
from pipeline.masks.palettes import interior_class_counts, most_frequent, nearby, share_palettes
from pipeline.settings.sections import Harmonize

Window = tuple[slice, ...]


class Scene(NamedTuple):
    """What a mode is given.

    Attributes:
        colored: uint8 (H, W, 3), the colorized photograph.
        source: uint8 (H, W, 3), the photograph, of which only L is used.
        labels: int32 (H, W), the object of each pixel, 0 outside.
        interior: bool (H, W), the pixels that objects take their colours from.
    """

    colored: npt.NDArray[np.uint8]
    source: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32]
    interior: npt.NDArray[np.bool_]


def harmonize(
    colored: npt.NDArray[np.uint8],
    source: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int32],
    space: ColorSpace,
    settings: Harmonize,
) -> npt.NDArray[np.uint8]:
    """Harmonize the objects of one colorized photograph.

    Args:
        colored: uint8 (H, W, 3), the colorized photograph.
        source: uint8 (H, W, 3), the photograph (or its grey version repeated three times); only its L is used.
        labels: int32 (H, W), from `pipeline.masks.objects`; pixels labelled 0 are not touched.
        space: the classes that colours are counted in.
        settings: `mode`, `band`, `min_share`, `radius`; `select` has been applied to `labels` already.

    Returns:
        uint8 (H, W, 3), a new array. What holds of it stands at the top of this module.

    Raises:
        ValueError: if the three images are not of one size.
    """
    if not colored.shape == source.shape == (*labels.shape, 3):
        raise ValueError(f"colored {colored.shape}, source {source.shape} and labels {labels.shape} differ in size")
    interior = interior_pixels(labels, edge_pixels(labels), settings.band)
    return MODES[settings.mode](Scene(colored, source, labels, interior), space, settings)


def _by_palette(scene: Scene, space: ColorSpace, settings: Harmonize) -> npt.NDArray[np.uint8]:
    return _repaint(scene, space, lambda counts: share_palettes(counts, settings.min_share), settings.radius)


def _by_most_frequent(scene: Scene, space: ColorSpace, settings: Harmonize) -> npt.NDArray[np.uint8]:
    return _repaint(scene, space, most_frequent, radius=0)


def _repaint(
    scene: Scene, space: ColorSpace, choose: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.bool_]], radius: int
) -> npt.NDArray[np.uint8]:
    """Give each pixel of a class foreign to its object's palette a class of that palette."""
    result = scene.colored.copy()
    classes = space.to_kept(space.encode(scene.colored))
    member = choose(interior_class_counts(scene.labels, scene.interior, classes, space.kept_count))
    foreign = ~member[scene.labels, classes] & (scene.labels != OUTSIDE)
    levels = np.zeros(foreign.shape, np.uint8)
    levels[foreign] = grey_level(lightness(scene.source[foreign]))
    for number, window in _windows(scene.labels):
        own = scene.labels[window] == number
        rows, columns = np.nonzero(own & foreign[window])
        palette = np.flatnonzero(member[number])
        if not len(rows) or not len(palette):
            continue
        place = np.full(space.kept_count, -1, np.int16)
        place[palette] = np.arange(len(palette))
        rank = np.where(own, place[classes[window]], np.int16(-1))
        near = nearby(rank, rows, columns, len(palette), radius)
        level = levels[window][rows, columns]
        change, rgb = _replacements(classes[window][rows, columns], level, palette, near, space)
        result[window][rows[change], columns[change]] = rgb[change]
    return result


def _replacements(
    classes: npt.NDArray[np.int32],
    level: npt.NDArray[np.uint8],
    palette: npt.NDArray[np.intp],
    near: npt.NDArray[np.bool_],
    space: ColorSpace,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8]]:
    """For N pixels and K palette classes: which pixels change, bool (N,), and their new colour, uint8 (N, 3).

    The nearest palette class in ab is taken among those near the pixel, or among all where none is near; ties go to the
    lower class. A pixel that has what its level has in place of a palette class fits already.
    """
    shades = class_shades(space)
    shown = shades.kept_index[level[:, None], palette]
    change = (shown != classes[:, None]).all(axis=1)
    if len(palette) == 1:  # see the third guarantee
        change &= shown[:, 0] == palette[0]
    a, b = space.kept_centers.T
    distance = ((a[:, None] - a[palette]) ** 2 + (b[:, None] - b[palette]) ** 2)[classes]
    distance[~near & near.any(axis=1, keepdims=True)] = np.inf
    return change, shades.rgb[level, palette[distance.argmin(axis=1)]]


def _by_guided_filter(scene: Scene, space: ColorSpace, settings: Harmonize) -> npt.NDArray[np.uint8]:
    """Extend the colours of each object's interior to the rest of the object, led by L."""
    level, cells = grey_image(scene.source), unit_cells(scene.colored)
    radius = max(settings.radius, settings.band + 1)  # a window at the edge has to reach the interior
    ab = np.empty((*scene.labels.shape, 2), np.float32)
    for number, window in _windows(scene.labels):
        own = scene.labels[window] == number
        interior = scene.interior[window] & own
        rows, columns = np.nonzero(own & ~interior)
        if len(rows):
            ab[window][rows, columns] = extend_interior(level[window], cells[window], interior, rows, columns, radius)
    edge = (scene.labels != OUTSIDE) & ~scene.interior
    result = scene.colored.copy()
    result[edge] = colors_at_level(level[edge], ab[edge])
    return result


def _windows(labels: npt.NDArray[np.int32]) -> Iterator[tuple[int, Window]]:
    """Number and bounding box of every object that owns a pixel."""
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        if window is not None:
            yield number, window


MODES: dict[str, Callable[[Scene, ColorSpace, Harmonize], npt.NDArray[np.uint8]]] = {
    "palette": _by_palette,
    "mode": _by_most_frequent,
    "guided": _by_guided_filter,
}
"""The values of `harmonize.mode`."""
