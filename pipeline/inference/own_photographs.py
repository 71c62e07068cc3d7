"""The user's own black-and-white photographs in color: any size, their own lightness kept, bad files left behind.

A photograph is held once as 8-bit sRGB and once as L; everything at its full size is computed a band of rows at a time.
Sepia and tints disappear on the way, since only L is taken from the photograph.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.color.joining import Colors, ColorsOf, Pixels, join, spread_colors
from pipeline.color.upsampling import Grid
from pipeline.errors import UserError
from pipeline.images.decode import SUFFIXES, Decoded, ImageRefused, decode
from pipeline.images.encode import RESULT_SUFFIXES, SIXTEEN_BITS, encode_result, photograph_files
from pipeline.inference.predictor import Predictor, photograph_light
from pipeline.inference.tiles import tiled_grid
from pipeline.machine.files import write_bytes
from pipeline.machine.progress import progress


class LeftBehind(Exception):
    """A photograph that cannot be colorized for a reason outside of its pixels.

    Args:
        reason: in a word, as `Failure.reason`.
        detail: in a few words more.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


Harmonizer = Callable[[npt.NDArray[np.uint8], npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]
"""Colorized photograph and original, uint8 (H, W, 3), to the harmonized one; may raise `LeftBehind`."""


@dataclass(frozen=True)
class Options:
    """How photographs are colorized.

    Attributes:
        upsample: "guided" (colors follow the edges of L) or "bilinear".
        saturation: factor on a and b; 1 leaves them as predicted, 0 is grey.
        tile: cover an elongated photograph with overlapping squares instead of squeezing it into one.
        compare: write the grey photograph and the result side by side into a second file.
        force: replace files that are there.
        harmonize: keeps colors inside objects; None for not.
    """

    upsample: str = "guided"
    saturation: float = 1.0
    tile: bool = False
    compare: bool = False
    force: bool = False
    harmonize: Harmonizer | None = None


File = tuple[int, int]
"""Device and number of a file: equal for every name of it."""


class Failure(NamedTuple):
    """A photograph that was left behind, and why (a key of `REASONS`, exists, taken, is_original, not_read,
    not_written)."""

    path: Path
    reason: str
    detail: str


class Outcome(NamedTuple):
    """What became of the photographs.

    Attributes:
        written: the results, in the order of the photographs.
        failures: those left behind.
    """

    written: list[Path]
    failures: list[Failure]

    def __str__(self) -> str:
        counts: dict[str, int] = {}
        for failure in self.failures:
            counts[failure.reason] = counts.get(failure.reason, 0) + 1
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
        left = f", {len(self.failures)} left behind ({reasons})" if counts else ""
        return f"{len(self.written)} photograph{'' if len(self.written) == 1 else 's'} colorized{left}"


class _Job(NamedTuple):
    """A photograph and its place in the output folder, without suffix."""

    source: Path
    target: Path


def colorize_photographs(sources: Sequence[Path], out: Path, predictor: Predictor, options: Options) -> Outcome:
    """Colorize photographs and folders of them.

    Args:
        sources: files, and folders that are searched recursively; below `out` the tree of a folder is kept.
        out: the folder for results; a result has the name of its original and a suffix of the same format.
        predictor: gives the colors of squares.
        options: how.

    Returns:
        What was written and what was left behind; one bad file does not stop the rest.

    Raises:
        UserError: if a source is not there, there is no photograph at all, or `saturation` is negative or no number.
    """
    if not 0 <= options.saturation < math.inf:
        raise UserError(f"--saturation is {options.saturation:g}, it takes a number of at least 0")
    jobs = list(_jobs(sources, out))
    if not jobs:
        raise UserError(f"no photograph in {', '.join(map(str, sources))}; {', '.join(SUFFIXES)} are read")
    written: list[Path] = []
    failures: list[Failure] = []
    taken: set[Path] = set()
    originals = {_file_of(job.source) for job in jobs}
    for job in progress(jobs, "colorize"):
        try:
            written.append(_colorize_file(job, predictor, options, taken, originals))
        except LeftBehind as fault:
            failures.append(Failure(job.source, fault.reason, fault.detail))
        except ImageRefused as refusal:
            failures.append(Failure(job.source, refusal.reason, refusal.detail))
    return Outcome(written, failures)


def _jobs(sources: Sequence[Path], out: Path) -> Iterator[_Job]:
    for source in sources:
        if source.is_dir():
            results = out.resolve() if out.resolve() != source.resolve() else None
            for path in photograph_files(source):
                if results is None or not path.resolve().is_relative_to(results):  # of an earlier call
                    yield _Job(path, out / path.relative_to(source).with_suffix(""))
        elif source.exists():
            yield _Job(source, out / source.stem)
        else:
            raise UserError(f"{source} is not there")


def _file_of(path: Path) -> File:
    """What a path leads to, whatever links or spelling it takes."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _colorize_file(job: _Job, predictor: Predictor, options: Options, taken: set[Path], originals: set[File]) -> Path:
    try:
        data = job.source.read_bytes()
    except OSError as error:
        raise LeftBehind("not_read", error.strerror or str(error)) from error
    decoded = decode(data, alpha="keep")
    del data
    suffix = RESULT_SUFFIXES[decoded.record["format"]]
    target = job.target.with_name(job.target.name + suffix)
    beside = job.target.with_name(job.target.name + "-compare" + suffix)
    for path in (target, *([beside] if options.compare else [])):
        if path in taken:
            raise LeftBehind("taken", f"another photograph of this call is written to {path}")
        if path.exists() and _file_of(path) in originals:
            raise LeftBehind("is_original", f"the result would replace the photograph {path}; choose another folder")
        if path.exists() and not options.force:
            raise LeftBehind("exists", f"{path} is there; --force replaces it")
        taken.add(path)
    light = photograph_light(decoded)
    wide = decoded.gray16 is not None and suffix in SIXTEEN_BITS
    grid = tiled_grid(light, predictor) if options.tile else predictor.predict_one(light)
    result = _colored(decoded, light, spread_colors(light, grid, options.upsample), options, wide)
    try:
        alpha = None if wide else decoded.alpha
        write_bytes(target, encode_result(result, suffix, decoded.exif, alpha, decoded.dpi))
        if options.compare:
            grey = join(light, None, wide=wide)
            write_bytes(beside, encode_result(np.concatenate([grey, result], axis=1), suffix))
    except OSError as error:
        raise LeftBehind("not_written", error.strerror or str(error)) from error
    return target


def _colored(decoded: Decoded, light: Grid, colors: Colors, options: Options, wide: bool) -> Pixels:
    """The photograph in its colors, kept inside objects where that is asked for.

    Harmonized colors have the photograph's exact grey level in 8 bits, so those pixels are the result as they are; only
    16 bits need them joined with L once more.
    """
    if options.harmonize is None:
        return join(light, colors, options.saturation, wide)
    colored = join(light, colors, options.saturation)
    harmonized = options.harmonize(colored.astype(np.uint8, copy=False), decoded.rgb)
    return join(light, ColorsOf(harmonized), wide=True) if wide else harmonized
