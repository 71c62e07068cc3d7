"""Pictures for the page: a thumbnail and a full-size file of every image shown, written once each.

Thumbnails are JPEG without chroma subsampling: WebP and ordinary JPEG halve the resolution of exactly the two
channels that this benchmark is about.
"""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.color import lab
from pipeline.images.decode import decode, encode_png
from pipeline.images.resizing import resize
from pipeline.machine.engine import worker_count
from pipeline.machine.progress import progress
from pipeline.storage.store import Store

THUMB_SIDE = 320  # px, longest side: a tile is 160 to 200 CSS px wide, and screens have two pixels for one
FULL_SIDE = 1600  # px, longest side of the picture that opens on a click
THUMB_QUALITY = 82


@dataclass(frozen=True)
class Picture:
    """One image to be written.

    Attributes:
        store: where it is.
        image_id: which one.
        stem: path of the files to write, relative to the page, without suffix.
        grey: write its lightness only (a = b = 0), which is what every method is given.
    """

    store: Path
    image_id: str
    stem: str
    grey: bool = False


@dataclass(frozen=True)
class Written:
    """What became of a picture: its size in px, or why there is none."""

    width: int = 0
    height: int = 0
    fault: str = ""


def write_pictures(pictures: Sequence[Picture], out: Path) -> list[Written]:
    """Write `<stem>.jpg` (thumbnail) and `<stem>.png` (full) of each picture below `out`.

    Returns:
        What became of each, in the same order; a picture that cannot be read is reported there, not raised.
    """
    stores: dict[Path, Store | str] = {}
    for path in {picture.store for picture in pictures}:
        stores[path] = _open(path)

    def write(picture: Picture) -> Written:
        store = stores[picture.store]
        return Written(fault=store) if isinstance(store, str) else _write(picture, store, out)

    with ThreadPoolExecutor(worker_count()) as pool:  # Pillow works without the interpreter's lock
        return list(progress(pool.map(write, pictures), "pictures", len(pictures)))


def _open(path: Path) -> Store | str:
    try:
        return Store(path)
    except Exception as error:  # any fault of one store must leave the rest of the page standing
        return f"the store cannot be read ({error})"


def _write(picture: Picture, store: Store, out: Path) -> Written:
    stem = out / picture.stem
    stem.parent.mkdir(parents=True, exist_ok=True)
    try:
        original = store.read(picture.image_id)
        rgb = decode(original, picture.image_id).rgb
    except Exception as error:  # as above: the tile says so
        return Written(fault=f"the image cannot be read ({error})")
    height, width = rgb.shape[:2]
    full = _within(rgb, FULL_SIDE)
    if picture.grey:
        full = _lightness_only(full)
    if full is rgb and original.startswith(b"\x89PNG"):
        Path(f"{stem}.png").write_bytes(original)
    else:
        Path(f"{stem}.png").write_bytes(encode_png(full))
    encoded = io.BytesIO()
    Image.fromarray(_within(full, THUMB_SIDE)).save(encoded, "JPEG", quality=THUMB_QUALITY, subsampling=0)
    Path(f"{stem}.jpg").write_bytes(encoded.getvalue())
    return Written(width, height)


def _within(rgb: np.ndarray, side: int) -> np.ndarray:
    """Shrink to a longest side, keeping the shape; a smaller image is handed back itself."""
    height, width = rgb.shape[:2]
    longest = max(height, width)
    if longest <= side:
        return rgb
    size = (max(1, round(height * side / longest)), max(1, round(width * side / longest)))
    return resize(rgb, size, resampling="bicubic")


def _lightness_only(rgb: np.ndarray) -> np.ndarray:
    """Drop the colors: the sRGB gray with the same L, uint8 (H, W, 3)."""
    neutral = np.zeros((*rgb.shape[:2], 3), np.float32)
    neutral[..., 0] = lab.lightness(rgb)
    return lab.lab_to_rgb(neutral)
