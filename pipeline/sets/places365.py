"""Places365 standard, the small version (256 x 256): training, validation and test photographs.

Zhou, Lapedriza, Khosla, Oliva, Torralba: Places, a 10 million image database for scene recognition, TPAMI 2017.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import Entry, from_archive
from pipeline.settings.set_entries import Places365

TITLE = "Places365 standard, 256 x 256"
PAGE = "http://places2.csail.mit.edu/download.html"
LICENCE = "no rights granted by the makers; for non-commercial research and education"
PARTS = {"train": 1_803_460, "val": 36_500, "test": 328_500}
CREDIT = "Places365, Zhou et al. 2017"

_BASE = "http://data.csail.mit.edu/places/places365/"
ARCHIVES = {
    "train": Archive(
        "train_256_places365standard.tar",
        26_103_685_120,
        "sha256:0ade5d7d38c682aa0203014a2b99ad3bf608bf1de0f151dc0d80efba54660a0a",
        _BASE + "train_256_places365standard.tar",
        PAGE,
    ),
    "val": Archive(
        "val_256.tar",
        525_158_400,
        "sha256:24b4e639ef12a0012af525bc4cb443e4ab4aaea8369a1fb009b70e4a4aad5d48",
        _BASE + "val_256.tar",
        PAGE,
    ),
    "test": Archive(
        "test_256.tar",
        4_736_829_440,
        "sha256:037ee8180369bdde46636341b92900d4bcb8ea000c026a1fd3e0e9827a8702a1",
        _BASE + "test_256.tar",
        PAGE,
    ),
}

_TRAIN = re.compile(r"data_256(?:_standard)?/(?P<label>.+)/(?P<number>\d+)\.jpg")
_OTHER = re.compile(r"(?:val|test)_256/(?P<image_id>Places365_(?:val|test)_\d+)\.jpg")


def photographs(settings: Places365, folder: Path) -> Iterator[Photograph]:
    """Yield the photographs of one part; the category is known for the training part.

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
    if found := _TRAIN.fullmatch(name):  # data_256/a/airfield/00000001.jpg: numbers begin anew in each category
        label = found["label"]
        return Entry(f"{label.replace('/', '-')}-{found['number']}", label)
    if found := _OTHER.fullmatch(name):
        return Entry(found["image_id"])
    return None
