"""Colorfulness (CF): Hasler & Suesstrunk 2003, Measuring colourfulness in natural images (SPEC section 8)."""

import torch

from pipeline.metrics.batches import ImageBatch, Values, as_pair, per_image, sum_per_image
from pipeline.metrics.described import Photographs


def measure_colorfulness(truth: Photographs, result: Photographs) -> dict[str, Values]:
    """Colorfulness of described batches; see `cf`, `cf_abs` and `cf_difference`.

    Args:
        truth: N photographs.
        result: as many.

    Returns:
        "cf", "cf_abs" and "cf_difference": float64 (N,).
    """
    signed, absolute = result.colorfulness.T
    return {"cf": signed, "cf_abs": absolute, "cf_difference": abs(signed - truth.colorfulness[:, 0])}


def cf(truth: ImageBatch, result: ImageBatch) -> Values:
    """Colorfulness of the result, from the signed opponent channels rg = R - G and yb = (R + G) / 2 - B.

    CF = sqrt(var rg + var yb) + 0.3 sqrt(mean rg ^ 2 + mean yb ^ 2), variances over all pixels (no n - 1).

    Args:
        truth: uint8 (N, H, W, 3); only its shape is looked at.
        result: uint8 of the same shape.

    Returns:
        float64 (N,), at least 0 (grey); natural photographs lie between 10 and 110.
    """
    return colorfulness(as_pair(truth, result)[1])[:, 0]


def cf_abs(truth: ImageBatch, result: ImageBatch) -> Values:
    """Colorfulness of the result from |rg| and |yb|, as some code computes it; not the published definition.

    Args:
        truth: uint8 (N, H, W, 3); only its shape is looked at.
        result: uint8 of the same shape.

    Returns:
        float64 (N,), at least 0.
    """
    return colorfulness(as_pair(truth, result)[1])[:, 1]


def cf_difference(truth: ImageBatch, result: ImageBatch) -> Values:
    """Absolute difference between the colorfulness of result and truth.

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.

    Returns:
        float64 (N,), at least 0; 0 is best.
    """
    return abs(cf(result, result) - cf(truth, truth))


def colorfulness(images: ImageBatch) -> Values:
    """CF and its variant from absolute values, at once.

    Args:
        images: uint8 (N, H, W, 3).

    Returns:
        float64 (N, 2): `cf` and `cf_abs`.
    """
    return per_image(lambda image, _: _colorfulness(image), images, images).reshape(-1, 2)


def _colorfulness(image: torch.Tensor) -> torch.Tensor:
    red, green, blue = image.to(torch.int32).unbind(-1)
    opponents = [red - green, red + green - 2 * blue]  # the second one doubled, to stay with whole numbers
    count = red[0].numel()
    variance, mean_square = torch.zeros((2, len(image), 2), dtype=torch.float64)
    for opponent, scale in zip(opponents, (1.0, 0.5), strict=True):
        sums = torch.stack([sum_per_image(opponent), sum_per_image(opponent.abs())], dim=1)
        mean = sums.cpu().double() * (scale / count)
        square = sum_per_image(opponent * opponent).cpu().double() * (scale**2 / count)
        variance += square[:, None] - mean * mean
        mean_square += mean * mean
    return variance.clamp_min(0).sqrt() + 0.3 * mean_square.sqrt()
