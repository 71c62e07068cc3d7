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
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from pipeline.color.joining import join, spread_colors
from pipeline.color.lab import lightness
from pipeline.color.space import ColorSpace
from pipeline.color.upsampling import Grid
from pipeline.images.decode import encode_png
from pipeline.inference.parts import Colorized, join_parts, part_path, write_part
from pipeline.inference.predictor import Predictor, PredictorSettings, load_predictor, oracle_grid
from pipeline.machine.devices import choose_device, one_thread
from pipeline.machine.engine import map_shards, worker_count, worker_pool
from pipeline.machine.progress import progress
from pipeline.machine.provenance import fingerprint
from pipeline.methods.build import class_readout
from pipeline.methods.checkpoint import load_model
from pipeline.methods.head import Head
from pipeline.methods.inputs import network_light, true_colors
from pipeline.settings.method_entries import MethodEntry
from pipeline.settings.sections import Predict
from pipeline.storage.store import Chunk, Store

MOST_IN_PART = 64
"""Photographs in a finished part at most: what a killed run loses per worker."""
TOGETHER = 4
"""Photographs that the network sees together on the CPU: a fifth faster than one by one, and no slower than eight."""
PNG_LEVEL = 1
ORACLE_STRIDE = 4
"""Input pixels per cell of the oracle's grid: the output stride of CCC++, of CIC and of this project's own networks."""

Seen = tuple[Grid, npt.NDArray[np.uint8]]
"""What the network is shown of a photograph, and what it should find (`Predictor.see` and `expect`)."""
Hits = npt.NDArray[np.float64]
"""Top-1 and top-5 accuracy in percent, float64 (2,)."""


@dataclass(frozen=True)
class Colorizer:
    """How photographs are colorized; small enough to be sent to every worker.

    Attributes:
        settings: size of the network's input, batch, upsampling.
        network: where the predictor comes from; None for a baseline.
        space: of the oracle; None for gray, which has a = b = 0, and for a network.
    """

    settings: Predict
    network: PredictorSettings | None = None
    space: ColorSpace | None = None

    @property
    def kind(self) -> str:
        """What it is, for the progress bar."""
        return "network" if self.network is not None else "gray" if self.space is None else "oracle"


def predict_set(
    weights: Path, entry: MethodEntry, head: Head, settings: Predict, store: Store, out: Path, cache: Path
) -> pa.Table:
    """Colorize the test photographs of a store with a trained network.

    Args:
        weights: the method's `weights.safetensors`.
        entry: as it is now; apart from the read-out it has to be what the network was trained for.
        head: as it is now, likewise.
        settings: size, batch, upsampling.
        store: rows of split `test` are read.
        out: the store of results, same image_ids, PNG of the photographs' own sizes.
        cache: for finished parts while the run lasts.

    Returns:
        A table of `tables.CLASS_HITS`, a row for each photograph whose class scores are known.

    Raises:
        UserError: if the weights are missing or were trained for something else.
    """
    digest = load_model(weights, entry.model, head).digest
    network = PredictorSettings(Path(weights), digest, class_readout(entry), settings.size)
    return _predict(Colorizer(settings, network), store, out, cache)


def predict_gray(settings: Predict, store: Store, out: Path, cache: Path) -> pa.Table:
    """The floor: no colour at all.

    Args:
        settings: as `predict_set`; no colour is the same at any size.
        store: as `predict_set`.
        out: as `predict_set`.
        cache: as `predict_set`.

    Returns:
        A table of `tables.CLASS_HITS`, a row for each photograph whose class scores are known.
    """
    return _predict(Colorizer(settings), store, out, cache)


def predict_oracle(space: ColorSpace, settings: Predict, store: Store, out: Path, cache: Path) -> pa.Table:
    """The ceiling of a class space at an output size: the truth's own kept classes. Otherwise as `predict_set`.

    Args:
        space: whose classes.
        settings: `size` / `ORACLE_STRIDE` is the side of the grid of classes.
        store: as `predict_set`.
        out: as `predict_set`.
        cache: as `predict_set`.

    Returns:
        A table of `tables.CLASS_HITS`, a row for each photograph whose class scores are known.
    """
    return _predict(Colorizer(settings, space=space), store, out, cache)


def _predict(colorizer: Colorizer, store: Store, out: Path, cache: Path) -> pa.Table:
    rows = store.rows("test")
    image_ids = rows["image_id"].tolist()
    device = choose_device() if colorizer.network is not None else torch.device("cpu")
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
    network = colorizer.network
    table = None if colorizer.space is None else colorizer.space.to_json()
    trained = None if network is None else (network.digest, network.readout)
    settings = colorizer.settings
    return [colorizer.kind, trained, settings.size, settings.upsample, table]


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


def _colorize_together(store: Store, image_ids: tuple[str, ...], colorizer: Colorizer) -> Iterator[Colorized]:
    photographs = [store.rgb(image_id) for image_id in image_ids]
    lights = [lightness(rgb) for rgb in photographs]
    grids, hits = _grids_together(photographs, lights, colorizer)
    for image_id, light, grid, own in zip(image_ids, lights, grids, hits, strict=False):  # may be filled up
        yield _painted(image_id, light, grid, colorizer.settings.upsample, own)


def _grids_together(
    photographs: Sequence[npt.NDArray[np.uint8]], lights: Sequence[Grid], colorizer: Colorizer
) -> tuple[Sequence[Grid], Sequence[Hits | None]]:
    """The colors of some photographs, and how often their class scores hit the truth."""
    unknown: list[Hits | None] = [None] * len(photographs)
    if colorizer.network is not None:
        predictor = load_predictor(colorizer.network, torch.device("cpu"))
        seen = [(predictor.see(light), predictor.expect(rgb)) for light, rgb in zip(lights, photographs, strict=True)]
        grids, hits = _predict_together(predictor, seen, TOGETHER)
        return list(grids), unknown if hits is None else list(hits)
    if colorizer.space is not None:
        cells = colorizer.settings.size // ORACLE_STRIDE
        return [oracle_grid(rgb, colorizer.space, cells) for rgb in photographs], unknown
    return [np.zeros((2, 1, 1), np.float32)] * len(photographs), unknown


def _predict_together(predictor: Predictor, seen: Sequence[Seen], batch: int) -> tuple[Grid, Hits | None]:
    """As `Predictor.predict`; a batch that is not full is filled up, so that every batch has one shape, and with it one
    rounding."""

    def filled(arrays: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.resize(np.stack(arrays), (batch, *arrays[0].shape))

    return predictor.predict(filled([light for light, _ in seen]), filled([truth for _, truth in seen]))


def _painted(image_id: str, light: Grid, grid: Grid, upsample: str, hits: Hits | None) -> Colorized:
    height, width = light.shape
    if not np.isfinite(grid).all():
        return Colorized(image_id, None, height, width)
    png = encode_png(join(light, spread_colors(light, grid, upsample)), PNG_LEVEL)
    return Colorized(image_id, png, height, width, None if hits is None else (float(hits[0]), float(hits[1])))


def _parts_on_gpu(chunks: Sequence[Chunk], shared: tuple[Colorizer, Path], device: torch.device) -> Iterator[Path]:
    """As `_colorize_part` for each chunk, the network in this process and everything else in workers."""
    colorizer, parts = shared
    assert colorizer.network is not None
    predictor = load_predictor(colorizer.network, device)
    with worker_pool(worker_count(), __name__) as pool:
        for chunk in chunks:
            path = part_path(chunk, parts)
            if not path.is_dir():
                write_part(path, _colorize_batched(chunk, colorizer.settings, predictor, pool))
            yield path


def _colorize_batched(
    chunk: Chunk, settings: Predict, predictor: Predictor, pool: ProcessPoolExecutor
) -> Iterator[Colorized]:
    """Read ahead, run batches, write behind."""
    sizes = predictor.size, predictor.cells
    reading = deque(pool.submit(_read_small, chunk.path, name, *sizes) for name in chunk.image_ids)
    writing: deque[Future[Colorized]] = deque()
    for start in range(0, len(chunk.image_ids), settings.batch):
        names = chunk.image_ids[start : start + settings.batch]
        grids, hits = _predict_together(predictor, [reading.popleft().result() for _ in names], settings.batch)
        for place, name in enumerate(names):
            own = None if hits is None else hits[place]
            writing.append(pool.submit(_write_one, chunk.path, name, grids[place], settings.upsample, own))
    for result in writing:
        yield result.result()


def _read_small(path: Path, image_id: str, size: int, cells: int) -> Seen:
    rgb = _store(path).rgb(image_id)
    return network_light(lightness(rgb), size), true_colors(rgb, cells)


def _write_one(path: Path, image_id: str, grid: Grid, upsample: str, hits: Hits | None) -> Colorized:
    return _painted(image_id, lightness(_store(path).rgb(image_id)), grid, upsample, hits)


@lru_cache(maxsize=1)
def _store(path: Path) -> Store:
    return Store(path)
