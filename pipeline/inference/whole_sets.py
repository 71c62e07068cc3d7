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
from itertools import islice
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
from pipeline.images.decode import decode, encode_png
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
from pipeline.storage.portions import Portion, photograph_bytes, portions
from pipeline.storage.store import Store

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
    tasks = portions(store.path, rows, _part_size(len(image_ids), device, colorizer.settings.batch), ["image_id"])
    parts = cache / fingerprint(_facts(colorizer), device.type, rows["sha256"].tolist(), image_ids)
    parts.mkdir(parents=True, exist_ok=True)
    shared = (colorizer, parts)
    done: Iterable[Path]
    if device.type == "cpu":
        done = map_shards(_colorize_part, tasks, shared, f"colorize with {colorizer.kind}", unit="part")
    else:
        done = progress(
            _parts_on_gpu(tasks, shared, device), f"colorize on {device.type}", total=len(tasks), unit="part"
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


def _colorize_part(portion: Portion, shared: tuple[Colorizer, Path]) -> Path:
    """Colorize the photographs of one portion; a finished part is left as it is."""
    colorizer, parts = shared
    path = part_path(portion, parts)
    if not path.is_dir():
        with one_thread():
            write_part(path, _colorize_together(portion, colorizer))
    return path


def _colorize_together(portion: Portion, colorizer: Colorizer) -> Iterator[Colorized]:
    """Groups of photographs, the same ones whatever the portion: it begins with a group."""
    names, photographs = iter(portion.columns["image_id"]), (decode(data).rgb for data in photograph_bytes(portion))
    while group := list(islice(photographs, TOGETHER)):
        lights = [lightness(rgb) for rgb in group]
        grids, hits = _grids_together(group, lights, colorizer)
        for image_id, light, grid, own in zip(islice(names, len(group)), lights, grids, hits, strict=False):
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


def _parts_on_gpu(tasks: Sequence[Portion], shared: tuple[Colorizer, Path], device: torch.device) -> Iterator[Path]:
    """As `_colorize_part` for each portion, the network in this process and everything else in workers."""
    colorizer, parts = shared
    assert colorizer.network is not None
    predictor = load_predictor(colorizer.network, device)
    with worker_pool(worker_count(), __name__) as pool:
        for portion in tasks:
            path = part_path(portion, parts)
            if not path.is_dir():
                write_part(path, _colorize_batched(portion, colorizer.settings, predictor, pool))
            yield path


def _colorize_batched(
    portion: Portion, settings: Predict, predictor: Predictor, pool: ProcessPoolExecutor
) -> Iterator[Colorized]:
    """Read ahead, run batches, write behind."""
    sizes = predictor.size, predictor.cells
    reading = deque(pool.submit(_read_small, portion, place, *sizes) for place in range(len(portion)))
    writing: deque[Future[Colorized]] = deque()
    for start in range(0, len(portion), settings.batch):
        places = range(start, min(start + settings.batch, len(portion)))
        grids, hits = _predict_together(predictor, [reading.popleft().result() for _ in places], settings.batch)
        for number, place in enumerate(places):
            own = None if hits is None else hits[number]
            writing.append(pool.submit(_write_one, portion, place, grids[number], settings.upsample, own))
    for result in writing:
        yield result.result()


def _rgb_at(portion: Portion, place: int) -> npt.NDArray[np.uint8]:
    (data,) = photograph_bytes(portion, [place])
    return decode(data).rgb


def _read_small(portion: Portion, place: int, size: int, cells: int) -> Seen:
    rgb = _rgb_at(portion, place)
    return network_light(lightness(rgb), size), true_colors(rgb, cells)


def _write_one(portion: Portion, place: int, grid: Grid, upsample: str, hits: Hits | None) -> Colorized:
    return _painted(portion.columns["image_id"][place], lightness(_rgb_at(portion, place)), grid, upsample, hits)
