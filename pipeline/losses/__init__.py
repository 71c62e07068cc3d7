"""Loss terms, each `(output, batch) -> scalar`. To add one, write its module and one line in `LOSSES`."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from pipeline.losses.batch import Batch
from pipeline.losses.class_cross_entropy import ClassCrossEntropy
from pipeline.losses.regression import L1, L2, Huber, LogCosh

LOSSES: dict[str, type[nn.Module]] = {
    "class_cross_entropy": ClassCrossEntropy,
    "l1": L1,
    "l2": L2,
    "huber": Huber,
    "logcosh": LogCosh,
}


class WeightedSum(nn.Module):
    """The sum of a method's loss terms, each times its weight.

    Args:
        terms: per name in `LOSSES` the term's settings, among them `weight`.
    """

    def __init__(self, terms: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__()
        self.weights = {name: float(options["weight"]) for name, options in terms.items()}
        self.terms = nn.ModuleDict(
            {
                name: LOSSES[name](**{k: v for k, v in options.items() if k != "weight"})
                for name, options in terms.items()
            }
        )

    def forward(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Scalar from the network's output and its batch."""
        losses = [self.weights[name] * term(output, batch) for name, term in self.terms.items()]
        return torch.stack(losses).sum()
