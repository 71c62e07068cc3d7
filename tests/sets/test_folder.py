"""The user's own photographs: splits that hold, duplicates that stay together, bad files that stop nothing."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import UserError
from pipeline.images.decode import HEIF, ImageRefused, decode, encode_png
from pipeline.sets import building
from pipeline.sets.building import BuiltSet, build_set
from pipeline.sets.folder import FolderSet
from pipeline.storage.store import Store
from tests.conftest import ON_RAY
from tests.sets.test_duplicates import picture

HEIC_START = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
"""The first box of what a telephone writes (ISO/IEC 23008-12)."""
Make = Callable[..., np.ndarray]


def built(tmp_path: Path, **settings: Any) -> tuple[Store, BuiltSet]:
    chosen = FolderSet(source="folder", path=str(tmp_path / "photos"), **settings)
    summary = build_set("mine", chosen, tmp_path / "store", tmp_path / "unused")
    return Store(tmp_path / "store"), summary


def write(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / "photos" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def as_jpeg(rgb: np.ndarray, quality: int = 90) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def test_a_tree_of_photographs(tmp_path: Path, photograph: Make) -> None:
    write(tmp_path, "rome/forum.jpg", as_jpeg(photograph(1)))
    write(tmp_path, "rome/2019/Via Appia.JPG", as_jpeg(photograph(2)))
    write(tmp_path, "alone.png", encode_png(photograph(3)))
    write(tmp_path, "notes.txt", b"no photograph")
    write(tmp_path, ".trash/old.jpg", as_jpeg(photograph(4)))
    write(tmp_path, "rome/._forum.jpg", b"what macOS leaves behind")
    store, _ = built(tmp_path, credit="me", licence="mine")
    assert dict(zip(store.index["image_id"], store.index["label"], strict=True)) == {
        "alone": "",
        "rome-2019-Via_Appia": "2019",
        "rome-forum": "rome",
    }
    assert set(store.index["credit"]) == {"me"}
    assert set(store.index["licence"]) == {"mine"}


def test_names_that_meet_are_told_apart(tmp_path: Path, photograph: Make) -> None:
    for number, name in enumerate(("a/b.png", "a-b.png", "c.png", "c.jpg")):
        write(tmp_path, name, encode_png(photograph(number)))
    store, _ = built(tmp_path)
    assert len(store) == 4
    assert all(name.startswith(("a-b-", "c-")) for name in store.index["image_id"])


def test_the_split_holds_when_photographs_are_added(tmp_path: Path, photograph: Make) -> None:
    for number in range(60):
        write(tmp_path, f"{number:02d}.png", encode_png(photograph(number, height=9, width=9)))
    before, _ = built(tmp_path, test_share=0.3, near_duplicate_bits=-1)
    splits = before.index["split"].to_dict()
    assert 8 <= sum(split == "test" for split in splits.values()) <= 28
    for number in range(60, 70):
        write(tmp_path, f"{number:02d}.png", encode_png(photograph(number, height=9, width=9)))
    after, _ = built(tmp_path, test_share=0.3, near_duplicate_bits=-1)
    assert {name: split for name, split in after.index["split"].to_dict().items() if name in splits} == splits
    other, _ = built(tmp_path, test_share=0.3, near_duplicate_bits=-1, seed=1)
    assert other.index["split"].to_dict() != after.index["split"].to_dict()


def test_split_by_subfolder(tmp_path: Path, photograph: Make) -> None:
    write(tmp_path, "train/a.png", encode_png(photograph(1)))
    write(tmp_path, "test/deeper/b.png", encode_png(photograph(2)))
    store, _ = built(tmp_path, split_by="subfolder")
    assert store.index["split"].to_dict() == {"train-a": "train", "test-deeper-b": "test"}
    write(tmp_path, "c.png", encode_png(photograph(3)))
    with pytest.raises(UserError, match=r"c\.png is in neither train nor test"):
        built(tmp_path, split_by="subfolder")


def test_duplicates_stand_on_one_side(tmp_path: Path, photograph: Make) -> None:
    """Exact copies, a recompressed and a smaller one follow the first of them; another photograph does not."""
    rgb = photograph(1, height=120, width=160)
    smaller = np.asarray(Image.fromarray(rgb).resize((80, 60)))
    write(tmp_path, "test/a.png", encode_png(rgb))
    write(tmp_path, "train/b.png", encode_png(rgb))
    write(tmp_path, "train/c.jpg", as_jpeg(rgb, quality=60))
    write(tmp_path, "train/d.png", encode_png(smaller))
    write(tmp_path, "train/e.png", encode_png(photograph(2, height=120, width=160)))
    store, summary = built(tmp_path, split_by="subfolder")
    assert store.index["split"].to_dict() == {
        "test-a": "test",
        "train-b": "test",
        "train-c": "test",
        "train-d": "test",
        "train-e": "train",
    }
    assert summary.moved == 3
    assert "3 moved beside their near duplicates" in str(summary)
    exact, _ = built(tmp_path, split_by="subfolder", near_duplicate_bits=-1)
    assert exact.index.loc[["train-b", "train-c"], "split"].tolist() == ["test", "train"]


def test_grey_photographs_are_marked(tmp_path: Path, photograph: Make) -> None:
    grey = np.repeat(photograph(1)[..., :1], 3, axis=2)
    write(tmp_path, "grey.png", encode_png(grey))
    write(tmp_path, "color.png", encode_png(photograph(2)))
    write(tmp_path, "one_channel.png", encode_png(grey[..., 0]))
    store, summary = built(tmp_path)
    assert store.index["is_grey"].to_dict() == {"color": False, "grey": True, "one_channel": True}
    assert summary.grey == 2


def test_bad_files_are_counted_by_reason(tmp_path: Path, photograph: Make) -> None:
    for number in range(8):
        write(tmp_path, f"good{number}.png", encode_png(photograph(number)))
    write(tmp_path, "empty.jpg", b"")
    write(tmp_path, "text.jpg", b"this is text")
    with pytest.raises(UserError, match=r"2 of 10 files .* \(empty 1, unknown_format 1\).* is 0; remove") as error:
        built(tmp_path, max_bad_share=0)
    assert str(error.value).splitlines()[1:] == ["empty.jpg (empty)", "text.jpg (unknown_format)"]
    store, summary = built(tmp_path)  # a few stop no folder: 2 of 10 are more than the default share
    assert summary.refused == {"empty": 1, "unknown_format": 1}
    assert store.index.loc["empty", "status"] == "empty"
    assert sum(summary.photographs.values()) == 8
    assert str(summary).endswith("refused: empty 1, unknown_format 1")
    write(tmp_path, "text2.jpg", b"this is text")
    assert built(tmp_path)[1].refused == {"empty": 1, "unknown_format": 2}
    write(tmp_path, "text3.jpg", b"this is text")
    with pytest.raises(UserError, match=r"4 of 12 files .* is 0\.01; remove"):
        built(tmp_path)
    assert built(tmp_path, max_bad_share=0.4)[1].refused == {"empty": 1, "unknown_format": 3}


def test_a_folder_without_a_usable_photograph_is_no_set(tmp_path: Path) -> None:
    write(tmp_path, "text.jpg", b"this is text")
    with pytest.raises(UserError, match="1 of 1 files were refused"):
        built(tmp_path)


@pytest.mark.skipif(HEIF, reason="pillow-heif is installed and reads them")
def test_a_heic_photograph_is_refused_by_the_name_of_its_extra(tmp_path: Path, photograph: Make) -> None:
    write(tmp_path, "good.png", encode_png(photograph(1)))
    write(tmp_path, "IMG_0001.HEIC", HEIC_START)
    store, summary = built(tmp_path)
    assert summary.refused == {"needs_heif": 1} and store.index.loc["IMG_0001", "status"] == "needs_heif"
    with pytest.raises(ImageRefused, match=r"pip install -e '\.\[heif\]'"):
        decode(HEIC_START)


@pytest.mark.parametrize("split_by", ["hash", "subfolder"])
def test_a_file_that_may_not_be_read_is_refused_alone(
    tmp_path: Path, photograph: Make, monkeypatch: pytest.MonkeyPatch, split_by: str
) -> None:
    for number in range(3):
        write(tmp_path, f"train/{number}.png", encode_png(photograph(number)))
    monkeypatch.setattr("pipeline.sets.folder.os.access", lambda path, mode: path.name != "1.png")
    store, summary = built(tmp_path, max_bad_share=0.5, split_by=split_by)
    assert summary.refused == {"not_read": 1}
    assert store.index.loc["train-1", "status"] == "not_read"


def test_no_folder_and_no_photograph(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="photos is no folder"):
        built(tmp_path)
    write(tmp_path, "notes.txt", b"")
    with pytest.raises(UserError, match=r"sets\.mine has no photograph"):
        built(tmp_path)


def test_the_store_does_not_depend_on_the_number_of_workers(
    tmp_path: Path, photograph: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        write(tmp_path, f"{number:02d}.png", encode_png(photograph(number)))
    written = []
    for workers, few in (("1", 2000), ("2", 2000), ("2", 5)):  # inline, threads, threads and then processes
        monkeypatch.setenv("HUEBENCH_WORKERS", workers)
        monkeypatch.setattr(building, "FEW", few)
        store, _ = built(tmp_path)
        written.append([(file.name, file.read_bytes()) for file in sorted(store.path.iterdir())])
    assert written[0] == written[1] == written[2]


@ON_RAY
def test_ray_builds_the_same_store(
    tmp_path: Path, photograph: Make, monkeypatch: pytest.MonkeyPatch, stopped_ray: None
) -> None:
    for number in range(12):
        write(tmp_path, f"{number:02d}.png", encode_png(photograph(number)))
    written = []
    monkeypatch.setattr(building, "FEW", 3)
    monkeypatch.setattr(building, "BATCH", 2)
    monkeypatch.setenv("HUEBENCH_WORKERS", "2")
    for engine in ("local", "ray"):
        monkeypatch.setenv("HUEBENCH_ENGINE", engine)
        store, _ = built(tmp_path)
        written.append([(file.name, file.read_bytes()) for file in sorted(store.path.iterdir())])
    assert written[0] == written[1]


def test_photographs_added_under_later_names_move_none(tmp_path: Path) -> None:
    """Near duplicates of what was there come to it, whichever side their own bytes would send them to."""
    for number in range(30):
        write(tmp_path, f"a{number:02d}.jpg", as_jpeg(picture(number)))
    before, _ = built(tmp_path, test_share=0.4)
    for number in range(30):
        write(tmp_path, f"b{number:02d}.jpg", as_jpeg(picture(number), quality=60))
    after, summary = built(tmp_path, test_share=0.4)
    splits = after.index["split"]
    assert splits[before.index.index].equals(before.index["split"])
    assert [splits[f"b{number:02d}"] for number in range(30)] == [splits[f"a{number:02d}"] for number in range(30)]
    assert summary.moved > 3


def test_full_disk_under_the_store(tmp_path: Path, photograph: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.png", encode_png(photograph(1)))

    def full(*arguments: Any, **columns: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(building.StoreWriter, "add", full)
    with pytest.raises(UserError, match=r"is full; what was fetched is kept in .* run again"):
        built(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
