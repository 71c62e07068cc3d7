"""The decoder of CCC++: from the encoder's last level to scores at a quarter of the input's width (56 of 224)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from pipeline.models.decoders.convolutions import normed_convolution, plain_convolution
from pipeline.models.interfaces import Decoder
from pipeline.models.upsampled_convolution import UpsampledConvolution


class PlainDecoder(Decoder):
    """The paper's decoder (SPEC section 6): three times convolution and nearest upsampling x 2, then Q scores.

    Args:
        encoder_channels: channels of the encoder's five levels; only the last is read.
        encoder_strides: of each level, 2 to 32.
        channels: of the three convolutions, [1024, 512, 512] in the paper.
        outputs: Q classes, or 2 for ab.
    """

    stride = 4

    def __init__(
        self, encoder_channels: Sequence[int], encoder_strides: Sequence[int], channels: Sequence[int], outputs: int
    ) -> None:
        super().__init__(encoder_channels, encoder_strides, channels, outputs)
        widths = [encoder_channels[-1], *channels]
        first, *others = pairwise(widths)
        self.convolutions = nn.Sequential(
            plain_convolution(*first), *(normed_convolution(UpsampledConvolution(a, b, bias=False)) for a, b in others)
        )
        self.scores = UpsampledConvolution(widths[-1], outputs)

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """Scores (N, outputs, H / 4, W / 4) from the encoder's five levels."""
        scores: torch.Tensor = self.scores(self.convolutions(features[-1]))
        return scores
