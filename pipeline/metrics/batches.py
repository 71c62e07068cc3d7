"""Batches of photographs as the metrics take them, and the walk over them that keeps the working set small.

On a CPU the metrics are bound by memory, not by arithmetic: going one photograph (and one strip of rows) at a time
keeps every intermediate plane in the processor's cache and is several times faster than one large batch. On an
accelerator the whole batch goes at once. Neither changes a value: the photographs of a batch never meet.

MSE, PSNR, colorfulness and the class metrics are made of whole numbers and are the same on every machine. SSIM, UIQI,
CIEDE2000 and LPIPS compute in float32 with torch's own kernels, whose last digits are those of the processor: they
agree to six digits between machines, and to the last bit on one.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch

ImageBatch = npt.NDArray[np.uint8] | torch.Tensor
"""sRGB photographs, uint8 (N, H, W, 3), all of one size."""
Values = npt.NDArray[np.float64]
"""One number per photograph, float64 (N,); nan where the metric is undefined."""
Measure = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

STRIP_PIXELS = 1 << 15
"""Pixels of a strip on the CPU: 128 KiB per float32 plane, and the dozen planes of a metric stay in the cache."""


def as_batch(images: ImageBatch, device: torch.device | str | None = None) -> torch.Tensor:
    """Check a batch and bring it to a device.

    Args:
        images: uint8 (N, H, W, 3).
        device: where it goes; None leaves a tensor where it is and an array on the CPU.

    Returns:
        uint8 (N, H, W, 3) tensor.

    Raises:
        TypeError: if the values are not uint8 (a float image with nan, say, has no defined 8-bit value).
        ValueError: if the shape is not (N, H, W, 3).
    """
    if not isinstance(images, torch.Tensor):
        array = np.ascontiguousarray(images)
        if not array.flags.writeable:  # torch shares the memory and would warn; nothing here writes to it
            array = array.copy()
        if array.dtype != np.uint8:
            raise TypeError(f"a batch of photographs is {array.dtype}, it takes uint8")
        images = torch.from_numpy(array)
    if images.dtype != torch.uint8:
        raise TypeError(f"a batch of photographs is {images.dtype}, it takes uint8")
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"a batch of photographs has shape {tuple(images.shape)}, it takes (N, H, W, 3)")
    return images if device is None else images.to(device)


def as_pair(truth: ImageBatch, result: ImageBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """Check a truth and a result that belong together.

    Args:
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.

    Returns:
        Both as tensors, on the result's device.

    Raises:
        TypeError: if either is not uint8.
        ValueError: if a shape is not (N, H, W, 3), or the two differ.
    """
    second = as_batch(result)
    first = as_batch(truth, second.device)
    if first.shape != second.shape:
        raise ValueError(f"truth has shape {tuple(first.shape)}, result {tuple(second.shape)}; they must be equal")
    return first, second


def per_image(measure: Measure, truth: ImageBatch, result: ImageBatch, smallest: int = 1) -> Values:
    """Apply a measure to a batch: photograph by photograph on a CPU, at once elsewhere.

    Args:
        measure: two uint8 tensors (n, H, W, 3) -> (n,) or (n, K).
        truth: uint8 (N, H, W, 3).
        result: uint8 of the same shape.
        smallest: photographs with a side below this give nan.

    Returns:
        float64 (N,) or (N, K).
    """
    first, second = as_pair(truth, result)
    if min(first.shape[1:3]) < smallest:
        return np.full(len(first), np.nan)
    parts = [measure(first[part], second[part]) for part in one_by_one(first)]
    return torch.cat(parts).double().cpu().numpy() if parts else np.empty(0)


def one_by_one(images: torch.Tensor) -> Iterator[slice]:
    """Slices of a batch: photograph by photograph on a CPU, all at once on an accelerator.

    Args:
        images: (N, ...).

    Yields:
        Slices that cover the batch.
    """
    step = 1 if images.device.type == "cpu" else max(len(images), 1)
    for start in range(0, len(images), step):
        yield slice(start, start + step)


def sum_per_image(values: torch.Tensor) -> torch.Tensor:
    """Sum everything but the first axis in float64 (int64 for whole numbers).

    Args:
        values: (n, ...).

    Returns:
        (n,) on the CPU where the device knows no float64, else on the device.
    """
    if not values.is_floating_point():
        return values.flatten(1).sum(1, dtype=torch.int64)
    values = values.cpu() if values.device.type == "mps" else values
    return values.flatten(1).sum(1, dtype=torch.float64)


def strips(height: int, width: int, device: torch.device, window: int = 1) -> Iterator[slice]:
    """Slices of rows such that the windows of all slices are each window of the photograph once.

    Args:
        height: px.
        width: px.
        device: where the photograph is.
        window: side of the sliding window; neighbouring slices overlap by window - 1 rows.

    Yields:
        Slices of at least `window` rows; one for the whole photograph on an accelerator.
    """
    windows = height - window + 1
    rows = max(STRIP_PIXELS // width, 16) if device.type == "cpu" else windows
    for start in range(0, windows, rows):
        yield slice(start, min(start + rows, windows) + window - 1)


def planes(images: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Channels first.

    Args:
        images: uint8 (n, H, W, 3).
        dtype: of the answer.

    Returns:
        (n, 3, H, W), contiguous, values 0..255.
    """
    return images.permute(0, 3, 1, 2).to(dtype=dtype, memory_format=torch.contiguous_format)
