"""Frechet distance between two sets of feature vectors, with mergeable state (Heusel et al. 2017, Eq. 6; CCC++ Eq. 27).

d^2 = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). The trace of the root is the sum of the roots of the eigenvalues of
C1^(1/2) C2 C1^(1/2), which is symmetric and has the eigenvalues of C1 C2: two symmetric eigenvalue problems, which
never give complex numbers and need no matrix square root.

Moments and distance go through BLAS and LAPACK: exact summation of 2048 x 2048 products would cost more than it brings,
for the features come out of a network and already differ between processors in their sixth digit. On one machine the
numbers are the same each time; between two compare six digits.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

ENOUGH_IMAGES = 2048
"""Below this many photographs a covariance of Inception's 2048 features is rank-deficient, and the distance biased."""


@dataclass(frozen=True)
class FeatureMoments:
    """Count, sum and sum of outer products of feature vectors, in float64.

    Attributes:
        count: n.
        total: float64 (D,), sum of x.
        products: float64 (D, D), sum of x x^T.
    """

    count: int
    total: npt.NDArray[np.float64]
    products: npt.NDArray[np.float64]

    @classmethod
    def of(cls, features: npt.NDArray[np.floating]) -> Self:
        """Moments of feature vectors.

        Args:
            features: (n, D).

        Returns:
            Their moments.
        """
        exact = features.astype(np.float64)
        return cls(len(exact), exact.sum(axis=0), exact.T @ exact)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.count + other.count, self.total + other.total, self.products + other.products)

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """float64 (D,)."""
        return self.total / self.count

    @property
    def covariance(self) -> npt.NDArray[np.float64]:
        """float64 (D, D), unbiased (n - 1)."""
        return (self.products - np.outer(self.total, self.total) / self.count) / (self.count - 1)


def frechet_distance(first: FeatureMoments, second: FeatureMoments) -> float:
    """The squared Frechet distance between two Gaussians: the number known as FID.

    Args:
        first: moments of one set, D features.
        second: moments of the other.

    Returns:
        At least 0 up to rounding; nan where either set has fewer than two vectors (no covariance).

    Raises:
        ValueError: if the two have different numbers of features.
    """
    if first.total.shape != second.total.shape:
        raise ValueError(f"the sets have {len(first.total)} and {len(second.total)} features; they must be equal")
    if min(first.count, second.count) < 2:
        return float("nan")
    covariance1, covariance2 = first.covariance, second.covariance
    values, vectors = np.linalg.eigh(covariance1)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ covariance2 @ root).clip(min=0)  # rounding leaves tiny negative ones
    difference = first.mean - second.mean
    return float(difference @ difference + covariance1.trace() + covariance2.trace() - 2 * np.sqrt(shared).sum())
