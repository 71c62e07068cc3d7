"""What lies outside the graph and changes a result runs what follows it, and nothing else."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torchvision.models import alexnet

from pipeline.stages import outside
from tests.graph.clones import OUTSIDE, call, copy_clone, set_parameters, stages_run

SCORES = {
    *(f"evaluate@{method}-sample" for method in ("ccc_plus_plus_lite", "l2")),
    *(f"evaluate_baseline@{method}-sample" for method in ("gray", "oracle")),
}


@pytest.fixture
def project(clone, tmp_path):
    return copy_clone(clone, tmp_path / "project")


def lpips(folder: Path) -> list[float | None]:
    return pq.read_table(folder / "reports/images/oracle/sample.parquet")["lpips"].to_pylist()


def test_weights_placed_by_hand_are_scored_with(project, tmp_path):
    assert lpips(project) == [None] * 4
    weights = tmp_path / "weights"
    weights.mkdir()
    torch.manual_seed(0)
    torch.save(alexnet().state_dict(), weights / "alexnet_features.pth")
    said = call(project, "dvc", "repro", HUEBENCH_WEIGHTS=str(weights))
    assert stages_run(said) == {OUTSIDE, *SCORES, "report"}
    assert all(value is not None and value > 0 for value in lpips(project))
    assert stages_run(call(project, "dvc", "repro", HUEBENCH_WEIGHTS=str(weights))) == {OUTSIDE}
    call(project, "dvc", "repro")  # DVC has the rows without them in its run cache
    assert lpips(project) == [None] * 4


def annotate(project: Path, widths: list[int]) -> None:
    """drawn.json with a rectangle on each test photograph, so many pixels wide."""
    images, drawn = [], []
    for number, (path, width) in enumerate(zip(sorted((project / "photographs/test").iterdir()), widths, strict=True)):
        with Image.open(path) as image:
            size = {"width": image.width, "height": image.height}
        images.append({"id": number, "file_name": f"test-{path.stem}", **size})
        outline = [2, 2, 2 + width, 2, 2 + width, 40, 2, 40]
        drawn.append({"image_id": number, "iscrowd": 0, "segmentation": [outline]})
    (project / "drawn.json").write_text(json.dumps({"images": images, "annotations": drawn}), encoding="utf-8")


def test_a_changed_annotation_file_segments_again(project):
    annotate(project, [40, 40, 40, 40])
    set_parameters(project, {"masks.segmenter": {"kind": "masks", "annotations": "drawn.json"}})
    assert stages_run(call(project, "dvc", "repro", "segment@sample")) == {OUTSIDE, "segment@sample"}
    before = pq.read_table(project / "data/masks/sample.parquet")["area"].to_pylist()
    annotate(project, [80, 40, 40, 40])
    assert stages_run(call(project, "dvc", "repro", "segment@sample")) == {OUTSIDE, "segment@sample"}
    after = pq.read_table(project / "data/masks/sample.parquet")["area"].to_pylist()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    (project / "drawn.json").unlink()  # what was made of it still stands
    assert stages_run(call(project, "dvc", "repro", "segment@sample")) == {OUTSIDE}


def test_photographs_added_to_a_folder_are_taken_in(project):
    train = project / "photographs/train"
    first = min(train.iterdir())
    first.touch()
    assert stages_run(call(project, "dvc", "repro", "classes@paper")) == {OUTSIDE}
    with Image.open(first) as image:
        image.rotate(180).save(train / "new.png")
    ran = stages_run(call(project, "dvc", "repro", "classes@paper"))
    assert ran == {OUTSIDE, "download@sample", "histogram", "classes@paper"}
    assert "train-new" in pq.read_table(project / "data/sets/sample/index.parquet")["image_id"].to_pylist()
    (train / "notes.txt").write_text("no photograph", encoding="utf-8")
    assert stages_run(call(project, "dvc", "repro", "classes@paper")) == {OUTSIDE}
    with Image.open(first) as image:
        image.rotate(90).save(train / "new.png")  # another photograph under the same name
    assert "download@sample" in stages_run(call(project, "dvc", "repro", "download@sample"))
    shutil.move(project / "photographs", project / "elsewhere")  # a disk that is not mounted
    assert stages_run(call(project, "dvc", "repro", "download@sample")) == {OUTSIDE}


def test_a_list_of_photographs_is_noted(tmp_path, monkeypatch):
    """By its checksum, so that `download` of its set runs again; one out of reach stays as it was seen last."""
    monkeypatch.chdir(tmp_path)
    listed = tmp_path / "names.txt"
    listed.write_text("a\n", encoding="utf-8")
    first = outside._photographs(None, str(listed))
    listed.write_text("a\nb\n", encoding="utf-8")
    assert outside._photographs(None, str(listed)) != first != {}
    listed.unlink()
    assert outside._photographs(None, str(listed)) is None
    assert outside._photographs(None, None) == {}
