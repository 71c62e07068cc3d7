"""Image files made by the tests: one picture in every format and mode that the decoder reads."""

import io
from typing import Any

import numpy as np
from PIL import Image


def picture(height: int = 60, width: int = 80) -> np.ndarray:
    """A smooth colored picture with one sharp square, so that every orientation of it looks different."""
    rows, columns = np.mgrid[0:height, 0:width]
    rgb = np.stack([columns * 255 / (width - 1), rows * 255 / (height - 1), 255 - columns * 200 / width], axis=-1)
    rgb[5:15, 8:24] = (250, 30, 40)
    return rgb.round().astype(np.uint8)


def encode(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def every_format() -> dict[str, bytes]:
    """The picture in each format, losslessly where the format can."""
    image = Image.fromarray(picture())
    return {
        "jpeg": encode(image, "JPEG", quality=95),
        "jpeg_progressive": encode(image, "JPEG", quality=95, progressive=True),
        "png": encode(image, "PNG"),
        "webp": encode(image, "WEBP", lossless=True),
        "tiff": encode(image, "TIFF"),
        "tiff_lzw": encode(image, "TIFF", compression="tiff_lzw"),
        "bmp": encode(image, "BMP"),
        "gif": encode(image.quantize(64), "GIF"),
        "jpeg2000": encode(image, "JPEG2000"),
    }


def flipped(data: bytes, seed: int, flips: int = 8) -> bytes:
    """The bytes with a few of them changed at random places."""
    random = np.random.default_rng(seed)
    broken = bytearray(data)
    for position in random.integers(0, len(broken), flips):
        broken[position] ^= int(random.integers(1, 256))
    return bytes(broken)
