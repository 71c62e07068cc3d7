"""Results as files: 16 bits written by hand and read by others, EXIF and alpha kept, nothing half written."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
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


def test_sixteen_bit_tiff_by_its_own_bytes_and_by_pillow() -> None:
    """Read by struct and zlib as TIFF 6.0 has it, its tags and high bytes by Pillow."""
    exif = Image.Exif()
    texts = {
        270: "a view",
        271: "A camera",
        272: "its model",
        305: "s",
        306: "2020:01:02 03:04:05",
        33432: "c",
    }
    for tag, text in texts.items():
        exif[tag] = text
    exif[315] = "Zoë".encode()
    data = encode_result(DEEP, ".tif", exif.tobytes(), dpi=(300.0, 72.5))
    start = struct.unpack("<I", data[4:8])[0]
    assert data[:4] == b"II*\0"
    (count,) = struct.unpack_from("<H", data, start)
    entries = [struct.unpack_from("<HHII", data, start + 2 + 12 * number) for number in range(count)]
    assert [tag for tag, *_ in entries] == sorted({tag for tag, *_ in entries})  # as TIFF 6.0, section 2, asks
    values = {tag: value for tag, _, number, value in entries if number == 1}
    assert (values[259], values[262], values[277]) == (8, 2, 3)  # deflate, RGB, samples
    strip = zlib.decompress(data[values[273] : values[273] + values[279]])
    assert np.array_equal(np.frombuffer(strip, "<u2").reshape(DEEP.shape), DEEP)
    image = Image.open(io.BytesIO(data))
    assert np.array_equal(np.asarray(image), DEEP >> 8)
    assert {tag: image.tag_v2[tag] for tag in texts} == texts
    assert data.find("Zoë".encode()) > 0
    assert [float(one) for one in image.info["dpi"]] == [300.0, 72.5]
    plain = Image.open(
        io.BytesIO(encode_result(DEEP, ".tif"))
    )  # tifffile says 1 : 1 without a unit: as square as unsaid
    assert (plain.tag_v2[282], plain.tag_v2[283], plain.tag_v2[296]) == (1, 1, 1)
    assert "dpi" not in plain.info
    assert {305, 306}.isdisjoint(plain.tag_v2)  # no time, no program


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
