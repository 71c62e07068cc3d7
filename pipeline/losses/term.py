"""What every loss term offers; its settings are those of `LossTerm`. Loads no torch by itself."""

from abc import abstractmethod
from typing import TYPE_CHECKING

from pipeline.settings.method_entries import LossTerm

if TYPE_CHECKING:
    import torch

    from pipeline.losses.batch import Batch, NetworkOutput


class Term(LossTerm):
    """A loss term: its settings, and a function of a network's output and the batch behind it."""

    @abstractmethod
    def loss(self, output: "NetworkOutput", batch: "Batch") -> "torch.Tensor":
        """The term, before its weight.

        Equal pieces of a batch, and equal processes, have to average to the loss of the whole.

        Args:
            output: of the network.
            batch: what it was computed from; what `needs` names is there.

        Returns:
            float scalar.
        """
