"""What every network, encoder and decoder offers: the plugs that parts are joined by."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import nn


class ColorNetwork(nn.Module):
    """Lightness (N, 1, H, W), L in [0, 100], to scores (N, outputs, H / stride, W / stride).

    What the scores are is the head's business (`methods.head`): class scores before softmax, or ab over its scale.

    Attributes:
        stride: input pixels per output position in each direction; sides of the input are multiples of 32.
        semantic: float (N, 1000), what the semantic head says of the batch last seen; None without such a head.
    """

    stride: int
    semantic: torch.Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.semantic = None
        self._still: list[nn.Module] = []

    def freeze(self, levels: int, norms: bool) -> None:
        """Leave parts as they are: no gradients, and batch norms that neither use nor collect a batch's statistics.

        Args:
            levels: counted from the input, 0 for none.
            norms: whether all other batch norms keep their running statistics too (their scale and shift still learn).
        """
        self._still = [module for level in self.levels()[:levels] for module in level]
        for module in self._still:
            module.requires_grad_(False)
        if norms:
            self._still += [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        self.train(self.training)

    def train(self, mode: bool = True) -> "ColorNetwork":
        """Switch to training mode, except what `freeze` holds still."""
        super().train(mode)
        for module in self._still:
            module.eval()
        return self

    @abstractmethod
    def levels(self) -> list[list[nn.Module]]:
        """The layers that `freeze` counts, level by level from the input on."""

    @abstractmethod
    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The parameters by the part they belong to, each once and in a fixed order."""


class PublishedColorNetwork(ColorNetwork):
    """A network in the layers and names of a file that its authors published."""

    @abstractmethod
    def load_published(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over the file's weights.

        Args:
            state: its tensors by their names there.

        Raises:
            UserError: if the network tells other classes apart than the file.
            RuntimeError: if a tensor is missing, left over or of another shape.
        """


class Encoder(nn.Module):
    """Lightness (N, 1, H, W), L in [0, 100], H and W multiples of 32, to features at several levels, the finest first.

    Attributes:
        channels: of each level.
        strides: input pixels per feature, of each level; how many levels there are stands in `registries.ENCODERS` too.
    """

    channels: ClassVar[tuple[int, ...]]
    strides: ClassVar[tuple[int, ...]] = (2, 4, 8, 16, 32)

    @abstractmethod
    def load_pretrained(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over published weights of the network for RGB."""

    @abstractmethod
    def levels(self) -> list[list[nn.Module]]:
        """Its layers in five groups from the input on, which `ColorNetwork.freeze` counts."""


class Decoder(nn.Module):
    """An encoder's features to scores (N, outputs, H / stride, W / stride).

    Args:
        encoder_channels: of each level of the encoder.
        encoder_strides: of each level.
        channels: of its own convolutions; how many numbers it takes stands in `registries.DECODERS`.
        outputs: channels of the scores.

    Attributes:
        stride: input pixels of the network per output position.
    """

    stride: ClassVar[int]

    @abstractmethod
    def __init__(
        self, encoder_channels: Sequence[int], encoder_strides: Sequence[int], channels: Sequence[int], outputs: int
    ) -> None:
        super().__init__()
