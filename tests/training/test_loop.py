"""The loop: it learns, it resumes to the bit after any death, it stops as it is told, it names what breaks it."""

import os
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

import pipeline.training.loop as training
from pipeline.color.space import ColorSpace
from pipeline.errors import UserError
from pipeline.images.decode import resize
from pipeline.settings.sections import Method, Train
from pipeline.storage.store import Store
from pipeline.training.loop import train
from pipeline.training.samples import prepare
from pipeline.training.state import STATE, WEIGHTS, load_model
from pipeline.training.watch import NotFinite

Folders = tuple[Path, Path, Path]


def folders(path: Path) -> Folders:
    return path / "out", path / "report", path / "cache"


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    return make_store(6, split=lambda number: "test" if number == 5 else "train", height=40, width=56)


def test_grey_photographs_teach_nothing(
    store: Store, small: Callable[..., Train], classifier: Callable[..., Method], space: ColorSpace, tmp_path: Path
) -> None:
    store.index.loc[["photo01", "photo03"], "is_grey"] = True
    assert train(classifier(), small(), 0, store, space, *folders(tmp_path))["photographs"] == 3
    store.index["is_grey"] = True
    with pytest.raises(UserError, match="has no color photograph of split train"):
        train(classifier(), small(), 0, store, space, *folders(tmp_path))


def test_it_leaves_weights_curves_and_strips(
    store: Store, small: Callable[..., Train], classifier: Callable[..., Method], space: ColorSpace, tmp_path: Path
) -> None:
    out, report, cache = folders(tmp_path)
    settings = small(validation_share=0.4, strip_every=3, average_decay=0.9)
    last = train(classifier(), settings, 0, store, space, out, report, cache)
    assert last["photographs"] == 3
    assert last["steps"] == 6
    assert not (cache / STATE).exists()
    curves = {path.stem: pd.read_csv(path, sep="\t") for path in (report / "plots" / "metrics").rglob("*.tsv")}
    assert {"loss", "learning_rate", "images_per_second", "waiting_share", "top1", "class_mean_top1"} <= set(curves)
    assert curves["top5"]["step"].tolist() == [3, 6]
    assert curves["top5"]["top5"].between(0, 1).all()
    with Image.open(report / "strips" / "step-0000003.png") as strip:
        assert strip.size == (3 * 32, 2 * 32)
    with safe_open(out / WEIGHTS, "pt") as file:
        header = file.metadata()
    assert {"method", "train", "space", "seed", "git_revision", "versions", "format"} <= set(header)


def test_it_learns_a_handful_of_photographs_by_heart(
    make_store: Callable[..., Store],
    small: Callable[..., Train],
    classifier: Callable[..., Method],
    space: ColorSpace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Samples, targets, weights, loss, optimiser, average and file: only all of them together can do this."""
    monkeypatch.setattr("pipeline.training.samples.ASPECTS", (1.0, 1.0))
    store = make_store(4, split="train", height=48, width=48)
    settings = small(
        steps=150,
        learning_rate=1e-2,
        schedule="cosine",
        scale=[1.0, 1.0],
        flip=False,
        average_decay=0.9,
        frozen_levels=5,
    )
    train(classifier(decoder_channels=[32, 32, 32]), settings, 0, store, space, *folders(tmp_path))
    model = load_model(tmp_path / "out" / WEIGHTS)
    seen = np.stack([resize(store.rgb(name), (32, 32)) for name in store.rows("train")["image_id"]])
    light, _, classes = prepare(torch.from_numpy(seen), space)
    with torch.no_grad():
        right = (model.network(light).argmax(dim=1) == classes).double().mean()
    assert float(right) > 0.9


def _train_in_process(store: Store, method: Method, settings: Train, space: ColorSpace | None, path: Path) -> None:
    os.environ["HUEBENCH_DEVICE"] = "cpu"
    torch.set_num_threads(1)
    train(method, settings, 0, store, space, *folders(path))


@pytest.fixture
def in_process() -> Callable[..., object]:
    """Start a training in a process of its own, forked from a server that has imported everything."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["pipeline.training.loop"])

    def start(*arguments: object) -> object:
        process = context.Process(target=_train_in_process, args=arguments)
        process.start()
        return process

    return start


def _wait_for(path: Path, process: object) -> None:
    while not path.exists():
        assert process.is_alive()  # type: ignore[attr-defined]
        time.sleep(0.01)


def test_killed_at_random_moments_it_ends_with_the_same_bits(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., Method],
    space: ColorSpace,
    tmp_path: Path,
    in_process: Callable[..., object],
) -> None:
    settings = small(steps=30, validation_share=0.2, average_decay=0.9, save_every=2, validate_every=4, patience=50)
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = in_process(store, classifier(), settings, space, tmp_path / "whole")
    whole.join()  # type: ignore[attr-defined]
    random, killed = np.random.default_rng(), tmp_path / "killed"
    for _ in range(int(os.environ.get("HUEBENCH_KILLS", "2"))):
        process = in_process(store, classifier(), settings, space, killed)
        _wait_for(killed / "cache" / STATE, process)
        time.sleep(random.uniform(0.0, 0.5))
        process.kill()  # type: ignore[attr-defined]
        process.join()  # type: ignore[attr-defined]
        if (killed / "out" / WEIGHTS).exists():
            break
        assert torch.load(killed / "cache" / STATE, weights_only=True)["step"] < 30
    last = in_process(store, classifier(), settings, space, killed)
    last.join()  # type: ignore[attr-defined]
    expected, found = (load_file(tmp_path / name / "out" / WEIGHTS) for name in ("whole", "killed"))
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name
    for metric in ("loss", "learning_rate", "validation/top1"):
        one, other = (tmp_path / n / "report" / "plots" / "metrics" / f"{metric}.tsv" for n in ("whole", "killed"))
        assert one.read_text() == other.read_text()


@pytest.mark.parametrize(("number", "error"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)])
def test_told_to_stop_it_saves_first(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., Method],
    space: ColorSpace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    error: type[BaseException],
) -> None:
    steps = 0
    usual = training.gradient_step

    def step(*arguments: object) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if steps == 3:
            signal.raise_signal(number)
        return usual(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "gradient_step", step)
    settings = small(steps=5, save_every=100)
    handler = signal.getsignal(number)
    with pytest.raises(error):
        train(classifier(), settings, 0, store, space, *folders(tmp_path))
    assert signal.getsignal(number) is handler
    assert torch.load(tmp_path / "cache" / STATE, weights_only=True)["step"] == 3
    train(classifier(), settings, 0, store, space, *folders(tmp_path))
    assert steps == 5


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_photographs(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., Method],
    space: ColorSpace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = 0
    usual = training.gradient_step

    def step(*arguments: object) -> torch.Tensor:
        nonlocal steps
        steps += 1
        return usual(*arguments) * (float("nan") if steps == 4 else 1.0)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "gradient_step", step)
    with pytest.raises(NotFinite, match=r"the loss is nan at step 3; .*photo0\d"):
        train(classifier(), small(), 0, store, space, *folders(tmp_path))
    assert torch.load(tmp_path / "cache" / STATE, weights_only=True)["step"] == 2
    assert not (tmp_path / "out" / WEIGHTS).exists()


def test_state_of_other_settings_is_not_continued(
    store: Store, small: Callable[..., Train], classifier: Callable[..., Method], space: ColorSpace, tmp_path: Path
) -> None:
    out, report, cache = folders(tmp_path)
    training.save_state(cache, "another run", {"step": 5})
    assert train(classifier(), small(steps=2), 0, store, space, out, report, cache)["steps"] == 2


def test_pieces_make_the_step_of_the_whole_where_norms_are_frozen(
    store: Store, small: Callable[..., Train], classifier: Callable[..., Method], space: ColorSpace, tmp_path: Path
) -> None:
    found = []
    for pieces in (1, 2):
        settings = small(steps=4, accumulate=pieces, batch_norm="frozen")
        train(classifier(), settings, 0, store, space, *folders(tmp_path / str(pieces)))
        found.append(load_file(tmp_path / str(pieces) / "out" / WEIGHTS))
    for name, tensor in found[0].items():
        torch.testing.assert_close(tensor, found[1][name], rtol=1e-4, atol=1e-5, msg=name)


def test_early_stopping_keeps_the_best_weights(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., Method],
    space: ColorSpace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    losses = iter([5.0, 3.0, 4.0, 3.5, 2.0])
    kept: list[torch.Tensor] = []
    usual = training.keep_best

    def keep(state: training.Training, loss: float, settings: Train) -> bool:
        over = usual(state, next(losses), settings)
        kept.append(state.network.decoder.scores.weight.detach().clone())
        return over

    monkeypatch.setattr(training, "keep_best", keep)
    settings = small(steps=20, validation_share=0.2, validate_every=2, patience=2)
    last = train(classifier(), settings, 0, store, space, *folders(tmp_path))
    assert last["steps"] == 8
    weights = load_file(tmp_path / "out" / WEIGHTS)["decoder.scores.weight"]
    assert torch.equal(weights, kept[1])
    assert not torch.equal(weights, kept[3])


def test_a_regression_learns_ab(
    store: Store, small: Callable[..., Train], classifier: Callable[..., Method], tmp_path: Path
) -> None:
    method = classifier(space=None, losses={"l2": {}})
    last = train(method, small(steps=20, learning_rate=3e-3), 0, store, None, *folders(tmp_path))
    model = load_model(tmp_path / "out" / WEIGHTS, method)
    assert model.space is None
    assert last["loss"] < 0.2


def test_a_set_without_training_photographs_is_an_error(
    make_store: Callable[..., Store], small: Callable[..., Train], classifier: Callable[..., Method], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no color photograph of split train"):
        train(classifier(), small(), 0, make_store(2), None, *folders(tmp_path))


def test_weights_made_for_something_else_are_refused_by_name(
    store: Store, small: Callable[..., Train], classifier: Callable[..., Method], space: ColorSpace, tmp_path: Path
) -> None:
    method = classifier()
    train(method, small(steps=1), 0, store, space, *folders(tmp_path))
    path = tmp_path / "out" / WEIGHTS
    load_model(path, classifier(readout="annealed_mean", temperature=0.5), space)
    with pytest.raises(UserError, match="bin_size was 20, now 10"):
        load_model(path, method, ColorSpace(10))
    with pytest.raises(UserError, match="61 kept classes"):
        load_model(path, method, ColorSpace(20))
    with pytest.raises(UserError, match=r"decoder_channels was \[16, 16, 16\], now \[8, 8, 8\]"):
        load_model(path, classifier(decoder_channels=[8, 8, 8]), space)
    path.write_bytes(b"no weights")
    with pytest.raises(UserError, match="no safetensors file"):
        load_model(path)
    with pytest.raises(UserError, match="not trained yet"):
        load_model(tmp_path / "nowhere.safetensors")
