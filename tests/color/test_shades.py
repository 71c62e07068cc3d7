"""Colours with a given lightness: the guarantee that L never changes."""

import numpy as np
from skimage.color import rgb2lab

from pipeline.color.shades import class_shades, colors_at_level, grey_image, grey_level, level_lightness
from pipeline.color.space import ColorSpace


def nearest_grey(rgb: np.ndarray) -> np.ndarray:
    """The grey nearest in L by scikit-image, by comparison with all 256."""
    greys = rgb2lab(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)[None])[0, :, 0]
    return np.abs(rgb2lab(rgb)[..., 0][..., None] - greys).argmin(axis=-1)


def test_grey_level_is_the_nearest_grey_of_scikit_image():
    rgb = np.random.default_rng(1).integers(0, 256, (60, 70, 3)).astype(np.uint8)
    rgb[0, :, :] = rgb[0, :, :1] // 16  # dark colours, where levels are closest together
    assert np.array_equal(grey_image(rgb), nearest_grey(rgb))


def test_every_level_is_its_own():
    assert np.array_equal(grey_level(level_lightness()), np.arange(256))


def test_colors_have_the_level_asked_for_even_outside_the_gamut():
    random = np.random.default_rng(2)
    level = random.integers(0, 256, 3000).astype(np.uint8)
    ab = random.uniform(-130, 130, (3000, 2))
    rgb = colors_at_level(level, ab)
    assert np.array_equal(nearest_grey(rgb[None])[0], level)
    plain = np.repeat(level[:, None], 3, axis=1)
    assert np.array_equal(colors_at_level(level, np.full((3000, 2), 0.5))[level == 255], plain[level == 255])


def test_colors_inside_the_gamut_are_met_to_within_a_unit():
    rgb = np.random.default_rng(3).integers(0, 256, (4000, 3)).astype(np.uint8)
    ab = rgb2lab(rgb[None])[0, :, 1:]
    met = rgb2lab(colors_at_level(grey_image(rgb), ab)[None])[0, :, 1:]
    assert np.abs(met - ab).max() <= 1.0


def test_class_shades_keep_level_and_class():
    space = ColorSpace(10, kept=np.arange(0, 484, 3))
    shades = class_shades(space)
    assert np.array_equal(nearest_grey(shades.rgb), np.repeat(np.arange(256)[:, None], space.kept_count, axis=1))
    assert np.array_equal(shades.kept_index, space.to_kept(space.encode(shades.rgb)))
    # every class of which a colour exists at a level is shown there
    rgb = np.random.default_rng(4).integers(0, 256, (20000, 3)).astype(np.uint8)
    ids = space.encode(rgb)
    kept = np.isin(ids, space.kept)
    index = space.to_kept(ids)[kept]
    assert np.array_equal(shades.kept_index[grey_image(rgb[kept]), index], index)
