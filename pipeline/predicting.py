"""Colorize a set: photographs of any size in, PNG of the same size out, their own lightness kept.

A colorizer gives the (a, b) of a photograph on a small grid; the grid is brought to the photograph's own size, joined
with its own L and written to a store. On the CPU every worker colorizes photographs one by one in one thread, so that
no bit of a result depends on the batch size or the number of workers; on a GPU the network sees batches, while workers
read ahead and write. Finished parts are kept until the store is complete: a run that was killed continues.
"""

import hashlib
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from pipeline.color.lab import lab_to_rgb, lightness
from pipeline.color.space import ColorSpace
from pipeline.config import fingerprint
from pipeline.devices import choose_device, mixed_precision
from pipeline.engine import map_shards, worker_count
from pipeline.images import encode_png, resize
from pipeline.models.network import OUTPUT_STRIDE
from pipeline.progress import progress
from pipeline.sections import Method, Predict
from pipeline.store import Chunk, Store, StoreWriter
from pipeline.training_curves import to_ab
from pipeline.training_state import Model, load_model
from pipeline.upsampling import ColorRows, Grid, color_lines

MOST_IN_PART = 64
"""Photographs in a finished part at most: what a killed run loses per worker."""
PNG_LEVEL = 1
BAND = 256
"""Rows converted at a time at full size, so that memory stays bounded."""


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
) -> int:
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
        The number of photographs.

    Raises:
        UserError: if the weights are missing or were trained for something else.
    """
    model = load_model(weights, method, space)
    return _predict(Colorizer("network", settings, Path(weights), model.digest, method), store, out, cache)


def predict_gray(settings: Predict, store: Store, out: Path, cache: Path) -> int:
    """The floor: no colour at all.

    Args:
        settings: as `predict_set`; no colour is the same at any size.
        store: as `predict_set`.
        out: as `predict_set`.
        cache: as `predict_set`.

    Returns:
        The number of photographs.
    """
    return _predict(Colorizer("gray", settings), store, out, cache)


def predict_oracle(space: ColorSpace, settings: Predict, store: Store, out: Path, cache: Path) -> int:
    """The ceiling of a class space at an output size: the truth's own kept classes. Otherwise as `predict_set`.

    Args:
        space: whose classes.
        settings: `size` / 4 is the side of the grid of classes.
        store: as `predict_set`.
        out: as `predict_set`.
        cache: as `predict_set`.

    Returns:
        The number of photographs.
    """
    return _predict(Colorizer("oracle", settings, space=space), store, out, cache)


def _predict(colorizer: Colorizer, store: Store, out: Path, cache: Path) -> int:
    rows = store.rows("test")
    image_ids = rows["image_id"].tolist()
    device = choose_device() if colorizer.kind == "network" else torch.device("cpu")
    size = -(-len(image_ids) // (4 * worker_count()))
    chunks = store.chunks(image_ids, max(1, min(MOST_IN_PART, size)))
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
    with StoreWriter(out) as writer:
        for path in done:
            part = Store(path)
            for name, row in part.index.iterrows():
                data, width, height = part.read(str(name)), int(row["width"]), int(row["height"])
                writer.add(str(name), data, split="test", mode="RGB", width=width, height=height)
    shutil.rmtree(cache)
    return len(image_ids)


def _facts(colorizer: Colorizer) -> list[object]:
    """What a finished part depends on; the batch is none of it."""
    space = colorizer.space
    table = None if space is None else (space.bin_size, space.shift, space.kept.tolist())
    readout = None if colorizer.method is None else (colorizer.method.readout, colorizer.method.temperature)
    return [colorizer.kind, colorizer.digest, colorizer.settings.size, colorizer.settings.upsample, table, readout]


def _part_path(chunk: Chunk, parts: Path) -> Path:
    return parts / hashlib.sha256("\n".join(chunk.image_ids).encode()).hexdigest()[:16]


def _write_part(path: Path, results: Iterator[tuple[str, bytes, int, int]]) -> Path:
    with StoreWriter(path) as writer:
        for image_id, data, height, width in results:
            writer.add(image_id, data, width=width, height=height)
    return path


def _colorize_part(chunk: Chunk, shared: tuple[Colorizer, Path]) -> Path:
    """Colorize the photographs of one chunk, one by one; a finished part is left as it is."""
    colorizer, parts = shared
    path = _part_path(chunk, parts)
    if not path.is_dir():
        store = Store(chunk.path)
        with _one_thread():
            _write_part(path, (_colorize_one(store, image_id, colorizer) for image_id in chunk.image_ids))
    return path


def _colorize_one(store: Store, image_id: str, colorizer: Colorizer) -> tuple[str, bytes, int, int]:
    rgb = store.rgb(image_id)
    light = lightness(rgb)
    side = colorizer.settings.size // OUTPUT_STRIDE
    if colorizer.kind == "gray":
        grid = np.zeros((2, 1, 1), np.float32)
    elif colorizer.kind == "oracle":
        assert colorizer.space is not None
        grid = oracle_grid(rgb, colorizer.space, side)
    else:
        model = _model(colorizer, torch.device("cpu"))
        grid = network_grids(model, shrink_light(light, colorizer.settings.size)[None])[0]
    height, width = light.shape
    return image_id, encode_png(join(light, grid, colorizer.settings.upsample), PNG_LEVEL), height, width


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums over several threads are rounded differently; one thread gives the same bits in every process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _model(colorizer: Colorizer, device: torch.device) -> Model:
    assert colorizer.weights is not None
    model = _loaded(colorizer.weights, colorizer.digest, device)
    return replace(model, method=colorizer.method or model.method)


@lru_cache(maxsize=1)
def _loaded(weights: Path, digest: str, device: torch.device) -> Model:
    model = load_model(weights)
    assert model.digest == digest, f"{weights} changed while it was read"
    model.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def shrink_light(light: Grid, size: int) -> Grid:
    """The lightness of a whole photograph, squeezed to the square that the network sees.

    Args:
        light: float32 (H, W), L in [0, 100].
        size: px.

    Returns:
        float32 (size, size), L in [0, 100], bicubic with antialiasing.
    """
    small = Image.fromarray(light).resize((size, size), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(small), 0.0, 100.0)


@torch.inference_mode()
def network_grids(model: Model, lights: Grid, precision: str = "auto") -> Grid:
    """The network's colours for a batch.

    Args:
        model: as `load_model` gives it, on any device.
        lights: float32 (N, size, size), L in [0, 100].
        precision: as `devices.mixed_precision`.

    Returns:
        float32 (N, 2, size / 4, size / 4), (a, b) in CIELAB units.
    """
    device = next(model.network.parameters()).device
    batch = torch.from_numpy(lights).unsqueeze(1).to(device)
    with mixed_precision(device, precision):
        output = model.network(batch)
    return to_ab(output, model.method, model.space).cpu().numpy()


def oracle_grid(rgb: npt.NDArray[np.uint8], space: ColorSpace, side: int) -> Grid:
    """The truth as a perfect classifier would give it: the kept class of each cell's mean colour, decoded.

    Args:
        rgb: uint8 (H, W, 3), the photograph in colour.
        space: its classes.
        side: cells of the grid in each direction.

    Returns:
        float32 (2, side, side), (a, b) in CIELAB units.
    """
    classes = space.to_kept(space.encode(resize(rgb, (side, side), "box")))
    return space.decode_kept(classes).transpose(2, 0, 1)


def join(light: Grid, grid: Grid, upsample: str) -> npt.NDArray[np.uint8]:
    """A photograph's own lightness with colours from a small grid.

    Args:
        light: float32 (H, W), L in [0, 100].
        grid: float32 (2, h, w), (a, b) in CIELAB units.
        upsample: "bilinear" or "guided", see `upsampling.color_lines`.

    Returns:
        uint8 (H, W, 3), sRGB.
    """
    height, width = light.shape
    cells = Image.fromarray(light).resize((grid.shape[2], grid.shape[1]), Image.Resampling.BOX)
    colors = ColorRows(color_lines(np.asarray(cells), grid, upsample), height, width)
    rgb = np.empty((height, width, 3), np.uint8)
    for start in range(0, height, BAND):
        part = light[start : start + BAND]
        lab = np.concatenate([part[None], colors.ab(part, start)])
        rgb[start : start + BAND] = lab_to_rgb(lab.transpose(1, 2, 0))
    return rgb


def _parts_on_gpu(chunks: Sequence[Chunk], shared: tuple[Colorizer, Path], device: torch.device) -> Iterator[Path]:
    """As `_colorize_part` for each chunk, the network in this process and everything else in workers."""
    colorizer, parts = shared
    model = _model(colorizer, device)
    with ProcessPoolExecutor(worker_count(), get_context("forkserver")) as pool:
        for chunk in chunks:
            path = _part_path(chunk, parts)
            if not path.is_dir():
                _write_part(path, _colorize_batched(chunk, colorizer, model, pool))
            yield path


def _colorize_batched(
    chunk: Chunk, colorizer: Colorizer, model: Model, pool: ProcessPoolExecutor
) -> Iterator[tuple[str, bytes, int, int]]:
    """Read ahead, run batches, write behind. A last batch is filled up, so that every batch has the same shape."""
    settings = colorizer.settings
    reading = deque(pool.submit(_read_light, chunk.path, name, settings.size) for name in chunk.image_ids)
    writing: deque[Future[tuple[str, bytes, int, int]]] = deque()
    for start in range(0, len(chunk.image_ids), settings.batch):
        names = chunk.image_ids[start : start + settings.batch]
        lights = np.stack([reading.popleft().result() for _ in names])
        filled = np.resize(lights, (settings.batch, *lights.shape[1:]))
        for name, grid in zip(names, network_grids(model, filled), strict=False):
            writing.append(pool.submit(_write_one, chunk.path, name, grid, settings.upsample))
    for result in writing:
        yield result.result()


def _read_light(path: Path, image_id: str, size: int) -> Grid:
    return shrink_light(lightness(_store(path).rgb(image_id)), size)


def _write_one(path: Path, image_id: str, grid: Grid, upsample: str) -> tuple[str, bytes, int, int]:
    light = lightness(_store(path).rgb(image_id))
    return image_id, encode_png(join(light, grid, upsample), PNG_LEVEL), light.shape[0], light.shape[1]


@lru_cache(maxsize=1)
def _store(path: Path) -> Store:
    return Store(path)
