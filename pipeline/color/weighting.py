"""How much each kept class counts: CIC's prior weights, CCC++'s weights per batch (Eq. 13-16; SPEC sections 5, 9)."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Counts = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

MOST_BATCHES = 256
"""Batches drawn at most: 256 x 64 photographs fix the medians of Eq. 15's weights to well under one percent."""


class BatchSummary(NamedTuple):
    """What a class weighting does to one batch.

    Attributes:
        weight_min: least weight of a class present in the batch.
        weight_median: median over the classes present.
        weight_max: largest weight of a class present.
        effective_classes: exp of the Shannon entropy of the classes' shares of the batch's summed weight: the number of
            classes that the loss would listen to if it listened to each of them alike.
    """

    weight_min: float
    weight_median: float
    weight_max: float
    effective_classes: float


def smoothed_prior(prior: Floats, centers: npt.NDArray[np.floating], sigma: float) -> Floats:
    """The prior convolved with a Gaussian over the ab plane (Zhang, Isola, Efros 2016, sec. 2.2).

    Args:
        prior: float (Q,), share of each kept class; sums to 1.
        centers: float (Q, 2), bin centers in CIELAB units.
        sigma: standard deviation in CIELAB units.

    Returns:
        float64 (Q,), sums to 1: for each kept class the Gaussian-weighted sum over all kept classes, renormalized, for
        what the Gaussian spreads outside the kept classes has nowhere to go.
    """
    (rows, row), (columns, column) = (np.unique(axis, return_inverse=True) for axis in centers.T.astype(np.float64))
    plane = np.zeros((len(rows), len(columns)))
    np.add.at(plane, (row, column), prior)
    smooth = _blurred(_blurred(plane, rows, sigma).T, columns, sigma).T[row, column]
    return smooth / math.fsum(smooth)


def _blurred(plane: Floats, places: Floats, sigma: float) -> Floats:
    """A plane (n, m) convolved along its first axis, whose rows lie at `places` (n,), in one order of summation."""
    distances, index = np.unique(np.abs(places[:, None] - places), return_inverse=True)
    gauss = _gauss(distances, sigma)[index.reshape(len(places), -1)]
    blurred = np.zeros_like(plane)
    for row, weights in zip(plane, gauss, strict=True):
        blurred += weights[:, None] * row
    return blurred


def _gauss(distances: Floats, sigma: float) -> Floats:
    """exp(-d^2 / 2 sigma^2), each the float64 nearest to the exact one: numpy's exp differs between processors."""
    scale = 2 * Decimal(sigma) ** 2
    return np.array([float((-(Decimal(distance) ** 2) / scale).exp()) for distance in distances.tolist()])


def cic_weights(prior: Floats, uniform_share: float) -> Floats:
    """CIC's rebalancing weights (Zhang, Isola, Efros 2016, Eq. 4; SPEC section 9).

    Args:
        prior: float (Q,), the smoothed prior; sums to 1.
        uniform_share: l in [0, 1], the share of the uniform distribution mixed in; 1 weighs all classes alike.

    Returns:
        float64 (Q,): ((1 - l) p + l / Q)^-1, scaled so that the expected weight sum(p * weight) is 1.

    Raises:
        ValueError: if l is 0 and a class has no prior, which would weigh infinitely.
    """
    mixed = (1 - uniform_share) * prior + uniform_share / len(prior)
    if not mixed.all():
        raise ValueError(
            f"{int((mixed == 0).sum())} kept classes have prior 0 and a uniform share of 0: no finite weight"
        )
    weights = 1 / mixed
    return weights / math.fsum(prior * weights)


@overload
def class_weights(counts: Counts, percent: float, ratio_term: bool = ..., normalise: str = ...) -> Floats: ...
@overload
def class_weights(
    counts: "torch.Tensor", percent: float, ratio_term: bool = ..., normalise: str = ...
) -> "torch.Tensor": ...
def class_weights(
    counts: "Counts | torch.Tensor", percent: float, ratio_term: bool = True, normalise: str = "none"
) -> "Floats | torch.Tensor":
    """The class weights of one batch (Eq. 15-16 in the reading SPEC R4).

    With f the count of a class and m the largest: T = percent / 100 * m; f^ = max(f, T) + m / T; W = m / f^.

    Args:
        counts: integer (Q,), positions of the batch whose true class is q, at least one: an array, or a tensor on any
            device, which is not waited for.
        percent: p in (0, 100], the share of the largest count below which a class counts as rare.
        ratio_term: whether m / T is added.
        normalise: "none", or "mean_one" for a mean weight of 1 over the batch's positions.

    Returns:
        float64 (Q,), of a tensor float32 (Q,) on its device: about 1 for the most frequent class up to 100 / percent; a
        class absent from the batch has the weight of the rarest.

    Raises:
        ValueError: if `percent` or `normalise` is none of the above, or an array holds no position (of a tensor without
            one the weights are nan: to look would be to wait).
    """
    if not 0 < percent <= 100 or normalise not in ("none", "mean_one"):
        raise ValueError(f"percent takes (0, 100] and normalise none or mean_one, got {percent!r} and {normalise!r}")
    if isinstance(counts, np.ndarray) and not counts.any():
        raise ValueError("a batch without a position has no weights")
    found = counts * 1.0  # float64 for an array, float32 for a tensor
    largest = found.max()
    threshold = percent / 100 * largest
    adjusted = found.clip(min=threshold)
    weights = largest / (adjusted + largest / threshold if ratio_term else adjusted)
    if normalise == "mean_one":
        weights = weights * (found.sum() / (found * weights).sum())
    return weights


def effective_classes(mass: Floats | Counts) -> float:
    """The number of equally strong classes that would have the same entropy.

    Args:
        mass: (Q,), what each class adds, not negative, not all zero.

    Returns:
        exp of the Shannon entropy of the shares, in [1, Q].
    """
    share = mass[mass > 0] / mass.sum()
    return float(Decimal(float(-(share * _logarithm(share)).sum())).exp())


def _logarithm(values: Floats) -> Floats:
    """ln of positive values, from `+ - * /` alone: numpy's has other last digits on other processors.

    With t = (m - 1) / (m + 1) for a mantissa m in [1 / sqrt 2, sqrt 2), ln m = 2 (t + t^3 / 3 + t^5 / 5 + ...).
    """
    mantissa, exponent = np.frexp(values)
    low = mantissa < math.sqrt(0.5)
    mantissa = np.where(low, 2 * mantissa, mantissa)
    t = (mantissa - 1) / (mantissa + 1)
    series = np.zeros_like(t)
    for odd in range(23, 0, -2):
        series = series * (t * t) + 1 / odd
    return 2 * t * series + (exponent - low) * math.log(2)


def summarize_batch(counts: Counts, percent: float) -> BatchSummary:
    """Eq. 15's weights over the classes that a batch holds.

    Args:
        counts: integer (Q,), positions of the batch per kept class.
        percent: p in (0, 100].

    Returns:
        The spread of the weights and the effective number of classes. `percent` 100 is Eq. 14, all weights alike.
    """
    weights = class_weights(counts, percent)
    present = weights[counts > 0]
    return BatchSummary(
        float(present.min()), float(np.median(present)), float(present.max()), effective_classes(counts * weights)
    )


def draw_batches(image_ids: Sequence[str], batch: int, seed: int, most: int = MOST_BATCHES) -> list[list[str]]:
    """Batches as an epoch of training would draw them: a shuffle cut into equal parts.

    Args:
        image_ids: the photographs; their order does not matter.
        batch: photographs in a batch.
        seed: of the shuffle.
        most: batches drawn at most.

    Returns:
        Full batches of different photographs; the incomplete last one is left out. A set smaller than one batch gives
        one batch of all it has.
    """
    ordered = sorted(image_ids)
    shuffled = [ordered[index] for index in np.random.default_rng(seed).permutation(len(ordered))]
    if len(shuffled) < batch:
        return [shuffled] if shuffled else []
    return [shuffled[start : start + batch] for start in range(0, len(shuffled) - batch + 1, batch)][:most]
