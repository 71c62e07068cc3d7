"""From overlapping masks to objects: every pixel belongs to one object or to none (SPEC R7)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipeline.masks.rle import Segment, decode_mask

OUTSIDE = 0
"""The label of pixels in no mask; objects are numbered from 1."""


class PromptOutside(Exception):
    """A point or a box that lies outside the photograph; the message says which."""


class Selection(NamedTuple):
    """Which objects are harmonized; everything empty means all of them.

    Attributes:
        largest: the number of objects to take, by pixels owned; ties go to the lower number.
        points: (x, y) in pixels of the photograph; each takes the object that owns that pixel, if any does.
        boxes: (x0, y0, x1, y1) in pixels, the far sides exclusive; each takes the objects that have at least half of
            their pixels in it.
    """

    largest: int | None = None
    points: tuple[tuple[float, float], ...] = ()
    boxes: tuple[tuple[float, float, float, float], ...] = ()


def canonical_order(segments: Sequence[Segment]) -> list[Segment]:
    """Sort masks so that the result does not depend on the order in which they came.

    Largest area first; masks of one area by their box (x, y, width, height) and then by their run lengths. Two masks
    equal in all of these are the same mask.
    """
    return sorted(segments, key=lambda segment: (-segment.area, segment.box, segment.counts))


def label_objects(segments: Sequence[Segment], height: int, width: int) -> npt.NDArray[np.int32]:
    """Resolve overlaps: a pixel belongs to its smallest mask, on a tie to the one later in `canonical_order`.

    Args:
        segments: masks of a photograph, in any order.
        height: of the photograph, in pixels.
        width: of the photograph, in pixels.

    Returns:
        int32 (H, W): `OUTSIDE`, or the number of the object, counted from 1 in `canonical_order` of the masks. A mask
        that smaller ones cover altogether owns no pixel, and its number does not occur.

    Raises:
        ValueError: if a mask is of another size.
    """
    for segment in segments:
        if (segment.height, segment.width) != (height, width):
            raise ValueError(
                f"a mask is {segment.width} x {segment.height}, it takes the photograph's {width} x {height}"
            )
    labels = np.zeros((height, width), np.int32, order="F")  # COCO counts by column, so masks paint fastest this way
    for number, segment in enumerate(canonical_order(segments), start=1):
        x, y, box_width, box_height = segment.box
        window = np.s_[y : y + box_height, x : x + box_width]
        labels[window][decode_mask(segment)[window]] = number
    return np.ascontiguousarray(labels)


def select_objects(labels: npt.NDArray[np.int32], selection: Selection) -> npt.NDArray[np.int32]:
    """Keep the chosen objects; the pixels of the others become `OUTSIDE`.

    Args:
        labels: int32 (H, W), from `label_objects`.
        selection: which objects; points and boxes add up.

    Returns:
        int32 (H, W), the numbers unchanged.

    Raises:
        PromptOutside: if a point lies outside the photograph, or a box does not overlap it.
    """
    if selection == Selection():
        return labels
    sizes = np.bincount(labels.reshape(-1))
    chosen = np.zeros(len(sizes), bool)
    if selection.largest is not None:
        ranked = np.argsort(-sizes[1:], kind="stable") + 1
        chosen[ranked[: selection.largest]] = True
    height, width = labels.shape
    for x, y in selection.points:
        if not (0 <= x < width and 0 <= y < height):
            raise PromptOutside(f"point ({x:g}, {y:g}) lies outside the photograph of {width} x {height} pixels")
        chosen[labels[int(y), int(x)]] = True
    for x0, y0, x1, y1 in selection.boxes:
        if not (x0 < x1 and y0 < y1 and x1 > 0 and y1 > 0 and x0 < width and y0 < height):
            raise PromptOutside(
                f"box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) covers no pixel of the photograph of {width} x {height} pixels"
            )
        inside = labels[int(max(y0, 0)) : int(np.ceil(y1)), int(max(x0, 0)) : int(np.ceil(x1))]
        chosen |= 2 * np.bincount(inside.reshape(-1), minlength=len(sizes)) >= np.maximum(sizes, 1)
    chosen[OUTSIDE] = False
    return np.where(chosen[labels], labels, OUTSIDE).astype(np.int32)


def edge_pixels(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Pixels of an object that touch, up, down, left or right, a pixel of another label.

    The photograph's own border is no edge: no colour comes over it.

    Args:
        labels: int32 (H, W).

    Returns:
        bool (H, W).
    """
    edges = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges & (labels != OUTSIDE)


def interior_pixels(labels: npt.NDArray[np.int32], edges: npt.NDArray[np.bool_], band: int) -> npt.NDArray[np.bool_]:
    """The pixels of each object at least `band` pixels away from its edge pixels (erosion by a square, `band` times).

    An object too narrow for that keeps the pixels at least half as deep as its deepest one, so that no object is
    without an interior (R7 does not say what becomes of narrow ones; to take all of their pixels would take the
    bleeding in).

    Args:
        labels: int32 (H, W).
        edges: bool (H, W), from `edge_pixels`.
        band: pixels; 0 takes every pixel.

    Returns:
        bool (H, W), True in interiors.
    """
    owned = labels != OUTSIDE
    if band == 0 or not edges.any():
        return owned
    depth = ndimage.distance_transform_cdt(~edges, "chessboard")
    deepest = np.zeros(int(labels.max()) + 1, depth.dtype)
    np.maximum.at(deepest, labels.reshape(-1), depth.reshape(-1))
    return owned & (depth >= np.minimum(band, deepest / 2)[labels])
