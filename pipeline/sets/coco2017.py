"""COCO 2017 photographs.

Lin et al.: Microsoft COCO, common objects in context, ECCV 2014.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import KnownMember, PublishedSet

_PAGE = "https://cocodataset.org/#download"
_BASE = "http://images.cocodataset.org/zips/"
_WANTED = re.compile(r"(?:train|val|test)2017/(\d+)\.jpg")


class COCO2017(PublishedSet):
    """COCO 2017 photographs, without labels."""

    part: Literal["train", "val", "test"]

    TITLE: ClassVar = "COCO 2017"
    PAGE: ClassVar = _PAGE
    LICENCE: ClassVar = "each photograph under the Flickr licence its author chose, as listed in the set's annotations"
    PARTS: ClassVar = {"train": 118_287, "val": 5_000, "test": 40_670}
    CREDIT: ClassVar = "COCO 2017, Lin et al. 2014, photographs from Flickr"
    ARCHIVES: ClassVar = {
        "train": Archive(
            "train2017.zip",
            19_336_861_798,
            "sha256:69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929",
            _BASE + "train2017.zip",
            _PAGE,
        ),
        "val": Archive(
            "val2017.zip",
            815_585_330,
            "sha256:4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05",
            _BASE + "val2017.zip",
            _PAGE,
        ),
        "test": Archive(
            "test2017.zip",
            6_646_970_404,
            "sha256:c7908c3c9f94ba2f3340ebbeec58c25db6be8774f18d68c2f15d0e369d95baba",
            _BASE + "test2017.zip",
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
