"""Color statistics: how fast, against what a user would write, and against what decoding alone costs.

    python benchmarks/color.py [--folder DIR]

By default on 920 squares of 256 px out of the set `sample`, as JPEG; with --folder on that folder's photographs.

Every ratio is measured in this one run, in turns, the best of several rounds. The last line is a JSON list of
{"name", "ratio", "target", "met"}. Speedups have to reach their target; ratios to bare decoding and of memory must not
pass theirs.
"""
# ruff: noqa: E402 - the libraries read the number of threads when they are loaded

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np
from _figures import figure, peak_memory
from _photographs import add_folder, files_of, jpeg_files
from PIL import Image
from skimage.color import rgb2lab

from pipeline.color.pruning import prune
from pipeline.color.space import ColorSpace
from pipeline.color.study import PAPER_BIN_SIZES
from pipeline.images.decode import decode
from pipeline.machine.engine import map_shards, worker_count
from pipeline.settings.params import Settings, validate_settings
from pipeline.stages import paths
from pipeline.stages.histogram import count_histogram
from pipeline.stages.versions import stage_version
from pipeline.storage.color_tables import read_cells
from pipeline.storage.portions import Portion, View, photograph_bytes, portions
from pipeline.storage.store import Store, StoreWriter

SIZE = 56
VERSION = stage_version("histogram")
ROUNDS = 3
ENCODED = 64
"""Photographs whose pixels are encoded: enough to leave the cache."""
COPIES = (1, 4, 16)
SQUARES = 920


def settings(reference: str) -> Settings:
    """The smallest parameters that name a reference set."""
    network = {"encoder": "efficientnet_lite0", "pretrained": False}
    method = {"model": {"head": {"regresses": "ab"}, "network": network, "losses": {"l2": {}}}}
    return validate_settings(
        {
            "run": {
                "seed": 0,
                "reference": reference,
                "train": reference,
                "test": [reference],
                "methods": ["l2"],
                "report_space": "paper",
                "protocol": "cic-256@1",
            },
            "sets": {reference: {"source": "folder", "path": "."}},
            "spaces": {"paper": {"bin_size": 6}},
            "methods": {"l2": method},
            "train": {"steps": 1},
            "masks": {"segmenter": {"kind": "felzenszwalb"}},
        }
    )


def skimage_classes(rgb: np.ndarray) -> np.ndarray:
    """What a user would write: class ids of bin size 6."""
    ab = np.floor((np.clip(rgb2lab(rgb)[..., 1:], -108, np.nextafter(108, 0)) + 108) / 6).astype(np.int32)
    return ab[..., 0] * 36 + ab[..., 1]


def plain_loop(files: list[Path], bin_size: int = 1) -> np.ndarray:
    """What a user would write: the histogram of photographs at 56 x 56 for one bin size."""
    edges = np.arange(-108, 108 + bin_size, bin_size)
    total = np.zeros((len(edges) - 1, len(edges) - 1))
    for path in files:
        rgb = np.asarray(Image.open(path).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC))
        lab = rgb2lab(rgb)
        total += np.histogram2d(lab[..., 1].ravel(), lab[..., 2].ravel(), bins=(edges, edges))[0]
    return total


def bare_decode(task: Portion, view: View) -> int:
    """The physical limit: read, decode and resize, and do nothing with the result."""
    for data in photograph_bytes(task):
        Image.open(io.BytesIO(data)).convert("RGB").resize((view.size, view.size), Image.Resampling.BICUBIC)
    return len(task.shards)


def best(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Least wall seconds of each, measured in turns so that a busy moment of the machine hits all of them."""
    seconds = [float("inf")] * len(works)
    for _ in range(rounds):
        for index, work in enumerate(works):
            started = time.perf_counter()
            work()
            seconds[index] = min(seconds[index], time.perf_counter() - started)
    return seconds


def build_store(name: str, files: list[Path], copies: int) -> None:
    """The photographs as a set, each of them so many times under another name."""
    with StoreWriter(paths.image_set(name)) as writer:
        for copy in range(copies):
            for path in files:
                writer.add(f"{path.stem}-{copy}", path.read_bytes(), path.suffix, split="train")


def encoding(files: list[Path]) -> dict[str, object]:
    """(a) Mpx/s of class encoding on one thread."""
    photographs = [decode(path.read_bytes()).rgb for path in files[:ENCODED]]
    pixels = sum(photograph.shape[0] * photograph.shape[1] for photograph in photographs)
    space = ColorSpace(6)
    assert all(np.array_equal(space.encode(one), skimage_classes(one)) for one in photographs[:8])
    ours, theirs = best(
        lambda: [space.encode(photograph) for photograph in photographs],
        lambda: [skimage_classes(photograph) for photograph in photographs],
    )
    print(f"class encoding: {pixels / ours / 1e6:.1f} Mpx/s, scikit-image and floor {pixels / theirs / 1e6:.1f} Mpx/s")
    return figure("class encoding by skimage.color.rgb2lab and floor, one thread", theirs / ours, 7, at_least=True)


def against_plain_loop(files: list[Path], name: str) -> list[dict[str, object]]:
    """(b) The whole stage against the plain loop, one core each; once, and for the six bin sizes of Table II.

    Both decode every photograph, so that no stage can be faster than the plain loop by more than the plain loop is
    slower than decoding. What one pass at 1-unit resolution saves is the passes for the other bin sizes.
    """
    os.environ["HUEBENCH_WORKERS"] = "1"
    chosen, store = settings(name), Store(paths.image_set(name))
    tasks, view = portions(store.path, store.rows("train")), View(SIZE, "bicubic", 8)

    def six_bin_sizes() -> None:
        count_histogram(chosen, VERSION)
        for bin_size in PAPER_BIN_SIZES:
            prune(read_cells(paths.HISTOGRAM), bin_size, 108, 4.5502e-6)

    ours, theirs, bare = best(
        lambda: count_histogram(chosen, VERSION),
        lambda: plain_loop(files),
        lambda: [bare_decode(task, view) for task in tasks],
    )
    print(f"histogram, one core: stage {ours:.2f} s, plain loop {theirs:.2f} s for {len(files)} photographs")
    print(f"  bare decode and resize {bare:.2f} s: no stage can be more than {theirs / bare:.2f} times the plain loop")
    ours_six, theirs_six = best(six_bin_sizes, lambda: [plain_loop(files, size) for size in PAPER_BIN_SIZES], rounds=1)
    print(f"six bin sizes, one core: stage and pruning {ours_six:.2f} s, plain loops {theirs_six:.2f} s")
    return [
        figure("histogram stage by the plain loop, one core", theirs / ours, 4, at_least=True),
        figure("six bin sizes by the plain loop for each, one core", theirs_six / ours_six, 4, at_least=True),
    ]


def against_decoding(workers: int, name: str) -> dict[str, object]:
    """(b) The whole stage against decoding and resizing alone, with the same workers."""
    os.environ["HUEBENCH_WORKERS"] = str(workers)
    chosen, store = settings(name), Store(paths.image_set(name))
    tasks, view = portions(store.path, store.rows("train")), View(SIZE, "bicubic", 8)
    ours, theirs = best(
        lambda: count_histogram(chosen, VERSION),
        lambda: list(map_shards(bare_decode, tasks, view, "decode")),
        rounds=2 * ROUNDS,
    )
    print(f"{workers} workers: stage {ours:.2f} s, bare decode and resize {theirs:.2f} s for {len(store)} photographs")
    return figure(f"histogram stage by bare decode and resize, {workers} worker(s)", ours / theirs, 1.2, at_least=False)


def memory(names: list[str]) -> dict[str, object]:
    """(c) Peak memory of the stage in a process of its own, at each number of photographs."""
    peaks = []
    for name in names:
        child = [sys.executable, __file__, "--peak", name]
        result = subprocess.run(
            child, check=True, capture_output=True, text=True, env=os.environ | {"HUEBENCH_WORKERS": "1"}
        )
        peaks.append(int(result.stdout.splitlines()[-1]) / 1024)
    print(
        "peak memory: " + ", ".join(f"{peak:.0f} MB at {copies}x" for peak, copies in zip(peaks, COPIES, strict=True))
    )
    return figure(f"peak memory at {COPIES[-1]}x by 1x the photographs", max(peaks) / peaks[0], 1.1, at_least=False)


def main() -> None:
    """Measure everything and print the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_folder(parser)
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        print(count_histogram(settings(arguments.peak), VERSION))
        print(peak_memory())
        return
    workers = worker_count()
    given = files_of(arguments.folder) if arguments.folder else None
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        files = given or jpeg_files(None, Path("loose").absolute(), SQUARES)
        for copies in COPIES:
            build_store(f"photographs_{copies}", files, copies)
        names = [f"photographs_{copies}" for copies in COPIES]
        figures = [encoding(files), *against_plain_loop(files, names[0])]
        figures += [against_decoding(number, names[1]) for number in sorted({1, workers})]
        figures.append(memory(names))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
