"""One way from a photograph to a network's input, for crops and whole photographs; the truth is a mean of pixels."""

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from pipeline.color.lab import lightness
from pipeline.color.shades import grey_image
from pipeline.methods.inputs import network_light, true_colors


def test_the_input_is_scikit_image_s_lightness_resized_by_pillow(photograph) -> None:
    rgb = photograph(1, 60, 90)
    light = rgb2lab(rgb)[..., 0].astype(np.float32)
    expected = Image.fromarray(light).resize((32, 32), Image.Resampling.BICUBIC)
    assert np.abs(network_light(lightness(rgb), 32) - np.clip(expected, 0, 100)).max() < 1e-3


def test_a_color_photograph_and_its_grey_version_are_seen_alike(photograph) -> None:
    """The grey version is rounded to 256 levels, a third of a unit of L each; averages of many differ far less."""
    rgb = photograph(2, 96, 96)
    grey = np.repeat(grey_image(rgb)[..., None], 3, axis=-1)
    assert np.abs(network_light(lightness(rgb), 16) - network_light(lightness(grey), 16)).max() < 0.15


def test_a_part_is_the_part_cut_out(photograph) -> None:
    rgb = photograph(3, 64, 80)
    light = lightness(rgb)
    box = (16.0, 8.0, 48.0, 40.0)
    assert np.abs(network_light(light, 8, box) - network_light(light[8:40, 16:48], 8)).max() < 1.0  # but for the rim
    assert np.array_equal(true_colors(rgb, 8, box), true_colors(rgb[8:40, 16:48], 8))


@pytest.mark.parametrize("cells", [4, 8])
def test_the_truth_of_a_cell_is_the_mean_of_its_pixels(cells: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    means = rgb.reshape(cells, 32 // cells, cells, 48 // cells, 3).mean(axis=(1, 3))
    assert np.abs(true_colors(rgb, cells) - means).max() <= 1.0  # Pillow rounds after each of its two passes
