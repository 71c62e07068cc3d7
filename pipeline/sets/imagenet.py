"""ImageNet-1k (ILSVRC 2012), validation photographs. They stand behind a log-in: place the archive by hand.

Russakovsky et al.: ImageNet large scale visual recognition challenge, IJCV 2015.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import Entry, from_archive
from pipeline.settings.set_entries import ImageNet

TITLE = "ImageNet-1k, validation"
PAGE = "https://image-net.org/challenges/LSVRC/2012/2012-downloads.php"
LICENCE = "ImageNet terms of access: non-commercial research and education, no redistribution"
PARTS = {"val": 50_000}
CREDIT = "ImageNet, Russakovsky et al. 2015"

ARCHIVES = {"val": Archive("ILSVRC2012_img_val.tar", 6_744_924_160, "md5:29b22e2961454d5413ddabcf34fc5622", "", PAGE)}
_WANTED = re.compile(r"(ILSVRC2012_val_\d+)\.JPEG")


def photographs(settings: ImageNet, folder: Path) -> Iterator[Photograph]:
    """Yield the validation photographs, without labels: those stand in another archive.

    Args:
        settings: the entry of params.yaml.
        folder: where the archive has been placed.

    Yields:
        The photographs.

    Raises:
        UserError: if the archive is not there, or is another.
    """
    path = fetch_archive(ARCHIVES[settings.part], folder)
    yield from from_archive(path, settings, _entry, CREDIT, LICENCE)


def _entry(name: str) -> Entry | None:
    found = _WANTED.fullmatch(name)
    return Entry(found[1]) if found else None
