"""The class spaces of the other systems: ids, centers and reachable classes worked out for their readings (SPEC 9)."""

import numpy as np
import pytest
from skimage.color import rgb2lab

from pipeline.color.pruning import reachable_classes
from pipeline.color.space import ColorSpace

CCC, CS766, CIC = ColorSpace(10, 100), ColorSpace(10, 110), ColorSpace(10, 115)


@pytest.mark.parametrize(
    ("space", "grid", "reachable"), [(CCC, 20, 265), (CS766, 22, 268), (CIC, 23, 261)], ids=["ccc", "cs766", "cic"]
)
def test_sizes(space: ColorSpace, grid: int, reachable: int) -> None:
    assert (space.grid, space.total) == (grid, grid**2)
    assert reachable_classes(space).sum() == reachable


@pytest.mark.parametrize(
    ("space", "ab", "class_id", "center"),
    [
        (CCC, (0.0, 0.0), 210, (5, 5)),
        (CCC, (-0.1, 0.0), 190, (-5, 5)),  # no center is neutral, and neutral lies on the edge of four bins
        (CS766, (35.5, -20.2), 316, (35, -25)),
        (CIC, (3.0, -2.0), 264, (0, 0)),
    ],
)
def test_ids_and_centers(
    space: ColorSpace, ab: tuple[float, float], class_id: int, center: tuple[float, float]
) -> None:
    assert space.encode_ab(np.array([ab])).tolist() == [class_id]
    assert tuple(space.decode(np.array([class_id]))[0]) == center


def test_grey_has_a_chroma_of_seven_in_ccc_and_blue_lies_outside() -> None:
    assert np.hypot(*CCC.decode(np.array([210]))[0]) == pytest.approx(7.07, abs=0.005)
    blue = np.array([[[0, 0, 255]]], np.uint8)
    b = rgb2lab(blue)[0, 0, 2]
    center = CCC.decode(CCC.encode(blue))[0, 0, 1]
    assert b == pytest.approx(-107.86, abs=0.005)
    assert (center, center - b) == (-95, pytest.approx(12.86, abs=0.005))


def test_ids_of_ccc_are_floors_of_scikit_image_s_lab() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (20_000, 3), np.uint8)
    ab = np.clip(rgb2lab(rgb)[:, 1:], -100, np.nextafter(100, 0))
    np.testing.assert_array_equal(CCC.encode(rgb), np.floor((ab + 100) / 10).astype(int) @ [20, 1])


def test_what_ccc_prunes_goes_to_the_nearest_kept_center() -> None:
    random = np.random.default_rng(1)
    reachable = np.flatnonzero(reachable_classes(CCC))
    kept = np.sort(random.choice(reachable, 215, replace=False))
    space = ColorSpace(10, 100, kept)
    ids = np.arange(400)
    squared = ((space.decode(ids)[:, None] - space.decode(kept)[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(space.to_kept(ids), squared.argmin(axis=1))
