"""DIV2K: high-resolution photographs (about 2,000 pixels across).

Agustsson, Timofte: NTIRE 2017 challenge on single image super-resolution, CVPR Workshops 2017.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import Entry, from_archive
from pipeline.settings.set_entries import DIV2K

TITLE = "DIV2K, high resolution"
PAGE = "https://data.vision.ee.ethz.ch/cvl/DIV2K/"
LICENCE = "academic research only; rights remain with the photographers"
PARTS = {"train": 800, "val": 100}
CREDIT = "DIV2K, Agustsson and Timofte 2017"

ARCHIVES = {
    "train": Archive(
        "DIV2K_train_HR.zip",
        3_530_603_713,
        "sha256:9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335",
        PAGE + "DIV2K_train_HR.zip",
        PAGE,
    ),
    "val": Archive(
        "DIV2K_valid_HR.zip",
        448_993_893,
        "sha256:20dd31fd84d777bc1cf5d6b7654a3f569c0aec74458ae094122ad1d0489900fc",
        PAGE + "DIV2K_valid_HR.zip",
        PAGE,
    ),
}
_WANTED = re.compile(r"DIV2K_(?:train|valid)_HR/(\d+)\.png")


def photographs(settings: DIV2K, folder: Path) -> Iterator[Photograph]:
    """Yield the photographs of one part.

    Args:
        settings: the entry of params.yaml.
        folder: where archives are kept.

    Yields:
        The photographs.

    Raises:
        UserError: if the archive cannot be had or read.
    """
    path = fetch_archive(ARCHIVES[settings.part], folder)
    yield from from_archive(path, settings, _entry, CREDIT, LICENCE)


def _entry(name: str) -> Entry | None:
    found = _WANTED.fullmatch(name)
    return Entry(found[1]) if found else None
