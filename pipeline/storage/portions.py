"""Photographs of a store at one square size, a portion at a time: how the color statistics see a reference set.

A portion says where its photographs' bytes lie, so that a worker does not read the index, and its memory does not grow
with the set.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.images.decode import ImageRefused, decode
from pipeline.storage.store import INDEX

PORTION = 64
"""Photographs in a portion: some tenths of a second of work, little to lose and cheap to hand over."""


class Portion(NamedTuple):
    """Some photographs of one store, a worker's task: where the bytes of each lie.

    Attributes:
        store: the store's folder.
        shards: the tar file of each photograph.
        offsets: int64 (N,), where its bytes begin.
        lengths: int64 (N,), how many there are.
    """

    store: Path
    shards: tuple[str, ...]
    offsets: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]


class View(NamedTuple):
    """How photographs are looked at.

    Attributes:
        size: side in pixels of the square that each photograph is resized to, its proportions given up.
        resampling: filter of the resize, as in `resize`.
        smallest: a photograph with a shorter side than this is tiny and left out.
    """

    size: int
    resampling: str
    smallest: int


def photographs(store: Path, split: str) -> pd.DataFrame:
    """What the index of a store says of one split, no more of it than is needed here: the whole of it grows large.

    Args:
        store: the store's folder.
        split: `train` or `test`.

    Returns:
        Columns shard, offset, length, status and is_grey, indexed by image_id, refused photographs included.

    Raises:
        UserError: if there is no store, or its index cannot be read.
    """
    columns = ["image_id", "shard", "offset", "length", "status", "is_grey"]
    try:
        table = pq.read_table(store / INDEX, columns=columns, filters=[("split", "=", split)])
    except FileNotFoundError:
        raise UserError(f"{store} is no image set: it has no {INDEX}; run dvc repro") from None
    except pa.ArrowInvalid as error:
        raise UserError(f"{store / INDEX} cannot be read: {' '.join(str(error).split())}") from None
    return table.to_pandas().set_index("image_id")


def portion(store: Path, rows: pd.DataFrame) -> Portion:
    """Makes a task of rows of a store's index.

    Args:
        store: the store's folder.
        rows: columns shard, offset and length of photographs that the store holds.

    Returns:
        The task, in the order of the rows.
    """
    shards = tuple(sys.intern(shard) for shard in rows["shard"].tolist())
    return Portion(store, shards, rows["offset"].to_numpy(np.int64), rows["length"].to_numpy(np.int64))


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
        uint8 (size, size, 3) sRGB, or for a photograph that is left out the reason: `tiny` or one of `REASONS`.

    Raises:
        UserError: if a shard is missing or shorter than the index says.
    """
    for data in photograph_bytes(task):
        try:
            decoded = decode(data, size=(view.size, view.size), resampling=view.resampling)
        except ImageRefused as refusal:
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
        for shard, offset, length in zip(task.shards, task.offsets.tolist(), task.lengths.tolist(), strict=True):
            path = task.store / shard
            if shard not in descriptors:
                try:
                    descriptors[shard] = os.open(path, os.O_RDONLY)
                except FileNotFoundError:
                    raise UserError(f"{path} is missing; run dvc checkout or dvc repro") from None
            data = os.pread(descriptors[shard], length, offset)
            if len(data) != length:
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
