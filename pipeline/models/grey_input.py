"""From lightness to the first convolution: networks trained on RGB see exactly the grey photograph."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from pipeline.color.constants import level_of_lightness


class GreyConvolution(nn.Conv2d):
    """A first convolution for one channel that equals an RGB convolution on grey photographs, borders included.

    With mean m_c and deviation s_c per channel an RGB network computes sum_c W_c * (g - m_c) / s_c. That is one kernel
    on g and a second, fixed one on a plane of ones: at the border the padding zeroes both, as it did for the three
    channels, so a plain bias would not do. The second vanishes where the three means are the same.

    Args:
        outputs: number of output channels.
        kernel: kernel size, px.
        stride: px.
        padding: px, zeros; 0 where the caller pads.
        mean, deviation: input normalisation of the RGB network per channel, for levels in [0, 1].
        bias: whether outputs have one, that of the RGB convolution.
    """

    offset: torch.Tensor | None

    def __init__(
        self,
        outputs: int,
        kernel: int,
        stride: int,
        padding: int,
        mean: Sequence[float],
        deviation: Sequence[float],
        bias: bool = False,
    ) -> None:
        super().__init__(1, outputs, kernel, stride=stride, padding=padding, bias=bias)
        self.mean, self.deviation = tuple(mean), tuple(deviation)
        self.center, self.scale = sum(mean) / len(mean), sum(deviation) / len(deviation)
        if len(set(mean)) > 1:
            self.register_buffer("offset", torch.zeros_like(self.weight))
        else:
            self.offset = None

    def set_from_rgb(self, kernels: torch.Tensor) -> None:
        """Take over an RGB convolution.

        Args:
            kernels: float (outputs, 3, k, k), weights for inputs normalised by this module's mean and deviation.
        """
        mean, deviation = kernels.new_tensor(self.mean), kernels.new_tensor(self.deviation)
        with torch.no_grad():
            self.weight.copy_((kernels * (self.scale / deviation)[:, None, None]).sum(1, keepdim=True))
            if self.offset is not None:
                shift = (self.center - mean) / deviation
                self.offset.copy_((kernels * shift[:, None, None]).sum(1, keepdim=True))

    def forward(self, level: torch.Tensor) -> torch.Tensor:
        """Convolve grey levels.

        Args:
            level: float (N, 1, H, W), normalised by `normalize`.

        Returns:
            float (N, outputs, H / stride, W / stride).
        """
        output = super().forward(level)
        if self.offset is None:
            return output
        ones = torch.ones_like(level[:1])
        return output + functional.conv2d(ones, self.offset, stride=self.stride, padding=self.padding)

    def normalize(self, light: torch.Tensor) -> torch.Tensor:
        """Lightness to this convolution's input.

        Args:
            light: float (N, 1, H, W), L in [0, 100].

        Returns:
            float (N, 1, H, W), the grey level less the mean, over the deviation.
        """
        return (level_of_lightness(light) - self.center) / self.scale
