"""Class counts, reachability, pruning and the map, against numpy.histogram2d and the published counts."""

import numpy as np
import pytest
from skimage.color import rgb2lab

from pipeline.color import pruning
from pipeline.color.lab import lab_to_rgb
from pipeline.color.space import ColorSpace


def unit_cells(ab: np.ndarray) -> np.ndarray:
    """The histogram that a user would write."""
    edges = np.arange(-128, 129)
    return np.histogram2d(ab[..., 0].ravel(), ab[..., 1].ravel(), bins=(edges, edges))[0].astype(np.int64)


@pytest.fixture(scope="module")
def ab() -> np.ndarray:
    """(a, b) of colors between two hues, some of them rare."""
    random = np.random.default_rng(3)
    rgb = np.clip(random.normal((120, 100, 80), (60, 30, 45), (20_000, 3)), 0, 255).astype(np.uint8)
    return rgb2lab(rgb)[:, 1:]


@pytest.mark.parametrize(("bin_size", "shift"), [(1, 108), (4, 108), (6, 108), (7, 100), (10, 100), (14, 128)])
def test_counts_of_any_grid_come_from_the_unit_cells(ab: np.ndarray, bin_size: int, shift: int) -> None:
    space = ColorSpace(bin_size, shift)
    inside = np.clip(ab, -shift, np.nextafter(shift, 0))
    edges = -shift + bin_size * np.arange(space.grid + 1)
    expected = np.histogram2d(inside[:, 0], inside[:, 1], bins=(edges, edges))[0].reshape(-1)
    np.testing.assert_array_equal(pruning.class_counts(unit_cells(ab), space), expected)


def test_what_a_shift_leaves_outside_is_counted() -> None:
    cells = unit_cells(np.array([[100.5, 0], [99.5, 0], [-100.5, 0], [0, -107.2], [-100, 99.9], [-101, 101]]))
    assert pruning.clipped_count(cells, 100) == 4
    assert pruning.clipped_count(cells, 108) == 0
    assert pruning.class_counts(cells, ColorSpace(10, 100)).sum() == 6


def test_reachable_classes_are_those_of_the_specification() -> None:
    counted = {w: int(pruning.reachable_classes(ColorSpace(w)).sum()) for w in (4, 6, 8, 10, 12, 14)}
    assert counted == {4: 1493, 6: 687, 8: 395, 10: 262, 12: 187, 14: 140}
    assert pruning.reachable_cells().sum() == 1 << 24


def test_a_class_is_kept_from_the_least_share_on() -> None:
    counts = np.array([500, 499, 0, 501, 998_500])
    assert pruning.kept_classes(counts, 500 / 1e6).tolist() == [0, 3, 4]
    assert pruning.kept_classes(counts, 0).tolist() == [0, 1, 2, 3, 4]
    assert pruning.kept_classes(counts, 0.5, min_count=500).tolist() == [0, 3, 4]
    assert pruning.kept_classes(counts, 0.5, min_count=1).tolist() == [0, 1, 3, 4]


def test_pruned_classes_go_to_the_nearest_kept_one(ab: np.ndarray) -> None:
    table = pruning.prune(unit_cells(ab), 6, 108, 1e-3)
    kept = np.flatnonzero(table.count / table.count.sum() >= 1e-3)
    np.testing.assert_array_equal(table.space.kept, kept)
    np.testing.assert_array_equal(np.flatnonzero(table.kept), kept)
    assert 10 < len(kept) < (table.count > 0).sum()
    centers = np.stack(np.divmod(np.arange(1296), 36), axis=1) * 6 - 105
    distances = np.linalg.norm(centers[:, None] - centers[None, kept], axis=-1)
    np.testing.assert_array_equal(table.mapped_to, kept[np.round(distances, 9).argmin(axis=1)])
    by_label = np.zeros(1296, np.int64)
    np.add.at(by_label, table.mapped_to, table.count)
    by_index = np.bincount(table.space.to_kept(np.arange(1296)), table.count, table.space.kept_count)
    np.testing.assert_array_equal(by_index, by_label[kept])
    assert by_index.sum() == len(ab)
    assert table.share.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((0.9, None), r"min_share is 0\.9 and keeps"), ((0, 10**6), r"min_count is 1e\+06 and keeps")],
)
def test_a_cut_that_keeps_nothing_is_refused(ab: np.ndarray, arguments: tuple[float, int | None], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        pruning.prune(unit_cells(ab), 6, 108, *arguments)


def test_an_empty_histogram_is_refused() -> None:
    with pytest.raises(ValueError, match="no pixel"):
        pruning.prune(np.zeros((256, 256), np.int64), 6, 108, 0)


def test_class_colors_are_the_bin_centers_at_l_50() -> None:
    colors = pruning.class_colors(ColorSpace(10, 105))
    assert colors.shape == (441, 3)
    assert colors[10 * 21 + 10].tolist() == [119, 119, 119]  # Lab(50, 0, 0)
    assert colors[14 * 21 + 10].tolist() == lab_to_rgb(np.array([50.0, 40.0, 0.0])).tolist()
