"""Pixel differences: MSE and PSNR (SPEC section 8; CCC++ Eq. 22 and 23)."""

from decimal import Decimal

import numpy as np
import torch

from pipeline.metrics.batches import ImageBatch, Values, per_image, sum_per_image
from pipeline.metrics.described import Photographs


def measure_errors(truth: Photographs, result: Photographs) -> dict[str, Values]:
    """MSE and PSNR of described batches; see `mse` and `psnr`.

    Args:
        truth: N photographs.
        result: as many, of the same size.

    Returns:
        "mse" and "psnr": float64 (N,).

    Raises:
        ValueError: if the shapes differ.
    """
    errors = mse(truth.images, result.images)
    return {"mse": errors, "psnr": psnr_of(errors)}


def mse(truth: ImageBatch, result: ImageBatch) -> Values:
    """Mean squared difference over pixels and the three channels, values in [0, 1] (Eq. 22).

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.

    Returns:
        float64 (N,) in [0, 1]; 0 for identical photographs. Exact: the sum is one of whole numbers.
    """
    return per_image(_mse, truth, result)


def _mse(truth: torch.Tensor, result: torch.Tensor) -> torch.Tensor:
    difference = truth.to(torch.int32) - result
    squares = sum_per_image(difference * difference)
    return squares.cpu().double() / (255**2 * difference[0].numel())


def psnr(truth: ImageBatch, result: ImageBatch) -> Values:
    """Peak signal-to-noise ratio, 10 log10(1 / MSE), per photograph (Eq. 23).

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.

    Returns:
        float64 (N,) in dB, at least 0; inf for identical photographs, which a mean has to leave out and count.
    """
    return psnr_of(mse(truth, result))


def psnr_of(errors: Values) -> Values:
    """PSNR of mean squared errors that are known already.

    Args:
        errors: float64 (N,) in [0, 1].

    Returns:
        float64 (N,) in dB, inf where the error is 0; each the float64 nearest to the exact one.
    """
    # in decimals, as numpy's logarithm has other last digits on other processors
    return np.array([float(-10 * Decimal(error).log10()) if error else np.inf for error in errors.tolist()], np.float64)
