"""Hypercolumns: every position sees what all levels say of it (Hariharan et al. 2015; SPEC R27)."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from pipeline.color.constants import AB_SCALE, LARGEST_AB
from pipeline.models.interfaces import Decoder


class HypercolumnDecoder(Decoder):
    """Each level projected to a few channels and brought to the output's size, all of them added, then three layers.

    A projection of the concatenated levels is the sum of projections of each, and it commutes with averaging and with
    bilinear interpolation, which act on each channel alike. So nothing is lost by projecting a coarse level before it
    is enlarged and a fine one after it is averaged, and the full hypercolumn, 1.1 GB a photograph, is never made.

    Args:
        encoder_channels: of each level.
        encoder_strides: of each level.
        channels: one number, of each projection; 64 in the reading.
        outputs: Q classes, or 2 for ab, which is then bounded by tanh to 110 CIELAB units.
    """

    stride = 4

    def __init__(
        self, encoder_channels: Sequence[int], encoder_strides: Sequence[int], channels: Sequence[int], outputs: int
    ) -> None:
        super().__init__(encoder_channels, encoder_strides, channels, outputs)
        (width,) = channels
        self.encoder_strides = tuple(encoder_strides)
        self.projections = nn.ModuleList(nn.Conv2d(inputs, width, 1) for inputs in encoder_channels)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(inplace=True)
        )
        self.scores = nn.Conv2d(width, outputs, 1)
        self.bounded = outputs == 2

    def hypercolumn(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """The projected hypercolumn of every output position: float (N, channels[0], H / 4, W / 4)."""
        parts = []
        for level, stride, projection in zip(features, self.encoder_strides, self.projections, strict=True):
            if stride < self.stride:
                parts.append(projection(functional.avg_pool2d(level, self.stride // stride)))
            elif stride == self.stride:
                parts.append(projection(level))
            else:
                factor = float(stride // self.stride)
                parts.append(functional.interpolate(projection(level), scale_factor=factor, mode="bilinear"))
        return torch.stack(parts).sum(dim=0)

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """Scores (N, outputs, H / 4, W / 4) from all of the encoder's levels."""
        scores: torch.Tensor = self.scores(self.layers(self.hypercolumn(features)))
        return torch.tanh(scores) * (LARGEST_AB / AB_SCALE) if self.bounded else scores
