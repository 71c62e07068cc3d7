"""Score some photographs of a set: what one worker does, from stores to rows and parts that add up."""

import functools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from pipeline.color.space import ColorSpace
from pipeline.evaluation.feature_cache import FeatureCache
from pipeline.evaluation.network_features import (
    Features,
    FoundWeights,
    Networks,
    load_networks,
    network_features,
    truth_features,
)
from pipeline.evaluation.pair_scores import describe, score_pairs
from pipeline.evaluation.protocols import Protocol
from pipeline.images.decode import ImageRefused, decode
from pipeline.machine.devices import one_thread
from pipeline.metrics.batches import Values
from pipeline.metrics.class_metrics import ClassCounts
from pipeline.metrics.described import Photographs
from pipeline.storage.store import Store

TOGETHER = 4
"""Photographs that AlexNet sees together on a CPU, under protocols that bring all to one size of 256 x 256 or so.

Photographs of their own sizes seldom meet their like, and a group of one would be filled up for nothing.
"""
BATCH_PIXELS, CPU_BATCH_PIXELS = 1 << 22, TOGETHER << 16
"""Larger photographs go in smaller batches, so that memory does not grow with their size times the batch.

On a CPU, where every metric takes one photograph at a time anyway, only the network gains by a batch.
"""


class ScoringTask(NamedTuple):
    """Photographs for one worker.

    Attributes:
        image_ids: which.
        keep: whether their network features are kept for later runs.
    """

    image_ids: tuple[str, ...]
    keep: bool = False


@dataclass(frozen=True)
class ScoringRun:
    """What is the same for every task.

    Attributes:
        truth: store of the photographs.
        results: variant and store of its results, in the order of the rows.
        protocol: how both are brought to size.
        report_space: the space that all methods share.
        own_space: the method's own, or None.
        bands: int32 (Q,), frequency band of each kept class of the report space.
        weights: name to file, those that were found.
        batch: photographs at a time.
        device: where the metrics are computed.
        cache: network features of the truth between runs, or None.
    """

    truth: Path
    results: tuple[tuple[str, Path], ...]
    protocol: Protocol
    report_space: ColorSpace
    own_space: ColorSpace | None
    bands: npt.NDArray[np.int32]
    weights: dict[str, FoundWeights]
    batch: int
    device: str
    cache: FeatureCache | None


@dataclass
class ScoredPart:
    """What one task gives. Moments and counts of all tasks add up; rows are put in order at the end.

    Attributes:
        rows: one mapping per photograph and variant, column to value.
        features: (variant, set metric) to feature vectors of truth and result, batch by batch.
        counts: (variant, "report" or "own") to class counts.
        colorfulness: variant to CF from absolute opponents of truth and result, float64 (n,), batch by batch.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    features: dict[tuple[str, str], list[tuple[Features, Features]]] = field(default_factory=dict)
    counts: dict[tuple[str, str], ClassCounts] = field(default_factory=dict)
    colorfulness: dict[str, list[tuple[Values, Values]]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Entry:
    """A photograph at the protocol's size with its results; `row` holds what its rows share."""

    row: dict[str, Any]
    sha256: str
    truth: npt.NDArray[np.uint8]
    results: dict[str, npt.NDArray[np.uint8]]
    statuses: dict[str, str]

    @property
    def group(self) -> tuple[Any, ...]:
        return (self.truth.shape, *self.results)


def score_photographs(task: ScoringTask, run: ScoringRun) -> ScoredPart:
    """Score the photographs of a task.

    Args:
        task: which.
        run: how.

    Returns:
        Rows and parts; a result that cannot be compared gives a row with its status and no values.
    """
    part = ScoredPart()
    networks = load_networks(tuple(sorted(run.weights.items())), run.device)
    with _exact_and_alone():
        for entries in _batches(_entries(task, run, part), run):
            _score_batch(entries, run, networks, task.keep, part)
    return part


@contextmanager
def _exact_and_alone() -> Iterator[None]:
    """Full float32 products, which training may have traded for speed, and one thread.

    The planes are small and the processes fill the processor: more threads would wait for each other.
    """
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with one_thread(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)


@functools.lru_cache(maxsize=8)
def _store(path: Path, changed: int) -> Store:
    """An open store; `changed` tells a store from an older one at the same place."""
    return Store(path)


def _open(path: Path) -> Store:
    return _store(path, (path / "index.parquet").stat().st_mtime_ns)


def _entries(task: ScoringTask, run: ScoringRun, part: ScoredPart) -> Iterator[_Entry]:
    """Read photographs and results; those that cannot be compared become rows of `part` at once."""
    truth, results = _open(run.truth), {variant: _open(path) for variant, path in run.results}
    for image_id in task.image_ids:
        row: dict[str, Any] = {"image_id": image_id}
        try:
            photograph = truth.rgb(image_id)
        except (ImageRefused, KeyError):
            part.rows += [row | {"variant": variant, "status": "truth_unreadable"} for variant in results]
            continue
        row |= {"width": photograph.shape[1], "height": photograph.shape[0]}
        found: dict[str, npt.NDArray[np.uint8]] = {}
        statuses: dict[str, str] = {}
        for variant, store in results.items():
            rgb, status = _result(store, image_id, photograph.shape, run.protocol)
            if rgb is None:
                part.rows.append(row | {"variant": variant, "status": status})
            else:
                statuses[variant] = "identical" if np.array_equal(rgb, photograph) else status
                found[variant] = run.protocol.apply(rgb)
        if found:
            sha256 = str(truth.index.at[image_id, "sha256"])
            yield _Entry(row, sha256, run.protocol.apply(photograph), found, statuses)


def _result(
    store: Store, image_id: str, shape: tuple[int, ...], protocol: Protocol
) -> tuple[npt.NDArray[np.uint8] | None, str]:
    """A result's pixels and status; no pixels where there is nothing to compare."""
    if image_id not in store.index.index:
        return None, "missing"
    status = str(store.index.at[image_id, "status"])
    if status != "ok":
        return None, status
    try:
        decoded = decode(store.read(image_id), image_id)
    except ImageRefused as refused:
        return None, refused.reason
    if not protocol.accepts(decoded.rgb.shape, shape):
        return None, "size_mismatch"
    if decoded.record["mode"] != "RGB" or decoded.record["bits"] != 8:
        return decoded.rgb, "converted"
    return decoded.rgb, "ok" if decoded.rgb.shape == shape else "resized"


def _batches(entries: Iterable[_Entry], run: ScoringRun) -> Iterator[list[_Entry]]:
    """Neighbours of one size and with the same variants, at most a batch of them and not too many pixels."""
    limit = CPU_BATCH_PIXELS if run.device == "cpu" else BATCH_PIXELS
    waiting: list[_Entry] = []
    for entry in entries:
        pixels = entry.truth.shape[0] * entry.truth.shape[1]
        full = len(waiting) >= min(run.batch, max(1, limit // pixels))
        if waiting and (full or entry.group != waiting[0].group):
            yield waiting
            waiting = []
        waiting.append(entry)
    if waiting:
        yield waiting


def _score_batch(entries: list[_Entry], run: ScoringRun, networks: Networks, keep: bool, part: ScoredPart) -> None:
    report, own = run.report_space, run.own_space
    together = TOGETHER if run.protocol.size is not None else 1
    hashes = [entry.sha256 for entry in entries]
    images = _stacked([entry.truth for entry in entries], run)
    features = truth_features(images, hashes, networks, run.weights, run.cache, keep, together)
    truth = describe(images, features, report, own)
    results = {variant: _stacked([entry.results[variant] for entry in entries], run) for variant in entries[0].results}
    found = network_features(torch.cat(list(results.values())), networks, together)  # more of them fill more groups
    for place, (variant, stacked) in enumerate(results.items()):
        start = place * len(entries)
        result = describe(stacked, found.of(slice(start, start + len(entries))), report, own)
        values = score_pairs(truth, result, run.weights)
        for number, entry in enumerate(entries):
            scores = {name: float(value[number]) for name, value in values.items()}
            part.rows.append(entry.row | {"variant": variant, "status": entry.statuses[variant]} | scores)
        _collect(truth, result, variant, run.bands, own, part)
        del result  # before the next one is described: a large photograph takes hundreds of megabytes


def _stacked(photographs: list[npt.NDArray[np.uint8]], run: ScoringRun) -> torch.Tensor:
    return torch.from_numpy(np.stack(photographs)).to(run.device)


def _collect(
    truth: Photographs,
    result: Photographs,
    variant: str,
    bands: npt.NDArray[np.int32],
    own: ColorSpace | None,
    part: ScoredPart,
) -> None:
    """Add a batch to what the set metrics are made from.

    Features are copied: they may be views into the megabytes of a batch, and small blocks left between large ones would
    have every batch ask the system for fresh memory.
    """
    for metric, vectors in result.features.items():
        part.features.setdefault((variant, metric), []).append((truth.features[metric].copy(), vectors.copy()))
    found = truth.colorfulness[:, 1], result.colorfulness[:, 1]
    part.colorfulness.setdefault(variant, []).append((found[0].copy(), found[1].copy()))
    _add(part.counts, (variant, "report"), ClassCounts.of(truth.classes, result.classes, bands))
    if own is not None and truth.own_classes is not None and result.own_classes is not None:
        flat = np.zeros(own.kept_count, np.int32)  # the bands are those of the report space
        _add(part.counts, (variant, "own"), ClassCounts.of(truth.own_classes, result.own_classes, flat))


def _add(counts: dict[tuple[str, str], ClassCounts], key: tuple[str, str], more: ClassCounts) -> None:
    counts[key] = counts[key] + more if key in counts else more
