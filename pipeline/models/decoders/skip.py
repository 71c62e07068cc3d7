"""From an encoder's features to scores at a quarter of the input's width (56 of 224 in the paper)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from pipeline.models.interfaces import Decoder
from pipeline.models.upsampled_convolution import UpsampledConvolution


def _normed(convolution: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(inplace=True))


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    return _normed(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))


class PlainDecoder(Decoder):
    """The paper's decoder (SPEC section 6): three times convolution and nearest upsampling x 2, then Q scores.

    Args:
        encoder_channels: channels of the encoder's five levels; only the last is read.
        channels: of the three convolutions, [1024, 512, 512] in the paper.
        outputs: Q classes, or 2 for ab.
    """

    widths = 3

    def __init__(self, encoder_channels: Sequence[int], channels: Sequence[int], outputs: int) -> None:
        super().__init__(encoder_channels, channels, outputs)
        widths = [encoder_channels[-1], *channels]
        first, *others = pairwise(widths)
        self.convolutions = nn.Sequential(
            _convolution(*first), *(_normed(UpsampledConvolution(a, b, bias=False)) for a, b in others)
        )
        self.scores = UpsampledConvolution(widths[-1], outputs)

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """Scores (N, outputs, H / 4, W / 4) from the encoder's five levels."""
        scores: torch.Tensor = self.scores(self.convolutions(features[-1]))
        return scores


class SkipDecoder(Decoder):
    """A U-Net like decoder (Ronneberger, Fischer, Brox 2015): each step up joins the encoder's level of that size.

    The finer levels keep edges where they are, which the plain decoder has to guess from 7 x 7 features.

    Args:
        encoder_channels: channels of the encoder's five levels, strides 2 to 32; the first is not read.
        channels: of the three joins, at strides 16, 8 and 4.
        outputs: Q classes, or 2 for ab.
    """

    widths = 3

    def __init__(self, encoder_channels: Sequence[int], channels: Sequence[int], outputs: int) -> None:
        super().__init__(encoder_channels, channels, outputs)
        below = [encoder_channels[-1], *channels[:-1]]
        skips = encoder_channels[-2:0:-1]
        self.joins = nn.ModuleList(
            _convolution(deep + skip, here) for deep, skip, here in zip(below, skips, channels, strict=True)
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
