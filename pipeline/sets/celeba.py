"""CelebA, aligned and cropped faces. Its makers publish it through Google Drive, which asks a person to confirm.

Liu, Luo, Wang, Tang: Deep learning face attributes in the wild, ICCV 2015.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.sets.archives import Archive, fetch_archive, require_placed
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import KnownMember, PublishedSet

_PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
_PARTITION = {"train": "0", "val": "1", "test": "2"}


class CelebA(PublishedSet):
    """CelebA, aligned and cropped, by the official partition."""

    part: Literal["train", "val", "test"]

    TITLE: ClassVar = "CelebA, aligned and cropped"
    PAGE: ClassVar = _PAGE
    LICENCE: ClassVar = "non-commercial research only; no redistribution"
    PARTS: ClassVar = {"train": 162_770, "val": 19_867, "test": 19_962}
    CREDIT: ClassVar = "CelebA, Liu et al. 2015"
    ARCHIVES: ClassVar = {
        "photographs": Archive(
            "img_align_celeba.zip",
            1_443_490_838,
            "sha256:46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74",
            "",
            _PAGE,
        ),
        "partition": Archive(
            "list_eval_partition.txt",
            2_836_386,
            "sha256:fc955bcb3ef8fbdf7d5640d9a8693a8431b5f2ee291a5c1449a1549e7e073fe7",
            "",
            _PAGE,
        ),
    }

    def photographs(self, folder: Path) -> Iterator[Photograph]:
        """The photographs of one part; `ImageSet.photographs` says the rest."""
        require_placed(self.ARCHIVES.values(), folder)
        partition = fetch_archive(self.ARCHIVES["partition"], folder)
        path = fetch_archive(self.ARCHIVES["photographs"], folder)
        pairs = (line.split() for line in partition.read_text(encoding="utf-8").splitlines())  # "000001.jpg 0"
        part = {pair[0] for pair in pairs if len(pair) == 2 and pair[1] == _PARTITION[self.part]}
        wanted = re.compile(r"img_align_celeba/((\d+)\.jpg)")

        def known(name: str) -> KnownMember | None:
            found = wanted.fullmatch(name)
            return KnownMember(found[2]) if found and found[1] in part else None

        yield from self.photographs_in(path, known)
