"""Cross-entropy over kept classes, rare classes weighted up (CCC++ Eq. 13-16)."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.color.weighting import class_weights
from pipeline.losses.term import Term

if TYPE_CHECKING:
    import torch

    from pipeline.losses.batch import Batch, NetworkOutput


class ClassCrossEntropy(Term):
    """Mean over positions of the cross-entropy times the weight of the position's true class; SPEC R4, part by part.

    Attributes:
        balance: "batch" weighs by `color.weighting.class_weights` of the batch, "none" weighs every class 1 (Eq. 14).
        percent: p of Eq. 15, the share of the largest count below which a class counts as rare.
        ratio_term: whether the ratio of the largest to the smallest admitted count is added to every count.
        normalise: "none", or "mean_one" to divide the weights by their mean over the step's positions.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"classes"})

    balance: Literal["none", "batch"] = "batch"
    percent: Annotated[float, Field(gt=0, le=100)] = 10.0
    ratio_term: bool = True
    normalise: Literal["none", "mean_one"] = "none"

    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """The sum over positions divided by their number, not by the sum of weights.

        Args:
            output: `scores`, float (N, Q, h, w), are read.
            batch: `classes` and `counts` are read.

        Returns:
            float scalar.
        """
        from torch.nn import functional

        assert batch.classes is not None and batch.counts is not None
        if self.balance == "none":
            return functional.cross_entropy(output.scores, batch.classes)
        weights = class_weights(batch.counts, self.percent, self.ratio_term, self.normalise)
        scores = output.scores
        summed = functional.cross_entropy(scores, batch.classes, weight=weights.to(scores.dtype), reduction="sum")
        return summed / batch.classes.numel()
