"""sRGB and Lab against scikit-image: the table, the fast paths, and torch against numpy."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import lab2rgb, rgb2lab

from pipeline.color import lab, tensors
from pipeline.machine import cache as cached

STRIDE = 53
"""Colors of the cube left out between two that a normal run looks at; prime, so that all channels vary."""


def cube(stride: int) -> np.ndarray:
    """Every `stride`-th color of 8-bit sRGB: uint8 (N, 3)."""
    index = np.arange(0, 1 << 24, stride)
    return np.stack([index >> 16, index >> 8 & 255, index & 255], axis=-1).astype(np.uint8)


def test_table_holds_the_floors_of_scikit_image() -> None:
    colors = cube(STRIDE)
    red, green, blue = colors.astype(np.int64).T
    packed = lab.lab_table()[red * 65536 + green * 256 + blue].astype(np.int64)
    floors = np.floor(rgb2lab(colors)[:, 1:])
    np.testing.assert_array_equal(packed // 256 - 128, floors[:, 0])
    np.testing.assert_array_equal(packed % 256 - 128, floors[:, 1])


def test_index_is_red_green_blue() -> None:
    assert lab.rgb_index(np.array([[[1, 2, 3], [255, 0, 255]]], np.uint8)).tolist() == [[66051, 16711935]]


def test_index_takes_views_and_no_pixel_at_all() -> None:
    colors = cube(99991)
    np.testing.assert_array_equal(lab.rgb_index(colors[::-1, :]), lab.rgb_index(colors)[::-1])
    assert lab.rgb_index(np.zeros((0, 3), np.uint8)).shape == (0,)


def test_table_is_read_only_and_kept_outside_the_graph(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = lab.lab_table()
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 1
    monkeypatch.setenv("HUEBENCH_CACHE", str(tmp_path))
    assert cached.cache_folder() == tmp_path


def test_a_damaged_table_is_built_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    good = lab.lab_table()
    monkeypatch.setenv("HUEBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(lab, "_build_table", lambda: np.array(good))
    lab.lab_table.cache_clear()
    try:
        lab.lab_table()
        (file,) = tmp_path.glob("*.npy")
        damaged = np.load(file)
        damaged[12345] ^= 1
        np.save(file, damaged)
        (tmp_path / "lab-1-0000.npy").write_bytes(b"no array")
        lab.lab_table.cache_clear()
        np.testing.assert_array_equal(lab.lab_table(), good)
        assert not list(tmp_path.glob("*.tmp"))
    finally:
        lab.lab_table.cache_clear()


def test_lab_of_arrays_is_that_of_scikit_image() -> None:
    colors = cube(9973)
    np.testing.assert_array_equal(lab.rgb_to_lab(colors), rgb2lab(colors).astype(np.float32))


def test_lab_of_tensors_is_that_of_scikit_image_in_float32() -> None:
    colors = cube(997)
    ours = tensors.tensor_lab(torch.from_numpy(colors))
    assert ours.dtype == torch.float32
    np.testing.assert_allclose(ours.numpy(), rgb2lab(colors), atol=5e-4)


def test_lightness_is_that_of_scikit_image() -> None:
    colors = cube(997)
    expected = rgb2lab(colors)[:, 0]
    np.testing.assert_allclose(lab.lightness(colors), expected, atol=2e-5)
    np.testing.assert_allclose(tensors.tensor_lightness(torch.from_numpy(colors)).numpy(), expected, atol=1e-4)


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=50))
@settings(max_examples=60, deadline=None)
def test_lab_and_back_gives_the_color_again(colors: list[tuple[int, int, int]]) -> None:
    rgb = np.array(colors, np.uint8)
    np.testing.assert_array_equal(lab.lab_to_rgb(lab.rgb_to_lab(rgb)), rgb)


@pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB")
def test_back_from_lab_rounds_and_clips_as_scikit_image_does() -> None:
    random = np.random.default_rng(0)
    values = random.uniform((0, -110, -110), (100, 110, 110), (400_000, 3))
    expected = np.rint(np.clip(lab2rgb(values), 0, 1) * 255)
    ours = lab.lab_to_rgb(values)
    assert ours.dtype == np.uint8
    np.testing.assert_array_equal(ours, expected)


def test_back_from_lab_refuses_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="finite"):
        lab.lab_to_rgb(np.array([[50.0, np.nan, 0.0]]))
