"""Objects from overlapping masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco
from scipy import ndimage

from pipeline.masks.objects import PromptOutside, Selection, edge_pixels, interior_pixels, label_objects, select_objects
from pipeline.masks.rle import Segment, decode_mask, encode_mask, scale_nearest, segments_of_labels

HEIGHT, WIDTH = 20, 30


def box_mask(x: int, y: int, width: int, height: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + height, x : x + width] = True
    return mask


def smallest_by_hand(masks: list[np.ndarray]) -> np.ndarray:
    """For each pixel the area of the smallest mask that covers it, 0 where none does; one pixel at a time."""
    areas = np.zeros((HEIGHT, WIDTH), int)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            areas[y, x] = min((int(mask.sum()) for mask in masks if mask[y, x]), default=0)
    return areas


boxes = st.tuples(st.integers(0, 24), st.integers(0, 14), st.integers(1, 6), st.integers(1, 6))


@settings(max_examples=40, deadline=None)
@given(st.lists(boxes, min_size=1, max_size=8), st.randoms())
def test_a_pixel_belongs_to_its_smallest_mask_in_any_order(chosen, random):
    masks = [box_mask(*box) for box in chosen]
    segments = [encode_mask(mask) for mask in masks]
    labels = label_objects(segments, HEIGHT, WIDTH)
    shuffled = segments.copy()
    random.shuffle(shuffled)
    assert np.array_equal(label_objects(shuffled, HEIGHT, WIDTH), labels)
    areas = np.zeros_like(labels)
    for number, segment in enumerate(sorted(segments, key=lambda one: (-one.area, one.box, one.counts)), start=1):
        areas[labels == number] = segment.area
    assert np.array_equal(areas, smallest_by_hand(masks))


def test_run_lengths_are_those_of_coco():
    mask = box_mask(3, 4, 5, 6)
    segment = encode_mask(mask, 0.5, 0.75)
    # by column: 3 empty columns of 20 and 4 pixels, then 6 in and 14 out of the mask, five times over
    runs = [64, 6, 14, 6, 14, 6, 14, 6, 14, 6, 600 - 64 - 5 * 6 - 4 * 14]
    written = coco.frPyObjects({"size": [HEIGHT, WIDTH], "counts": runs}, HEIGHT, WIDTH)
    assert segment.counts == written["counts"].decode()
    assert np.array_equal(decode_mask(segment), mask)
    assert (segment.area, segment.box, segment.predicted_iou, segment.stability) == (30, (3, 4, 5, 6), 0.5, 0.75)


def test_partitions_become_masks_of_the_photograph():
    labels = np.array([[0, 1], [-1, 1]])
    segments = segments_of_labels(labels, (4, 6))
    assert [segment.area for segment in segments] == [6, 12]
    assert np.array_equal(scale_nearest(np.arange(4), (4,))[None], np.arange(4)[None])
    assert np.array_equal(scale_nearest(np.array([[7, 9]]), (1, 6)), [[7, 7, 7, 9, 9, 9]])


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match="30 x 20, it takes the photograph's 31 x 20"):
        label_objects([encode_mask(box_mask(0, 0, 3, 3))], 20, 31)


def test_edges_and_interiors_of_a_square():
    labels = np.zeros((15, 15), np.int32)
    labels[3:12, 3:12] = 1
    edges = edge_pixels(labels)
    ring = (labels == 1) & ~ndimage.binary_erosion(labels == 1)
    assert np.array_equal(edges, ring)
    for band in (0, 1, 2):
        eroded = labels == 1 if band == 0 else ndimage.binary_erosion(labels == 1, np.ones((3, 3)), band)
        assert np.array_equal(interior_pixels(labels, edges, band), eroded)
    # 9 wide: the deepest pixel is 4 away from the edge, so a band of 30 leaves those at least 2 away
    narrow = interior_pixels(labels, edges, 30)
    assert np.array_equal(narrow, ndimage.binary_erosion(labels == 1, np.ones((3, 3)), 2))


def test_the_border_of_the_photograph_is_no_edge():
    labels = np.ones((6, 6), np.int32)
    assert not edge_pixels(labels).any()
    assert interior_pixels(labels, edge_pixels(labels), 3).all()


def test_selections():
    segments: list[Segment] = [encode_mask(box_mask(*box)) for box in ((0, 0, 6, 6), (10, 0, 5, 5), (20, 10, 4, 4))]
    labels = label_objects(segments, HEIGHT, WIDTH)
    assert set(np.unique(select_objects(labels, Selection()))) == {0, 1, 2, 3}
    assert set(np.unique(select_objects(labels, Selection(largest=2)))) == {0, 1, 2}
    assert set(np.unique(select_objects(labels, Selection(points=((12.0, 2.0), (29.0, 19.0)))))) == {0, 2}
    half, less = (20.0, 10.0, 22.0, 14.0), (20.0, 10.0, 21.0, 14.0)
    assert set(np.unique(select_objects(labels, Selection(boxes=(half,))))) == {0, 3}
    assert set(np.unique(select_objects(labels, Selection(boxes=(less,))))) == {0}


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        (Selection(points=((30.0, 5.0),)), "point \\(30, 5\\) lies outside"),
        (Selection(boxes=((40.0, 0.0, 50.0, 5.0),)), "box \\(40, 0, 50, 5\\) covers no pixel"),
        (Selection(boxes=((5.0, 5.0, 5.0, 9.0),)), "covers no pixel"),
    ],
)
def test_prompts_outside_the_photograph(selection, told):
    with pytest.raises(PromptOutside, match=told):
        select_objects(np.zeros((HEIGHT, WIDTH), np.int32), selection)
