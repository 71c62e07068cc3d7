"""VGG-19 (Simonyan, Zisserman 2015) as an encoder of lightness: all its 16 convolutions (SPEC R27, R28)."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import nn

from pipeline.models.encoders.densenet121 import IMAGENET_DEVIATION, IMAGENET_MEAN
from pipeline.models.grey_input import GreyConvolution
from pipeline.models.interfaces import Encoder

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Channels and convolutions between two poolings, at strides 1, 2, 4, 8, 16."""


class VGG19(Encoder):
    """The outputs of the 16 ReLUs of torchvision's `vgg19`, without the classifier and the last pooling."""

    channels = tuple(channels for channels, count in BLOCKS for _ in range(count))
    strides = tuple(2**block for block, (_, count) in enumerate(BLOCKS) for _ in range(count))

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for channels, count in BLOCKS:
            for _ in range(count):
                if not layers:
                    layers.append(GreyConvolution(channels, 3, 1, 1, IMAGENET_MEAN, IMAGENET_DEVIATION, bias=True))
                else:
                    layers.append(nn.Conv2d(inputs, channels, 3, padding=1))
                layers.append(nn.ReLU(inplace=True))
                inputs = channels
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers[:-1])  # numbered as in torchvision
        for module in self.features:
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def load_pretrained(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over the ImageNet weights of torchvision's `vgg19`, whose first convolution sees RGB.

        Args:
            state: the file's tensors; the classifier is left out.

        Raises:
            RuntimeError: if a tensor is missing, left over or of another shape.
        """
        own = {name: tensor for name, tensor in state.items() if not name.startswith("classifier")}
        first = self._first
        first.set_from_rgb(own["features.0.weight"])
        grey = {"features.0.weight": first.weight.detach(), "features.0.offset": first.offset}
        self.load_state_dict({**own, **grey})

    @property
    def _first(self) -> GreyConvolution:
        return cast(GreyConvolution, self.features[0])

    def levels(self) -> list[list[nn.Module]]:
        """The layers between two poolings, in five groups."""
        groups: list[list[nn.Module]] = [[]]
        for module in self.features:
            if isinstance(module, nn.MaxPool2d):
                groups.append([])
            groups[-1].append(module)
        return groups

    def forward(self, light: torch.Tensor) -> list[torch.Tensor]:
        """Features of lightness.

        Args:
            light: float (N, 1, H, W), L in [0, 100]; H and W multiples of 16.

        Returns:
            sixteen float tensors (N, channels[i], H / strides[i], W / strides[i]).
        """
        x, taps = self._first.normalize(light), []
        for module in self.features:
            x = module(x)
            if isinstance(module, nn.ReLU):
                taps.append(x)
        return taps
