"""A U-Net from scratch (Ronneberger, Fischer, Brox 2015) whose way up ends at a quarter of the input (SPEC R34)."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.decoders.convolutions import plain_convolution
from pipeline.models.interfaces import ColorNetwork

LEVELS = 5
"""At strides 1, 2, 4, 8 and 16."""


class UNetwork(ColorNetwork):
    """Two 3 x 3 convolutions with batch norm a level, max pooling down, bilinear up, joins by concatenation.

    Args:
        width: channels at stride 1; every level down has twice as many.
        outputs: channels of the scores.
    """

    stride = 4

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(LEVELS)]
        self.down = nn.ModuleList(_two_convolutions(*pair) for pair in pairwise([1, *widths]))
        self.up = nn.ModuleList(
            _two_convolutions(deep + here, here) for here, deep in zip(widths[3:1:-1], widths[4:2:-1], strict=True)
        )
        self.scores = nn.Conv2d(widths[2], outputs, 1)

    def levels(self) -> list[list[nn.Module]]:
        """Those of the way down."""
        return [[level] for level in self.down]

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Those of the way down and those of the way up."""
        return {
            "encoder": list(self.down.parameters()),
            "decoder": [*self.up.parameters(), *self.scores.parameters()],
        }

    def forward(self, light: Tensor) -> Tensor:
        """Scores of every output position.

        Args:
            light: float (N, 1, H, W), L in [0, 100]; H and W multiples of 16.

        Returns:
            float (N, outputs, H / 4, W / 4).
        """
        x, seen = light / 50 - 1, []
        for number, level in enumerate(self.down):
            x = level(x if number == 0 else functional.max_pool2d(x, 2))
            seen.append(x)
        for join, skip in zip(self.up, seen[3:1:-1], strict=True):
            x = join(torch.cat([functional.interpolate(x, scale_factor=2.0, mode="bilinear"), skip], dim=1))
        scores: Tensor = self.scores(x)
        return scores


def _two_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(plain_convolution(inputs, outputs), plain_convolution(outputs, outputs))
