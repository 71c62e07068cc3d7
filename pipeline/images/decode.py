"""Any image file to sRGB uint8, and back: the only decoder of the project.

Every stage sees a photograph through `decode`, so that one file has one meaning everywhere: its first frame,
upright (EXIF orientation applied), in sRGB (embedded ICC profile converted), 8 bits a channel, opaque (alpha
composed on white). What was done on the way stands in `Decoded.record["steps"]`. A file that cannot be read
faithfully is refused with a reason code of `REASONS`; nothing is guessed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from pipeline.images.faults import FILE_FAULTS, cut_off, one_line, quiet
from pipeline.images.resizing import resize, resize_image
from pipeline.images.srgb import UnsupportedMode, to_srgb

try:  # HEIF is optional: Pillow reads it only through this plugin.
    from pillow_heif import register_heif_opener
except ImportError:
    HEIF = False
else:
    register_heif_opener()
    HEIF = True

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "JPEG2000") + (("HEIF",) if HEIF else ())
HEIC = (".heic", ".heif")  # without the plugin too: such a file is refused by name, not passed over
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".jp2", ".j2k", ".jpx", *HEIC)
HEIF_EXTRA = "pip install -e '.[heif]'"
MAX_PIXELS = 2**27  # 134 million: a 100 megapixel scan passes, a decompression bomb does not
MAX_BYTES = 2**30

REASONS = {
    "empty": "the file holds no bytes",
    "too_many_bytes": "the file is larger than the limit",
    "too_many_pixels": "the declared size is larger than the limit",
    "unknown_format": f"no image of a format read here ({', '.join(FORMATS)})",
    "needs_heif": f"a HEIC photograph, which the extra `heif` reads: {HEIF_EXTRA}",
    "unsupported_mode": "a pixel format without a defined way to 8-bit sRGB (float, 32-bit integer)",
    "truncated": "the file ends before its last pixel",
    "corrupt": "the file contradicts itself or its format",
    "not_read": "the file may not be read",
}

Alpha = Literal["white", "keep"]
Truncated = Literal["refuse", "keep"]

_ABOUT_THE_PHOTOGRAPH = (270, 271, 272, 305, 306, 315, 700, 33432, 0x8769, 0x8825)
"""Of a TIFF's tags those that tell of the photograph (camera, date, artist, XMP, the EXIF and GPS blocks); the others
tell where and how the pixels of this one file lie."""
_EXIF_PLACES = {"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"}
_STARTS = {b"\xff\xd8": "JPEG", b"\x89PNG": "PNG", b"GIF8": "GIF", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"RIFF": "WebP"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
"""What stands in bytes 8 to 12 behind `ftyp` (ISO/IEC 23008-12, annex B, and its registered brands)."""


class ImageRefused(Exception):
    """A file that is not read, and why.

    Attributes:
        reason: A key of `REASONS`; it becomes the `status` of the image in a store's index.
        detail: What was met in this file, in a few words.
    """

    def __init__(self, reason: str, detail: str, name: str = "") -> None:
        super().__init__(f"{name + ': ' if name else ''}{REASONS[reason]}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[Any, ...]:
        return (_refusal, (self.reason, self.detail, str(self)))


def _refusal(reason: str, detail: str, text: str) -> ImageRefused:
    """Rebuild a refusal in another process, with its message unchanged."""
    refusal = ImageRefused(reason, detail)
    refusal.args = (text,)
    return refusal


@dataclass(frozen=True)
class Decoded:
    """One decoded photograph.

    Attributes:
        rgb: sRGB, uint8, (H, W, 3), upright.
        record: format, mode (as stored), width and height (upright, before any resize), bits (per stored channel),
            steps (what was done to the pixels, in order, each "name" or "name:detail").
        alpha: uint8, (H, W), 255 opaque; only when `decode` was told to keep it and the file has it.
        gray16: uint16, (H, W), 0..65535 with the sRGB transfer curve; only of 16-bit grey files.
        exif: The file's EXIF block with the orientation set to upright, or b"".
        dpi: Pixels per inch as the file states them, across and down (upright), or None.
    """

    rgb: np.ndarray
    record: dict[str, Any]
    alpha: np.ndarray | None = None
    gray16: np.ndarray | None = None
    exif: bytes = b""
    dpi: tuple[float, float] | None = None


def decode(
    data: bytes,
    name: str = "",
    *,
    alpha: Alpha = "white",
    truncated: Truncated = "refuse",
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    size: tuple[int, int] | None = None,
    resampling: str = "bicubic",
) -> Decoded:
    """Read an image file of any supported format into sRGB.

    Args:
        data: The file's bytes.
        name: Shown in the message of a refusal; the format is told by the bytes alone.
        alpha: "white" composes transparent pixels on white, "keep" returns them uncomposed beside the alpha.
        truncated: "keep" reads a cut-off file as far as it goes (the rest is what the decoder leaves: grey or black).
        max_pixels: Refuse more than this many pixels, by the declared size, before any is decoded.
        max_bytes: Refuse longer files.
        size: (height, width) to which rgb, and nothing else, is resized: the pixels of `resize(decode(data).rgb, size)`
            with two copies of the photograph fewer.
        resampling: As for `resize`.

    Returns:
        The photograph; rgb is uint8, (H, W, 3), contiguous.

    Raises:
        ImageRefused: With a reason of `REASONS`.
    """
    if not data:
        raise ImageRefused("empty", "0 bytes", name)
    if len(data) > max_bytes:
        raise ImageRefused("too_many_bytes", f"{len(data):,} bytes, at most {max_bytes:,}", name)
    steps: list[str] = []
    try:
        image = _open(data, name, max_pixels)
        record: dict[str, Any] = {"format": image.format, "mode": image.mode, "bits": _bits(image)}
        if getattr(image, "is_animated", False):
            steps.append("first_frame")
        image = _load(image, data, name, truncated, steps)
        orientation, exif = _exif(image, steps)
        colors, opacity, gray16 = to_srgb(image, steps)
    except UnsupportedMode as error:
        raise ImageRefused("unsupported_mode", f"mode {error}", name) from error
    except FILE_FAULTS as fault:
        raise ImageRefused("truncated" if cut_off(fault) else "corrupt", one_line(fault), name) from fault
    width, height = colors.size if orientation < 5 else colors.size[::-1]
    if size is not None and orientation == 1 and opacity is None:
        colors, size = resize_image(colors, size, resampling), None
    rgb = _turn(np.asarray(colors), orientation)
    opacity = None if opacity is None else _turn(opacity, orientation)
    gray16 = None if gray16 is None else _turn(gray16, orientation)
    if record["bits"] == 16 and gray16 is None:
        steps.append("16_to_8_bits")
    if opacity is not None and alpha == "white":
        rgb = _on_white(rgb, opacity)
        steps.append("alpha_on_white")
        opacity = None
    if size is not None:
        rgb = resize(rgb, size, resampling)
    record |= {"width": width, "height": height, "steps": steps}
    return Decoded(rgb, record, opacity, gray16, exif, _dpi(image, orientation))


def encode_png(rgb: np.ndarray, level: int = 6) -> bytes:
    """Write uint8 (H, W, 3) sRGB, or uint8/uint16 (H, W) grey, as PNG without any metadata.

    Args:
        rgb: The pixels.
        level: zlib level, 0 (fast) to 9 (small).
    """
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, format="PNG", compress_level=level)
    return buffer.getvalue()


def _open(data: bytes, name: str, max_pixels: int) -> Image.Image:
    """Read the header, and refuse by the size it declares."""
    try:
        with quiet():
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        if not HEIF and data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
            raise ImageRefused("needs_heif", HEIF_EXTRA, name) from error
        looks = next((kind for start, kind in _STARTS.items() if data.startswith(start)), None)
        detail = f"begins like {looks}, but its header cannot be read" if looks else f"begins with {data[:8]!r}"
        raise ImageRefused("unknown_format", detail, name) from error
    except Image.DecompressionBombError as error:
        raise ImageRefused("too_many_pixels", one_line(error), name) from error
    width, height = image.size
    if width * height > max_pixels:
        raise ImageRefused("too_many_pixels", f"{width} x {height}, at most {max_pixels:,} pixels", name)
    return image


def _load(image: Image.Image, data: bytes, name: str, truncated: Truncated, steps: list[str]) -> Image.Image:
    """Decode the pixels; a cut-off file is refused, or read as far as it goes."""
    try:
        image.load()
        return image
    except OSError as error:
        if truncated == "refuse" or not cut_off(error):
            raise
    steps.append("truncated_kept")
    return _partial(image, data, name)


def _partial(image: Image.Image, data: bytes, name: str) -> Image.Image:
    """Return what a cut-off file shows. Pillow's own switch for this is global, and would reach other threads."""
    try:
        if image.format == "JPEG":  # an end marker makes libjpeg put out what it has, progressive files included
            with quiet():
                image = Image.open(io.BytesIO(data + b"\xff\xd9"), formats=FORMATS)
            image.load()
            return image
        image.tile = []  # type: ignore[attr-defined]  # nothing more to decode: the rows so far are the image
        image.load()
        if np.asarray(image).any():
            return image
    except OSError:
        pass
    raise ImageRefused("truncated", f"no pixel within {len(data):,} bytes", name)


def _bits(image: Image.Image) -> int:
    """Bits per stored channel, before the pixels are loaded: 1, 8, 16 or 32."""
    if image.mode in ("1", "I", "F"):
        return 1 if image.mode == "1" else 32
    return 16 if ";16" in image.mode or any(";16" in str(tile.args) for tile in getattr(image, "tile", ())) else 8


def _exif(image: Image.Image, steps: list[str]) -> tuple[int, bytes]:
    """Return the EXIF orientation (1..8) and the EXIF block without it; unreadable EXIF counts as none."""
    if image.format != "TIFF" and not _EXIF_PLACES & image.info.keys():
        return 1, b""  # looking for what is not there takes a tenth of the time that a small JPEG does
    try:
        with quiet():
            exif = image.getexif()
            orientation = exif.pop(0x0112, 1)
            if image.format == "TIFF":
                for tag in set(exif) - set(_ABOUT_THE_PHOTOGRAPH):
                    del exif[tag]
            block = exif.tobytes() if exif else b""
    except FILE_FAULTS:
        steps.append("exif_unreadable")
        return 1, b""
    if orientation not in range(2, 9):
        return 1, block
    steps.append(f"exif_orientation:{orientation}")
    return int(orientation), block


def _dpi(image: Image.Image, orientation: int) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not (0 < across < 1e5 and 0 < down < 1e5):  # also refuses nan
        return None
    return (across, down) if orientation < 5 else (down, across)


def _turn(array: np.ndarray, orientation: int) -> np.ndarray:
    """Turn (H, W, ...) upright; orientations as in EXIF 2.32, tag 0x0112."""
    if orientation >= 5:  # 5..8 are the transposed ones
        array = array.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return np.ascontiguousarray(array)


def _on_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Compose (H, W, 3) on white by alpha (H, W), rounded to the nearest level."""
    opacity = alpha[..., None].astype(np.uint16)
    return ((rgb * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)
