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


def test_the_whole_cube_is_that_of_scikit_image() -> None:
    """All 2^24 colours: the table holds the floors of a and b; L, a, b and the lightness are rounded to the nearest.

    No colour but black comes so near to a whole number that the rounding of another processor could change a floor.
    """
    nearest = 1.0
    for red in range(256):
        green, blue = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8), indexing="ij")
        plane = np.stack([np.full_like(green, red), green, blue], axis=-1)
        exact = rgb2lab(plane)
        packed = lab.lab_table()[red * 65536 : (red + 1) * 65536].reshape(256, 256).astype(np.int64)
        np.testing.assert_array_equal(np.stack([packed // 256, packed % 256], axis=-1) - 128, np.floor(exact[..., 1:]))
        ours = lab.rgb_to_lab(plane)
        assert (np.abs(ours - exact) <= 0.5 * np.spacing(np.abs(ours)) + 1e-12).all()
        np.testing.assert_array_equal(lab.lightness(plane), ours[..., 0])
        distances = np.abs(exact[..., 1:] - np.rint(exact[..., 1:])).reshape(-1, 2)
        nearest = min(nearest, distances[red == 0 :].min())
    assert nearest > 1e-9
    assert rgb2lab(np.zeros((1, 3), np.uint8)).tolist() == [[0.0, 0.0, 0.0]]


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


def test_any_shape_is_converted() -> None:
    colors = cube(99991)[:160].reshape(4, 8, 5, 3)
    for view in (colors, colors.swapaxes(0, 2), colors[::-1, ::2], colors[:0]):
        whole = lab.rgb_to_lab(np.ascontiguousarray(view))
        np.testing.assert_array_equal(lab.rgb_to_lab(view), whole)
        np.testing.assert_array_equal(lab.lightness(view), whole[..., 0])
        np.testing.assert_array_equal(lab.lab_to_rgb(whole), view)
    assert lab.rgb_to_lab(np.array([255, 0, 0], np.uint8)).shape == (3,)


def test_mean_chroma_is_that_of_scikit_image() -> None:
    colors = cube(9973)
    exact = rgb2lab(colors)
    assert lab.mean_chroma(colors) == pytest.approx(np.hypot(exact[:, 1], exact[:, 2]).mean(), rel=1e-8)


def test_lightness_of_16_bit_greys_is_that_of_scikit_image() -> None:
    greys = np.repeat(np.arange(1 << 16)[:, None] / 65535, 3, axis=1)
    exact, ours = rgb2lab(greys)[:, 0], lab.lightness16()
    assert (np.abs(ours - exact) <= 0.5 * np.spacing(ours) + 1e-12).all()
    np.testing.assert_array_equal(ours[::257], lab.lightness(np.rint(greys[::257] * 255).astype(np.uint8)))


def test_lab_of_tensors_is_that_of_scikit_image_in_float32() -> None:
    colors = cube(997)
    ours = tensors.tensor_lab(torch.from_numpy(colors))
    assert ours.dtype == torch.float32
    np.testing.assert_allclose(ours.numpy(), rgb2lab(colors), atol=5e-4)


def test_tensors_have_their_channels_where_they_are_wanted() -> None:
    colors = torch.from_numpy(cube(49999)[:330].reshape(2, 5, 33, 3))
    last = tensors.tensor_lab(colors)
    assert torch.equal(tensors.tensor_lab(colors, dim=1), last.permute(0, 3, 1, 2))


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


@pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB")
def test_back_from_lab_at_16_bits_is_the_nearest_level() -> None:
    values = np.random.default_rng(0).uniform((0, -110, -110), (100, 110, 110), (100_000, 3))
    exact = np.clip(lab2rgb(values), 0, 1)
    ours = lab.lab_to_rgb16(values.reshape(10, -1, 3)).reshape(-1, 3)
    assert ours.dtype == np.uint16
    assert np.abs(ours - exact * 65535).max() <= 0.5 + 1e-8
    np.testing.assert_allclose(lab.lab_to_srgb(values), exact, atol=1e-13)
    with pytest.raises(ValueError, match="finite"):
        lab.lab_to_rgb16(np.array([[50.0, np.inf, 0.0]]))
