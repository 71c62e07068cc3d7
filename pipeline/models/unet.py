"""The network kind `unet` as params.yaml has it. Loads no torch by itself."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pipeline.models.network_settings import NetworkSettings
from pipeline.settings.sections import Positive

if TYPE_CHECKING:
    import torch

    from pipeline.models.interfaces import ColorNetwork


class Unet(NetworkSettings):
    """A U-Net from scratch.

    Attributes:
        width: channels of its first level, 32 in the reading R34; those of its fifth are 16 times as many.
    """

    kind: Literal["unet"] = "unet"
    width: Positive = 32

    @property
    def weights(self) -> str | None:
        """None: there are no published ones."""
        return None

    def build(self, outputs: int, weights: "Mapping[str, torch.Tensor] | None" = None) -> "ColorNetwork":
        """As every network; it starts from random weights alone."""
        from pipeline.models.u_network import UNetwork

        assert weights is None
        return UNetwork(self.width, outputs)
