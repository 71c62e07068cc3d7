"""The loss of a method: its terms, each times its weight."""

from collections.abc import Iterable

import torch

from pipeline.losses.batch import Batch, NetworkOutput
from pipeline.losses.term import Term


def weighted_sum(terms: Iterable[Term], output: NetworkOutput, batch: Batch) -> torch.Tensor:
    """Add loss terms.

    Args:
        terms: at least one.
        output: of the network.
        batch: what it was computed from.

    Returns:
        float scalar.
    """
    return torch.stack([term.weight * term.loss(output, batch) for term in terms]).sum()
