"""The real training loop and the real prediction against the bare network, in one run.

    python benchmarks/training.py [--steps 30] [--folder DIR]

Prints what it measures and, as the last line, a JSON list of {"name", "ratio", "target", "met"}.
"""

import argparse
import copy
import json
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from _figures import figure, peak_memory
from _photographs import add_folder, crops

from pipeline.color.space import ColorSpace
from pipeline.images.decode import encode_png
from pipeline.inference.predictor import ready_to_predict
from pipeline.inference.whole_sets import predict_set
from pipeline.machine.devices import choose_device, mixed_precision
from pipeline.machine.memory import keep_freed_memory
from pipeline.methods.build import Prepared
from pipeline.methods.checkpoint import save_model
from pipeline.methods.head import ClassHead
from pipeline.settings.method_entries import MethodEntry
from pipeline.settings.sections import Predict, Train
from pipeline.storage.store import Store, StoreWriter
from pipeline.training.loop import train
from pipeline.training.run import begin

HEAD = ClassHead("wide", ColorSpace(6, 108, np.arange(300, 800, dtype=np.int32)))
LITE = {"encoder": "efficientnet_lite0", "pretrained": True, "decoder": "skip", "channels": [128, 96, 64]}
PAPER = {"encoder": "densenet121", "pretrained": False, "decoder": "plain", "channels": [1024, 512, 512]}
PREDICTED = 800
"""Photographs to be predicted: enough that the start of the processes is a small part of the time."""
COMMON = {"validation_share": 0.0, "save_every": 10**6, "strip_every": 10**6}


def method(network: dict[str, Any], balance: str = "batch") -> MethodEntry:
    losses = {"class_cross_entropy": {"balance": balance}}
    model = {"head": {"classes": "wide"}, "network": network, "losses": losses}
    return MethodEntry.model_validate({"model": model, "readout": {"kind": "argmax"}})


def make_store(path: Path, count: int, folder: Path | None = None) -> Store:
    with StoreWriter(path) as writer:
        for number, rgb in enumerate(crops(folder, count, 256)):
            split = "train" if number % 2 else "test"
            writer.add(f"{number:04d}", encode_png(rgb), split=split, width=256, height=256)
    return Store(path)


def bare_steps(settings: Train, balance: str, device: torch.device) -> Callable[[], None]:
    """One step on a batch that lies on the device: forward, loss, backward, optimiser."""
    training = begin(method(LITE, balance), Prepared(HEAD), settings, 0, device)
    cells = settings.size // training.network.stride
    light = 100 * torch.rand(settings.batch, 1, settings.size, settings.size, device=device)
    truth = torch.randint(0, 256, (settings.batch, cells, cells, 3), dtype=torch.uint8, device=device)
    batch = training.objective.batch(light, truth)

    def step() -> None:
        with mixed_precision(device, settings.precision):
            scores = training.network(batch.light)
        training.objective.loss(scores, batch).backward()
        training.optimizer.step()
        training.optimizer.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return step


def seconds(step: Callable[[], None]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def real_speed(folder: Path, store: Store, settings: Train) -> tuple[float, float]:
    """Images per second of the loop, and its share of waiting, both as the median over its own rows but the first."""
    train(method(LITE), Prepared(HEAD), settings, 0, store, folder / "out", folder / "report", folder / "cache")
    curves = folder / "report" / "plots" / "metrics"
    values = [
        pd.read_csv(curves / f"{name}.tsv", sep="\t")[name][1:] for name in ("images_per_second", "waiting_share")
    ]
    return float(values[0].median()), float(values[1].median())


def training_figures(folder: Path, store: Store, device: torch.device, steps: int) -> list[dict[str, Any]]:
    batch = 64 if device.type == "cuda" else 8
    settings = Train.model_validate({"size": 128, "batch": batch, "steps": steps, **COMMON})
    plain, weighted = (bare_steps(settings, balance, device) for balance in ("none", "batch"))
    rounds = [(seconds(plain), seconds(weighted)) for _ in range(3)]
    speeds, bare = [], []
    for number in range(3):  # turn about, so that whatever else runs on the machine meets both
        speeds.append(real_speed(folder / f"run{number}", store, settings))
        rounds += [(seconds(plain), seconds(weighted)) for _ in range(steps // 3)]
        bare += [pair[1] for pair in rounds[-(steps // 3) :]]
    rounds = rounds[3:]
    real, waiting = statistics.median(s for s, _ in speeds), statistics.median(w for _, w in speeds)
    bare_speed = batch / statistics.median(bare)
    cost = statistics.median(w for _, w in rounds) / statistics.median(p for p, _ in rounds)
    print(
        f"real loop {real:.1f} images/s, bare loop {bare_speed:.1f}, waiting for data {100 * waiting:.1f} % of the time"
    )
    target = 0.95 if device.type == "cuda" else 0.90
    return [
        figure("train_real_to_bare", real / bare_speed, target, at_least=True),
        figure("weighted_loss_to_plain", cost, 1.05),
    ]


def prediction_figures(folder: Path, store: Store, device: torch.device) -> list[dict[str, Any]]:
    settings = Train.model_validate({"size": 224, "batch": 8, "steps": 1, **COMMON})
    network = begin(method(PAPER), Prepared(HEAD), settings, 0, torch.device("cpu")).network
    weights = folder / "weights.safetensors"
    save_model(weights, network, method(PAPER).model, HEAD, settings, 0)
    network = network.eval().to(device, memory_format=torch.channels_last)
    ready = copy.deepcopy(network)
    ready_to_predict(ready)
    lights = torch.rand(8, 1, 224, 224, device=device) * 100

    def forward(module: torch.nn.Module) -> None:
        with torch.inference_mode(), mixed_precision(device, "auto"):
            module(lights)[0, 0, 0, 0].item()

    def bare_forward(module: torch.nn.Module) -> float:
        forward(module)
        return statistics.median(seconds(lambda: forward(module)) for _ in range(8)) / len(lights)

    before = [bare_forward(module) for module in (network, ready)]
    started = time.perf_counter()
    count = len(
        predict_set(weights, method(PAPER), HEAD, Predict(size=224), store, folder / "results", folder / "parts")
    )
    real = (time.perf_counter() - started) / count
    after = [bare_forward(module) for module in (network, ready)]  # the machine is not equally fast all the time
    as_trained, as_used = ((a + b) / 2 for a, b in zip(before, after, strict=True))
    print(
        f"prediction {1 / real:.2f} images/s; bare forward of the network as it was trained {1 / as_trained:.2f}, "
        f"as prediction makes it ready {1 / as_used:.2f}"
    )
    target = 0.95 if device.type == "cuda" else 0.90
    return [
        figure("predict_real_to_bare_as_trained", as_trained / real, target, at_least=True),
        figure("predict_real_to_bare_as_used", as_used / real, target, at_least=True),
    ]


def _peak(folder: Path, count: int) -> float:
    """Peak memory, in bytes, of a process that predicts so many photographs."""
    os.environ["HUEBENCH_WORKERS"] = "1"
    store = make_store(folder / f"memory{count}", 2 * count)
    weights = folder / "lite.safetensors"
    settings = Train.model_validate({"size": 64, "batch": 8, "steps": 1, **COMMON})
    network = begin(method(LITE), Prepared(HEAD), settings, 0, torch.device("cpu")).network
    save_model(weights, network, method(LITE).model, HEAD, settings, 0)
    predict_set(weights, method(LITE), HEAD, Predict(size=64), store, folder / f"out{count}", folder / f"parts{count}")
    return 1024.0 * peak_memory()


def memory_figures(folder: Path) -> list[dict[str, Any]]:
    context = multiprocessing.get_context("spawn")
    peaks = []
    for count in (50, 400):
        with context.Pool(1) as pool:
            peaks.append(pool.apply(_peak, (folder, count)))
    print(f"peak memory of prediction: 50 photographs {peaks[0] / 1e6:.0f} MB, 400 photographs {peaks[1] / 1e6:.0f} MB")
    return [figure("predict_memory_400_to_50", peaks[1] / peaks[0], 1.10)]


def _process(rank: int, size: int, port: int, folder: Path, path: Path, steps: int) -> float:
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in names.items()})
    torch.set_num_threads(1)
    settings = Train.model_validate({"size": 128, "batch": 4, "steps": steps, **COMMON})
    return real_speed(folder / f"ddp{size}", Store(path), settings)[0] if rank == 0 else _follow(folder, path, settings)


def _follow(folder: Path, path: Path, settings: Train) -> float:
    places = [folder / "other" / name for name in ("out", "report", "cache")]
    train(method(LITE), Prepared(HEAD), settings, 0, Store(path), *places)
    return 0.0


def scaling_figures(folder: Path, store: Store, steps: int) -> list[dict[str, Any]]:
    context = multiprocessing.get_context("spawn")
    speeds = []
    for size in (1, 2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with context.Pool(size) as pool:
            jobs = [(rank, size, port, folder, store.path, steps) for rank in range(size)]
            speeds.append(max(pool.starmap(_process, jobs, chunksize=1)))
    print(f"1 process {speeds[0]:.1f} images/s, 2 processes {speeds[1]:.1f}, one thread each")
    return [figure("train_2_processes_to_1", speeds[1] / speeds[0], 1.6, at_least=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=30, help="steps of each of the three runs of the loop")
    add_folder(parser)
    arguments = parser.parse_args()
    steps, photographs = max(20, arguments.steps), arguments.folder
    device = choose_device()
    keep_freed_memory()  # as the command line does; the bare loops gain from it as well
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = make_store(folder / "store", 96, photographs)
        print(f"device {device.type}, {torch.get_num_threads()} threads")
        figures = training_figures(folder, store, device, steps)
        figures += prediction_figures(folder, make_store(folder / "many", 2 * PREDICTED, photographs), device)
        figures += memory_figures(folder)
        if device.type == "cpu":
            figures += scaling_figures(folder, store, steps)
        elif device.type == "cuda":
            print(f"peak GPU memory {torch.cuda.max_memory_allocated() / 1e9:.1f} GB")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
