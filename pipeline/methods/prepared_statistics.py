"""What stage `prepare` hands a method beside its classes: of the reference set's statistics only what its parts need.

So a method is trained again when a number that it uses changes, and not when any other does.
"""

import numpy as np
import numpy.typing as npt

from pipeline.settings.method_entries import ModelEntry


def needed_class_counts(model: ModelEntry, class_counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """How frequent each class is in the reference set, where a loss term asks for it.

    Args:
        model: the entry.
        class_counts: int64 (Q,), pixels of the reference set that each kept class stands for.

    Returns:
        The counts, or None: whole numbers, so that no processor's rounding trains a method again.
    """
    return class_counts if "class_counts" in model.needs else None
