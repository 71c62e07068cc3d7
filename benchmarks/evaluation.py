"""What scoring costs: `score_set` against the loop that a paper's code runs, photograph by photograph.

    HUEBENCH_WEIGHTS=../shared/weights python benchmarks/evaluation.py

The loop takes MSE, PSNR, SSIM and CIEDE2000 from scikit-image, LPIPS from the `lpips` package, and writes UIQI, CF and
the class metrics in numpy, as one does. Both read the same stores; every value of the loop has to come out equal to
1e-4 (PSNR in dB, percentages and CIEDE2000 in their own units). `score_set` is timed on the whole set and two methods,
with the start of its processes; the loop on the first photographs, per pair of photograph and result.

The last line is a JSON list of figures: name, ratio, target, met.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _figures import figure
from scipy.ndimage import uniform_filter
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import mean_squared_error, structural_similarity

from pipeline.color.space import ColorSpace
from pipeline.engine import worker_count
from pipeline.images import decode, encode_png, resize
from pipeline.metrics.protocols import PROTOCOLS
from pipeline.metrics.scoring import ScoreSettings, find_weights, score_set
from pipeline.store import Store, StoreWriter

SPEED_TARGET, MEMORY_TARGET, TOLERANCE = 5.0, 1.15, 1e-4
VARIANTS = ("raw", "harmonized")
METHODS = ("first", "second")
"""Scored one after the other, as `dvc repro` does: the second finds the network features of the truth."""
SPACE = ColorSpace(6)


def build(folder: Path, files: list[Path]) -> None:
    """Photographs at 256 x 256, and two results of each: half the colour, and another white balance."""
    with contextlib.ExitStack() as stack:
        truth, raw, harmonized = (stack.enter_context(StoreWriter(folder / name)) for name in ("truth", *VARIANTS))
        for path in files:
            rgb = resize(decode(path.read_bytes(), path.name).rgb, (256, 256)).astype(np.float64)
            grey = rgb.mean(axis=-1, keepdims=True)
            for writer, pixels in ((truth, rgb), (raw, (rgb + grey) / 2), (harmonized, rgb * [1.1, 1.0, 0.8])):
                data = encode_png(pixels.clip(0, 255).round().astype(np.uint8), level=1)
                writer.add(path.stem, data, split="test", width=256, height=256, mode="RGB")


def lpips_package(weights: Path) -> Any:
    """The `lpips` package's own network, its AlexNet loaded from our file."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lpips

        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    stored = torch.load(weights, map_location="cpu", weights_only=True)
    for name, parameter in network.net.named_parameters():
        parameter.data.copy_(stored[f"features.{name.split('.', 1)[1]}"])
    return network


def plain_pair(truth: np.ndarray, result: np.ndarray, lpips_network: Any) -> dict[str, float]:
    """Every metric of one pair, each by itself, as a loop over files does it."""
    error = mean_squared_error(truth / 255, result / 255)
    lab1, lab2 = rgb2lab(truth), rgb2lab(result)
    difference = deltaE_ciede2000(lab1, lab2)
    class1, class2 = (np.floor((np.clip(lab[..., 1:], -108, 107.999) + 108) / 6) @ [36, 1] for lab in (lab1, lab2))
    shown1, shown2 = len(np.unique(class1)), len(np.unique(class2))
    values = {
        "mse": error,
        "psnr": 10 * np.log10(1 / error),
        "ssim": structural_similarity(
            truth, result, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1
        ),
        "uiqi": np.mean([plain_uiqi(truth[..., c] * 1.0, result[..., c] * 1.0) for c in range(3)]),
        "ciede2000": difference.mean(),
        "ciede2000_p95": np.percentile(difference, 95),
        "cf": plain_colorfulness(result * 1.0),
        "cnr": shown2 / shown1,
        "active": shown2,
        "tar": 100 * np.mean(class1 == class2),
    }
    if lpips_network is not None:
        first, second = (torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1 for x in (truth, result))
        with torch.no_grad():
            values["lpips"] = lpips_network(first, second).item()
    return {name: float(value) for name, value in values.items()}


def plain_uiqi(x: np.ndarray, y: np.ndarray) -> float:
    """Wang & Bovik's index with an 8 x 8 window."""
    mean_x, mean_y, xx, yy, xy = (uniform_filter(z, 8)[4:-3, 4:-3] for z in (x, y, x * x, y * y, x * y))
    variance, covariance = xx + yy - mean_x**2 - mean_y**2, xy - mean_x * mean_y
    flat = variance < 1e-9
    structure = np.where(flat, 1, 2 * covariance / np.where(flat, 1, variance))
    squares = mean_x**2 + mean_y**2
    return float(
        (structure * np.where(squares == 0, 1, 2 * mean_x * mean_y / np.where(squares == 0, 1, squares))).mean()
    )


def plain_colorfulness(rgb: np.ndarray) -> float:
    """Hasler & Suesstrunk's colorfulness."""
    rg, yb = rgb[..., 0] - rgb[..., 1], (rgb[..., 0] + rgb[..., 1]) / 2 - rgb[..., 2]
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def score(folder: Path, photographs: int, method: str = "first", cache: Path | None = None) -> Any:
    """Run `score_set` over the first photographs of the set, in every variant."""
    truth = Store(folder / "truth")
    first = truth.index.index[:photographs]
    truth.index = truth.index.loc[first]
    results = {variant: Store(folder / variant) for variant in VARIANTS}
    for store in results.values():
        store.index = store.index.loc[first]
    settings = ScoreSettings("benchmark", method, "full", cache=cache)
    return score_set(truth, results, PROTOCOLS["cic-256@1"], SPACE, None, settings)[0].to_pandas()


def peak_megabytes(folder: Path, photographs: int) -> float:
    """Peak memory of scoring in a process of its own, set up as the engine sets up a worker."""
    child = [sys.executable, __file__, "--peak", str(folder), str(photographs)]
    environment = os.environ | {"HUEBENCH_WORKERS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(child, check=True, capture_output=True, text=True, env=environment)
    return int(done.stdout.splitlines()[-1]) / 1024


def plain_loop(
    truth: Store, results: dict[str, Store], ids: list[str], network: Any
) -> tuple[dict[tuple[str, str], dict[str, float]], float]:
    """Values, and seconds a pair with as many threads for torch as serve the loop best: all, or one if it is busy."""
    best, threads = float("inf"), torch.get_num_threads()
    for torch_threads in (threads, 1):
        torch.set_num_threads(torch_threads)
        started = time.perf_counter()
        values = {
            (image_id, variant): plain_pair(truth.rgb(image_id), store.rgb(image_id), network)
            for variant, store in results.items()
            for image_id in ids
        }
        best = min(best, (time.perf_counter() - started) / len(values))
    torch.set_num_threads(threads)
    return values, best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(__file__).resolve().parents[2] / "shared" / "data" / "imagenet-samples"
    parser.add_argument("--folder", type=Path, default=shared, help=f"photographs, JPEG (default {shared})")
    parser.add_argument("--photographs", type=int, default=480, help="how many of them (default 480)")
    parser.add_argument("--loop", type=int, default=40, help="how many of them the plain loop scores (default 40)")
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        score(Path(arguments.peak[0]), int(arguments.peak[1]))
        # not ru_maxrss: the kernel carries the parent's peak over into a child that it starts
        status = Path("/proc/self/status").read_text(encoding="ascii")
        print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
        return
    files = sorted(arguments.folder.glob("*.jpg"))[: arguments.photographs]
    if not files:
        parser.error(f"--folder {arguments.folder} holds no .jpg; it takes a folder of photographs")
    weights, missing = find_weights(download=False)
    print("LPIPS is measured on both sides" if "lpips" not in missing else f"without LPIPS: {missing['lpips']}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder, files)
        figures = compare(folder, arguments.loop, len(files), weights["alexnet"].path if "alexnet" in weights else None)
        few, many = (peak_megabytes(folder, count) for count in (max(len(files) // 4, 1), len(files)))
    print(f"peak memory of one process: {few:.0f} MB for a quarter of the photographs, {many:.0f} MB for all")
    figures.append(figure("peak memory, all photographs by a quarter", many / few, MEMORY_TARGET))
    print(json.dumps(figures))


def compare(folder: Path, loop: int, photographs: int, alexnet: Path | None) -> list[dict[str, object]]:
    """Time both on the same stores, and compare their values."""
    network = lpips_package(alexnet) if alexnet else None
    truth, results = Store(folder / "truth"), {variant: Store(folder / variant) for variant in VARIANTS}
    ids = list(truth.index.index[:loop])
    plain_pair(truth.rgb(ids[0]), results["raw"].rgb(ids[0]), network)
    plain, plain_pair_seconds = plain_loop(truth, results, ids, network)
    started = time.perf_counter()
    tables = [score(folder, photographs, method, folder / "cache") for method in METHODS]
    seconds = time.perf_counter() - started
    pair_seconds = seconds / sum(len(table) for table in tables)
    rows = tables[-1].set_index(["image_id", "variant"])
    print(f"plain loop: {1e3 * plain_pair_seconds:.1f} ms a pair ({len(plain)} pairs)")
    took = f"{len(METHODS) * len(rows)} pairs, {worker_count()} workers, {seconds:.1f} s in all"
    print(f"score_set: {1e3 * pair_seconds:.1f} ms a pair ({took})")
    names = plain[ids[0], "raw"]
    worst = {name: max(abs(rows.at[key, name] - values[name]) for key, values in plain.items()) for name in names}
    print("largest difference: " + ", ".join(f"{name} {value:.1e}" for name, value in worst.items()))
    ratio, largest = plain_pair_seconds / pair_seconds, max(worst.values())
    return [
        figure("plain loop by score_set, seconds a pair", ratio, SPEED_TARGET, at_least=True),
        figure("largest difference of any metric by 1e-4", largest / TOLERANCE, 1.0),
    ]


if __name__ == "__main__":
    main()
