"""Colorize a set: photographs of any size in, PNG of the same size out, their own lightness kept.

A colorizer gives the (a, b) of a photograph on a small grid; the grid is brought to the photograph's own size, joined
with its own L and written to a store. On the CPU every worker colorizes four photographs together, always the same
ones, in one thread, so that no bit of a result depends on the batch size or the number of workers; on a GPU the network
sees batches, while workers read ahead and write. Finished parts are kept until the store is complete: a run that was
killed continues.
"""

import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from pipeline.color.lab import lightness
from pipeline.color.space import ColorSpace
from pipeline.images.decode import encode_png
from pipeline.inference.coloring import join, look, oracle_grid, shrink_light, true_classes
from pipeline.inference.parts import Result, join_parts, part_path, write_part
from pipeline.inference.upsampling import Grid
from pipeline.machine.devices import choose_device, one_thread, prefer_onednn
from pipeline.machine.engine import map_shards, worker_count, worker_pool
from pipeline.machine.progress import progress
from pipeline.machine.provenance import fingerprint
from pipeline.models.network import OUTPUT_STRIDE, Network
from pipeline.models.upsampled_convolution import fold_upsampling
from pipeline.settings.sections import Method, Predict
from pipeline.storage.store import Chunk, Store
from pipeline.training.state import Model, load_model

MOST_IN_PART = 64
"""Photographs in a finished part at most: what a killed run loses per worker."""
TOGETHER = 4
"""Photographs that the network sees together on the CPU: a fifth faster than one by one, and no slower than eight."""
PNG_LEVEL = 1

Seen = tuple[Grid, npt.NDArray[np.int32] | None]
"""L of a photograph at the network's size, float32 (size, size), and its kept indices at the network's output size."""


@dataclass(frozen=True)
class Colorizer:
    """How photographs are colorized; small enough to be sent to every worker.

    Attributes:
        kind: "network", "gray" (a = b = 0) or "oracle" (the truth's own classes on the network's output grid).
        settings: size of the network's input, batch, upsampling.
        weights: of a network, a file of `save_model`.
        digest: of that file, so that a changed file is not taken for the old one.
        method: of a network, for the read-out.
        space: of the oracle.
    """

    kind: str
    settings: Predict
    weights: Path | None = None
    digest: str = ""
    method: Method | None = None
    space: ColorSpace | None = None


def predict_set(
    weights: Path, method: Method, space: ColorSpace | None, settings: Predict, store: Store, out: Path, cache: Path
) -> pa.Table:
    """Colorize the test photographs of a store with a trained network.

    Args:
        weights: the method's `weights.safetensors`.
        method: as it is now; apart from the read-out it has to be what the network was trained for.
        space: as it is now, likewise; None for a regression.
        settings: size, batch, upsampling.
        store: rows of split `test` are read.
        out: the store of results, same image_ids, PNG of the photographs' own sizes.
        cache: for finished parts while the run lasts.

    Returns:
        A table of `metrics.schemas.CLASS_HITS`, a row for each photograph whose class scores are known.

    Raises:
        UserError: if the weights are missing or were trained for something else.
    """
    model = load_model(weights, method, space)
    return _predict(Colorizer("network", settings, Path(weights), model.digest, method), store, out, cache)


def predict_gray(settings: Predict, store: Store, out: Path, cache: Path) -> pa.Table:
    """The floor: no colour at all.

    Args:
        settings: as `predict_set`; no colour is the same at any size.
        store: as `predict_set`.
        out: as `predict_set`.
        cache: as `predict_set`.

    Returns:
        A table of `metrics.schemas.CLASS_HITS`, a row for each photograph whose class scores are known.
    """
    return _predict(Colorizer("gray", settings), store, out, cache)


def predict_oracle(space: ColorSpace, settings: Predict, store: Store, out: Path, cache: Path) -> pa.Table:
    """The ceiling of a class space at an output size: the truth's own kept classes. Otherwise as `predict_set`.

    Args:
        space: whose classes.
        settings: `size` / 4 is the side of the grid of classes.
        store: as `predict_set`.
        out: as `predict_set`.
        cache: as `predict_set`.

    Returns:
        A table of `metrics.schemas.CLASS_HITS`, a row for each photograph whose class scores are known.
    """
    return _predict(Colorizer("oracle", settings, space=space), store, out, cache)


def _predict(colorizer: Colorizer, store: Store, out: Path, cache: Path) -> pa.Table:
    rows = store.rows("test")
    image_ids = rows["image_id"].tolist()
    device = choose_device() if colorizer.kind == "network" else torch.device("cpu")
    chunks = store.chunks(image_ids, _part_size(len(image_ids), device, colorizer.settings.batch))
    parts = cache / fingerprint(_facts(colorizer), device.type, rows["sha256"].tolist(), image_ids)
    parts.mkdir(parents=True, exist_ok=True)
    shared = (colorizer, parts)
    done: Iterable[Path]
    if device.type == "cpu":
        done = map_shards(_colorize_part, chunks, shared, f"colorize with {colorizer.kind}", unit="part")
    else:
        done = progress(
            _parts_on_gpu(chunks, shared, device), f"colorize on {device.type}", total=len(chunks), unit="part"
        )
    hits = join_parts(done, out)
    shutil.rmtree(cache)
    return hits


def _part_size(photographs: int, device: torch.device, batch: int) -> int:
    """On the CPU whole groups, and so few that the workers end together; on a GPU whole batches."""
    if device.type == "cpu":
        return max(TOGETHER, min(MOST_IN_PART, TOGETHER * -(-photographs // (16 * TOGETHER * worker_count()))))
    return max(1, MOST_IN_PART // batch) * batch


def _facts(colorizer: Colorizer) -> list[object]:
    """What a finished part depends on; the batch is none of it."""
    space = colorizer.space
    table = None if space is None else (space.bin_size, space.shift, space.kept.tolist())
    readout = None if colorizer.method is None else (colorizer.method.readout, colorizer.method.temperature)
    settings = colorizer.settings
    return [colorizer.kind, colorizer.digest, settings.size, settings.upsample, table, readout]


def _colorize_part(chunk: Chunk, shared: tuple[Colorizer, Path]) -> Path:
    """Colorize the photographs of one chunk; a finished part is left as it is."""
    colorizer, parts = shared
    path = part_path(chunk, parts)
    if not path.is_dir():
        store = Store(chunk.path)
        groups = store.chunks(chunk.image_ids, TOGETHER)
        with one_thread():
            write_part(
                path, (result for group in groups for result in _colorize_together(store, group.image_ids, colorizer))
            )
    return path


def _colorize_together(store: Store, image_ids: tuple[str, ...], colorizer: Colorizer) -> Iterator[Result]:
    photographs = [store.rgb(image_id) for image_id in image_ids]
    lights = [lightness(rgb) for rgb in photographs]
    hits: Sequence[npt.NDArray[np.float64] | None] = [None] * len(image_ids)
    grids: list[Grid]
    if colorizer.kind == "gray":
        grids = [np.zeros((2, 1, 1), np.float32)] * len(image_ids)
    elif colorizer.kind == "oracle":
        assert colorizer.space is not None
        side = colorizer.settings.size // OUTPUT_STRIDE
        grids = [oracle_grid(rgb, colorizer.space, side) for rgb in photographs]
    else:
        model = _model(colorizer, torch.device("cpu"))
        seen = [
            _seen(rgb, light, colorizer.settings.size, model.space)
            for rgb, light in zip(photographs, lights, strict=True)
        ]
        together, found = _look_together(model, seen, TOGETHER)
        grids, hits = list(together), hits if found is None else list(found)
    for image_id, light, grid, own in zip(image_ids, lights, grids, hits, strict=False):  # may be filled up
        yield _painted(image_id, light, grid, colorizer.settings.upsample, own)


def _seen(rgb: npt.NDArray[np.uint8], light: Grid, size: int, space: ColorSpace | None) -> Seen:
    """What the network is shown of a photograph, and the classes that it should find."""
    classes = None if space is None else true_classes(rgb, space, size // OUTPUT_STRIDE)
    return shrink_light(light, size), classes


def _look_together(model: Model, seen: Sequence[Seen], batch: int) -> tuple[Grid, npt.NDArray[np.float64] | None]:
    """As `look`; a batch that is not full is filled up, so that every batch has one shape, and with it one rounding."""

    def filled(arrays: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.resize(np.stack(arrays), (batch, *arrays[0].shape))

    known = [classes for _, classes in seen if classes is not None]
    return look(model, filled([light for light, _ in seen]), filled(known) if known else None)


def _painted(image_id: str, light: Grid, grid: Grid, upsample: str, hits: npt.NDArray[np.float64] | None) -> Result:
    height, width = light.shape
    if not np.isfinite(grid).all():
        return Result(image_id, None, height, width)
    png = encode_png(join(light, grid, upsample), PNG_LEVEL)
    return Result(image_id, png, height, width, None if hits is None else (float(hits[0]), float(hits[1])))


def _model(colorizer: Colorizer, device: torch.device) -> Model:
    assert colorizer.weights is not None
    model = _loaded(colorizer.weights, colorizer.digest, device)
    return replace(model, method=colorizer.method or model.method)


@lru_cache(maxsize=1)
def _loaded(weights: Path, digest: str, device: torch.device) -> Model:
    model = load_model(weights)
    assert model.digest == digest, f"{weights} changed while it was read"
    model.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    ready_to_predict(model.network)
    return model


def ready_to_predict(network: Network) -> None:
    """Change a network on a CPU into one that says the same, up to rounding, and does it faster.

    Args:
        network: in evaluation mode, on its device; on a CPU it can no longer be trained, elsewhere it stays as it is.
    """
    if next(network.parameters()).device.type == "cpu":
        fold_upsampling(network)
        network.to(memory_format=torch.channels_last)
        prefer_onednn(network)


def _parts_on_gpu(chunks: Sequence[Chunk], shared: tuple[Colorizer, Path], device: torch.device) -> Iterator[Path]:
    """As `_colorize_part` for each chunk, the network in this process and everything else in workers."""
    colorizer, parts = shared
    model = _model(colorizer, device)
    with worker_pool(worker_count(), __name__) as pool:
        for chunk in chunks:
            path = part_path(chunk, parts)
            if not path.is_dir():
                write_part(path, _colorize_batched(chunk, colorizer, model, pool))
            yield path


def _colorize_batched(chunk: Chunk, colorizer: Colorizer, model: Model, pool: ProcessPoolExecutor) -> Iterator[Result]:
    """Read ahead, run batches, write behind."""
    settings = colorizer.settings
    reading = deque(pool.submit(_read_small, chunk.path, name, settings.size, model.space) for name in chunk.image_ids)
    writing: deque[Future[Result]] = deque()
    for start in range(0, len(chunk.image_ids), settings.batch):
        names = chunk.image_ids[start : start + settings.batch]
        grids, hits = _look_together(model, [reading.popleft().result() for _ in names], settings.batch)
        for place, name in enumerate(names):
            own = None if hits is None else hits[place]
            writing.append(pool.submit(_write_one, chunk.path, name, grids[place], settings.upsample, own))
    for result in writing:
        yield result.result()


def _read_small(path: Path, image_id: str, size: int, space: ColorSpace | None) -> Seen:
    rgb = _store(path).rgb(image_id)
    return _seen(rgb, lightness(rgb), size, space)


def _write_one(path: Path, image_id: str, grid: Grid, upsample: str, hits: npt.NDArray[np.float64] | None) -> Result:
    return _painted(image_id, lightness(_store(path).rgb(image_id)), grid, upsample, hits)


@lru_cache(maxsize=1)
def _store(path: Path) -> Store:
    return Store(path)
