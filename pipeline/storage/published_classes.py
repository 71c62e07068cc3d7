"""The classes of Zhang, Isola, Efros 2016 as published: 313 of the 529 bins of 10 units around multiples of 10."""

from importlib.resources import files

import numpy as np
import numpy.typing as npt

from pipeline.color.space import ColorSpace

CIC_BIN_SIZE, CIC_SHIFT = 10, 115
"""Of Eq. 9: cells of 10 units whose centers are the multiples of 10 from -110 to 110."""


def cic_classes() -> tuple[ColorSpace, npt.NDArray[np.float64]]:
    """The published classes, and how frequent they are among the soft targets of ImageNet.

    Returns:
        The space of 313 kept classes, and float64 (313,), their prior in the order of kept indices, sum 1.
    """
    file = files("pipeline.storage") / "published" / "cic_classes.csv"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = np.array([line.split(",") for line in lines[1:]], np.float64)
    grid = ColorSpace(CIC_BIN_SIZE, CIC_SHIFT)
    return ColorSpace(CIC_BIN_SIZE, CIC_SHIFT, grid.encode_ab(rows[:, :2])), rows[:, 2]
