"""The network kind `cic` as params.yaml has it: Zhang, Isola, Efros 2016. Loads no torch by itself."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pipeline.models.network_settings import NetworkSettings

if TYPE_CHECKING:
    import torch

    from pipeline.models.interfaces import ColorNetwork


class Cic(NetworkSettings):
    """The dilated network of 32 million parameters.

    Attributes:
        pretrained: whether it starts from the weights that its authors published, which tell 313 classes apart.
    """

    kind: Literal["cic"] = "cic"
    pretrained: bool

    @property
    def weights(self) -> str | None:
        """The published PyTorch file."""
        return "cic" if self.pretrained else None

    def build(self, outputs: int, weights: "Mapping[str, torch.Tensor] | None" = None) -> "ColorNetwork":
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
        from pipeline.models.dilated_network import DilatedNetwork

        network = DilatedNetwork(outputs)
        if weights is not None:
            network.load_published(weights)
        return network
