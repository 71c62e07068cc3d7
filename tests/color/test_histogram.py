"""HistogramPart histograms: what is counted, what is left out and why, and that grouping changes nothing."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from pipeline.color.histogram import HistogramPart, check_totals, whole_histogram
from tests.color.test_pruning import unit_cells


def counted(photographs: np.ndarray) -> HistogramPart:
    partial = HistogramPart()
    partial.add(photographs)
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
    together, apart = counted(photographs), whole_histogram(counted(part) for part in reversed(parts))
    np.testing.assert_array_equal(together.cells, apart.cells)
    assert (together.images, together.skipped) == (apart.images, apart.skipped)


def test_what_is_left_out_stands_under_its_reason(photograph: Callable[..., np.ndarray]) -> None:
    partial = counted(photograph(1, 40, 40)[None])
    partial.skip("truncated")
    assert (partial.images, partial.skipped) == (1, Counter(truncated=1))
    check_totals(partial, 2, 40)


@pytest.mark.parametrize(("rows", "size", "says"), [(4, 40, "do not make the 4"), (3, 41, "holds 4800 pixels where")])
def test_totals_that_do_not_add_up_are_an_error(
    photograph: Callable[..., np.ndarray], rows: int, size: int, says: str
) -> None:
    partial = counted(np.stack([photograph(seed, 40, 40) for seed in range(3)]))
    check_totals(partial, 3, 40)
    with pytest.raises(RuntimeError, match=says):
        check_totals(partial, rows, size)
