"""Stores in, tables out: rows, statuses, missing metrics; and no value that hangs on workers, batches or the cache."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image

from pipeline import metrics
from pipeline.color.space import ColorSpace
from pipeline.errors import UserError
from pipeline.evaluation.schemas import SET_ROWS, image_rows_schema
from pipeline.evaluation.scoring import ScoreSettings, score_set
from pipeline.evaluation.set_scores import band_table
from pipeline.evaluation.summary import summarize
from pipeline.images.decode import encode_png
from pipeline.metrics.perceptual import alexnet_layers, load_perceptual
from pipeline.metrics.perceptual_vgg import load_vgg, vgg_layers
from pipeline.metrics.registry import image_metrics
from pipeline.settings.registries import PROTOCOLS
from pipeline.storage.store import Store, StoreWriter
from pipeline.storage.tables import HARMONIZED
from tests.conftest import ON_RAY

SPACE, OWN = ColorSpace(6), ColorSpace(10)
NATIVE, CIC = PROTOCOLS["native@1"], PROTOCOLS["cic-256@1"]
SETTINGS = ScoreSettings("set", "method", "full", batch=3, class_counts=np.arange(SPACE.kept_count))
Faded = Callable[..., Store]


@pytest.fixture(autouse=True)
def one_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUEBENCH_WORKERS", "1")
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


def fade(rgb: np.ndarray, share: float = 0.5) -> np.ndarray:
    grey = rgb.mean(axis=-1, keepdims=True)
    return (share * rgb + (1 - share) * grey).round().astype(np.uint8)


@pytest.fixture
def faded(tmp_path: Path) -> Faded:
    """A store of faded results; `change` may replace the bytes of some, None leaves one out."""

    def make(
        truth: Store, name: str = "raw", share: float = 0.5, change: dict[str, bytes | None] | None = None
    ) -> Store:
        with StoreWriter(tmp_path / name) as writer:
            for image_id in truth.index.index:
                data = (change or {}).get(image_id, encode_png(fade(truth.rgb(image_id), share)))
                if data is not None:
                    writer.add(image_id, data, split="test")
        return Store(tmp_path / name)

    return make


@pytest.fixture
def alexnet(tmp_path: Path) -> Path:
    """AlexNet weights of no training, under the name that the metrics look for."""
    torch.manual_seed(0)
    path = tmp_path / "alexnet_features.pth"
    torch.save({f"features.{name}": value for name, value in alexnet_layers().state_dict().items()}, path)
    return path


def values(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas().set_index(["image_id", "variant"])


def test_rows_hold_what_the_functions_give(make_store: Callable[..., Store], faded: Faded) -> None:
    truth = make_store(5)
    raw, harmonized = faded(truth), faded(truth, "harmonized", 0.8)
    rows, _ = score_set(truth, {"raw": raw, "harmonized": harmonized}, NATIVE, SPACE, OWN, SETTINGS)
    assert rows.schema.names == image_rows_schema().names
    table = values(rows)
    assert list(table.index[:3]) == [("photo00", "raw"), ("photo00", "harmonized"), ("photo01", "raw")]
    for (image_id, variant), row in table.iterrows():
        pair = truth.rgb(image_id)[None], {"raw": raw, "harmonized": harmonized}[variant].rgb(image_id)[None]
        for name in ("mse", "psnr", "ssim", "uiqi", "ciede2000", "ciede2000_p95", "cf", "cf_abs", "cf_difference"):
            assert row[name] == pytest.approx(getattr(metrics, name)(*pair).item(), abs=1e-9), name
        for name in ("cnr", "ccar", "active", "tar"):
            assert row[name] == getattr(metrics, name)(*pair, SPACE).item(), name
            assert row[f"own_{name}"] == getattr(metrics, name)(*pair, OWN).item(), name
    assert (table["status"] == "ok").all()
    assert (table["width"] == 64).all()
    assert (table["height"] == 48).all()


def test_the_protocol_decides_the_size(make_store: Callable[..., Store], faded: Faded) -> None:
    truth = make_store(2)
    raw = faded(truth)
    rows, _ = score_set(truth, {"raw": raw}, CIC, SPACE, None, SETTINGS)
    pair = [
        np.asarray(Image.fromarray(s.rgb("photo00")).resize((256, 256), Image.Resampling.BICUBIC)) for s in (truth, raw)
    ]
    assert values(rows).at[("photo00", "raw"), "ssim"] == pytest.approx(
        metrics.ssim(pair[0][None], pair[1][None]).item()
    )
    assert rows["protocol"].unique().to_pylist() == ["cic-256@1"]


def test_bad_results_have_a_status_and_stop_nobody(
    make_store: Callable[..., Store], faded: Faded, tmp_path: Path
) -> None:
    truth = make_store(7)
    rgb = truth.rgb("photo00")

    def saved(image: Image.Image) -> bytes:
        path = tmp_path / "image.png"
        image.save(path)
        return path.read_bytes()

    change = {
        "photo01": None,
        "photo02": encode_png(rgb[:40]),
        "photo03": b"no image",
        "photo04": truth.read("photo04"),
        "photo05": saved(Image.fromarray(fade(truth.rgb("photo05"), 0)[..., 0])),
        "photo06": saved(Image.fromarray(truth.rgb("photo06")).quantize(8)),
    }
    rows, sets = score_set(truth, {"raw": faded(truth, change=change)}, NATIVE, SPACE, None, SETTINGS)
    table = values(rows).xs("raw", level="variant")
    assert table["status"].to_dict() == {
        "photo00": "ok",
        "photo01": "missing",
        "photo02": "size_mismatch",
        "photo03": "unknown_format",
        "photo04": "identical",
        "photo05": "converted",
        "photo06": "converted",
    }
    scored = table["mse"].notna()
    assert table.index[scored].tolist() == ["photo00", "photo04", "photo05", "photo06"]
    assert np.isinf(table.at["photo04", "psnr"])
    assert table.at["photo05", "active"] == 1  # a grey result shows the one class of no colour
    accuracy = sets.to_pandas().set_index("metric").loc["class_accuracy"]
    assert accuracy["images"] == 4


def test_a_result_at_the_protocols_size_is_compared_as_it_is(make_store: Callable[..., Store], faded: Faded) -> None:
    truth = make_store(2)
    small = CIC.apply(fade(truth.rgb("photo01")))
    raw = faded(truth, change={"photo01": encode_png(small)})
    table = values(score_set(truth, {"raw": raw}, CIC, SPACE, None, SETTINGS)[0]).xs("raw", level="variant")
    assert table["status"].to_list() == ["ok", "resized"]
    expected = metrics.psnr(CIC.apply(truth.rgb("photo01"))[None], small[None]).item()
    assert table.at["photo01", "psnr"] == pytest.approx(expected)


def test_lpips_on_vgg_is_scored_where_its_weights_are(
    make_store: Callable[..., Store], faded: Faded, tmp_path: Path
) -> None:
    """Random weights under the name that the metric looks for; every other network is missing."""
    torch.manual_seed(0)
    path = tmp_path / "vgg16_features.pth"
    torch.save({f"features.{name}": value for name, value in vgg_layers().state_dict().items()}, path)
    truth = make_store(3)
    raw = faded(truth)
    table = values(score_set(truth, {"raw": raw}, NATIVE, SPACE, None, SETTINGS)[0]).xs("raw", level="variant")
    network = load_vgg(path)
    for name, found in table["lpips_vgg"].items():
        expected = metrics.lpips_vgg(truth.rgb(name)[None], raw.rgb(name)[None], network).item()
        assert expected > 0
        assert found == pytest.approx(expected, rel=1e-6)  # float32, summed by other threads
    assert table["lpips"].isna().all()


def test_delta_cf_is_of_means(make_store: Callable[..., Store], faded: Faded) -> None:
    """Not the mean of the differences, which is larger where one result is too vivid and another too grey."""
    truth = make_store(3)
    vivid = np.clip(2.0 * truth.rgb("photo00") - truth.rgb("photo00").mean(-1, keepdims=True), 0, 255).astype(np.uint8)
    raw = faded(truth, change={"photo00": encode_png(vivid)})
    _, sets = score_set(truth, {"raw": raw}, NATIVE, SPACE, None, SETTINGS)
    names = truth.index.index
    cf = {store: [metrics.cf_abs(*[store.rgb(name)[None]] * 2).item() for name in names] for store in (truth, raw)}
    found = sets.to_pandas().set_index("metric").at["delta_cf", "value"]
    assert found == pytest.approx(abs(np.mean(cf[raw]) - np.mean(cf[truth])), rel=1e-12)
    apart = np.abs(np.subtract(cf[raw], cf[truth])).mean()
    assert found < apart - 1


def test_a_result_that_the_model_could_not_make(make_store: Callable[..., Store], tmp_path: Path) -> None:
    truth = make_store(2)
    with StoreWriter(tmp_path / "raw") as writer:
        writer.add("photo00", None, status="not_finite")
        writer.add("photo01", encode_png(truth.rgb("photo01")))
    rows, _ = score_set(truth, {"raw": Store(tmp_path / "raw")}, NATIVE, SPACE, None, SETTINGS)
    assert rows["status"].to_pylist() == ["not_finite", "identical"]


def test_missing_metrics_say_why(make_store: Callable[..., Store], faded: Faded) -> None:
    truth = make_store(3)
    settings = dataclasses.replace(SETTINGS, class_counts=None)
    rows, sets = score_set(truth, {"raw": faded(truth)}, NATIVE, SPACE, None, settings)
    assert sets.schema.names == SET_ROWS.names
    missing = {row["metric"]: row["reason"] for row in sets.to_pylist() if row["status"] == "missing"}
    assert "alexnet-owt-7be5be79.pth" in missing["lpips"]
    assert "alexnet-owt-7be5be79.pth" in missing["frechet_alexnet"]
    assert "pt_inception-2015-12-05-6726825d.pth" in missing["fid"]
    assert {"top1", "top5", "own_tar", "own_class_accuracy", "class_accuracy_band_01"} <= set(missing)
    for name in image_metrics():
        assert (rows[name].null_count == len(rows)) == (
            name in missing or name in ("objects", "pixels_changed", "edge_bleeding")
        )


def test_lpips_and_frechet_with_weights(make_store: Callable[..., Store], faded: Faded, alexnet: Path) -> None:
    truth = make_store(5)
    raw = faded(truth)
    rows, sets = score_set(truth, {"raw": raw}, NATIVE, SPACE, None, SETTINGS)
    network = load_perceptual(alexnet)
    images = [np.stack([store.rgb(image_id) for image_id in truth.index.index]) for store in (truth, raw)]
    assert values(rows)["lpips"].to_numpy() == pytest.approx(metrics.lpips(*images, network), abs=1e-7)
    row = sets.to_pandas().set_index("metric").loc["frechet_alexnet"]
    assert row["status"] == "few_images"
    assert "2048" in row["reason"]
    assert row["value"] > 0


def test_photographs_too_small_for_alexnet_say_so(
    make_store: Callable[..., Store], faded: Faded, alexnet: Path
) -> None:
    truth = make_store(3, height=30, width=64)
    rows, sets = score_set(truth, {"raw": faded(truth)}, NATIVE, SPACE, None, SETTINGS)
    assert np.isnan(values(rows)["lpips"]).all()
    assert rows["lpips"].null_count == 0
    row = sets.to_pandas().set_index("metric").loc["frechet_alexnet"]
    assert (row["status"], row["reason"]) == ("undefined", "every photograph has a side below 31 px")
    summary, _ = summarize([rows], [sets], {SETTINGS.method: "trained"})
    lpips = next(row for row in summary.to_pylist() if row["metric"] == "lpips")
    assert (lpips["value"], lpips["images"], lpips["status"]) == (None, 0, "undefined")


def test_one_photograph_has_no_frechet_distance(make_store: Callable[..., Store], faded: Faded, alexnet: Path) -> None:
    truth = make_store(1)
    _, sets = score_set(truth, {"raw": faded(truth)}, NATIVE, SPACE, None, SETTINGS)
    row = sets.to_pandas().set_index("metric").loc["frechet_alexnet"]
    assert row["status"] == "undefined"
    assert np.isnan(row["value"])


@ON_RAY
def test_engines_workers_batches_and_shards_change_no_value(
    make_store: Callable[..., Store], faded: Faded, alexnet: Path, monkeypatch: pytest.MonkeyPatch, stopped_ray: None
) -> None:
    truth = make_store(7)
    results = {"raw": faded(truth), "harmonized": faded(truth, "harmonized", 0.8)}

    def score(batch: int, workers: int, engine: str = "local") -> tuple[pa.Table, pa.Table]:
        monkeypatch.setenv("HUEBENCH_ENGINE", engine)
        monkeypatch.setenv("HUEBENCH_WORKERS", str(workers))
        return score_set(truth, results, NATIVE, SPACE, OWN, dataclasses.replace(SETTINGS, batch=batch))

    whole = score(8, 1)
    monkeypatch.setattr("pipeline.evaluation.scoring.TASK_IMAGES", 2)
    monkeypatch.setattr("pipeline.evaluation.set_scores.MOMENTS_OF", 3)  # so that moments are formed twice, and added
    one, two = score(1, 1), score(8, 2)
    assert one == two == score(8, 2, "ray")
    assert one[0] == whole[0]
    pd.testing.assert_frame_equal(one[1].to_pandas(), whole[1].to_pandas(), rtol=1e-9, atol=1e-9)


def test_features_of_the_truth_are_kept_and_used(
    make_store: Callable[..., Store], faded: Faded, alexnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = make_store(4)
    results = {"raw": faded(truth)}
    plain = score_set(truth, results, NATIVE, SPACE, None, SETTINGS)
    settings = dataclasses.replace(SETTINGS, cache=tmp_path / "cache")
    assert score_set(truth, results, NATIVE, SPACE, None, settings) == plain
    kept = sorted((tmp_path / "cache").rglob("*.npz"))
    assert sorted(path.stem for path in kept) == sorted(truth.index["sha256"])
    assert score_set(truth, results, NATIVE, SPACE, None, settings) == plain
    score_set(truth, results, CIC, SPACE, None, settings)
    assert len(list((tmp_path / "cache").rglob("*.npz"))) == 8  # another protocol has features of its own
    with np.load(kept[0]) as stored:
        np.savez(kept[0], **{name: 0 * stored[name] if name == "values" else stored[name] for name in stored})
    changed = score_set(truth, results, NATIVE, SPACE, None, settings)[0]["lpips"].to_numpy()
    assert (changed != plain[0]["lpips"].to_numpy()).sum() == 1  # it really was read
    kept[0].write_bytes(b"damaged")
    assert score_set(truth, results, NATIVE, SPACE, None, settings) == plain


def test_the_cache_has_a_limit(make_store: Callable[..., Store], faded: Faded, alexnet: Path, tmp_path: Path) -> None:
    truth = make_store(3)
    settings = dataclasses.replace(SETTINGS, cache=tmp_path / "cache", cache_bytes=1000)
    score_set(truth, {"raw": faded(truth)}, NATIVE, SPACE, None, settings)
    assert not list((tmp_path / "cache").rglob("*.npz"))


def test_what_other_stages_measured_is_joined(make_store: Callable[..., Store], faded: Faded) -> None:
    truth = make_store(2)
    results = {"raw": faded(truth), "harmonized": faded(truth, "harmonized")}
    harmonized = pa.Table.from_pylist(
        [
            {
                "image_id": "photo00",
                "objects": 3,
                "pixels_changed": 40,
                "edge_bleeding_raw": 1.5,
                "edge_bleeding_harmonized": 1.1,
                "status": "ok",
            }
        ],
        schema=HARMONIZED,
    )
    hits = pa.table({"image_id": ["photo01"], "top1": [12.0], "top5": [30.0]})
    rows, sets = score_set(truth, results, NATIVE, SPACE, None, SETTINGS, harmonized, hits)
    table = values(rows)
    assert table.loc[("photo00", "raw"), ["edge_bleeding"]].item() == 1.5
    assert table.loc[("photo00", "harmonized"), ["objects", "pixels_changed", "edge_bleeding"]].tolist() == [3, 40, 1.1]
    assert table.loc[("photo01", "raw"), ["top1", "top5"]].tolist() == [12.0, 30.0]
    assert table.loc[("photo01", "harmonized"), ["top1", "top5"]].isna().all()
    assert "top1" not in sets["metric"].to_pylist()


def test_bands_of_the_truth_itself_stand_on_the_diagonal(make_store: Callable[..., Store]) -> None:
    truth = make_store(3)
    _, sets = score_set(truth, {"raw": truth}, NATIVE, SPACE, None, SETTINGS)
    bands = band_table([sets]).to_pandas()
    assert (bands["share"] == (bands["actual"] == bands["predicted"])).all()
    accuracy = sets.to_pandas().set_index("metric")["value"]
    assert accuracy["class_accuracy"] == 100.0
    shown = bands["actual"].unique()
    assert [accuracy[f"class_accuracy_band_{band:02d}"] for band in shown] == [100.0] * len(shown)


def test_what_cannot_be_scored_is_an_error_of_the_user(make_store: Callable[..., Store], faded: Faded) -> None:
    truth = make_store(3)
    with pytest.raises(UserError, match="no usable photograph in its split 'test'"):
        score_set(make_store(2, "other", split="train"), {}, NATIVE, SPACE, None, SETTINGS)
    with pytest.raises(UserError, match="has 1 photographs that"):
        score_set(truth, {"raw": faded(make_store(4, "more"))}, NATIVE, SPACE, None, SETTINGS)
    settings = dataclasses.replace(SETTINGS, class_counts=np.arange(5))
    with pytest.raises(UserError, match="class counts are for 5 classes"):
        score_set(truth, {"raw": faded(truth)}, NATIVE, SPACE, None, settings)
