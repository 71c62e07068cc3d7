"""Image files: those in a folder, and finished pictures written in the format of their original, 8 or 16 bits."""

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.images.decode import SUFFIXES

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

RESULT_SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp"}
RESULT_SUFFIXES |= {"JPEG2000": ".jp2", "HEIF": ".heic", "GIF": ".png"}
"""Suffix of a result by format of its original. A GIF holds 256 colors, too few for a colorized photograph: PNG."""
SIXTEEN_BITS = (".png", ".tif")
_OPTIONS: dict[str, dict[str, Any]] = {
    ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".png": {"format": "PNG", "compress_level": 3},
    ".webp": {"format": "WEBP", "quality": 95},
    ".tif": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
    ".bmp": {"format": "BMP"},
    ".jp2": {"format": "JPEG2000", "irreversible": True, "quality_mode": "rates", "quality_layers": [8]},
    ".heic": {"format": "HEIF", "quality": 95},
}
_WITH_EXIF = (".jpg", ".png", ".webp", ".tif", ".heic")
_WITH_DPI = (".jpg", ".png", ".tif", ".bmp")
_WITH_ALPHA = (".png", ".webp", ".tif")
_DEFLATE_LEVEL = 3
_TEXT_TAGS = (270, 271, 272, 305, 306, 315, 33432)
"""Description, make, model, software, date, artist and copyright (TIFF 6.0)."""
INCH = 0.0254
"""Metres."""


def without_suffix(name: str) -> str:
    """The name of a file without the suffix of an image, if it has one; other dots stay.

    Args:
        name: such as "ILSVRC2012_val_00000001.JPEG".

    Returns:
        Such as "ILSVRC2012_val_00000001".
    """
    stem, dot, suffix = name.rpartition(".")
    return stem if f"{dot}{suffix.lower()}" in SUFFIXES else name


def photograph_files(folder: Path) -> list[Path]:
    """The image files in a tree, told by their suffix.

    Args:
        folder: searched with its subfolders; hidden names are passed over, links to folders are not followed.

    Returns:
        their paths, sorted.
    """
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and _is_shown(file, folder))


def _is_shown(file: Path, folder: Path) -> bool:
    return file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts)


def encode_result(
    pixels: Pixels,
    suffix: str,
    exif: bytes = b"",
    alpha: npt.NDArray[np.uint8] | None = None,
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """Encode a picture.

    Args:
        pixels: uint8 or uint16 (H, W, 3), sRGB; 16 bits for `SIXTEEN_BITS` only.
        suffix: a value of `RESULT_SUFFIXES`.
        exif: a block for formats that carry one, b"" for none.
        alpha: uint8 (H, W), 255 opaque; left out where the format has none. Not with 16 bits.
        dpi: pixels per inch across and down, for formats that state them; None for none.

    Returns:
        The file's bytes.

    Raises:
        ValueError: for 16 bits in a format that takes 8.
    """
    if pixels.dtype == np.uint16:
        if suffix not in SIXTEEN_BITS:
            raise ValueError(f"{suffix} takes 8 bits a channel")
        return _png16(pixels, exif, dpi) if suffix == ".png" else _tiff16(pixels, exif, dpi)
    image = Image.fromarray(pixels)
    if alpha is not None and suffix in _WITH_ALPHA:
        image.putalpha(Image.fromarray(alpha))
    options = dict(_OPTIONS[suffix])
    if exif and suffix in _WITH_EXIF:
        options["exif"] = exif
    if dpi and suffix in _WITH_DPI:
        options["dpi"] = dpi
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def _png16(pixels: Pixels, exif: bytes, dpi: tuple[float, float] | None) -> bytes:
    """A 16-bit RGB PNG (ISO/IEC 15948): Pillow writes 8 bits. Rows carry the filter "sub"."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    height, width = pixels.shape[:2]
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, 2, 0, 0, 0])
    packer = zlib.compressobj(_DEFLATE_LEVEL)
    packed = []
    for row in pixels:
        values = row.astype(">u2").reshape(-1).view(np.uint8)
        filtered = values.copy()
        filtered[6:] -= values[:-6]  # each byte less the same byte of the pixel to the left
        packed.append(packer.compress(b"\x01" + filtered.tobytes()))
    packed.append(packer.flush())
    metadata = chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")) if exif else b""
    if dpi:
        metadata += chunk(b"pHYs", b"".join(round(one / INCH).to_bytes(4, "big") for one in dpi) + b"\1")
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"sRGB", b"\0")
    return start + metadata + chunk(b"IDAT", b"".join(packed)) + chunk(b"IEND", b"")


def _tiff16(pixels: Pixels, exif: bytes, dpi: tuple[float, float] | None) -> bytes:
    """A 16-bit RGB TIFF, deflated (TIFF 6.0 and its technical note 2): Pillow writes 8 bits.

    Of EXIF the plain tags travel (camera, date, artist), not the nested blocks, which hold offsets into the old file.
    Without `dpi` the file says 1 : 1 without a unit, which is what a reader takes it for anyway.
    """
    import tifffile  # here, as settings and help read this module and only 16-bit TIFF needs it

    tags = Image.Exif()
    if exif:
        tags.load(exif)
    # Pillow takes every byte of a text for Latin-1: so the bytes come out as they were, UTF-8 among them
    texts = [(tag, "s", 0, str(tags[tag]).encode("latin-1", "replace"), True) for tag in _TEXT_TAGS if tag in tags]
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        pixels,
        photometric="rgb",
        compression="adobe_deflate",
        compressionargs={"level": _DEFLATE_LEVEL},
        rowsperstrip=len(pixels),
        resolution=dpi,
        resolutionunit="INCH" if dpi else None,
        metadata=None,
        software=False,
        extratags=texts,
    )
    return buffer.getvalue()
