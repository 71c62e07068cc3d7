"""What decode makes of every format, mode, profile and orientation, against Pillow's own operations and by hand."""

import io
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from pipeline.images.decode import HEIF, ImageRefused, decode
from pipeline.images.resizing import resize
from tests.images.corpus import encode, every_format, picture

LOSSLESS = ("png", "webp", "tiff", "tiff_lzw", "bmp", "gif", "jpeg2000")


@pytest.mark.parametrize("name", every_format())
def test_every_format_shows_the_picture(name: str) -> None:
    decoded = decode(every_format()[name])
    # a GIF holds 64 colors here: compared with what was put into it
    shown = np.asarray(Image.fromarray(picture()).quantize(64).convert("RGB")) if name == "gif" else picture()
    difference = np.abs(decoded.rgb.astype(int) - shown)
    assert decoded.rgb.dtype == np.uint8
    assert decoded.rgb.flags["C_CONTIGUOUS"]
    if name in LOSSLESS:
        assert difference.max() == 0
    else:
        assert difference.mean() < 3
    assert (decoded.record["height"], decoded.record["width"]) == (60, 80)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied_once(orientation: int, file_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a camera"
    data = encode(Image.fromarray(picture()), file_format, exif=exif)
    decoded = decode(data)
    with Image.open(io.BytesIO(data)) as opened:
        upright = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    assert np.array_equal(decoded.rgb, upright)
    assert (decoded.record["width"], decoded.record["height"]) == upright.shape[1::-1]
    kept = Image.Exif()
    kept.load(decoded.exif)
    assert kept.get(0x0112, 1) == 1
    assert kept[0x010F] == "a camera"


def test_unreadable_exif_is_no_obstacle() -> None:
    data = encode(Image.fromarray(picture()), "JPEG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff", quality=95)
    assert decode(data).rgb.shape == (60, 80, 3)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 77, (77, 77, 77)),
        ("RGB", (10, 200, 30), (10, 200, 30)),
        ("P", 0, (10, 200, 30)),
    ],
)
def test_plain_modes(mode: str, value: object, expected: tuple[int, ...]) -> None:
    image = Image.new(mode, (4, 3), value)
    if mode == "P":
        image.putpalette([10, 200, 30])
    decoded = decode(encode(image, "PNG"))
    assert (decoded.rgb == expected).all()
    assert decoded.record["bits"] == (1 if mode == "1" else 8)


def test_alpha_is_composed_on_white_or_kept() -> None:
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[..., :3] = (100, 0, 200)
    rgba[..., 3] = [[255, 0], [128, 51]]
    data = encode(Image.fromarray(rgba), "PNG")
    composed = decode(data)
    assert composed.rgb[0, 0].tolist() == [100, 0, 200]
    assert composed.rgb[0, 1].tolist() == [255, 255, 255]
    # by hand: 128 / 255 of the color and 127 / 255 of white, to the nearest level
    assert composed.rgb[1, 0].tolist() == [177, 127, 227]
    assert composed.rgb[1, 1].tolist() == [224, 204, 244]
    assert "alpha_on_white" in composed.record["steps"]
    assert composed.alpha is None
    kept = decode(data, alpha="keep")
    assert (kept.rgb == (100, 0, 200)).all()
    assert np.array_equal(kept.alpha, rgba[..., 3])


def test_transparent_palette_grey_alpha_and_key_color() -> None:
    palette = Image.new("P", (2, 1), 0)
    palette.putpalette([9, 9, 9, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    assert decode(encode(palette, "PNG", transparency=0)).rgb[0].tolist() == [[255, 255, 255], [200, 100, 50]]
    assert decode(encode(palette, "GIF", transparency=0)).rgb[0].tolist() == [[255, 255, 255], [200, 100, 50]]
    grey = Image.new("LA", (1, 1), (0, 51))
    assert decode(encode(grey, "PNG")).rgb[0, 0].tolist() == [204, 204, 204]
    key = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    assert decode(encode(key, "PNG", transparency=(1, 2, 3))).rgb[0].tolist() == [[255, 255, 255], [4, 5, 6]]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG2000"])
def test_sixteen_bit_grey_survives(file_format: str) -> None:
    gray = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    decoded = decode(encode(Image.fromarray(gray), file_format))
    assert np.array_equal(decoded.gray16, gray)
    assert decoded.record["bits"] == 16
    assert np.array_equal(decoded.rgb[..., 0], np.round(gray / 257).astype(np.uint8))


def test_pixels_without_a_stated_range_are_refused() -> None:
    for mode in ("F", "I"):
        with pytest.raises(ImageRefused) as refusal:
            decode(encode(Image.new(mode, (4, 4)), "TIFF"))
        assert refusal.value.reason == "unsupported_mode"


def _wide_profile() -> bytes:
    """An RGB profile that is far from sRGB: the same primaries, read with a gamma of 1 (linear light)."""
    table = np.arange(256, dtype=">u2") * 257
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = int.from_bytes(profile[128:132])
    curve = b"curv\0\0\0\0" + (256).to_bytes(4) + table.tobytes()
    for number in range(tags):
        entry = 132 + 12 * number
        if bytes(profile[entry : entry + 4]) in (b"rTRC", b"gTRC", b"bTRC"):
            profile[entry + 4 : entry + 8] = len(profile).to_bytes(4)
            profile[entry + 8 : entry + 12] = len(curve).to_bytes(4)
    profile += curve
    profile[0:4] = len(profile).to_bytes(4)
    return bytes(profile)


def test_profile_is_converted_to_srgb() -> None:
    linear = np.array([[[0, 55, 188], [128, 128, 128]]], np.uint8)
    decoded = decode(encode(Image.fromarray(linear), "PNG", icc_profile=_wide_profile()))
    light = linear / 255  # IEC 61966-2-1 by hand
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(decoded.rgb - expected).max() <= 1
    assert decoded.record["steps"][0].startswith("icc:")


def test_adobe_rgb_of_the_rocket_is_converted() -> None:
    skimage = pytest.importorskip("skimage")
    data = (Path(skimage.__path__[0]) / "data/rocket.jpg").read_bytes()
    decoded = decode(data)
    assert decoded.record["steps"] == ["icc:Adobe RGB (1998)"]
    with Image.open(io.BytesIO(data)) as opened:
        stored = np.asarray(opened).astype(float)
    # Adobe RGB (1998): gamma 563/256, its primaries to linear sRGB (its specification, through XYZ D65)
    matrix = np.array([[1.39836, -0.39836, 0.0], [0.0, 1.0, 0.0], [0.0, -0.04293, 1.04293]])
    linear = ((stored / 255) ** (563 / 256)) @ matrix.T
    light = np.clip(linear, 0, 1)
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(decoded.rgb - expected).mean() < 1
    assert np.percentile(np.abs(decoded.rgb - expected), 99) <= 3


def test_srgb_profile_changes_nothing() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    decoded = decode(encode(Image.fromarray(picture()), "PNG", icc_profile=profile))
    assert np.array_equal(decoded.rgb, picture())
    assert decoded.record["steps"] == ["icc_is_srgb"]


@pytest.mark.parametrize("profile", [b"not a profile", _wide_profile()[:200]])
def test_broken_profile_is_set_aside(profile: bytes) -> None:
    decoded = decode(encode(Image.fromarray(picture()), "PNG", icc_profile=profile))
    assert np.array_equal(decoded.rgb, picture())
    assert decoded.record["steps"] == ["icc_unreadable"]


def test_profile_of_other_channels_is_set_aside() -> None:
    decoded = decode(encode(Image.new("L", (3, 3), 90), "PNG", icc_profile=_wide_profile()))
    assert (decoded.rgb == 90).all()
    assert decoded.record["steps"] == ["icc_misfit:RGB on L"]


def test_cmyk_inverted_and_not() -> None:
    """Pillow writes Adobe's marker and inverts; without the marker the same samples mean the opposite."""
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    adobe = encode(cyan, "JPEG", quality=100)
    assert np.abs(decode(adobe).rgb.astype(int) - (0, 255, 255)).max() <= 2
    start = adobe.index(b"\xff\xee")
    length = int.from_bytes(adobe[start + 2 : start + 4])
    assert adobe[start + 4 : start + 9] == b"Adobe"
    without = adobe[:start] + adobe[start + 2 + length :]
    decoded = decode(without)
    assert "cmyk_not_inverted" in decoded.record["steps"]
    # samples 0, 255, 255, 255 read as ink: full black
    assert decoded.rgb.max() <= 2
    assert np.abs(decode(encode(cyan, "TIFF")).rgb.astype(int) - (0, 255, 255)).max() == 0


def test_lab_tiff() -> None:
    lab = ImageCms.applyTransform(
        Image.new("RGB", (2, 2), (200, 60, 40)),
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"),
    )
    assert lab is not None
    assert np.abs(decode(encode(lab, "TIFF")).rgb.astype(int) - (200, 60, 40)).max() <= 3


def test_first_frame() -> None:
    frames = [Image.new("RGB", (5, 5), color) for color in ((255, 0, 0), (0, 255, 0))]
    for file_format in ("GIF", "PNG", "TIFF", "WEBP"):
        options = {"lossless": True} if file_format == "WEBP" else {}
        data = encode(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
        decoded = decode(data)
        assert (decoded.rgb == (255, 0, 0)).all()
        assert "first_frame" in decoded.record["steps"]


def test_limits() -> None:
    data = every_format()["png"]
    for limits, reason in (({"max_pixels": 60 * 80 - 1}, "too_many_pixels"), ({"max_bytes": 10}, "too_many_bytes")):
        with pytest.raises(ImageRefused) as refusal:
            decode(data, "photo", **limits)
        assert refusal.value.reason == reason
        assert str(refusal.value).startswith("photo: ")
    assert decode(data, max_pixels=60 * 80).rgb.shape == (60, 80, 3)


def _png_declaring(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (12_000, 12_000)])
def test_huge_declared_sizes_are_refused_before_memory_is_taken(size: tuple[int, int]) -> None:
    with pytest.raises(ImageRefused) as refusal:
        decode(_png_declaring(*size))
    assert refusal.value.reason == "too_many_pixels"


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (bytes(5000), "unknown_format"), (b"<svg/>", "unknown_format"), (b"%!PS-Adobe", "unknown_format")],
)
def test_no_images(data: bytes, reason: str) -> None:
    with pytest.raises(ImageRefused) as refusal:
        decode(data)
    assert refusal.value.reason == reason


def test_wrong_extension_does_not_matter() -> None:
    assert np.array_equal(decode(every_format()["png"], "photo.jpg").rgb, picture())


def test_refusal_travels_between_processes() -> None:
    with pytest.raises(ImageRefused) as refusal:
        decode(b"", "a.jpg")
    copy = pickle.loads(pickle.dumps(refusal.value))
    assert (copy.reason, copy.detail, str(copy)) == ("empty", "0 bytes", str(refusal.value))


@pytest.mark.parametrize("resampling", ["bicubic", "bilinear", "box", "lanczos"])
def test_resize_is_pillows(resampling: str) -> None:
    expected = Image.fromarray(picture()).resize((33, 21), getattr(Image.Resampling, resampling.upper()))
    assert np.array_equal(resize(picture(), (21, 33), resampling), np.asarray(expected))


def test_resize_names_what_it_takes() -> None:
    with pytest.raises(ValueError, match="bicubic, bilinear, box, lanczos"):
        resize(picture(), (5, 5), "cubic")


def test_decoding_to_a_size_equals_decoding_and_resizing() -> None:
    for data in (every_format()["jpeg"], encode(Image.new("RGBA", (40, 30), (9, 80, 200, 100)), "PNG")):
        whole, small = decode(data), decode(data, size=(16, 24))
        assert np.array_equal(small.rgb, resize(whole.rgb, (16, 24)))
        assert small.record["width"] == whole.rgb.shape[1]


@pytest.mark.skipif(not HEIF, reason="pillow-heif is not installed")
def test_heif_is_upright() -> None:
    image = Image.fromarray(picture())
    exif = Image.Exif()
    exif[0x0112] = 6
    image.info["exif"] = exif.tobytes()
    decoded = decode(encode(image, "HEIF", quality=95))
    expected = np.rot90(picture(), -1)  # 6: turn by 90 degrees clockwise
    assert np.abs(decoded.rgb.astype(int) - expected).mean() < 4
