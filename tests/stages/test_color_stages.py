"""The stages histogram, classes and weights on stores of photographs: against plain loops, over engines and shards."""

import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image
from skimage.color import rgb2lab

from pipeline.color.weighting import class_weights, draw_batches
from pipeline.errors import UserError
from pipeline.images.decode import encode_png
from pipeline.sets.sample import SampleSet
from pipeline.settings.params import Settings, validate_settings
from pipeline.stages import histogram, paths
from pipeline.stages.classes import prune_classes
from pipeline.stages.histogram import count_histogram
from pipeline.stages.versions import StageVersion
from pipeline.stages.weights import weigh_classes
from pipeline.storage import portions as sampling
from pipeline.storage.color_tables import read_cells, read_space
from pipeline.storage.store import StoreWriter
from pipeline.storage.tables import HISTOGRAM, SPACE, table_facts, write_table
from tests.conftest import ON_RAY

COUNT = 20
VERSION = StageVersion("test", 7)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs where it may write, on one core."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUEBENCH_WORKERS", "1")
    return tmp_path


@pytest.fixture
def settings(params: dict[str, Any]) -> Callable[..., Settings]:
    """The committed parameters with changes by dotted name."""

    def make(**changes: object) -> Settings:
        params["weights"]["batch"] = 4
        for name, value in changes.items():
            section, _, key = name.partition("__")
            target = params["spaces"]["paper"] if section == "paper" else params[section]
            target[key] = value
        return validate_settings(params)

    return make


def jpeg(rgb: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, format="JPEG", **options)
    return buffer.getvalue()


def write_photographs(photograph: Callable[..., np.ndarray], shards: int = 1) -> list[bytes]:
    """The set `sample` with 20 photographs to count and one to leave alone, in so many shards."""
    files = [jpeg(photograph(seed, 60, 80)) for seed in range(COUNT)]
    longest = -(-max(len(file) for file in files) // 512) * 512  # bytes after the end of a JPEG are not read
    files = [file.ljust(longest, b"\0") for file in files]
    in_a_shard = -(-(COUNT + 1) // shards)
    with StoreWriter(paths.image_set("sample"), shard_bytes=in_a_shard * (512 + longest)) as writer:
        for number, data in enumerate(files):
            writer.add(f"photo{number:02d}", data, ".jpg", split="train")
        writer.add("other", files[0], ".jpg", split="test")
    assert len(list(paths.image_set("sample").glob("*.tar"))) == shards
    return files


def plain_cells(files: list[bytes], size: int = 56) -> np.ndarray:
    """The loop that a user would write."""
    edges, total = np.arange(-128, 129), np.zeros((256, 256))
    for data in files:
        rgb = Image.open(io.BytesIO(data)).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
        lab = rgb2lab(np.asarray(rgb))
        total += np.histogram2d(lab[..., 1].ravel(), lab[..., 2].ravel(), bins=(edges, edges))[0]
    return total


def test_histogram_is_that_of_a_plain_loop(
    photograph: Callable[..., np.ndarray], settings: Callable[..., Settings]
) -> None:
    files = write_photographs(photograph)
    assert count_histogram(settings(), VERSION).startswith("20 images counted, ")
    np.testing.assert_array_equal(read_cells(paths.HISTOGRAM), plain_cells(files))
    table = pq.read_table(paths.HISTOGRAM)
    assert table.schema.equals(HISTOGRAM)
    facts = table_facts(table)
    assert (facts["images"], facts["pixels"], facts["skipped"]) == (COUNT, COUNT * 56 * 56, {})
    assert facts["size"] == 56
    assert (facts["stage"], facts["stage_version"]) == ("test", 7)


def test_more_pixels_than_are_counted_at_a_time(
    photograph: Callable[..., np.ndarray], settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_photographs(photograph)
    monkeypatch.setattr(histogram, "PIXELS_TOGETHER", 5 * 30 * 30)
    count_histogram(settings(histogram__size=30), VERSION)
    np.testing.assert_array_equal(read_cells(paths.HISTOGRAM), plain_cells(files, 30))


def test_nothing_is_dropped_silently(photograph: Callable[..., np.ndarray], settings: Callable[..., Settings]) -> None:
    grey = np.repeat(photograph(1)[..., :1], 3, axis=-1)
    good = jpeg(photograph(0))
    with StoreWriter(paths.image_set("sample")) as writer:
        for name, data in {
            "good": good,
            "grey": jpeg(grey),
            "cut": good[: len(good) // 2],
            "text": b"no image",
            "tiny": jpeg(photograph(2, 7, 90)),
        }.items():
            writer.add(name, data, ".jpg", split="train", is_grey=name == "grey")
        writer.add("refused", None, split="train", status="too_many_pixels")
    line = count_histogram(settings(), VERSION)
    assert line.startswith("1 images counted, 1 grey, 1 tiny, 1 too_many_pixels, 1 truncated, 1 unknown_format, ")
    np.testing.assert_array_equal(read_cells(paths.HISTOGRAM), plain_cells([good]))
    skipped = table_facts(pq.read_table(paths.HISTOGRAM))["skipped"]
    assert skipped == {"grey": 1, "tiny": 1, "truncated": 1, "unknown_format": 1, "too_many_pixels": 1}


def test_classes_are_those_of_a_plain_loop(
    photograph: Callable[..., np.ndarray], settings: Callable[..., Settings]
) -> None:
    files = write_photographs(photograph)
    count_histogram(settings(), VERSION)
    for bin_size, shift in ((6, 108), (10, 100), (5, 128)):
        chosen = settings(paper__bin_size=bin_size, paper__shift=shift, paper__min_share=1e-3)
        line = prune_classes(chosen, VERSION, "paper")
        frame = pd.read_parquet(paths.space("paper"))
        counts = plain_counts(files, bin_size, shift)
        np.testing.assert_array_equal(frame["count"], counts)
        kept = np.flatnonzero(counts >= 1e-3 * counts.sum())
        np.testing.assert_array_equal(np.flatnonzero(frame["kept"]), kept)
        centers = frame[["a", "b"]].to_numpy().astype(float)
        distances = np.linalg.norm(centers[:, None] - centers[None, kept], axis=-1)
        np.testing.assert_array_equal(frame["mapped_to"], kept[np.round(distances, 9).argmin(axis=1)])
        assert f"{len(kept)} kept" in line
        np.testing.assert_array_equal(read_space(paths.space("paper")).kept, kept)
    assert pq.read_schema(paths.space("paper")).equals(SPACE)


def plain_counts(files: list[bytes], bin_size: int, shift: int) -> np.ndarray:
    """Class counts as Eq. 9 is printed, photograph by photograph."""
    grid = -(-2 * shift // bin_size)
    total = np.zeros(grid * grid, np.int64)
    for data in files:
        rgb = Image.open(io.BytesIO(data)).convert("RGB").resize((56, 56), Image.Resampling.BICUBIC)
        ab = np.clip(rgb2lab(np.asarray(rgb))[..., 1:], -shift, np.nextafter(shift, 0))
        bins = np.floor((ab + shift) / bin_size).astype(int)
        total += np.bincount((bins[..., 0] * grid + bins[..., 1]).ravel(), minlength=grid * grid)
    return total


def test_weights_are_those_of_a_plain_loop(
    photograph: Callable[..., np.ndarray], settings: Callable[..., Settings]
) -> None:
    files = write_photographs(photograph)
    chosen = settings(paper__min_share=1e-3, weights__percents=[4, 10])
    count_histogram(chosen, VERSION)
    prune_classes(chosen, VERSION, "paper")
    assert weigh_classes(chosen, VERSION, "paper").endswith("5 batches of 20 images drawn")
    space = pd.read_parquet(paths.space("paper"))
    frame = pd.read_parquet(paths.weights("paper"))
    by_label = space.groupby("mapped_to")["count"].sum()
    np.testing.assert_array_equal(frame["class_id"], by_label.index)
    np.testing.assert_array_equal(frame["count"], by_label)
    assert frame["count"].sum() == COUNT * 56 * 56
    assert frame["prior"].sum() == pytest.approx(1)
    assert (frame["smoothed_prior"] * frame["cic_weight"]).sum() == pytest.approx(1)

    batches = pd.read_parquet(paths.weight_batches("paper")).set_index(["percent", "batch"])
    drawn = draw_batches([f"photo{number:02d}" for number in range(COUNT)], 4, chosen.run.seed)
    for number, names in enumerate(drawn):
        counts = plain_counts([files[int(name[5:])] for name in names], 6, 108)
        labels = pd.Series(counts).groupby(space["mapped_to"]).sum().loc[frame["class_id"]].to_numpy()
        for percent in (4.0, 10.0):
            row, present = batches.loc[(percent, number)], class_weights(labels, percent)[labels > 0]
            assert (row["images"], row["classes"]) == (4, len(present))
            expected = (present.min(), np.median(present), present.max())
            assert tuple(row[["weight_min", "weight_median", "weight_max"]]) == pytest.approx(expected)


def outputs() -> dict[str, bytes]:
    made = (paths.HISTOGRAM, paths.weights("paper"), paths.weight_batches("paper"), paths.space("paper"))
    return {path.name: path.read_bytes() for path in made}


@ON_RAY
def test_engines_workers_and_shards_change_no_byte(
    photograph: Callable[..., np.ndarray],
    settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    stopped_ray: None,
) -> None:
    monkeypatch.setattr(histogram, "portions", functools.partial(sampling.portions, size=5))
    chosen = settings()
    found: dict[str, dict[str, bytes]] = {}
    plan = [("local", 1, 1), ("local", 2, 2), ("local", 2, 7), ("ray", 2, 1), ("ray", 2, 2), ("ray", 2, 7)]
    for engine, workers, shards in plan:
        monkeypatch.setenv("HUEBENCH_ENGINE", engine)
        monkeypatch.setenv("HUEBENCH_WORKERS", str(workers))
        write_photographs(photograph, shards)
        count_histogram(chosen, VERSION)
        prune_classes(chosen, VERSION, "paper")
        weigh_classes(chosen, VERSION, "paper")
        found[f"{engine}, {workers} workers, {shards} shards"] = outputs()
    first = found.pop("local, 1 workers, 1 shards")
    for how, files in found.items():
        assert files == first, how


@pytest.mark.parametrize(
    ("changes", "stage", "says"),
    [
        ({"histogram__size": 64}, "classes", r"histogram\.size is 64, but .*made with 56"),
        ({"histogram__resampling": "box"}, "classes", r"histogram\.resampling is 'box', but .*made with 'bicubic'"),
        ({"paper__min_share": 0.999}, "classes", r"spaces\.paper\.min_share is 0\.999 and keeps no class"),
        ({"paper__min_count": 10**9}, "classes", r"spaces\.paper\.min_count is 1e\+09 and keeps no class"),
        ({"paper__shift": 100}, "weights", r"spaces\.paper\.shift is 100, but .*made with 108"),
        ({"paper__bin_size": 10}, "weights", r"spaces\.paper\.bin_size is 10, but .*made with 6"),
        ({"histogram__size": 64}, "weights", r"histogram\.size is 64, but .*made with 56"),
    ],
)
def test_what_does_not_fit_is_one_line_and_writes_nothing(
    photograph: Callable[..., np.ndarray],
    settings: Callable[..., Settings],
    changes: dict[str, object],
    stage: str,
    says: str,
) -> None:
    write_photographs(photograph)
    chosen = settings()
    count_histogram(chosen, VERSION)
    prune_classes(chosen, VERSION, "paper")
    weigh_classes(chosen, VERSION, "paper")
    before = outputs()
    with pytest.raises(UserError, match=says) as caught:
        {"classes": prune_classes, "weights": weigh_classes}[stage](settings(**changes), VERSION, "paper")
    assert "\n" not in str(caught.value)
    assert outputs() == before


def test_an_empty_reference_set_is_refused(
    settings: Callable[..., Settings], photograph: Callable[..., np.ndarray]
) -> None:
    with StoreWriter(paths.image_set("sample")) as writer:
        writer.add("test", encode_png(photograph(0)), split="test")
        writer.add("grey", encode_png(np.zeros((20, 20, 3), np.uint8)), split="train", is_grey=True)
    with pytest.raises(UserError, match=r"run\.reference is 'sample', .*nothing to count: 1 grey"):
        count_histogram(settings(), VERSION)
    assert not paths.HISTOGRAM.exists()


def test_no_photograph_to_draw_is_refused(
    settings: Callable[..., Settings], photograph: Callable[..., np.ndarray]
) -> None:
    chosen = settings()
    write_photographs(photograph)
    count_histogram(chosen, VERSION)
    prune_classes(chosen, VERSION, "paper")
    with StoreWriter(paths.image_set("sample")) as writer:
        writer.add("grey", encode_png(np.zeros((20, 20, 3), np.uint8)), split="train", is_grey=True)
    with pytest.raises(UserError, match=r"run\.reference is 'sample', .*no color photograph"):
        weigh_classes(chosen, VERSION, "paper")
    assert not paths.weights("paper").exists()


def test_a_histogram_with_impossible_cells_is_refused(settings: Callable[..., Settings]) -> None:
    columns = [np.array([-129], np.int16), np.array([0], np.int16), np.array([5])]
    for table in (HISTOGRAM.empty_table(), pa_table(columns)):
        write_table(table, paths.HISTOGRAM, {})
        with pytest.raises(UserError, match=r"histogram\.parquet (holds no pixel|has cells outside)"):
            prune_classes(settings(), VERSION, "paper")


def pa_table(columns: list[np.ndarray]) -> Any:
    import pyarrow as pa

    return pa.table(columns, schema=HISTOGRAM)


def test_a_shift_that_leaves_colors_outside_counts_them(settings: Callable[..., Settings]) -> None:
    blue = np.zeros((60, 60, 3), np.uint8)
    blue[..., 2] = 255  # b = -107.9
    with StoreWriter(paths.image_set("sample")) as writer:
        writer.add("blue", encode_png(blue), split="train")
    count_histogram(settings(), VERSION)
    chosen = settings(paper__shift=100, paper__bin_size=10)
    assert prune_classes(chosen, VERSION, "paper").endswith("1 kept, 3136 pixels outside the shift clipped")
    assert table_facts(pq.read_table(paths.space("paper")))["clipped"] == 3136


def test_a_shard_cut_short_is_named(photograph: Callable[..., np.ndarray], settings: Callable[..., Settings]) -> None:
    write_photographs(photograph)
    (shard,) = paths.image_set("sample").glob("*.tar")
    shard.write_bytes(shard.read_bytes()[:2000])
    with pytest.raises(UserError, match=r"images-00000\.tar is shorter"):
        count_histogram(settings(), VERSION)
    shard.unlink()
    with pytest.raises(UserError, match=r"images-00000\.tar is missing"):
        count_histogram(settings(), VERSION)


def test_on_photographs(settings: Callable[..., Settings]) -> None:
    photographs = {photograph.image_id: photograph for photograph in SampleSet(source="sample").photographs(Path())}
    files = [photographs[name].read() for name in ("coffee", "motorcycle_left")]  # the two without a color profile
    with StoreWriter(paths.image_set("sample")) as writer:
        for number, data in enumerate(files):
            writer.add(f"{number:03d}", data, ".jpg", split="train")
    chosen = settings()
    count_histogram(chosen, VERSION)
    prune_classes(chosen, VERSION, "paper")
    counts = plain_counts(files, 6, 108)
    frame = pd.read_parquet(paths.space("paper"))
    np.testing.assert_array_equal(frame["count"], counts)
    np.testing.assert_array_equal(np.flatnonzero(frame["kept"]), np.flatnonzero(counts >= 4.5502e-6 * counts.sum()))
