"""The filters of other libraries, against the libraries."""

import cv2
import numpy as np
import pytest

from pipeline.images.other_filters import resize_area, resize_opencv_bilinear


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(256, 256), (64, 100), (300, 31)])
def test_opencv_bilinear_to_the_last_bit(size: tuple[int, int]) -> None:
    """Noise, where every rounding shows; larger, smaller, equal, twice the size in one direction or both, one pixel."""
    height, width = size
    shapes = [(2 * height, 2 * width), (2 * height, width), (height, 2 * width), size, (1, 1), (2, 3), (3, 900)]
    random = np.random.default_rng(1)
    shapes += [(int(h), int(w)) for h, w in random.integers(1, 900, (60, 2))]
    for shape in shapes:
        photograph = noise(*shape)
        expected = cv2.resize(photograph, (width, height))
        assert np.array_equal(resize_opencv_bilinear(photograph, size), expected), shape


def test_extremes_do_not_overflow() -> None:
    for level in (0, 255):
        photograph = np.full((500, 333, 3), level, np.uint8)
        assert (resize_opencv_bilinear(photograph, (256, 256)) == level).all()
        assert (resize_area(photograph, (256, 256)) == level).all()


def test_area_against_opencv_in_float() -> None:
    """Where both shrink, the two libraries mean the same filter; OpenCV computes in float32 and rounds nothing here."""
    for shape in ((500, 333), (512, 512), (257, 700), (375, 375)):
        photograph = noise(*shape)
        expected = cv2.resize(photograph.astype(np.float32), (256, 256), interpolation=cv2.INTER_AREA)
        found = resize_area(photograph, (256, 256)).astype(np.float64)
        assert np.abs(found - expected).max() < 0.5 + 1e-3
        sure = np.abs(expected - np.floor(expected) - 0.5) > 1e-3
        assert np.array_equal(found[sure], np.rint(expected)[sure])


def test_area_by_hand() -> None:
    row = np.array([0, 30, 90], np.uint8)[None, :, None].repeat(3, axis=2)
    assert resize_area(row, (1, 2))[0, :, 0].tolist() == [10, 70]  # (0 + 30 / 2) / 1.5, (30 / 2 + 90) / 1.5
    assert resize_area(row, (1, 6))[0, :, 0].tolist() == [0, 0, 30, 30, 90, 90]  # larger: no pixel is made up
    halves = np.array([[1, 2], [2, 3]], np.uint8)[:, :, None].repeat(3, axis=2)
    assert resize_area(halves, (2, 1))[:, 0, 0].tolist() == [2, 2]  # 1.5 and 2.5, both to even
