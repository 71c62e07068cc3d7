"""Two processes of batch B train as one of batch 2 B does."""

import os
import socket
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pipeline.errors import UserError
from pipeline.machine.devices import choose_device
from pipeline.methods.build import Prepared
from pipeline.methods.checkpoint import WEIGHTS
from pipeline.settings.method_entries import MethodEntry
from pipeline.settings.sections import Train
from pipeline.storage.store import Store
from pipeline.training.loop import train
from pipeline.training.ray import train_on_ray
from tests.conftest import ON_RAY

STEPS = 20


def _run(
    rank: int, size: int, port: int, store: Store, method: MethodEntry, prepared: Prepared, settings: Train, path: Path
) -> None:
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in names.items()} | {"HUEBENCH_DEVICE": "cpu"})
    torch.set_num_threads(1)
    train(method, prepared, settings, 0, store, path / "out", path / "report", path / "cache")


@ON_RAY
def test_two_processes_equal_one_with_the_doubled_batch_by_themselves_and_on_ray(
    make_store: Callable[..., Store],
    monkeypatch: pytest.MonkeyPatch,
    stopped_ray: None,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    """Batch norms are frozen: with statistics of its own part of the batch each process would compute another function.

    Weights and class counts (Eq. 15) differ between the halves, so the test fails if counts are not summed.
    """
    store = make_store(6, split="train", height=40, width=56)
    context = get_context("forkserver")
    context.set_forkserver_preload(["pipeline.training.loop"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    for size, batch in ((1, 4), (2, 2)):
        path = tmp_path / str(size)
        settings = small(batch=batch, steps=STEPS, batch_norm="frozen", learning_rate=1e-4, gradient_clip=1.0)
        arguments = (size, port, store, classifier(), prepared, settings, path)
        started += [context.Process(target=_run, args=(rank, *arguments)) for rank in range(size)]
    for process in started:
        process.start()
    for process in started:
        process.join(120)
        assert process.exitcode == 0
    path = tmp_path / "ray"
    monkeypatch.setenv("HUEBENCH_WORKERS", "2")
    arguments = {"entry": classifier(), "prepared": prepared, "settings": settings, "seed": 0, "store": store}
    places = {"out_dir": path / "out", "report_dir": path / "report", "cache_dir": path / "cache"}
    assert train_on_ray(2, **arguments, **places)["steps"] == STEPS
    one, two, ray = (load_file(tmp_path / name / "out" / WEIGHTS) for name in ("1", "2", "ray"))
    for name, tensor in one.items():
        assert (tensor - two[name]).abs().max() < 1e-5, name
        assert (tensor - ray[name]).abs().max() < 1e-5, name


@ON_RAY
def test_an_error_of_a_worker_on_ray_is_the_line_that_it_was(
    make_store: Callable[..., Store],
    monkeypatch: pytest.MonkeyPatch,
    stopped_ray: None,
    small: Callable[..., Train],
    classifier: Callable[..., MethodEntry],
    prepared: Prepared,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HUEBENCH_WORKERS", "2")
    places = {name: tmp_path / name for name in ("out_dir", "report_dir", "cache_dir")}
    arguments = {"entry": classifier(), "prepared": prepared, "settings": small(), "seed": 0, "store": make_store(2)}
    with pytest.raises(UserError) as error:
        train_on_ray(2, **arguments, **places)
    assert "has no color photograph of split train" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("name", "message"), [("gpu", "takes one of auto, cpu"), ("cuda", "no usable cuda device")])
def test_devices_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    monkeypatch.setenv("HUEBENCH_DEVICE", name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=message):
        choose_device()
