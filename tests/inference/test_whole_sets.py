"""Prediction: own size, own lightness, the same bytes whatever the batch and the workers, and the two baselines."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from skimage.transform import resize as skimage_resize

import pipeline.inference.whole_sets as predicting
from pipeline.color.joining import join, spread_colors
from pipeline.color.lab import lightness
from pipeline.color.space import ColorSpace
from pipeline.images.decode import decode
from pipeline.inference.predictor import PredictorSettings, load_predictor, oracle_grid
from pipeline.inference.whole_sets import predict_gray, predict_oracle, predict_set
from pipeline.methods.build import starting_network
from pipeline.methods.checkpoint import load_model, save_model
from pipeline.methods.head import ClassHead
from pipeline.methods.inputs import network_light, true_colors
from pipeline.settings.method_entries import MethodEntry
from pipeline.settings.sections import Predict
from pipeline.storage.portions import portion
from pipeline.storage.store import Store
from tests.conftest import ON_RAY

SETTINGS = Predict(size=32, batch=2)


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    """Seven photographs, five of them to be colorized."""
    return make_store(7, split=lambda number: "train" if number < 2 else "test", height=45, width=70)


@pytest.fixture
def space() -> ColorSpace:
    """The nine bins of 20 units around grey: colours that most lightnesses can have in sRGB."""
    return ColorSpace(20, 108, np.array([48, 49, 50, 59, 60, 61, 70, 71, 72], np.int32))


@pytest.fixture
def head(space: ColorSpace) -> ClassHead:
    return ClassHead("wide", space)


@pytest.fixture
def weights(
    classifier: Callable[..., MethodEntry], head: ClassHead, small: Callable[..., object], tmp_path: Path
) -> Path:
    """A network that was not trained, but is told apart from others by its scores."""
    network = starting_network(classifier().model.network, head.outputs, 1)
    torch.nn.init.normal_(network.decoder.scores.weight, std=2.0)  # type: ignore[union-attr,arg-type]
    save_model(tmp_path / "weights.safetensors", network, classifier().model, head, small(), 1)  # type: ignore[arg-type]
    return tmp_path / "weights.safetensors"


def digest(path: Path) -> str:
    return hashlib.sha256((path / "images-00000.tar").read_bytes()).hexdigest()


def test_results_have_their_photograph_s_size_and_lightness(
    store: Store, weights: Path, classifier: Callable[..., MethodEntry], head: ClassHead, tmp_path: Path
) -> None:
    assert len(predict_set(weights, classifier(), head, SETTINGS, store, tmp_path / "out", tmp_path / "cache")) == 5
    results = Store(tmp_path / "out")
    assert list(results.rows("test").index) == list(store.rows("test").index)
    assert results.index[["width", "height"]].drop_duplicates().to_numpy().tolist() == [[70, 45]]
    colored = 0.0
    for name in results.index["image_id"]:
        lab = rgb2lab(results.rgb(name))
        difference = np.abs(lab[..., 0] - rgb2lab(store.rgb(name))[..., 0])
        assert np.median(difference) < 1.0  # further off only where the colour leaves the gamut
        colored += np.abs(lab[..., 1:]).mean()
    assert colored / len(results) > 3
    assert not (tmp_path / "cache").exists()


@ON_RAY
def test_engine_batch_and_workers_change_no_byte(
    store: Store,
    weights: Path,
    classifier: Callable[..., MethodEntry],
    head: ClassHead,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stopped_ray: None,
) -> None:
    found = set()
    for engine, workers, batch in (("local", 1, 2), ("local", 1, 5), ("local", 2, 3), ("ray", 2, 3)):
        monkeypatch.setenv("HUEBENCH_ENGINE", engine)
        monkeypatch.setenv("HUEBENCH_WORKERS", str(workers))
        out = tmp_path / f"{engine}-{workers}-{batch}"
        settings = SETTINGS.model_copy(update={"batch": batch})
        predict_set(weights, classifier(), head, settings, store, out, tmp_path / "cache")
        found.add(digest(out))
    assert len(found) == 1


def test_killed_between_parts_it_continues(
    store: Store,
    weights: Path,
    classifier: Callable[..., MethodEntry],
    head: ClassHead,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = (weights, classifier(), head, SETTINGS, store)
    predict_set(*arguments, tmp_path / "whole", tmp_path / "cache")
    usual, begun = predicting._grids_together, []

    def fails_on_the_second(photographs: list[np.ndarray], *rest: object) -> object:
        begun.append([hashlib.sha256(rgb.tobytes()).hexdigest() for rgb in photographs])
        if len(begun) == 2:
            raise KeyboardInterrupt
        return usual(photographs, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(predicting, "_grids_together", fails_on_the_second)
    with pytest.raises(KeyboardInterrupt):
        predict_set(*arguments, tmp_path / "out", tmp_path / "cache")
    assert not (tmp_path / "out").exists()
    predict_set(*arguments, tmp_path / "out", tmp_path / "cache")
    assert begun[2:] == begun[1:2]
    assert digest(tmp_path / "out") == digest(tmp_path / "whole")


def test_batches_as_on_a_gpu_agree_with_one_by_one(
    store: Store, weights: Path, classifier: Callable[..., MethodEntry], head: ClassHead, tmp_path: Path
) -> None:
    """The code path of GPUs, run on the processor: the last of the three batches is filled up."""
    method = classifier(readout={"kind": "annealed_mean"})
    predict_set(weights, method, head, SETTINGS, store, tmp_path / "out", tmp_path / "cache")
    names = tuple(store.rows("test")["image_id"])
    told = PredictorSettings(weights, load_model(weights).digest, method.readout, SETTINGS.size)  # type: ignore[arg-type]
    predictor = load_predictor(told, torch.device("cpu"))
    with ThreadPoolExecutor(2) as pool:
        task = portion(store.path, store.rows("test"), ["image_id"])
        results = list(predicting._colorize_batched(task, SETTINGS, predictor, pool))
    assert [result.image_id for result in results] == list(names)
    for result in results:
        assert result.png is not None
        rgb = decode(result.png).rgb
        assert rgb.shape == (result.height, result.width, 3)
        assert np.abs(rgb.astype(int) - Store(tmp_path / "out").rgb(result.image_id)).max() <= 1


def test_class_hits_are_those_of_a_plain_count(
    store: Store, weights: Path, classifier: Callable[..., MethodEntry], head: ClassHead, tmp_path: Path
) -> None:
    hits = predict_set(weights, classifier(), head, SETTINGS, store, tmp_path / "out", tmp_path / "cache").to_pylist()
    assert [row["image_id"] for row in hits] == sorted(store.rows("test")["image_id"])
    model = load_model(weights, classifier().model)
    for row in hits:
        rgb = store.rgb(row["image_id"])
        light = torch.from_numpy(network_light(lightness(rgb), SETTINGS.size))[None, None]
        with torch.inference_mode():
            scores = model.network(light)[0].flatten(1).numpy()
        truth = head.space.to_kept(head.space.encode(true_colors(rgb, SETTINGS.size // 4))).reshape(-1)
        ranked = np.argsort(-scores, axis=0)
        for k, name in ((1, "top1"), (5, "top5")):
            expected = 100 * np.mean([truth[place] in ranked[:k, place] for place in range(len(truth))])
            assert row[name] == pytest.approx(expected, abs=0.5)


def test_a_network_that_puts_out_nan_paints_nothing(
    store: Store,
    weights: Path,
    classifier: Callable[..., MethodEntry],
    head: ClassHead,
    tmp_path: Path,
    small: Callable[..., object],
) -> None:
    """One class has a score that is no number: the arg max of that is a class like any other."""
    network = load_model(weights).network
    with torch.no_grad():
        network.decoder.scores.bias[3] = torch.nan
    broken = tmp_path / "broken.safetensors"
    save_model(broken, network, classifier().model, head, small(), 1)  # type: ignore[arg-type]
    hits = predict_set(broken, classifier(), head, SETTINGS, store, tmp_path / "out", tmp_path / "cache")
    results = Store(tmp_path / "out")
    assert set(results.index["status"]) == {"not_finite"}
    assert len(results.rows()) == len(hits) == 0


def test_a_set_without_test_photographs_gives_an_empty_store(make_store: Callable[..., Store], tmp_path: Path) -> None:
    predict_gray(SETTINGS, make_store(2, split="train"), tmp_path / "out", tmp_path / "cache")
    assert len(Store(tmp_path / "out")) == 0


def test_gray_is_the_lightness_alone(store: Store, tmp_path: Path) -> None:
    predict_gray(SETTINGS, store, tmp_path / "out", tmp_path / "cache")
    results = Store(tmp_path / "out")
    for name in results.index["image_id"]:
        rgb = results.rgb(name)
        assert np.ptp(rgb.astype(int), axis=-1).max() <= 1  # scikit-image's white is not exactly neutral
        assert np.abs(rgb2lab(rgb)[..., 0] - rgb2lab(store.rgb(name))[..., 0]).max() < 0.3


def test_oracle_is_the_truth_s_own_classes(store: Store, space: ColorSpace, tmp_path: Path) -> None:
    """A photograph of 8 x 8 flat patches on a grid of 8 x 8: every patch has its own class's colour."""
    patches = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    grid = oracle_grid(np.kron(patches, np.ones((6, 6, 1), np.uint8)), space, 8)
    truth = rgb2lab(patches)[..., 1:]
    centers = np.array([[c // 11 * 20 - 108 + 10, c % 11 * 20 - 108 + 10] for c in space.kept], float)
    cells = np.floor((np.clip(truth, -108, 107.999) + 108) / 20) * 20 - 108 + 10
    nearest = ((cells[:, :, None] - centers) ** 2).sum(-1).min(-1)
    found = ((cells - np.moveaxis(grid, 0, -1)) ** 2).sum(-1)
    np.testing.assert_allclose(found, nearest)
    predict_oracle(ColorSpace(20), SETTINGS, store, tmp_path / "out", tmp_path / "cache")
    predict_gray(SETTINGS, store, tmp_path / "gray", tmp_path / "cache")
    for name in store.rows("test")["image_id"]:
        truth = store.rgb(name).astype(float)
        errors = [((Store(tmp_path / kind).rgb(name) - truth) ** 2).mean() for kind in ("out", "gray")]
        assert errors[0] < errors[1] / 2


def test_bilinear_upsampling_is_that_of_scikit_image() -> None:
    random = np.random.default_rng(0)
    light = np.full((40, 60), 60.0, np.float32)
    grid = random.uniform(-10, 10, (2, 5, 6)).astype(np.float32)
    found = rgb2lab(join(light, spread_colors(light, grid, "bilinear")))[..., 1:]
    expected = skimage_resize(np.moveaxis(grid, 0, -1), (40, 60), order=1, mode="edge", anti_aliasing=False)
    assert np.abs(found - expected).mean() < 0.4  # 8-bit rounding


def test_guided_colours_stop_at_the_edge_of_lightness() -> None:
    light = np.where(np.arange(64)[None, :] < 28, 30.0, 80.0).astype(np.float32).repeat(64, axis=0)
    grid = np.zeros((2, 16, 16), np.float32)
    grid[0] = np.where(np.arange(16) < 7, 20.0, -20.0)
    light_left = slice(20, 28)
    joined = [join(light, spread_colors(light, grid, kind)) for kind in ("bilinear", "guided")]
    errors = [np.abs(rgb2lab(rgb)[:, light_left, 1] - 20).mean() for rgb in joined]
    assert errors[1] < errors[0]
