"""The stages' functions on small stores: segment_set and harmonize_set."""

import json
import logging

import numpy as np
import pyarrow as pa
import pytest

from pipeline.color.space import ColorSpace
from pipeline.errors import UserError
from pipeline.images.decode import encode_png
from pipeline.masks.annotations import DrawnMasks
from pipeline.masks.harmonized_sets import harmonize_set
from pipeline.masks.rle import Segment, decode_mask, encode_mask
from pipeline.masks.segment_anything import SegmentAnything
from pipeline.masks.segmentation import describe_masks, segment_set, segmentation_hash
from pipeline.masks.superpixels import Felzenszwalb, Slic
from pipeline.reporting.pictures.harmonization_figure import harmonization_figure, harmonization_panels
from pipeline.settings.mask_entries import Masks
from pipeline.settings.sections import Harmonize, Select
from pipeline.storage.store import Store, StoreWriter
from pipeline.storage.tables import HARMONIZED, MASKS
from tests.masks.scenes import bleeding, photograph

SPACE = ColorSpace(6)
FELZENSZWALB = Masks(segmenter=Felzenszwalb(size=60, scale=100, min_size=20))


def write_store(path, pictures: dict[str, np.ndarray], split: str = "test") -> Store:
    with StoreWriter(path) as writer:
        for name, rgb in pictures.items():
            height, width = rgb.shape[:2]
            writer.add(name, encode_png(rgb), split=split, width=width, height=height, mode="RGB", is_grey=False)
    return Store(path)


@pytest.fixture(autouse=True)
def one_worker(monkeypatch):
    monkeypatch.setenv("HUEBENCH_WORKERS", "1")


@pytest.fixture
def truth(tmp_path) -> Store:
    flat = np.full((40, 50, 3), 128, np.uint8)
    return write_store(
        tmp_path / "set", {f"photo{seed}": photograph(seed=seed)[0] for seed in range(3)} | {"flat": flat}
    )


@pytest.fixture
def predictions(tmp_path, truth) -> Store:
    return write_store(tmp_path / "predictions", {name: bleeding(truth.rgb(name)) for name in truth.index.index})


def test_masks_come_from_the_grey_photograph_alone(tmp_path, truth):
    recolored = write_store(tmp_path / "grey", {name: grey_of(truth.rgb(name)) for name in truth.index.index})
    one, two = (segment_set(each, FELZENSZWALB, tmp_path / "cache") for each in (truth, recolored))
    assert one.schema.names == MASKS.names
    assert one.drop_columns(["sha256"]).equals(two.drop_columns(["sha256"]))
    frame = one.to_pandas()
    for name, rows in frame.groupby("image_id"):
        covered = sum(decode_mask(Segment(row.rle, row.height, row.width)).astype(int) for row in rows.itertuples())
        assert covered.shape == truth.rgb(name).shape[:2]
        assert covered.max() == 1  # a partition
        assert list(rows["object"]) == list(range(len(rows)))
        assert rows["area"].is_monotonic_decreasing


def grey_of(rgb: np.ndarray) -> np.ndarray:
    from pipeline.color.shades import grey_image

    return np.repeat(grey_image(rgb)[..., None], 3, axis=-1)


def test_nothing_is_segmented_twice_and_deleted_files_come_back(tmp_path, truth, monkeypatch):
    calls = []
    original = Felzenszwalb.segment

    def counted(segmenter, grey, image_id):
        calls.append(image_id)
        return original(segmenter, grey, image_id)

    monkeypatch.setattr(Felzenszwalb, "segment", counted)
    first = segment_set(truth, FELZENSZWALB, tmp_path / "cache")
    assert sorted(calls) == ["flat", "photo0", "photo1", "photo2"]
    smaller = FELZENSZWALB.model_copy(update={"min_area": 0.2})
    assert len(segment_set(truth, smaller, tmp_path / "cache")) < len(first)
    assert segment_set(truth, FELZENSZWALB, tmp_path / "cache").equals(first)
    assert len(calls) == 4
    kept = sorted((tmp_path / "cache").rglob("*.json"))
    assert len(kept) == 4
    kept[0].unlink()
    kept[1].write_text("{")
    assert segment_set(truth, FELZENSZWALB, tmp_path / "cache").equals(first)
    assert len(calls) == 6


def test_workers_read_no_index(tmp_path, truth, predictions, monkeypatch):
    """A task of four photographs must not cost the reading of an index of hundreds of thousands."""
    masks = segment_set(truth, FELZENSZWALB, tmp_path / "one")
    measures = harmonize_set(predictions, truth, masks, SPACE, Harmonize(), tmp_path / "out")
    monkeypatch.setattr("pipeline.storage.store.pq.read_table", None)
    assert segment_set(truth, FELZENSZWALB, tmp_path / "two").equals(masks)
    again = harmonize_set(predictions, truth, masks, SPACE, Harmonize(), tmp_path / "again")
    assert again.to_pandas().equals(measures.to_pandas())


def test_the_hash_follows_what_decides_about_masks(tmp_path):
    sam = Masks(segmenter=SegmentAnything())
    assert segmentation_hash(sam) != segmentation_hash(FELZENSZWALB)
    batch = Masks(segmenter=SegmentAnything(points_per_batch=3))
    assert segmentation_hash(batch) == segmentation_hash(sam)
    fewer = Masks(segmenter=SegmentAnything(points_per_side=3))
    assert segmentation_hash(fewer) != segmentation_hash(sam)
    path = tmp_path / "a.json"
    path.write_text("{}")
    drawn = Masks(segmenter=DrawnMasks(annotations=str(path)))
    before = segmentation_hash(drawn)
    path.write_text("{} ")
    assert segmentation_hash(drawn) != before


def test_slic_runs_behind_the_same_interface(tmp_path, truth):
    table = segment_set(truth, Masks(segmenter=Slic(size=60, segments=8)), tmp_path / "cache")
    assert set(table["segmenter"].to_pylist()) == {"slic"}
    assert len(table) > 8


def test_photographs_without_masks_have_a_row_and_keep_their_bytes(tmp_path, truth, predictions, caplog):
    sizes = {"photo0": (60, 80), "photo1": (61, 80), "flat": (40, 50)}
    images = [{"id": name, "file_name": f"{name}.png", "height": h, "width": w} for name, (h, w) in sizes.items()]
    polygons = {"photo0": [5, 5, 50, 5, 50, 30, 5, 30], "flat": [1, 1, 2, 1, 2, 2, 1, 2]}
    annotations = [{"image_id": name, "segmentation": [polygon]} for name, polygon in polygons.items()]
    drawn = {"images": images, "annotations": annotations}
    (tmp_path / "drawn.json").write_text(json.dumps(drawn))
    settings = Masks(segmenter=DrawnMasks(annotations=str(tmp_path / "drawn.json")), min_area=0.01)
    with caplog.at_level(logging.WARNING):
        masks = segment_set(truth, settings, tmp_path / "cache")
    statuses = dict(zip(masks["image_id"].to_pylist(), masks["status"].to_pylist(), strict=True))
    assert statuses == {"photo0": "ok", "photo1": "mask_size", "photo2": "not_annotated", "flat": "no_masks"}
    assert "photo1 keeps its raw colours, mask_size: its masks are 80 x 61, the photograph is 80 x 60" in caplog.text
    assert describe_masks(masks) == "4 photographs, 1 masks, 1 mask_size, 1 no_masks, 1 not_annotated"
    table = harmonize_set(predictions, truth, masks, SPACE, Harmonize(), tmp_path / "out")
    assert dict(zip(table["image_id"].to_pylist(), table["status"].to_pylist(), strict=True)) == statuses
    out = Store(tmp_path / "out")
    for name in ("photo1", "photo2", "flat"):
        assert out.read(name) == predictions.read(name)
    assert out.read("photo0") != predictions.read("photo0")


def test_a_photograph_that_is_too_large(tmp_path, truth, caplog):
    settings = FELZENSZWALB.model_copy(update={"max_megapixels": 0.003})
    with caplog.at_level(logging.WARNING):
        table = segment_set(truth, settings, tmp_path / "cache")
    assert table["status"].to_pylist().count("too_large") == 3
    assert "0.0048 megapixels, masks.max_megapixels is 0.003" in caplog.text


@pytest.mark.parametrize("mode", ["palette", "mode", "guided"])
def test_the_stored_results(tmp_path, truth, predictions, mode):
    masks = segment_set(truth, FELZENSZWALB, tmp_path / "cache")
    settings = Harmonize(mode=mode)
    table = harmonize_set(predictions, truth, masks, SPACE, settings, tmp_path / "out")
    assert table.schema.names == HARMONIZED.names
    out = Store(tmp_path / "out")
    assert list(out.index.index) == list(predictions.index.index)
    for row in table.to_pylist():
        changed = (out.rgb(row["image_id"]) != predictions.rgb(row["image_id"])).any(axis=-1).sum()
        assert row["pixels_changed"] == changed
    assert sum(table["pixels_changed"].to_pylist()) > 0
    shuffled = pa.concat_tables([masks.slice(len(masks) // 2), masks.slice(0, len(masks) // 2)])
    again = harmonize_set(out, truth, shuffled, SPACE, settings, tmp_path / "again")
    assert sum(again["pixels_changed"].to_pylist()) == 0
    assert all(out.read(name) == Store(tmp_path / "again").read(name) for name in out.index.index)


def test_workers_change_nothing(tmp_path, truth, predictions, monkeypatch):
    monkeypatch.setattr("pipeline.masks.segmentation.IMAGES_PER_TASK", 1)
    monkeypatch.setattr("pipeline.masks.harmonized_sets.IMAGES_PER_TASK", 1)
    results = []
    for workers in ("1", "2"):
        monkeypatch.setenv("HUEBENCH_WORKERS", workers)
        masks = segment_set(truth, FELZENSZWALB, tmp_path / f"cache{workers}")
        out = tmp_path / f"out{workers}"
        results.append((masks, harmonize_set(predictions, truth, masks, SPACE, Harmonize(), out), Store(out)))
    (masks, table, store), (other_masks, other_table, other_store) = results
    assert masks.equals(other_masks)
    assert table.to_pandas().equals(other_table.to_pandas())  # nan equals nan here
    assert all(store.read(name) == other_store.read(name) for name in store.index.index)


def test_selection_and_prompts_outside(tmp_path, truth, predictions):
    labels = photograph()[1]
    rows = [
        {"image_id": name, "object": number, "rle": encode_mask(labels == number + 1).counts, "height": 60, "width": 80}
        | {"status": "ok"}
        for name in ("photo0", "photo1", "photo2")
        for number in range(3)
    ]
    masks = pa.Table.from_pylist([*rows, rows[0] | {"image_id": "flat"}], schema=MASKS)
    chosen = Harmonize(mode="palette", select=Select(points=[[60.0, 30.0]]))
    table = harmonize_set(predictions, truth, masks, SPACE, chosen, tmp_path / "out").to_pandas().set_index("image_id")
    assert list(table.loc[["photo0", "photo1", "photo2"], "objects"]) == [1, 1, 1]
    assert table.loc["flat", "status"] == "mask_size"
    out = Store(tmp_path / "out")
    same = (out.rgb("photo0") == predictions.rgb("photo0")).all(axis=-1)
    assert same[labels != 3].all()
    assert not same[labels == 3].all()
    outside = Harmonize(select=Select(points=[[80.0, 0.0]]))
    table = harmonize_set(predictions, truth, masks, SPACE, outside, tmp_path / "two").to_pandas().set_index("image_id")
    assert table.loc["photo0", "status"] == "prompt_outside"


def test_predictions_of_another_set_are_refused(tmp_path, truth):
    other = write_store(tmp_path / "other", {"stranger": photograph()[0]})
    with pytest.raises(UserError, match=r"has 'stranger', which .* has not"):
        harmonize_set(other, truth, MASKS.empty_table(), SPACE, Harmonize(), tmp_path / "out")


def test_the_figure_magnifies_where_most_changed(tmp_path):
    rgb, labels = photograph(100, 160)
    raw = bleeding(rgb)
    harmonized = raw.copy()
    harmonized[70:90, 120:150] = 0
    panels, (rows, columns) = harmonization_panels(rgb, raw, harmonized, labels)
    assert list(panels) == ["grey", "masks", "raw", "harmonized", "truth"]
    assert rows.start <= 70 and rows.stop >= 90 and columns.start <= 120 and columns.stop >= 150
    figure = harmonization_figure(rgb, raw, harmonized, labels, "photo")
    figure.savefig(tmp_path / "figure.png")
    assert len(figure.axes) == 10
