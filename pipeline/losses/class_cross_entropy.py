"""Cross-entropy over kept classes, rare classes weighted up (CCC++ Eq. 13-16)."""

import torch
from torch import nn
from torch.nn import functional

from pipeline.color.weighting import class_weights
from pipeline.losses.batch import Batch


class ClassCrossEntropy(nn.Module):
    """Mean over positions of the cross-entropy times the weight of the position's true class.

    Args:
        balance: "batch" weighs by `class_weights`, "none" weighs every class 1 (Eq. 14).
        percent, ratio_term: see `class_weights`.
        normalise: "none", or "mean_one" to divide the weights by their mean over the step's positions.
    """

    def __init__(
        self, balance: str = "batch", percent: float = 10.0, ratio_term: bool = True, normalise: str = "none"
    ) -> None:
        super().__init__()
        self.balance, self.percent, self.ratio_term, self.normalise = balance, percent, ratio_term, normalise

    def forward(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The loss of one batch or of a piece of it.

        Args:
            output: float (N, Q, H, W), class scores before softmax.
            batch: `classes` (N, H, W) and `counts` (Q,) are read.

        Returns:
            float scalar; the sum over positions is divided by their number, not by the sum of weights, so that equal
            pieces and equal processes average to the loss of the whole.
        """
        assert batch.classes is not None and batch.counts is not None
        scores = output if output.dtype == torch.float64 else output.float()
        if self.balance == "none":
            return functional.cross_entropy(scores, batch.classes)
        weights = class_weights(batch.counts, self.percent, self.ratio_term, self.normalise)
        summed = functional.cross_entropy(scores, batch.classes, weight=weights.to(scores.dtype), reduction="sum")
        return summed / batch.classes.numel()
