"""The schema of every table that the graph writes (DESIGN section 3), and how tables are written and read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.machine.files import replaced
from pipeline.metrics.registry import METRICS, Metric


def column(name: str, kind: pa.DataType, about: str, **details: str) -> pa.Field:
    """A column of a table.

    Args:
        name: of the column.
        kind: of its values.
        about: what it holds.
        **details: more of it, such as `unit` and `direction` (`higher` or `lower` is better).

    Returns:
        The column; all of this that is not empty stands in the file's own metadata.
    """
    metadata = {"about": about} | details
    return pa.field(name, kind, metadata={key: value for key, value in metadata.items() if value})


def metric_field(metric: Metric) -> pa.Field:
    """The column of a metric per photograph: float64, with what the registry says of the metric as metadata."""
    return column(
        metric.name,
        _FLOAT,
        metric.about,
        backbone=metric.weights or "",
        unit=metric.unit,
        direction=metric.direction,
        version=str(metric.version),
    )


_TEXT, _FLOAT, _INT, _BOOL = pa.string(), pa.float64(), pa.int64(), pa.bool_()

STORE_INDEX = pa.schema(
    [
        column("image_id", _TEXT, "name of the photograph, unique in the set"),
        column("shard", _TEXT, "tar file that holds it; null where it was refused"),
        column("offset", _INT, "where its bytes begin in the shard", unit="byte"),
        column("length", _INT, "how long they are", unit="byte"),
        column("sha256", _TEXT, "of its bytes"),
        column("width", pa.int32(), "after EXIF orientation", unit="px"),
        column("height", pa.int32(), "after EXIF orientation", unit="px"),
        column("mode", _TEXT, "pixel format of the file, as Pillow names it"),
        column("split", _TEXT, "train or test"),
        column("label", _TEXT, "class of the photograph where its set has one"),
        column("is_grey", _BOOL, "hardly any chroma: no use as a colour reference"),
        column("status", _TEXT, "ok, or the reason for which it was refused"),
        column("perceptual_hash", _TEXT, "64 bits as hexadecimal digits; near duplicates differ in few"),
        column("credit", _TEXT, "who made it, and where it was published"),
        column("licence", _TEXT, "under which it may be used"),
    ]
)

HISTOGRAM = pa.schema(
    [
        column("a", pa.int16(), "lower edge of the unit cell: floor(a)", unit="CIELAB"),
        column("b", pa.int16(), "lower edge of the unit cell: floor(b)", unit="CIELAB"),
        column("count", _INT, "pixels of the reference set in the cell", unit="pixel"),
    ]
)

SPACE = pa.schema(
    [
        column("class_id", pa.int32(), "number of the class in the full grid (Eq. 9)"),
        column("a", pa.float32(), "centre of the bin (Eq. 10)", unit="CIELAB"),
        column("b", pa.float32(), "centre of the bin (Eq. 11)", unit="CIELAB"),
        column("count", _INT, "pixels of the reference set in the class", unit="pixel"),
        column("share", _FLOAT, "count by all pixels of the reference set"),
        column("reachable", _BOOL, "some 8-bit sRGB colour falls into the class"),
        column("observed", _BOOL, "the reference set shows the class"),
        column("kept", _BOOL, "survived pruning"),
        column("mapped_to", pa.int32(), "class_id of the kept class that stands for it (Eq. 12)"),
        column("red", pa.uint8(), "of the bin centre at L = 50"),
        column("green", pa.uint8(), "of the bin centre at L = 50"),
        column("blue", pa.uint8(), "of the bin centre at L = 50"),
    ]
)

WEIGHTS = pa.schema(
    [
        column("class_id", pa.int32(), "a kept class"),
        column("count", _INT, "pixels of the reference set in the class and those mapped to it", unit="pixel"),
        column("prior", _FLOAT, "share of the reference set's pixels"),
        column("smoothed_prior", _FLOAT, "prior smoothed by a Gaussian over the ab plane (CIC)"),
        column("cic_weight", _FLOAT, "((1 - l) smoothed prior + l / Q)^-1, mean 1 under the smoothed prior (CIC)"),
    ]
)

WEIGHT_BATCHES = pa.schema(
    [
        column("percent", _FLOAT, "p of Eq. 15", unit="%"),
        column("batch", pa.int32(), "number of the batch"),
        column("images", pa.int32(), "photographs in the batch"),
        column("classes", pa.int32(), "kept classes that the batch shows"),
        column("weight_min", _FLOAT, "smallest weight of a class shown"),
        column("weight_median", _FLOAT, "median weight of the classes shown"),
        column("weight_max", _FLOAT, "largest weight of a class shown"),
        column("effective_classes", _FLOAT, "exp of the entropy of the weighted class shares"),
    ]
)

METHOD = pa.schema(
    [
        column("kept_index", pa.int32(), "channel of the network's output"),
        column("class_id", pa.int32(), "number of the class in the full grid (Eq. 9)"),
        column(
            "count", _INT, "pixels of the reference set that it stands for; null where no part needs it", unit="pixel"
        ),
        column("soft_prior", _FLOAT, "its share of the reference set's soft targets; null where no part needs it"),
    ]
)

CLASS_HITS = pa.schema(
    [
        column("image_id", _TEXT, "the photograph"),
        column("top1", _FLOAT, "positions whose most probable class is the truth's", unit="%", direction="higher"),
        column(
            "top5", _FLOAT, "positions whose true class is among the five most probable", unit="%", direction="higher"
        ),
    ]
)
"""What only the network's class scores tell: written where they are at hand (prediction), joined into the rows."""

MASKS = pa.schema(
    [
        column("image_id", _TEXT, "name of the photograph"),
        column("sha256", _TEXT, "of its bytes"),
        column("object", pa.int32(), "number of the mask in the photograph; null where it has none"),
        column("height", pa.int32(), "of the mask", unit="px"),
        column("width", pa.int32(), "of the mask", unit="px"),
        column("rle", _TEXT, "COCO compressed run lengths"),
        column("area", _INT, "of the mask", unit="pixel"),
        column("x", pa.int32(), "left edge of the bounding box", unit="px"),
        column("y", pa.int32(), "upper edge of the bounding box", unit="px"),
        column("w", pa.int32(), "width of the bounding box", unit="px"),
        column("h", pa.int32(), "height of the bounding box", unit="px"),
        column("predicted_iou", pa.float32(), "the segmenter's own estimate; null where it has none"),
        column("stability", pa.float32(), "the segmenter's own estimate; null where it has none"),
        column("segmenter", _TEXT, "what found the mask"),
        column("settings_hash", _TEXT, "of the settings of the segmenter"),
        column("status", _TEXT, "ok, or why the photograph has no mask"),
    ]
)

HARMONIZED = pa.schema(
    [
        column("image_id", _TEXT, "name of the photograph"),
        column("objects", pa.int32(), "objects harmonized"),
        column("pixels_changed", _INT, "pixels whose colour was replaced", unit="pixel"),
        column("edge_bleeding_raw", _FLOAT, "at object edges, by the truth's (SPEC 7), before", direction="lower"),
        column("edge_bleeding_harmonized", _FLOAT, "the same, after", direction="lower"),
        column("status", _TEXT, "ok, or why nothing was harmonized"),
    ]
)

CLASS_HITS = pa.schema(
    [
        column("image_id", _TEXT, "the photograph"),
        *(metric_field(metric) for metric in METRICS.values() if metric.origin == "network"),
    ]
)
"""What only the network's class scores tell: written where they are at hand (prediction), joined into the rows."""

SWEEP = pa.schema(
    [
        column("experiment", _TEXT, "its name, or the revision that the experiments started from"),
        column("parameter", _TEXT, "dotted name of the one setting that differs"),
        column("value", _TEXT, "what it is set to, as JSON"),
        column("set", _TEXT, "test set"),
        column("method", _TEXT, "method, with _harmonized behind it for harmonized results"),
        column("metric", _TEXT, "as in summary.parquet"),
        column("figure", _FLOAT, "mean over the set, rounded as in metrics.json"),
    ]
)


def write_table(table: pa.Table, path: Path, metadata: Mapping[str, Any] | None = None) -> None:
    """Write a Parquet file in one step: a killed run leaves the old file or none.

    Args:
        table: what to write.
        path: where; folders are made.
        metadata: facts about the whole table; each value is stored as JSON under its key.

    Raises:
        OSError: if the disk refuses.
    """
    facts = {key: json.dumps(value, sort_keys=True) for key, value in (metadata or {}).items()}
    with replaced(path) as temporary:
        pq.write_table(table.replace_schema_metadata(facts), temporary)


def read_table(path: Path, schema: pa.Schema | None = None) -> pa.Table:
    """Read a table that a stage has written.

    Args:
        path: the Parquet file.
        schema: the columns that it has to have; None takes any.

    Returns:
        The table.

    Raises:
        UserError: if the file is missing, is no Parquet file, or has other columns.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run dvc repro") from None
    except pa.ArrowInvalid as error:
        raise UserError(f"{path} is no Parquet file: {' '.join(str(error).split())}") from None
    if schema is not None and table.schema.names != schema.names:
        raise UserError(f"{path} has the columns {table.schema.names}, it takes {schema.names}; run dvc repro --force")
    return table


def table_facts(table: pa.Table) -> dict[str, Any]:
    """The facts that `write_table` stored with a table.

    Args:
        table: as `read_table` gives it.

    Returns:
        What was handed in as metadata.
    """
    stored = table.schema.metadata or {}
    return {key.decode(): json.loads(value) for key, value in stored.items() if key != b"pandas"}
