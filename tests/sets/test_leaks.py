"""Nothing evaluated is trained on."""

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.sets.coco2017 import COCO2017
from pipeline.sets.folder import FolderSet
from pipeline.sets.leaks import near_duplicate_bits, refuse_leaks


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


def test_what_a_set_was_built_by_it_is_judged_by() -> None:
    """Photographs that the folder's own rule keeps apart are not refused afterwards, those it joins cannot be."""
    published = COCO2017(source="coco2017", part="val", split="test")
    assert near_duplicate_bits(published) == FolderSet(source="folder", path="x").near_duplicate_bits == 4
    exact = FolderSet(source="folder", path="x", near_duplicate_bits=-1)
    assert near_duplicate_bits(published, exact) == -1
    train = rows(image_id=["a"], sha256=["1"], perceptual_hash=["0" * 16])
    for apart in (2, 6):
        test = rows(image_id=["b"], sha256=["2"], perceptual_hash=[f"{(1 << apart) - 1:016x}"])
        refuse_leaks(train, test, apart - 1)
        with pytest.raises(UserError, match="'a' is trained on and looks like 'b'"):
            refuse_leaks(train, test, apart)
    with pytest.raises(UserError, match="the same bytes"):
        refuse_leaks(train, test.assign(sha256="1"), -1)


def test_leaks_among_many_are_found_quickly() -> None:
    """What is linear in the number of photographs takes a second here; comparing every pair takes minutes."""
    random = np.random.default_rng(0)
    hashes = [f"{value:016x}" for value in random.integers(0, 2**63, 220_000)]
    hashes[150_000] = f"{int(hashes[-1], 16) ^ 0b1001:016x}"
    names = [str(number) for number in range(len(hashes))]
    whole = rows(image_id=names, sha256=names, perceptual_hash=hashes)
    refuse_leaks(whole[:150_000], whole[200_000:])
    with pytest.raises(UserError, match="'150000' is trained on and looks like '219999'"):
        refuse_leaks(whole[:200_000], whole[200_000:])
