"""What every kind of network offers in params.yaml: its settings, and how it is built. Loads no torch by itself."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.settings.method_entries import NetworkEntry

if TYPE_CHECKING:
    import torch

    from pipeline.models.interfaces import ColorNetwork


class NetworkSettings(NetworkEntry):
    """The settings of a network, and the network."""

    @property
    @abstractmethod
    def weights(self) -> str | None:
        """The weight file that it starts from, as `machine.weight_files` names it; None for random weights."""

    @abstractmethod
    def build(self, outputs: int, weights: "Mapping[str, torch.Tensor] | None" = None) -> "ColorNetwork":
        """Build the network.

        Args:
            outputs: channels of the scores: Q kept classes, or 2 for a regression of ab.
            weights: published weights under the names of their file; None for random ones.

        Returns:
            The network on the CPU, in training mode.

        Raises:
            RuntimeError: if the weights do not fit.
        """
