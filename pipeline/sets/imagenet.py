"""ImageNet-1k (ILSVRC 2012), validation photographs. They stand behind a log-in: place the archive by hand.

Russakovsky et al.: ImageNet large scale visual recognition challenge, IJCV 2015.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import KnownMember, PublishedSet

_PAGE = "https://image-net.org/challenges/LSVRC/2012/2012-downloads.php"
_WANTED = re.compile(r"(ILSVRC2012_val_\d+)\.JPEG")


class ImageNet(PublishedSet):
    """ImageNet-1k, validation photographs, without labels: those stand in another archive."""

    part: Literal["val"] = "val"

    TITLE: ClassVar = "ImageNet-1k, validation"
    PAGE: ClassVar = _PAGE
    LICENCE: ClassVar = "ImageNet terms of access: non-commercial research and education, no redistribution"
    PARTS: ClassVar = {"val": 50_000}
    CREDIT: ClassVar = "ImageNet, Russakovsky et al. 2015"
    ARCHIVES: ClassVar = {
        "val": Archive("ILSVRC2012_img_val.tar", 6_744_924_160, "md5:29b22e2961454d5413ddabcf34fc5622", "", _PAGE)
    }

    def photographs(self, folder: Path) -> Iterator[Photograph]:
        """The photographs of one part; `ImageSet.photographs` says the rest."""
        path = fetch_archive(self.ARCHIVES[self.part], folder)
        yield from self.photographs_in(path, _known)


def _known(name: str) -> KnownMember | None:
    found = _WANTED.fullmatch(name)
    return KnownMember(found[1]) if found else None
