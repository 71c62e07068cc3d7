"""No photograph is both trained on and evaluated."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.errors import UserError

NEAR_DUPLICATE_BITS = 6
"""Two photographs whose 64-bit perceptual hashes differ in at most this many bits count as the same picture."""


def refuse_leaks(train: pd.DataFrame, evaluated: pd.DataFrame) -> None:
    """Make sure that no photograph is both trained on and evaluated.

    Args:
        train: rows of a store's index; sha256 and perceptual_hash are read.
        evaluated: rows of the same or of another.

    Raises:
        UserError: if two have the same bytes, or perceptual hashes within `NEAR_DUPLICATE_BITS`; it names a pair.
    """
    shared = train.reset_index(drop=True).merge(
        evaluated.reset_index(drop=True), on="sha256", suffixes=("", "_evaluated")
    )
    if len(shared):
        first = shared.iloc[0]
        raise UserError(
            f"{len(shared)} photographs are both trained on and evaluated, first {first['image_id']!r} "
            f"(as {first['image_id_evaluated']!r}, the same bytes); give the sets different splits"
        )
    own, other = _hashes(train), _hashes(evaluated)
    for position, value in enumerate(own):
        close = np.flatnonzero(np.bitwise_count(other ^ value) <= NEAR_DUPLICATE_BITS)
        if len(close):
            mine = train[train["perceptual_hash"].notna()]["image_id"].iloc[position]
            theirs = evaluated[evaluated["perceptual_hash"].notna()]["image_id"].iloc[close[0]]
            raise UserError(f"{mine!r} is trained on and looks like {theirs!r}, which is evaluated; move one of them")


def _hashes(rows: pd.DataFrame) -> npt.NDArray[np.uint64]:
    return np.array([int(text, 16) for text in rows["perceptual_hash"].dropna()], np.uint64)
