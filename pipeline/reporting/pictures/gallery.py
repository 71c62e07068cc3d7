"""The gallery: which photographs are shown, their pictures, and their own figures for sorting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipeline.reporting.file_names import slug
from pipeline.reporting.pictures.media import Picture, Written, write_pictures
from pipeline.reporting.report_inputs import ReportInputs, TestSet
from pipeline.reporting.tables.columns import MetricColumn, metric_columns
from pipeline.storage.store import Store

NO_METRIC = {"width", "height", "set", "method", "image_id", "variant", "protocol", "space", "status", "reason"}
GREY_KEY, TRUTH_KEY, HARMONIZED_KEY = "grey", "truth", "+harmonized"


@dataclass(frozen=True)
class Photo:
    """One photograph of the gallery.

    Attributes:
        image_id: its name in the store.
        folder: where its pictures are, relative to the page.
        width: px.
        height: px.
        credit: who took it and under which licence.
        tiles: column key to the stem of its picture, or to "" where there is none.
        faults: column key to why there is none.
        values: column key to metric name to the figure of this photograph.
    """

    image_id: str
    width: int
    height: int
    credit: str
    tiles: dict[str, str]
    faults: dict[str, str]
    values: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Gallery:
    """The photographs of one set: `shown` of `total`, in columns from grey to truth."""

    set: str
    columns: tuple[str, ...]
    metrics: tuple[MetricColumn, ...]
    photos: tuple[Photo, ...]
    total: int
    faults: tuple[str, ...] = field(default=())

    def as_data(self) -> dict[str, object]:
        """Give the gallery as plain data for the page's script, figures as lists in the order of the metrics."""
        names = [metric.name for metric in self.metrics]
        return {
            "set": self.set,
            "total": self.total,
            "columns": list(self.columns),
            "metrics": [
                {"name": m.name, "label": m.label, "unit": m.unit, "better": m.better, "digits": m.digits}
                for m in self.metrics
            ],
            "photos": [
                {
                    "id": photo.image_id,
                    "size": [photo.width, photo.height],
                    "credit": photo.credit,
                    "tiles": photo.tiles,
                    "faults": photo.faults,
                    "values": {
                        key: [_plain(values.get(name)) for name in names] for key, values in photo.values.items()
                    },
                }
                for photo in self.photos
            ],
        }


def build_gallery(test_set: TestSet, inputs: ReportInputs, kinds: Mapping[str, str], out: Path) -> Gallery:
    """Choose the photographs of a set, write their pictures below `out`, and gather their figures.

    Where a set holds more photographs than the page shows, they are spread evenly over the ranking by mean PSNR of
    the methods, the worst and the best among them; without figures they are spread over the names.

    Args:
        test_set: stores of truth and results.
        inputs: for the tables of figures and the number of photographs.
        kinds: method to "floor", "ceiling", "trained" or "imported".
        out: the folder of the page.
    """
    index, faults = _index(test_set)
    values, more_faults = _values(test_set.name, inputs)
    faults += more_faults
    shown = _choose([str(name) for name in index["image_id"]], values, kinds, inputs.gallery)
    methods = sorted(test_set.predictions, key=lambda name: (kinds.get(name) == "ceiling", name))
    keys = [key for name in methods if kinds.get(name) != "floor" for key in _variants(name, test_set)]
    columns = (GREY_KEY, *keys, TRUTH_KEY)
    pictures, owners = [], []
    for image_id in shown:
        for key in columns:
            store, grey = _source(key, test_set, kinds)
            if store is not None:
                stem = f"media/{slug(test_set.name)}/{slug(image_id)}/{slug(key.replace('+', '.'))}"
                pictures.append(Picture(store, image_id, stem, grey))
                owners.append((image_id, key))
    written = dict(zip(owners, zip(pictures, write_pictures(pictures, out), strict=True), strict=True))
    by_name = index.set_index("image_id")
    photos = tuple(_photo(image_id, by_name.loc[image_id], columns, written, values) for image_id in shown)
    names = {name for photo in photos for row in photo.values.values() for name in row}
    return Gallery(test_set.name, columns, metric_columns(names), photos, len(index), tuple(faults))


def _variants(method: str, test_set: TestSet) -> list[str]:
    return [method, f"{method}{HARMONIZED_KEY}"] if method in test_set.harmonized else [method]


def _source(key: str, test_set: TestSet, kinds: Mapping[str, str]) -> tuple[Path | None, bool]:
    """Say which store a column comes from, and whether only its lightness is shown."""
    if key == TRUTH_KEY:
        return test_set.truth, False
    if key == GREY_KEY:  # the floor's result is the grey input itself
        floor = next((path for name, path in test_set.predictions.items() if kinds.get(name) == "floor"), None)
        return (floor, False) if floor is not None else (test_set.truth, True)
    if key.endswith(HARMONIZED_KEY):
        return test_set.harmonized.get(key.removesuffix(HARMONIZED_KEY)), False
    return test_set.predictions.get(key), False


def _index(test_set: TestSet) -> tuple[pd.DataFrame, list[str]]:
    """Read the truth's index, usable test images only; without a truth, that of the first result."""
    for path in (test_set.truth, *test_set.predictions.values()):
        if path is None:
            continue
        try:
            return Store(path).rows(split="test").reset_index(drop=True), []
        except Exception as error:  # the page says which store cannot be read
            fault = f"{test_set.name}: the photographs cannot be read ({error})"
            return pd.DataFrame({"image_id": pd.Series(dtype=str)}), [fault]
    return pd.DataFrame({"image_id": pd.Series(dtype=str)}), [f"{test_set.name}: there is no store of photographs"]


def _values(set_name: str, inputs: ReportInputs) -> tuple[dict[tuple[str, str], dict[str, float]], list[str]]:
    """Read the figures of every photograph: (image, column key) to metric name to figure."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    faults = []
    for (method, owner), path in sorted(inputs.rows.items()):
        if owner != set_name:
            continue
        try:
            frame = pq.read_table(path).to_pandas()
        except (OSError, ValueError) as error:
            faults.append(f"{method} on {set_name}: the figures of single photographs cannot be read ({error})")
            continue
        metrics = [name for name in frame.columns if name not in NO_METRIC and frame[name].dtype.kind == "f"]
        for record in frame.to_dict("records"):
            variant = record.get("variant") or "raw"
            key = method if variant == "raw" else f"{method}+{variant}"
            row = {name: float(record[name]) for name in metrics if not pd.isna(record[name])}
            found[str(record["image_id"]), key] = row
    return found, faults


def _choose(
    names: list[str], values: Mapping[tuple[str, str], dict[str, float]], kinds: Mapping[str, str], limit: int
) -> list[str]:
    if len(names) <= limit:
        return names
    scores: dict[str, list[float]] = {}
    for (image_id, key), row in values.items():
        if "psnr" in row and kinds.get(key) not in ("floor", "ceiling", None):
            scores.setdefault(image_id, []).append(row["psnr"])
    ranked = sorted(names, key=lambda name: (_mean(scores.get(name, [])), name))
    if limit < 2:
        return ranked[:limit]
    places = {round(step * (len(ranked) - 1) / (limit - 1)) for step in range(limit)}
    return sorted(ranked[place] for place in places)


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _photo(
    image_id: str,
    row: pd.Series,
    columns: tuple[str, ...],
    written: Mapping[tuple[str, str], tuple[Picture, Written]],
    values: Mapping[tuple[str, str], dict[str, float]],
) -> Photo:
    tiles, faults, size = {}, {}, (0, 0)
    for key in columns:
        picture, result = written.get((image_id, key), (None, Written(fault="there is no store of it")))
        if picture is None or result.fault:
            faults[key] = result.fault
            continue
        tiles[key] = picture.stem
        size = (result.width, result.height)
    figures = {key: values[image_id, key] for key in columns if (image_id, key) in values}
    words = [str(row[name]) for name in ("credit", "licence") if name in row.index and row[name]]
    return Photo(image_id, *size, ", ".join(words), tiles, faults, figures)


def _plain(value: float | None) -> float | str | None:
    """JSON has no infinity: it travels as the word that JavaScript's Number() reads."""
    if value is None:
        return None
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return float(f"{value:.5g}")
