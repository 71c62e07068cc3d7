"""Tiny ImageNet: 200 classes of ImageNet at 64 x 64, from Stanford's course CS231n."""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.sets.archives import Archive, fetch_archive
from pipeline.sets.members import read_member
from pipeline.sets.photographs import Photograph
from pipeline.sets.published import Entry, from_archive
from pipeline.settings.set_entries import TinyImageNet

TITLE = "Tiny ImageNet, 64 x 64"
PAGE = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
LICENCE = "ImageNet terms of access: non-commercial research and education"
PARTS = {"train": 100_000, "val": 10_000, "test": 10_000}
CREDIT = "Tiny ImageNet, CS231n, Stanford; from ImageNet"

ARCHIVES = {
    "all": Archive(
        "tiny-imagenet-200.zip",
        248_100_043,
        "sha256:6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
        PAGE,
        PAGE,
    )
}
_WANTED = {
    "train": re.compile(r"tiny-imagenet-200/train/(?P<label>n\d+)/images/(?P<image_id>n\d+_\d+)\.JPEG"),
    "val": re.compile(r"tiny-imagenet-200/val/images/(?P<image_id>val_\d+)\.JPEG"),
    "test": re.compile(r"tiny-imagenet-200/test/images/(?P<image_id>test_\d+)\.JPEG"),
}


def photographs(settings: TinyImageNet, folder: Path) -> Iterator[Photograph]:
    """Yield the photographs of one part, labelled with their WordNet number (the test part has none).

    Args:
        settings: the entry of params.yaml.
        folder: where archives are kept.

    Yields:
        The photographs.

    Raises:
        UserError: if the archive cannot be had or read.
    """
    path = fetch_archive(ARCHIVES["all"], folder)
    labels: dict[str, str] = {}
    if settings.part == "val":  # lines of "val_0.JPEG", "n03444034" and a box, parted by tabs
        lines = read_member(path, "tiny-imagenet-200/val/val_annotations.txt").decode().splitlines()
        labels = {line.split("\t")[0].removesuffix(".JPEG"): line.split("\t")[1] for line in lines if "\t" in line}

    def entry(name: str) -> Entry | None:
        found = _WANTED[settings.part].fullmatch(name)
        if not found:
            return None
        image_id = found["image_id"]
        return Entry(image_id, found.groupdict().get("label") or labels.get(image_id, ""))

    yield from from_archive(path, settings, entry, CREDIT, LICENCE)
