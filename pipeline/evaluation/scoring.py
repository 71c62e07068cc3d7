"""Score a method's results on a set: stores in, two tables out (issue: stage `evaluate`)."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.color.space import ColorSpace
from pipeline.errors import UserError
from pipeline.evaluation.feature_cache import BYTES_PER_PIXEL, FeatureCache
from pipeline.evaluation.network_features import FoundWeights
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.schemas import SET_ROWS, image_rows_schema
from pipeline.evaluation.scoring_task import ScoringRun, ScoringTask, score_photographs
from pipeline.evaluation.set_scores import SetState, set_scores
from pipeline.machine.engine import map_shards
from pipeline.machine.weight_files import MissingWeights, resolve
from pipeline.metrics.class_metrics import frequency_bands
from pipeline.metrics.registry import CLASS_BAND, METRICS, Origin, image_metrics
from pipeline.storage.store import Store

TASK_IMAGES = 16
"""Photographs per task: few, so that all workers end together; fixed, so that sums are formed in one order."""


@dataclass(frozen=True)
class ScoreSettings:
    """What scoring needs to know beside the photographs.

    Attributes:
        set_name: the test set, for the rows.
        method: the method, for the rows.
        space_name: name of the report space, for the rows.
        batch: photographs at a time; changes no value.
        device: where the metrics are computed ("cpu", "cuda", ...).
        split: which photographs of the truth are scored; None for all.
        class_counts: int64 (Q,), pixels of a reference set in each kept class of the report space, for the frequency
            bands; None leaves the bands out, as missing.
        cache: folder in which network features of the truth are kept between runs; None keeps nothing.
        cache_bytes: at most this much is kept there.
        download: whether missing network weights may be fetched from their official address.
        stage_version: version of the stage's code, for the rows; 0 outside the graph.
    """

    set_name: str
    method: str
    space_name: str
    batch: int = 8
    device: str = "cpu"
    split: str | None = "test"
    class_counts: npt.NDArray[np.int64] | None = None
    cache: Path | None = None
    cache_bytes: int = 4 << 30
    download: bool = False
    stage_version: int = 0


def score_set(
    truth: Store,
    results: Mapping[str, Store],
    protocol: Protocol,
    report_space: ColorSpace,
    own_space: ColorSpace | None,
    settings: ScoreSettings,
    harmonized: pa.Table | None = None,
    class_hits: pa.Table | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Score every photograph of a set in every variant, and the set as a whole.

    Args:
        truth: the photographs.
        results: variant ("raw", "harmonized") to the store of its results, under the photographs' image_ids.
        protocol: how both are brought to size.
        report_space: the class space that all methods are compared in.
        own_space: the method's own class space; None for a regression, a baseline or imported results.
        settings: the rest.
        harmonized: the harmonize stage's table (`tables.HARMONIZED`), joined into the rows; None without one.
        class_hits: top-1 and top-5 accuracy of the network (`tables.CLASS_HITS`), joined into the raw rows.

    Returns:
        A table of `schemas.image_rows_schema`, ordered by image_id and by variant as given, and one of
        `schemas.SET_ROWS`.

    Raises:
        UserError: if there is nothing to score, a store has photographs that are not the set's, or `class_counts` does
            not fit the report space.
    """
    usable = truth.rows(split=settings.split)
    _check(truth, results, usable.index, settings, report_space)
    weights, missing = find_weights(settings.download)
    counts = settings.class_counts
    bands = frequency_bands(counts) if counts is not None else np.zeros(report_space.kept_count, np.int32)
    cache = FeatureCache(settings.cache, protocol.name) if settings.cache is not None else None
    run = ScoringRun(
        truth=truth.path,
        results=tuple((variant, store.path) for variant, store in results.items()),
        protocol=protocol,
        report_space=report_space,
        own_space=own_space,
        bands=bands,
        weights=weights,
        batch=settings.batch,
        device=settings.device,
        cache=cache,
    )
    pixels = (usable["width"] * usable["height"]).fillna(0).to_numpy() if protocol.size is None else protocol.size**2
    sizes = np.broadcast_to(pixels, len(usable)) * BYTES_PER_PIXEL
    tasks = _tasks(list(usable.index), sizes, cache, settings.cache_bytes)
    rows: list[dict[str, Any]] = []
    state = SetState()
    for part in map_shards(score_photographs, tasks, run, f"scoring {settings.method} on {settings.set_name}"):
        rows += part.rows
        for key, batches in part.features.items():
            state.add_features(key, batches)
        for key, more in part.counts.items():
            state.add_counts(key, more)
        for variant, found in part.colorfulness.items():
            state.colorfulness.setdefault(variant, []).extend(found)
    missing |= _absences(own_space, class_hits, counts)
    shared: dict[str, Any] = {
        "set": settings.set_name,
        "method": settings.method,
        "protocol": protocol.name,
        "space": settings.space_name,
        "stage_version": settings.stage_version,
    }
    set_rows = set_scores(state, list(results), rows, missing)
    return (
        _row_table(rows, list(results), shared, harmonized, class_hits),
        pa.Table.from_pylist([shared | row for row in set_rows], schema=SET_ROWS),
    )


def find_weights(download: bool) -> tuple[dict[str, FoundWeights], dict[str, str]]:
    """Look for the weights that metrics need.

    Args:
        download: whether the official address may be asked.

    Returns:
        Name to file for those found; metric to reason for those that have to do without.
    """
    found: dict[str, FoundWeights] = {}
    reasons: dict[str, str] = {}
    for name in dict.fromkeys(metric.weights for metric in METRICS.values() if metric.weights):
        try:
            path = resolve(name, download)
        except MissingWeights as error:
            reasons |= {metric.name: str(error) for metric in METRICS.values() if metric.weights == name}
            continue
        with path.open("rb") as file:
            found[name] = FoundWeights(path, hashlib.file_digest(file, "sha256").hexdigest()[:12])
    return found, reasons


def _check(
    truth: Store,
    results: Mapping[str, Store],
    image_ids: Iterable[str],
    settings: ScoreSettings,
    report_space: ColorSpace,
) -> None:
    wanted = set(image_ids)
    if not wanted:
        split = "" if settings.split is None else f" in its split {settings.split!r}"
        raise UserError(f"set {settings.set_name!r} has no usable photograph{split}; there is nothing to score")
    for variant, store in results.items():
        strangers = sorted(set(store.index.index) - wanted)
        if strangers:
            raise UserError(
                f"{store.path} ({variant}) has {len(strangers)} photographs that {truth.path} has not, "
                f"the first is {strangers[0]!r}; run dvc repro"
            )
    counts = settings.class_counts
    if counts is not None and len(counts) != report_space.kept_count:
        raise UserError(
            f"class counts are for {len(counts)} classes, space {settings.space_name!r} "
            f"keeps {report_space.kept_count}; run dvc repro"
        )


def _tasks(
    image_ids: list[str], sizes: npt.NDArray[np.float64], cache: FeatureCache | None, limit: int
) -> list[ScoringTask]:
    """Cut the set into tasks; features are kept for the first ones, as far as the budget goes."""
    kept_before = cache.size() if cache is not None else 0
    ends = np.cumsum(sizes)
    return [
        ScoringTask(
            tuple(image_ids[start : start + TASK_IMAGES]),
            keep=cache is not None and kept_before + ends[min(start + TASK_IMAGES, len(ends)) - 1] <= limit,
        )
        for start in range(0, len(image_ids), TASK_IMAGES)
    ]


def _absences(
    own_space: ColorSpace | None, class_hits: pa.Table | None, class_counts: npt.NDArray[np.int64] | None
) -> dict[str, str]:
    """Metric to reason, for what this method or run cannot have."""
    reasons: dict[str, str] = {}
    if own_space is None:
        own = [metric.name for metric in METRICS.values() if metric.own]
        reasons |= dict.fromkeys(own, "the method has no class space of its own")
    if class_hits is None:
        reasons |= dict.fromkeys(
            _metrics_of("network"), "the method's class scores are not known, only its photographs"
        )
    if class_counts is None:
        bands = [name for name in METRICS if name.startswith(CLASS_BAND)]
        reasons |= dict.fromkeys(bands, "no class counts of a reference set were given")
    return reasons


def _row_table(
    rows: list[dict[str, Any]],
    variants: list[str],
    shared: dict[str, Any],
    harmonized: pa.Table | None,
    class_hits: pa.Table | None,
) -> pa.Table:
    """The rows in order, with what other stages measured; a metric that nobody measured is null."""
    masks = {row["image_id"]: row for row in harmonized.to_pylist()} if harmonized is not None else {}
    hits = {row["image_id"]: row for row in class_hits.to_pylist()} if class_hits is not None else {}
    ordered = sorted(rows, key=lambda row: (row["image_id"], variants.index(row["variant"])))
    complete, of_scores, of_masks = [], _metrics_of("network"), _metrics_of("harmonize")
    for row in ordered:
        image_id, variant = row["image_id"], row["variant"]
        joined = dict.fromkeys(image_metrics()) | shared | row
        if variant == "raw" and image_id in hits:
            joined |= {name: hits[image_id][name] for name in of_scores}
        if image_id in masks:
            joined |= {name: _of_masks(name, variant, masks[image_id]) for name in of_masks}
        complete.append(joined)
    return pa.Table.from_pylist(complete, schema=image_rows_schema())


def _of_masks(metric: str, variant: str, row: Mapping[str, Any]) -> Any:
    """What the harmonize stage measured: before and after in columns of their own, or once, of what it harmonized."""
    if f"{metric}_{variant}" in row:
        return row[f"{metric}_{variant}"]
    return row[metric] if variant == "harmonized" else None


def _metrics_of(origin: Origin) -> list[str]:
    return [metric.name for metric in METRICS.values() if metric.origin == origin]
