"""No photograph is both trained on and evaluated."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.errors import UserError
from pipeline.sets.duplicates import NEAR_DUPLICATE_BITS, near_pairs
from pipeline.settings.set_entries import SetEntry


def near_duplicate_bits(*entries: SetEntry) -> int:
    """What near duplicates are among the photographs of some sets.

    Args:
        entries: of params.yaml.

    Returns:
        The smallest that an entry says of its own photographs (`near_duplicate_bits` of a folder, -1 for exact bytes
        only), otherwise `NEAR_DUPLICATE_BITS`: what a set was built by it is judged by.
    """
    return min(getattr(entry, "near_duplicate_bits", NEAR_DUPLICATE_BITS) for entry in entries)


def refuse_leaks(train: pd.DataFrame, evaluated: pd.DataFrame, bits: int = NEAR_DUPLICATE_BITS) -> None:
    """Make sure that no photograph is both trained on and evaluated.

    Args:
        train: rows of a store's index; image_id, sha256 and perceptual_hash are read.
        evaluated: rows of the same or of another.
        bits: how many bits the perceptual hashes of the same picture may differ in; -1 compares exact bytes only.

    Raises:
        UserError: if two have the same bytes, or perceptual hashes within so many bits; it names a pair.
    """
    columns = ["image_id", "sha256"]
    shared = (
        train[columns]
        .reset_index(drop=True)
        .merge(evaluated[columns].reset_index(drop=True), on="sha256", suffixes=("", "_evaluated"))
    )
    if len(shared):
        first = shared.iloc[0]
        raise UserError(
            f"{len(shared)} photographs are both trained on and evaluated, first {first['image_id']!r} "
            f"(as {first['image_id_evaluated']!r}, the same bytes); give the sets different splits"
        )
    if bits < 0:
        return
    hashed, hashed_too = (rows[rows["perceptual_hash"].notna()] for rows in (train, evaluated))
    mine, theirs = near_pairs(_hashes(hashed), _hashes(hashed_too), bits)
    if len(mine):
        one, other = hashed["image_id"].iloc[mine[0]], hashed_too["image_id"].iloc[theirs[0]]
        raise UserError(f"{one!r} is trained on and looks like {other!r}, which is evaluated; move one of them")


def _hashes(rows: pd.DataFrame) -> npt.NDArray[np.uint64]:
    return np.array([int(text, 16) for text in rows["perceptual_hash"]], np.uint64)
