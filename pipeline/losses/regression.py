"""Regression of ab (CCC++ Eq. 5-8): means over positions and both channels of a function of output minus truth.

Output and truth are ab in units of the losses (over 128), which makes them about one; `Huber`'s delta is in the same
unit. What a class head puts out counts by its expected ab, so these terms may stand beside those over classes.
"""

import math
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pipeline.losses.term import Term

if TYPE_CHECKING:
    import torch

    from pipeline.losses.batch import Batch, NetworkOutput


class L1(Term):
    """Mean absolute error, Eq. 5."""

    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """Float scalar from `output.ab` and `batch.ab`, (N, 2, h, w)."""
        from torch.nn import functional

        return functional.l1_loss(output.ab, batch.ab)


class L2(Term):
    """Mean squared error, Eq. 6."""

    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """Float scalar from `output.ab` and `batch.ab`, (N, 2, h, w)."""
        from torch.nn import functional

        return functional.mse_loss(output.ab, batch.ab)


class Huber(Term):
    """Squared within delta, linear beyond, Eq. 7: x^2 / 2 and delta (|x| - delta / 2).

    Attributes:
        delta: where the one becomes the other, in units of Lab.
    """

    delta: Annotated[float, Field(gt=0)] = 1.0

    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """Float scalar from `output.ab` and `batch.ab`, (N, 2, h, w)."""
        from torch.nn import functional

        return functional.huber_loss(output.ab, batch.ab, delta=self.delta)


class LogCosh(Term):
    """log cosh x, Eq. 8, as |x| + log(1 + exp(-2 |x|)) - log 2, which does not overflow."""

    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """Float scalar from `output.ab` and `batch.ab`, (N, 2, h, w)."""
        from torch.nn import functional

        difference = (output.ab - batch.ab).abs()
        return (difference + functional.softplus(-2 * difference) - math.log(2)).mean()
