"""Photographs of a store at one square size, a portion at a time: how the color statistics see a reference set.

A portion says where its photographs' bytes lie, so that a worker reads neither the index nor anything else of the set,
and its memory does not grow with it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import images
from pipeline.config import UserError

PORTION = 64
"""Photographs in a portion: some tenths of a second of work, little to lose and cheap to hand over."""


class Place(NamedTuple):
    """Where the bytes of one photograph lie."""

    image_id: str
    shard: str
    offset: int
    length: int


class Portion(NamedTuple):
    """Some photographs of one store, a worker's task."""

    store: Path
    places: tuple[Place, ...]


class View(NamedTuple):
    """How photographs are looked at.

    Attributes:
        size: side in pixels of the square that each photograph is resized to, its proportions given up.
        resampling: filter of the resize, as in `images.resize`.
        smallest: a photograph with a shorter side than this is tiny and left out.
    """

    size: int
    resampling: str
    smallest: int


def portion(store: Path, rows: pd.DataFrame) -> Portion:
    """Makes a task of rows of a store's index.

    Args:
        store: the store's folder.
        rows: columns image_id, shard, offset and length of photographs that the store holds.

    Returns:
        The task, in the order of the rows.
    """
    columns = (rows["image_id"], rows["shard"], rows["offset"].astype(int), rows["length"].astype(int))
    return Portion(store, tuple(Place(*place) for place in zip(*(column.tolist() for column in columns), strict=True)))


def portions(store: Path, rows: pd.DataFrame, size: int = PORTION) -> list[Portion]:
    """Cuts rows of a store's index into tasks.

    Args:
        store: the store's folder.
        rows: as for `portion`.
        size: photographs in a task.

    Returns:
        The tasks, in the order of the rows.
    """
    return [portion(store, rows.iloc[start : start + size]) for start in range(0, len(rows), size)]


def thumbnails(task: Portion, view: View) -> Iterator[npt.NDArray[np.uint8] | str]:
    """Decodes and resizes the photographs of a task, one after the other.

    JPEG files are decoded at full size: decoding them smaller (Pillow's draft mode) is faster and gives other pixels.

    Args:
        task: which photographs.
        view: how they are looked at.

    Yields:
        uint8 (size, size, 3) sRGB, or for a photograph that is left out the reason: `tiny` or one of `images.REASONS`.

    Raises:
        UserError: if a shard is missing or shorter than the index says.
    """
    for data in photograph_bytes(task):
        try:
            decoded = images.decode(data, size=(view.size, view.size), resampling=view.resampling)
        except images.ImageRefused as refusal:
            yield refusal.reason
            continue
        tiny = min(decoded.record["width"], decoded.record["height"]) < view.smallest
        yield "tiny" if tiny else decoded.rgb


def photograph_bytes(task: Portion) -> Iterator[bytes]:
    """Reads the photographs of a task, one after the other.

    Args:
        task: which photographs.

    Yields:
        The bytes of each, as they came.

    Raises:
        UserError: if a shard is missing or shorter than the index says.
    """
    descriptors: dict[str, int] = {}
    try:
        for place in task.places:
            path = task.store / place.shard
            if place.shard not in descriptors:
                try:
                    descriptors[place.shard] = os.open(path, os.O_RDONLY)
                except FileNotFoundError:
                    raise UserError(f"{path} is missing; run dvc checkout or dvc repro") from None
            data = os.pread(descriptors[place.shard], place.length, place.offset)
            if len(data) != place.length:
                raise UserError(f"{path} is shorter than its index says; run dvc checkout or dvc repro")
            yield data
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)


def skipped_rows(rows: pd.DataFrame) -> dict[str, int]:
    """Counts the rows of an index that hold no usable photograph.

    Args:
        rows: rows of a store's index.

    Returns:
        Photographs by status, those with status `ok` left out.
    """
    counts = rows.loc[rows["status"] != "ok", "status"].value_counts()
    return {str(reason): int(count) for reason, count in counts.items()}
