"""Building the page of a large run: 20 methods on 500 photographs, with the default gallery and with all in it.

    python benchmarks/report.py [--photographs 500] [--methods 20] [--folder DIR]

The last line is a JSON list of {"name", "ratio", "target", "met"}: seconds by the minute that building may take,
and by what the pictures of the gallery take alone: reading, decoding, writing and thumbnailing, in as many threads.
"""

import argparse
import io
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from _figures import figure
from _photographs import add_folder, crops
from PIL import Image

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

SIDE, MINUTE = 256, 60.0
DEFAULT_GALLERY = 60


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


def large_run(folder: Path, methods: int, count: int, photographs: Path | None) -> tuple[ReportInputs, float]:
    """A run on disk, and the seconds that its summary took: that is part of building its report."""
    pictures, random = list(crops(photographs, count, SIDE)), np.random.default_rng(1)
    truth = write_set(folder / "truth", pictures, 1.0)
    kinds = {"gray": "floor", "oracle": "ceiling"} | {f"method_{number:02d}": "trained" for number in range(methods)}
    stores = {name: write_set(folder / name, pictures, place / len(kinds)) for place, name in enumerate(kinds)}
    trained = [name for name, kind in kinds.items() if kind == "trained"]
    tables = {
        name: rows_of(name, count, ("raw", "harmonized") if name in trained else ("raw",), random) for name in kinds
    }
    started = time.perf_counter()
    summary, pairs = summarize(list(tables.values()), [], kinds, 2000, 0)
    seconds = time.perf_counter() - started
    for name, table in {**tables, "summary": summary, "pairs": pairs}.items():
        write_table(table, folder / f"{name}.parquet")
    inputs = ReportInputs(
        summary=folder / "summary.parquet",
        pairs=folder / "pairs.parquet",
        run=RunDescription(protocol="cic-256@1"),
        rows={(name, "large"): folder / f"{name}.parquet" for name in kinds},
        sets=(TestSet("large", truth, stores, {name: stores[name] for name in trained}),),
    )
    return inputs, seconds


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
        print(f"summary and pairs of {arguments.methods} methods: {summary:.1f} s")
        for gallery in dict.fromkeys((DEFAULT_GALLERY, arguments.photographs)):
            bare = bare_pictures(inputs, gallery, folder / f"bare{gallery}")
            started = time.perf_counter()
            build_report(replace(inputs, gallery=gallery), folder / f"report{gallery}")
            page = time.perf_counter() - started
            size = (folder / f"report{gallery}" / "index.html").stat().st_size
            print(f"gallery of {gallery}: page {page:.1f} s ({size / 1e6:.1f} MB), its pictures alone {bare:.1f} s")
            figures.append(figure(f"report_gallery_{gallery}_by_a_minute", (summary + page) / MINUTE, 1.0))
        figures.append(figure("report_whole_gallery_by_bare_pictures", page / bare, 1.5))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
