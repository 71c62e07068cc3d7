"""Finished parts of a prediction, kept until all are there: what a killed run need not do again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from pipeline.storage.portions import Portion
from pipeline.storage.store import Store, StoreWriter
from pipeline.storage.tables import CLASS_HITS, read_table, write_table

NOT_FINITE = "not_finite"
"""Status of a photograph for which the network put out a value that is no number; nothing is painted then."""


class Colorized(NamedTuple):
    """A colorized photograph.

    Attributes:
        image_id: its name.
        png: its bytes; None where the network put out a value that is not finite.
        height: px.
        width: px.
        hits: top-1 and top-5 accuracy of the class scores in percent; None where there are none.
    """

    image_id: str
    png: bytes | None
    height: int
    width: int
    hits: tuple[float, float] | None = None


def part_path(portion: Portion, parts: Path) -> Path:
    """Where the results of some photographs are kept: a store, and its table of hits beside it.

    Args:
        portion: the photographs; with the column image_id.
        parts: the folder of all parts of a run.

    Returns:
        The store's path; a part is finished once it is there.
    """
    return parts / hashlib.sha256("\n".join(portion.columns["image_id"]).encode()).hexdigest()[:16]


def write_part(path: Path, results: Iterable[Colorized]) -> Path:
    """Write a part.

    Args:
        path: as `part_path` gives it.
        results: of its photographs.

    Returns:
        The path.
    """
    hits = []
    with StoreWriter(path) as writer:
        for result in results:
            status = "ok" if result.png is not None else NOT_FINITE
            writer.add(result.image_id, result.png, width=result.width, height=result.height, status=status)
            if result.hits is not None:
                hits.append({"image_id": result.image_id, "top1": result.hits[0], "top5": result.hits[1]})
        # before the store gets its name, which says that the part is finished
        write_table(pa.Table.from_pylist(hits, schema=CLASS_HITS), _hits_path(path))
    return path


def join_parts(paths: Iterable[Path], out: Path) -> pa.Table:
    """Put finished parts together.

    Args:
        paths: of the parts, in the order of their photographs.
        out: the store of all results, split `test`.

    Returns:
        A table of `tables.CLASS_HITS`, a row for each photograph whose class scores are known.
    """
    hits: list[pa.Table] = []
    with StoreWriter(out) as writer:
        for path in paths:
            part = Store(path)
            hits.append(read_table(_hits_path(path), CLASS_HITS))
            for name, row in part.index.iterrows():
                data = part.read(str(name)) if row["status"] == "ok" else None
                columns = {"width": int(row["width"]), "height": int(row["height"]), "status": row["status"]}
                writer.add(str(name), data, split="test", mode="RGB", **columns)
    return pa.concat_tables(hits).sort_by("image_id") if hits else CLASS_HITS.empty_table()


def _hits_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.parquet")
