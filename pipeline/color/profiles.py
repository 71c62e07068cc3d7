"""Color profiles: groups of photographs with alike dominant colors (Robles and Budach; SPEC R32)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.color.dominant_colors import DominantColors
from pipeline.color.soft_encoding import soft_shares
from pipeline.color.space import ColorSpace

Floats = npt.NDArray[np.float64]

GRID = ColorSpace(10, 115)
"""The 529 bins over which a descriptor, whose length varies, is spread."""
NEIGHBOURS, SIGMA = 10, 5.0
"""Of the soft encoding (R11)."""
VECTOR_DECIMALS = 9
"""Of a vector's entries, so that they are the same on every processor."""
STARTS, ROUNDS = 10, 300


class Profiles(NamedTuple):
    """Groups of photographs.

    Attributes:
        labels: int64 (N,), the profile of each photograph, from 0, by rising mean chroma.
        centers: float64 (k, 529), the mean vector of each profile.
        inertia: sum of the squared distances of the vectors from their centers.
    """

    labels: npt.NDArray[np.int64]
    centers: Floats
    inertia: float


def profile_vector(found: DominantColors) -> Floats:
    """A descriptor as a vector of fixed length, whose distances are Hellinger's.

    Args:
        found: of a photograph.

    Returns:
        float64 (529,): the square root of its shares spread over the classes of `GRID`; its squares sum to 1.
    """
    index, shares = soft_shares(found.colors, GRID.kept_centers, NEIGHBOURS, SIGMA)
    spread = np.zeros(GRID.total, np.float64)
    np.add.at(spread, index, shares * found.shares[:, None])
    return np.sqrt(spread).round(VECTOR_DECIMALS)


def descriptor_chroma(found: DominantColors) -> float:
    """The mean chroma of a photograph's dominant colors, in CIELAB units."""
    return float((np.hypot(found.colors[:, 0], found.colors[:, 1]) * found.shares).sum())


def find_profiles(descriptors: Sequence[DominantColors], count: int, seed: int) -> Profiles:
    """Group photographs by k-means of their vectors: k-means++, the best of ten starts.

    Args:
        descriptors: of the photographs, those of the training part alone.
        count: k, profiles; at most the number of photographs.
        seed: of the starts.

    Returns:
        The profiles, ordered by the mean chroma of their photographs.

    Raises:
        ValueError: if fewer photographs than profiles look different.
    """
    vectors = np.stack([profile_vector(one) for one in descriptors])
    different = len(np.unique(vectors, axis=0))
    if different < count:
        raise ValueError(f"{different} photographs look different, which cannot make {count} profiles")
    random = np.random.default_rng((seed, 2))
    labels, centers, inertia = min((_k_means(vectors, count, random) for _ in range(STARTS)), key=lambda one: one[2])
    chroma = np.array([descriptor_chroma(one) for one in descriptors])
    means = np.bincount(labels, chroma, count) / np.bincount(labels, minlength=count)
    order = np.argsort(means, kind="stable")
    return Profiles(np.argsort(order)[labels], centers[order], inertia)


def nearest_profile(found: DominantColors, centers: Floats) -> int:
    """The profile of a photograph that was not among those grouped.

    Args:
        found: its descriptor.
        centers: float64 (k, 529), as in `Profiles`.

    Returns:
        Its number, the lowest of equally near ones.
    """
    return int(_squared(profile_vector(found)[None], centers)[0].argmin())


def _squared(vectors: Floats, centers: Floats) -> Floats:
    """Squared distances, float64 (N, k), a center at a time and without BLAS."""
    return np.stack([((vectors - center) ** 2).sum(axis=1) for center in centers], axis=1)


def _k_means(vectors: Floats, count: int, random: np.random.Generator) -> tuple[npt.NDArray[np.int64], Floats, float]:
    """One start: centers by k-means++, then Lloyd until no vector changes its center."""
    chosen = [int(random.integers(len(vectors)))]
    nearest = _squared(vectors, vectors[chosen])[:, 0]
    while len(chosen) < count:
        place = random.random() * np.cumsum(nearest)[-1]
        chosen.append(min(int(np.searchsorted(np.cumsum(nearest), place, side="right")), len(vectors) - 1))
        nearest = np.minimum(nearest, _squared(vectors, vectors[chosen[-1:]])[:, 0])
    centers, labels = vectors[chosen].copy(), np.full(len(vectors), -1, np.int64)
    for _ in range(ROUNDS):
        squared = _squared(vectors, centers)
        found = squared.argmin(axis=1)
        if np.array_equal(found, labels):
            break
        labels = found
        for number in range(count):
            if (labels == number).any():
                centers[number] = vectors[labels == number].mean(axis=0)
            else:  # an empty group starts anew at the vector that is worst off
                centers[number] = vectors[squared.min(axis=1).argmax()]
    return labels, centers, float(_squared(vectors, centers).min(axis=1).sum())
