"""Photographs in: the store against loose files, and building a store against a bare copy with hashing.

    python benchmarks/inputs.py [--photographs N] [--folder DIR]

The photographs are squares of 256 px out of the set `sample`, or out of a folder's photographs, as JPEG: the size and
format of Places365; the archive is measured with squares of 512 px too, whose bytes are about those of a photograph of
COCO or ImageNet. Every ratio compares two loops of one run that take turns, so that a busy machine slows both; the last
line is a JSON list of {"name", "ratio", "target", "met"}, ratio being ours by the bare loop in images/s. `download`
decodes every photograph, which takes longer than copying and hashing it: so its own part (archive -> store) is held
against a bare copy with hashing, and the whole against one that decodes as well.
"""

import argparse
import hashlib
import io
import json
import os
import random
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _figures import figure
from _photographs import add_folder, jpeg_files
from PIL import Image

from pipeline.machine.engine import worker_count
from pipeline.sets.archives import Archive
from pipeline.sets.building import build_set
from pipeline.sets.folder import FolderSet
from pipeline.sets.members import archive_members
from pipeline.sets.places365 import Places365
from pipeline.storage.store import Store, StoreWriter

ROUNDS = 7
SIDE, CROP = 256, 512


def published_archive(folder: Path, paths: list[Path]) -> Path:
    """The photographs as Places365 publishes its validation part, in place of the real archive."""
    archive = folder / "val_256.tar"
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as tar:  # PAX gives each member a second header
        for number, path in enumerate(paths, start=1):
            tar.add(path, f"val_256/Places365_val_{number:08d}.jpg")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    Places365.ARCHIVES["val"] = Archive(archive.name, archive.stat().st_size, f"sha256:{digest}", "", Places365.PAGE)
    return archive


def ratio(ours: Callable[[], object], bare: Callable[[], object]) -> tuple[float, float, float]:
    """Median of bare seconds by our seconds over turns, and the fastest of each."""
    ours(), bare()  # caches warm for both
    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    for turn in range(ROUNDS):
        for name, loop in (("ours", ours), ("bare", bare))[:: 1 if turn % 2 else -1]:
            begun = time.perf_counter()
            loop()
            seconds[name].append(time.perf_counter() - begun)
    ratios = [bare_time / our_time for our_time, bare_time in zip(seconds["ours"], seconds["bare"], strict=True)]
    return statistics.median(ratios), min(seconds["ours"]), min(seconds["bare"])


def bare_decode(data: bytes) -> np.ndarray:
    """What anyone would write."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def write_store(archive: Path, out: Path) -> None:
    """The members of an archive into a store."""
    with StoreWriter(out) as writer:
        for member in archive_members(archive):
            writer.add(member.name.replace("/", "-"), member.read(), ".jpg", split="train")


def copy_and_hash(archive: Path, out: Path, decode: bool = False) -> None:
    """What anyone would write."""
    with tarfile.open(archive) as tar, out.open("wb") as copy:
        for info in tar:
            file = tar.extractfile(info)
            assert file is not None
            data = file.read()
            hashlib.sha256(data).hexdigest()
            if decode:
                bare_decode(data)
            copy.write(data)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=int, default=600)
    add_folder(parser)
    arguments = parser.parse_args()
    count = arguments.photographs
    every_worker = str(worker_count())
    results = []

    def report(
        name: str, target: float, ours: Callable[[], object], bare: Callable[[], object], workers: str = "1"
    ) -> None:
        os.environ["HUEBENCH_WORKERS"] = workers
        value, our_time, bare_time = ratio(ours, bare)
        print(f"{name}: {count / our_time:,.0f} images/s, bare loop {count / bare_time:,.0f}, ratio {value:.3f}")
        results.append(figure(name, value, target, at_least=True))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = jpeg_files(arguments.folder, folder / "loose", count)
        settings = FolderSet(source="folder", path=str(folder / "loose"), near_duplicate_bits=-1)
        build_set("benchmark", settings, folder / "store", folder)
        store = Store(folder / "store")
        in_order = list(store.index["image_id"])
        shuffled = random.Random(0).sample(in_order, len(in_order))
        by_name = {path.stem: path for path in paths}
        for label, order in (("random access", shuffled), ("in sequence", in_order)):
            report(
                f"store read + decode, {label}",
                1.0,
                lambda order=order: [store.rgb(image_id) for image_id in order],
                lambda order=order: [bare_decode(by_name[image_id].read_bytes()) for image_id in order],
            )

        part = Places365(source="places365", part="val", split="train")
        for side, files in ((SIDE, paths), (CROP, jpeg_files(arguments.folder, folder / "large", count, CROP, 95))):
            archive = published_archive(folder, files)
            size = f"{side} px, {archive.stat().st_size / count / 1e3:.0f} kB"
            report(
                f"archive -> store ({size}), against copying and hashing its members",
                0.9,
                lambda archive=archive: write_store(archive, folder / "written"),
                lambda archive=archive: copy_and_hash(archive, folder / "copy"),
            )
            for workers in dict.fromkeys(("1", every_worker)):
                report(
                    f"download -> store ({size}, {workers} workers), every photograph examined, against copying, "
                    "hashing and decoding in a loop",
                    0.9,
                    lambda: build_set("benchmark", part, folder / "built", folder),
                    lambda archive=archive: copy_and_hash(archive, folder / "copy", decode=True),
                    workers,
                )
    print(json.dumps(results))


if __name__ == "__main__":
    main()
