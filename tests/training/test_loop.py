"""The loop: it learns, it resumes to the bit after any death, it stops as it is told, it names what breaks it."""

import json
import os
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

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
from pipeline.machine.devices import Processes
from pipeline.methods.build import Prepared
from pipeline.methods.checkpoint import HEADER, WEIGHTS, load_model
from pipeline.methods.head import AbHead, ClassHead
from pipeline.settings.method_entries import MethodEntry
from pipeline.settings.sections import Train
from pipeline.storage.store import Store
from pipeline.training.loop import train
from pipeline.training.run import begin, wrap
from pipeline.training.samples import collate
from pipeline.training.state import STATE
from pipeline.training.validation import whole_photographs
from pipeline.training.watch import NotFinite
from tests.small_methods import small_regression

Folders = tuple[Path, Path, Path]


def folders(path: Path) -> Folders:
    return path / "out", path / "report", path / "cache"


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    return make_store(6, split=lambda number: "test" if number == 5 else "train", height=40, width=56)


def test_grey_photographs_teach_nothing(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    store.index.loc[["photo01", "photo03"], "is_grey"] = True
    assert train(classifier(), prepared, small(), 0, store, *folders(tmp_path))["photographs"] == 3
    store.index["is_grey"] = True
    with pytest.raises(UserError, match="has no color photograph of split train"):
        train(classifier(), prepared, small(), 0, store, *folders(tmp_path))


def test_it_leaves_weights_curves_and_strips(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    out, report, cache = folders(tmp_path)
    settings = small(validation_share=0.4, strip_every=3, average_decay=0.9)
    last = train(classifier(), prepared, settings, 0, store, out, report, cache)
    assert last["photographs"] == 3
    assert last["steps"] == 6
    assert not (cache / STATE).exists()
    curves = {path.stem: pd.read_csv(path, sep="\t") for path in (report / "plots" / "metrics").rglob("*.tsv")}
    assert {"loss", "learning_rate", "images_per_second", "waiting_share", "top1", "class_mean_top1"} <= set(curves)
    assert curves["top5"]["step"].tolist() == [3, 6]
    assert curves["top5"]["top5"].between(0, 100).all()
    with Image.open(report / "strips" / "step-0000003.png") as strip:
        assert strip.size == (3 * 32, 2 * 32)
    with safe_open(out / WEIGHTS, "pt") as file:
        metadata = file.metadata()
    assert set(metadata) == {HEADER}  # of several keys the order would change from run to run
    assert {"model", "train", "head", "seed", "git_revision", "versions", "format"} <= set(json.loads(metadata[HEADER]))


def test_it_learns_a_handful_of_photographs_by_heart(
    make_store: Callable[..., Store],
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
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
    train(classifier(channels=[32, 32, 32]), prepared, settings, 0, store, *folders(tmp_path))
    model = load_model(tmp_path / "out" / WEIGHTS)
    light, truth, _ = collate(whole_photographs(store, store.rows("train")["image_id"].tolist(), 32, 8))
    with torch.no_grad():
        right = (model.network(light).argmax(dim=1) == prepared.head.targets(truth).classes).double().mean()
    assert float(right) > 0.9


def _train_in_process(store: Store, method: MethodEntry, prepared: Prepared, settings: Train, path: Path) -> None:
    os.environ["HUEBENCH_DEVICE"] = "cpu"
    torch.set_num_threads(1)
    train(method, prepared, settings, 0, store, *folders(path))


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


@pytest.mark.parametrize("adversary", [None, {"discriminator": {"channels": 8}, "start": 0.0}])
def test_killed_at_random_moments_it_ends_with_the_same_bits(
    adversary: dict[str, Any] | None,
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
    in_process: Callable[..., object],
) -> None:
    settings = small(steps=30, validation_share=0.2, average_decay=0.9, save_every=2, validate_every=4, patience=50)
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    method = classifier(adversary=adversary)
    whole = in_process(store, method, prepared, settings, tmp_path / "whole")
    whole.join()  # type: ignore[attr-defined]
    random, killed = np.random.default_rng(), tmp_path / "killed"
    for _ in range(int(os.environ.get("HUEBENCH_KILLS", "2"))):
        process = in_process(store, method, prepared, settings, killed)
        _wait_for(killed / "cache" / STATE, process)
        time.sleep(random.uniform(0.0, 0.5))
        process.kill()  # type: ignore[attr-defined]
        process.join()  # type: ignore[attr-defined]
        if (killed / "out" / WEIGHTS).exists():
            break
        assert torch.load(killed / "cache" / STATE, weights_only=True)["step"] < 30
    last = in_process(store, method, prepared, settings, killed)
    last.join()  # type: ignore[attr-defined]
    expected, found = (load_file(tmp_path / name / "out" / WEIGHTS) for name in ("whole", "killed"))
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name
    of_discriminator = ("right_on_real", "right_on_fake", "loss", "loss_of_network")
    more = [f"discriminator/{name}" for name in of_discriminator if adversary is not None]
    for metric in ("loss", "learning_rate", "validation/top1", *more):
        one, other = (tmp_path / n / "report" / "plots" / "metrics" / f"{metric}.tsv" for n in ("whole", "killed"))
        assert one.read_text() == other.read_text()


@pytest.mark.parametrize(("number", "error"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)])
def test_told_to_stop_it_saves_first(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
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
        train(classifier(), prepared, settings, 0, store, *folders(tmp_path))
    assert signal.getsignal(number) is handler
    assert torch.load(tmp_path / "cache" / STATE, weights_only=True)["step"] == 3
    train(classifier(), prepared, settings, 0, store, *folders(tmp_path))
    assert steps == 5


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_photographs(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
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
        train(classifier(), prepared, small(), 0, store, *folders(tmp_path))
    assert torch.load(tmp_path / "cache" / STATE, weights_only=True)["step"] == 2
    assert not (tmp_path / "out" / WEIGHTS).exists()


def test_state_of_other_settings_is_not_continued(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    out, report, cache = folders(tmp_path)
    training.save_state(cache, "another run", {"step": 5})
    assert train(classifier(), prepared, small(steps=2), 0, store, out, report, cache)["steps"] == 2


def test_pieces_make_the_step_of_the_whole_where_norms_are_frozen(
    small: Callable[..., Train], classifier: Callable[..., MethodEntry], prepared: Prepared
) -> None:
    """By the optimiser's first moments, a tenth of the gradients: its step divides each by its own size, noise too."""
    generator = torch.Generator().manual_seed(0)
    light = 100 * torch.rand(4, 1, 32, 32, generator=generator)
    truth = torch.randint(0, 256, (4, 8, 8, 3), generator=generator, dtype=torch.uint8)
    found = []
    for pieces in (1, 2, 4):
        settings, alone = small(accumulate=pieces, batch_norm="frozen"), Processes(0, 1)
        begun = begin(classifier(), prepared, settings, 0, torch.device("cpu"))
        learner = wrap(begun.network, settings, alone)
        training.gradient_step(learner, begun, light, truth, settings, alone)
        found.append({name: begun.optimizer.state[one]["exp_avg"] for name, one in begun.network.named_parameters()})
    for name, whole in found[0].items():
        assert whole.norm() > 0, name
        for parts in found[1:]:
            assert (parts[name] - whole).norm() <= 1e-4 * whole.norm(), name


def test_early_stopping_keeps_the_best_weights(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
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
    last = train(classifier(), prepared, settings, 0, store, *folders(tmp_path))
    assert last["steps"] == 8
    weights = load_file(tmp_path / "out" / WEIGHTS)["decoder.scores.weight"]
    assert torch.equal(weights, kept[1])
    assert not torch.equal(weights, kept[3])


def test_a_regression_learns_ab(store: Store, small: Callable[..., Train], tmp_path: Path) -> None:
    method = small_regression()
    last = train(method, Prepared(AbHead()), small(steps=20, learning_rate=3e-3), 0, store, *folders(tmp_path))
    model = load_model(tmp_path / "out" / WEIGHTS, method.model, AbHead())
    assert model.head == AbHead()
    assert last["loss"] < 0.2


def test_a_set_without_training_photographs_is_an_error(
    make_store: Callable[..., Store], small: Callable[..., Train], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no color photograph of split train"):
        train(small_regression(), Prepared(AbHead()), small(), 0, make_store(2), *folders(tmp_path))


def test_weights_made_for_something_else_are_refused_by_name(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    model = classifier().model
    train(classifier(), prepared, small(steps=1), 0, store, *folders(tmp_path))
    path = tmp_path / "out" / WEIGHTS
    load_model(path, classifier(readout={"kind": "annealed_mean", "temperature": 0.5}).model, prepared.head)
    with pytest.raises(UserError, match="bin_size was 20, now 10"):
        load_model(path, model, ClassHead("wide", ColorSpace(10)))
    with pytest.raises(UserError, match="61 kept classes"):
        load_model(path, model, ClassHead("wide", ColorSpace(20)))
    with pytest.raises(UserError, match="it predicts classes, now ab"):
        load_model(path, small_regression().model, AbHead())
    with pytest.raises(UserError, match=r"channels was \[16, 16, 16\], now \[8, 8, 8\]"):
        load_model(path, classifier(channels=[8, 8, 8]).model, prepared.head)
    with pytest.raises(UserError, match=r"losses was .*percent.: 10.*, now .*percent.: 4"):
        load_model(path, classifier(losses={"class_cross_entropy": {"percent": 4}}).model, prepared.head)
    path.write_bytes(b"no weights")
    with pytest.raises(UserError, match="no safetensors file"):
        load_model(path)
    with pytest.raises(UserError, match="not trained yet"):
        load_model(tmp_path / "nowhere.safetensors")


def test_two_identical_trainings_give_identical_files(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    for name in ("one", "other"):
        train(classifier(), prepared, small(steps=2), 0, store, *folders(tmp_path / name))
    one, other = ((tmp_path / name / "out" / WEIGHTS).read_bytes() for name in ("one", "other"))
    assert one == other


def test_terms_over_classes_and_over_ab_are_trained_together(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    """The expected ab of a class head is differentiable: a weight on it alone already moves the network."""
    losses = {"class_cross_entropy": {"weight": 1e-9}, "l1": {"weight": 1.0}}
    settings = small(steps=40, learning_rate=3e-3)
    last = train(classifier(losses=losses), prepared, settings, 0, store, *folders(tmp_path))
    first = train(classifier(losses=losses), prepared, small(steps=1), 0, store, *folders(tmp_path / "start"))
    assert last["loss"] < 0.8 * first["loss"]


def test_terms_that_need_the_reference_set_s_counts_are_given_them(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    method = classifier(losses={"inverse_frequency": {"exponent": 0.5}})
    found = []
    for counts in (np.ones(61, np.int64), np.arange(61)):
        told = prepared._replace(class_counts=counts)
        found.append(train(method, told, small(steps=1), 0, store, *folders(tmp_path / str(counts[1])))["loss"])
    assert found[0] != found[1]


def test_terms_that_need_the_soft_prior_are_given_it_with_the_centers(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    method = classifier(losses={"soft_cross_entropy": {"neighbours": 4, "sigma": 10.0}})
    found = []
    for prior in (np.full(61, 1 / 61), np.arange(61) / np.arange(61).sum()):
        told = prepared._replace(soft_prior=prior)
        found.append(train(method, told, small(steps=1), 0, store, *folders(tmp_path / str(prior[0])))["loss"])
    assert found[0] != found[1]


def test_a_u_net_regresses_ab_weighted_by_value(store: Store, small: Callable[..., Train], tmp_path: Path) -> None:
    model = {"head": {"regresses": "ab"}, "network": {"kind": "unet", "width": 4}, "losses": {"profile": {}}}
    method, found = MethodEntry.model_validate({"model": model}), []
    for counts in (np.ones((2, 64), np.int64), np.arange(128).reshape(2, 64)):
        told = Prepared(AbHead(), axis_counts=counts)
        path = tmp_path / str(counts[0, 0])
        found.append(train(method, told, small(steps=1), 0, store, *folders(path))["loss"])
        assert load_model(path / "out" / WEIGHTS, method.model, AbHead()).model == method.model
    assert found[0] != found[1]


def test_guidance_teaches_the_encoder_what_a_photograph_shows(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    """Colors weigh next to nothing here: what falls is the divergence from the teacher, and the encoder moves."""
    losses = {"class_cross_entropy": {"weight": 1e-9}, "semantic": {"weight": 1.0}}
    method = classifier(losses=losses, semantic_head=True)
    found = {}
    for steps in (1, 25):
        settings = small(steps=steps, validation_share=0.2, validate_every=steps, batch_norm="frozen")
        found[steps] = train(method, prepared, settings, 0, store, *folders(tmp_path / str(steps)))["validation/loss"]
    assert found[25] < 0.7 * found[1]
    one, other = (load_file(tmp_path / str(steps) / "out" / WEIGHTS) for steps in (1, 25))
    assert not torch.equal(one["encoder.stem.weight"], other["encoder.stem.weight"])
    assert one["semantic_head.weight"].shape == (1000, 320)
