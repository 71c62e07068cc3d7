"""What stage `prepare` hands a method beside its classes: of the reference set's statistics only what its parts need.

So a method is trained again when a number that it uses changes, and not when any other does.
"""

import numpy as np
import numpy.typing as npt

from pipeline.color.soft_encoding import soft_prior
from pipeline.color.space import ColorSpace
from pipeline.losses.soft_cross_entropy import SoftCrossEntropy
from pipeline.settings.method_entries import ModelEntry

AXIS_BINS = 64
"""Equal bins of a and of b (Robles and Budach)."""


def needed_class_counts(model: ModelEntry, class_counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """How frequent each class is in the reference set, where a loss term asks for it.

    Args:
        model: the entry.
        class_counts: int64 (Q,), pixels of the reference set that each kept class stands for.

    Returns:
        The counts, or None: whole numbers, so that no processor's rounding trains a method again.
    """
    return class_counts if "class_counts" in model.needs else None


def needed_soft_prior(
    model: ModelEntry, space: ColorSpace, cells: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64] | None:
    """The mean soft target of the reference set, where a loss term asks for it (SPEC R12).

    Args:
        model: the entry; how its term spreads a color is read.
        space: the classes that its network tells apart.
        cells: int64 (256, 256), unit cells of the reference set.

    Returns:
        float64 (Q,) as `soft_encoding.soft_prior`, or None.
    """
    term = model.losses.get("soft_cross_entropy")
    if not isinstance(term, SoftCrossEntropy):
        return None
    return soft_prior(cells, space.kept_centers, term.neighbours, term.sigma)


def needed_axis_counts(model: ModelEntry, cells: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """How often a and b have which value in the reference set, where a loss term asks for it (SPEC R36).

    Args:
        model: the entry.
        cells: int64 (256, 256), unit cells of the reference set.

    Returns:
        int64 (2, `AXIS_BINS`), pixels by equal bins of [-128, 128), of a and of b; or None.
    """
    if "axis_counts" not in model.needs:
        return None
    return np.stack([cells.sum(axis=other).reshape(AXIS_BINS, -1).sum(axis=1) for other in (1, 0)])
