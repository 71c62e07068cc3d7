"""The stage `segment`: masks for every photograph of a set, each photograph segmented once and never again."""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.color.shades import grey_image
from pipeline.images.decode import ImageRefused, decode
from pipeline.machine.engine import map_shards
from pipeline.machine.files import write_text
from pipeline.machine.progress import progress
from pipeline.machine.provenance import fingerprint
from pipeline.masks.objects import canonical_order
from pipeline.masks.rle import NotSegmented, Segment
from pipeline.masks.segmenter import chosen_segmenter
from pipeline.settings.mask_entries import Masks
from pipeline.storage.portions import Portion, photograph_bytes, portions
from pipeline.storage.store import Store
from pipeline.storage.tables import MASKS

IMAGES_PER_TASK = 4

log = logging.getLogger(__name__)


class Found(NamedTuple):
    """What segmenting one photograph gave.

    Attributes:
        image_id: the photograph.
        sha256: of its bytes.
        status: ok, no_masks, or why it was not segmented (too_large, not_annotated, mask_size, a reason of `images`).
        detail: the same in words, with numbers; empty for ok.
        segments: its masks, small ones included.
    """

    image_id: str
    sha256: str
    status: str
    detail: str
    segments: list[Segment]


class Task(NamedTuple):
    """What every worker is handed."""

    settings: Masks
    cache: Path


def segment_set(store: Store, settings: Masks, cache_dir: Path, split: str | None = "test") -> pa.Table:
    """Find the objects of every photograph in its grey version.

    Each photograph's masks are kept in `cache_dir` under the hash of its bytes and of the segmenter's settings, so
    that a run continues where it was killed and nothing is segmented twice; files there may be deleted at any time.
    `min_area` is applied afterwards, so changing it segments nothing.

    Args:
        store: the set.
        settings: the section `masks`.
        cache_dir: a folder for the masks of single photographs, made if missing.
        split: which photographs; None for all.

    Returns:
        `tables.MASKS`, sorted by image_id, the masks of a photograph in `canonical_order` (largest first) numbered
        from 0. A photograph without masks has one row with a null object and the reason as its status.

    Raises:
        UserError: if the segmenter cannot run: weights or annotations missing or unfit.
    """
    settings_hash = segmentation_hash(settings)
    task = Task(settings, Path(cache_dir) / settings_hash)
    task.cache.mkdir(parents=True, exist_ok=True)
    rows = []
    for found in _segmented(store, task, split):
        if found.detail:
            log.warning("%s keeps its raw colours, %s: %s", found.image_id, found.status, found.detail)
        rows.extend(_rows(found, settings, settings_hash))
    return pa.Table.from_pylist(sorted(rows, key=lambda row: (row["image_id"], row["object"] or 0)), schema=MASKS)


def segmentation_hash(settings: Masks) -> str:
    """Hash of everything that decides about the masks of a photograph, apart from the photograph.

    Args:
        settings: the section `masks`; of its parts only those of the chosen segmenter count.

    Returns:
        16 hexadecimal digits.
    """
    segmenter = chosen_segmenter(settings)
    return fingerprint(segmenter.kind, segmenter.decides(), settings.max_megapixels)


def _segmented(store: Store, task: Task, split: str | None) -> Iterator[Found]:
    alone = chosen_segmenter(task.settings).alone
    rows, columns = store.rows(split), ("image_id", "sha256")
    tasks = portions(store.path, rows, 1 if alone else IMAGES_PER_TASK, columns)
    if alone:
        for part in progress(tasks, "segment"):
            yield from segment_portion(part, task)
    else:
        for found in map_shards(segment_portion, tasks, task, "segment"):
            yield from found


def segment_portion(part: Portion, task: Task) -> list[Found]:
    """Segment some photographs, or read their masks from the cache.

    Args:
        part: which photographs; with the columns image_id and sha256.
        task: settings and cache.

    Returns:
        One entry per photograph, in order.
    """
    names = list(zip(part.columns["image_id"], part.columns["sha256"], strict=True))
    kept = [_read_cache(_cache_path(image_id, sha256, task)) for image_id, sha256 in names]
    unseen = photograph_bytes(part, [place for place, masks in enumerate(kept) if masks is None])
    found = []
    for (image_id, sha256), masks in zip(names, kept, strict=True):
        status, detail, segments = masks or _segment_one(image_id, sha256, next(unseen), task)
        found.append(Found(image_id, sha256, status, detail, segments))
    return found


def _cache_path(image_id: str, sha256: str, task: Task) -> Path:
    key = fingerprint(sha256, image_id) if chosen_segmenter(task.settings).by_name else sha256
    return task.cache / f"{key}.json"


def _segment_one(image_id: str, sha256: str, data: bytes, task: Task) -> tuple[str, str, list[Segment]]:
    status, detail, segments = "ok", "", []
    try:
        rgb = decode(data, image_id).rgb
        megapixels = rgb.shape[0] * rgb.shape[1] / 1e6
        if megapixels > task.settings.max_megapixels:
            limit = task.settings.max_megapixels
            raise NotSegmented("too_large", f"{megapixels:.3g} megapixels, masks.max_megapixels is {limit:g}")
        segments = chosen_segmenter(task.settings).segment(grey_image(rgb), image_id)
    except NotSegmented as reason:
        status, detail = reason.status, str(reason)
    except ImageRefused as refusal:
        status, detail = refusal.reason, refusal.detail
    _write_cache(_cache_path(image_id, sha256, task), status, detail, segments)
    return status, detail, segments


def _read_cache(path: Path) -> tuple[str, str, list[Segment]] | None:
    """What was found earlier, or None where there is nothing, or nothing that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content["status"], content["detail"], [Segment(*fields) for fields in content["segments"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_cache(path: Path, status: str, detail: str, segments: list[Segment]) -> None:
    write_text(path, json.dumps({"status": status, "detail": detail, "segments": segments}))


def _rows(found: Found, settings: Masks, settings_hash: str) -> list[dict[str, Any]]:
    """Rows of `tables.MASKS`; masks below `min_area` of the photograph are dropped here."""
    common = {
        "image_id": found.image_id,
        "sha256": found.sha256,
        "segmenter": settings.segmenter.kind,
        "settings_hash": settings_hash,
        "status": found.status,
    }
    kept = [one for one in found.segments if one.area >= settings.min_area * one.height * one.width and one.area > 0]
    if not kept:
        return [common | {"object": None, "status": "no_masks" if found.status == "ok" else found.status}]
    return [
        common
        | dict(zip(("x", "y", "w", "h"), segment.box, strict=True))
        | {"object": number, "rle": segment.counts, "area": segment.area}
        | {"height": segment.height, "width": segment.width}
        | {"predicted_iou": segment.predicted_iou, "stability": segment.stability}
        for number, segment in enumerate(canonical_order(kept))
    ]


def describe_masks(table: pa.Table) -> str:
    """One line about a table of masks, for the stage to print.

    Args:
        table: from `segment_set`.

    Returns:
        Photographs, masks, and how many photographs have none and why.
    """
    frame = table.select(["image_id", "object", "status"]).to_pandas()
    masks = int(frame["object"].notna().sum())
    without = Counter(frame.loc[frame["object"].isna(), "status"])
    reasons = "".join(f", {count} {status}" for status, count in sorted(without.items()))
    return f"{frame['image_id'].nunique()} photographs, {masks} masks{reasons}"
