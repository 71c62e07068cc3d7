"""A decoder that joins all of the encoder's levels, to scores at a quarter of the input's width."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from pipeline.models.decoders.convolutions import plain_convolution
from pipeline.models.interfaces import Decoder


class SkipDecoder(Decoder):
    """A U-Net like decoder (Ronneberger, Fischer, Brox 2015): each step up joins the encoder's level of that size.

    The finer levels keep edges where they are, which the plain decoder has to guess from 7 x 7 features.

    Args:
        encoder_channels: channels of the encoder's five levels; the first is not read.
        encoder_strides: of each level, 2 to 32.
        channels: of the three joins, at strides 16, 8 and 4.
        outputs: Q classes, or 2 for ab.
    """

    stride = 4

    def __init__(
        self, encoder_channels: Sequence[int], encoder_strides: Sequence[int], channels: Sequence[int], outputs: int
    ) -> None:
        super().__init__(encoder_channels, encoder_strides, channels, outputs)
        below = [encoder_channels[-1], *channels[:-1]]
        skips = encoder_channels[-2:0:-1]
        self.joins = nn.ModuleList(
            plain_convolution(deep + skip, here) for deep, skip, here in zip(below, skips, channels, strict=True)
        )
        self.scores = nn.Conv2d(channels[-1], outputs, 1)

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """Scores (N, outputs, H / 4, W / 4) from the encoder's five levels."""
        x = features[-1]
        for join, skip in zip(self.joins, features[-2:0:-1], strict=True):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = join(torch.cat([x, skip], dim=1))
        scores: torch.Tensor = self.scores(x)
        return scores
