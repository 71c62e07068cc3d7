"""Places365 standard, the small version (256 x 256): training, validation and test photographs.

Zhou, Lapedriza, Khosla, Oliva, Torralba: Places, a 10 million image database for scene recognition, TPAMI 2017.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import KnownMember, PublishedSet

_PAGE = "http://places2.csail.mit.edu/download.html"
_BASE = "http://data.csail.mit.edu/places/places365/"

_TRAIN = re.compile(r"data_256(?:_standard)?/(?P<label>.+)/(?P<number>\d+)\.jpg")
_OTHER = re.compile(r"(?:val|test)_256/(?P<image_id>Places365_(?:val|test)_\d+)\.jpg")


class Places365(PublishedSet):
    """Places365 standard, 256 x 256 ("small"); labelled with its category in the training part."""

    part: Literal["train", "val", "test"]

    TITLE: ClassVar = "Places365 standard, 256 x 256"
    PAGE: ClassVar = _PAGE
    LICENCE: ClassVar = "no rights granted by the makers; for non-commercial research and education"
    PARTS: ClassVar = {"train": 1_803_460, "val": 36_500, "test": 328_500}
    CREDIT: ClassVar = "Places365, Zhou et al. 2017"
    ARCHIVES: ClassVar = {
        "train": Archive(
            "train_256_places365standard.tar",
            26_103_685_120,
            "sha256:0ade5d7d38c682aa0203014a2b99ad3bf608bf1de0f151dc0d80efba54660a0a",
            _BASE + "train_256_places365standard.tar",
            _PAGE,
        ),
        "val": Archive(
            "val_256.tar",
            525_158_400,
            "sha256:24b4e639ef12a0012af525bc4cb443e4ab4aaea8369a1fb009b70e4a4aad5d48",
            _BASE + "val_256.tar",
            _PAGE,
        ),
        "test": Archive(
            "test_256.tar",
            4_736_829_440,
            "sha256:037ee8180369bdde46636341b92900d4bcb8ea000c026a1fd3e0e9827a8702a1",
            _BASE + "test_256.tar",
            _PAGE,
        ),
    }

    def photographs(self, folder: Path) -> Iterator[Photograph]:
        """The photographs of one part; `ImageSet.photographs` says the rest."""
        path = fetch_archive(self.ARCHIVES[self.part], folder)
        yield from self.photographs_in(path, _known)


def _known(name: str) -> KnownMember | None:
    if found := _TRAIN.fullmatch(name):  # data_256/a/airfield/00000001.jpg: numbers begin anew in each category
        label = found["label"]
        return KnownMember(f"{label.replace('/', '-')}-{found['number']}", label)
    if found := _OTHER.fullmatch(name):
        return KnownMember(found["image_id"])
    return None
