"""Results as files: 16 bits written by hand and read by others, EXIF and alpha kept, nothing half written."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.images.decode import decode
from pipeline.images.encode import RESULT_SUFFIXES, encode_result
from tests.images.corpus import picture

DEEP = np.random.default_rng(0).integers(0, 65536, (21, 34, 3), dtype=np.uint16)


def test_sixteen_bit_png_by_its_own_chunks() -> None:
    """Unfiltered by hand with zlib, and its high bytes by Pillow."""
    data = encode_result(DEEP, ".png")
    start = data.index(b"IDAT") - 4
    length = int.from_bytes(data[start : start + 4])
    raw = np.frombuffer(zlib.decompress(data[start + 8 : start + 8 + length]), np.uint8).reshape(21, 1 + 34 * 6)
    assert (raw[:, 0] == 1).all()
    pixels = np.cumsum(raw[:, 1:].reshape(21, 34, 6), axis=1, dtype=np.uint8)  # the filter "sub" undone
    assert np.array_equal(np.ascontiguousarray(pixels).view(">u2"), DEEP)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), DEEP >> 8)
    decode(data)


def test_sixteen_bit_tiff_is_read_by_tifffile() -> None:
    tifffile = pytest.importorskip("tifffile")
    exif = Image.Exif()
    exif[271], exif[306] = "A camera that has a long name", "2020:01:02 03:04:05"
    for block in (b"", exif.tobytes()):
        data = encode_result(DEEP, ".tif", block)
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            assert np.array_equal(file.asarray(), DEEP)
            assert file.pages[0].photometric == 2
            if block:
                assert file.pages[0].tags[271].value == "A camera that has a long name"
        assert decode(data).record["bits"] == 16


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp"])
def test_sixteen_bits_are_refused_where_there_are_eight(suffix: str) -> None:
    with pytest.raises(ValueError, match="8 bits"):
        encode_result(DEEP, suffix)


@pytest.mark.parametrize("suffix", sorted(set(RESULT_SUFFIXES.values()) - {".heic"}))
def test_every_format_is_written_well(suffix: str) -> None:
    decoded = decode(encode_result(picture(), suffix))
    assert RESULT_SUFFIXES[decoded.record["format"]] == suffix
    assert np.abs(decoded.rgb.astype(int) - picture()).mean() < 4


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_exif_travels(suffix: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    kept = Image.Exif()
    kept.load(decode(encode_result(picture(), suffix, exif.tobytes())).exif)
    assert kept[0x010F] == "a camera"


def test_exif_travels_in_sixteen_bits() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    kept = Image.Exif()
    kept.load(decode(encode_result(DEEP, ".png", exif.tobytes())).exif)
    assert kept[0x010F] == "a camera"


def test_alpha_travels_where_it_can() -> None:
    alpha = np.arange(60 * 80, dtype=np.uint16).reshape(60, 80).astype(np.uint8)
    for suffix in (".png", ".tif"):
        decoded = decode(encode_result(picture(), suffix, alpha=alpha), alpha="keep")
        assert np.array_equal(decoded.alpha, alpha)
        assert np.array_equal(decoded.rgb, picture())
    assert decode(encode_result(picture(), ".jpg", alpha=alpha), alpha="keep").alpha is None
