"""Any Pillow pixel mode, with or without an embedded ICC profile, to sRGB uint8.

`images.decode` is the only caller. ICC conversion is LittleCMS with the relative colorimetric intent and black
point compensation, as browsers and photo editors do it.
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_SRGB_TOLERANCE = 2  # 8-bit levels: the many sRGB profiles in circulation differ by their rounding only
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")


class UnsupportedMode(ValueError):
    """A pixel mode without a defined way to 8-bit sRGB."""


def to_srgb(image: Image.Image, steps: list[str]) -> tuple[Image.Image, np.ndarray | None, np.ndarray | None]:
    """Convert a loaded image.

    Args:
        image: Loaded, of any mode.
        steps: What was done is appended here.

    Returns:
        the picture in mode RGB; alpha uint8 (H, W) or None when every pixel is opaque by format; the same picture as
        uint16 (H, W), sRGB curve, when the file is 16-bit grey, else None.

    Raises:
        UnsupportedMode: For float and 32-bit integer pixels, whose range no file states.
    """
    profile = image.info.get("icc_profile") or b""
    if image.mode in _SIXTEEN_BIT:
        gray16 = _straighten(np.asarray(image).astype(np.uint16), profile, steps)
        steps.append("16_to_8_bits")
        gray8 = ((gray16.astype(np.uint32) + 128) // 257).astype(np.uint8)
        return Image.fromarray(gray8).convert("RGB"), None, gray16
    image, alpha = _split_alpha(image, steps)
    if image.mode in ("1", "P", "YCbCr", "HSV", "RGBX"):
        steps.append(f"from_{image.mode}")
        image = image.convert("L" if image.mode == "1" else "RGB")
    if image.mode == "LAB":
        steps.append("from_LAB")
        image = _apply(ImageCms.buildTransform(_LAB, _SRGB, "LAB", "RGB"), image)
        profile = b""
    if image.mode not in _PROFILE_SPACES:
        raise UnsupportedMode(image.mode)
    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        # Pillow takes every CMYK JPEG for Adobe's inverted kind; one without Adobe's marker is not.
        steps.append("cmyk_not_inverted")
        image = Image.fromarray(255 - np.asarray(image), mode="CMYK")
    return _convert(image, profile, steps), alpha, None


def _split_alpha(image: Image.Image, steps: list[str]) -> tuple[Image.Image, np.ndarray | None]:
    """Return the opaque colors and, when the file has any transparency, alpha as uint8 (H, W)."""
    if image.mode in ("La", "RGBa"):
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    if image.mode in ("P", "PA") or ("transparency" in image.info and image.mode in ("1", "L", "RGB")):
        steps.append(f"from_{image.mode}")
        transparent = image.mode == "PA" or "transparency" in image.info
        image = image.convert("RGBA" if transparent else "RGB")
    if image.mode not in ("LA", "RGBA"):
        return image, None
    alpha = np.asarray(image.getchannel("A"))
    return image.convert("L" if image.mode == "LA" else "RGB"), alpha


def _convert(image: Image.Image, profile: bytes, steps: list[str]) -> Image.Image:
    """Convert L, RGB or CMYK to sRGB by the embedded profile; without a usable one by the standard formulas."""
    transform = _usable(profile, image.mode, steps)
    if transform is not None:
        return _apply(transform, image)
    if image.mode == "CMYK":
        steps.append("cmyk_without_profile")
    return image if image.mode == "RGB" else image.convert("RGB")


def _apply(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    """Run a transform into a new image (Pillow returns None only when told to work in place)."""
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return converted


def _usable(profile: bytes, mode: str, steps: list[str]) -> ImageCms.ImageCmsTransform | None:
    """Return the transform of a profile that changes pixels of this mode, and note what became of the profile."""
    if not profile:
        return None
    outcome, transform = _transform(profile, mode)
    steps.append(outcome)
    return transform


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> tuple[str, ImageCms.ImageCmsTransform | None]:
    """Build the way from a profile to sRGB; None when the profile is sRGB itself, broken or of other channels.

    A broken or misfitting profile is set aside as every viewer does, and the record says so: the photograph is
    still what its owner sees.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _PROFILE_SPACES[mode]:
            return f"icc_misfit:{source.profile.xcolor_space.strip()} on {mode}", None
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB", intent, flags)
        probe = Image.fromarray(_lattice(mode), mode=mode)
        moved = np.asarray(_apply(transform, probe)).astype(int)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return "icc_unreadable", None
    if mode != "CMYK" and np.abs(moved - np.asarray(probe.convert("RGB"))).max() <= _SRGB_TOLERANCE:
        return "icc_is_srgb", None
    name = (source.profile.profile_description or "unnamed").strip()
    return f"icc:{name}", transform


def _lattice(mode: str) -> np.ndarray:
    """Return colors that tell a profile from sRGB: every grey, or a 9 x 9 x 9 lattice (uint8, one row)."""
    if mode == "L":
        return np.arange(256, dtype=np.uint8)[None]
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    channels = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(1, -1, 3)
    return channels if mode == "RGB" else np.concatenate([channels, channels[..., :1]], axis=2)


def _straighten(gray: np.ndarray, profile: bytes, steps: list[str]) -> np.ndarray:
    """Put 16-bit grey (H, W) on the sRGB curve; LittleCMS takes 8 bits here, so its 256 levels are interpolated."""
    transform = _usable(profile, "L", steps)
    if transform is None:
        return gray
    ramp = Image.fromarray(_lattice("L"), mode="L")
    curve = np.asarray(_apply(transform, ramp))[0].mean(axis=1) * 257
    table = np.interp(np.arange(65536) / 257, np.arange(256), curve).round().astype(np.uint16)
    straightened: np.ndarray = table[gray]
    return straightened
