"""Partial histograms: what is counted, what is left out and why, and that grouping changes nothing."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from pipeline.color.histogram import HistogramPart, are_grey, check_totals, whole_histogram
from pipeline.color.lab import lab_table, rgb_index
from tests.color.test_pruning import unit_cells


def counted(photographs: np.ndarray, grey_chroma: float = 0.0) -> HistogramPart:
    partial = HistogramPart()
    partial.add(photographs, grey_chroma)
    return partial


def test_cells_are_those_of_histogram2d(photograph: Callable[..., np.ndarray]) -> None:
    photographs = np.stack([photograph(seed, 40, 40) for seed in range(5)])
    partial = counted(photographs)
    np.testing.assert_array_equal(partial.cells.reshape(256, 256), unit_cells(rgb2lab(photographs)[..., 1:]))
    assert (partial.images, partial.skipped) == (5, Counter())
    check_totals(partial, 5, 40)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_grouping_changes_nothing(groups: list[int], seed: int) -> None:
    photographs = np.random.default_rng(seed).integers(0, 256, (sum(groups), 6, 6, 3)).astype(np.uint8)
    photographs[::3] //= 64
    parts = np.split(photographs, np.cumsum(groups)[:-1])
    together, apart = counted(photographs, 9.0), whole_histogram(counted(part, 9.0) for part in reversed(parts))
    np.testing.assert_array_equal(together.cells, apart.cells)
    assert (together.images, together.skipped) == (apart.images, apart.skipped)


@given(st.floats(0, 12), st.integers(0, 2**31))
@settings(max_examples=80, deadline=None)
def test_grey_is_told_by_the_exact_mean_chroma(limit: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    photographs = (random.integers(0, 250, (4, 8, 8, 1)) + random.integers(0, 6, (4, 8, 8, 3))).astype(np.uint8)
    lab = rgb2lab(photographs)
    expected = np.hypot(lab[..., 1], lab[..., 2]).mean(axis=(1, 2)) < limit
    packed = lab_table()[rgb_index(photographs.reshape(4, -1, 3))]
    np.testing.assert_array_equal(are_grey(photographs, packed, limit), expected)


def test_grey_photographs_are_left_out_under_their_name(photograph: Callable[..., np.ndarray]) -> None:
    ramp = np.repeat(np.linspace(0, 255, 1600).astype(np.uint8).reshape(1, 40, 40, 1), 3, axis=-1)
    partial = counted(np.concatenate([ramp, photograph(1, 40, 40)[None], ramp]), 2.0)
    assert (partial.images, partial.skipped) == (1, Counter(grey=2))
    assert partial.cells.sum() == 1600
    assert counted(ramp, 0.0).images == 1
    partial.skip("truncated")
    check_totals(partial, 4, 40)


@pytest.mark.parametrize(("rows", "size", "says"), [(4, 40, "do not make the 4"), (3, 41, "holds 4800 pixels where")])
def test_totals_that_do_not_add_up_are_an_error(
    photograph: Callable[..., np.ndarray], rows: int, size: int, says: str
) -> None:
    partial = counted(np.stack([photograph(seed, 40, 40) for seed in range(3)]))
    check_totals(partial, 3, 40)
    with pytest.raises(RuntimeError, match=says):
        check_totals(partial, rows, size)
