"""The unit-cell histogram of a reference set: counting, leaving out, merging (SPEC sections 2-3).

One pass at 1-unit resolution serves every bin size. A `HistogramPart` is what some of the images give; parts add up in
any order to the same whole, which is what lets the engine, the shards and the number of workers vary freely.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.color.lab import lab_table, rgb_index

CELLS = 256


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

    def add(self, photographs: npt.NDArray[np.uint8]) -> None:
        """Counts photographs.

        Args:
            photographs: uint8 (N, height, width, 3), resized to the histogram's size. A few dozen at a time keep the
                look-up table in the processor's cache, which decoding between two photographs drives out.
        """
        packed = lab_table().take(rgb_index(photographs.reshape(-1, 3)))
        self.cells += np.bincount(packed, minlength=CELLS * CELLS)
        self.images += len(photographs)

    def skip(self, reason: str) -> None:
        """Leaves one photograph out under a reason."""
        self.skipped[reason] += 1


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
