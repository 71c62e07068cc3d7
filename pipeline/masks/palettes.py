"""Which classes an object is painted with, and which of them are near a pixel (SPEC R7)."""

import numpy as np
import numpy.typing as npt

PLANE_BITS = 64
"""Palette classes that one plane of bits can hold; an object with more takes several planes."""


def interior_class_counts(
    labels: npt.NDArray[np.int32], interior: npt.NDArray[np.bool_], classes: npt.NDArray[np.int32], kept_count: int
) -> npt.NDArray[np.int64]:
    """Count the classes of each object's interior.

    Args:
        labels: int32 (H, W), the object of each pixel.
        interior: bool (H, W).
        classes: int32 (H, W), kept indices.
        kept_count: Q.

    Returns:
        int64 (objects + 1, Q); objects go up to the largest label.
    """
    objects = int(labels.max(initial=0)) + 1
    pairs = labels[interior] * np.int64(kept_count) + classes[interior]
    return np.bincount(pairs, minlength=objects * kept_count).reshape(objects, kept_count)


def share_palettes(counts: npt.NDArray[np.int64], min_share: float) -> npt.NDArray[np.bool_]:
    """The classes that hold at least `min_share` of an interior, never fewer than the most frequent one.

    Args:
        counts: int64 (objects + 1, Q), from `interior_class_counts`.
        min_share: in [0, 1].

    Returns:
        bool (objects + 1, Q), True where a class belongs to the palette of an object.
    """
    member = (counts >= min_share * counts.sum(axis=1, keepdims=True)) & (counts > 0)
    return member | (most_frequent(counts) & ~member.any(axis=1, keepdims=True))


def most_frequent(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """The most frequent class of each interior; ties go to the lower class.

    Args:
        counts: int64 (objects + 1, Q), from `interior_class_counts`.

    Returns:
        bool (objects + 1, Q), at most one class for each object.
    """
    member = np.zeros(counts.shape, bool)
    member[np.arange(len(counts)), counts.argmax(axis=1)] = True
    return member & (counts > 0)


def nearby(
    rank: npt.NDArray[np.integer], rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], size: int, radius: int
) -> npt.NDArray[np.bool_]:
    """Which palette classes occur within `radius` pixels of some pixels.

    The neighbourhood is the square of side 2 * radius + 1 around a pixel. Every pixel's class is one bit; the squares
    are united by shifting and OR-ing, first along rows and then along columns, the shift doubling each time.

    Args:
        rank: integer (h, w), place of each pixel's class in the palette of the one object looked at, below 0 for pixels
            of other objects or classes.
        rows: (N,), the pixels asked about.
        columns: (N,), the pixels asked about.
        size: K, classes in the palette.
        radius: pixels; 0 asks about the pixel itself.

    Returns:
        bool (N, K).
    """
    window = np.s_[
        max(rows.min() - radius, 0) : rows.max() + radius + 1,
        max(columns.min() - radius, 0) : columns.max() + radius + 1,
    ]
    rank, rows, columns = rank[window], rows - window[0].start, columns - window[1].start
    found = np.empty((len(rows), size), bool)
    for start in range(0, size, PLANE_BITS):
        bits = min(size - start, PLANE_BITS)
        kind = np.dtype(f"u{1 << max(0, (bits - 1).bit_length() - 3)}")
        one_hot = np.append(kind.type(1) << np.arange(bits, dtype=kind), kind.type(0))
        here = np.where((rank >= start) & (rank < start + bits), rank - start, bits)
        united = _spread(_spread(one_hot[here], radius).T, radius)[columns, rows]
        found[:, start : start + bits] = united[:, None] & one_hot[:bits] != 0
    return found


def _spread(plane: npt.NDArray[np.unsignedinteger], radius: int) -> npt.NDArray[np.unsignedinteger]:
    """OR of all values within `radius` along the first axis."""
    height, width = plane.shape
    united = np.zeros((height + 2 * radius, width), plane.dtype)
    united[radius : radius + height] = plane
    reach = 1
    while reach < 2 * radius + 1:
        step = min(reach, 2 * radius + 1 - reach)
        united = united[:-step] | united[step:]
        reach += step
    return united
