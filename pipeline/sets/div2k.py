"""DIV2K: high-resolution photographs (about 2,000 pixels across).

Agustsson, Timofte: NTIRE 2017 challenge on single image super-resolution, CVPR Workshops 2017.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import KnownMember, PublishedSet

_PAGE = "https://data.vision.ee.ethz.ch/cvl/DIV2K/"
_WANTED = re.compile(r"DIV2K_(?:train|valid)_HR/(\d+)\.png")


class DIV2K(PublishedSet):
    """DIV2K, high-resolution photographs."""

    part: Literal["train", "val"]

    TITLE: ClassVar = "DIV2K, high resolution"
    PAGE: ClassVar = _PAGE
    LICENCE: ClassVar = "academic research only; rights remain with the photographers"
    PARTS: ClassVar = {"train": 800, "val": 100}
    CREDIT: ClassVar = "DIV2K, Agustsson and Timofte 2017"
    ARCHIVES: ClassVar = {
        "train": Archive(
            "DIV2K_train_HR.zip",
            3_530_603_713,
            "sha256:9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335",
            _PAGE + "DIV2K_train_HR.zip",
            _PAGE,
        ),
        "val": Archive(
            "DIV2K_valid_HR.zip",
            448_993_893,
            "sha256:20dd31fd84d777bc1cf5d6b7654a3f569c0aec74458ae094122ad1d0489900fc",
            _PAGE + "DIV2K_valid_HR.zip",
            _PAGE,
        ),
    }

    def photographs(self, folder: Path) -> Iterator[Photograph]:
        """The photographs of one part; `ImageSet.photographs` says the rest."""
        path = fetch_archive(self.ARCHIVES[self.part], folder)
        yield from self.photographs_in(path, _known)


def _known(name: str) -> KnownMember | None:
    found = _WANTED.fullmatch(name)
    return KnownMember(found[1]) if found else None
