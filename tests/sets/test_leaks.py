"""Nothing evaluated is trained on."""

import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.sets.leaks import refuse_leaks


def rows(**columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame.set_index("image_id", drop=False)


def test_the_same_bytes_on_both_sides_are_refused() -> None:
    train = rows(image_id=["a", "b"], sha256=["1", "2"], perceptual_hash=["0" * 16, "f" * 16])
    test = rows(image_id=["c", "d"], sha256=["3", "2"], perceptual_hash=["0f" * 8, "00ff" * 4])
    with pytest.raises(UserError, match=r"1 photographs .* first 'b' \(as 'd', the same bytes\)"):
        refuse_leaks(train, test)


def test_near_duplicates_are_refused_and_others_pass() -> None:
    train = rows(image_id=["a", "b"], sha256=["1", "2"], perceptual_hash=["0" * 16, "f" * 16])
    near = rows(image_id=["c"], sha256=["3"], perceptual_hash=["f" * 15 + "0"])
    with pytest.raises(UserError, match="'b' is trained on and looks like 'c'"):
        refuse_leaks(train, near)
    refuse_leaks(train, rows(image_id=["c"], sha256=["3"], perceptual_hash=["f" * 14 + "00"]))
    refuse_leaks(train, rows(image_id=["c"], sha256=["3"], perceptual_hash=[None]))  # type: ignore[list-item]
