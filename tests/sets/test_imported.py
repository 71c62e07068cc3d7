"""A folder of anybody's results: matched by name, refused or repaired as told."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import UserError
from pipeline.sets.imported import import_folder
from pipeline.storage.store import Store


@pytest.fixture
def truth(make_store: Callable[..., Store]) -> Store:
    return make_store(3)


@pytest.fixture
def folder(truth: Store, tmp_path: Path) -> Path:
    """A result for every photograph, as somebody's code writes them."""
    path = tmp_path / "results"
    path.mkdir()
    for image_id in truth.index.index:
        Image.fromarray(255 - truth.rgb(image_id)).save(path / f"{image_id}.png")
    (path / "readme.txt").write_text("no image")
    return path


def test_a_complete_folder_becomes_a_store(truth: Store, folder: Path, tmp_path: Path) -> None:
    report = import_folder(folder, truth, tmp_path / "out", resize_to_truth=False)
    store = Store(tmp_path / "out")
    assert list(store.index.index) == list(truth.index.index) == report.imported
    assert (store.rgb("photo01") == 255 - truth.rgb("photo01")).all()
    assert store.read("photo01") == (folder / "photo01.png").read_bytes()  # the bytes as they came
    assert report.lines() == ["3 imported"]


def test_files_in_subfolders_and_of_other_formats_are_found(truth: Store, folder: Path, tmp_path: Path) -> None:
    (folder / "part").mkdir()
    (folder / "photo02.png").rename(folder / "part" / "photo02.png")
    (folder / "photo01.png").unlink()
    Image.fromarray(truth.rgb("photo01")).save(folder / "photo01.JPG", quality=95)
    import_folder(folder, truth, tmp_path / "out", resize_to_truth=False)
    assert np.abs(Store(tmp_path / "out").rgb("photo01").astype(int) - truth.rgb("photo01")).mean() < 5


def test_missing_and_extra_files_are_refused_or_accepted(truth: Store, folder: Path, tmp_path: Path) -> None:
    (folder / "photo00.png").rename(folder / "stranger.png")
    with pytest.raises(UserError) as refused:
        import_folder(folder, truth, tmp_path / "out", resize_to_truth=True)
    lines = str(refused.value).splitlines()
    assert any("1 photographs without a file: photo00; add them or give --partial" in line for line in lines)
    assert any("1 files that belong to no photograph: stranger.png" in line for line in lines)
    assert not (tmp_path / "out").exists()
    report = import_folder(folder, truth, tmp_path / "out", resize_to_truth=False, partial=True)
    assert (report.imported, report.missing, report.extra) == (["photo01", "photo02"], ["photo00"], ["stranger.png"])
    assert list(Store(tmp_path / "out").index.index) == ["photo01", "photo02"]


def test_wrong_sizes_are_refused_or_resized(truth: Store, folder: Path, tmp_path: Path) -> None:
    Image.fromarray(truth.rgb("photo02")).resize((256, 256)).save(folder / "photo02.png")
    with pytest.raises(
        UserError, match=r"photo02.png: 256 x 256 instead of 64 x 48; write them at that size or give --res"
    ):
        import_folder(folder, truth, tmp_path / "out", resize_to_truth=False)
    report = import_folder(folder, truth, tmp_path / "out", resize_to_truth=True)
    assert report.wrong_size == ["photo02.png: 256 x 256 instead of 64 x 48"]
    assert Store(tmp_path / "out").rgb("photo02").shape == truth.rgb("photo02").shape


def test_two_files_for_one_photograph_are_refused(truth: Store, folder: Path, tmp_path: Path) -> None:
    Image.fromarray(truth.rgb("photo00")).save(folder / "photo00.jpg")
    with pytest.raises(UserError, match="1 photographs with more than one file: photo00; keep one"):
        import_folder(folder, truth, tmp_path / "out", resize_to_truth=False)


def test_unreadable_files_are_refused_and_an_older_import_stays(truth: Store, folder: Path, tmp_path: Path) -> None:
    import_folder(folder, truth, tmp_path / "out", resize_to_truth=False)
    (folder / "photo01.png").write_bytes((folder / "photo01.png").read_bytes()[:200])
    with pytest.raises(UserError, match=r"1 unreadable files: photo01.png: (truncated|corrupt)"):
        import_folder(folder, truth, tmp_path / "out", resize_to_truth=False)
    assert len(Store(tmp_path / "out")) == 3


def test_grey_and_palette_files_are_accepted_and_said(truth: Store, folder: Path, tmp_path: Path) -> None:
    Image.fromarray(truth.rgb("photo00")).convert("L").save(folder / "photo00.png")
    Image.fromarray(truth.rgb("photo01")).quantize(16).save(folder / "photo01.png")
    report = import_folder(folder, truth, tmp_path / "out", resize_to_truth=False)
    assert report.converted == ["photo00.png: L, 8 bits", "photo01.png: P, 8 bits"]
    assert "2 converted to 8-bit sRGB: photo00.png: L, 8 bits, photo01.png: P, 8 bits" in report.lines()


def test_a_folder_that_is_not_there_or_has_nothing(truth: Store, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no folder"):
        import_folder(tmp_path / "nowhere", truth, tmp_path / "out", resize_to_truth=False)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no file is named as a photograph of the set, such as photo00.png"):
        import_folder(tmp_path / "empty", truth, tmp_path / "out", resize_to_truth=False, partial=True)


def test_an_ending_tells_results_from_what_lies_beside_them(truth: Store, folder: Path, tmp_path: Path) -> None:
    for image_id in truth.index.index:
        Image.fromarray(truth.rgb(image_id)).save(folder / f"{image_id}_colorized.png")
    report = import_folder(folder, truth, tmp_path / "out", resize_to_truth=False, ending="_colorized")
    store = Store(tmp_path / "out")
    assert list(store.index.index) == list(truth.index.index)
    assert (store.rgb("photo01") == truth.rgb("photo01")).all()  # not 255 - truth, which has the plain name
    assert report.lines()[1].startswith("3 passed over, as their names end in something else: photo00.png, ")
    with pytest.raises(UserError, match=r"no file is named as a photograph of the set, such as photo00_out\.png"):
        import_folder(folder, truth, tmp_path / "other", resize_to_truth=False, ending="_out")
