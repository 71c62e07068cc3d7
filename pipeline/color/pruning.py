"""Which classes of a grid exist, which are kept, and what the others become (CCC++ Sec. III-C3, Eq. 12; SPEC 3).

Everything starts from one array, the *unit cells*: int64 (256, 256), the number of pixels with floor(a) = row - 128 and
floor(b) = column - 128. Bin edges are whole numbers, so the counts of any bin size are exact sums of unit cells.
"""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.color.histogram import CELLS
from pipeline.color.lab import OFFSET, lab_table, lab_to_rgb
from pipeline.color.space import ColorSpace

DISPLAY_LIGHTNESS = 50.0
"""L at which a class is shown as a color: that of Table II."""


@dataclass(frozen=True)
class ClassTable:
    """Every class of one grid, seen through one histogram.

    Attributes:
        space: the grid with its kept classes.
        count: int64 (total,), pixels of the histogram in each class.
        reachable: bool (total,), whether any 8-bit sRGB color falls into the class.
        kept: bool (total,).
        mapped_to: int32 (total,), the class that stands for each class: itself where kept, else the nearest kept one.
        clipped: pixels whose a or b lies outside [-shift, shift); they count in the outermost bins.
    """

    space: ColorSpace
    count: npt.NDArray[np.int64]
    reachable: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.bool_]
    mapped_to: npt.NDArray[np.int32]
    clipped: int

    @property
    def share(self) -> npt.NDArray[np.float64]:
        """float64 (total,): each class's share of all pixels, in [0, 1]."""
        return self.count / self.count.sum()


def class_counts(cells: npt.NDArray[np.int64], space: ColorSpace) -> npt.NDArray[np.int64]:
    """Sums the unit cells of each class.

    Args:
        cells: int64 (256, 256), unit cells.
        space: the grid.

    Returns:
        int64 (total,), indexed by class id; its sum is that of `cells`, for cells outside the grid are clipped into it.
    """
    bins = space.axis_bin(np.arange(CELLS) - OFFSET)
    counts = np.zeros((space.grid, space.grid), np.int64)
    np.add.at(counts, (bins[:, None], bins[None, :]), cells)
    return counts.reshape(-1)


def clipped_count(cells: npt.NDArray[np.int64], shift: int) -> int:
    """Pixels that the grid's shift leaves outside.

    Args:
        cells: int64 (256, 256), unit cells.
        shift: s, half the side of the grid.

    Returns:
        Pixels whose a or b lies outside [-s, s).
    """
    floors = np.arange(CELLS) - OFFSET
    inside = (floors >= -shift) & (floors < shift)
    return int(cells.sum() - cells[np.ix_(inside, inside)].sum())


@functools.cache
def reachable_cells() -> npt.NDArray[np.int64]:
    """How many of the 16,777,216 colors of 8-bit sRGB fall into each unit cell.

    Returns:
        int64 (256, 256), unit cells of the whole color cube; read-only.
    """
    cells = np.bincount(lab_table(), minlength=CELLS * CELLS).reshape(CELLS, CELLS).astype(np.int64)
    cells.flags.writeable = False
    return cells


def reachable_classes(space: ColorSpace) -> npt.NDArray[np.bool_]:
    """Which classes some 8-bit sRGB color falls into.

    Args:
        space: the grid.

    Returns:
        bool (total,), indexed by class id.
    """
    return class_counts(reachable_cells(), space) > 0


def kept_classes(
    counts: npt.NDArray[np.int64], min_share: float, min_count: int | None = None
) -> npt.NDArray[np.int32]:
    """The classes that are frequent enough (SPEC R2).

    Args:
        counts: int64 (total,), pixels of each class.
        min_share: least share of all pixels, in [0, 1]; 0 keeps the whole grid.
        min_count: least number of pixels; takes the place of `min_share` when given.

    Returns:
        int32 (Q,), ascending class ids; empty when no class is frequent enough.
    """
    least = min_share * counts.sum() if min_count is None else min_count
    return np.flatnonzero(counts >= least).astype(np.int32)


def prune(
    cells: npt.NDArray[np.int64], bin_size: int, shift: int, min_share: float, min_count: int | None = None
) -> ClassTable:
    """Builds the class table of one grid from a histogram (Eq. 9-12).

    Args:
        cells: int64 (256, 256), unit cells; at least one pixel.
        bin_size: w, a positive whole number.
        shift: s, half the side of the grid, a positive whole number.
        min_share: least share of a kept class, in [0, 1].
        min_count: least number of pixels of a kept class; takes the place of `min_share` when given.

    Returns:
        The class table.

    Raises:
        ValueError: if the histogram is empty, no class is kept, or the grid is impossible (see `ColorSpace`).
    """
    if not cells.any():
        raise ValueError("the histogram holds no pixel")
    counts = class_counts(cells, ColorSpace(bin_size, shift))
    kept = kept_classes(counts, min_share, min_count)
    if not len(kept):
        rule, largest = ("min_share", counts.max() / counts.sum()) if min_count is None else ("min_count", counts.max())
        got = min_share if min_count is None else min_count
        raise ValueError(f"{rule} is {got:g} and keeps no class; the most frequent class has {largest:g}")
    return class_table(cells, ColorSpace(bin_size, shift, kept))


def class_table(cells: npt.NDArray[np.int64], space: ColorSpace) -> ClassTable:
    """Looks at a space, whose kept classes have been chosen, through a histogram.

    Args:
        cells: int64 (256, 256), unit cells.
        space: the grid with its kept classes.

    Returns:
        The class table.
    """
    counts = class_counts(cells, space)
    mapped_to = space.kept[space.to_kept(np.arange(space.total))]
    flags = np.zeros(space.total, bool)
    flags[space.kept] = True
    return ClassTable(space, counts, reachable_classes(space), flags, mapped_to, clipped_count(cells, space.shift))


def class_colors(space: ColorSpace, lightness: float = DISPLAY_LIGHTNESS) -> npt.NDArray[np.uint8]:
    """The sRGB color of each bin center at one lightness, clipped to the gamut.

    Args:
        space: the grid.
        lightness: L in [0, 100].

    Returns:
        uint8 (total, 3), indexed by class id.
    """
    centers = space.decode(np.arange(space.total))
    return lab_to_rgb(np.concatenate([np.full((space.total, 1), lightness, np.float32), centers], axis=1))
