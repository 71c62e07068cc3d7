"""Oxford 102 Flowers.

Nilsback, Zisserman: Automated flower classification over a large number of classes, ICVGIP 2008.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import KnownMember, PublishedSet

_PAGE = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
_PART_KEYS = {"train": "trnid", "val": "valid", "test": "tstid"}
_WANTED = re.compile(r"jpg/(image_(\d+))\.jpg")


class Flowers102(PublishedSet):
    """Oxford 102 Flowers, labelled with the number of the class (1 to 102)."""

    part: Literal["train", "val", "test"]

    TITLE: ClassVar = "Oxford 102 Flowers"
    PAGE: ClassVar = _PAGE
    LICENCE: ClassVar = "no licence stated; photographs from the web, for research"
    PARTS: ClassVar = {"train": 1_020, "val": 1_020, "test": 6_149}
    CREDIT: ClassVar = "Oxford 102 Flowers, Nilsback and Zisserman 2008"
    ARCHIVES: ClassVar = {
        "photographs": Archive(
            "102flowers.tgz",
            344_862_509,
            "sha256:2d01ecc807db462958cfe3d92f57a8c252b4abd240eb955770201e45f783b246",
            _PAGE + "102flowers.tgz",
            _PAGE,
        ),
        "labels": Archive(
            "imagelabels.mat",
            502,
            "sha256:4903e94206bac23bf772aadf06451916df56b58fc483a62db32a97b82656651d",
            _PAGE + "imagelabels.mat",
            _PAGE,
        ),
        "parts": Archive(
            "setid.mat",
            14_989,
            "sha256:46b8678f91fd95d3c8f4feab80d271a6c834a1dd896fe29fd3e6ad9ce5c8dccd",
            _PAGE + "setid.mat",
            _PAGE,
        ),
    }

    def photographs(self, folder: Path) -> Iterator[Photograph]:
        """The photographs of one part; `ImageSet.photographs` says the rest."""
        from scipy.io import loadmat  # here, as every command reads the settings and only this one needs scipy

        labels = fetch_archive(self.ARCHIVES["labels"], folder)
        classes = loadmat(labels)["labels"].ravel()  # of image_00001, image_00002, ...
        part = set(loadmat(fetch_archive(self.ARCHIVES["parts"], folder))[_PART_KEYS[self.part]].ravel().tolist())
        path = fetch_archive(self.ARCHIVES["photographs"], folder)

        def known(name: str) -> KnownMember | None:
            found = _WANTED.fullmatch(name)
            if not found or int(found[2]) not in part:
                return None
            return KnownMember(found[1], str(int(classes[int(found[2]) - 1])))

        yield from self.photographs_in(path, known)
