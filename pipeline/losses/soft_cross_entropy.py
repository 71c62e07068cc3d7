"""Cross-entropy against soft targets, rare colors weighted up (Zhang, Isola, Efros 2016, Eq. 2-4; SPEC R11 to R14)."""

from functools import cache
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from pipeline.color.constants import AB_SCALE
from pipeline.losses.term import Term
from pipeline.settings.sections import Positive, Share

if TYPE_CHECKING:
    import torch
    from torch.utils.weak import WeakTensorKeyDictionary

    from pipeline.losses.batch import Batch, NetworkOutput

GREY = 5.0
"""CIELAB units: a photograph whose |a| and |b| nowhere exceed this teaches nothing (the authors' code)."""


class SoftCrossEntropy(Term):
    """Mean over positions of v sum_q z_q (log z_q - log s_q): z the soft target, s the softmax of the scores.

    z spreads a position's color over the nearest classes by a Gaussian of the distance; v = w of the nearest class,
    0 in a photograph without color; w = 1 / ((1 - l) p + l / K), scaled to sum p w = 1, where p is the mean soft target
    of the reference set and K the number of its classes with p > 0.

    Attributes:
        neighbours: classes that share a color; the paper says 5, its code 10, its author that the code is right (R11).
        sigma: of the Gaussian, in CIELAB units.
        uniform_share: l; 1 weighs every color alike.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"classes", "soft_prior"})

    neighbours: Positive = 10
    sigma: Annotated[float, Field(gt=0)] = 5.0
    uniform_share: Share = 0.5

    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """The mean over positions, where the source sums them and divides by photographs (R14).

        Args:
            output: `scores`, float (N, Q, h, w), are read.
            batch: `ab`, `class_centers` and `soft_prior` are read.

        Returns:
            float scalar, 0 where every position's softmax is its soft target.
        """
        from torch.nn import functional

        assert batch.class_centers is not None and batch.soft_prior is not None
        scores = output.scores
        ab = batch.ab.to(scores.dtype) * AB_SCALE
        index, shares = soft_targets(ab, batch.class_centers, self.neighbours, self.sigma)
        found = functional.log_softmax(scores, dim=1).gather(1, index)
        divergence = (shares * (shares.clamp_min(1e-30).log() - found)).sum(dim=1)
        colored = (ab.abs() > GREY).flatten(1).any(dim=1)
        weights = rebalancing_weights(batch.soft_prior, self.uniform_share).to(scores.dtype)
        return (weights[index[:, 0]] * colored[:, None, None] * divergence).mean()


def soft_targets(
    ab: "torch.Tensor", centers: "torch.Tensor", neighbours: int, sigma: float
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """`color.soft_encoding.soft_shares` of a batch, on its device; each color is compared with nearby classes alone.

    Args:
        ab: float (N, 2, h, w), in CIELAB units, in [-128, 128), as all of sRGB is.
        centers: float (Q, 2), the classes' centers; never changed in place, for what is near them is found out once.
        neighbours: k, how many of the nearest classes share a color; all of them where there are fewer.
        sigma: of the Gaussian of the distance, in CIELAB units.

    Returns:
        int64 (N, k, h, w), kept indices, the nearest first, and float (N, k, h, w), their shares, sum 1.
    """
    import torch

    from pipeline.color.lab import OFFSET

    count = min(neighbours, len(centers))
    nearby = _nearby(centers, count)
    a, b = ab.unbind(1)  # each (N, h, w)
    cells = [(axis.floor().long() + OFFSET).clamp_(0, 2 * OFFSET - 1) for axis in (a, b)]
    listed = nearby.index_select(0, (cells[0] * (2 * OFFSET) + cells[1]).flatten())  # (N h w, m)
    places = torch.cat([centers.to(ab.dtype), ab.new_full((1, 2), torch.inf)])  # the last is that of no class
    squared = sum(
        (color.flatten()[:, None] - places[:, axis].index_select(0, listed.flatten()).view_as(listed)).square_()
        for axis, color in enumerate((a, b))
    )
    assert isinstance(squared, torch.Tensor)
    distances, place = squared.topk(count, dim=1, largest=False)
    shares = torch.softmax(distances / (-2 * sigma**2), dim=1)
    shape = (*a.shape, count)
    return listed.gather(1, place).long().view(shape).permute(0, 3, 1, 2), shares.view(shape).permute(0, 3, 1, 2)


def _nearby(centers: "torch.Tensor", count: int) -> "torch.Tensor":
    """`soft_encoding.nearby_classes` on the centers' device, made once as long as the centers are kept."""
    import torch

    from pipeline.color.soft_encoding import nearby_classes

    lists = _lists_of_centers().setdefault(centers, {})
    if count not in lists:
        lists[count] = torch.from_numpy(nearby_classes(centers.cpu().numpy(), count)).to(centers.device)
    return lists[count]


@cache
def _lists_of_centers() -> "WeakTensorKeyDictionary":
    from torch.utils.weak import WeakTensorKeyDictionary

    return WeakTensorKeyDictionary()


def rebalancing_weights(prior: "torch.Tensor", uniform_share: float) -> "torch.Tensor":
    """The weight of each class (Eq. 4): w of `SoftCrossEntropy`.

    Args:
        prior: float64 (Q,), the mean soft target; 0 for classes that the reference set does not touch.
        uniform_share: l in [0, 1].

    Returns:
        float64 (Q,), on the device of the prior; sum p w = 1, and 0 for classes without prior where l is 0.
    """
    import torch

    mixed = (1 - uniform_share) * prior + uniform_share / (prior > 0).sum().to(prior.dtype)
    weights = torch.where(mixed > 0, 1 / mixed, 0.0)
    return weights / (prior * weights).sum()
