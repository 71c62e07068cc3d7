"""Equally bright neighbours should be equally colored (CS 766; SPEC R20; after Levin, Lischinski, Weiss 2004)."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pipeline.losses.term import Term

if TYPE_CHECKING:
    import torch

    from pipeline.losses.batch import Batch, NetworkOutput

OFFSETS = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))
"""The eight neighbours of a position."""


class Locality(Term):
    """Mean over positions p of |c_p - sum_q u_pq c_q|^2 over the neighbours q that exist.

    c is the expected (a, b) in units of the losses, whatever the head. u_pq = exp(-(L_p - L_q)^2 / (2 sigma^2)), scaled
    to sum 1 for each p: a position unlike all of its neighbours is still pulled in full.

    Attributes:
        sigma: of the difference in L, in CIELAB units.
    """

    sigma: Annotated[float, Field(gt=0)] = 10.0

    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """The penalty; both c_p and its neighbours are moved by it.

        Args:
            output: `ab`, float (N, 2, h, w), at least 2 x 1 or 1 x 2 positions.
            batch: `light` is averaged down to the size of the output.

        Returns:
            float scalar.
        """
        ab = output.ab
        shares = neighbour_shares(batch.light, ab.shape[2], ab.shape[3], self.sigma).to(ab.dtype)
        around = sum(share * moved for share, moved in zip(shares.unbind(0), _neighbours(ab), strict=True))
        return (ab - around).square().sum(dim=1).mean()


def neighbour_shares(light: "torch.Tensor", height: int, width: int, sigma: float) -> "torch.Tensor":
    """How much each neighbour counts: u of `Locality`.

    Args:
        light: float (N, 1, H, W), L in [0, 100].
        height: of the output; L is averaged over the pixels of each position.
        width: of the output.
        sigma: of the difference in L.

    Returns:
        float32 (float64 for such L) (8, N, 1, height, width), in the order of `OFFSETS`; 0 outside, sums to 1.
    """
    import torch
    from torch.nn import functional

    level = functional.adaptive_avg_pool2d(light, (height, width))
    differences = torch.stack([level - moved for moved in _neighbours(level)])
    exists = torch.stack(list(_neighbours(torch.ones_like(level[:1])))) > 0
    closeness = (differences.square() / (-2 * sigma**2)).masked_fill(~exists, -torch.inf)
    return torch.softmax(closeness, dim=0)  # far apart in L all exponentials may underflow, a softmax does not


def _neighbours(values: "torch.Tensor") -> "list[torch.Tensor]":
    """The values of the eight neighbours of each position, 0 where there is none; each of the shape of `values`."""
    from torch.nn import functional

    height, width = values.shape[2:]
    padded = functional.pad(values, (1, 1, 1, 1))
    return [padded[:, :, 1 + down : 1 + down + height, 1 + right : 1 + right + width] for down, right in OFFSETS]
