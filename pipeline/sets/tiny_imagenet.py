"""Tiny ImageNet: 200 classes of ImageNet at 64 x 64, from Stanford's course CS231n."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.members import read_member
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import KnownMember, PublishedSet

_PAGE = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
_WANTED = {
    "train": re.compile(r"tiny-imagenet-200/train/(?P<label>n\d+)/images/(?P<image_id>n\d+_\d+)\.JPEG"),
    "val": re.compile(r"tiny-imagenet-200/val/images/(?P<image_id>val_\d+)\.JPEG"),
    "test": re.compile(r"tiny-imagenet-200/test/images/(?P<image_id>test_\d+)\.JPEG"),
}


class TinyImageNet(PublishedSet):
    """Tiny ImageNet, labelled with its WordNet number; the test part has none."""

    part: Literal["train", "val", "test"]

    TITLE: ClassVar = "Tiny ImageNet, 64 x 64"
    PAGE: ClassVar = _PAGE
    LICENCE: ClassVar = "ImageNet terms of access: non-commercial research and education"
    PARTS: ClassVar = {"train": 100_000, "val": 10_000, "test": 10_000}
    CREDIT: ClassVar = "Tiny ImageNet, CS231n, Stanford; from ImageNet"
    ARCHIVES: ClassVar = {
        "all": Archive(
            "tiny-imagenet-200.zip",
            248_100_043,
            "sha256:6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
            _PAGE,
            _PAGE,
        )
    }

    def photographs(self, folder: Path) -> Iterator[Photograph]:
        """The photographs of one part; `ImageSet.photographs` says the rest."""
        path = fetch_archive(self.ARCHIVES["all"], folder)
        labels: dict[str, str] = {}
        if self.part == "val":  # lines of "val_0.JPEG", "n03444034" and a box, parted by tabs
            lines = read_member(path, "tiny-imagenet-200/val/val_annotations.txt").decode().splitlines()
            labels = {line.split("\t")[0].removesuffix(".JPEG"): line.split("\t")[1] for line in lines if "\t" in line}

        def known(name: str) -> KnownMember | None:
            found = _WANTED[self.part].fullmatch(name)
            if not found:
                return None
            image_id = found["image_id"]
            return KnownMember(image_id, found.groupdict().get("label") or labels.get(image_id, ""))

        yield from self.photographs_in(path, known)
