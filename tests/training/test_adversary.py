"""The adversary: it learns to tell, then holds still; it leaves the network alone where it should."""

import math
import os
import socket
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from pipeline.color.constants import AB_SCALE
from pipeline.errors import UserError
from pipeline.losses.batch import Batch
from pipeline.machine.devices import Processes
from pipeline.methods.build import Prepared
from pipeline.methods.checkpoint import WEIGHTS, load_model
from pipeline.methods.head import AbHead
from pipeline.settings.method_entries import AdversaryEntry, MethodEntry
from pipeline.settings.sections import Train
from pipeline.storage.store import Store
from pipeline.training import adversary as module
from pipeline.training.adversary import Adversary
from pipeline.training.loop import train
from tests.training.test_processes import _run

ALONE = Processes(0, 1)
SMALL = {"discriminator": {"channels": 8}, "start": 0.0}


def opponent(small: Callable[..., Train], cells: int = 8, **changes: Any) -> Adversary:
    entry = AdversaryEntry.model_validate(SMALL | changes)
    return Adversary(entry, AbHead(), small(steps=10), 0, cells, torch.device("cpu"))


def scene(seed: int = 0, count: int = 2) -> tuple[torch.Tensor, Batch]:
    random = torch.Generator().manual_seed(seed)
    light, ab = 100 * torch.rand(count, 1, 32, 32, generator=random), torch.rand(count, 2, 8, 8, generator=random) - 0.5
    scores = torch.rand(count, 2, 8, 8, generator=random) - 0.5
    return scores.requires_grad_(), Batch(light, ab)


def weights(adversary: Adversary) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in adversary.discriminator.state_dict().items()}


def test_scores_of_nought_cost_ln_2_each(small: Callable[..., Train]) -> None:
    adversary = opponent(small, weight=1.0, learning_rate=1e-12)
    for parameter in adversary.discriminator.parameters():
        torch.nn.init.zeros_(parameter)
    scores, batch = scene()
    term = adversary.play(scores, batch, 0, ALONE)
    assert float(term.detach()) == pytest.approx(0.693147, abs=1e-6)
    row = adversary.row(ALONE)
    assert row["discriminator/loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert (row["discriminator/right_on_real"], row["discriminator/right_on_fake"]) == (0, 0)
    assert adversary.row(ALONE) == {}


def test_what_it_sees_is_lightness_and_color_at_the_size_of_the_output_or_of_the_input(
    small: Callable[..., Train],
) -> None:
    _, batch = scene()
    seen = opponent(small)._shown(batch.light, batch.ab)
    assert seen.shape == (2, 3, 8, 8)
    mean = batch.light.reshape(2, 8, 4, 8, 4).mean(dim=(2, 4))
    torch.testing.assert_close(seen[:, 0], mean / 50 - 1)
    torch.testing.assert_close(seen[:, 1:], batch.ab * AB_SCALE / 110)
    large = opponent(small, shown="input")._shown(batch.light, batch.ab)
    assert large.shape == (2, 3, 32, 32)
    torch.testing.assert_close(large[:, :1], batch.light / 50 - 1)


@pytest.mark.parametrize("loss", ["cross_entropy", "least_squares"])
def test_a_step_by_hand(small: Callable[..., Train], loss: str) -> None:
    """The same two optimisers in plain torch: first D, then what D, held still, makes of the same colors."""
    adversary, twin = opponent(small, loss=loss), opponent(small, loss=loss)
    scores, batch = scene()
    adversary.play(scores, batch, 0, ALONE).backward()
    discriminator = twin.discriminator
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    level = torch.nn.functional.avg_pool2d(batch.light, 4) / 50 - 1
    other = scores.detach().clone().requires_grad_()
    real, fake = (torch.cat([level, ab * 128 / 110], dim=1) for ab in (batch.ab, other))
    criterion = torch.nn.BCEWithLogitsLoss() if loss == "cross_entropy" else torch.nn.MSELoss()
    on_real, on_fake = discriminator(real), discriminator(fake.detach())
    (criterion(on_real, torch.ones_like(on_real)) / 2 + criterion(on_fake, torch.zeros_like(on_fake)) / 2).backward()
    optimizer.step()
    for (name, one), two in zip(weights(adversary).items(), weights(twin).values(), strict=True):
        torch.testing.assert_close(one, two, msg=name)
    answer = discriminator(fake)
    (0.1 * criterion(answer, torch.ones_like(answer))).backward()
    torch.testing.assert_close(scores.grad, other.grad)


def test_the_network_s_step_leaves_the_discriminator_untouched(small: Callable[..., Train]) -> None:
    adversary = opponent(small)
    scores, batch = scene()
    term = adversary.play(scores, batch, 0, ALONE)
    before = weights(adversary)
    term.backward()
    assert scores.grad is not None and scores.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in adversary.discriminator.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights(adversary).items())


def test_before_its_first_step_it_is_silent(small: Callable[..., Train]) -> None:
    adversary = opponent(small, start=0.4)
    before = weights(adversary)
    scores, batch = scene()
    assert not adversary.play(scores, batch, 3, ALONE).requires_grad
    assert adversary.row(ALONE) == {}
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights(adversary).items())
    assert adversary.play(scores, batch, 4, ALONE).requires_grad


def test_it_learns_to_tell_and_says_so_when_it_has_won(
    small: Callable[..., Train], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(module, "notice", said.append)
    monkeypatch.setattr(module, "WON_FOR", 3)
    adversary = opponent(small, learning_rate=1e-2)
    scores, batch = scene()
    grey = torch.zeros_like(scores)
    for _ in range(40):
        adversary.play(grey, batch, 0, ALONE)
    adversary.row(ALONE)
    rows = []
    for step in range(5):
        for _ in range(2):
            adversary.play(grey, batch, step, ALONE)
        rows.append(adversary.row(ALONE))
    assert rows[-1]["discriminator/right_on_real"] == rows[-1]["discriminator/right_on_fake"] == 100
    assert rows[-1]["discriminator/rows_won"] >= 5
    assert len(said) == 1
    assert "the discriminator has been right of everything for 3 rows" in said[0]


def test_too_small_a_picture_is_refused(small: Callable[..., Train]) -> None:
    with pytest.raises(UserError, match=r"sees 8 x 8 positions, its discriminator takes 24 or more; .*shown: input"):
        opponent(small, discriminator={"layers": 3})
    opponent(small, discriminator={"layers": 3, "channels": 2}, shown="input")


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    return make_store(6, split="train", height=40, width=56)


def trained(
    method: MethodEntry, prepared: Prepared, settings: Train, store: Store, path: Path
) -> dict[str, torch.Tensor]:
    train(method, prepared, settings, 0, store, path / "out", path / "report", path / "cache")
    return load_file(path / "out" / WEIGHTS)


def test_weight_nought_gives_the_twin_s_weights_and_another_does_not(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    settings = small(steps=4, average_decay=0.9)
    twin = trained(classifier(), prepared, settings, store, tmp_path / "twin")
    for weight in (0.0, 1.0):
        path = tmp_path / str(weight)
        found = trained(classifier(adversary=SMALL | {"weight": weight}), prepared, settings, store, path)
        same = [torch.equal(tensor, found[name]) for name, tensor in twin.items()]
        assert all(same) if weight == 0 else not all(same)
    real = pd.read_csv(path / "report" / "plots" / "metrics" / "discriminator" / "right_on_real.tsv", sep="\t")
    assert real["step"].tolist() == [4]
    assert real["right_on_real"].between(0, 100).all()
    with pytest.raises(UserError, match=r"adversary was \{.*'weight': 1\.0.*\}, now None"):
        load_model(path / "out" / WEIGHTS, classifier().model, prepared.head)


def test_the_way_through_the_annealed_mean_is_differentiable(prepared: Prepared) -> None:
    scores = torch.randn(1, prepared.head.outputs, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: prepared.head.expected_ab(x, 0.38), (scores,))
    share = torch.softmax(scores.detach() / 0.38, 1)[0].permute(1, 2, 0).numpy()
    assert prepared.head.space is not None
    expected = share @ prepared.head.space.kept_centers.astype(float)
    found = prepared.head.expected_ab(scores, 0.38)[0].permute(1, 2, 0).detach().numpy() * AB_SCALE
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_two_processes_equal_one_with_the_doubled_batch(
    store: Store,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    """Weight and rate are large, so that a discriminator of one process's half would be seen in the weights."""
    assert "HUEBENCH_DEVICE" in os.environ
    context = get_context("forkserver")
    context.set_forkserver_preload(["pipeline.training.loop"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    method = classifier(adversary=SMALL | {"weight": 2.0, "learning_rate": 1e-3})
    started = []
    for size, batch in ((1, 4), (2, 2)):
        settings = small(batch=batch, steps=12, batch_norm="frozen", learning_rate=1e-4)
        arguments = (size, port, store, method, prepared, settings, tmp_path / str(size))
        started += [context.Process(target=_run, args=(rank, *arguments)) for rank in range(size)]
    for process in started:
        process.start()
    for process in started:
        process.join(120)
        assert process.exitcode == 0
    one, two = (load_file(tmp_path / str(size) / "out" / WEIGHTS) for size in (1, 2))
    for name, tensor in one.items():
        assert (tensor - two[name]).abs().max() < 1e-5, name
    for curve in ("right_on_real", "right_on_fake", "loss", "loss_of_network"):
        paths = (tmp_path / n / "report" / "plots" / "metrics" / "discriminator" / f"{curve}.tsv" for n in ("1", "2"))
        rows = [pd.read_csv(path, sep="\t")[curve] for path in paths]
        np.testing.assert_allclose(rows[0], rows[1], rtol=1e-3)
