"""Tables that follow from nothing but code: built once on a machine, then mapped into memory by every process."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.machine.cache import cache_folder
from pipeline.machine.files import replaced


def cached_table(
    name: str, shape: tuple[int, ...], dtype: np.dtype[Any], build: Callable[[], npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    """A table out of the machine's cache, built if it is not there.

    Its file carries its own checksum in its name; one whose content does not match is built anew. It is written under a
    temporary name first, so that a killed process or one beside this leaves nothing half-written.

    Args:
        name: of the table, with its version.
        shape: that it has to have.
        dtype: that it has to have.
        build: makes it.

    Returns:
        The table, memory-mapped and read-only.
    """
    folder = cache_folder()
    for path in sorted(folder.glob(f"{name}-*.npy")):
        try:
            table = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError):
            continue
        if table.dtype == dtype and table.shape == shape and path.stem.endswith(_digest(table)):
            return table
    built = build()
    path = folder / f"{name}-{_digest(built)}.npy"
    with replaced(path) as temporary, temporary.open("wb") as file:
        np.save(file, built)
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _digest(table: npt.NDArray[Any]) -> str:
    return hashlib.sha256(table.data).hexdigest()[:16]
