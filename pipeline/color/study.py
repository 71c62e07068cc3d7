"""The bin-size study: Table II of CCC++ from one histogram, beside the printed values (SPEC section 4, R1-R3)."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.color.lab import lab_to_srgb
from pipeline.color.pruning import DISPLAY_LIGHTNESS, class_counts, kept_classes, reachable_classes
from pipeline.color.space import ColorSpace

PAPER_BIN_SIZES = (4, 6, 8, 10, 12, 14)
ANCHORS = {"ab50": 50.0, "ab0": 0.0, "abm50": -50.0}
"""The (a, b) = (c, c) at which Table II gives RGB deviations, by the name of the column."""
DEVIATION_TOLERANCE = 0.03
"""How far a printed RGB deviation may lie from R3's before the table calls it not met: the printed rounding and half a
percent. At (50, 50) every cell but that of bin size 4 is within it."""

SHIFTED_ROW = "the printed value belongs to d = 1.5, half a step less than w / 2 = 2 (SPEC R3)"
NOTES = {
    ("total_classes", 8): "printed 784 = 28^2, but 2 * 108 / 8 = 27 exactly, hence 27^2 = 729 (SPEC R1)",
    ("rgb_max_dev_ab50", 4): SHIFTED_ROW,
    ("rgb_max_dev_ab0", 4): SHIFTED_ROW,
}
KEPT_NOTE = "the kept classes are those of another reference set than the paper's Places365 validation photographs"
GAMUT_NOTE = "Lab(50, -50, -50) lies outside sRGB; what the paper did with clipped channels is not printed"
READING_NOTE = "reading R3 was fixed on the cells at (50, 50); here it agrees within 0.1"


def rgb_deviation(anchor: float, distance: float) -> float:
    """Mean absolute RGB difference between Lab(50, c, c) and Lab(50, c + d, c + d) (SPEC R3).

    Args:
        anchor: c, in CIELAB units.
        distance: d, in CIELAB units.

    Returns:
        The mean over the three channels, on the scale 0 to 255, not rounded to 8 bits; channels clipped to the gamut.
    """
    lab = np.array([[DISPLAY_LIGHTNESS, value, value] for value in (anchor, anchor + distance)])
    first, second = lab_to_srgb(lab) * 255
    return float(np.abs(first - second).mean())


def bin_size_study(
    cells: npt.NDArray[np.int64],
    parameters: Callable[[int], int],
    min_share: float,
    min_count: int | None = None,
    shift: int = 108,
    bin_sizes: Sequence[int] = PAPER_BIN_SIZES,
) -> pd.DataFrame:
    """Counts classes and deviations for several bin sizes.

    Args:
        cells: int64 (256, 256), unit cells of the reference set.
        parameters: trainable parameters of the network, given the number of its output classes.
        min_share: least share of a kept class.
        min_count: least number of pixels of a kept class; takes the place of `min_share` when given.
        shift: s, half the side of the grid.
        bin_sizes: the rows of the table.

    Returns:
        One row per bin size: bin_size, total_classes, reachable_classes, observed_classes, kept_classes, ab_max_dev
        (w / 2), ab_avg_dev (w / 4), rgb_max_dev_* and rgb_avg_dev_* at ab50, ab0, abm50 and their mean avg (0-255),
        parameters (nan where a bin size keeps no class).
    """
    rows = []
    for bin_size in bin_sizes:
        space = ColorSpace(bin_size, shift)
        counts = class_counts(cells, space)
        kept = len(kept_classes(counts, min_share, min_count))
        row: dict[str, float] = {
            "bin_size": bin_size,
            "total_classes": space.total,
            "reachable_classes": int(reachable_classes(space).sum()),
            "observed_classes": int((counts > 0).sum()),
            "kept_classes": kept,
            "ab_max_dev": bin_size / 2,
            "ab_avg_dev": bin_size / 4,
        }
        for kind, distance in (("max", bin_size / 2), ("avg", bin_size / 4)):
            deviations = {name: rgb_deviation(anchor, distance) for name, anchor in ANCHORS.items()}
            row |= {f"rgb_{kind}_dev_{name}": value for name, value in deviations.items()}
            row[f"rgb_{kind}_dev_avg"] = float(np.mean(list(deviations.values())))
        row["parameters"] = parameters(kept) if kept else np.nan  # a network has at least one class
        rows.append(row)
    return pd.DataFrame(rows)


def beside_printed(study: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """Sets the study against the printed table, cell by cell.

    Args:
        study: as `bin_size_study` returns it.
        printed: Table II as published: bin_size and any of the study's columns.

    Returns:
        Long: bin_size, column, ours, printed, met (bool), note; one row for each cell that both tables have. Counts and
        ab deviations are met when equal, RGB deviations within `DEVIATION_TOLERANCE`; every cell not met has a note.
    """
    rows = []
    both = study.merge(printed, on="bin_size", suffixes=("", "_printed"))
    for row in both.to_dict("records"):
        bin_size = int(row["bin_size"])
        for column in [name for name in study.columns if f"{name}_printed" in row]:
            ours, value = float(row[column]), float(row[f"{column}_printed"])
            met = abs(ours - value) <= (DEVIATION_TOLERANCE if column.startswith("rgb") else 0.0)
            rows.append((bin_size, column, ours, value, met, "" if met else _why_not(column, bin_size)))
    return pd.DataFrame(rows, columns=["bin_size", "column", "ours", "printed", "met", "note"])


def _why_not(column: str, bin_size: int) -> str:
    if note := NOTES.get((column, bin_size)):
        return note
    if column == "kept_classes":
        return KEPT_NOTE
    return GAMUT_NOTE if column.endswith(("abm50", "_avg")) else READING_NOTE
