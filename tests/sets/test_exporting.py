"""A set as files, and back as results."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from pipeline.errors import UserError
from pipeline.images.decode import encode_png
from pipeline.sets.exporting import export_set
from pipeline.sets.imported import import_folder
from pipeline.storage.store import Store, StoreWriter

Make = Callable[..., Store]


def split_of(number: int) -> str:
    return "test" if number % 2 else "train"


def test_the_bytes_of_a_split_as_they_came(make_store: Make, tmp_path: Path) -> None:
    truth = make_store(4, split=split_of)
    assert export_set(truth.path, tmp_path / "out", "test") == 2
    files = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    assert files == {f"{name}.png": truth.read(name) for name in ("photo01", "photo03")}
    assert import_folder(tmp_path / "out", truth, tmp_path / "back", resize_to_truth=False).lines() == ["2 imported"]
    assert export_set(truth.path, tmp_path / "all") == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "back", "out", "set"]  # nothing half-written


def test_names_with_dots_and_other_formats_keep_both(tmp_path: Path, photograph: Callable[..., np.ndarray]) -> None:
    with StoreWriter(tmp_path / "set") as writer:
        writer.add("a.b", encode_png(photograph(1)), ".jpeg", split="test")
        writer.add("a.b.jpeg", encode_png(photograph(2)), ".png", split="test")
        writer.add("ä" * 120, encode_png(photograph(3)), ".webp", split="test")
        writer.add("refused", None, ".png", status="empty")
    assert export_set(tmp_path / "set", tmp_path / "out") == 3
    names = {"a.b.jpeg", "a.b.jpeg.png", "ä" * 120 + ".webp"}
    assert {file.name for file in (tmp_path / "out").iterdir()} == names


def test_grey_is_the_lightness_and_no_color(make_store: Make, tmp_path: Path) -> None:
    truth = make_store(2)
    export_set(truth.path, tmp_path / "out", "test", grey=True)
    with Image.open(tmp_path / "out/photo01.png") as image:
        assert image.mode == "L"
        grey = np.asarray(image)
    wanted = rgb2lab(truth.rgb("photo01"))[..., 0]
    assert np.abs(rgb2lab(np.stack([grey] * 3, axis=-1))[..., 0] - wanted).max() < 0.3  # half a level of 8 bits


def test_what_is_refused(make_store: Make, tmp_path: Path) -> None:
    truth = make_store(2)
    with pytest.raises(UserError, match="has no photograph in split 'train'; it has test"):
        export_set(truth.path, tmp_path / "out", "train")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("keep me")
    with pytest.raises(UserError, match="full is there and not empty"):
        export_set(truth.path, tmp_path / "full")
    with StoreWriter(tmp_path / "bad") as writer:
        writer.add("../../escape", truth.read("photo00"))
    with pytest.raises(UserError, match="leads out of the folder"):
        export_set(tmp_path / "bad", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "full", "set"]
