"""The unit-cell histogram of a reference set: counting, leaving out, merging (SPEC sections 2-3).

One pass at 1-unit resolution serves every bin size. A `HistogramPart` is what some of the images give; parts add up in
any order to the same whole, which is what lets the engine, the shards and the number of workers vary freely.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.color.lab import OFFSET, lab_table, mean_chroma, rgb_index

CELLS = 256
CELL_REACH = 0.71
"""A little more than the largest distance, sqrt(1/2), of a point of a unit cell from the cell's center."""


def _center_chroma() -> npt.NDArray[np.float32]:
    centers = np.arange(CELLS) - OFFSET + 0.5
    return np.sqrt(centers[:, None] ** 2 + centers[None, :] ** 2).astype(np.float32).reshape(-1)


_CENTER_CHROMA = _center_chroma()


@dataclass
class HistogramPart:
    """What some of the images of a set add to the histogram.

    Attributes:
        cells: int64 (65536,), pixels per packed unit cell of `lab_table`.
        images: images counted.
        skipped: images left out, by reason.
    """

    cells: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(CELLS * CELLS, np.int64))
    images: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, photographs: npt.NDArray[np.uint8], grey_chroma: float) -> None:
        """Counts photographs, those left out that are grey.

        Args:
            photographs: uint8 (N, height, width, 3), resized to the histogram's size. A few dozen at a time keep the
                look-up table in the processor's cache, which decoding between two photographs drives out.
            grey_chroma: a photograph whose mean chroma is below this is grey.
        """
        packed = lab_table().take(rgb_index(photographs.reshape(len(photographs), -1, 3)))
        grey = are_grey(photographs, packed, grey_chroma)
        self.cells += np.bincount(packed[~grey].reshape(-1), minlength=CELLS * CELLS)
        self.images += int((~grey).sum())
        if grey.any():
            self.skipped["grey"] += int(grey.sum())

    def skip(self, reason: str) -> None:
        """Leaves one photograph out under a reason."""
        self.skipped[reason] += 1


def are_grey(
    photographs: npt.NDArray[np.uint8], packed: npt.NDArray[np.uint16], grey_chroma: float
) -> npt.NDArray[np.bool_]:
    """Which photographs have a mean chroma sqrt(a^2 + b^2) below a limit.

    The unit cells already tell the mean to within the reach of a cell; only where that leaves a doubt is Lab computed.

    Args:
        photographs: uint8 (N, height, width, 3).
        packed: uint16 (N, height * width), the unit cell of each pixel.
        grey_chroma: the limit in CIELAB units; 0 lets every photograph pass.

    Returns:
        bool (N,), True where the mean chroma is below `grey_chroma`.
    """
    chroma = _CENTER_CHROMA.take(packed).mean(axis=1, dtype=np.float64)
    for index in np.flatnonzero(np.abs(chroma - grey_chroma) <= CELL_REACH):
        chroma[index] = mean_chroma(photographs[index])
    return chroma < grey_chroma


def whole_histogram(parts: Iterable[HistogramPart]) -> HistogramPart:
    """Adds parts up.

    Args:
        parts: any number of them.

    Returns:
        Their sum; it does not depend on their order or grouping.
    """
    whole = HistogramPart()
    for part in parts:
        whole.cells += part.cells
        whole.images += part.images
        whole.skipped.update(part.skipped)
    return whole


def check_totals(whole: HistogramPart, rows: int, size: int) -> None:
    """Proves that nothing was lost: every image counted or skipped, every counted image with all its pixels.

    Args:
        whole: the merged histogram.
        rows: images of the reference set.
        size: side of the resized images in pixels.

    Raises:
        RuntimeError: if the numbers do not add up.
    """
    skipped = sum(whole.skipped.values())
    if whole.images + skipped != rows:
        raise RuntimeError(f"{whole.images} images counted and {skipped} skipped do not make the {rows} of the set")
    pixels, expected = int(whole.cells.sum()), whole.images * size * size
    if pixels != expected:
        raise RuntimeError(f"the histogram holds {pixels} pixels where {whole.images} x {size} x {size} = {expected}")
