"""What scoring costs: `score_set` against the loop that a paper's code runs, photograph by photograph.

    python benchmarks/evaluation.py [--folder DIR] [--photographs N]

By default on 600 squares out of the set `sample`. LPIPS and the Frechet distance take part where AlexNet's weights are
(HUEBENCH_WEIGHTS, see the README).

The loop (`_plain_scores.py`) takes MSE, PSNR, SSIM and CIEDE2000 from scikit-image, LPIPS and AlexNet's features for
the Frechet distance from the `lpips` package, and writes UIQI, CF and the class metrics in numpy, as one does. Both
read the same stores; every value of the loop has to come out equal to 1e-4 (PSNR in dB, percentages and CIEDE2000 in
their own units; the Frechet distance by its own size). `score_set` is timed on the whole set and two methods, with the
start of its processes; the loop on the first photographs, per pair of photograph and result.

The last line is a JSON list of figures: name, ratio, target, met.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from _figures import figure, peak_memory
from _photographs import add_folder, crops, decoded

from pipeline.color.space import ColorSpace
from pipeline.evaluation.scoring import ScoreSettings, find_weights, score_set
from pipeline.images.decode import encode_png
from pipeline.images.resizing import resize
from pipeline.machine.engine import worker_count
from pipeline.metrics.registry import image_metrics
from pipeline.settings.registries import PROTOCOLS
from pipeline.storage.store import Store, StoreWriter

SPEED_TARGET, MEMORY_TARGET, TOLERANCE = 5.0, 1.15, 1e-4
VARIANTS = ("raw", "harmonized")
METHODS = ("first", "second")
"""Scored one after the other, as `dvc repro` does: the second finds the network features of the truth."""
SPACE = ColorSpace(6)
SQUARES = 600


def build(folder: Path, photographs: Iterable[np.ndarray]) -> None:
    """Photographs at 256 x 256, and two results of each: half the colour, and another white balance."""
    with contextlib.ExitStack() as stack:
        truth, raw, harmonized = (stack.enter_context(StoreWriter(folder / name)) for name in ("truth", *VARIANTS))
        for number, square in enumerate(photographs):
            rgb = square.astype(np.float64)
            grey = rgb.mean(axis=-1, keepdims=True)
            for writer, pixels in ((truth, rgb), (raw, (rgb + grey) / 2), (harmonized, rgb * [1.1, 1.0, 0.8])):
                data = encode_png(pixels.clip(0, 255).round().astype(np.uint8), level=1)
                writer.add(f"{number:05d}", data, split="test", width=256, height=256, mode="RGB")


def squares(folder: Path | None, count: int | None) -> Iterable[np.ndarray]:
    """What is scored: a folder's whole photographs at 256 x 256, or squares out of the set `sample`."""
    if folder is None:
        return crops(None, count or SQUARES, 256)
    return (resize(rgb, (256, 256)) for _, rgb in islice(decoded(folder), count))


def score(
    folder: Path, photographs: int, method: str = "first", cache: Path | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run `score_set` over the first photographs of the set, in every variant: rows per photograph and of the set."""
    truth = Store(folder / "truth")
    first = truth.index.index[:photographs]
    truth.index = truth.index.loc[first]
    results = {variant: Store(folder / variant) for variant in VARIANTS}
    for store in results.values():
        store.index = store.index.loc[first]
    settings = ScoreSettings("benchmark", method, "full", cache=cache)
    rows, set_rows = score_set(truth, results, PROTOCOLS["cic-256@1"], SPACE, None, settings)
    return rows.to_pandas(), set_rows.to_pandas()


def peak_megabytes(folder: Path, photographs: int) -> float:
    """Peak memory of scoring in a process of its own, set up as the engine sets up a worker."""
    child = [sys.executable, __file__, "--peak", str(folder), str(photographs)]
    environment = os.environ | {"HUEBENCH_WORKERS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(child, check=True, capture_output=True, text=True, env=environment)
    return int(done.stdout.splitlines()[-1]) / 1024


def plain_loop(
    truth: Store, results: dict[str, Store], ids: list[str], network: Any
) -> tuple[pd.DataFrame, dict[tuple[str, str], float]]:
    """The rows and the set's scores, one pair after the other."""
    import _plain_scores as plain  # here, so that no worker process of score_set imports it

    rows, set_scores = {}, {}
    classes: dict[str, list[Any]] = {variant: [] for variant in results}
    features: dict[str, list[Any]] = {variant: [] for variant in results}
    for image_id in ids:
        photograph = truth.rgb(image_id)
        known = None if network is None else plain.plain_features(photograph, network)
        for variant, store in results.items():
            result = store.rgb(image_id)
            rows[image_id, variant], shown = plain.plain_pair(photograph, result, network)
            classes[variant].append(shown)
            if known is not None:
                features[variant].append((known, plain.plain_features(result, network)))
    for variant in results:
        set_scores[variant, "class_accuracy"] = plain.plain_class_accuracy(classes[variant])
        if features[variant]:
            set_scores[variant, "frechet_alexnet"] = plain.plain_frechet(*np.stack(features[variant], axis=1))
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis(["image_id", "variant"])
    return table, set_scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_folder(parser)
    parser.add_argument("--photographs", type=int, help="how many (default all of the folder, or 600 squares)")
    parser.add_argument("--loop", type=int, default=40, help="how many of them the plain loop scores (default 40)")
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        score(Path(arguments.peak[0]), int(arguments.peak[1]))
        print(peak_memory())
        return
    weights, missing = find_weights(download=False)
    print("LPIPS is measured on both sides" if "lpips" not in missing else f"without LPIPS: {missing['lpips']}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder, squares(arguments.folder, arguments.photographs))
        count = len(Store(folder / "truth"))
        figures = compare(folder, arguments.loop, weights["alexnet"].path if "alexnet" in weights else None)
        few, many = (peak_megabytes(folder, number) for number in (max(count // 4, 1), count))
    print(f"peak memory of one process: {few:.0f} MB for a quarter of the photographs, {many:.0f} MB for all")
    figures.append(figure("peak memory, all photographs by a quarter", many / few, MEMORY_TARGET))
    print(json.dumps(figures))


def differences(
    plain_rows: pd.DataFrame, plain_set: dict[tuple[str, str], float], rows: pd.DataFrame, set_rows: pd.DataFrame
) -> dict[str, float]:
    """The largest of each score; nan where one side has a value and the other has none."""
    rows = rows.set_index(["image_id", "variant"]).loc[plain_rows.index]
    filled = {name for name in image_metrics() if rows[name].notna().any()}
    assert filled == set(plain_rows.columns), f"only one side has {filled ^ set(plain_rows.columns)}"
    worst = (rows[plain_rows.columns] - plain_rows).abs().max(skipna=False).to_dict()
    values = set_rows.set_index(["variant", "metric"])["value"]
    for (variant, name), value in plain_set.items():
        scale = value if name == "frechet_alexnet" else 1.0
        worst[f"{name} of {variant}"] = abs(values[variant, name] - value) / scale
    return worst


def timed(run: Callable[[], object], threads: int) -> float:
    """Seconds, with so many threads for torch."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    started = time.perf_counter()
    run()
    seconds = time.perf_counter() - started
    torch.set_num_threads(before)
    return seconds


def compare(folder: Path, loop: int, alexnet: Path | None) -> list[dict[str, object]]:
    """Time both on the same stores, and compare their values."""
    from _plain_scores import lpips_package

    network = lpips_package(alexnet) if alexnet else None
    truth, results = Store(folder / "truth"), {variant: Store(folder / variant) for variant in VARIANTS}
    ids = list(truth.index.index[:loop])
    plain_rows, plain_set = plain_loop(truth, results, ids, network)

    def loop_again() -> None:
        plain_loop(truth, results, ids, network)

    # with as many threads as serve the loop best: all, or one if they are busy
    before, threads = min((timed(loop_again, number), number) for number in (torch.get_num_threads(), 1))
    started = time.perf_counter()
    pairs = sum(len(score(folder, len(truth), method, folder / "cache")[0]) for method in METHODS)
    seconds = time.perf_counter() - started
    plain_seconds = (before + timed(loop_again, threads)) / 2 / len(plain_rows)  # the machine drifts
    print(f"plain loop: {1e3 * plain_seconds:.1f} ms a pair ({len(plain_rows)} pairs)")
    took = f"{pairs} pairs, {worker_count()} workers, {seconds:.1f} s in all"
    print(f"score_set: {1e3 * seconds / pairs:.1f} ms a pair ({took})")
    worst = differences(plain_rows, plain_set, *score(folder, loop))
    print("largest difference: " + ", ".join(f"{name} {value:.1e}" for name, value in worst.items()))
    return [
        figure("plain loop by score_set, seconds a pair", plain_seconds * pairs / seconds, SPEED_TARGET, at_least=True),
        figure("largest difference of any metric by 1e-4", float(np.max(list(worst.values()))) / TOLERANCE, 1.0),
    ]


if __name__ == "__main__":
    main()
