"""Cross-entropy over kept classes, rare classes weighted up (CCC++ Eq. 13-16)."""

import torch
from torch import nn
from torch.nn import functional

from pipeline.losses.batch import Batch


def class_weights(counts: torch.Tensor, percent: float, ratio_term: bool) -> torch.Tensor:
    """The weight of each class from its count in the batch: Eq. 15-16 in the reading SPEC R4, on the counts' device.

    Args:
        counts: integer (Q,), positions of each class; at least one position in all.
        percent: p in (0, 100]; no class counts as rarer than p % of the most frequent one.
        ratio_term: whether the ratio of the largest to the smallest admitted count is added to every count.

    Returns:
        float32 (Q,): about 1 for the most frequent class, at most 100 / p.
    """
    largest = counts.max().float()
    threshold = percent / 100 * largest
    adjusted = torch.maximum(counts.float(), threshold)
    if ratio_term:
        adjusted = adjusted + largest / threshold
    return largest / adjusted


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
        weights = class_weights(batch.counts, self.percent, self.ratio_term)
        if self.normalise == "mean_one":
            weights = weights * (batch.counts.sum() / (batch.counts * weights).sum())
        summed = functional.cross_entropy(scores, batch.classes, weight=weights.to(scores.dtype), reduction="sum")
        return summed / batch.classes.numel()
