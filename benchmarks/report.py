"""Building the page of a large run: 20 methods on 500 photographs, with the default gallery and with all in it.

    python benchmarks/report.py [--photographs 500] [--methods 20] [--folder DIR]

The last line is a JSON list of {"name", "ratio", "target", "met"}: the summary of a few methods by a notebook's loop
over the same rows with pandas and scipy, in turns; and the page by what the pictures of its gallery take alone:
reading, decoding, writing and thumbnailing, in as many threads.
"""

import argparse
import io
import itertools
import json
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from _figures import figure
from _photographs import add_folder, crops
from PIL import Image
from scipy.stats import bootstrap, wilcoxon

from pipeline.evaluation.schemas import image_rows_schema
from pipeline.evaluation.summary import summarize
from pipeline.images.decode import encode_png
from pipeline.machine.engine import worker_count
from pipeline.machine.memory import keep_freed_memory
from pipeline.metrics.registry import image_metrics
from pipeline.reporting.page.page import build_report
from pipeline.reporting.pictures.media import THUMB_QUALITY
from pipeline.reporting.report_inputs import ReportInputs, RunDescription, TestSet
from pipeline.storage.store import Store, StoreWriter
from pipeline.storage.tables import write_table

SIDE = 256
DEFAULT_GALLERY = 60
DRAWS, FEW, TURNS = 2000, 3, 3
SUMMARY_TARGET, PAGE_TARGET = 0.2, 1.5


def write_set(path: Path, pictures: list[np.ndarray], factor: float) -> Path:
    with StoreWriter(path) as writer:
        for number, rgb in enumerate(pictures):
            grey = rgb.mean(axis=-1, keepdims=True)
            faded = (grey + (rgb - grey) * factor).round().clip(0, 255).astype(np.uint8)
            writer.add(f"{number:04d}", encode_png(faded, 1), split="test", width=SIDE, height=SIDE, mode="RGB")
    return path


def rows_of(method: str, count: int, variants: tuple[str, ...], random: np.random.Generator) -> pa.Table:
    facts = {"set": "large", "method": method, "protocol": "cic-256@1", "space": "paper", "status": "ok"}
    rows = [
        facts | {"variant": variant, "image_id": f"{number:04d}", "width": SIDE, "height": SIDE}
        | dict(zip(image_metrics(), random.random(len(image_metrics())).tolist(), strict=True))
        for variant in variants for number in range(count)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=image_rows_schema())


def plain_summary(tables: Sequence[pa.Table]) -> list[tuple[object, ...]]:
    """What a user would write: means and differences, each with its interval and its test, one metric at a time."""
    rows, found = pd.concat([table.to_pandas() for table in tables]), []

    def interval(values: pd.Series) -> object:
        return bootstrap((values,), np.mean, n_resamples=DRAWS, method="percentile", rng=0).confidence_interval

    for (_, own), metric in itertools.product(rows.groupby("variant"), image_metrics()):
        columns = own.pivot(index="image_id", columns="method", values=metric)
        found += [(columns[method].mean(), interval(columns[method])) for method in columns]
        for method, other in itertools.combinations(columns, 2):
            difference = columns[method] - columns[other]
            found.append((difference.mean(), interval(difference), wilcoxon(difference, zero_method="pratt")))
    return found


def large_run(folder: Path, methods: int, count: int, photographs: Path | None) -> tuple[ReportInputs, float]:
    """A run on disk, and the seconds of the summary of its first methods by those of `plain_summary`."""
    pictures, random = list(crops(photographs, count, SIDE)), np.random.default_rng(1)
    truth = write_set(folder / "truth", pictures, 1.0)
    kinds = {"gray": "floor", "oracle": "ceiling"} | {f"method_{number:02d}": "trained" for number in range(methods)}
    stores = {name: write_set(folder / name, pictures, place / len(kinds)) for place, name in enumerate(kinds)}
    trained = [name for name, kind in kinds.items() if kind == "trained"]
    tables = {
        name: rows_of(name, count, ("raw", "harmonized") if name in trained else ("raw",), random) for name in kinds
    }
    summary, pairs = summarize(list(tables.values()), [], kinds, DRAWS, 0)
    for name, table in {**tables, "summary": summary, "pairs": pairs}.items():
        write_table(table, folder / f"{name}.parquet")
    inputs = ReportInputs(
        summary=folder / "summary.parquet",
        pairs=folder / "pairs.parquet",
        run=RunDescription(protocol="cic-256@1"),
        rows={(name, "large"): folder / f"{name}.parquet" for name in kinds},
        sets=(TestSet("large", truth, stores, {name: stores[name] for name in trained}),),
    )
    return inputs, summary_by_plain([tables[name] for name in trained[:FEW]], kinds)


def summary_by_plain(tables: Sequence[pa.Table], kinds: dict[str, str]) -> float:
    """The best of several turns of ours by the best of the plain loop's; more methods add as many pairs to both."""
    ours, plain = [], []
    for _ in range(TURNS):
        started = time.perf_counter()
        summarize(tables, [], kinds, DRAWS, 0)
        between = time.perf_counter()
        plain_summary(tables)
        ours.append(between - started)
        plain.append(time.perf_counter() - between)
    print(f"summary of {len(tables)} methods: {min(ours):.2f} s, pandas and scipy {min(plain):.2f} s")
    return min(ours) / min(plain)


def bare_pictures(inputs: ReportInputs, gallery: int, out: Path) -> float:
    """Seconds of what every picture of the gallery needs: read, decode, write, thumbnail."""
    test_set = inputs.sets[0]
    assert test_set.truth is not None
    out.mkdir()
    stores = [Store(path) for path in (test_set.truth, *test_set.predictions.values(), *test_set.harmonized.values())]
    names = list(stores[0].index.index[:gallery])

    def one(job: tuple[int, str]) -> None:
        data = stores[job[0]].read(job[1])
        encoded = io.BytesIO()
        Image.open(io.BytesIO(data)).convert("RGB").save(encoded, "JPEG", quality=THUMB_QUALITY, subsampling=0)
        (out / f"{job[0]}-{job[1]}.png").write_bytes(data)
        (out / f"{job[0]}-{job[1]}.jpg").write_bytes(encoded.getvalue())

    started = time.perf_counter()
    with ThreadPoolExecutor(worker_count()) as pool:
        list(pool.map(one, [(number, name) for name in names for number in range(len(stores))]))
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=int, default=500)
    parser.add_argument("--methods", type=int, default=20)
    add_folder(parser)
    arguments = parser.parse_args()
    keep_freed_memory()
    figures = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs, summary = large_run(folder, arguments.methods, arguments.photographs, arguments.folder)
        figures.append(figure("report_summary_by_pandas_and_scipy", summary, SUMMARY_TARGET))
        for gallery in dict.fromkeys((DEFAULT_GALLERY, arguments.photographs)):
            bare = bare_pictures(inputs, gallery, folder / f"bare{gallery}")
            started = time.perf_counter()
            build_report(replace(inputs, gallery=gallery), folder / f"report{gallery}")
            page = time.perf_counter() - started
            size = (folder / f"report{gallery}" / "index.html").stat().st_size
            print(f"gallery of {gallery}: page {page:.1f} s ({size / 1e6:.1f} MB), its pictures alone {bare:.1f} s")
            figures.append(figure(f"report_gallery_{gallery}_by_bare_pictures", page / bare, PAGE_TARGET))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
