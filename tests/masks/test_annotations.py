"""Masks drawn by people, in COCO's format."""

import json

import numpy as np
import pytest
from skimage.draw import polygon2mask

from pipeline.errors import UserError
from pipeline.masks.annotations import annotated_segments
from pipeline.masks.rle import NotSegmented, decode_mask, encode_mask

GREY = np.zeros((40, 50), np.uint8)


def write(folder, instances, name="one.json", size=(40, 50), file_name="photos/cat.1.jpg"):
    content = {
        "images": [{"id": 7, "file_name": file_name, "height": size[0], "width": size[1]}],
        "annotations": [{"image_id": 7, "iscrowd": 0} | each for each in instances],
    }
    (folder / name).write_text(json.dumps(content))
    return str(folder / name)


def test_polygons_and_both_kinds_of_run_lengths(tmp_path):
    square = np.zeros((40, 50), bool)
    square[5:15, 10:30] = True
    runs = [10 * 40 + 5, *[10, 30] * 19, 10, 20 * 40 + 25]
    path = write(
        tmp_path,
        [
            {"segmentation": [[10, 5, 30, 5, 30, 15, 10, 15]]},
            {"segmentation": {"size": [40, 50], "counts": runs}},
            {"segmentation": {"size": [40, 50], "counts": encode_mask(square).counts}},
            {"segmentation": {"size": [40, 50], "counts": [2000]}, "iscrowd": 1},
        ],
    )
    for name in ("cat.1", "photos/cat.1.jpg", "other/cat.1.jpg"):
        masks = [decode_mask(segment) for segment in annotated_segments(GREY, name, path)]
        assert len(masks) == 3
        assert all(np.array_equal(mask, square) for mask in masks)


def test_a_polygon_agrees_with_scikit_image(tmp_path):
    corners = [3.0, 4.0, 44.0, 10.0, 30.0, 37.0, 6.0, 30.0]
    path = write(tmp_path, [{"segmentation": [corners]}])
    (segment,) = annotated_segments(GREY, "cat.1", path)
    expected = polygon2mask((40, 50), np.array(corners).reshape(-1, 2)[:, ::-1] - 0.5)
    assert (decode_mask(segment) != expected).mean() < 0.02


def test_a_folder_of_annotations(tmp_path):
    write(tmp_path, [{"segmentation": [[0, 0, 9, 0, 9, 9]]}], "a.json", file_name="a.jpg")
    write(tmp_path, [], "b.json", file_name="b.jpg")
    assert len(annotated_segments(GREY, "a", str(tmp_path))) == 1
    assert annotated_segments(GREY, "b", str(tmp_path)) == []


def test_of_several_files_each_photograph_is_in_one(tmp_path):
    outline = {"segmentation": [[0, 0, 9, 0, 9, 9]]}
    write(tmp_path, [outline], "instances.json", file_name="a.jpg")
    write(tmp_path, [{"caption": "a cat"}], "captions.json", file_name="a.jpg")
    assert len(annotated_segments(GREY, "a", str(tmp_path))) == 1
    other = tmp_path / "other"
    other.mkdir()
    write(other, [outline], "instances.json", file_name="a.jpg")
    write(other, [], "keypoints.json", file_name="a.jpg")
    with pytest.raises(UserError, match=r"instances\.json and .*keypoints\.json both describe a\.jpg"):
        annotated_segments(GREY, "a", str(other))


def test_a_short_name_of_two_photographs_is_neither(tmp_path):
    write(tmp_path, [{"segmentation": [[0, 0, 9, 0, 9, 9]]}], "a.json", file_name="day/a.jpg")
    write(tmp_path, [], "b.json", file_name="night/a.jpg")
    assert len(annotated_segments(GREY, "day/a.jpg", str(tmp_path))) == 1
    with pytest.raises(NotSegmented):
        annotated_segments(GREY, "a", str(tmp_path))


def test_photographs_that_do_not_fit(tmp_path):
    path = write(tmp_path, [], size=(41, 50))
    with pytest.raises(NotSegmented, match="its masks are 50 x 41, the photograph is 50 x 40") as refusal:
        annotated_segments(GREY, "cat.1", path)
    assert refusal.value.status == "mask_size"
    with pytest.raises(NotSegmented) as refusal:
        annotated_segments(GREY, "dog", path)
    assert refusal.value.status == "not_annotated"


@pytest.mark.parametrize("content", ["{}", "nonsense", '{"images": [], "annotations": 3}'])
def test_files_that_are_no_annotations(tmp_path, content):
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"broken\.json is no COCO annotation file"):
        annotated_segments(GREY, "cat", str(path))
    with pytest.raises(UserError, match=r"masks\.segmenter\.annotations is .*missing"):
        annotated_segments(GREY, "cat", str(tmp_path / "missing"))
