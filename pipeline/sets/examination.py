"""What a look at a photograph tells: whether it can be used, its size, whether it is grey, its perceptual hash."""

import hashlib
from typing import Any

from pipeline.color.lab import mean_chroma
from pipeline.images.decode import ImageRefused, decode
from pipeline.sets.duplicates import perceptual_hash
from pipeline.sets.photographs import Photograph

THUMBNAIL = 32
"""px, the side of the copy on which chroma and the perceptual hash are taken."""


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
