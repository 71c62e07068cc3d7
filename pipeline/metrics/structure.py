"""Structure in sliding windows: SSIM and UIQI (SPEC section 8; CCC++ Eq. 24 and 26).

Both compare local means, variances and the covariance. Only windows that lie wholly inside the photograph count.
"""

import math

import torch

from pipeline.metrics.batches import ImageBatch, Values, per_image, planes, strips, sum_per_image
from pipeline.metrics.described import Photographs

GAUSSIAN_SIGMA = 1.5
GAUSSIAN_WINDOW = 11
UIQI_WINDOW = 8
K1, K2 = 0.01, 0.03


def measure_structure(truth: Photographs, result: Photographs) -> dict[str, Values]:
    """SSIM and UIQI of described batches; see `ssim` and `uiqi`.

    Args:
        truth: N photographs.
        result: as many, of the same size.

    Returns:
        "ssim" and "uiqi": float64 (N,).

    Raises:
        ValueError: if the shapes differ.
    """
    return {"ssim": ssim(truth.images, result.images), "uiqi": uiqi(truth.images, result.images)}


def ssim(truth: ImageBatch, result: ImageBatch) -> Values:
    """Structural similarity with a Gaussian window, mean over windows and the three channels (Eq. 24).

    Wang, Bovik, Sheikh, Simoncelli 2004, Eq. 13: window 11 x 11, sigma 1.5, K = (0.01, 0.03), data range 1, variances
    weighted by the window itself (no n / (n - 1)).

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.

    Returns:
        float64 (N,) in [-1, 1]; 1 for identical photographs; nan where a side is below 11 pixels.
    """
    return per_image(_ssim, truth, result, GAUSSIAN_WINDOW)


def _ssim(truth: torch.Tensor, result: torch.Tensor) -> torch.Tensor:
    total = torch.zeros(len(truth), dtype=torch.float64)
    centers = _levels(truth), _levels(result)
    for rows in strips(truth.shape[1], truth.shape[2], truth.device, GAUSSIAN_WINDOW):
        total += sum_per_image(_ssim_map(truth[:, rows], result[:, rows], *centers)).cpu()
    height, width = (side - GAUSSIAN_WINDOW + 1 for side in truth.shape[1:3])
    return total / (3 * height * width)


def _levels(images: torch.Tensor) -> torch.Tensor:
    """The whole level nearest to each channel's mean: uint8 (n, H, W, 3) -> float32 (n, 3, 1, 1)."""
    return images.flatten(1, 2).float().mean(1).round()[..., None, None]


def _ssim_map(
    truth: torch.Tensor, result: torch.Tensor, truth_levels: torch.Tensor, result_levels: torch.Tensor
) -> torch.Tensor:
    """SSIM of every window: uint8 (n, H, W, 3) twice -> float32 (n, 3, H - 10, W - 10).

    Variances do not see a shift, so both photographs are brought to a mean of about 0 first: that saves the float32
    digits which E[x^2] - E[x]^2 would lose.
    """
    x, y = planes(truth, torch.float32), planes(result, torch.float32)
    x, y = x.sub_(truth_levels).div_(255.0), y.sub_(result_levels).div_(255.0)
    maps = torch.stack([x, y, x * x + y * y, x * y], dim=1)
    mean_x, mean_y, squares, product = _gaussian(maps).unbind(1)
    variances = squares - mean_x * mean_x - mean_y * mean_y
    covariance = product - mean_x * mean_y
    mean_x, mean_y = mean_x + truth_levels / 255, mean_y + result_levels / 255
    c1, c2 = K1**2, K2**2
    numerator = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return numerator / ((mean_x * mean_x + mean_y * mean_y + c1) * (variances + c2))


def _gaussian(maps: torch.Tensor) -> torch.Tensor:
    """Weighted means over 11 x 11 windows: (..., H, W) -> (..., H - 10, W - 10).

    Down the columns first: that leaves the second pass fewer rows.
    """
    radius = GAUSSIAN_WINDOW // 2
    weights = [math.exp(-0.5 * (i / GAUSSIAN_SIGMA) ** 2) for i in range(-radius, radius + 1)]
    for dim in (-2, -1):
        size = maps.shape[dim] - 2 * radius
        blurred = maps.narrow(dim, 0, size) * (weights[0] / sum(weights))
        for offset, weight in enumerate(weights[1:], start=1):
            blurred.add_(maps.narrow(dim, offset, size), alpha=weight / sum(weights))
        maps = blurred
    return maps


def uiqi(truth: ImageBatch, result: ImageBatch, window: int = UIQI_WINDOW) -> Values:
    """Universal image quality index, mean over windows and the three channels (Eq. 26).

    Wang & Bovik 2002: Q = [2 cov / (var_x + var_y)] * [2 mean_x mean_y / (mean_x^2 + mean_y^2)] in every patch. A
    factor whose denominator is 0 is 1: two flat patches are compared by their means alone, and two equal flat patches
    score 1. Window sums are whole numbers, so that "flat" is decided exactly.

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.
        window: side of the patch in pixels, 2 to 11 (beyond, the sums no longer fit int32).

    Returns:
        float64 (N,) in [-1, 1]; 1 for identical photographs; nan where a side is below the window.

    Raises:
        ValueError: if the window is outside 2..11.
    """
    if not 2 <= window <= 11:
        raise ValueError(f"window is {window}, it takes 2 to 11")

    def measure(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(len(first), dtype=torch.float64)
        for rows in strips(first.shape[1], first.shape[2], first.device, window):
            total += sum_per_image(_uiqi_map(first[:, rows], second[:, rows], window)).cpu()
        height, width = (side - window + 1 for side in first.shape[1:3])
        return total / (3 * height * width)

    return per_image(measure, truth, result, window)


def _uiqi_map(truth: torch.Tensor, result: torch.Tensor, window: int) -> torch.Tensor:
    """UIQI of every patch: uint8 (n, H, W, 3) twice -> float32 (n, 3, H - window + 1, W - window + 1)."""
    x, y = planes(truth, torch.int32), planes(result, torch.int32)
    maps = torch.stack([x, y, x * x + y * y, x * y], dim=1)
    sum_x, sum_y, squares, product = _box_sums(_box_sums(maps, window, -2), window, -1).unbind(1)
    sums_product = sum_x * sum_y
    sums_squares = sum_x * sum_x + sum_y * sum_y
    count = window * window
    covariance = count * product - sums_product  # times count^2, like all that follow: the factors are ratios
    variances = count * squares - sums_squares
    flat, black = (variances == 0).int(), (sums_squares == 0).int()  # 0 / 0 becomes 1 / 1
    structure = (2.0 * covariance + flat) / (variances + flat)
    luminance = (2.0 * sums_product + black) / (sums_squares + black)
    return structure * luminance


def _box_sums(maps: torch.Tensor, window: int, dim: int) -> torch.Tensor:
    """Sums of `window` neighbours along an axis, put together from sums of 1, 2, 4 and 8 neighbours."""
    size = maps.shape[dim] - window + 1
    total: torch.Tensor | None = None
    offset, reach = 0, 1
    while True:
        if window & reach:
            part = maps.narrow(dim, offset, size)
            total = part if total is None else total + part
            offset += reach
        if 2 * reach > window:
            assert total is not None
            return total
        shorter = maps.shape[dim] - reach
        maps = maps.narrow(dim, 0, shorter) + maps.narrow(dim, reach, shorter)
        reach *= 2
