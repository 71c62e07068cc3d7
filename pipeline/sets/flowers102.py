"""Oxford 102 Flowers.

Nilsback, Zisserman: Automated flower classification over a large number of classes, ICVGIP 2008.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from scipy.io import loadmat

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import Entry, from_archive
from pipeline.settings.set_entries import Flowers102

TITLE = "Oxford 102 Flowers"
PAGE = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
LICENCE = "no licence stated; photographs from the web, for research"
PARTS = {"train": 1_020, "val": 1_020, "test": 6_149}
CREDIT = "Oxford 102 Flowers, Nilsback and Zisserman 2008"

ARCHIVES = {
    "photographs": Archive(
        "102flowers.tgz",
        344_862_509,
        "sha256:2d01ecc807db462958cfe3d92f57a8c252b4abd240eb955770201e45f783b246",
        PAGE + "102flowers.tgz",
        PAGE,
    ),
    "labels": Archive(
        "imagelabels.mat",
        502,
        "sha256:4903e94206bac23bf772aadf06451916df56b58fc483a62db32a97b82656651d",
        PAGE + "imagelabels.mat",
        PAGE,
    ),
    "parts": Archive(
        "setid.mat",
        14_989,
        "sha256:46b8678f91fd95d3c8f4feab80d271a6c834a1dd896fe29fd3e6ad9ce5c8dccd",
        PAGE + "setid.mat",
        PAGE,
    ),
}
_PART_KEYS = {"train": "trnid", "val": "valid", "test": "tstid"}
_WANTED = re.compile(r"jpg/(image_(\d+))\.jpg")


def photographs(settings: Flowers102, folder: Path) -> Iterator[Photograph]:
    """Yield the photographs of one part, labelled with the number of their class (1 to 102).

    Args:
        settings: the entry of params.yaml.
        folder: where archives are kept.

    Yields:
        The photographs.

    Raises:
        UserError: if a file cannot be had or read.
    """
    classes = loadmat(fetch_archive(ARCHIVES["labels"], folder))["labels"].ravel()  # of image_00001, image_00002, ...
    part = set(loadmat(fetch_archive(ARCHIVES["parts"], folder))[_PART_KEYS[settings.part]].ravel().tolist())
    path = fetch_archive(ARCHIVES["photographs"], folder)

    def entry(name: str) -> Entry | None:
        found = _WANTED.fullmatch(name)
        if not found or int(found[2]) not in part:
            return None
        return Entry(found[1], str(int(classes[int(found[2]) - 1])))

    yield from from_archive(path, settings, entry, CREDIT, LICENCE)
