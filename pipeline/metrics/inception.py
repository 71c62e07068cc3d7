"""Inception-v3 as FID knows it: the network of 2015 with 1008 outputs, read at pool3 (Heusel et al. 2017).

Its weights were trained in TensorFlow, whose average pooling leaves padding out of the mean and whose last block pools
by maximum. torchvision's network differs in just these pools, so they are exchanged after the weights are loaded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from pipeline.machine.devices import prefer_onednn

SIZE = 299
_AVERAGED = ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7b")
_MAXIMUM = "Mixed_7c"


class _Repooled(nn.Module):
    """An Inception block with another pool before its pooling branch, which is the last of its branches."""

    block: Any  # torchvision's InceptionA, C or E, whose `_forward` gives the branches

    def __init__(self, block: nn.Module, pool: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.block = block
        self.pool = pool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branches = self.block._forward(x)[:-1]
        return torch.cat([*branches, self.block.branch_pool(self.pool(x))], dim=1)


def _average(x: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _maximum(x: torch.Tensor) -> torch.Tensor:
    return functional.max_pool2d(x, 3, stride=1, padding=1)


def inception_network(state: dict[str, torch.Tensor] | None = None) -> nn.Module:
    """The network, with weights or with torch's initial values.

    Args:
        state: a state dict with torchvision's names and 1008 classes.

    Returns:
        A module whose answer is pool3, (N, 3, 299, 299) -> (N, 2048), in evaluation mode.
    """
    from torchvision.models import inception_v3  # takes seconds to import, and FID's weights are rarely there

    network = inception_v3(weights=None, aux_logits=False, num_classes=1008, init_weights=False, transform_input=False)
    if state is not None:
        network.load_state_dict(state)
    for name in _AVERAGED:
        setattr(network, name, _Repooled(getattr(network, name), _average))
    setattr(network, _MAXIMUM, _Repooled(getattr(network, _MAXIMUM), _maximum))
    network.fc = nn.Identity()
    return network.eval().requires_grad_(False)


def load_inception(weights: Path, device: torch.device | str = "cpu") -> nn.Module:
    """Load the network from a file.

    Args:
        weights: a state dict with torchvision's names.
        device: where the network goes.

    Returns:
        The network, in evaluation mode.

    Raises:
        RuntimeError: if a weight is missing, unknown or has another shape.
    """
    state = torch.load(weights, map_location="cpu", weights_only=True)
    network = inception_network(state).to(memory_format=torch.channels_last).to(device)
    prefer_onednn(network)
    return network


def inception_features(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """pool3 of photographs: [0, 1], bilinear to 299 x 299 without antialiasing, then [-1, 1].

    On a CPU they go one by one, so that what a photograph gives has the same bits whatever it is batched with.

    Args:
        network: as `load_inception` gives it.
        images: uint8 (N, H, W, 3).

    Returns:
        float32 (N, 2048).
    """
    device = next(network.parameters()).device
    return torch.cat([_forward(network, some) for some in images.split(1 if device.type == "cpu" else len(images))])


@torch.inference_mode()
def _forward(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    device = next(network.parameters()).device
    unit = images.to(device).permute(0, 3, 1, 2).float() / 255
    resized = functional.interpolate(unit, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    features: torch.Tensor = network(2 * resized - 1)
    return features
