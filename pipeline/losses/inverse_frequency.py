"""Cross-entropy with fixed weights, inverse to a class's frequency in the reference set (CS 766; SPEC R19)."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from pipeline.losses.term import Term

if TYPE_CHECKING:
    import torch

    from pipeline.losses.batch import Batch, NetworkOutput


class InverseFrequency(Term):
    """Mean over positions of w_q (-log softmax) for the true class q: w_q = f_q^-g, scaled to sum f w = 1.

    f_q = (n_q + 1) / (N + Q) is the share of class q in the reference set, never in the batch.

    Attributes:
        exponent: g; 1 is the source's text, 0 weighs every class 1.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"classes", "class_counts"})

    exponent: Annotated[float, Field(ge=0, le=4)] = 1.0

    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """The weighted cross-entropy.

        Args:
            output: `scores`, float (N, Q, h, w), are read.
            batch: `classes` and `class_counts` are read.

        Returns:
            float scalar.
        """
        from torch.nn import functional

        assert batch.classes is not None and batch.class_counts is not None
        weights = frequency_weights(batch.class_counts, self.exponent)
        scores = output.scores
        summed = functional.cross_entropy(scores, batch.classes, weight=weights.to(scores.dtype), reduction="sum")
        return summed / batch.classes.numel()


def frequency_weights(class_counts: "torch.Tensor", exponent: float) -> "torch.Tensor":
    """The weights of `InverseFrequency`.

    Args:
        class_counts: integer (Q,), pixels of each class in the reference set; no class has weight infinity, for each
            counts one pixel more.
        exponent: g, at least 0.

    Returns:
        float64 (Q,), on the device of the counts; their mean over the reference set's pixels is 1.
    """
    frequency = (class_counts + 1).double() / (class_counts.sum() + len(class_counts))
    weights = frequency**-exponent
    return weights / (frequency * weights).sum()
