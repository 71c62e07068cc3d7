"""DenseNet-121 (Huang, Liu, van der Maaten, Weinberger 2017) as an encoder of lightness: torchvision's features."""

import re
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from pipeline.models.grey_input import GreyConvolution
from pipeline.models.interfaces import Encoder

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


class DenseNet121(Encoder):
    """Features at strides 2 to 32; the last level is the paper's 7 x 7 x 1024 for 224 x 224 (SPEC section 6)."""

    channels = (64, 256, 512, 1024, 1024)

    def __init__(self) -> None:
        from torchvision.models import densenet121  # takes seconds to import, and not every method needs it

        super().__init__()
        features = densenet121(weights=None).features
        features.conv0 = GreyConvolution(64, 7, 2, 3, IMAGENET_MEAN, IMAGENET_DEVIATION)
        nn.init.kaiming_normal_(features.conv0.weight)
        self.features = features

    def load_pretrained(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over the ImageNet weights of torchvision's `densenet121`, whose first convolution sees RGB.

        Args:
            state: the file's tensors, with either spelling of the layer names (`norm.1` or `norm1`); the classifier is
                left out.

        Raises:
            RuntimeError: if a tensor is missing, left over or of another shape.
        """
        renamed = {
            re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])", r"\1\2", name).removeprefix("features."): tensor
            for name, tensor in state.items()
            if not name.startswith("classifier")
        }
        first = self.features.conv0
        first.set_from_rgb(renamed.pop("conv0.weight"))
        own = {"conv0.weight": first.weight.detach(), "conv0.offset": first.offset}
        self.features.load_state_dict({**renamed, **own})

    def levels(self) -> list[list[nn.Module]]:
        """The layers that make each of the five levels from the one before."""
        net = self.features
        return [
            [net.conv0, net.norm0],
            [net.denseblock1],
            [net.transition1, net.denseblock2],
            [net.transition2, net.denseblock3],
            [net.transition3, net.denseblock4, net.norm5],
        ]

    def forward(self, light: torch.Tensor) -> list[torch.Tensor]:
        """Features of lightness.

        Args:
            light: float (N, 1, H, W), L in [0, 100]; H and W multiples of 32.

        Returns:
            five float tensors (N, channels[i], H / strides[i], W / strides[i]).
        """
        net = self.features
        levels = [net.relu0(net.norm0(net.conv0(net.conv0.normalize(light))))]
        levels.append(net.denseblock1(net.pool0(levels[-1])))
        levels.append(net.denseblock2(net.transition1(levels[-1])))
        levels.append(net.denseblock3(net.transition2(levels[-1])))
        levels.append(functional.relu(net.norm5(net.denseblock4(net.transition3(levels[-1])))))
        return levels
