"""Regression of ab (CCC++ Eq. 5-8): means over positions and both channels of a function of output minus truth.

Output and truth are ab over `AB_SCALE` (128), which makes them about one; `Huber`'s delta is in the same unit.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from pipeline.losses.batch import Batch


def _float(output: torch.Tensor) -> torch.Tensor:
    """At least float32: a mean of squares in bfloat16 has three digits."""
    return output if output.dtype == torch.float64 else output.float()


class L1(nn.Module):
    """Mean absolute error, Eq. 5."""

    def forward(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Scalar from output (N, 2, H, W) and `batch.ab` of the same shape."""
        return functional.l1_loss(_float(output), batch.ab)


class L2(nn.Module):
    """Mean squared error, Eq. 6."""

    def forward(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Scalar from output (N, 2, H, W) and `batch.ab` of the same shape."""
        return functional.mse_loss(_float(output), batch.ab)


class Huber(nn.Module):
    """Squared within delta, linear beyond, Eq. 7: x^2 / 2 and delta (|x| - delta / 2)."""

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        self.delta = delta

    def forward(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Scalar from output (N, 2, H, W) and `batch.ab` of the same shape."""
        return functional.huber_loss(_float(output), batch.ab, delta=self.delta)


class LogCosh(nn.Module):
    """log cosh x, Eq. 8, as |x| + log(1 + exp(-2 |x|)) - log 2, which does not overflow."""

    def forward(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Scalar from output (N, 2, H, W) and `batch.ab` of the same shape."""
        difference = (_float(output) - batch.ab).abs()
        return (difference + functional.softplus(-2 * difference) - math.log(2)).mean()
