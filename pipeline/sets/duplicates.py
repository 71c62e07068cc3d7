"""Photographs that show the same thing: 64-bit perceptual hashes, and groups that stand in one split."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from pipeline.images.resizing import resize

SIDE = 32
KEPT = 8


@cache
def _cosines() -> npt.NDArray[np.int64]:
    """The first 8 rows of the 32-point DCT-II matrix times 2^17, rounded: int64 (8, 32).

    Whole numbers, so that a hash has the same bits on every processor: a sum of 32 x 32 products of two such cosines
    and a luma in thousandths stays below 2^63.
    """
    frequency, position = np.arange(KEPT)[:, None], np.arange(SIDE)[None]
    return np.rint(np.cos(np.pi * frequency * (2 * position + 1) / (2 * SIDE)) * (1 << 17)).astype(np.int64)


def perceptual_hash(rgb: npt.NDArray[np.uint8]) -> int:
    """Hash what a photograph looks like, not its bytes.

    The photograph is shrunk to 32 x 32 luma; of its cosine transform the 8 x 8 lowest frequencies are compared with
    their median, one bit each (Zauner 2010, section 3.2.1). Copies that were resized, recompressed or slightly
    recoloured differ in few bits; unrelated photographs differ in about 32.

    Args:
        rgb: uint8 (height, width, 3), sRGB.

    Returns:
        64 bits; the most significant is the lowest frequency.
    """
    small = rgb if rgb.shape[:2] == (SIDE, SIDE) else resize(rgb, (SIDE, SIDE), "box")
    red, green, blue = np.moveaxis(small.astype(np.int64), -1, 0)
    luma = 299 * red + 587 * green + 114 * blue
    cosines = _cosines()
    spectrum = cosines @ luma @ cosines.T
    ordered = np.sort(spectrum, axis=None)  # np.median takes ten times as long for 64 values
    bits = (spectrum > (ordered[31] + ordered[32]) // 2).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def distance(one: int, other: int) -> int:
    """The number of bits in which two hashes differ.

    Args:
        one: a hash.
        other: another.

    Returns:
        0 (the same) to 64.
    """
    return (one ^ other).bit_count()


def groups(hashes: Sequence[int], exact: Sequence[Hashable], bits: int) -> list[int]:
    """Group photographs that are copies of each other, or nearly.

    Two hashes that differ in at most `bits` bits agree in at least one of `bits` + 1 slices of the 64 bits, so only
    photographs that share a slice are compared: a folder of 100,000 needs no 5 billion comparisons.

    Args:
        hashes: perceptual hashes.
        exact: something equal for equal bytes, such as a digest, in the same order.
        bits: how many bits near duplicates may differ in; -1 compares exact bytes only.

    Returns:
        For each photograph the position of the first of its group; a chain of near duplicates is one group.
    """
    leader = list(range(len(hashes)))

    def find(position: int) -> int:
        while leader[position] != position:
            leader[position] = leader[leader[position]]
            position = leader[position]
        return position

    def join(one: int, other: int) -> None:
        first, second = sorted((find(one), find(other)))
        leader[second] = first

    buckets: dict[Hashable, list[int]] = defaultdict(list)
    for position, key in enumerate(exact):
        buckets[key].append(position)
    for alike in buckets.values():
        for position in alike[1:]:
            join(alike[0], position)
    edges = np.linspace(0, 64, bits + 2).round().astype(int) if bits >= 0 else np.zeros(0, int)
    for low, high in pairwise(edges):
        slices: dict[int, list[int]] = defaultdict(list)
        for position, value in enumerate(hashes):
            slices[(value >> int(low)) & ((1 << int(high - low)) - 1)].append(position)
        for alike in slices.values():
            for one, other in combinations(alike, 2):
                if find(one) != find(other) and distance(hashes[one], hashes[other]) <= bits:
                    join(one, other)
    return [find(position) for position in range(len(hashes))]
