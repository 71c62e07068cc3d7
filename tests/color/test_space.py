"""Class ids against floor((ab + s) / w) on scikit-image's Lab, arrays and tensors; decoding; the map to kept ones."""

import json
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from pipeline.color.space import ColorSpace
from tests.color.test_lab import STRIDE, cube

BIN_SIZES = (4, 5, 6, 8, 10, 12, 14)
SHIFTS = (100, 108, 128)
ACCELERATORS = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
DEVICES = ["cpu", *(name for name, available in ACCELERATORS.items() if available)]


def plain_classes(ab: np.ndarray, bin_size: int, shift: int) -> np.ndarray:
    """Eq. 9 as it is printed, in float64, on values clipped to [-s, s)."""
    clipped = np.clip(ab, -shift, np.nextafter(shift, 0))
    bins = np.floor((clipped + shift) / bin_size).astype(np.int64)
    return bins[..., 0] * int(np.ceil(2 * shift / bin_size)) + bins[..., 1]


SPACES = [ColorSpace(bin_size, shift) for bin_size in BIN_SIZES for shift in SHIFTS]


def test_grid_sizes_of_the_paper() -> None:
    assert {w: ColorSpace(w).total for w in (4, 6, 8, 10, 12, 14)} == {
        4: 2916,
        6: 1296,
        8: 729,
        10: 484,
        12: 324,
        14: 256,
    }
    assert ColorSpace(10, 100).total == 400


@pytest.mark.parametrize("space", SPACES, ids=lambda space: f"{space.bin_size}-{space.shift}")
def test_ids_are_those_of_scikit_image(space: ColorSpace) -> None:
    colors = cube(STRIDE)
    expected = plain_classes(rgb2lab(colors)[:, 1:], space.bin_size, space.shift)
    ids = space.encode(colors)
    assert ids.dtype == np.int32
    np.testing.assert_array_equal(ids, expected)
    for device in DEVICES:
        tensor = space.encode(torch.from_numpy(colors).to(device))
        assert tensor.dtype == torch.int64
        np.testing.assert_array_equal(tensor.cpu().numpy(), expected)


@pytest.mark.exhaustive
def test_ids_of_the_whole_cube() -> None:
    green, blue = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8), indexing="ij")
    for red in range(256):
        plane = np.stack([np.full_like(green, red), green, blue], axis=-1)
        ab, tensor = rgb2lab(plane)[..., 1:], torch.from_numpy(plane)
        for space in SPACES:
            expected = plain_classes(ab, space.bin_size, space.shift)
            np.testing.assert_array_equal(space.encode(plane), expected)
            np.testing.assert_array_equal(space.encode(tensor).numpy(), expected)


def test_any_shape_is_encoded() -> None:
    space, colors = ColorSpace(6), cube(49999)
    flat = space.encode(colors)
    block = colors[:300].reshape(2, 5, 30, 3)
    np.testing.assert_array_equal(space.encode(block), flat[:300].reshape(2, 5, 30))
    np.testing.assert_array_equal(space.encode(block.swapaxes(0, 2)), flat[:300].reshape(2, 5, 30).swapaxes(0, 2))
    assert space.encode(colors[7]) == flat[7]
    assert space.encode(np.zeros((0, 3), np.uint8)).shape == (0,)


def test_more_pixels_than_are_encoded_at_a_time() -> None:
    space, colors = ColorSpace(6), cube(101)
    assert len(colors) > 4 * 32768
    np.testing.assert_array_equal(space.encode(colors)[-1000:], space.encode(colors[-1000:]))


classes = st.builds(
    lambda bin_size, shift, seed: (ColorSpace(bin_size, shift), seed),
    *(st.integers(1, 40), st.integers(20, 128), st.integers(0, 2**31)),
)


@given(classes)
@settings(max_examples=60, deadline=None)
def test_a_bin_center_lies_in_its_own_class(chosen: tuple[ColorSpace, int]) -> None:
    space, seed = chosen
    ids = np.random.default_rng(seed).integers(0, space.total, 200)
    centers = space.decode(ids)
    inside = (centers < space.shift).all(axis=1)  # the last bin may reach over the edge of [-s, s)
    np.testing.assert_array_equal(space.encode_ab(centers)[inside], ids[inside])


@given(classes)
@settings(max_examples=60, deadline=None)
def test_encoding_moves_ab_by_half_a_bin_at_most(chosen: tuple[ColorSpace, int]) -> None:
    space, seed = chosen
    ab = np.random.default_rng(seed).uniform(-space.shift, space.shift, (200, 2))
    ab = np.minimum(ab, np.nextafter(space.shift, 0))
    ids = space.encode_ab(ab)
    np.testing.assert_array_equal(ids, plain_classes(ab, space.bin_size, space.shift))
    assert np.abs(space.decode(ids) - ab).max() <= space.bin_size / 2 + 1e-5
    np.testing.assert_array_equal(space.encode_ab(torch.from_numpy(ab)).numpy(), ids)
    np.testing.assert_array_equal(space.decode(torch.from_numpy(ids)).numpy(), space.decode(ids))


def test_values_outside_count_in_the_outermost_bins() -> None:
    space = ColorSpace(10, 100)
    far = np.array([[-500.0, -500.0], [500.0, 500.0], [100.0, -100.0]])
    assert space.encode_ab(far).tolist() == [0, 399, 380]
    assert space.encode_ab(torch.from_numpy(far)).tolist() == [0, 399, 380]


def test_a_center_worked_by_hand() -> None:
    space = ColorSpace(6)
    assert space.encode_ab(np.array([[0.0, 0.0]])).tolist() == [18 * 36 + 18]
    assert space.decode(np.array([18 * 36 + 17])).tolist() == [[3.0, -3.0]]


@given(st.integers(5, 40), st.integers(20, 128), st.integers(0, 2**31), st.floats(0.01, 1))
@settings(max_examples=40, deadline=None)
def test_the_map_is_the_nearest_kept_class(bin_size: int, shift: int, seed: int, share: float) -> None:
    total = ColorSpace(bin_size, shift).total
    random = np.random.default_rng(seed)
    kept = np.sort(random.choice(total, max(1, int(share * total)), replace=False))
    space = ColorSpace(bin_size, shift, kept)
    index = space.to_kept(np.arange(total))
    assert index[kept].tolist() == list(range(len(kept)))
    grid = space.grid
    for one in random.integers(0, total, 40).tolist():
        distances = [((one // grid - k // grid) ** 2 + (one % grid - k % grid) ** 2, k) for k in kept.tolist()]
        assert kept[index[one]] == min(distances)[1]
    tensor = space.to_kept(torch.arange(total))
    np.testing.assert_array_equal(tensor.numpy(), index)
    np.testing.assert_array_equal(space.decode_kept(tensor).numpy(), space.decode(kept[index]))


def test_ties_go_to_the_lower_class() -> None:
    space = ColorSpace(6, 108, np.array([100, 102]))
    assert space.kept[space.to_kept(np.array([101]))].tolist() == [100]


def test_the_finest_grid_maps_in_bounded_memory() -> None:
    kept = np.arange(0, 216 * 216, 97)
    space = ColorSpace(1, 108, kept)
    assert space.kept[space.to_kept(np.array([97 * 3 + 1, 97 * 3 - 1]))].tolist() == [97 * 3, 97 * 3]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((0,), "bin_size"),
        ((-6,), "bin_size"),
        ((6.0,), "bin_size"),
        ((True,), "bin_size"),
        ((6, 0), "shift"),
        ((6, 108, np.array([], int)), "kept"),
        ((6, 108, np.array([3, 2])), "kept"),
        ((6, 108, np.array([1296])), "kept"),
    ],
)
def test_an_impossible_space_is_refused(arguments: tuple[object, ...], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ColorSpace(*arguments)  # type: ignore[arg-type]


def test_spaces_are_equal_by_their_grid_and_kept_classes() -> None:
    kept = np.array([3, 5, 900])
    one, same = ColorSpace(6, 108, kept), ColorSpace(np.int64(6), np.int16(108), kept.astype(np.int32))
    others = [ColorSpace(6, 108, kept[:2]), ColorSpace(6, 107, kept), ColorSpace(7, 108, kept), ColorSpace(6)]
    assert one == same
    assert hash(one) == hash(same)
    assert len({one, same, *others}) == 5
    assert one not in others
    assert ColorSpace(6) == ColorSpace(6, 108, np.arange(1296))
    assert one != (6, 108, kept)


def test_a_space_does_not_follow_its_maker_s_array() -> None:
    kept = np.array([3, 5], np.int32)
    space = ColorSpace(6, 108, kept)
    kept[0] = 4
    assert space.kept.tolist() == [3, 5]
    with pytest.raises(ValueError, match="read-only"):
        space.kept[0] = 4


def test_a_space_survives_json() -> None:
    space = ColorSpace(np.int64(10), 100, np.array([0, 7, 399]))
    values = json.loads(json.dumps(space.to_json()))
    assert values == {"bin_size": 10, "shift": 100, "kept": [0, 7, 399]}
    assert ColorSpace.from_json(values | {"name": "paper"}) == space
    with pytest.raises(KeyError, match="shift"):
        ColorSpace.from_json({"bin_size": 10, "kept": [0]})
    with pytest.raises(ValueError, match="kept"):
        ColorSpace.from_json(values | {"kept": [7, 0]})


def test_a_pickled_space_is_its_kept_ids() -> None:
    space = ColorSpace(4, 108, np.arange(0, 2916, 3))
    fresh = pickle.dumps(space)
    space.encode(np.zeros((1, 3), np.uint8)), space.to_kept(np.arange(9)), space.decode_kept(np.arange(9))
    assert pickle.dumps(space) == fresh
    assert len(fresh) < 4 * space.kept_count + 200
    twice = pickle.loads(fresh), pickle.loads(fresh)
    assert twice[0] is twice[1]
    assert twice[0] == space
    assert twice[0].kept.dtype == np.int32
    np.testing.assert_array_equal(twice[0].to_kept(np.arange(2916)), space.to_kept(np.arange(2916)))


def identity(space: ColorSpace) -> int:
    space.to_kept(np.arange(space.total))
    return id(space)


def test_a_worker_has_one_space_for_all_its_tasks() -> None:
    space = ColorSpace(6, 108, np.arange(0, 1296, 2))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert len({pool.submit(identity, space).result() for _ in range(3)}) == 1
