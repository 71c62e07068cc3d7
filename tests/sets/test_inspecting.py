"""What `huebench sets` says of a store, and that verify finds one changed byte."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.images.decode import encode_png
from pipeline.sets.building import build_set
from pipeline.sets.folder import FolderSet
from pipeline.sets.inspecting import describe_set, describe_sources, verify_set
from pipeline.sets.sample import SampleSet
from pipeline.settings.registries import SETS
from pipeline.storage.store import Store


@pytest.fixture
def mine(tmp_path: Path, photograph: Callable[..., np.ndarray]) -> tuple[FolderSet, Path]:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(6):
        (photos / f"{number}.png").write_bytes(encode_png(photograph(number, height=20 + number, width=30)))
    (photos / "grey.png").write_bytes(encode_png(photograph(9)[..., 0]))
    (photos / "torn.png").write_bytes(encode_png(photograph(8))[:300])
    settings = FolderSet(source="folder", path=str(photos), max_bad_share=0.5, licence="all mine")
    build_set("mine", settings, tmp_path / "sets/mine", tmp_path)
    return settings, tmp_path / "sets/mine"


def test_show(mine: tuple[FolderSet, Path]) -> None:
    settings, path = mine
    text = describe_set("mine", settings, path)
    for line in (
        "all mine: 7",
        "mode       RGB: 6",
        "mode       L: 1",
        "refused    1",
        "truncated: 1",
        "      torn",
        "grey       14.3%",
    ):
        assert line in text
    assert "height     20 to 48 px, half of them up to 23" in text


def test_list(mine: tuple[FolderSet, Path]) -> None:
    settings, path = mine
    sets, sources = describe_sources({"mine": settings, "sample": SampleSet(source="sample")}, path.parent)
    assert sets == [
        ("mine", f"source folder, 7 photographs in {path}"),
        ("sample", "source sample, not downloaded"),
    ]
    assert [name for name, _ in sources] == list(SETS)
    assert "val 50,000 photographs; 6.7 GB, to be placed by hand" in dict(sources)["imagenet"]


def test_verify_finds_a_changed_byte(mine: tuple[FolderSet, Path]) -> None:
    _, path = mine
    assert verify_set(path) == []
    row = Store(path).index.loc["3"]
    shard = path / str(row["shard"])
    data = bytearray(shard.read_bytes())
    data[int(row["offset"]) + 40] ^= 1
    shard.write_bytes(bytes(data))
    assert [damage.image_id for damage in verify_set(path)] == ["3"]


def test_verify_finds_a_cut_and_a_stray_shard(mine: tuple[FolderSet, Path]) -> None:
    _, path = mine
    shard = next(path.glob("*.tar"))
    (path / "images-00007.tar").write_bytes(shard.read_bytes())
    assert [damage.problem for damage in verify_set(path)] == ["images-00007.tar is in no row of the index"]
    (path / "images-00007.tar").unlink()
    shard.write_bytes(shard.read_bytes()[:700])
    assert len(verify_set(path)) == 7
    shard.unlink()
    assert all("missing" in damage.problem for damage in verify_set(path))
