"""Photographs that show the same thing: 64-bit perceptual hashes, the pairs that are near, and groups of them."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from pipeline.images.resizing import resize

SIDE = 32
KEPT = 8
NEAR_DUPLICATE_BITS = 4
"""Photographs whose perceptual hashes differ in at most so many bits count as the same picture.

Exactly half of a hash's bits are set, so any two differ in an even number. Measured: of 1,044 photographs saved anew
(JPEG quality 60 or 30, half the size, 64 x 64, darkened by a fifth, grey) at least 99.9 % lie within 4 bits of the
original, of those with gamma 0.8 98.9 %. Among 27,500 photographs of seven collections no two of different collections
or classes lie within 4 bits but three copies; at 6 bits there are three pairs more, at 8 twenty. That is few among 378
million pairs, and thousands among those of a training set of millions. Cropped copies escape either number (2 % off
each side: 66 % lie within 4 bits, 88 % within 6).
"""
CANDIDATES = 1 << 20
"""Pairs compared at a time: some tens of megabytes."""
LOOK_UP = 20
"""What looking one hash up costs, measured in comparisons of two hashes."""


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


def near_pairs(
    hashes: npt.NDArray[np.uint64], others: npt.NDArray[np.uint64], bits: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find every pair of hashes, one of each array, that differ in at most so many bits.

    The 64 bits are cut into bands. If two hashes differ in few bits, they differ in very few in at least one band: so
    it is enough to look up, band by band, the hashes that equal one of these in the band but for very few bits, and to
    compare only those (multi-index hashing: Norouzi, Punjani, Fleet 2012, section 3.2). How many bands are best depends
    on the number of hashes. With the bands of `NEAR_DUPLICATE_BITS` the time grows with the number of hashes, not with
    that of pairs.

    Args:
        hashes: uint64 (N,).
        others: uint64 (M,).
        bits: 0 to 64.

    Returns:
        int64 (P,) and int64 (P,), positions in `hashes` and in `others`; ordered by the first, then the second.
    """
    if len(hashes) < len(others):  # the larger array is sorted, the smaller one is looked up
        right, left = near_pairs(others, hashes, bits)
        order = np.lexsort((right, left))
        return left[order], right[order]
    found = [np.zeros(0, np.int64)]
    for mask, flips in _bands(bits, len(hashes)):
        banded = hashes & mask
        order = np.argsort(banded)
        keys = banded[order]
        for flip in flips:
            wanted = (others & mask) ^ flip
            first, behind = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
            found += _verified(hashes, others, bits, order, first, behind - first)
    pairs = np.unique(np.concatenate(found))
    return pairs // max(len(others), 1), pairs % max(len(others), 1)


def _verified(
    hashes: npt.NDArray[np.uint64],
    others: npt.NDArray[np.uint64],
    bits: int,
    order: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
) -> Iterator[npt.NDArray[np.int64]]:
    """The candidates that are near, some at a time: a pair as one number, position in hashes * M + in others."""
    hit = np.flatnonzero(counts)
    ends = np.cumsum(counts[hit])
    for part in np.split(hit, np.searchsorted(ends, np.arange(CANDIDATES, ends[-1] if len(hit) else 0, CANDIDATES))):
        of = np.repeat(part, counts[part])
        starts = np.cumsum(counts[part]) - counts[part]
        position = order[np.arange(len(of)) - np.repeat(starts - first[part], counts[part])]
        near = np.bitwise_count(hashes[position] ^ others[of]) <= bits
        yield position[near] * len(others) + of[near]


def _bands(bits: int, count: int) -> list[tuple[np.uint64, npt.NDArray[np.uint64]]]:
    """How to look for hashes within so many bits of one: bands of the 64 bits, and what may differ inside each.

    Returns:
        For each band its mask, and what a hash's bits in it are combined with (exclusive or) to look for others. Of
        `bits` = bands * radius + rest, the first rest + 1 bands allow `radius` bits and the others one less: two hashes
        that differ in more than that in every band differ in more than `bits` in all.
    """
    best: tuple[float, list[tuple[int, int]]] = (float("inf"), [])
    for bands in range(1, min(bits + 1, 64) + 1):
        radius, rest = divmod(bits, bands)
        widths = [len(range(band, 64, bands)) for band in range(bands)]
        plan = [(width, radius if band <= rest else radius - 1) for band, width in enumerate(widths)]
        looked_up = [(width, sum(comb(width, flipped) for flipped in range(allowed + 1))) for width, allowed in plan]
        cost = sum(number * (LOOK_UP + count / 2.0**width) for width, number in looked_up)
        best = min(best, (cost, [(bands, allowed) for _, allowed in plan]))
    found = []
    for band, (bands, allowed) in enumerate(best[1]):
        ones = [1 << bit for bit in range(band, 64, bands)]  # every n-th bit: neighbouring frequencies are alike
        flips = [sum(some) for flipped in range(allowed + 1) for some in combinations(ones, flipped)]
        if flips:
            found.append((np.uint64(sum(ones)), np.array(flips, np.uint64)))
    return found


def near_duplicate_leaders(hashes: Sequence[int], exact: Sequence[str], bits: int) -> list[int]:
    """Group photographs that are copies of each other, or nearly.

    Args:
        hashes: perceptual hashes, 64 bits.
        exact: something equal for equal bytes, such as a digest, in the same order.
        bits: how many bits near duplicates may differ in; -1 compares exact bytes only.

    Returns:
        For each photograph the position of the first of its group; a chain of near duplicates is one group.
    """
    from scipy.sparse import coo_array  # here, as every command reads the settings and only this one needs scipy
    from scipy.sparse.csgraph import connected_components

    count = len(hashes)
    _, leader, copy_of = np.unique(np.array(exact, object), return_index=True, return_inverse=True)
    left, right = [np.arange(count)], [leader[copy_of]]
    if bits >= 0:
        known, first, same = np.unique(np.array(hashes, np.uint64), return_index=True, return_inverse=True)
        near = near_pairs(known, known, bits)
        left += [np.arange(count), first[near[0]]]
        right += [first[same], first[near[1]]]
    edges = (np.concatenate(left), np.concatenate(right))
    graph = coo_array((np.ones(len(edges[0]), np.int8), edges), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    _, leaders = np.unique(group, return_index=True)
    return leaders[group].tolist()
