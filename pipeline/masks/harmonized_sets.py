"""The stage `harmonize`: a set of colorized photographs whose colours stop at the edges of objects."""

import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.color.space import ColorSpace
from pipeline.errors import UserError
from pipeline.images.decode import decode, encode_png
from pipeline.machine.engine import map_shards
from pipeline.masks.bleeding import edge_bleeding, edge_distance
from pipeline.masks.harmonization import harmonize
from pipeline.masks.objects import OUTSIDE, PromptOutside, Selection, label_objects, select_objects
from pipeline.masks.rle import Segment
from pipeline.settings.sections import Harmonize
from pipeline.storage.portions import Portion, photograph_bytes, portions
from pipeline.storage.store import Store, StoreWriter
from pipeline.storage.tables import HARMONIZED

IMAGES_PER_TASK = 4
PNG_LEVEL = 1
"""Fast: the level changes no pixel, and the store of predictions is written with the same."""

log = logging.getLogger(__name__)


class Harmonizing(NamedTuple):
    """What every worker is handed."""

    space: ColorSpace
    settings: Harmonize


class Part(NamedTuple):
    """A worker's task: some results, the photographs they belong to, and for each its masks or why it has none."""

    results: Portion
    truth: Portion
    masks: tuple[list[Segment] | str, ...]


class Harmonized(NamedTuple):
    """One photograph's result: its PNG, and its row of `tables.HARMONIZED`."""

    png: bytes
    row: dict[str, Any]
    detail: str


def harmonize_set(
    predictions: Store, truth: Store, masks: pa.Table, space: ColorSpace, settings: Harmonize, out_path: Path
) -> pa.Table:
    """Harmonize every colorized photograph of a set and measure what it did.

    A photograph that cannot be harmonized (no masks, masks of another size, a prompt outside of it) keeps the very
    bytes of its prediction.

    Args:
        predictions: the colorized photographs.
        truth: the photographs themselves, under the same names. Their L is the input of the colorization; their colours
            serve the measurement of edge bleeding alone.
        masks: `tables.MASKS`, from `segmenting.segment_set`.
        space: the classes that colours are counted in.
        settings: the section `harmonize`.
        out_path: the store to write.

    Returns:
        `tables.HARMONIZED`, one row per photograph, sorted by image_id.

    Raises:
        UserError: if a colorized photograph is not in the set.
    """
    index = predictions.rows()
    for image_id in index.index:
        if image_id not in truth.index.index:
            raise UserError(f"{predictions.path} has {image_id!r}, which {truth.path} has not; run dvc repro")
    found = _masks_by_image(masks)
    results = portions(predictions.path, index, IMAGES_PER_TASK, ("image_id",))
    originals = portions(truth.path, truth.index.loc[index.index], IMAGES_PER_TASK)
    parts = [
        Part(result, original, tuple(found.get(image_id, "no_masks") for image_id in result.columns["image_id"]))
        for result, original in zip(results, originals, strict=True)
    ]
    rows = []
    with StoreWriter(out_path) as writer:
        for harmonized in map_shards(harmonize_part, parts, Harmonizing(space, settings), "harmonize"):
            for result in harmonized:
                image_id = result.row["image_id"]
                if result.detail:
                    log.warning("%s keeps its raw colours, %s: %s", image_id, result.row["status"], result.detail)
                columns = {name: index.loc[image_id, name] for name in ("split", "label", "width", "height", "mode")}
                writer.add(image_id, result.png, ".png", **columns)
                rows.append(result.row)
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["image_id"]), schema=HARMONIZED)


def object_labels(masks: pa.Table, image_id: str, settings: Harmonize) -> npt.NDArray[np.int32] | None:
    """The objects of one photograph that the settings select.

    Args:
        masks: `tables.MASKS`.
        image_id: which photograph.
        settings: the section `harmonize`.

    Returns:
        int32 (H, W), the object of each pixel, 0 outside; None where the photograph has no mask.

    Raises:
        PromptOutside: if a point or box of the selection lies outside the photograph.
        UserError: as `selection_of`.
    """
    found = _masks_by_image(masks.filter(pc.equal(masks["image_id"], image_id))).get(image_id, "no_masks")
    return None if isinstance(found, str) else _selected(found, found[0].height, found[0].width, settings)


def _selected(masks: list[Segment], height: int, width: int, settings: Harmonize) -> npt.NDArray[np.int32]:
    return select_objects(label_objects(masks, height, width), selection_of(settings))


def _masks_by_image(masks: pa.Table) -> dict[str, list[Segment] | str]:
    found: dict[str, list[Segment] | str] = {}
    columns = ("image_id", "object", "rle", "height", "width", "status")
    for image_id, number, counts, height, width, status in zip(
        *(masks[name].to_pylist() for name in columns), strict=True
    ):
        if number is None:
            found[image_id] = status
        else:
            segments = found.setdefault(image_id, [])
            assert isinstance(segments, list), "a photograph has either masks or a reason for having none"
            segments.append(Segment(counts, height, width))
    return found


def harmonize_part(part: Part, shared: Harmonizing) -> list[Harmonized]:
    """Harmonize some photographs.

    Args:
        part: which, and their masks.
        shared: the space, the settings.

    Returns:
        One result per photograph, in order.
    """
    return [
        _harmonize_one(png, original, image_id, masks, shared)
        for png, original, image_id, masks in zip(
            photograph_bytes(part.results),
            photograph_bytes(part.truth),
            part.results.columns["image_id"],
            part.masks,
            strict=True,
        )
    ]


def _harmonize_one(
    png: bytes, original: bytes, image_id: str, masks: list[Segment] | str, shared: Harmonizing
) -> Harmonized:
    untouched = {"image_id": image_id, "objects": 0, "pixels_changed": 0}
    if isinstance(masks, str):
        return Harmonized(png, untouched | {"status": masks}, "")
    colored, source = decode(png, image_id).rgb, decode(original, image_id).rgb
    height, width = colored.shape[:2]
    sizes = {(one.height, one.width) for one in masks} | {source.shape[:2]}
    if sizes != {(height, width)}:
        told = ", ".join(f"{each[1]} x {each[0]}" for each in sorted(sizes - {(height, width)}))
        detail = f"the colorized photograph is {width} x {height}, its masks or its truth {told}"
        return Harmonized(png, untouched | {"status": "mask_size"}, detail)
    try:
        labels = _selected(masks, height, width, shared.settings)
    except PromptOutside as reason:
        return Harmonized(png, untouched | {"status": "prompt_outside"}, str(reason))
    result = harmonize(colored, source, labels, shared.space, shared.settings)
    changed = int((result != colored).any(axis=-1).sum())
    before, after, true = (edge_distance(rgb, labels, shared.settings.band) for rgb in (colored, result, source))
    row = {
        "image_id": image_id,
        "objects": len(np.setdiff1d(labels, [OUTSIDE])),
        "pixels_changed": changed,
        "edge_bleeding_raw": edge_bleeding(before, true),
        "edge_bleeding_harmonized": edge_bleeding(after, true),
        "status": "ok",
    }
    return Harmonized(encode_png(result, PNG_LEVEL) if changed else png, row, "")


def selection_of(settings: Harmonize) -> Selection:
    """The objects that the settings select.

    Args:
        settings: the section `harmonize`.

    Returns:
        The selection; `all` is the empty one.
    """
    chosen = settings.select
    if chosen == "all":
        return Selection()
    points = tuple((x, y) for x, y in chosen.points or ())
    boxes = tuple((left, top, right, bottom) for left, top, right, bottom in chosen.boxes or ())
    return Selection(chosen.largest, points, boxes)
