"""Squared errors, partly weighted by how rare the true value is (Robles and Budach; SPEC R36)."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.color.constants import AB_SCALE
from pipeline.losses.term import Term
from pipeline.settings.sections import Share

if TYPE_CHECKING:
    import torch

    from pipeline.losses.batch import Batch, NetworkOutput

SMALLEST = 1e-7
"""Added to a share, so that an empty bin has a weight."""


class Profile(Term):
    """(1 - s) mean d^2 + s mean (w_a d_a^2 + w_b d_b^2) / 2, with d the error in units of the losses.

    w = 1 / sqrt(h + 1e-7), h the share of the true value's bin among 64 equal bins of [-128, 128), for a and for b. By
    the predicted value a network would move to the cheap bins.

    Attributes:
        weighted_share: s; 0.35 in the source.
        normalise: "mean_one" brings the mean weight over the reference set's values of a and b to 1 by one factor;
            "sum_to_one" is the source's text, under which empty bins take all and the weighted part vanishes.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"axis_counts"})

    weighted_share: Share = 0.35
    normalise: Literal["mean_one", "sum_to_one"] = "mean_one"

    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """The weighted sum of both parts.

        Args:
            output: `ab`, float (N, 2, h, w), is read.
            batch: `ab` and `axis_counts` are read.

        Returns:
            float scalar.
        """
        import torch

        assert batch.axis_counts is not None
        squared = (output.ab - batch.ab).square()
        weights = value_weights(batch.axis_counts, self.normalise).to(squared.dtype)
        bins = weights.shape[1]
        places = ((batch.ab * AB_SCALE + 128) * (bins / 256)).floor().long().clamp(0, bins - 1)
        of_position = torch.stack([weights[axis][places[:, axis]] for axis in (0, 1)], dim=1)
        s = self.weighted_share
        return (1 - s) * squared.mean() + s * (of_position * squared).mean()


def value_weights(axis_counts: "torch.Tensor", normalise: str) -> "torch.Tensor":
    """The weight of each bin: w of `Profile`.

    Args:
        axis_counts: int64 (2, bins), pixels of the reference set by bin of a and of b.
        normalise: "none", "mean_one" or "sum_to_one".

    Returns:
        float64 (2, bins), on the device of the counts.
    """
    shares = axis_counts.double() / axis_counts.sum(dim=1, keepdim=True)
    weights = (shares + SMALLEST) ** -0.5
    if normalise == "mean_one":
        return weights / (shares * weights).sum(dim=1).mean()
    return weights / weights.sum() if normalise == "sum_to_one" else weights
