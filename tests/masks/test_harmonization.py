"""R7: what changes, what never does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from pipeline.color.lab import lab_to_rgb
from pipeline.color.shades import class_shades, grey_image
from pipeline.color.space import ColorSpace
from pipeline.masks.bleeding import edge_bleeding, edge_distance
from pipeline.masks.guided import EPSILON, STEP, extend_interior
from pipeline.masks.harmonization import MODES, harmonize
from pipeline.masks.objects import edge_pixels, interior_pixels
from pipeline.masks.palettes import nearby
from pipeline.settings.sections import Harmonize
from tests.masks.scenes import bleeding, photograph

SPACE = ColorSpace(6)
PRUNED = ColorSpace(10, kept=np.arange(0, 484, 3))


def changes(mode: str, space: ColorSpace = SPACE, seed: int = 0, **chosen) -> tuple[np.ndarray, ...]:
    truth, labels = photograph(seed=seed)
    raw = bleeding(truth, seed=seed)
    setting = Harmonize(mode=mode, **chosen)
    return truth, labels, raw, harmonize(raw, truth, labels, space, setting), setting


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("space", [SPACE, PRUNED], ids=["full", "pruned"])
def test_bytes_outside_every_object_stay(mode, space):
    _, labels, raw, result, _ = changes(mode, space)
    assert (result != raw).any()
    assert np.array_equal(result[labels == 0], raw[labels == 0])


@pytest.mark.parametrize("mode", MODES)
def test_the_grey_version_is_that_of_the_photograph_wherever_a_pixel_changed(mode):
    truth, _, raw, result, _ = changes(mode)
    changed = (result != raw).any(axis=-1)
    light = rgb2lab(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)[None])[0, :, 0]

    def level(rgb: np.ndarray) -> np.ndarray:
        return np.abs(rgb2lab(rgb)[..., :1] - light).argmin(axis=-1)

    assert np.array_equal(level(result)[changed], level(truth)[changed])


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(sorted(MODES)),
    st.sampled_from([0.0, 0.02, 0.1, 0.4, 1.0]),
    st.integers(0, 12),
    st.integers(1, 20),
    st.integers(0, 50),
    st.booleans(),
)
def test_a_second_pass_changes_nothing(mode, share, band, radius, seed, pruned):
    space = PRUNED if pruned else SPACE
    truth, labels, _, once, setting = changes(mode, space, seed, min_share=share, band=band, radius=radius)
    assert np.array_equal(harmonize(once, truth, labels, space, setting), once)


@pytest.mark.parametrize("mode", MODES)
def test_the_numbers_of_objects_do_not_matter(mode):
    truth, labels, raw, result, setting = changes(mode)
    renumbered = np.array([0, 7, 3, 5], np.int32)[labels]
    assert np.array_equal(harmonize(raw, truth, renumbered, SPACE, setting), result)


def by_hand(raw, truth, labels, space, setting) -> np.ndarray:
    """R7 as the page has it, one pixel at a time."""
    interior = interior_pixels(labels, edge_pixels(labels), setting.band)
    classes, shades = space.to_kept(space.encode(raw)), class_shades(space)
    level, centers = grey_image(truth), space.kept_centers.astype(float)
    result = raw.copy()
    for number in np.unique(labels[labels > 0]):
        inside = classes[interior & (labels == number)]
        found, counts = np.unique(inside, return_counts=True)
        palette = found[counts >= setting.min_share * len(inside)]
        palette = palette if len(palette) else found[[counts.argmax()]]
        for y, x in np.argwhere((labels == number) & ~np.isin(classes, palette)):
            if classes[y, x] in [shades.kept_index[level[y, x], one] for one in palette]:
                continue
            top, left = max(y - setting.radius, 0), max(x - setting.radius, 0)
            window = np.s_[top : y + setting.radius + 1, left : x + setting.radius + 1]
            near = np.intersect1d(classes[window][labels[window] == number], palette)
            candidates = near if len(near) else palette
            distances = ((centers[candidates] - centers[classes[y, x]]) ** 2).sum(axis=1)
            chosen = candidates[distances.argmin()]
            if len(palette) > 1 or shades.kept_index[level[y, x], chosen] == chosen:
                result[y, x] = shades.rgb[level[y, x], chosen]
    return result


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("radius", [1, 6])
def test_palette_equals_the_rule_worked_pixel_by_pixel(share, radius):
    truth, labels, raw, result, setting = changes("palette", min_share=share, radius=radius, band=4)
    assert np.array_equal(result, by_hand(raw, truth, labels, SPACE, setting))


def test_palette_removes_a_speck_and_keeps_a_second_colour():
    lab = np.full((20, 40, 3), [60.0, 3.0, 3.0])
    lab[:, 20:] = [60.0, 45.0, 39.0]
    lab[10, 5] = [60.0, -33.0, 33.0]
    raw, labels = lab_to_rgb(lab), np.ones((20, 40), np.int32)
    result = harmonize(raw, raw, labels, SPACE, Harmonize(mode="palette", min_share=0.05, radius=3))
    changed = (result != raw).any(axis=-1)
    assert list(map(tuple, np.argwhere(changed))) == [(10, 5)]
    assert SPACE.encode(result[10, 5]) == SPACE.encode(raw[0, 0])


def test_mode_gives_an_object_one_class_wherever_its_level_has_it():
    truth, labels, _, result, _ = changes("mode")
    level, shades = grey_image(truth), class_shades(SPACE)
    for number in (1, 2, 3):
        classes = SPACE.encode(result[labels == number])
        most = np.bincount(classes).argmax()
        has_it = shades.kept_index[level[labels == number], most] == most
        assert has_it.any()
        assert (classes[has_it] == most).all()


def test_guided_reads_nothing_but_the_interior():
    truth, labels = photograph()
    raw = bleeding(truth)
    setting = Harmonize(mode="guided", band=4, radius=5)
    interior = interior_pixels(labels, edge_pixels(labels), 4)
    other = raw.copy()
    other[~interior] = 255 - other[~interior]
    one, two = (harmonize(each, truth, labels, SPACE, setting) for each in (raw, other))
    inside = labels > 0
    assert np.array_equal(one[inside & ~interior], two[inside & ~interior])
    assert np.array_equal(one[interior], raw[interior])


def test_guided_is_a_regression_of_ab_on_the_level():
    random = np.random.default_rng(5)
    level = random.integers(0, 256, (24, 24)).astype(np.uint8)
    cells = np.stack([level.astype(np.int32) // 4 - 20, random.integers(-30, 30, level.shape, np.int32)], axis=-1)
    interior = np.zeros(level.shape, bool)
    interior[:, 6:] = True
    rows, columns, radius = np.array([10, 15]), np.array([4, 5]), 6
    extended = extend_interior(level, cells, interior, rows, columns, radius)
    for row, column, found in zip(rows, columns, extended, strict=True):
        reach = radius // STEP
        grid = np.s_[
            STEP * max(row // STEP - reach, 0) : STEP * (row // STEP + reach) + 1 : STEP,
            STEP * max(column // STEP - reach, 0) : STEP * (column // STEP + reach) + 1 : STEP,
        ]
        inside = interior[grid]
        guide = level[grid][inside].astype(float)
        for channel in range(2):
            values = cells[grid][inside][:, channel].astype(float)
            covariance = np.cov(guide, values, bias=True)
            slope = covariance[0, 1] / (covariance[0, 0] + EPSILON)
            expected = values.mean() + slope * (float(level[row, column]) - guide.mean()) + 0.5
            samples = cells[::STEP, ::STEP, channel][interior[::STEP, ::STEP]]
            assert found[channel] == pytest.approx(np.clip(expected, samples.min() + 0.5, samples.max() + 0.5))


def test_guided_sums_are_right_on_large_objects():
    """Sums of squares over the whole picture pass 32 bits; those of a window do not."""
    level = np.full((700, 700), 250, np.uint8)
    cells = np.full((700, 700, 2), -40, np.int32)
    interior = np.ones(level.shape, bool)
    interior[:, 0] = False
    extended = extend_interior(level, cells, interior, np.arange(700), np.zeros(700, int), 4)
    assert np.array_equal(extended, np.full((700, 2), -39.5))


@pytest.mark.parametrize("size", [3, 9, 20, 70])
def test_nearby_classes(size):
    random = np.random.default_rng(size)
    rank = random.integers(-3, size, (25, 30)).astype(np.int16)
    rank[random.random(rank.shape) < 0.9] = -1
    rows, columns = random.integers(0, 25, 40), random.integers(0, 30, 40)
    found = nearby(rank, rows, columns, size, 4)
    for row, column, classes in zip(rows, columns, found, strict=True):
        window = rank[max(row - 4, 0) : row + 5, max(column - 4, 0) : column + 5]
        assert set(np.flatnonzero(classes)) == set(window[window >= 0])


def test_edge_distance_by_hand():
    lab = np.full((9, 9, 3), [50.0, 0.0, 0.0])
    labels = np.zeros((9, 9), np.int32)
    labels[1:8, 1:8] = 1
    lab[labels == 1] = [50.0, 30.0, 0.0]
    sharp = lab_to_rgb(lab)
    lab[1, 1:8] = [50.0, 30.0, 40.0]  # 7 of the object's 24 edge pixels are 40 away from the rest
    bled = lab_to_rgb(lab)
    assert edge_distance(sharp, labels, 2) == pytest.approx(0, abs=0.01)
    assert edge_distance(bled, labels, 2) == pytest.approx(40 * 7 / 24, rel=0.03)
    assert np.isnan(edge_distance(sharp, np.zeros((9, 9), np.int32), 2))
    assert edge_bleeding(6.0, 3.0) == 2.0
    assert np.isnan(edge_bleeding(6.0, 0.0))


@pytest.mark.parametrize("mode", MODES)
def test_edges_bleed_less(mode):
    _, labels, raw, result, _ = changes(mode)
    assert edge_distance(result, labels, 3) < edge_distance(raw, labels, 3)


def test_images_of_different_sizes_are_refused():
    truth, labels = photograph()
    with pytest.raises(ValueError, match="differ in size"):
        harmonize(truth[1:], truth, labels, SPACE, Harmonize())
