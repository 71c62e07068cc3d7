"""Perceptual hashes against scipy's cosine transform, and groups against comparing every pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.fft import dctn

from pipeline.sets.duplicates import near_duplicate_leaders, near_pairs, perceptual_hash


def distance(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def picture(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (7, 9, 3), dtype=np.uint8))
    return np.asarray(small.resize((160, 120), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("seed", range(5))
def test_hash_is_the_cosine_transforms(seed: int) -> None:
    rgb = picture(seed)
    small = np.asarray(Image.fromarray(rgb).resize((32, 32), Image.Resampling.BOX)).astype(float)
    luma = 0.299 * small[..., 0] + 0.587 * small[..., 1] + 0.114 * small[..., 2]
    low = dctn(luma, norm=None)[:8, :8]
    bits = "".join("1" if value > np.median(low) else "0" for value in low.ravel())
    assert distance(perceptual_hash(rgb), int(bits, 2)) <= 1  # a coefficient at the median may round either way


def test_a_picture_without_detail_has_no_noise_in_its_hash() -> None:
    """Frequencies that are not there are exactly 0, not what a processor's rounding leaves of them."""
    ramp = np.repeat(np.arange(0, 256, 8, dtype=np.uint8)[None, :, None], 32, axis=0).repeat(3, axis=2)
    for flat in (np.full((32, 32, 3), 90, np.uint8), np.full((64, 50, 3), (10, 200, 7), np.uint8)):
        assert perceptual_hash(flat) == 1 << 63
    assert perceptual_hash(np.zeros((32, 32, 3), np.uint8)) == 0
    assert perceptual_hash(ramp) & ~(0xFF << 56) == 0  # only the frequencies along the ramp, the first row
    assert perceptual_hash(ramp.swapaxes(0, 1)) & ~0x8080808080808080 == 0


def test_copies_are_near_and_others_are_far() -> None:
    rgb = picture(1)
    half = np.asarray(Image.fromarray(rgb).resize((80, 60)))
    darker = (rgb * 0.8).astype(np.uint8)
    assert distance(perceptual_hash(rgb), perceptual_hash(half)) <= 4
    assert distance(perceptual_hash(rgb), perceptual_hash(darker)) <= 4
    apart = [distance(perceptual_hash(rgb), perceptual_hash(picture(seed))) for seed in range(2, 30)]
    assert min(apart) > 10


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.lists(st.integers(0, 63), max_size=4)), max_size=12),
    st.integers(0, 8),
)
def test_groups_equal_comparing_every_pair(recipe: list[tuple[int, list[int]]], bits: int) -> None:
    bases = [int.from_bytes(np.random.default_rng(seed).bytes(8)) for seed in range(6)]
    hashes = []
    for base, flips in recipe:
        value = bases[base]
        for flip in flips:
            value ^= 1 << flip
        hashes.append(value)
    expected = list(range(len(hashes)))  # label propagation over all pairs
    for _ in hashes:
        for one in range(len(hashes)):
            for other in range(len(hashes)):
                if distance(hashes[one], hashes[other]) <= bits:
                    expected[one] = expected[other] = min(expected[one], expected[other])
    digests = [str(number) for number in range(len(hashes))]
    assert near_duplicate_leaders(hashes, digests, bits) == expected


def test_exact_copies_are_grouped_whatever_their_hash() -> None:
    assert near_duplicate_leaders([0, 2**64 - 1, 5], ["same", "other", "same"], -1) == [0, 1, 0]


def test_many_photographs_are_grouped_quickly() -> None:
    """Copies among them, as many a folder has: comparing each with each would take minutes."""
    hashes = [int(value) for value in np.random.default_rng(0).integers(0, 2**63, 60_000)] + [7] * 40_000
    digests = [str(number) for number in range(100_000)]
    assert near_duplicate_leaders(hashes, digests, 4) == [*range(60_000), *[60_000] * 40_000]


@pytest.mark.parametrize("bits", range(13))
def test_pairs_are_those_of_comparing_all(bits: int) -> None:
    """Half of one array are hashes of the other with up to 13 bits changed, so every distance occurs."""
    random = np.random.default_rng(bits)
    hashes = random.integers(0, 2**64, 500, dtype=np.uint64)
    others = random.integers(0, 2**64, 260, dtype=np.uint64)
    for number in range(130):
        flipped = [1 << int(bit) for bit in random.choice(64, number % 14, replace=False)]
        others[number] = hashes[number] ^ np.uint64(sum(flipped))
    for one, other in ((hashes, others), (others, hashes), (hashes[:0], others), (hashes, hashes)):
        expected = np.nonzero(np.bitwise_count(one[:, None] ^ other[None]) <= bits)
        found = near_pairs(one, other, bits)
        assert np.array_equal(found[0], expected[0])
        assert np.array_equal(found[1], expected[1])
