"""What an encoder and a decoder have in common with every other: the plugs of a network."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import nn


class Encoder(nn.Module):
    """Lightness (N, 1, H, W), L in [0, 100], H and W multiples of 32, to features at five levels.

    Attributes:
        channels: of each level.
        strides: input pixels per feature, of each level.
    """

    channels: ClassVar[tuple[int, ...]]
    strides: ClassVar[tuple[int, ...]] = (2, 4, 8, 16, 32)

    @abstractmethod
    def load_pretrained(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over published weights of the network for RGB."""

    @abstractmethod
    def levels(self) -> list[list[nn.Module]]:
        """The layers that make each level from the one before."""


class Decoder(nn.Module):
    """Features of five levels to scores (N, outputs, H / 4, W / 4).

    Attributes:
        widths: how many numbers `channels` takes.
    """

    widths: ClassVar[int]

    @abstractmethod
    def __init__(self, encoder_channels: Sequence[int], channels: Sequence[int], outputs: int) -> None:
        super().__init__()
