"""A photograph on its way into a store: where its bytes are, what is known of it, and what a look at it tells."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pipeline.color.lab import mean_chroma
from pipeline.images.decode import ImageRefused, decode
from pipeline.sets.archives import Archive
from pipeline.sets.duplicates import perceptual_hash

THUMBNAIL = 32
"""px, the side of the copy on which chroma and the perceptual hash are taken."""


@dataclass(frozen=True)
class Photograph:
    """One file of a set.

    Attributes:
        image_id: its name, unique in the set.
        suffix: the suffix of its file name in lower case, with the dot.
        read: returns its bytes, the same each time.
        split: "train" or "test".
        label: its class, where the set has classes.
        credit: who made it and where it was published.
        licence: under which it may be used.
        refused: the reason why its bytes are not even looked at; "" for none.
    """

    image_id: str
    suffix: str
    read: Callable[[], bytes]
    split: str
    label: str = ""
    credit: str = ""
    licence: str = ""
    refused: str = ""

    def in_split(self, split: str) -> "Photograph":
        """The same photograph in another split.

        Args:
            split: "train" or "test".

        Returns:
            A copy.
        """
        return replace(self, split=split)


class Source(Protocol):
    """What a module of this package offers, for `registry.SOURCES`.

    Attributes:
        TITLE: what the set is, in a few words.
        PAGE: where it comes from.
        LICENCE: under what it may be used.
        PARTS: how many photographs each official part has; empty where there are no parts.
        ARCHIVES: the files it comes in; empty where it needs none.
    """

    TITLE: str
    PAGE: str
    LICENCE: str
    PARTS: dict[str, int]
    ARCHIVES: dict[str, Archive]

    def photographs(self, settings: Any, folder: Path) -> Iterator[Photograph]:
        """Yield the photographs of a set entry.

        Args:
            settings: the entry of params.yaml.
            folder: where archives are kept, or have been placed by hand.
        """
        ...


def examine(photograph: Photograph, grey_chroma: float, max_pixels: int) -> tuple[bytes | None, dict[str, Any]]:
    """Read and decode a photograph.

    Args:
        photograph: where it is.
        grey_chroma: below this mean chroma it counts as grey.
        max_pixels: above this it is refused.

    Returns:
        Its bytes (None where it is refused: such bytes are not kept) and its columns of `tables.STORE_INDEX`.
    """
    columns: dict[str, Any] = {
        "split": photograph.split,
        "label": photograph.label,
        "credit": photograph.credit,
        "licence": photograph.licence,
    }
    if photograph.refused:
        return None, columns | {"status": photograph.refused}
    data = photograph.read()
    try:
        # every pixel is decoded, but only a small copy leaves the decoder
        small = decode(data, photograph.image_id, max_pixels=max_pixels, size=(THUMBNAIL, THUMBNAIL), resampling="box")
    except ImageRefused as refusal:
        return None, columns | {"status": refusal.reason, "sha256": hashlib.sha256(data).hexdigest()}
    return data, columns | {
        "width": small.record["width"],
        "height": small.record["height"],
        "mode": small.record["mode"],
        "is_grey": bool(mean_chroma(small.rgb) < grey_chroma),
        "perceptual_hash": f"{perceptual_hash(small.rgb):016x}",
        "status": "ok",
    }
