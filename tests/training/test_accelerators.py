"""What a GPU gives against what the processor gives; these tests run where there is one."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.color.space import ColorSpace
from pipeline.evaluation.scoring import ScoreSettings, score_set
from pipeline.images.decode import encode_png
from pipeline.inference.whole_sets import predict_set
from pipeline.methods.build import Prepared
from pipeline.methods.checkpoint import WEIGHTS
from pipeline.metrics.perceptual import alexnet_layers
from pipeline.metrics.registry import image_metrics
from pipeline.settings.method_entries import MethodEntry
from pipeline.settings.registries import PROTOCOLS
from pipeline.settings.sections import Predict, Train
from pipeline.storage.store import Store, StoreWriter
from pipeline.training.loop import train

THERE = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
accelerators = pytest.mark.parametrize(
    "device",
    [pytest.param(name, marks=pytest.mark.skipif(not usable, reason=f"no {name}")) for name, usable in THERE.items()],
)


def run(
    store: Store, method: MethodEntry, prepared: Prepared, settings: Train, folder: Path, weights: Path | None = None
) -> tuple[dict[str, float], Store]:
    """Train on the device of the environment, and colorize with these weights or others."""
    last = train(method, prepared, settings, 0, store, folder / "out", folder / "report", folder / "cache")
    trained = weights or folder / "out" / WEIGHTS
    sizes = Predict(size=64, batch=2)
    predict_set(trained, method, prepared.head, sizes, store, folder / "results", folder / "parts")
    return last, Store(folder / "results")


@accelerators
@pytest.mark.parametrize("encoder", ["densenet121", "efficientnet_lite0"])
def test_training_and_prediction_agree_with_the_processor(
    device: str,
    encoder: str,
    make_store: Callable[..., Store],
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    store = make_store(6, split=lambda number: "train" if number < 3 else "test", height=80, width=100)
    decoder = "plain" if encoder == "densenet121" else "skip"
    method = classifier(readout={"kind": "annealed_mean"}, encoder=encoder, pretrained=False, decoder=decoder)
    settings = small(size=64, precision="auto")
    expected, colorized = run(store, method, prepared, settings, tmp_path / "cpu")
    monkeypatch.setenv("HUEBENCH_DEVICE", device)
    found, other = run(store, method, prepared, settings, tmp_path / device, tmp_path / "cpu" / "out" / WEIGHTS)
    assert found["loss"] == pytest.approx(expected["loss"], rel=0.05)
    for image_id in colorized.index.index:
        difference = np.abs(colorized.rgb(image_id).astype(int) - other.rgb(image_id))
        assert difference.mean() < 1  # of 255 levels: bfloat16 has three digits


@accelerators
def test_scores_agree_with_the_processor(
    device: str,
    make_store: Callable[..., Store],
    photograph: Callable[..., np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    layers = {f"features.{name}": tensor for name, tensor in alexnet_layers().state_dict().items()}
    torch.save(layers, tmp_path / "alexnet_features.pth")
    monkeypatch.setenv("HUEBENCH_WEIGHTS", str(tmp_path))
    truth = make_store(4, height=70, width=90)
    with StoreWriter(tmp_path / "result") as writer:
        for number, name in enumerate(truth.index.index):
            half = truth.rgb(name) // 2 + photograph(number + 1, height=70, width=90) // 2
            writer.add(name, encode_png(half), split="test", width=90, height=70, mode="RGB")
    result = Store(tmp_path / "result")
    settings = ScoreSettings("set", "method", "full", batch=3)
    tables = [
        score_set(truth, {"raw": result}, PROTOCOLS["native@1"], ColorSpace(6), ColorSpace(10), found)
        for found in (settings, dataclasses.replace(settings, device=device))
    ]
    assert set(tables[0][0]["status"].to_pylist()) == {"ok"}
    columns = [name for name in image_metrics() if tables[0][0][name].null_count == 0]
    assert {"ssim", "uiqi", "lpips", "ciede2000_p95", "tar", "own_tar"} <= set(columns)
    expected, found = (table[0].select(columns).to_pandas().to_numpy() for table in tables)
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)
    expected, found = (table[1].to_pandas().set_index("metric")["value"].astype(float) for table in tables)
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-3, abs=1e-3, nan_ok=True)
