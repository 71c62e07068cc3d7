"""The mode `guided`: an object's edge takes the colours that its interior has for the same lightness.

The local linear model of the guided filter (He, Sun, Tang, PAMI 2013, Eq. 5-6): within a window, a and b are each a
linear function of the guide. Two things differ from the filter. The function is fitted to interior pixels of the one
object alone, so that colour which came over the edge has no say; and it is evaluated where it is centred, so that the
interior stays as it is and a second pass finds the same functions again. The guide is L in 8 bits (the grey level),
and a and b are whole numbers (their unit cells), so all sums are exact.
"""

import numpy as np
import numpy.typing as npt

EPSILON = 65.0
"""Variance of the grey level, in squared levels, below which a window counts as flat and its mean ab is taken: that of
3 units of L."""
STEP = 2
"""Every second pixel of every second row is a sample of the interior (the fast guided filter, He & Sun 2015)."""


def extend_interior(
    level: npt.NDArray[np.uint8],
    cells: npt.NDArray[np.int32],
    interior: npt.NDArray[np.bool_],
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
    radius: int,
) -> npt.NDArray[np.float64]:
    """(a, b) for the edge of one object, from its interior.

    Args:
        level: uint8 (h, w), grey levels.
        cells: int32 (h, w, 2), floor(a) and floor(b); read in the interior only.
        interior: bool (h, w), at least one pixel.
        rows: (N,), where the edge pixels are.
        columns: (N,), where the edge pixels are.
        radius: windows have the side 2 * radius + 1, at most 181 (their sums have to fit into 32 bits).

    Returns:
        float64 (N, 2), in CIELAB units, within the range of the interior's samples. A pixel with no interior sample in
        its window takes the function fitted to the whole interior.
    """
    step = STEP if interior[::STEP, ::STEP].any() else 1
    grid = np.s_[::step, ::step]
    sample, guide = interior[grid], level[grid].astype(np.int32)
    a, b = (np.ascontiguousarray(cells[grid][..., each]) for each in (0, 1))
    products = (np.ones_like(guide), guide, guide * guide, a, a * guide, b, b * guide)
    table = np.zeros((len(products), guide.shape[0] + 1, guide.shape[1] + 1), np.int32)
    for plane, product in zip(table, products, strict=True):
        np.multiply(product, sample, out=plane[1:, 1:])
    # differences of these sums are right even where the sums themselves have wrapped around
    table = table.cumsum(axis=1, dtype=np.int32).cumsum(axis=2, dtype=np.int32)
    reach = -(-radius // step)
    top, bottom = (rows // step - reach).clip(min=0), (rows // step + reach + 1).clip(max=guide.shape[0])
    left, right = (columns // step - reach).clip(min=0), (columns // step + reach + 1).clip(max=guide.shape[1])
    width, flat = table.shape[2], table.reshape(len(products), -1)
    sums = flat.take(bottom * width + right, 1) - flat.take(top * width + right, 1)
    sums += flat.take(top * width + left, 1) - flat.take(bottom * width + left, 1)
    if not sums[0].all():
        whole = np.array([np.sum(product * sample, dtype=np.int64) for product in products])
        sums = np.where(sums[0] > 0, sums, whole[:, None])
    fitted = _evaluate(sums.astype(np.float64), level[rows, columns].astype(np.float64)) + 0.5
    for each, plane in enumerate((a, b)):
        known = plane[sample]
        fitted[:, each].clip(known.min() + 0.5, known.max() + 0.5, out=fitted[:, each])
    return fitted


def _evaluate(sums: npt.NDArray[np.float64], level: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """He et al. Eq. 5-6 for N windows: sums (7, N) of 1, guide, guide^2, a, a guide, b, b guide; values (N, 2)."""
    count, mean, square, *values = sums
    mean, square = mean / count, square / count
    variance = np.maximum(square - mean**2, 0)
    fitted = []
    for total, product in (values[:2], values[2:]):
        slope = (product / count - mean * total / count) / (variance + EPSILON)
        fitted.append(total / count + slope * (level - mean))
    return np.stack(fitted, axis=-1)
