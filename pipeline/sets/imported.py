"""A folder of anybody's colorized photographs becomes the results of a method (`huebench import-results`)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.errors import UserError
from pipeline.images.decode import Decoded, ImageRefused, decode, encode_png
from pipeline.images.encode import photograph_files
from pipeline.images.resizing import resize
from pipeline.sets.matching import listed, match_files
from pipeline.storage.store import Store, StoreWriter


@dataclass
class ImportReport:
    """What a folder held, by image_id or file name.

    Attributes:
        imported: photographs that have a result now, as it was or resized.
        missing: photographs of the set without a file.
        extra: image files that belong to no photograph of the set.
        twice: photographs with more than one file, such as a.png and a.jpg.
        unreadable: "name: reason" of files that are no usable image.
        wrong_size: "name: size instead of size", resized or refused as told.
        converted: "name: mode" of files that are no 8-bit RGB; they are scored as sRGB.
        unmarked: files whose name does not end as a result's.
    """

    imported: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    wrong_size: list[str] = field(default_factory=list)
    converted: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """What there is to say, a line for each kind of trouble."""
        kinds = {
            "without a result": self.missing,
            "passed over, as their names end in something else": self.unmarked,
            "left out, as they belong to no photograph": self.extra,
            "with more than one file": self.twice,
            "unreadable": self.unreadable,
            "of the wrong size": self.wrong_size,
            "converted to 8-bit sRGB": self.converted,
        }
        return [f"{len(self.imported)} imported", *(listed(words, names) for words, names in kinds.items() if names)]


def import_folder(
    folder: Path,
    truth: Store,
    out: Path,
    resize_to_truth: bool,
    partial: bool = False,
    split: str | None = "test",
    ending: str = "",
) -> ImportReport:
    """Match a folder's images to a set's photographs by file name, and write them as a store of results.

    A file belongs to the photograph whose image_id is the file's name without its suffix (with its path inside the
    folder, where image_ids have one). Files that are no images by their suffix are passed over.

    Args:
        folder: where the images lie; subfolders are looked into.
        truth: the set.
        out: the store to write; an older one there is replaced, and only if everything was accepted.
        resize_to_truth: whether results of another size are brought to the photograph's (bicubic), or refused.
        partial: whether missing and extra files are accepted: photographs without a result are then reported as missing
            by every score, extra files are left out. Otherwise either refuses the import.
        split: which photographs of the set want a result; None for all.
        ending: what stands behind the photograph's name in the name of its result; other files are passed over.

    Returns:
        What was found, for the user to read.

    Raises:
        UserError: if the folder is not there, or anything in it is refused; a line for each kind of trouble. Nothing is
            written then.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; it takes a folder of colorized images named as the set's photographs")
    wanted = list(truth.rows(split=split).index)
    report = ImportReport()
    report.unmarked = [path.name for path in photograph_files(folder) if not path.stem.endswith(ending)]
    files, report.extra, report.twice = match_files(folder, set(wanted), ending)
    report.missing = [image_id for image_id in wanted if image_id not in files]
    with StoreWriter(out) as writer:
        for image_id, path in ((image_id, files[image_id]) for image_id in wanted if image_id in files):
            try:
                data = path.read_bytes()
                decoded = decode(data, path.name)
            except (OSError, ImageRefused) as fault:
                report.unreadable.append(f"{path.name}: {getattr(fault, 'reason', 'not_read')}")
                continue
            rgb = _fitted(decoded, _size(truth, image_id), path.name, report)
            _note_mode(decoded, path.name, report)
            height, width = rgb.shape[:2]
            untouched = rgb is decoded.rgb
            writer.add(
                image_id,
                data if untouched else encode_png(rgb),
                path.suffix.lower() if untouched else ".png",
                split=split or "",
                width=width,
                height=height,
                mode=str(decoded.record["mode"]) if untouched else "RGB",
            )
            report.imported.append(image_id)
        problems = list(_problems(report, resize_to_truth, partial, ending))
        if problems:
            raise UserError("\n".join(f"{folder}: {problem}" for problem in problems))
    return report


def _size(truth: Store, image_id: str) -> tuple[int, int]:
    return int(truth.index.at[image_id, "height"]), int(truth.index.at[image_id, "width"])


def _fitted(decoded: Decoded, size: tuple[int, int], name: str, report: ImportReport) -> npt.NDArray[np.uint8]:
    """The pixels at the photograph's (height, width)."""
    height, width = decoded.rgb.shape[:2]
    if (height, width) == size:
        return decoded.rgb
    report.wrong_size.append(f"{name}: {width} x {height} instead of {size[1]} x {size[0]}")
    return resize(decoded.rgb, size)


def _note_mode(decoded: Decoded, name: str, report: ImportReport) -> None:
    mode, bits = decoded.record["mode"], decoded.record["bits"]
    if mode != "RGB" or bits != 8:
        report.converted.append(f"{name}: {mode}, {bits} bits")


def _problems(report: ImportReport, resize_to_truth: bool, partial: bool, ending: str) -> Iterator[str]:
    """The lines of a refusal, each with its remedy."""
    if report.twice:
        yield f"{listed('photographs with more than one file', report.twice)}; keep one file for each"
    if report.unreadable:
        yield f"{listed('unreadable files', report.unreadable)}; replace or remove them"
    if report.wrong_size and not resize_to_truth:
        yield f"{listed('files of the wrong size', report.wrong_size)}; write them at that size or give --resize"
    if not report.imported:
        yield f"no file is named as a photograph of the set, such as {(report.missing or ['?'])[0]}{ending}.png"
    elif report.missing and not partial:
        yield f"{listed('photographs without a file', report.missing)}; add them or give --partial"
    if report.extra and not partial:
        yield f"{listed('files that belong to no photograph', report.extra)}; remove them or give --partial"
