"""Photographs of a store a portion at a time: what a worker is handed, and how it reads or shrinks them.

A portion says where its photographs' bytes lie and what else of the index its task needs, so that no worker reads the
index, and its memory does not grow with the set.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.images.decode import ImageRefused, decode
from pipeline.storage.store import INDEX, ShardReader

PORTION = 64
"""Photographs in a portion: some tenths of a second of work, little to lose and cheap to hand over."""


class Portion(NamedTuple):
    """Some photographs of one store, a worker's task: where the bytes of each lie.

    Attributes:
        store: the store's folder.
        shards: the tar file of each photograph.
        offsets: int64 (N,), where its bytes begin.
        lengths: int64 (N,), how many there are.
        columns: further columns of the index by name, each with a value for each photograph.
    """

    store: Path
    shards: tuple[str, ...]
    offsets: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.shards)


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


def read_rows(store: Path, split: str) -> pd.DataFrame:
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


def reference_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows whose photographs say something about colours: those that can be used and are not grey.

    Args:
        rows: of a store's index; status and is_grey are read, the latter as `download` decided it.

    Returns:
        Some of the rows, in their order.
    """
    return rows[rows["status"].eq("ok") & ~rows["is_grey"].eq(True)]


def skipped_rows(rows: pd.DataFrame) -> dict[str, int]:
    """Counts the rows that `reference_rows` leaves out.

    Args:
        rows: as for `reference_rows`.

    Returns:
        Photographs by status, and those that can be used but are grey under `grey`.
    """
    reasons = rows["status"].mask(rows["status"].eq("ok") & rows["is_grey"].eq(True), "grey")
    counts = reasons[reasons != "ok"].value_counts()
    return {str(reason): int(count) for reason, count in counts.items()}


def portion(store: Path, rows: pd.DataFrame, columns: Sequence[str] = ()) -> Portion:
    """Makes a task of rows of a store's index.

    Args:
        store: the store's folder.
        rows: at least one; columns shard, offset and length of photographs that the store holds, and those named.
        columns: what else the task needs of the index; `image_id` may be the rows' own index.

    Returns:
        The task, in the order of the rows.
    """
    return portions(store, rows, len(rows), columns)[0]


def portions(store: Path, rows: pd.DataFrame, size: int = PORTION, columns: Sequence[str] = ()) -> list[Portion]:
    """Cuts rows of a store's index into tasks.

    Args:
        store: the store's folder.
        rows: as for `portion`, or none.
        size: photographs in a task.
        columns: as for `portion`.

    Returns:
        The tasks, in the order of the rows.
    """
    shards = [sys.intern(shard) for shard in rows["shard"].tolist()]
    offsets, lengths = rows["offset"].to_numpy(np.int64), rows["length"].to_numpy(np.int64)
    further = {name: rows.get(name, rows.index).tolist() for name in columns}
    parts = (slice(start, start + size) for start in range(0, len(rows), size))
    return [
        Portion(
            store,
            tuple(shards[part]),
            offsets[part],
            lengths[part],
            {name: values[part] for name, values in further.items()},
        )
        for part in parts
    ]


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


def photograph_bytes(task: Portion, places: Iterable[int] | None = None) -> Iterator[bytes]:
    """Reads photographs of a task, one after the other.

    Args:
        task: which photographs.
        places: only those at these places of the task, in this order; None for all.

    Yields:
        The bytes of each, as they came.

    Raises:
        UserError: if a shard is missing or shorter than the index says.
    """
    with closing(ShardReader(task.store)) as reader:
        for place in range(len(task)) if places is None else places:
            yield reader.read(task.shards[place], int(task.offsets[place]), int(task.lengths[place]))
