"""What network kinds have in common whose authors published weights for the whole of them. Loads no torch by itself."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.models.network_settings import NetworkSettings

if TYPE_CHECKING:
    import torch

    from pipeline.models.interfaces import PublishedColorNetwork


class PublishedNetwork(NetworkSettings):
    """A network that may start from its authors' weights: in `machine.weight_files` under the kind's own name."""

    pretrained: bool

    @property
    def weights(self) -> str | None:
        """The published PyTorch file."""
        return self.kind if self.pretrained else None

    @abstractmethod
    def empty(self, outputs: int) -> "PublishedColorNetwork":
        """The network with random weights; `outputs` as for `build`."""

    def build(self, outputs: int, weights: "Mapping[str, torch.Tensor] | None" = None) -> "PublishedColorNetwork":
        """As every network.

        Args:
            outputs: as for every network.
            weights: of the published file.

        Returns:
            The network on the CPU, in training mode.

        Raises:
            UserError: if the published weights are for another number of classes.
            RuntimeError: if they do not fit.
        """
        network = self.empty(outputs)
        if weights is not None:
            network.load_published(weights)
        return network
