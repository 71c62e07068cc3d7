"""The photographs that the benchmarks run on: those of a folder, or of the set `sample`, which comes inside wheels."""

import argparse
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.images.decode import decode
from pipeline.images.resizing import resize
from pipeline.sets.sample import SampleSet

SUFFIXES = (".jpg", ".jpeg", ".png")
LARGEST = 512
"""Side of a crop before it is brought to size, px: photographs are large, and a smaller part of one shows little."""


def add_folder(parser: argparse.ArgumentParser) -> None:
    """The option that every benchmark on photographs has."""
    parser.add_argument("--folder", type=Path, help="photographs of yours, JPEG or PNG (default: the set `sample`)")


def files_of(folder: Path) -> list[Path]:
    """The photographs below a folder, sorted; a folder without one ends the benchmark with a line."""
    files = sorted(path.resolve() for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise SystemExit(f"--folder {folder} holds no {', '.join(SUFFIXES)}; it takes a folder of photographs")
    return files


def decoded(folder: Path | None, split: str | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """Name and pixels, uint8 (H, W, 3), of every photograph of a folder, or of the set `sample` and one split of it."""
    if folder is not None:
        for path in files_of(folder):
            yield path.stem, decode(path.read_bytes(), path.name).rgb
        return
    for photograph in SampleSet(source="sample").photographs(Path()):
        if split in (None, photograph.split):
            yield photograph.image_id, decode(photograph.read()).rgb


def crops(folder: Path | None, count: int, side: int) -> Iterator[np.ndarray]:
    """So many squares out of the photographs, each another one, uint8 (side, side, 3)."""
    random = np.random.default_rng(0)
    for rgb in islice(cycle([pixels for _, pixels in decoded(folder)]), count):
        extent = min(LARGEST, *rgb.shape[:2])
        top, left = (int(random.integers(0, whole - extent + 1)) for whole in rgb.shape[:2])
        yield resize(rgb[top : top + extent, left : left + extent], (side, side))


def jpeg_files(folder: Path | None, out: Path, count: int, side: int = 256, quality: int = 90) -> list[Path]:
    """Crops as loose files below `out`: the size and format of Places365, whatever photographs there are."""
    out.mkdir()
    paths = []
    for number, rgb in enumerate(crops(folder, count, side)):
        paths.append(out / f"{number:06d}.jpg")
        Image.fromarray(rgb).save(paths[-1], quality=quality)
    return paths
