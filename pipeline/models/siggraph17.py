"""The network kind `siggraph17` as params.yaml has it: Zhang et al. 2017, coloring by itself. Loads no torch itself."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pipeline.models.network_settings import NetworkSettings

if TYPE_CHECKING:
    import torch

    from pipeline.models.interfaces import ColorNetwork


class Siggraph17(NetworkSettings):
    """The U-shaped network of 34 million parameters, without hints.

    A method with `head: {regresses: ab}` reads its ab head, at the input's full width, as its authors' demonstration
    does; one with `head: {classes: SPACE}` reads its class head, at a quarter of it. One head is trained at a time.

    Attributes:
        pretrained: whether it starts from the weights that its authors published, whose class head has 529 classes.
    """

    kind: Literal["siggraph17"] = "siggraph17"
    pretrained: bool

    @property
    def weights(self) -> str | None:
        """The published PyTorch file."""
        return "siggraph17" if self.pretrained else None

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
        from pipeline.models.hint_network import HintNetwork

        network = HintNetwork(outputs)
        if weights is not None:
            network.load_published(weights)
        return network
