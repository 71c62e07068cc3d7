"""Broken files: cut, flipped, lying. None may crash, hang or pass as whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.images.decode import REASONS, ImageRefused, decode, encode_png
from tests.images.corpus import every_format, flipped, picture

FILES = every_format()
KEEPS_ROWS = ("jpeg", "png", "tiff", "bmp")


@pytest.mark.parametrize("name", FILES)
def test_cut_anywhere(name: str) -> None:
    """A cut file is refused; only one whose pixels are all there (its tail is a marker or metadata) may pass."""
    whole = decode(FILES[name]).rgb
    data = FILES[name]
    for length in sorted({*range(0, len(data), max(256, len(data) // 40)), len(data) - 1}):
        try:
            decoded = decode(data[:length])
        except ImageRefused as refusal:
            assert refusal.reason in REASONS
        else:
            assert np.array_equal(decoded.rgb, whole)


@pytest.mark.parametrize("name", KEEPS_ROWS)
def test_cut_file_is_read_as_far_as_it_goes_when_told_to(name: str) -> None:
    data = FILES[name]
    decoded = decode(data[: len(data) * 2 // 3], truncated="keep")
    assert "truncated_kept" in decoded.record["steps"]
    whole = decode(data).rgb
    rows = 5
    assert decoded.rgb.shape == whole.shape
    part = slice(-rows, None) if name == "bmp" else slice(0, rows)  # BMP is stored from the bottom up
    assert np.array_equal(decoded.rgb[part], whole[part])
    assert not np.array_equal(decoded.rgb, whole)


def test_nothing_to_keep_is_refused() -> None:
    with pytest.raises(ImageRefused):
        decode(FILES["png"][:60], truncated="keep")


@pytest.mark.parametrize("name", FILES)
def test_flipped_bytes(name: str) -> None:
    for seed in range(60):
        try:
            decoded = decode(flipped(FILES[name], seed), max_pixels=10**6)
        except ImageRefused as refusal:
            assert refusal.reason in REASONS
        else:
            assert decoded.rgb.ndim == 3
            assert decoded.rgb.size <= 3 * 10**6


@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=400), start=st.sampled_from(sorted(FILES)), kept=st.integers(0, 40))
def test_arbitrary_bytes_behind_any_header(data: bytes, start: str, kept: int) -> None:
    try:
        decoded = decode(FILES[start][:kept] + data, max_pixels=10**6)
    except ImageRefused as refusal:
        assert refusal.reason in REASONS
        assert "\n" not in str(refusal)
    else:
        assert decoded.rgb.shape[2] == 3


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1)),
    st.integers(0, 9),
)
def test_png_gives_back_what_it_took(shape: tuple[int, int, int], level: int) -> None:
    height, width, seed = shape
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert np.array_equal(decode(encode_png(rgb, level)).rgb, rgb)


def test_png_carries_no_metadata() -> None:
    data = encode_png(picture())
    kinds, position = [], 8
    while position < len(data):
        length = int.from_bytes(data[position : position + 4])
        kinds.append(data[position + 4 : position + 8])
        position += 12 + length
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
